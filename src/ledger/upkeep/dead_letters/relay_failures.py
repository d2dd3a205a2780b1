"""The bucket with the records that the relay could not publish, as a place of dead letters.

Lambda writes an object for each batch that it gave up: JSON with the whole batch in `payload` (its
developer guide, "Retain discarded records for a DynamoDB event source"). The records only say
which events these are. What is published is what the event store has under their ids, so nothing
gets onto the bus by way of this bucket that was not recorded.

The bucket is versioned: what is removed here can be brought back for some days.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
from botocore.exceptions import ClientError
from msgspec import UNSET, Struct, UnsetType

from ledger.application.ports import EventStore
from ledger.application.publication import Published, Publisher
from ledger.contracts.primitives import is_id
from ledger.domain.chain import StoredEvent
from ledger.upkeep.dead_letters.letters import NOT_SAID, Contents, Letter
from ledger.upkeep.dead_letters.places import Sending, Untaken

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

#: Where Lambda puts its objects, and the only prefix that the relay's role may write to.
PREFIX: Final = "aws/lambda/"
#: Of one object: an invocation's payload is 6 MB at the most, escaped once more in here.
_OBJECT_BYTES_MAX: Final = 16 * 1024 * 1024
_TAKEN_AT_A_TIME: Final = 10
_MICROSECONDS_PER_SECOND: Final = 1_000_000


class RelayFailures:
    """A Place: the relay's failure bucket. Reading an object hides it from nobody."""

    name: Final = "relay"
    back_to: Final = "the ledger bus"

    def __init__(
        self, s3: S3Client, *, bucket: str, events: EventStore, publisher: Publisher
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._events = events
        self._publisher = publisher
        self._keys: list[tuple[str, datetime]] | None = None
        self._taken: dict[str, tuple[str, _Batch]] = {}

    def depth(self) -> int:
        """See Place."""
        return len(self._taken) + len(self._waiting())

    def take(self) -> Sequence[Letter]:
        """See Place."""
        waiting = self._waiting()
        some = [waiting.pop() for _ in range(min(_TAKEN_AT_A_TIME, len(waiting)))]
        return [letter for key, at in some if (letter := self._letter(key, at)) is not None]

    def send(self, letters: Sequence[Letter]) -> Sending:
        """See Place. A batch counts as sent when all of its events are on the bus."""
        taken: dict[str, str] = {}
        untaken: dict[str, Untaken] = {}
        for letter in letters:
            fault = self._publish(self._taken[letter.id][1])
            if fault is None:
                taken[letter.id] = ""
            else:
                untaken[letter.id] = fault
        return Sending(taken, untaken)

    def remove(self, letters: Sequence[Letter]) -> frozenset[str]:
        """See Place."""
        for letter in letters:
            self._s3.delete_object(Bucket=self._bucket, Key=self._taken[letter.id][0])
            del self._taken[letter.id]
        return frozenset()

    def release(self) -> int:
        """See Place."""
        return 0

    def _waiting(self) -> list[tuple[str, datetime]]:
        """The keys that were not taken yet, the oldest last."""
        if self._keys is None:
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=PREFIX
            )
            found = [
                (entry["Key"], entry["LastModified"])
                for page in pages
                for entry in page.get("Contents", ())
            ]
            self._keys = sorted(found, key=lambda entry: entry[1], reverse=True)
        return self._keys

    def _letter(self, key: str, at: datetime) -> Letter | None:
        """The letter in an object; None if somebody has removed it by now."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "NoSuchKey":
                raise
            return None
        content = answer["Body"].read(_OBJECT_BYTES_MAX + 1)
        batch = _batch_of(content[:_OBJECT_BYTES_MAX])
        # The last part of the key is a time and a random UUID: it names the object by itself.
        id_ = key.rpartition("/")[2]
        self._taken[id_] = (key, batch)
        strange = batch.records - len(batch.ids)
        first = next(iter(batch.types.items()), ("", ""))
        return Letter(
            id=id_,
            since=int(at.timestamp() * _MICROSECONDS_PER_SECOND),
            reason=batch.condition,
            detail=f"{strange} of {batch.records} records are no new events" if strange else "",
            # Republishing the rest and removing the object would remove the trace of an intrusion.
            retry="never" if strange or not batch.ids else "same_request",
            contents=Contents("records", first[1], first[0]),
            count=batch.records,
            size=len(content),
            body=content.decode(errors="replace"),
        )

    def _publish(self, batch: _Batch) -> Untaken | None:
        """Puts a batch's events onto the bus, as the store has them; why not, if it could not."""
        stored = [self._events.event(id_) for id_ in batch.ids]
        if None in stored:
            return Untaken("event_not_in_the_store", permanent=True)
        if self._publisher.publish([_published(event) for event in stored if event]):
            return Untaken("not_published", permanent=False)
        return None


def _published(stored: StoredEvent) -> Published:
    """An event as the relay publishes it, also one of a type that a newer release wrote."""
    return Published(_HEAD.decode(stored.data).type, stored.data.decode())


class _Head(Struct):
    type: str


_HEAD = msgspec.json.Decoder(_Head)


class _Batch(Struct, frozen=True):
    """A batch that the relay gave up: how many records, and the events among them, by id."""

    condition: str
    records: int
    types: dict[str, str]

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self.types)


class _Context(Struct, frozen=True):
    condition: str = NOT_SAID


class _Object(Struct):
    """What Lambda writes: `payload` is the text of the event that the function got."""

    requestContext: _Context = _Context()  # noqa: N815 - as AWS writes it
    payload: str | dict[str, Any] | UnsetType = UNSET


def _batch_of(content: bytes) -> _Batch:
    """The batch in an object; without records if it is not what Lambda writes."""
    try:
        found = msgspec.json.decode(content, type=_Object)
        payload = found.payload
        event = msgspec.json.decode(payload) if isinstance(payload, str) else payload
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _Batch(NOT_SAID, 0, {})
    records = event.get("Records") if isinstance(event, dict) else None
    if not isinstance(records, list):
        return _Batch(found.requestContext.condition, 0, {})
    return _Batch(found.requestContext.condition, len(records), dict(_events_of(records)))


def _events_of(records: list[Any]) -> Iterator[tuple[str, str]]:
    """The ids and types of the events that records inserted; nothing for any other record."""
    for record in records:
        try:
            inserted = msgspec.convert(record, type=_Inserted)
        except msgspec.ValidationError:
            continue
        image = inserted.dynamodb.NewImage
        if inserted.eventName == "INSERT" and is_id(image.pk.S):
            yield image.pk.S, image.type.S


class _Text(Struct):
    S: str


class _Image(Struct):
    pk: _Text
    type: _Text


class _Change(Struct):
    NewImage: _Image


class _Inserted(Struct):
    """A record of the stream of the events table, as far as it names an event."""

    eventName: str  # noqa: N815 - as AWS writes it
    dynamodb: _Change
