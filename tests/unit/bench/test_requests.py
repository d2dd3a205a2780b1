"""What the benches count and answer is what DynamoDB would."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec import UNSET

from bench.counting import counting, units_of
from bench.engines.workload import make
from bench.loopback import loopback
from bench.payments import Case, state_item_of_every_account
from ledger.adapters.dynamodb.codec import event_item, state_item
from ledger.adapters.dynamodb.event_store import DynamoEventStore
from ledger.contracts.commands import decode_command
from ledger.contracts.subjects import account_key
from ledger.domain.states import States
from tests.support.builders import opening, paying, state
from tests.support.emulator import dynamodb_client
from tests.support.items import transactional_write_units
from tests.support.transactions import acceptance


def sent(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """An item as it is in a request."""
    return json.loads(json.dumps(item, default=lambda content: b64encode(content).decode()))  # type: ignore[no-any-return]


@pytest.mark.parametrize("description", ["", "d" * 140])
def test_units_are_counted_as_dynamodb_does(description: str) -> None:
    """By its rules for items of every shape that the ledger writes, alone and in a transaction."""
    states = States.of((state("a" * 64, credits=10**15), state("b" * 64)))
    command = paying("p" * 64, ("a" * 64, "b" * 64, 5), description=description or UNSET)
    for transaction in (
        acceptance(states, command)[0],
        acceptance(States(), opening("a", metadata={"k": "v"}))[0],
    ):
        items = [
            *map(event_item, transaction.events),
            *(state_item(write.state) for write in transaction.writes),
        ]
        units = sum(map(transactional_write_units, items))
        puts = [{"Put": {"TableName": "t", "Item": sent(item)}} for item in items]
        check = {"ConditionCheck": {"TableName": "t", "Key": {"pk": {"S": "x"}}}}
        assert units_of("TransactWriteItems", {"TransactItems": [*puts, check]}) == units + 2
        each = [{"PutRequest": {"Item": put["Put"]["Item"]}} for put in puts]
        assert units_of("BatchWriteItem", {"RequestItems": {"t": each}}) == units // 2
    assert units_of("BatchGetItem", {}) == 0


def test_the_loopback_server_has_every_account() -> None:
    """In a state that the store takes, and it counts what it is asked; a proxy before it counts the
    same."""
    with loopback(state_item_of_every_account()) as server, counting(server.endpoint_url) as proxy:
        store = DynamoEventStore(
            dynamodb_client(proxy.endpoint_url), events_table="events", states_table="states"
        )
        found = store.load((account_key("a"), account_key("b")))
        assert {one.id: one.version for one in found} == {"a": 7, "b": 7}
        store.append(acceptance(found, paying("p", ("a", "b", 5)))[0])
        asked = server.tally()
        assert asked.pop("bytes") > 0
        assert (
            asked == proxy.take() == {"BatchGetItem": 1, "TransactWriteItems": 1, "write_units": 6}
        )
        assert server.tally() == {}


@pytest.mark.parametrize(
    ("case", "accounts"),
    [(Case("x", 33, 33, 33), 66), (Case("x", 49, 1, 49), 50), (Case("x", 98, 1, 1), 2)],
)
def test_a_case_has_as_many_accounts_as_it_says(case: Case, accounts: int) -> None:
    """Its commands are well-formed, have ids of the usual length, and share what they are to."""
    commands = [decode_command(body) for body in case.bodies(1)]
    postings = [one.postings[0] for one in commands]  # type: ignore[union-attr]
    assert len(commands) == len({one.id for one in commands}) == case.group
    assert len({side for one in postings for side in (one.source, one.destination)}) == accounts
    assert {len(one.source) for one in postings} == {36}


def test_a_workload_says_what_must_come_of_it() -> None:
    """Nothing is made or lost, and no account is in two payments of a group."""
    workload = make(7, groups=3, size=10, accounts=40, warm_up=2)
    assert sum(workload.balances().values()) == 0
    assert workload.payments == 30
    for group in (*workload.warm_up, *workload.timed):
        assert len({side for one in group for side in (one.source, one.destination)}) == 20
    assert make(7, groups=3, size=10, accounts=40, warm_up=2) == workload
