"""Where payments are kept: the port, and its DynamoDB adapter.

One item per payment, pk = payment id (see `generations.keys`). What it is lies there once and for
all; where it stands is versioned by `version`, its metadata by `metadata_version`.

The index of statuses has a payment once both its origin and its progress are there: under its
status, by the time at which it was made. A status is spread over SHARDS partitions by payment id,
so that the one that most payments are in is not one partition. It has keys only.

Most payments are posted at once and never touched again: an entry of the index for each would cost
as much as the payment itself. Those that a batch brings are listed together, in one item beside
them that stands in the index for all. Like the index's own entries, it says when and as what they
were made; where each stands is read from the payment.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import msgspec
from msgspec import UNSET, Struct

from ledger.runtime.faults import AWS_ERRORS, BrokenItemError, StoreError, code_of
from ledger.runtime.items import Item, values_of
from projections.generations.keys import FIRST, partition_of, place_of
from projections.generations.table import GenerationsTable
from projections.items import Part, read_items, write_item, write_parts
from projections.payments.apply import Metadata, Origin, Payment, Progress, Status

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class PaymentsStore(Protocol):
    """Keeps the newest of each part of every payment.

    Every method may raise StoreError. Reads see every acknowledged write, but those of `listed`.
    """

    def write(self, payment: Payment, *, listed: bool = True) -> int:
        """Replace the parts of a payment that are given (one at least) by newer ones; how many of
        these were newer than what is there. Unless `listed`, it is for `list_together` to list."""

    def list_together(self, created: Sequence[str]) -> None:
        """List payments as posted (`created` says when and as what each was made): up to
        TOGETHER_MAX of one `listing_minute`. Again is harmless, together with others too."""

    def some(self, payments: Sequence[str]) -> Mapping[str, Payment]:
        """Those of `payments`, each named once, of which there is anything."""

    def listed(self, status: Status, low: str, high: str, limit: int) -> tuple[str, ...]:
        """When and as what payments of a status were made (`created`), from `low` to `high`
        inclusive, the newest first: `limit` of them, or fewer if there are no more.

        What was written within the last second or so may be missing, and what is here may have
        another status by now.
        """

    def payments(self) -> Iterator[Payment]:
        """All of which there is anything, in any order; what is written meanwhile may be missed."""


#: The index of statuses, its partition and its sort key.
STATUS_INDEX: Final = "by_status"
_LISTED: Final = "listed"
_CREATED: Final = "created"
#: Partitions of a status: 8,000 new payments a second, where one would take 1,000. A page asks
#: each of them. To have more is safe at any time; to have fewer takes a replay.
SHARDS: Final = 8
_KEY: Final = "pk"
#: What is listed together: 7 KB for usual ids, so 0.07 units each instead of one.
TOGETHER_MAX: Final = 100
#: Fewer are listed one by one: an item and its entry in the index cost two units at least.
TOGETHER_MIN: Final = 3
_TOGETHER: Final = "#posted-"  # begins the names of these items; no id has such a character
_MEMBERS: Final = "members"
_MINUTE: Final = len("2026-11-22T08:15")
_ABOVE_ALL: Final = "~"
#: Items that are opened at once on the way down a list.
_OPENED_AT_ONCE: Final = 10


class _Row(NamedTuple):
    """An entry of the index: of the item with that name, at its place in the list."""

    name: str
    created: str


class DynamoPaymentsStore:
    """One generation of the payments in a DynamoDB table with the key `pk`."""

    def __init__(self, client: DynamoDBClient, table: str, generation: int = FIRST) -> None:
        self._client = client
        self._table = table
        self._generation = generation

    def write(self, payment: Payment, *, listed: bool = True) -> int:
        parts: list[Part] = []
        if payment.origin:
            parts.append(_part(_CREATED, payment.origin))
        if payment.progress:
            place = self._listed(payment.progress.status, shard_of(payment.id))
            parts.append(_part("version", payment.progress, {_LISTED: place} if listed else {}))
        if payment.metadata:
            parts.append(_part("metadata_version", payment.metadata))
        return write_parts(self._client, self._table, self._key(payment.id), parts)

    def list_together(self, created: Sequence[str]) -> None:
        members = sorted(created)
        name = _TOGETHER + sha256("\n".join(members).encode()).hexdigest()[:32]
        fields = {
            _LISTED: self._listed("posted", shard_of(name)),
            _CREATED: members[-1],  # whoever goes down the list meets it before any of them
            _MEMBERS: members,
        }
        write_item(self._client, self._table, self._key(name), fields)

    def some(self, payments: Sequence[str]) -> Mapping[str, Payment]:
        found: dict[str, Payment] = {}
        for item in read_items(self._client, self._table, [self._key(name) for name in payments]):
            place = place_of(item[_KEY]["S"])
            assert place is not None  # it was asked for by its key
            found[place[1]] = _payment_of(place[1], item)
        return found

    def listed(self, status: Status, low: str, high: str, limit: int) -> tuple[str, ...]:
        if low > high:  # DynamoDB refuses such a range
            return ()
        # Of what is listed together some may be in the range, though the newest is above it.
        highest = f"{high[:_MINUTE]}{_ABOVE_ALL}" if status == "posted" else high
        shards = (self._of_shard(status, shard, low, highest, limit) for shard in range(SHARDS))
        rows = merge(*shards, key=lambda row: row.created, reverse=True)
        found = (created for created in self._opened(rows) if low <= created <= high)
        return tuple(islice(found, limit))

    def payments(self) -> Iterator[Payment]:
        for item in generations(self._client, self._table).scanned(self._generation):
            if not item[_KEY]["S"].startswith(_TOGETHER):
                yield _payment_of(item[_KEY]["S"], item)

    def _opened(self, rows: Iterator[_Row]) -> Iterator[str]:
        """When and as what the payments in the rows of the index were made, each once, the newest
        first. Rows come in that order, by the newest payment of each."""
        waiting: list[str] = []  # ascending
        last = ""
        while some := list(islice(rows, _OPENED_AT_ONCE)):
            members = self._members([row.name for row in some if row.name.startswith(_TOGETHER)])
            for row in some:
                while waiting and waiting[-1] > row.created:
                    newest = waiting.pop()
                    if newest != last:  # in two items: their events came twice
                        yield newest
                    last = newest
                for created in members.get(row.name, (row.created,)):
                    insort(waiting, created)
        for created in reversed(waiting):
            if created != last:
                yield created
            last = created

    def _members(self, names: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """What is listed together in items of these names."""
        found: dict[str, Sequence[str]] = dict.fromkeys(names, ())  # swept away since, if not there
        for item in read_items(self._client, self._table, [self._key(name) for name in names]):
            place = place_of(item[_KEY]["S"])
            assert place is not None  # it was asked for by its key
            found[place[1]] = [created["S"] for created in item[_MEMBERS]["L"]]
        return found

    def _of_shard(
        self, status: Status, shard: int, low: str, high: str, page: int
    ) -> Iterator[_Row]:
        """The index's rows of a shard, the newest first."""
        start: dict[str, Any] = {}
        while True:  # ends: each turn begins behind the one before
            try:
                answer = self._client.query(
                    TableName=self._table,
                    IndexName=STATUS_INDEX,
                    KeyConditionExpression="#listed = :listed AND #created BETWEEN :low AND :high",
                    ExpressionAttributeNames={"#listed": _LISTED, "#created": _CREATED},
                    ExpressionAttributeValues={
                        ":listed": {"S": self._listed(status, shard)},
                        ":low": {"S": low},
                        ":high": {"S": high},
                    },
                    ScanIndexForward=False,
                    Limit=page,
                    **start,
                )
            except AWS_ERRORS as error:
                raise StoreError(code_of(error)) from error
            for item in answer["Items"]:
                place = place_of(item[_KEY]["S"])
                if place is not None:
                    yield _Row(place[1], item[_CREATED]["S"])
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _listed(self, status: Status, shard: int) -> str:
        return partition_of(f"{status}#{shard}", self._generation)

    def _key(self, payment: str) -> Item:
        return {_KEY: {"S": partition_of(payment, self._generation)}}


