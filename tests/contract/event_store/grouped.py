"""What groups of payments ask of DynamoDB: requests, actions and write units, to the unit."""

from __future__ import annotations

import pytest

from ledger.adapters.dynamodb.event_store import DynamoEventStore
from ledger.application.state_cache import StateCache
from ledger.contracts.commands import OpenAccount, PostPayment
from tests.contract.event_store.tables import Calls, DynamoTables
from tests.support.builders import opening, paying
from tests.support.grouping import group_on
from tests.support.groups import decided_together
from tests.support.items import KIB, item_bytes, transactional_write_units
from tests.support.worlds import World, decided


class GroupedRequests(DynamoTables):
    """Payments with ids of 36 characters, between accounts with such ids."""

    @pytest.mark.parametrize(
        ("payers", "payees", "count", "actions", "units_each"),
        [(33, 33, 33, 99, 6.0), (1, 49, 49, 99, 4.05), (1, 1, 98, 100, 2.05)],
    )
    def test_a_full_transaction_is_one_read_and_one_write(  # noqa: PLR0917
        self,
        store: DynamoEventStore,
        calls: Calls,
        payers: int,
        payees: int,
        count: int,
        actions: int,
        units_each: float,
    ) -> None:
        """33 payments between disjoint accounts are 6 write units each, 49 from one payer 4.04, 98
        between two accounts 2.04; the next group on the same accounts reads nothing."""
        group = group_on(store, cache=StateCache(1_000))
        names = {_id("from", place) for place in range(payers)}
        names |= {_id("to", place) for place in range(payees)}
        decided_together(group_on(store), *map(_opening, sorted(names)))
        calls.clear()
        store.meter.take()
        decided_together(group, *(_payment(n, payers, payees) for n in range(count)))
        (read, wanted), (write, written) = calls
        assert (read, write) == ("BatchGetItem", "TransactWriteItems")
        assert [len(one["Keys"]) for one in wanted["RequestItems"].values()] == [len(names)]
        puts = [action["Put"]["Item"] for action in written["TransactItems"]]
        assert len(puts) == actions
        assert max(map(item_bytes, puts)) <= KIB
        assert sum(map(transactional_write_units, puts)) / count <= units_each
        assert store.meter.take().requests == 2
        calls.clear()
        decided_together(group, *(_payment(1_000 + n, payers, payees) for n in range(count)))
        assert [name for name, _ in calls] == ["TransactWriteItems"]

    def test_a_single_payment_is_two_requests_and_one_when_warm(
        self, store: DynamoEventStore, calls: Calls
    ) -> None:
        """The first reads its accounts; the next on them commits at once."""
        worker = World().commands(store, StateCache(1_000))
        for name in (_id("from", 0), _id("to", 0)):
            decided(World().commands(store), _opening(name))
        asked = []
        for number in range(3):
            calls.clear()
            decided(worker, _payment(number, 1, 1))
            asked.append([name for name, _ in calls])
        assert asked == [
            ["BatchGetItem", "TransactWriteItems"],
            ["TransactWriteItems"],
            ["TransactWriteItems"],
        ]


def _id(kind: str, number: int) -> str:
    return f"{number:08d}-{kind}".ljust(36, "x")


def _opening(name: str) -> OpenAccount:
    return opening(name, id=f"open-{name[:31]}", min_balance_minor=None)


def _payment(number: int, payers: int, payees: int) -> PostPayment:
    leg = (_id("from", number % payers), _id("to", number % payees), 12_345)
    return paying(_id("payment", number), leg)
