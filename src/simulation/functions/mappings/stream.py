"""A mapping from a table's stream: reads its shards, hands batches over in order, keeps its place.

Within a shard there are several lanes, Lambda's parallelisation factor: an item's records are all
in one, so that they stay in order. In a lane one batch is under way at a time, and what failed is
handed over again until it succeeds or is given up: nothing in the lane overtakes it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Protocol
from zlib import crc32

from simulation.faults.kinds import Fault
from simulation.functions.function import LambdaFunction, Outcome
from simulation.functions.mappings.answers import failed_places
from simulation.functions.mappings.failures import GivenUp, key_of, object_of
from simulation.functions.platform import Platform
from simulation.kernel.hub import MILLISECOND, SECOND, Future
from simulation.wiring import model

#: Lambda polls a shard four times a second.
_POLL_SPREAD: Final = 250 * MILLISECOND
_READ_AT_A_TIME: Final = 1_000
#: A mapping reads no further while its lanes hold this many records of a shard.
_BACKLOG_MAX: Final = 2_000
_PAUSE_MIN: Final = 100 * MILLISECOND
_PAUSE_MAX: Final = 60 * SECOND
_DOUBLINGS_MAX: Final = 10

Record = Mapping[str, Any]


class Shard(Protocol):
    """A shard, as a mapping uses it; see `simulation.aws.streams`."""

    @property
    def id(self) -> str: ...

    def read(self, after: int, limit: int) -> tuple[Sequence[Record], int]: ...

    def subscribe(self, callback: Callable[[], object]) -> None: ...


class Stream(Protocol):
    """A stream, as a mapping uses it; see `simulation.aws.streams`."""

    @property
    def arn(self) -> str: ...

    @property
    def shards(self) -> Sequence[Shard]: ...


class Buckets(Protocol):
    """Where batches go that were given up; see `simulation.aws.buckets`."""

    def put(self, bucket: str, key: str, body: bytes) -> object: ...


class StreamMapping:
    """Goes on by itself from the stream's first record on."""

    def __init__(
        self,
        platform: Platform,
        spec: model.StreamMapping,
        function: LambdaFunction,
        stream: Stream,
        buckets: Buckets,
    ) -> None:
        self.platform = platform
        self.hub = platform.hub
        self.random = platform.stream(f"mapping/{spec.table}/{spec.function}")
        self.spec = spec
        self.name = f"mapping of {spec.table}"
        self.function = function
        self._stream = stream
        self._buckets = buckets
        self._readers = [_Reader(self, shard) for shard in stream.shards]

    @property
    def backlog(self) -> int:
        """How many records it has read and not dealt with."""
        return sum(reader.backlog for reader in self._readers)

    def give_up(self, shard: str, records: Sequence[Record], condition: str, attempts: int) -> None:
        """A batch goes to the failure bucket."""
        now, spec = self.hub.now, self.spec
        id_ = f"{self.random.getrandbits(128):032x}"
        given_up = GivenUp(
            id_, now, condition, attempts, spec.function, shard, self._stream.arn, records
        )
        self._buckets.put(spec.failures, key_of(given_up, spec.function), object_of(given_up))
        self.platform.trace.add(self.name, f"gave up {len(records)} records: {condition}", id_)


class _Reader:
    """Reads a shard into its lanes."""

    def __init__(self, mapping: StreamMapping, shard: Shard) -> None:
        self.backlog = 0
        self._mapping = mapping
        self._shard = shard
        self._position = 0
        self._polls = False
        self._lanes = [_Lane(mapping, shard.id, self) for _ in range(mapping.spec.parallel)]
        shard.subscribe(self._arrived)
        self._arrived()

    def settled(self, count: int) -> None:
        """A lane is done with so many records."""
        was_full = self.backlog >= _BACKLOG_MAX
        self.backlog -= count
        if was_full:
            self._arrived()

    def _arrived(self) -> None:
        if not self._polls:
            self._polls = True
            mapping = self._mapping
            delay = int(mapping.random.random() * _POLL_SPREAD)
            mapping.hub.after(mapping.spec.window_seconds * SECOND + delay, self._read)

    def _read(self) -> None:
        self._polls = False
        lanes = self._lanes
        while self.backlog < _BACKLOG_MAX:
            records, self._position = self._shard.read(self._position, _READ_AT_A_TIME)
            if not records:
                break
            self.backlog += len(records)
            for record in records:
                lanes[_hash(record) % len(lanes)].waiting.append(record)
        for lane in lanes:
            lane.go_on()


class _Batch:
    """Records that are handed over together. `attempts` is how often they failed and were to be
    tried again as they are."""

    __slots__ = ("attempts", "records")

    def __init__(self, records: list[Record], attempts: int = 0) -> None:
        self.records = records
        self.attempts = attempts


