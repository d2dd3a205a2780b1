"""Simulated streams: each change once, an item's in their order, and for a day."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.aws.dynamodb.table import Change
from simulation.aws.streams import RETENTION, Stream
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.hub import SECOND, Hub
from simulation.kernel.trace import Trace
from tests.support.simulated_dynamodb import NOON

KEYS = ("a", "b", "c", "d", "e")


class Table:
    """A table that is nothing but its stream."""

    def __init__(self, seed: int = 1, rates: Mapping[Fault, float] | None = None) -> None:
        self.hub = Hub(NOON)
        self.injector = Injector(Random(seed), rates or {}, Trace(self.hub))
        self.stream = Stream(self.hub, Random(seed), self.injector, "t")
        self._items: dict[str, dict[str, Any]] = {}
        self._written = 0

    def write(self, *keys: str) -> None:
        """One transaction, of an item for each key; each has the number of its write."""
        changes = []
        for key in keys:
            self._written += 1
            number = {"N": str(self._written)}
            item: dict[str, Any] = {"pk": {"S": key}, "n": number, "b": {"B": b"\x00\xff"}}
            changes.append(Change("t", (key,), self._items.get(key), item))
            self._items[key] = item
        self.stream.tell(changes)

    def delete(self, key: str) -> None:
        self.stream.tell([Change("t", (key,), self._items.pop(key), None)])

    def came(self) -> list[Any]:
        """All that has come, shard by shard."""
        return [one for shard in self.stream.shards for one in shard.read(0, shard.end)[0]]

    def numbers(self) -> list[int]:
        """The writes that have come, shard by shard."""
        return [int(one["dynamodb"]["NewImage"]["n"]["N"]) for one in self.came()]


@given(
    transactions=st.lists(
        st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True), max_size=12
    ),
    gaps=st.lists(st.integers(0, 5), min_size=12, max_size=12),
    seed=st.integers(0, 1000),
    rate=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_each_change_comes_once_in_the_order_of_its_item(
    transactions: list[list[str]], gaps: list[int], seed: int, rate: float
) -> None:
    """However late they come and however they come apart; sequence numbers rise in each shard, and
    an item's records all lie in one."""
    faults = dict.fromkeys((Fault.RECORDS_INTERLEAVED, Fault.STREAM_LATE), rate)
    table = Table(seed, faults)
    for keys, gap in zip(transactions, gaps, strict=False):
        table.write(*keys)
        table.hub.run(table.hub.now + gap * SECOND)
    table.hub.run()
    assert sorted(table.numbers()) == list(range(1, sum(map(len, transactions)) + 1))
    lies: dict[str, set[str]] = {}
    for shard in table.stream.shards:
        records = shard.read(0, 100)[0]
        order = [record["dynamodb"]["SequenceNumber"] for record in records]
        assert order == sorted(set(order))
        last: dict[str, str] = {}
        for record in records:
            told = record["dynamodb"]
            key, number = told["Keys"]["pk"]["S"], told["NewImage"]["n"]["N"]
            assert told.get("OldImage", {}).get("n", {}).get("N") == last.get(key)
            last[key] = number
            lies.setdefault(key, set()).add(shard.id)
    assert all(len(shards) == 1 for shards in lies.values())


def test_records_of_items_change_places_only_by_a_fault() -> None:
    """Without one a shard is in the order of the writes; with it that of other items is another."""

    def shards(rate: float) -> list[list[int]]:
        table = Table(3, {Fault.RECORDS_INTERLEAVED: rate})
        for _ in range(20):
            table.write(*KEYS)
            table.hub.run(table.hub.now + SECOND // 10)
        table.hub.run()
        return [
            [int(one["dynamodb"]["NewImage"]["n"]["N"]) for one in shard.read(0, 100)[0]]
            for shard in table.stream.shards
        ]

    assert all(numbers == sorted(numbers) for numbers in shards(0.0))
    assert any(numbers != sorted(numbers) for numbers in shards(1.0))


def test_a_record_is_as_lambda_hands_it_over() -> None:
    """Names of events, images, keys, binaries in base64, seconds."""
    table = Table()
    table.write("a")
    table.write("a")
    table.delete("a")
    table.hub.run()
    first, second, third = table.came()
    image = {"pk": {"S": "a"}, "n": {"N": "1"}, "b": {"B": "AP8="}}
    assert first == {
        "eventID": f"{1:032x}",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": {
            "ApproximateCreationDateTime": NOON // SECOND,
            "Keys": {"pk": {"S": "a"}},
            "NewImage": image,
            "SequenceNumber": f"{1:021d}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": table.stream.arn,
    }
    assert (second["eventName"], second["dynamodb"]["OldImage"]) == ("MODIFY", image)
    assert (third["eventName"], "NewImage" in third["dynamodb"]) == ("REMOVE", False)


def test_what_stays_the_same_is_no_change() -> None:
    """Neither an item put again, nor the deletion of nothing."""
    table = Table()
    item = {"pk": {"S": "a"}}
    table.stream.tell([Change("t", ("a",), item, dict(item)), Change("t", ("b",), None, None)])
    table.hub.run()
    assert table.came() == []


def test_a_reader_goes_on_where_it_was() -> None:
    """In pieces of any size, and is called when there is more."""
    table = Table()
    called = []
    for shard in table.stream.shards:
        shard.subscribe(lambda: called.append(table.hub.now))
    for _ in range(7):
        table.write("a")
    table.hub.run()
    assert len(called) == 7
    (shard,) = (one for one in table.stream.shards if one.end)
    found: list[Any] = []
    position = 0
    while position < shard.end:
        records, position = shard.read(position, 3)
        found += records
    assert len(found) == 7
    assert shard.read(position, 3) == ([], 7)


@pytest.mark.parametrize("read_before", [0, 2, 5])
def test_what_nobody_reads_for_a_day_is_lost(read_before: int) -> None:
    """And counted: only what a reader had not yet reached."""
    table = Table()
    for _ in range(5):
        table.write("a")
    table.hub.run()
    (shard,) = (one for one in table.stream.shards if one.end)
    _, position = shard.read(0, read_before)
    table.hub.run(table.hub.now + RETENTION + SECOND)
    table.write("a")
    table.hub.run()
    records, position = shard.read(position, 10)
    assert (len(records), position) == (1, 6)
    assert shard.expired == 5 - read_before
