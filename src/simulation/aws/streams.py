"""DynamoDB streams: what changed in a table, for its event source mapping to read.

An item's records are in the order of its changes and come exactly once; records of different items
may come in another order than they were made in. They lie in shards, by item.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any, Final
from zlib import crc32

from simulation.aws.dynamodb.items import Item, Key, Value
from simulation.aws.dynamodb.table import Change
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.hub import MILLISECOND, SECOND, Hub

Record = Mapping[str, Any]
"""As Lambda hands it over. Nobody may change it."""

RETENTION: Final = 24 * 3600 * SECOND
_SHARDS: Final = 4
_USUAL_MIN: Final = 20 * MILLISECOND
_USUAL_SPREAD: Final = 100 * MILLISECOND
_APART_MAX: Final = 1 * SECOND
_LATE_MAX: Final = 60 * SECOND


class Shard:
    """Records in the order in which they came; a position is how many were before."""

    def __init__(self, hub: Hub, id: str) -> None:
        self.id = id
        self.expired = 0
        """How many records nobody read in time."""
        self._hub = hub
        self._records: list[tuple[int, Record]] = []
        self._gone = 0
        self._callbacks: list[Callable[[], object]] = []

    def read(self, after: int, limit: int) -> tuple[Sequence[Record], int]:
        """Up to `limit` records behind a position, and the position behind them."""
        self._expire()
        if after < self._gone:
            self.expired += self._gone - after
            after = self._gone
        start = after - self._gone
        records = [record for _, record in self._records[start : start + limit]]
        return records, after + len(records)

    def subscribe(self, callback: Callable[[], object]) -> None:
        """Call it whenever something has come."""
        self._callbacks.append(callback)

    @property
    def end(self) -> int:
        """The position behind all that has come."""
        return self._gone + len(self._records)

    def add(self, record: Record) -> None:
        """It comes now."""
        self._expire()
        self._records.append((self._hub.now, record))
        for callback in self._callbacks:
            callback()

    def _expire(self) -> None:
        records, oldest = self._records, self._hub.now - RETENTION
        if not records or records[0][0] >= oldest:
            return
        gone = next((at for at, (came, _) in enumerate(records) if came >= oldest), len(records))
        del records[:gone]
        self._gone += gone


class Stream:
    """The stream of one table. `arn` is where Lambda says that its records are from."""

    def __init__(
        self,
        hub: Hub,
        random: Random,
        injector: Injector,
        name: str,
        shards: int = _SHARDS,
        *,
        key_names: Sequence[str] = ("pk",),
        account: str = "000000000000",
        region: str = "eu-central-1",
    ) -> None:
        self.name = name
        self.arn = f"arn:aws:dynamodb:{region}:{account}:table/{name}/stream/1"
        self.shards = [Shard(hub, f"shardId-{number:020d}") for number in range(shards)]
        self._hub = hub
        self._random = random
        self._injector = injector
        self._key_names = key_names
        self._region = region
        self._numbered = 0
        self._last = [0] * shards
        self._due: dict[Key, int] = {}

    def tell(self, changes: Sequence[Change]) -> None:
        """Changes that took effect together now. What stayed the same is no change."""
        now = self._hub.now
        usual = now + _USUAL_MIN + int(self._random.random() * _USUAL_SPREAD)
        apart = len(changes) > 1 and self._injector.strikes(Fault.RECORDS_INTERLEAVED, self.name)
        for change in changes:
            if change.old == change.new:
                continue
            place = crc32("\0".join(change.key).encode()) % len(self.shards)
            due = max(usual, self._due.get(change.key, 0))
            if self._injector.strikes(Fault.STREAM_LATE, self.name, *change.key):
                due += int(self._random.random() * _LATE_MAX)
            elif apart:
                due += int(self._random.random() * _APART_MAX)
            else:
                due = max(due, self._last[place])
                self._last[place] = due
            self._due[change.key] = due
            self._hub.at(due, partial(self._arrive, self.shards[place], change, now))

    def _arrive(self, shard: Shard, change: Change, at: int) -> None:
        if self._due.get(change.key) == self._hub.now:
            del self._due[change.key]
        self._numbered += 1
        shard.add(self._record(change, at, self._numbered))

    def _record(self, change: Change, at: int, number: int) -> Record:
        """As Lambda hands it over: numbers are text, binaries are base64."""
        image = change.new if change.new is not None else change.old
        assert image is not None, "something was written or deleted"
        told: dict[str, Any] = {
            "ApproximateCreationDateTime": at // SECOND,
            "Keys": {name: image[name] for name in self._key_names},
            "SequenceNumber": f"{number:021d}",
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        }
        if change.new is not None:
            told["NewImage"] = _image(change.new)
        if change.old is not None:
            told["OldImage"] = _image(change.old)
        return {
            "eventID": f"{number:032x}",
            "eventName": _name(change),
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": self._region,
            "dynamodb": told,
            "eventSourceARN": self.arn,
        }


def _name(change: Change) -> str:
    if change.new is None:
        return "REMOVE"
    return "INSERT" if change.old is None else "MODIFY"


def _image(item: Item) -> Item:
    return {name: _shown(value) for name, value in item.items()}


def _shown(value: Value) -> Value:
    ((kind, content),) = value.items()
    if kind == "B":
        return {"B": b64encode(content).decode()}
    if kind == "BS":
        return {"BS": [b64encode(one).decode() for one in content]}
    if kind == "M":
        return {"M": _image(content)}
    if kind == "L":
        return {"L": [_shown(one) for one in content]}
    return {kind: content}
