"""Reads: of one item, of many, of what lies in an order. They are never held up, and may be late.

What is not read consistently may be answered from the past; items of one batch are read each at an
instant of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

from simulation.aws.calls import Answer, Doing, Request
from simulation.aws.dynamodb.errors import throttled
from simulation.aws.dynamodb.expressions import Projection, projection
from simulation.aws.dynamodb.grammar import names_of, refuse_unmatched
from simulation.aws.dynamodb.items import KIB, MIB, Item, Key, copied, invalid
from simulation.aws.dynamodb.past import STALE_MAX
from simulation.aws.dynamodb.requests import refuse_unknown, wants_units
from simulation.aws.dynamodb.table import Table
from simulation.aws.dynamodb.throttles import Throttles
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.hub import MILLISECOND, Hub

KEYS_MAX: Final = 100
BATCH_BYTES_MAX: Final = 16 * MIB
_BLOCK: Final = 4 * KIB  # what one read unit reads, consistently
_TORN_MAX: Final = 20 * MILLISECOND


class Reads:
    """The operations that read by key."""

    def __init__(
        self, hub: Hub, random: Random, injector: Injector, tables: Callable[[str], Table]
    ) -> None:
        self._hub = hub
        self._random = random
        self._injector = injector
        self._tables = tables
        self._throttles = Throttles(injector)

    def get_item(self, request: Request) -> Answer:
        """See AWS."""
        refuse_unknown("get_item", request)
        table = self._tables(request["TableName"])
        key = table.key_of(request["Key"])
        wanted = wanted_of(request)
        refuse_unmatched(request, {}, wanted.names if wanted else (), frozenset())
        self._throttles.pass_(table.name, "get_item", *key)
        item = table.items.get(key)
        if (
            not request.get("ConsistentRead")
            and table.past.is_recent
            and self._injector.strikes(Fault.STALE_READ, table.name, *key)
        ):
            moment = self._hub.now - int(self._random.random() * STALE_MAX)
            item = table.past.since(moment).get(key, item)
        return {} if item is None else {"Item": shown(item, wanted)}

    def batch_get_item(self, request: Request) -> Doing:
        """See AWS."""
        refuse_unknown("batch_get_item", request)
        asked = [
            (table, key, original)
            for name, of_table in request["RequestItems"].items()
            for table, key, original in self._asked(name, of_table)
        ]
        if not 0 < len(asked) <= KEYS_MAX:
            raise invalid(f"Too many items requested for the BatchGetItem call: {len(asked)}")
        torn = len(asked) > 1 and self._injector.strikes(Fault.TORN_READ, asked[0][0].name)
        split = 1 + self._random.randrange(len(asked) - 1) if torn else 0
        # In no order: it begins anywhere.
        start = int(self._random.random() * len(asked))
        reading = _Reading(request["RequestItems"])
        for place, (table, key, original) in enumerate((*asked[start:], *asked[:start])):
            if torn and place == split:
                yield 1 + int(self._random.random() * _TORN_MAX)
            if reading.full or (
                place and self._injector.strikes(Fault.KEYS_UNPROCESSED, table.name, *key)
            ):
                reading.leave(table, original)
            else:
                item = self._item(table, key, request["RequestItems"][table.name])
                reading.read(table, key, item)
        return reading.answer(told=wants_units(request))

    def _item(self, table: Table, key: Key, how: Mapping[str, Any]) -> Item | None:
        """An item as it is; or, if it need not be read consistently, as it was a moment ago."""
        item = table.items.get(key)
        if how.get("ConsistentRead") or not self._injector.strikes(
            Fault.STALE_READ, table.name, *key
        ):
            return item
        moment = self._hub.now - int(self._random.random() * STALE_MAX)
        return table.past.since(moment).get(key, item)

    def _asked(self, name: str, of_table: Mapping[str, Any]) -> list[tuple[Table, Key, Any]]:
        refuse_unknown("batch_get_item of a table", of_table)
        table = self._tables(name)
        asked = [(table, table.key_of(key), key) for key in of_table["Keys"]]
        if len({key for _, key, _ in asked}) != len(asked):
            raise invalid("Provided list of item keys contains duplicates")
        if self._injector.strikes(Fault.TABLE_THROTTLED, name, "batch_get_item"):
            raise throttled()
        return asked


class _Reading:
    """What a batch has read so far."""

    __slots__ = ("_asked", "_bytes", "_items", "_left", "_units")

    def __init__(self, asked: Mapping[str, Mapping[str, Any]]) -> None:
        self._asked = asked
        self._items: dict[str, list[Item]] = {name: [] for name in asked}
        self._left: dict[str, list[Any]] = {}
        self._bytes = 0
        self._units = dict.fromkeys(asked, 0)

    @property
    def full(self) -> bool:
        return self._bytes > BATCH_BYTES_MAX

    def leave(self, table: Table, key: Any) -> None:
        self._left.setdefault(table.name, []).append(key)

    def read(self, table: Table, key: Key, item: Item | None) -> None:
        size = table.sizes.get(key, 0) if item is not None else 0
        self._bytes += size
        self._units[table.name] += max(1, -(-size // _BLOCK))
        if item is not None and not self.full:
            self._items[table.name].append(copied(item))
        elif item is not None:
            self.leave(table, table.key_item(key))

    def answer(self, *, told: bool) -> Answer:
        answer: Answer = {
            "Responses": self._items,
            "UnprocessedKeys": {
                name: {**self._asked[name], "Keys": keys} for name, keys in self._left.items()
            },
        }
        if told:
            answer["ConsumedCapacity"] = [
                {"TableName": name, "CapacityUnits": float(units)}
                for name, units in self._units.items()
            ]
        return answer


def wanted_of(request: Request) -> Projection | None:
    """The attributes that a request asks for; None for all. Raises ServiceError."""
    text = request.get("ProjectionExpression")
    return None if text is None else projection(text, names_of(request))


def shown(item: Item, wanted: Projection | None) -> Item:
    """What is asked for of an item, as a copy."""
    if wanted is None:
        return copied(item)
    return copied({name: item[name] for name in wanted.attributes if name in item})
