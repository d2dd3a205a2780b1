"""What the DynamoDB adapter does beside the contract of every store: requests, units, bad items.

A subclass gives the fixture `client`, a DynamoDB client whose SDK does not retry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec
import pytest

from ledger.adapters.dynamodb.codec import state_item
from ledger.adapters.dynamodb.event_store import DynamoEventStore
from ledger.application.ports import Refused
from ledger.application.rebuild import rebuild_states
from ledger.contracts.commands import decode_command
from ledger.domain.accounts import BrokenStateError
from ledger.domain.states import States
from tests.contract.event_store.stored_items import StoredItems
from tests.contract.event_store.subjects import commit
from tests.contract.event_store.suite import EventStoreContract, check, keys
from tests.contract.event_store.tables import Calls
from tests.support.builders import opening, paying, posting, state
from tests.support.items import KIB, item_bytes, transactional_write_units
from tests.support.subjects import ELEVEN
from tests.support.transactions import acceptance, append, append_openings, refusal
from tests.support.worlds import commands_on, decided

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoContract(StoredItems, EventStoreContract):
    """Run against whatever imitates DynamoDB, on tables of the test's own."""

    #: Of the six, as many as are reported: not every imitation counts them all.
    reported_units = 6

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

    def test_what_a_hold_asks_for(self, store: DynamoEventStore, calls: Calls) -> None:
        """To hold is one read of the accounts and one transaction of four puts; what follows reads
        the payment first. A payment refused for lack of funds looks for holds that are due, once a
        shard, only if something is held."""
        commands = commands_on(store)
        for account in ("a", "b"):
            decided(commands, opening(account))
        decided(commands, opening("bank", min_balance_minor=None))
        read, write, look = "BatchGetItem", "TransactWriteItems", ["Query"] * 8

        def made(type_: str, id_: str, **fields: Any) -> list[str]:
            calls.clear()
            body = {"type": type_, "v": 1, "id": id_, **fields}
            decided(commands, decode_command(msgspec.json.encode(body)))
            return [name for name, _ in calls]

        def leg(source: str, destination: str, amount_minor: int) -> list[dict[str, Any]]:
            return [msgspec.to_builtins(posting(source, destination, amount_minor))]

        funds = [read, write]
        assert made("payment.post", "fund", postings=leg("bank", "a", 10)) == funds
        assert made("payment.post", "no-1", postings=leg("a", "b", 99)) == funds
        assert made("payment.authorize", "h", postings=leg("a", "b", 8)) == [read, write]
        actions = calls[-1][1]["TransactItems"]
        assert [next(iter(action)) for action in actions] == ["Put"] * 4
        assert made("payment.post", "no-2", postings=leg("a", "b", 5)) == [read, *look, write]
        assert made("payment.capture", "c", payment="h", amount_minor=5) == [read, read, write]
        assert made("payment.void", "v", payment="h") == [read, read, write]

    def test_every_read_is_consistent(self, store: DynamoEventStore, calls: Calls) -> None:
        """Decisions rest on what is read: nothing is read eventually but what is due, a hint."""
        append_openings(store, "a")
        calls.clear()
        store.load(keys("a"))
        store.event("p")
        store.events_of(["p"])
        list(store.events())
        list(store.states())
        reads = [
            params["RequestItems"].popitem()[1] if name == "BatchGetItem" else params
            for name, params in calls
        ]
        assert [name for name, _ in calls] == [
            *("BatchGetItem", "GetItem", "BatchGetItem", "Scan", "Scan")
        ]
        assert all(read["ConsistentRead"] is True for read in reads)

    def test_every_action_is_conditional_and_answers_with_what_is_there(
        self, store: DynamoEventStore, calls: Calls
    ) -> None:
        """No unconditional write ever; each failed condition brings its item for nothing."""
        states = append_openings(store, "a", "b")
        calls.clear()
        accepted, after = acceptance(states, paying("p", ("a", "b", 1)))
        opened, _ = acceptance(States(), opening("c"))
        refused = refusal(states, paying("q", ("a", "nobody", 1)))
        for transaction in (accepted, opened, refused):
            store.append(transaction)
        commit(store, "r", absent=("x",), checks=(check("a", after),))
        actions = [
            (kind, action)
            for _, params in calls
            for each in params["TransactItems"]
            for kind, action in each.items()
        ]
        assert [kind for kind, _ in actions] == ["Put"] * 6 + ["ConditionCheck", "Put"] + [
            "ConditionCheck"
        ] * 2
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
        store.load(keys("a"))
        store.event("p")
        store.events_of(["p"])
        store.due(ELEVEN, limit=1)
        store.restore(states.accounts["a"])
        usage = store.meter.take()
        assert (usage.requests, usage.cancelled) == (6 + 8, 1)
        assert store.meter.take().requests == 0

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
        old = state_item(states.accounts["b"])
        after = append(store, states, paying("p", ("a", "b", 5)), paying("q", ("b", "c", 2)))
        client.delete_item(TableName=tables[1], Key={"pk": {"S": "account#a"}})
        client.put_item(TableName=tables[1], Item=old)
        rebuilt = rebuild_states(store)
        assert (rebuilt.accounts, rebuilt.restored) == (3, 2)
        assert store.load(keys("a", "b", "c")).accounts == after.accounts
