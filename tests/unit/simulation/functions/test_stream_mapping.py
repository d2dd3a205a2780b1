"""A mapping from a stream: order, checkpoints, splitting, and the failure bucket."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Any

import pytest

from simulation.faults.kinds import Fault
from simulation.functions.mappings import StreamMapping
from simulation.kernel.hub import SECOND
from simulation.wiring import model
from tests.unit.simulation.functions.small_world import NOON, SmallWorld

Judge = Callable[[list[dict[str, Any]]], Any]


class Shard:
    """A shard that has what was put into it."""

    def __init__(self, number: int) -> None:
        self.id = f"shardId-{number}"
        self.records: list[dict[str, Any]] = []
        self._callbacks: list[Callable[[], object]] = []

    def read(self, after: int, limit: int) -> tuple[Sequence[dict[str, Any]], int]:
        records = self.records[after : after + limit]
        return records, after + len(records)

    def subscribe(self, callback: Callable[[], object]) -> None:
        self._callbacks.append(callback)

    def put(self, record: dict[str, Any]) -> None:
        self.records.append(record)
        for callback in self._callbacks:
            callback()


class Stream:
    """Two shards."""

    arn = "arn:aws:dynamodb:::table/t/stream/1"

    def __init__(self) -> None:
        self.shards = [Shard(0), Shard(1)]


class Mapped:
    """A stream, and a function that answers what `judge` says of the records it was handed."""

    def __init__(self, judge: Judge, **spec: Any) -> None:
        self.world = SmallWorld(spec.pop("rates", None))
        self.stream = Stream()
        self.bucket: dict[str, bytes] = {}
        self.handed: list[list[str]] = []
        self._judge = judge
        self._puts = 0
        self.function = self.world.function(lambda event, _: self._handle(event["Records"]))
        spec = {
            "batch": 100,
            "window_seconds": 0,
            "parallel": 1,
            "bisect": True,
            "partial": True,
            "retries": 3,
            "age_seconds": 3_600,
            **spec,
        }
        self.mapping = StreamMapping(
            self.world.platform,
            model.StreamMapping(function="F", table="t", failures="bucket", **spec),
            self.function,
            self.stream,
            self,
        )

    def _handle(self, records: list[dict[str, Any]]) -> Any:
        self.handed.append([_key(record) for record in records])
        return self._judge(records)

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """See Buckets."""
        assert bucket == "bucket"
        self.bucket[key] = body

    def write(self, *keys: str, shard: int = 0) -> None:
        """Items change, in this order."""
        for key in keys:
            self._puts += 1
            change = {
                "Keys": {"pk": {"S": key}},
                "SequenceNumber": str(self._puts),
                "ApproximateCreationDateTime": self.world.hub.now // SECOND,
            }
            self.stream.shards[shard].put({"eventName": "INSERT", "dynamodb": change})

    def run(self, seconds: float) -> None:
        """Time passes."""
        self.world.hub.run(until=self.world.hub.now + int(seconds * SECOND))

    def given_up(self) -> list[tuple[str, list[str]]]:
        """Condition and keys of what is in the bucket, the first first."""
        objects = [json.loads(body) for body in self.bucket.values()]
        return [
            (
                found["requestContext"]["condition"],
                [_key(record) for record in json.loads(found["payload"])["Records"]],
            )
            for found in objects
        ]


def _key(record: dict[str, Any]) -> str:
    return str(record["dynamodb"]["Keys"]["pk"]["S"])


def _failing(poison: Collection[str]) -> Judge:
    """Names the records of these keys."""

    def judge(records: list[dict[str, Any]]) -> Any:
        return {
            "batchItemFailures": [
                {"itemIdentifier": record["dynamodb"]["SequenceNumber"]}
                for record in reversed(records)
                if _key(record) in poison
            ]
        }

    return judge


def _raising(*poison: str) -> Judge:
    def judge(records: list[dict[str, Any]]) -> Any:
        if any(_key(record) in poison for record in records):
            raise KeyError

    return judge


def test_records_are_handed_over_once_and_in_order() -> None:
    """Where nothing fails: each shard's in its own order, those that wait together."""
    mapped = Mapped(lambda _: None)
    mapped.write("a", "b", "a")
    mapped.write("c", shard=1)
    mapped.run(1)
    mapped.write("a")
    mapped.run(1)
    assert sorted(mapped.handed) == [["a"], ["a", "b", "a"], ["c"]]
    assert mapped.mapping.backlog == 0


def test_after_a_failure_it_goes_on_from_the_lowest_record_named() -> None:
    """Everything from there on is handed over again, nothing before it."""
    poison = {"b", "d"}
    mapped = Mapped(_failing(poison))
    mapped.write("a", "b", "c", "d", "e")
    mapped.run(1)
    poison.clear()
    mapped.run(60)
    assert mapped.handed[0] == ["a", "b", "c", "d", "e"]
    assert mapped.handed[1] == mapped.handed[-1] == ["b", "c", "d", "e"]
    assert mapped.world.batches[0] == (5, frozenset({1, 2, 3, 4}))
    assert mapped.world.batches[-1] == (4, frozenset())
    assert mapped.bucket == {}


