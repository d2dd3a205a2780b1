"""What the DynamoDB adapter does beside the contract of every store: requests, units, bad items.

A subclass gives the fixture `client`, a DynamoDB client whose SDK does not retry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
import pytest

from ledger.adapters.dynamodb.codec import event_item, state_item
from ledger.adapters.dynamodb.event_store import DynamoEventStore
from ledger.application.outages import UnknownStoredVersionError
from ledger.application.ports import Refused, UnknownStoredStateError
from ledger.application.rebuild import rebuild_states
from ledger.domain.accounts import BrokenStateError
from tests.contract.event_store.suite import EventStoreContract
from tests.support.builders import ACTOR, opening, paying, state
from tests.support.items import KIB, item_bytes, transactional_write_units
from tests.support.transactions import acceptance, append, append_openings, refusal
from tests.support.worlds import commands_on, decided

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Calls = list[tuple[str, dict[str, Any]]]
"""Requests by operation, with their parameters."""


class DynamoContract(EventStoreContract):
    """Run against whatever imitates DynamoDB, on tables of the test's own."""

    #: Of the six, as many as are reported: not every imitation counts them all.
    reported_units = 6

    @pytest.fixture
    def tables(self, client: DynamoDBClient) -> Iterator[tuple[str, str]]:
        """The names of a new table of events and one of states."""
        names = tuple(f"{kind}-{uuid4()}" for kind in ("events", "states"))
        for name in names:
            client.create_table(
                TableName=name,
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                BillingMode="PAY_PER_REQUEST",
            )
        events, states = names
        yield events, states
        for name in names:
            client.delete_table(TableName=name)

    @pytest.fixture
    def connect(
        self, client: DynamoDBClient, tables: tuple[str, str]
    ) -> Callable[[], DynamoEventStore]:
        """A store of one's own on the tables. (A client may be shared by threads.)"""
        events, states = tables
        return lambda: DynamoEventStore(client, events_table=events, states_table=states)

    @pytest.fixture
    def store(self, connect: Callable[[], DynamoEventStore]) -> DynamoEventStore:
        """The store under test."""
        return connect()

    @pytest.fixture
    def calls(self, client: DynamoDBClient) -> Iterator[Calls]:
        """Every request of the client from now on."""
        made: Calls = []

        def note(params: dict[str, Any], model: Any, **_: object) -> None:
            made.append((model.name, params))

        client.meta.events.register("provide-client-params.dynamodb", note)
        yield made
        client.meta.events.unregister("provide-client-params.dynamodb", note)

    def stored_item(self, client: DynamoDBClient, table: str, key: str) -> dict[str, Any]:
        """An item that must be there, as it is stored."""
        found = client.get_item(TableName=table, Key={"pk": {"S": key}}, ConsistentRead=True)
        return dict(found["Item"])

    def test_a_two_legged_payment_is_two_requests_and_six_units(
        self, store: DynamoEventStore, calls: Calls
    ) -> None:
        """With ids of 36 characters and no free text: one consistent BatchGetItem of two keys, one
        TransactWriteItems of three puts of at most 1 KiB each, and so 6 write units."""
        payer, payee, payment = (str(uuid4()) for _ in range(3))
        commands = commands_on(store)
        for account in (payer, payee):
            decided(commands, opening(account, id=str(uuid4()), min_balance_minor=None))
        decided(commands, paying(str(uuid4()), (payer, payee, 10**9)))
        calls.clear()
        store.meter.take()
        decided(commands, paying(payment, (payer, payee, 12_345)))
        (read, asked), (write, written) = calls
        assert (read, write) == ("BatchGetItem", "TransactWriteItems")
        (request,) = asked["RequestItems"].values()
        assert (len(request["Keys"]), request["ConsistentRead"]) == (2, True)
        items = [action["Put"]["Item"] for action in written["TransactItems"]]
        assert [item_bytes(item) <= KIB for item in items] == [True] * 3
        assert sum(map(transactional_write_units, items)) == 6
        usage = store.meter.take()
        assert (usage.requests, usage.cancelled) == (2, 0)
        assert usage.write_units == self.reported_units

    def test_every_read_is_consistent(self, store: DynamoEventStore, calls: Calls) -> None:
        """Decisions rest on what is read: nothing is read eventually."""
        append_openings(store, "a")
        calls.clear()
        store.load(["a"])
        store.event("p")
        list(store.events())
        list(store.states())
        reads = [
            params["RequestItems"].popitem()[1] if name == "BatchGetItem" else params
            for name, params in calls
        ]
        assert [name for name, _ in calls] == ["BatchGetItem", "GetItem", "Scan", "Scan"]
        assert all(read["ConsistentRead"] is True for read in reads)

    def test_every_action_is_conditional_and_answers_with_what_is_there(
        self, store: DynamoEventStore, calls: Calls
    ) -> None:
        """No unconditional write ever; each failed condition brings its item for nothing."""
        states = append_openings(store, "a", "b")
        calls.clear()
        accepted, _ = acceptance(states, paying("p", ("a", "b", 1)))
        opened, _ = acceptance({}, opening("c"))
        refused = refusal(states, paying("q", ("a", "nobody", 1)))
        for transaction in (accepted, opened, refused):
            store.append(transaction)
        actions = [
            (kind, action)
            for _, params in calls
            for each in params["TransactItems"]
            for kind, action in each.items()
        ]
        assert [kind for kind, _ in actions] == ["Put"] * 6 + ["ConditionCheck"]
        assert all(
            action["ConditionExpression"]
            and action["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
            for _, action in actions
        )

    def test_requests_are_counted(self, store: DynamoEventStore) -> None:
        """Every request, those that were refused apart; reading the counts starts anew."""
        states = append_openings(store, "a", "b")
        store.meter.take()
        transaction, _ = acceptance(states, paying("p", ("a", "b", 1)))
        store.append(transaction)
        assert isinstance(store.append(transaction), Refused)
        store.load(["a"])
        store.event("p")
        store.restore(states["a"])
        usage = store.meter.take()
        assert (usage.requests, usage.cancelled) == (5, 1)
        assert store.meter.take().requests == 0

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
            "hash": {"B": after["a"].hash},
        }
        elsewhere = {"id", "version", "hash", "alerts"}  # it has no alerts
        assert body.keys() == set(after["a"].__struct_fields__) - elsewhere

    @pytest.mark.parametrize("version", ["1", "999"])
    def test_a_state_of_an_unknown_schema_is_never_touched(
        self,
        client: DynamoDBClient,
        store: DynamoEventStore,
        tables: tuple[str, str],
        version: str,
    ) -> None:
        """Whatever meets it, whether it is older or newer than what would be written: an error that
        names it, which is an outage to whoever asks; and the item stays as it is."""
        states = append_openings(store, "a", "b")
        transaction, after = acceptance(states, paying("p", ("a", "b", 5)))
        newer = {
            "pk": {"S": "account#a"},
            "v": {"N": "3"},
            "version": {"N": version},
            "stripes": {"N": "4"},
        }
        client.put_item(TableName=tables[1], Item=newer)
        named = pytest.raises(UnknownStoredStateError, match=r"'account#a' has schema 3")
        with named:
            store.load(["b", "a"])
        with named:
            list(store.states())
        with named:
            store.restore(after["a"])
        if version != "1":
            with named:
                store.append(transaction)
        with pytest.raises(UnknownStoredVersionError):
            commands_on(store).handle(paying("p", ("a", "b", 5)), ACTOR)
        assert self.stored_item(client, tables[1], "account#a") == newer
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
            lambda: store.load(["a"]),
            lambda: list(store.states()),
        ]
        if "version" in change:
            meetings.append(lambda: store.append(transaction))
        else:
            meetings.append(lambda: store.restore(states["a"]))
        for meeting in meetings:
            with pytest.raises(BrokenStateError, match=r"account(#a'| a)"):
                meeting()

    def test_a_key_of_another_kind_is_named(
        self, client: DynamoDBClient, store: DynamoEventStore, tables: tuple[str, str]
    ) -> None:
        """The table of states holds states of accounts only, in this release."""
        item = state_item(state("a"))
        client.put_item(TableName=tables[1], Item={**item, "pk": {"S": "payment#a"}})
        with pytest.raises(BrokenStateError, match="'payment#a'"):
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

    def test_an_event_is_checked_before_it_is_written(self, store: DynamoEventStore) -> None:
        """Bytes under another id than their own, or with a hash too few, are not written."""
        states = append_openings(store, "a", "b")
        transaction, _ = acceptance(states, paying("p", ("a", "b", 5)))
        (event,) = transaction.events
        for wrong in (
            msgspec.structs.replace(event, id="q"),
            msgspec.structs.replace(event, hashes=event.hashes[:1]),
        ):
            with pytest.raises(BrokenStateError, match=f"event {wrong.id}"):
                store.append(msgspec.structs.replace(transaction, events=(wrong,)))
        assert (store.event("p"), store.event("q")) == (None, None)

    def test_scans_go_on_after_a_page(
        self, client: DynamoDBClient, store: DynamoEventStore, tables: tuple[str, str]
    ) -> None:
        """A page is 1 MB; what is behind it is read too, in events and in states."""
        long = "x" * 300_000
        for index in range(5):
            item = {"pk": {"S": f"e{index}"}, "type": {"S": "t"}, "data": {"S": long}}
            client.put_item(TableName=tables[0], Item=item)
            name = f"a{index}"
            one = state_item(state(name, version=index + 1))
            # A blank more does not change what a body says.
            padded = one | {"data": {"S": str(one["data"]["S"]) + " " * 300_000}}
            client.put_item(TableName=tables[1], Item=padded)
        store.meter.take()
        assert sorted(event.id for event in store.events()) == [f"e{n}" for n in range(5)]
        assert store.meter.take().requests > 1
        assert sorted(one.version for one in store.states()) == [1, 2, 3, 4, 5]
        assert store.meter.take().requests > 1

    def test_lost_states_are_rebuilt(
        self, client: DynamoDBClient, store: DynamoEventStore, tables: tuple[str, str]
    ) -> None:
        """From the events alone, exactly, and those that are as new as their events stay."""
        states = append_openings(store, "a", "b", "c")
        old = state_item(states["b"])
        after = append(store, states, paying("p", ("a", "b", 5)), paying("q", ("b", "c", 2)))
        client.delete_item(TableName=tables[1], Key={"pk": {"S": "account#a"}})
        client.put_item(TableName=tables[1], Item=old)
        rebuilt = rebuild_states(store)
        assert (rebuilt.accounts, rebuilt.restored) == (3, 2)
        assert store.load(["a", "b", "c"]) == after

    def test_an_event_item_reads_back(self, store: DynamoEventStore) -> None:
        """The adapter's own form of an event is what it reads."""
        states = append_openings(store, "a", "b")
        transaction, _ = acceptance(states, paying("p", ("a", "b", 5)))
        store.append(transaction)
        stored = store.event("p")
        assert stored is not None
        assert event_item(stored) == event_item(transaction.events[0])
