"""Queries and scans: what lies in an order, page by page."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from random import Random
from typing import Any, Final

from msgspec import Struct

from simulation.aws.calls import Answer, Request
from simulation.aws.dynamodb.conditions import Condition, condition
from simulation.aws.dynamodb.expressions import Clause, Projection, key_condition, projection
from simulation.aws.dynamodb.grammar import Names, names_of, refuse_unmatched
from simulation.aws.dynamodb.indexes import GlobalIndex, partition_of
from simulation.aws.dynamodb.items import MIB, Item, Key, Value, invalid, sortable
from simulation.aws.dynamodb.ordering import Place, bounds
from simulation.aws.dynamodb.past import STALE_MAX
from simulation.aws.dynamodb.reads import shown, wanted_of
from simulation.aws.dynamodb.requests import refuse_unknown, values_of
from simulation.aws.dynamodb.table import Table
from simulation.aws.dynamodb.throttles import Throttles
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.hub import Hub

PAGE_BYTES_MAX: Final = MIB
_SMALL_MAX: Final = 20
_KEPT: Final = 4096  # as of conditions
_UNUSED: Final[frozenset[str]] = frozenset()
_NOTHING: Final[Mapping[Key, Item | None]] = {}
Source = Table | GlobalIndex


class _Asked(Struct, frozen=True):
    """What a query asks for: the placeholder of its partition, the bounds of the sort values, what
    of the items, and the placeholders that all of that uses."""

    partition: str
    sort: Clause | None
    filter: Condition | None
    wanted: Projection | None
    names: frozenset[str]
    values: frozenset[str]


class _Page(Struct):
    """What is to be read: places, those of them that it is about in the order of reading, and the
    items there."""

    places: Sequence[Place]
    order: range
    items: Mapping[Key, Item]
    sizes: Mapping[Key, int]
    last_key: Callable[[Key, Item], Item]
    filter: Condition | None
    values: Mapping[str, Value]
    wanted: Projection | None
    limit: int | None


class Pages:
    """The operations that answer in pages."""

    def __init__(
        self, hub: Hub, random: Random, injector: Injector, tables: Callable[[str], Table]
    ) -> None:
        self._hub = hub
        self._random = random
        self._injector = injector
        self._tables = tables
        self._throttles = Throttles(injector)

    def query(self, request: Request) -> Answer:
        """See AWS."""
        refuse_unknown("query", request)
        table = self._tables(request["TableName"])
        source = self._source(table, request)
        asked = _asked(
            (
                request["KeyConditionExpression"],
                request.get("FilterExpression"),
                request.get("ProjectionExpression"),
            ),
            names_of(request),
            source.spec.hash_key,
            source.spec.range_key,
        )
        values = values_of(request)
        refuse_unmatched(request, values, asked.names, asked.values)
        partition = partition_of(values[asked.partition])
        low, high, open_ = _sorted_range(asked.sort, values)
        self._throttles.pass_(table.name, "query", partition)
        places, items = self._partition(table, source, partition, request)
        if not (places or "ExclusiveStartKey" in request or request.get("Limit") == 0):
            return {"Items": [], "Count": 0, "ScannedCount": 0}
        start, end = bounds(places, low, high, open_=open_)
        forward = request.get("ScanIndexForward", True)
        begin = request.get("ExclusiveStartKey")
        if begin is not None:
            after = _place_of(table, source, begin, partition)
            inside = _position(places, after, forward=forward)
            start, end = (max(start, inside), end) if forward else (start, min(end, inside))
        return self._page(
            table,
            _Page(
                places,
                range(start, end) if forward else range(end - 1, start - 1, -1),
                items,
                source.sizes,
                lambda key, item: _last_key(table, source, key, item),
                asked.filter,
                values,
                asked.wanted,
                request.get("Limit"),
            ),
        )

    def scan(self, request: Request) -> Answer:
        """See AWS."""
        refuse_unknown("scan", request)
        table = self._tables(request["TableName"])
        source = self._source(table, request)
        values = values_of(request)
        filter_, wanted = _expressions(request, values)
        self._throttles.pass_(table.name, "scan")
        items: Mapping[Key, Item] = source.items
        past = self._past(source, request)
        if past:
            items = {key: item for key, item in {**items, **past}.items() if item is not None}
        places = source.scattered.places()
        begin = request.get("ExclusiveStartKey")
        start = 0
        if begin is not None:
            key = table.key_of({name: begin[name] for name in table.key_names})
            start = _position(places, source.scattered.place_of(key), forward=True)
        return self._page(
            table,
            _Page(
                places,
                range(start, len(places)),
                items,
                source.sizes,
                lambda key, item: _last_key(table, source, key, item),
                filter_,
                values,
                wanted,
                request.get("Limit"),
            ),
        )

    def _source(self, table: Table, request: Request) -> Source:
        name = request.get("IndexName")
        if name is None:
            return table
        if name not in table.indexes:
            raise invalid(f"The table does not have the specified index: {name}")
        if request.get("ConsistentRead"):
            raise invalid("Consistent reads are not supported on global secondary indexes")
        index = table.indexes[name]
        index.settle()
        return index

    def _partition(
        self, table: Table, source: Source, partition: str, request: Request
    ) -> tuple[Sequence[Place], Mapping[Key, Item]]:
        """The places of a partition and the items there, or what they were a moment ago."""
        items: Mapping[Key, Item] = source.items
        if source is table and table.spec.range_key is None:
            key: Key = (partition,)
            places: Sequence[Place] = (("", key),) if key in items else ()
        else:
            places = source.partitions.of(partition)
        past = self._past(source, request)
        if not past:
            return places, items
        stale = [place for place in places if place[1] not in past]
        for key, item in past.items():
            if item is not None:
                there, *place = source.place_of(key, item)
                if there == partition:
                    stale.append((place[0], key))
        stale.sort()
        return stale, {**items, **{key: item for key, item in past.items() if item is not None}}

    def _past(self, source: Source, request: Request) -> Mapping[Key, Item | None]:
        """What a read that need not be consistent sees otherwise than it is."""
        if (
            not source.past.is_recent
            or request.get("ConsistentRead")
            or not self._injector.strikes(
                Fault.STALE_READ, request["TableName"], request.get("IndexName", "")
            )
        ):
            return _NOTHING
        return source.past.since(self._hub.now - int(self._random.random() * STALE_MAX))

    def _page(self, table: Table, page: _Page) -> Answer:
        limit = page.limit
        if limit is not None and limit < 1:
            raise invalid("Limit must be at least 1")
        order = page.order
        if len(order) > 1 and self._injector.strikes(Fault.SMALL_PAGE, table.name):
            small = 1 + self._random.randrange(min(len(order), _SMALL_MAX) - 1)
            limit = small if limit is None else min(limit, small)
        found: list[Item] = []
        read, size = 0, 0
        last: tuple[Key, Item] | None = None
        for at in order:
            key = page.places[at][1]
            item = page.items.get(key)
            if item is None:
                continue
            size += page.sizes.get(key, 0)
            if read == limit or (last is not None and size > PAGE_BYTES_MAX):
                break
            read += 1
            last = key, item
            if page.filter is None or page.filter.holds(item, page.values):
                found.append(shown(item, page.wanted))
        else:
            if read != limit:
                last = None  # there is nothing more
        answer: Answer = {"Items": found, "Count": len(found), "ScannedCount": read}
        if last is not None:
            answer["LastEvaluatedKey"] = page.last_key(*last)
        return answer


def _expressions(
    request: Request, values: Mapping[str, Value]
) -> tuple[Condition | None, Projection | None]:
    """Filter and projection of a scan, all of whose placeholders are checked."""
    text = request.get("FilterExpression")
    filter_ = condition("FilterExpression", text, names_of(request)) if text is not None else None
    wanted = wanted_of(request)
    names = (filter_.names if filter_ else _UNUSED) | (wanted.names if wanted else _UNUSED)
    refuse_unmatched(request, values, names, filter_.values if filter_ else _UNUSED)
    return filter_, wanted


@lru_cache(_KEPT)
def _asked(
    texts: tuple[str, str | None, str | None],
    names: Names,
    hash_key: str,
    range_key: str | None,
) -> _Asked:
    """What a query's texts (key condition, filter, projection) ask of an order with those keys.
    Raises ServiceError."""
    keys, filter_text, projection_text = texts
    asked = key_condition(keys, names)
    filter_ = condition("FilterExpression", filter_text, names) if filter_text is not None else None
    wanted = projection(projection_text, names) if projection_text is not None else None
    clauses = {clause.name: clause for clause in asked.clauses}
    of_hash = clauses.pop(hash_key, None)
    if of_hash is None or of_hash.operator != "=" or len(asked.clauses) - len(clauses) != 1:
        raise invalid(f"Query condition missed key schema element: {hash_key}")
    of_range = clauses.pop(range_key or "", None)
    if clauses:
        raise invalid("Query key condition not supported")
    return _Asked(
        of_hash.values[0],
        of_range,
        filter_,
        wanted,
        asked.names.union(*(one.names for one in (filter_, wanted) if one is not None)),
        asked.values | (filter_.values if filter_ is not None else _UNUSED),
    )


def _sorted_range(clause: Clause | None, values: Mapping[str, Value]) -> tuple[Any, Any, bool]:
    """Between which sort values, and whether these are left out."""
    if clause is None:
        return None, None, False
    first, last = sortable(values[clause.values[0]]), sortable(values[clause.values[-1]])
    if clause.operator in {"=", "BETWEEN"}:
        if first > last:  # type: ignore[operator]  # of one type
            raise invalid(
                "The BETWEEN operator requires upper bound to be at least the lower bound"
            )
        return first, last, False
    if clause.operator in {"<", "<="}:
        return None, last, clause.operator == "<"
    return first, None, clause.operator == ">"


def _position(places: Sequence[Place], after: Place, *, forward: bool) -> int:
    """Where reading goes on behind a place, whether or not it is there."""
    return bisect_right(places, after) if forward else bisect_left(places, after)


def _place_of(table: Table, source: Source, begin: Item, partition: str) -> Place:
    """The place of an ExclusiveStartKey. Raises ServiceError."""
    names = {*table.key_names, *source.key_names}
    if begin.keys() != names:
        raise invalid("The provided starting key is invalid")
    key = table.key_of({name: begin[name] for name in table.key_names})
    there, sort, _ = source.place_of(key, begin)
    if there != partition:
        raise invalid("The provided starting key is outside query boundaries")
    return sort, key


def _last_key(table: Table, source: Source, key: Key, item: Item) -> Item:
    """The LastEvaluatedKey at an item."""
    return {**table.key_item(key), **{name: dict(item[name]) for name in source.key_names}}
