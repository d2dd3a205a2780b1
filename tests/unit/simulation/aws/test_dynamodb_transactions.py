"""Transactions of the simulated DynamoDB: one after the other in effect, and told why not."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from simulation.aws.calls import READ_TIMEOUT
from simulation.aws.dynamodb.table import Change
from simulation.aws.dynamodb.transactions import REMEMBERED
from simulation.aws.errors import ServiceError
from simulation.faults.kinds import Fault
from simulation.kernel.hub import MILLISECOND, SECOND
from simulation.wiring.model import Table
from tests.support.simulated_dynamodb import SimulatedWorld

TABLE = Table("t", "pk")
KEYS = ("a", "b", "c", "d")
FUNDS = 100
FAULTS = {
    Fault.TABLE_THROTTLED: 0.05,
    Fault.PARTITION_THROTTLED: 0.05,
    Fault.TRANSACTION_CONFLICT: 0.05,
    Fault.TORN_READ: 0.2,
    Fault.KEYS_UNPROCESSED: 0.05,
    Fault.CALL_ANSWER_LOST: 0.05,
    Fault.CALL_SLOW: 0.1,
}

transfers = st.lists(
    st.tuples(
        st.lists(st.sampled_from(KEYS), min_size=2, max_size=4, unique=True),
        st.integers(1, 30),
        st.integers(0, 20),
    ),
    min_size=1,
    max_size=12,
)


def _item(key: str, **numbers: int) -> dict[str, Any]:
    return {"pk": {"S": key}, **{name: {"N": str(one)} for name, one in numbers.items()}}


def _put(key: str, *, expected: int | None = None, **numbers: int) -> dict[str, Any]:
    """A put that expects that version; anything, if none is given."""
    put: dict[str, Any] = {
        "TableName": "t",
        "Item": _item(key, **numbers),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if expected is not None:
        put["ConditionExpression"] = "version = :v"
        put["ExpressionAttributeValues"] = {":v": {"N": str(expected)}}
    return {"Put": put}


def _world(seed: int = 1, **rates: float) -> SimulatedWorld:
    named = {Fault[name]: rate for name, rate in rates.items()}
    return SimulatedWorld(seed=seed, rates=named, tables=[TABLE])


def _codes(error: ClientError) -> list[str]:
    response: Any = error.response
    return [reason["Code"] for reason in response.get("CancellationReasons", ())]


def _numbers(item: Any) -> dict[str, int]:
    return {name: int(value["N"]) for name, value in item.items() if name != "pk"}


@given(plan=transfers, seed=st.integers(0, 1000), faulty=st.booleans())
def test_concurrent_transactions_are_serialisable(
    plan: list[tuple[list[str], int, int]], seed: int, faulty: bool
) -> None:
    """Workers move funds round several accounts, each on the versions that it read, torn reads and
    lost answers among them: every commit rests on what was there when it took effect. So versions
    are dense, funds are conserved, and the changes in their order make the final table."""
    world = SimulatedWorld(seed=seed, rates=FAULTS if faulty else {}, tables=[TABLE])
    world.dynamodb.load("t", [_item(key, version=0, funds=FUNDS) for key in KEYS])
    commits: list[list[Change]] = []
    world.dynamodb.observers.append(lambda changes: commits.append(list(changes)))

    def transfer(one: tuple[list[str], int, int]) -> bool:
        keys, amount, delay = one
        world.pause(delay / 1000)
        keys_asked: Any = {"t": {"Keys": [{"pk": {"S": key}} for key in keys]}}
        keys_asked["t"]["ConsistentRead"] = True
        try:
            found = world.ask("batch_get_item", RequestItems=keys_asked)["Responses"]["t"]
            state = {item["pk"]["S"]: _numbers(item) for item in found}
            if len(state) < len(keys):
                return False
            moved = [amount * (len(keys) - 1), *[-amount] * (len(keys) - 1)]
            actions = [
                _put(
                    key,
                    expected=state[key]["version"],
                    version=state[key]["version"] + 1,
                    funds=state[key]["funds"] + more,
                )
                for key, more in zip(keys, moved, strict=True)
            ]
            world.ask("transact_write_items", TransactItems=actions)
        except ClientError:
            return False
        return True

    told = world.at_once(transfer, plan)

    table = {key[0]: _numbers(item) for key, item in world.dynamodb.peek("t").items()}
    assert sum(item["funds"] for item in table.values()) == FUNDS * len(KEYS)
    replayed = {key: {"version": 0, "funds": FUNDS} for key in KEYS}
    for changes in commits:
        assert sum(_numbers(c.new)["funds"] - _numbers(c.old)["funds"] for c in changes) == 0
        for change in changes:
            assert _numbers(change.old) == replayed[change.key[0]]
            assert _numbers(change.new)["version"] == replayed[change.key[0]]["version"] + 1
            replayed[change.key[0]] = _numbers(change.new)
    assert replayed == table
    assert sum(told) <= len(commits)


def test_what_meets_a_transaction_is_told_of_it() -> None:
    """Another transaction at the place of the item, and a single write; a read is not, and sees
    what was there before."""
    world = _world()
    operations = world.dynamodb.operations
    world.ask("put_item", TableName="t", Item={"pk": {"S": "a"}, "version": {"N": "1"}})
    doing: Any = operations["transact_write_items"]({"TransactItems": [_put("a", expected=1)]})
    assert next(doing) >= MILLISECOND

    with pytest.raises(ClientError) as refused:
        world.ask("transact_write_items", TransactItems=[_put("b"), _put("a")])
    assert _codes(refused.value) == ["None", "TransactionConflict"]
    with pytest.raises(ClientError, match="TransactionConflictException"):
        world.ask("put_item", TableName="t", Item={"pk": {"S": "a"}})
    batch: Any = {"t": [{"PutRequest": {"Item": {"pk": {"S": key}}}} for key in "ac"]}
    answer = world.ask("batch_write_item", RequestItems=batch)
    assert answer["UnprocessedItems"] == {"t": batch["t"][:1]}
    assert world.ask("get_item", TableName="t", Key={"pk": {"S": "a"}}, ConsistentRead=True)[
        "Item"
    ] == {"pk": {"S": "a"}, "version": {"N": "1"}}

    with pytest.raises(StopIteration):
        next(doing)
    assert world.dynamodb.peek("t")[("a",)] == {"pk": {"S": "a"}}
    world.ask("put_item", TableName="t", Item={"pk": {"S": "a"}})
    assert world.injector.occurred[Fault.TRANSACTION_CONFLICT] == 2


def test_a_slow_transaction_is_in_progress_when_its_client_asks_again() -> None:
    """Whoever waits no longer sends it again under its token, is told that it is under way, and in
    the end that it took effect: once."""
    world = _world(TRANSACTION_SLOW=1.0)
    met: Counter[str] = Counter()
    told: list[object] = []
    world.dynamodb.observers.append(told.append)
    transact = world.dynamodb.operations["transact_write_items"]
    for number in range(20):
        request: dict[str, Any] = {
            "TransactItems": [_put(f"a{number}")],
            "ClientRequestToken": f"{number}",
        }
        doing: Any = transact(request)
        duration = next(doing)
        assert SECOND <= duration <= 5 * SECOND
        met["longer than a client waits"] += duration > READ_TIMEOUT
        with pytest.raises(ServiceError, match="TransactionInProgressException"):
            next(iter(cast("Any", transact(request))))
        with pytest.raises(StopIteration):
            next(doing)
    assert len(told) == 20
    assert 0 < met["longer than a client waits"] < 20


def test_of_a_conflict_other_reasons_may_be_told_as_well() -> None:
    """A condition that fails beside a conflict is told of sometimes, and sometimes is not."""
    seen = set()
    for seed in range(20):
        world = _world(seed)
        doing: Any = world.dynamodb.operations["transact_write_items"](
            {"TransactItems": [_put("a")]}
        )
        next(doing)
        with pytest.raises(ClientError) as refused:
            world.ask("transact_write_items", TransactItems=[_put("b", expected=9), _put("a")])
        seen.add(tuple(_codes(refused.value)))
    assert seen == {
        ("None", "TransactionConflict"),
        ("ConditionalCheckFailed", "TransactionConflict"),
    }


def test_a_token_is_remembered_for_ten_minutes() -> None:
    """While it is under way, the same is told so; then it is answered as before, without effect;
    after ten minutes it is another transaction."""
    world = _world()
    transact = world.dynamodb.operations["transact_write_items"]
    request: dict[str, Any] = {"TransactItems": [_put("a", n=1)], "ClientRequestToken": "x"}
    doing: Any = transact(dict(request))
    next(doing)
    with pytest.raises(ClientError, match="TransactionInProgressException"):
        world.ask("transact_write_items", **request)
    with pytest.raises(StopIteration):
        next(doing)
    world.ask("put_item", TableName="t", Item={"pk": {"S": "a"}, "n": {"N": "2"}})
    answer = world.ask("transact_write_items", **request, ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"][0]["ReadCapacityUnits"] == 2
    with pytest.raises(ClientError, match="IdempotentParameterMismatchException"):
        world.ask("transact_write_items", TransactItems=[_put("b")], ClientRequestToken="x")
    assert world.dynamodb.peek("t")[("a",)]["n"] == {"N": "2"}
    world.pause(REMEMBERED / SECOND)
    world.ask("transact_write_items", **request)
    assert world.dynamodb.peek("t")[("a",)]["n"] == {"N": "1"}


def test_all_tries_of_one_call_share_a_token() -> None:
    """So what the SDK sends again after a lost answer takes effect once."""
    world = _world(CALL_ANSWER_LOST=0.5)
    told: list[object] = []
    world.dynamodb.observers.append(told.append)
    for number in range(20):
        world.ask("transact_write_items", attempts=20, TransactItems=[_put(f"a{number}")])
    assert len(told) == len(world.dynamodb.peek("t")) == 20
    assert world.injector.occurred[Fault.CALL_ANSWER_LOST] > 0


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (
            "TABLE_THROTTLED",
            {("ThrottlingException",), ("ThrottlingError", "ThrottlingError")},
        ),
        (
            "PARTITION_THROTTLED",
            {
                (code, "None")[::step]
                for code in ("ThrottlingError", "ProvisionedThroughputExceeded")
                for step in (1, -1)
            },
        ),
        (
            "TRANSACTION_CONFLICT",
            {("TransactionConflict", "None"), ("None", "TransactionConflict")},
        ),
    ],
)
def test_refusals_have_all_their_shapes(fault: str, told: set[tuple[str, ...]]) -> None:
    """A throttled table refuses all of a transaction, in either of two ways; a throttled partition
    and a conflict one place of it. Nothing is written."""
    world = SimulatedWorld(rates={Fault[fault]: 1.0}, tables=[TABLE])
    seen = set()
    for _ in range(60):
        with pytest.raises(ClientError) as refused:
            world.ask("transact_write_items", TransactItems=[_put("a"), _put("b")])
        seen.add(tuple(_codes(refused.value)) or (refused.value.response["Error"]["Code"],))
    assert seen == told
    assert not world.dynamodb.peek("t")


def test_changes_of_a_transaction_are_told_together() -> None:
    """With what was there before; checks are no changes."""
    world = _world()
    world.ask("put_item", TableName="t", Item={"pk": {"S": "a"}})
    told: list[list[Change]] = []
    world.dynamodb.observers.append(lambda changes: told.append(list(changes)))
    check = {"TableName": "t", "Key": {"pk": {"S": "c"}}}
    check["ConditionExpression"] = "attribute_not_exists(pk)"
    world.ask(
        "transact_write_items",
        TransactItems=[_put("a", n=1), {"ConditionCheck": check}, _put("b")],
    )
    a, b = {"pk": {"S": "a"}}, {"pk": {"S": "b"}}
    assert told == [[Change("t", ("a",), a, {**a, "n": {"N": "1"}}), Change("t", ("b",), None, b)]]


def test_a_run_of_a_seed_is_repeated_exactly() -> None:
    """The same seed makes the same faults at the same instants, and the same table."""

    def run() -> tuple[str, int, dict[Any, Any]]:
        world = SimulatedWorld(seed=5, rates=FAULTS, tables=[TABLE])

        def write(number: int) -> None:
            for key in KEYS:
                try:
                    world.ask(
                        "transact_write_items", TransactItems=[_put(key, n=number), _put("z")]
                    )
                except ClientError:
                    world.trace.add("test", "refused", key)

        world.at_once(write, range(10))
        return world.trace.digest, world.hub.now, dict(world.dynamodb.peek("t"))

    first, second = run(), run()
    assert first == second