def generations(client: DynamoDBClient, table: str) -> GenerationsTable:
    """The generations of the payments in a table."""
    return GenerationsTable(client, table, sorted_rows=False)


def listing_minute(created: str) -> str:
    """Only payments that were made in the same minute are listed together, so that whoever reads
    a range knows how far above it to look."""
    return created[:_MINUTE]


def shard_of(payment: str) -> int:
    """The shard that a payment is listed in, whatever its status."""
    return sha256(payment.encode()).digest()[0] % SHARDS


def _part(version: str, part: Struct, more: Mapping[str, object] | None = None) -> Part:
    """All fields of a part; what has its default is taken away. The payment is the key."""
    fields = dict.fromkeys(part.__struct_fields__, UNSET) | msgspec.to_builtins(part)
    del fields["payment"]
    return Part(version, fields | (more or {}))


def _payment_of(payment: str, item: Mapping[str, Mapping[str, Any]]) -> Payment:
    values = values_of(item) | {"payment": payment}
    try:
        return Payment(
            payment,
            origin=msgspec.convert(values, Origin) if _CREATED in values else None,
            progress=msgspec.convert(values, Progress) if "version" in values else None,
            metadata=msgspec.convert(values, Metadata) if "metadata_version" in values else None,
        )
    except msgspec.ValidationError as error:
        raise BrokenItemError("an item of the payments table is not a payment") from error
