"""Writes of the simulated DynamoDB, what an operator may do to its tables, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from simulation.aws.dynamodb.items import bytes_of, copied, taken
from simulation.aws.dynamodb.table import Change
from simulation.faults.kinds import Fault
from simulation.kernel.hub import SECOND
from simulation.wiring.model import Index, Table
from tests.support.items import item_bytes
from tests.support.simulated_dynamodb import NOON, SimulatedWorld

TABLE = Table("t", "pk", indexes=(Index("i", "listed", "day"),), streamed=True)
EXPIRING = Table("e", "pk", expires_by="expires_at", streamed=True)
HOUR = 3600


def _world(**rates: float) -> SimulatedWorld:
    named = {Fault[name]: rate for name, rate in rates.items()}
    return SimulatedWorld(rates=named, tables=[TABLE, EXPIRING])


def _put(world: SimulatedWorld, key: str, table: str = "t", **more: Any) -> None:
    world.ask("put_item", TableName=table, Item={"pk": {"S": key}, **more})


texts = st.text(st.characters(codec="utf-8"), max_size=20)
attributes = st.one_of(
    st.builds(lambda text: {"S": text}, texts),
    st.builds(lambda number: {"N": str(number)}, st.integers(-(10**37), 10**37)),
    st.builds(lambda content: {"B": content}, st.binary(max_size=20)),
    st.builds(lambda members: {"SS": sorted(members)}, st.sets(texts, min_size=1, max_size=4)),
)


@given(st.dictionaries(texts, attributes, max_size=6))
def test_sizes_are_dynamodbs(item: dict[str, Any]) -> None:
    """As its guide counts them; and what is kept is what was sent, but for the order of sets."""
    kept, size = taken(item)
    assert size == item_bytes(item)
    assert {
        name: {"SS": sorted(value["SS"])} if "SS" in value else value
        for name, value in kept.items()
    } == item


@given(st.dictionaries(texts, attributes, max_size=6), st.sets(texts, max_size=6))
def test_some_attributes_have_their_share_of_the_size(item: dict[str, Any], some: set[str]) -> None:
    """What an update touches and what it leaves as it was make up the item; what is not there
    takes nothing."""
    kept, size = taken(item)
    chosen = [*some, *list(kept)[::2]]
    others = kept.keys() - set(chosen)
    assert bytes_of(kept, dict.fromkeys(chosen)) + bytes_of(kept, others) == size


def test_whoever_reads_an_item_may_change_it() -> None:
    """What it is made of, however deep inside, is not what is kept."""
    members = {"L": [{"M": {"a": {"S": "x"}}}]}
    kept: dict[str, Any] = {"pk": {"S": "k"}, "members": members, "tags": {"SS": ["t"]}}
    read = copied(kept)
    assert read == kept
    read["members"]["L"][0]["M"]["a"] = {"S": "y"}
    read["members"]["L"].append({"S": "z"})
    read["tags"]["SS"].clear()
    read["pk"] = {"S": "other"}
    assert kept == {"pk": {"S": "k"}, "members": members, "tags": {"SS": ["t"]}}
    assert members == {"L": [{"M": {"a": {"S": "x"}}}]}


def test_unprocessed_items_were_not_written() -> None:
    """What a batch left out it names; all else is there."""
    world = _world(ITEMS_UNPROCESSED=0.4)
    batch = [{"PutRequest": {"Item": {"pk": {"S": f"k{number}"}}}} for number in range(25)]
    left = world.ask("batch_write_item", RequestItems={"t": batch})["UnprocessedItems"]["t"]
    written = [request for request in batch if request not in left]
    assert 0 < len(left) < 25
    assert sorted(world.dynamodb.peek("t")) == sorted(
        (request["PutRequest"]["Item"]["pk"]["S"],) for request in written
    )


@pytest.mark.parametrize("fault", ["TABLE_THROTTLED", "PARTITION_THROTTLED"])
def test_a_throttled_write_does_nothing(fault: str) -> None:
    """As DynamoDB says it outside of transactions."""
    world = _world(**{fault: 1.0})
    with pytest.raises(ClientError, match="ProvisionedThroughputExceededException"):
        _put(world, "a")
    assert not world.dynamodb.peek("t")


def test_a_lost_table_comes_back_without_a_word() -> None:
    """What was wiped is in no index; what was loaded is, at once; no stream or observer is told."""
    world = _world()
    _put(world, "a", listed={"S": "x"}, day={"S": "1"})
    world.pause(1)
    told: list[object] = []
    world.dynamodb.observers.append(told.append)
    snapshot = list(world.dynamodb.peek("t").values())
    before = [shard.end for shard in world.dynamodb.streams["t"].shards]

    def listed() -> list[Any]:
        answer = world.ask(
            "query",
            TableName="t",
            IndexName="i",
            KeyConditionExpression="listed = :x",
            ExpressionAttributeValues={":x": {"S": "x"}},
        )
        return list(answer["Items"])

    world.dynamodb.wipe("t")
    assert (dict(world.dynamodb.peek("t")), listed()) == ({}, [])
    world.dynamodb.load("t", snapshot)
    assert listed() == snapshot == list(world.dynamodb.peek("t").values())
    world.pause(1)
    assert [shard.end for shard in world.dynamodb.streams["t"].shards] == before
    assert told == []


def test_items_expire_late() -> None:
    """What is past its time is there for up to an hour more, then it is deleted, and the stream
    tells; what was prolonged meanwhile stays."""
    world = _world()
    soon = {"N": str(NOON // SECOND + 10)}
    for key in ("a", "b"):
        _put(world, key, "e", expires_at=soon)
    _put(world, "b", "e", expires_at={"N": str(NOON // SECOND + 9 * HOUR)})
    world.pause(60)
    assert sorted(world.dynamodb.peek("e")) == [("a",), ("b",)]
    told: list[Change] = []
    world.dynamodb.observers.append(told.extend)
    world.pause(2 * HOUR)
    assert [(change.key, change.new) for change in told] == [(("a",), None)]
    assert sorted(world.dynamodb.peek("e")) == [("b",)]


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("put_item", {"Item": {"pk": {"S": "a"}}, "ReturnValues": "ALL_OLD"}),
    ("put_item", {"Item": {"pk": {"S": "a"}}, "ConditionExpression": "size(pk)"}),
    ("put_item", {"Item": {"pk": {"S": "a"}}, "ConditionExpression": "pk <> :a"}),
    ("put_item", {"Item": {"pk": {"S": "a"}}, "ConditionExpression": "pk IN (:a)"}),
    ("put_item", {"Item": {"pk": {"S": "a"}}, "ConditionExpression": "a.b = :a"}),
    ("put_item", {"Item": {"pk": {"S": "a"}}, "ConditionExpression": "begins_with(pk, :a)"}),
    ("put_item", {"Item": {"pk": {"S": "a"}, "x": {"Q": "?"}}}),
    ("update_item", {"Key": {"pk": {"S": "a"}}, "UpdateExpression": "ADD n :a"}),
    ("update_item", {"Key": {"pk": {"S": "a"}}, "UpdateExpression": "SET n = n + :a"}),
    ("update_item", {"Key": {"pk": {"S": "a"}}, "UpdateExpression": "SET n = :a + :b"}),
    ("query", {"KeyConditionExpression": "pk = :a", "Select": "COUNT"}),
    ("query", {"KeyConditionExpression": "begins_with(pk, :a)"}),
    ("get_item", {"Key": {"pk": {"S": "a"}}, "AttributesToGet": ["pk"]}),
    ("scan", {"Segment": 1}),
]


@pytest.mark.parametrize(("operation", "request_"), REFUSED)
def test_what_is_not_simulated_is_never_ignored(operation: str, request_: dict[str, Any]) -> None:
    """A parameter, an expression or a type that nothing of ours uses stops the run by its name."""
    world = _world()
    with pytest.raises(NotImplementedError):
        world.ask(operation, TableName="t", **request_)


def test_an_unknown_operation_is_named() -> None:
    """So that it is added, with a check."""
    with pytest.raises(NotImplementedError, match=r"dynamodb\.transact_get_items"):
        _world().ask("transact_get_items", TransactItems=[])


@pytest.mark.parametrize(
    "text",
    ["", "pk", "pk =", "= :v", "(pk = :v", "pk = :v)", "pk = :v AND", "NOT", "pk = :v :v", "a ! b"],
)
def test_a_condition_that_is_none_is_refused(text: str) -> None:
    """As a mistake of the caller's, at once."""
    world = _world()
    expected = (ClientError, NotImplementedError)
    with pytest.raises(expected):
        world.ask(
            "put_item",
            TableName="t",
            Item={"pk": {"S": "a"}},
            ConditionExpression=text,
            ExpressionAttributeValues={":v": {"S": "x"}},
        )
    assert not world.dynamodb.peek("t")


def test_a_table_that_is_not_there() -> None:
    """Is refused by DynamoDB's code."""
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        _put(_world(), "a", "missing")
