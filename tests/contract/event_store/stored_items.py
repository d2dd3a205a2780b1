"""How events and states lie in the tables, and what becomes of items that no release wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ledger.adapters.dynamodb.codec import event_item, newest_schema, state_item
from ledger.adapters.dynamodb.event_store import DynamoEventStore
from ledger.adapters.dynamodb.keys import due_shard, state_key
from ledger.application.outages import UnknownStoredVersionError
from ledger.application.ports import StateCheck, StateWrite, UnknownStoredStateError
from ledger.contracts.storage import DUE_ACCOUNTS, DUE_AT, DUE_INDEX, DUE_SHARD
from ledger.contracts.subjects import Kind
from ledger.domain.accounts import BrokenStateError
from ledger.domain.states import State
from tests.contract.event_store.subjects import KINDS, commit
from tests.contract.event_store.suite import keys
from tests.contract.event_store.tables import DynamoTables
from tests.support.builders import ACTOR, paying, state
from tests.support.subjects import ELEVEN, at, book, hold, metadata, reversal, template
from tests.support.transactions import acceptance, append_openings
from tests.support.worlds import commands_on

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class StoredItems(DynamoTables):
    """The stored form, and what is met that has another."""

    def test_an_event_item_reads_back(self, store: DynamoEventStore) -> None:
        """The adapter's own form of an event is what it reads."""
        states = append_openings(store, "a", "b")
        transaction, _ = acceptance(states, paying("p", ("a", "b", 5)))
        store.append(transaction)
        stored = store.event("p")
        assert stored is not None
        assert event_item(stored) == event_item(transaction.events[0])

    def test_the_stored_form(
        self, client: DynamoDBClient, store: DynamoEventStore, tables: tuple[str, str]
    ) -> None:
        """An event lies under its command's id: its bytes as text, its type, its hashes one behind
        the other. A state lies under `account#` and its id, with what conditions need beside it."""
        states = append_openings(store, "a", "b")
        transaction, after = acceptance(states, paying("p", ("a", "b", 5)))
        store.append(transaction)
        (event,) = transaction.events
        assert self.stored_item(client, tables[0], "p") == {
            "pk": {"S": "p"},
            "type": {"S": "payment.posted"},
            "data": {"S": event.data.decode()},
            "hashes": {"B": b"".join(event.hashes)},
        }
        item = self.stored_item(client, tables[1], "account#a")
        body = msgspec.json.decode(item.pop("data")["S"])
        assert item == {
            "pk": {"S": "account#a"},
            "v": {"N": "1"},
            "version": {"N": "2"},
            "hash": {"B": after.accounts["a"].hash},
        }
        elsewhere = {"id", "version", "hash"}
        unused = {"alerts", "frozen", "book", "velocity", "counters"}
        unused |= {"min_balance_basis", "max_balance_basis"}
        unused |= {"stripe", "stripes", "stripes_made", "floor_minor", "ceiling_minor"}
        fields = set(after.accounts["a"].__struct_fields__)
        assert body.keys() == fields - elsewhere - unused

    @pytest.mark.parametrize(
        ("one", "key"),
        [
            (hold("p:1", ended="void"), "payment#p:1"),
            (reversal("p", ("a", "b", 1), given_back=[1]), "payment#p"),
            (book("branch-7"), "book#branch-7"),
            (template("card_sale"), "template#card_sale"),
            (metadata("a", {"k": "v"}), "metadata#account/a"),
        ],
        ids=lambda one: one if isinstance(one, str) else "",
    )
    def test_the_stored_form_of_other_kinds(
        self,
        client: DynamoDBClient,
        store: DynamoEventStore,
        tables: tuple[str, str],
        one: State,
        key: str,
    ) -> None:
        """As an account's, under their own kind: the body has every field but what stands beside
        it."""
        store.restore(one)
        item = self.stored_item(client, tables[1], key)
        body = msgspec.json.decode(item.pop("data")["S"])
        assert item == {
            "pk": {"S": key},
            "v": {"N": "1"},
            "version": {"N": str(one.version)},
            "hash": {"B": one.hash},
        }
        assert body.keys() == set(one.__struct_fields__) - {"id", "version", "hash", "stripes"}

    def test_the_stored_form_of_stripes(
        self, client: DynamoDBClient, store: DynamoEventStore, tables: tuple[str, str]
    ) -> None:
        """The first is the account, of a schema that older releases refuse; the others lie under
        their own kind with their numbers, and say all that the account is."""
        first = state("a", lowest=-9, stripes=4, stripes_made=4, floor_minor=-3)
        other = msgspec.structs.replace(first, stripe=3, floor_minor=-2)
        for one, key, schema in ((first, "account#a", "4"), (other, "stripe#a/3", "1")):
            store.restore(one)
            item = self.stored_item(client, tables[1], key)
            body = msgspec.json.decode(item["data"]["S"])
            assert (item["pk"], item["v"]) == ({"S": key}, {"N": schema})
            names = ("currency", "min_balance_minor", "stripes", "stripes_made", "floor_minor")
            assert {name: body[name] for name in names} == {
                name: getattr(one, name) for name in names
            }
            assert store.load([one.key]).get(one.key) == one

    def test_an_open_hold_lies_in_the_index(
        self, client: DynamoDBClient, store: DynamoEventStore, tables: tuple[str, str]
    ) -> None:
        """By when it expires, with its accounts, and nothing more of it; no other item does, and it
        no more once the hold has ended."""
        for one in (state("a"), book("n"), reversal("r", ("a", "b", 1), given_back=[1])):
            store.restore(one)

        def indexed() -> list[dict[str, Any]]:
            found = client.scan(TableName=tables[1], IndexName=DUE_INDEX)["Items"]
            return [
                {name: set(value["SS"]) if "SS" in value else value["S"]}
                for item in found
                for name, value in sorted(item.items())
            ]

        assert indexed() == []
        store.restore(hold("p", ("a", "b", 1), ("b", "c", 1), expires_at=ELEVEN))
        assert indexed() == [
            {DUE_ACCOUNTS: {"a", "b", "c"}},
            {DUE_AT: ELEVEN},
            {DUE_SHARD: due_shard("p")},
            {"pk": "payment#p"},
        ]
        store.restore(hold("p", version=2, ended="expiry"))
        assert indexed() == []

    @pytest.mark.parametrize("version", ["1", "999"])
    @pytest.mark.parametrize("kind", KINDS)
    def test_a_state_of_an_unknown_schema_is_never_touched(
        self,
        client: DynamoDBClient,
        store: DynamoEventStore,
        tables: tuple[str, str],
        kind: Kind,
        version: str,
    ) -> None:
        """Of any kind, whatever meets it, whether it is older or newer than what would be written:
        an error that names it; and the item stays as it is."""
        first, second, other = KINDS[kind]
        unknown = str(newest_schema(first.key) + 1)
        key = state_key(first.key)
        newer = {
            "pk": {"S": key},
            "v": {"N": unknown},
            "version": {"N": version},
            "stripes": {"N": "4"},
        }
        client.put_item(TableName=tables[1], Item=newer)
        named = pytest.raises(UnknownStoredStateError, match=f"'{key}' has schema {unknown}")
        with named:
            store.load([other.key, first.key])
        with named:
            list(store.states())
        with named:
            store.restore(second)
        if version != "1":
            with named:
                commit(store, "e", writes=(StateWrite(second, at(1)),))
            with named:
                commit(store, "e", checks=(StateCheck(first.key, at(1)),))
        assert self.stored_item(client, tables[1], key) == newer
        assert store.event("e") is None

    def test_an_unknown_schema_is_an_outage(
        self, client: DynamoDBClient, store: DynamoEventStore, tables: tuple[str, str]
    ) -> None:
        """To whoever sends a command that meets it: a newer release may decide it."""
        append_openings(store, "a", "b")
        item = self.stored_item(client, tables[1], "account#a") | {"v": {"N": "17"}}
        client.put_item(TableName=tables[1], Item=item)
        with pytest.raises(UnknownStoredVersionError):
            commands_on(store).handle(paying("p", ("a", "b", 5)), ACTOR)
        assert store.event("p") is None

    @pytest.mark.parametrize(
        "change", [{"version": {"S": "1"}}, {"hash": {"B": b"x"}}, {"data": {"S": "{}"}}], ids=str
    )
    def test_a_corrupt_state_is_named(
        self,
        client: DynamoDBClient,
        store: DynamoEventStore,
        tables: tuple[str, str],
        change: dict[str, Any],
    ) -> None:
        """A state that no release wrote is an error that names its account, wherever it is met."""
        states = append_openings(store, "a", "b")
        transaction, _ = acceptance(states, paying("p", ("a", "b", 5)))
        item = self.stored_item(client, tables[1], "account#a") | change
        client.put_item(TableName=tables[1], Item=item)
        meetings: list[Callable[[], object]] = [
            lambda: store.load(keys("a")),
            lambda: list(store.states()),
        ]
        if "version" in change:
            meetings.append(lambda: store.append(transaction))
        else:
            meetings.append(lambda: store.restore(states.accounts["a"]))
        for meeting in meetings:
            with pytest.raises(BrokenStateError, match=r"account(#a'| a)"):
                meeting()

    @pytest.mark.parametrize(
        ("key", "error"),
        [
            ("branch#a", UnknownStoredStateError),
            *((key, BrokenStateError) for key in ("a", "#a", "stripe#a", "stripe#a/0")),
        ],
    )
    def test_a_key_of_another_kind_is_named(
        self,
        client: DynamoDBClient,
        store: DynamoEventStore,
        tables: tuple[str, str],
        key: str,
        error: type[Exception],
    ) -> None:
        """A kind that a newer release brought is told from what is no state's key."""
        client.put_item(TableName=tables[1], Item={**state_item(state("a")), "pk": {"S": key}})
        with pytest.raises(error, match=f"'{key}'"):
            list(store.states())

    @pytest.mark.parametrize(
        "change", [{"data": None}, {"data": {"N": "1"}}, {"hashes": {"S": "x"}}], ids=str
    )
    def test_a_corrupt_event_is_named(
        self,
        client: DynamoDBClient,
        store: DynamoEventStore,
        tables: tuple[str, str],
        change: dict[str, Any],
    ) -> None:
        """An item of the events table that no release wrote is an error that names its key."""
        append_openings(store, "a")
        item = self.stored_item(client, tables[0], "open:a") | change
        item = {name: value for name, value in item.items() if value is not None}
        client.put_item(TableName=tables[0], Item=item)
        for read in (lambda: store.event("open:a"), lambda: list(store.events())):
            with pytest.raises(BrokenStateError, match="'open:a'"):
                read()
