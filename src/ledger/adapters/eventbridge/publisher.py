"""PutEvents, packed by count and bytes, every entry's own result looked at.

PutEvents answers 200 though entries failed (`FailedEntryCount`): only an entry with an `EventId`
is on the bus. Sizes are counted as the service counts them (EventBridge user guide, "Calculating
PutEvents event entry size"): UTF-8 bytes of source, detail type and detail.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from ledger.application.ports import Chance, Pause
from ledger.application.publication import Published
from ledger.contracts.envelopes import SOURCE
from ledger.runtime.backoff import full_jitter_seconds
from ledger.runtime.packing import packed

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

ENTRIES_MAX: Final = 10  # a request
REQUEST_BYTES_MAX: Final = 1_000_000  # the limit is 1 MiB; the rest is left for its envelope
ATTEMPTS_MAX: Final = 5  # some 1.5 s at the most; then the stream's mapping retries
_PAUSE_BASE_SECONDS: Final = 0.05
_PAUSE_CAP_SECONDS: Final = 1.0


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
        waiting = list(range(len(events)))
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
            waiting = [
                index
                for request in packed(
                    waiting,
                    lambda index: entry_bytes(events[index]),
                    entries_max=ENTRIES_MAX,
                    bytes_max=REQUEST_BYTES_MAX,
                )
                for index in self._put(request, events)
            ]
        return frozenset(waiting)

    def _put(self, indices: Sequence[int], events: Sequence[Published]) -> Iterator[int]:
        """One request; yields the indices that are not on the bus for certain."""
        entries: list[PutEventsRequestEntryTypeDef] = [
            {
                "EventBusName": self._bus,
                "Source": SOURCE,
                "DetailType": events[index].type,
                "Detail": events[index].data,
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


def entry_bytes(event: Published) -> int:
    """The size of an event as PutEvents counts it."""
    return len(SOURCE) + len(event.type) + len(event.data.encode())
