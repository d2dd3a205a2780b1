"""Reads of the simulated DynamoDB: how old they may be, what they leave out, where they stop."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from simulation.aws.dynamodb.past import STALE_MAX
from simulation.faults.kinds import Fault
from simulation.kernel.hub import SECOND
from simulation.wiring.model import Index, Table
from tests.support.simulated_dynamodb import SimulatedWorld

INDEX = Index("by_day", "listed", "day", ())
TABLE = Table("t", "pk", indexes=(INDEX,))
ROWS = Table("rows", "pk", "sk")


def _world(seed: int = 1, **rates: float) -> SimulatedWorld:
    named = {Fault[name]: rate for name, rate in rates.items()}
    return SimulatedWorld(seed=seed, rates=named, tables=[TABLE, ROWS])


def _write(world: SimulatedWorld, key: str, day: str, **more: Any) -> None:
    item = {"pk": {"S": key}, "listed": {"S": "x"}, "day": {"S": day}, **more}
    world.ask("put_item", TableName="t", Item=item)


def _days(world: SimulatedWorld) -> list[str]:
    """What the index lists, key and day."""
    answer = world.ask(
        "query",
        TableName="t",
        IndexName="by_day",
        KeyConditionExpression="listed = :x",
        ExpressionAttributeValues={":x": {"S": "x"}},
    )
    return [item["pk"]["S"] + item["day"]["S"] for item in answer["Items"]]


def _get(world: SimulatedWorld, key: str, **how: Any) -> str | None:
    answer = world.ask("get_item", TableName="t", Key={"pk": {"S": key}}, **how)
    return answer["Item"]["day"]["S"] if "Item" in answer else None


@given(
    writes=st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("123-"), st.integers(0, 8)), max_size=20
    ),
    seed=st.integers(0, 100),
)
def test_an_index_follows_in_the_order_of_an_item(
    writes: list[tuple[str, str, int]], seed: int
) -> None:
    """However late its changes come and whoever is overtaken, the index ends as the table does;
    and on the way it has had of each item only what that was, in that order."""
    world = _world(seed, INDEX_LATE=0.5)
    written: dict[str, list[str | None]] = {key: [None] for key in "abc"}
    seen: dict[str, list[str | None]] = {key: [None] for key in "abc"}
    for key, day, seconds in writes:
        if day == "-":
            world.ask("delete_item", TableName="t", Key={"pk": {"S": key}})
        else:
            _write(world, key, day)
        written[key].append(None if day == "-" else day)
        world.pause(seconds)
        listed = {one[0]: one[1] for one in _days(world)}
        for name, so_far in seen.items():
            so_far.append(listed.get(name))
    world.pause(250)
    assert sorted(_days(world)) == sorted(
        item["pk"]["S"] + item["day"]["S"] for item in world.dynamodb.peek("t").values()
    )
    for key, days in seen.items():
        left = iter(written[key])
        current: str | None = None
        for then in days:
            while current != then:
                current = next(left)  # raises if it was never so, or not in this order


def test_few_changes_reach_an_index_after_minutes() -> None:
    """The most within seconds, all within four minutes."""
    world = _world(INDEX_LATE=1.0)
    for number in range(200):
        _write(world, f"k{number}", "1")
    world.pause(6)
    missing = 200 - len(_days(world))
    assert 0 < missing < 40
    world.pause(234)
    assert len(_days(world)) == 200


def test_stale_reads_are_of_the_last_two_seconds() -> None:
    """A read that need not be consistent sees what was there at some moment of the last two
    seconds, and never anything older; a consistent one sees what is there."""
    world = _world(STALE_READ=1.0)
    for day in range(30):
        _write(world, "a", f"{day:02}")
        world.pause(0.3)
    seen = set()
    moment = world.hub.now
    for _ in range(100):
        world.hub.now = moment
        assert _get(world, "a", ConsistentRead=True) == "29"
        seen.add(_get(world, "a"))
        seen.update(one[1:] for one in _days(world))
    assert 1 < len(seen) <= 9
    assert {str(day) for day in (28, 29)} <= seen
    world.pause(STALE_MAX / SECOND)
    assert (_get(world, "a"), _days(world)) == ("29", ["a29"])


def test_an_index_that_nobody_read_is_not_old() -> None:
    """A stale read of an index is of the last two seconds too, whenever it was last looked at."""
    world = _world(STALE_READ=1.0)
    for day in range(30):
        _write(world, "a", f"{day:02}")
        world.pause(60)
    assert _days(world) == ["a29"]


def test_a_batch_may_be_stale() -> None:
    """Unless it is consistent: each item by itself is of some moment of the last two seconds."""
    world = _world(STALE_READ=1.0)
    for day in range(8):
        for key in "ab":
            _write(world, key, str(day))
        world.pause(0.3)
    keys = [{"pk": {"S": key}} for key in "ab"]
    seen: set[tuple[str, ...]] = set()
    moment = world.hub.now
    for _ in range(60):
        world.hub.now = moment
        for how, found in ((True, None), (False, seen)):
            asked = {"t": {"Keys": keys, "ConsistentRead": how}}
            items = world.ask("batch_get_item", RequestItems=asked)["Responses"]["t"]
            days = tuple(
                item["day"]["S"] for item in sorted(items, key=lambda one: str(one["pk"]["S"]))
            )
            if found is None:
                assert days == ("7", "7")
            else:
                found.add(days)
    assert {days[0] == days[1] for days in seen} == {True, False}
    assert "0" not in {day for days in seen for day in days}


def test_a_torn_read_sees_a_transaction_in_part() -> None:
    """Some items of one batch as they were before, and some as they were after."""
    seen = set()
    for seed in range(40):
        world = _world(seed, TORN_READ=1.0)
        keys = [{"pk": {"S": key}} for key in "ab"]

        def read(_: int, world: SimulatedWorld = world, keys: Any = keys) -> str:
            world.pause(0.004)
            answer = world.ask(
                "batch_get_item", RequestItems={"t": {"Keys": keys, "ConsistentRead": True}}
            )
            return "".join(sorted(item["pk"]["S"] for item in answer["Responses"]["t"]))

        def write(_: int, world: SimulatedWorld = world, keys: Any = keys) -> str:
            puts = [{"Put": {"TableName": "t", "Item": key}} for key in keys]
            world.ask("transact_write_items", TransactItems=puts)
            return ""

        seen.update(world.at_once(lambda one, r=read, w=write: (r, w)[one](one), (0, 1)))  # type: ignore[misc]
    assert seen == {"", "a", "b", "ab"}


def test_unprocessed_keys_are_those_that_are_missing() -> None:
    """What was left out can be asked for again, and then all is there, once each."""
    world = _world(KEYS_UNPROCESSED=0.4)
    for number in range(40):
        _write(world, f"k{number}", "1")
    left: Any = {
        "t": {"Keys": [{"pk": {"S": f"k{number}"}} for number in range(41)], "ConsistentRead": True}
    }
    found: list[str] = []
    rounds = 0
    while left:
        answer = world.ask("batch_get_item", RequestItems=left)
        found += [item["pk"]["S"] for item in answer["Responses"]["t"]]
        left = answer["UnprocessedKeys"]
        rounds += 1
    assert sorted(found) == sorted(f"k{number}" for number in range(40))
    assert rounds > 1


@pytest.mark.parametrize("forward", [True, False])
def test_small_pages_lose_nothing(forward: bool) -> None:
    """A page that ends early says where to go on."""
    world = _world(SMALL_PAGE=0.8)
    for number in range(50):
        item = {"pk": {"S": "a"}, "sk": {"N": str(number)}, "x": {"S": "y"}}
        world.ask("put_item", TableName="rows", Item=item)
    asked: Any = {
        "TableName": "rows",
        "KeyConditionExpression": "pk = :a",
        "ExpressionAttributeValues": {":a": {"S": "a"}},
        "ScanIndexForward": forward,
        "ProjectionExpression": "sk",
    }
    found: list[int] = []
    pages = 0
    while True:
        answer = world.ask("query", **asked)
        found += [int(item["sk"]["N"]) for item in answer["Items"]]
        pages += 1
        if "LastEvaluatedKey" not in answer:
            break
        asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    assert found == sorted(range(50), reverse=not forward)
    assert pages > 1


@given(
    numbers=st.lists(st.integers(-20, 20), unique=True),
    low=st.integers(-25, 25),
    high=st.integers(-25, 25),
    operator=st.sampled_from(["=", "<", "<=", ">", ">=", "BETWEEN"]),
)
def test_ranges_mean_what_they_say(numbers: list[int], low: int, high: int, operator: str) -> None:
    """Each comparison of a sort key finds the rows for which it holds, in order."""
    world = _world()
    world.dynamodb.load(
        "rows", [{"pk": {"S": "a"}, "sk": {"N": str(number)}} for number in numbers]
    )
    values: Any = {":a": {"S": "a"}, ":low": {"N": str(low)}}
    text = f"pk = :a AND sk {operator} :low"
    if operator == "BETWEEN":
        low, high = min(low, high), max(low, high)
        values |= {":low": {"N": str(low)}, ":high": {"N": str(high)}}
        text += " AND :high"
    found = world.ask(
        "query", TableName="rows", KeyConditionExpression=text, ExpressionAttributeValues=values
    )["Items"]
    holds = {
        "=": lambda one: one == low,
        "<": lambda one: one < low,
        "<=": lambda one: one <= low,
        ">": lambda one: one > low,
        ">=": lambda one: one >= low,
        "BETWEEN": lambda one: low <= one <= high,
    }[operator]
    assert [int(item["sk"]["N"]) for item in found] == sorted(filter(holds, numbers))


@pytest.mark.parametrize("operation", ["get_item", "query", "scan", "batch_get_item"])
def test_reads_are_throttled(operation: str) -> None:
    """As DynamoDB says it outside of transactions."""
    world = _world(TABLE_THROTTLED=1.0)
    requests: dict[str, Any] = {
        "get_item": {"TableName": "t", "Key": {"pk": {"S": "a"}}},
        "query": {
            "TableName": "t",
            "KeyConditionExpression": "pk = :a",
            "ExpressionAttributeValues": {":a": {"S": "a"}},
        },
        "scan": {"TableName": "t"},
        "batch_get_item": {
            "RequestItems": {"t": {"Keys": [{"pk": {"S": "a"}}], "ConsistentRead": True}}
        },
    }
    with pytest.raises(ClientError, match="ProvisionedThroughputExceededException"):
        world.ask(operation, **requests[operation])


def test_what_is_read_may_be_changed_by_its_reader() -> None:
    """Nothing that a caller does to an answer, or to what it sent, changes what is stored."""
    world = _world()
    sent: Any = {"pk": {"S": "a"}, "m": {"M": {"x": {"L": [{"N": "1"}]}}}, "s": {"SS": ["p"]}}
    world.ask("put_item", TableName="t", Item=sent)
    sent["m"]["M"]["x"]["L"].append({"N": "2"})
    got: Any = None
    for _ in range(2):
        got = world.ask("get_item", TableName="t", Key={"pk": {"S": "a"}})["Item"]
        assert got["m"] == {"M": {"x": {"L": [{"N": "1"}]}}}
        got["m"]["M"]["x"]["L"][0]["N"] = "9"
        got["s"]["SS"].append("q")
    assert got["s"] == {"SS": ["p", "q"]}
    assert world.dynamodb.peek("t")[("a",)]["s"] == {"SS": ["p"]}
