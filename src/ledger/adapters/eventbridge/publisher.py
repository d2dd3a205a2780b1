"""PutEvents: events in packs, packed by count and bytes, every entry's own result looked at.

PutEvents answers 200 though entries failed (`FailedEntryCount`): only an entry with an `EventId`
is on the bus. Sizes are counted as the service counts them (EventBridge user guide, "Calculating
PutEvents event entry size"): UTF-8 bytes of source, detail type and detail.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError
from msgspec import Struct

from ledger.application.publication import Published
from ledger.contracts.envelopes import SOURCE
from ledger.contracts.packs import FRAME_BYTES, PACK_BYTES_MAX, PACK_EVENTS_MAX, detail_of
from ledger.runtime.backoff import full_jitter_seconds
from ledger.runtime.packing import packed

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

    from ledger.application.ports import Chance, Pause

ENTRIES_MAX: Final = 10  # a request
REQUEST_BYTES_MAX: Final = 1_000_000  # the limit is 1 MiB; the rest is left for its envelope
ATTEMPTS_MAX: Final = 5  # some 1.5 s at the most; then the stream's mapping retries
_PAUSE_BASE_SECONDS: Final = 0.05
_PAUSE_CAP_SECONDS: Final = 1.0


class Pack(Struct, frozen=True):
    """One entry: the places of the events in it, which are of one type, and its detail."""

    places: tuple[int, ...]
    type: str
    detail: str

    @property
    def size(self) -> int:
        """In bytes, as PutEvents counts an entry."""
        return len(SOURCE) + len(self.type) + len(self.detail.encode())


class EventBridgePublisher:
    """Publisher on one bus."""

    def __init__(
        self, client: EventBridgeClient, bus: str, *, pause: Pause, chance: Chance
    ) -> None:
        self._client = client
        self._bus = bus
        self._pause = pause
        self._chance = chance

    def publish(self, events: Sequence[Published]) -> frozenset[int]:
        """See Publisher."""
        waiting = packs_of(events)
        for attempt in range(ATTEMPTS_MAX):
            if not waiting:
                break
            if attempt:
                self._pause(
                    full_jitter_seconds(
                        attempt - 1,
                        base=_PAUSE_BASE_SECONDS,
                        cap=_PAUSE_CAP_SECONDS,
                        random=self._chance,
                    )
                )
            sizes = [pack.size for pack in waiting]
            waiting = [
                waiting[index]
                for request in packed(
                    range(len(waiting)),
                    sizes.__getitem__,
                    entries_max=ENTRIES_MAX,
                    bytes_max=REQUEST_BYTES_MAX,
                )
                for index in self._put(request, waiting)
            ]
        return frozenset(place for pack in waiting for place in pack.places)

    def _put(self, indices: Sequence[int], packs: Sequence[Pack]) -> Iterator[int]:
        """One request; yields the indices that are not on the bus for certain."""
        entries: list[PutEventsRequestEntryTypeDef] = [
            {
                "EventBusName": self._bus,
                "Source": SOURCE,
                "DetailType": packs[index].type,
                "Detail": packs[index].detail,
            }
            for index in indices
        ]
        try:
            results = self._client.put_events(Entries=entries)["Entries"]
        except (ClientError, HTTPClientError, BotoConnectionError):
            yield from indices
            return
        for place, index in enumerate(indices):
            if place >= len(results) or "EventId" not in results[place]:
                yield index


def packs_of(events: Sequence[Published]) -> list[Pack]:
    """The events in packs: of one type each, in their order, as many as count and bytes allow.

    Packs come in the order of their first events. An event that is larger than a pack may be goes
    alone: it is paid for as two entries or more.
    """
    by_type: defaultdict[str, list[int]] = defaultdict(list)
    for place, event in enumerate(events):
        by_type[event.type].append(place)
    packs: list[Pack] = []
    for type_, places in by_type.items():
        sizes = {place: len(events[place].data.encode()) + 1 for place in places}  # and a comma
        room = PACK_BYTES_MAX - len(SOURCE) - len(type_) - FRAME_BYTES
        for some in packed(places, sizes.__getitem__, entries_max=PACK_EVENTS_MAX, bytes_max=room):
            detail = detail_of(events[place].data for place in some)
            packs.append(Pack(tuple(some), type_, detail))
    return sorted(packs, key=lambda pack: pack.places[0])
