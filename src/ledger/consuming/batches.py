"""From a batch of queue messages to what is in them, and from failures back to messages.

Every message stands alone: one that cannot be read fails by itself and comes back until the queue
dead-letters it with its payload. Nothing is ever skipped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, TypedDict, TypeVar

from msgspec import Struct

from ledger.consuming.events import MalformedMessageError, event_of_message
from ledger.contracts.events import CorruptEventError, Event, UnknownEventError, entries_of
from ledger.contracts.primitives import microseconds_of_instant
from ledger.runtime.sqs import BatchAnswer, Record, batch_answer, delay_retries, has_time

if TYPE_CHECKING:
    from typing import Unpack

    from mypy_boto3_sqs import SQSClient

    from ledger.runtime.telemetry import Line, Telemetry

#: What is handled in one go, in entries: accounts touched by events. A usual batch (100 messages,
#: two accounts each) fits; 100 payments of 45 postings touch 9,000, half a minute of single writes.
PART_ENTRIES_MAX: Final = 500
#: No part is begun with less time left: 2.5 s for 500 writes, and more when the store is slow.
RESERVED_MS: Final = 8_000
#: The code of what was left for another time, for lack of time or because the other side is out.
NOT_TRIED: Final = "not_tried"
_MICROSECONDS_PER_MILLISECOND: Final = 1_000


class Recorded(Protocol):
    """What was recorded at a known time, in the stored form of instants; so its lag is known."""

    @property
    def recorded_at(self) -> str:
        """The time, with six digits of a second and `Z`."""


_M = TypeVar("_M", bound=Recorded)


class Handled(Struct, frozen=True):
    """What became of some messages: error codes by the place of the one that failed, and counts
    for the log line, by metric name."""

    failed: Mapping[int, str]
    counts: Mapping[str, int] = {}


Handle = Callable[[Sequence[_M]], Handled]
Consumer = Callable[[dict[str, Any], object], BatchAnswer]


class World(TypedDict):
    """What a consumer needs of the world, whatever it does with events.

    `random` draws from [0, 1); `clock` is microseconds since 1970 in UTC.
    """

    sqs: SQSClient
    queue_url: str
    random: Callable[[], float]
    clock: Callable[[], int]
    telemetry: Telemetry


def make_consumer(handle: Handle[Event], **world: Unpack[World]) -> Consumer:
    """A handler of batches of messages from the ledger bus, that hands their events to `handle`."""
    return make_reader(
        handle, read=event_of_message, entries=lambda event: len(entries_of(event)), **world
    )


def make_reader(
    handle: Handle[_M],
    *,
    read: Callable[[str], _M],
    entries: Callable[[_M], int],
    reserved_ms: int = RESERVED_MS,
    **world: Unpack[World],
) -> Consumer:
    """A handler of batches of queue messages that hands what `read` makes of each body to `handle`.

    `read` raises MalformedMessageError, CorruptEventError or UnknownEventError; `entries` says how
    much work one is, see PART_ENTRIES_MAX; no part is begun with less than `reserved_ms` left. The
    answer names the failed messages, whose next attempt is brought forward to a jittered back-off.
    """

    def handler(event: dict[str, Any], context: object) -> BatchAnswer:
        with world["telemetry"].invocation(context) as line:
            records: Sequence[Record] = event["Records"]
            opened, failed = _opened(records, read)
            counts: Counter[str] = Counter()
            for part in _parts(opened, entries):
                if not has_time(context, reserved_ms):
                    failed.update((place, NOT_TRIED) for place, _ in part)
                    continue
                handled = handle([message for _, message in part])
                failed.update((part[at][0], code) for at, code in handled.failed.items())
                counts.update(handled.counts)
            back = [records[place] for place in sorted(failed)]
            _report(line, len(records), failed, counts)
            _report_lag(line, [message for _, message in opened], world["clock"]())
            if back:
                line.note(
                    "delays_refused",
                    delay_retries(world["sqs"], world["queue_url"], back, world["random"]),
                )
            return batch_answer(back)

    return handler


def _opened(
    records: Sequence[Record], read: Callable[[str], _M]
) -> tuple[list[tuple[int, _M]], dict[int, str]]:
    """What is in a batch with its messages' places, and the codes of messages without anything."""
    opened: list[tuple[int, _M]] = []
    refused: dict[int, str] = {}
    for place, record in enumerate(records):
        try:
            opened.append((place, read(record["body"])))
        except MalformedMessageError:
            refused[place] = "malformed_message"
        except CorruptEventError:
            refused[place] = "corrupt_event"
        except UnknownEventError:
            refused[place] = "unknown_event"
    return opened, refused


def _parts(
    opened: Sequence[tuple[int, _M]], entries: Callable[[_M], int]
) -> Iterator[Sequence[tuple[int, _M]]]:
    """The messages in runs of at most PART_ENTRIES_MAX entries (one message is never split)."""
    start = total = 0
    for at, (_, message) in enumerate(opened):
        touched = entries(message)
        if total + touched > PART_ENTRIES_MAX and at > start:
            yield opened[start:at]
            start, total = at, 0
        total += touched
    if opened:
        yield opened[start:]


def _report(
    line: Line, received: int, failed: Mapping[int, str], counts: Mapping[str, int]
) -> None:
    line.count("Messages", received)
    line.count("MessagesFailed", len(failed))
    for name, value in counts.items():
        line.count(name, value)
    if failed:
        codes = list(failed.values())
        line.note("failures", {code: codes.count(code) for code in sorted(set(codes))})
        line.warn()


def _report_lag(line: Line, messages: Sequence[Recorded], now: int) -> None:
    if messages:
        oldest = microseconds_of_instant(min(message.recorded_at for message in messages))
        lag = max(0, now - oldest)  # clocks differ: a lag is never negative
        line.milliseconds("LagMilliseconds", lag // _MICROSECONDS_PER_MILLISECOND)