def test_what_is_named_first_is_tried_again_as_often_as_allowed_then_given_up() -> None:
    """With all behind it in its batch: splitting is for where the function says, so at nothing."""
    mapped = Mapped(_failing({"b"}))
    mapped.write("a", "b", "c")
    mapped.run(1)
    mapped.write("d")
    mapped.run(600)
    assert mapped.handed == [["a", "b", "c"], *[["b", "c"]] * 4, ["d"]]
    assert mapped.given_up() == [("RetryAttemptsExhausted", ["b", "c"])]
    assert mapped.world.injector.occurred[Fault.STREAM_GIVEN_UP] == 1


def test_after_an_error_a_batch_is_halved_until_the_bad_record_is_alone() -> None:
    """Halving does not count towards the retries, and the first half goes first."""
    mapped = Mapped(_raising("c"))
    mapped.write("a", "b", "c", "d")
    mapped.run(600)
    assert mapped.handed == [
        ["a", "b", "c", "d"],
        ["a", "b"],
        ["c", "d"],
        *[["c"]] * 4,
        ["d"],
    ]
    assert mapped.given_up() == [("RetryAttemptsExhausted", ["c"])]
    assert mapped.world.injector.occurred[Fault.STREAM_BATCH_BISECTED] == 2


def test_without_bisect_a_batch_is_given_up_whole() -> None:
    """After its retries."""
    mapped = Mapped(_raising("b"), bisect=False)
    mapped.write("a", "b", "c")
    mapped.run(600)
    assert mapped.handed == [["a", "b", "c"]] * 4
    assert mapped.given_up() == [("RetryAttemptsExhausted", ["a", "b", "c"])]


def test_a_malformed_answer_fails_the_whole_batch() -> None:
    """A number that no record of the batch has, for one."""
    mapped = Mapped(lambda _: {"batchItemFailures": [{"itemIdentifier": "99"}]}, retries=0)
    mapped.write("a", "b")
    mapped.run(600)
    assert mapped.world.batches[0] == (2, None)
    assert [keys for _, keys in mapped.given_up()] == [["a"], ["b"]]


def test_what_is_too_old_is_given_up() -> None:
    """However many retries are left; what is younger goes on."""
    mapped = Mapped(_raising("a"), retries=10_000, age_seconds=600)
    mapped.write("a")
    mapped.run(300)
    mapped.write("b")
    mapped.run(1_000)
    assert mapped.given_up() == [("RecordAgeExceeded", ["a"])]
    assert mapped.handed[-1] == ["b"]


def test_throttling_counts_as_no_attempt() -> None:
    """Nothing has happened, however often it is."""
    mapped = Mapped(lambda _: None, retries=0)
    mapped.function.limit(0)
    mapped.write("a")
    mapped.run(600)
    assert (mapped.handed, mapped.bucket) == ([], {})
    mapped.function.limit(None)
    mapped.run(61)
    assert mapped.handed == [["a"]]


def test_an_item_keeps_its_order_in_several_lanes() -> None:
    """Some batches are under way at the same time, but never two with the same item."""
    world_rates = {
        Fault.CRASH_AFTER_CALL: 0.1,
        Fault.STREAM_BATCH_RETRIED: 0.2,
        Fault.FUNCTION_THROTTLED: 0.1,
    }
    mapped = Mapped(lambda _: None, parallel=4, batch=3, rates=world_rates)
    for number in range(300):
        mapped.write(f"item-{number % 7}", shard=number % 7 % 2)
    seen: dict[str, list[int]] = defaultdict(list)

    def remember(_: str, records: Sequence[Any], failed: frozenset[int] | None) -> None:
        for place, record in enumerate(records):
            if failed is not None and place not in failed:
                seen[_key(record)].append(int(record["dynamodb"]["SequenceNumber"]))

    mapped.world.platform.on_batch.append(remember)
    mapped.run(600)
    assert sum(map(len, seen.values())) >= 300
    for numbers in seen.values():
        assert sorted(set(numbers)) == list(dict.fromkeys(numbers))
    assert mapped.world.injector.occurred[Fault.STREAM_BATCH_RETRIED]


@pytest.mark.parametrize("count", [1, 5])
def test_the_bucket_has_what_lambda_documents(count: int) -> None:
    """Under the key that it documents, with the whole event in `payload`."""
    mapped = Mapped(lambda _: None, rates={Fault.STREAM_GIVEN_UP: 1.0})
    mapped.write(*(f"item-{number}" for number in range(count)), shard=1)
    mapped.run(1)
    [(key, body)] = mapped.bucket.items()
    assert key.startswith("aws/lambda/F/shardId-1/2027/01/15/2027-01-15T08.00.00-")
    found = json.loads(body)
    assert found["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert found["DDBStreamBatchInfo"] == {
        "shardId": "shardId-1",
        "startSequenceNumber": "1",
        "endSequenceNumber": str(count),
        "approximateArrivalOfFirstRecord": "2027-01-15T08:00:00Z",
        "approximateArrivalOfLastRecord": "2027-01-15T08:00:00Z",
        "batchSize": count,
        "streamArn": Stream.arn,
    }
    assert json.loads(found["payload"]) == {"Records": mapped.stream.shards[1].records}
    assert mapped.handed == []
    assert mapped.world.injector.occurred == {Fault.STREAM_GIVEN_UP: 1}
    assert mapped.world.hub.now > NOON