class _Lane:
    """One batch after the other."""

    def __init__(self, mapping: StreamMapping, shard: str, reader: _Reader) -> None:
        self.waiting: deque[Record] = deque()
        self._mapping = mapping
        self._shard = shard
        self._reader = reader
        self._next: list[_Batch] = []
        self._busy = False
        self._failures = 0
        self._strikes = mapping.platform.injector.strikes
        self._note = mapping.platform.injector.note

    def go_on(self) -> None:
        """The next batch, if none is under way."""
        if self._busy:
            return
        if not self._next:
            waiting = self.waiting
            count = min(self._mapping.spec.batch, len(waiting))
            if not count:
                return
            self._next.append(_Batch([waiting.popleft() for _ in range(count)]))
        self._busy = True
        self._hand_over(self._next.pop())

    def _hand_over(self, batch: _Batch) -> None:
        mapping = self._mapping
        old = self._old(batch.records)
        if old:
            self._give_up(_Batch(batch.records[:old], batch.attempts), "RecordAgeExceeded")
            del batch.records[:old]
        elif self._strikes(Fault.STREAM_GIVEN_UP, mapping.name, self._shard):
            # What hours of failures would come to.
            self._give_up(batch, "RetryAttemptsExhausted", told=True)
            batch.records = []
        if batch.records:
            invoked = mapping.function.invoke({"Records": batch.records})
            invoked.then(partial(self._invoked, batch, invoked))
        else:
            self._rest()

    def _invoked(self, batch: _Batch, invoked: Future[Outcome]) -> None:
        mapping, records = self._mapping, batch.records
        outcome = invoked.result()
        if outcome.throttled:  # nothing has happened, and it is no attempt
            self._again(batch)
            return
        failed = self._failed(outcome, records)
        mapping.platform.handed_over(mapping.function.name, records, failed)
        if failed is None:
            self._failed_whole(batch)
        elif failed:
            self._failed_from(batch, min(failed))
        elif self._strikes(Fault.STREAM_BATCH_RETRIED, mapping.name, self._shard):
            self._again(batch)  # its success was not heard of
        else:
            self._settled(len(records))
            self._rest()

    def _failed(self, outcome: Outcome, records: Sequence[Record]) -> frozenset[int] | None:
        """The places of all records from the first that failed on; None if all of it failed."""
        if outcome.error is not None:
            return None
        if not self._mapping.spec.partial:
            return frozenset()
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        named = failed_places(
            outcome.answer, {number: place for place, number in enumerate(numbers)}
        )
        if not named:
            return named
        # Of several, the lowest number is the checkpoint.
        first = min(named, key=lambda place: int(numbers[place]))
        return frozenset(range(first, len(records)))

    def _failed_whole(self, batch: _Batch) -> None:
        records = batch.records
        if self._mapping.spec.bisect and len(records) > 1:
            middle = len(records) // 2
            self._note(Fault.STREAM_BATCH_BISECTED, self._mapping.name, self._shard)
            self._next.append(_Batch(records[middle:], batch.attempts))
            batch.records = records[:middle]
            self._again(batch)
        else:
            self._count(batch)

    def _failed_from(self, batch: _Batch, first: int) -> None:
        self._settled(first)
        batch.records = batch.records[first:]
        if first and self._mapping.spec.bisect:
            # It is split where the function says: only the rest is handed over again.
            self._note(Fault.STREAM_BATCH_BISECTED, self._mapping.name, self._shard)
            self._again(batch)
        else:
            self._count(batch)

    def _count(self, batch: _Batch) -> None:
        """It is tried again as it is. Splitting does not count towards the retries; this does."""
        batch.attempts += 1
        if batch.attempts > self._mapping.spec.retries:
            self._give_up(batch, "RetryAttemptsExhausted")
            self._rest()
        else:
            self._again(batch)

    def _again(self, batch: _Batch) -> None:
        mapping = self._mapping
        self._note(Fault.STREAM_BATCH_RETRIED, mapping.name, self._shard)
        pause = min(_PAUSE_MIN << min(self._failures, _DOUBLINGS_MAX), _PAUSE_MAX)
        self._failures += 1
        delay = int(pause * (0.5 + 0.5 * mapping.random.random()))
        mapping.hub.after(delay, partial(self._hand_over, batch))

    def _give_up(self, batch: _Batch, condition: str, *, told: bool = False) -> None:
        if not told:
            self._note(Fault.STREAM_GIVEN_UP, self._mapping.name, self._shard)
        self._mapping.give_up(self._shard, batch.records, condition, batch.attempts)
        self._settled(len(batch.records))

    def _settled(self, count: int) -> None:
        if count:
            self._failures = 0
            self._reader.settled(count)

    def _rest(self) -> None:
        """A batch is done with."""
        self._busy = False
        self.go_on()

    def _old(self, records: Sequence[Record]) -> int:
        """How many of the first records are older than the mapping hands over."""
        mapping = self._mapping
        oldest = mapping.hub.now / SECOND - mapping.spec.age_seconds
        old = 0
        for record in records:
            if record["dynamodb"]["ApproximateCreationDateTime"] >= oldest:
                break
            old += 1
        return old


def _hash(record: Record) -> int:
    """The same for all records of an item, in every process."""
    keys = record["dynamodb"]["Keys"]
    return crc32("|".join(str(next(iter(key.values()))) for key in keys.values()).encode())
