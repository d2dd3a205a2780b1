"""From a batch of queue messages to the events in them, and from failures back to messages.

A message holds a pack of events. Each event stands alone: what is wrong with one keeps no other
from being handled. But a message is done with only when all of its events are: else it comes back,
until the queue dead-letters it with all that it holds. Nothing is ever skipped, and to handle an
event again is harmless.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, TypedDict, TypeVar

from msgspec import Struct

from ledger.consuming.events import MalformedMessageError, checked_event, texts_of_message
from ledger.contracts.events import CorruptEventError, Event, UnknownEventError, entries_of
from ledger.contracts.primitives import microseconds_of_instant
from ledger.runtime.sqs import BatchAnswer, Record, batch_answer, delay_retries, has_time

if TYPE_CHECKING:
    from typing import Unpack

    from mypy_boto3_sqs import SQSClient

    from ledger.runtime.telemetry import Line, Telemetry

#: What is handled in one go, in entries: accounts touched by events. 500 payments of two accounts;
#: the 60 KB of a pack of payments of 45 postings touch some 500, too.
PART_ENTRIES_MAX: Final = 1_000
#: No part is begun with less time left: 1,000 writes, ten at a time, take half a second, and more
#: when the store is slow.
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
    """What became of some events: error codes by the place of the one that failed, and counts for
    the log line, by metric name."""

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
        handle, read=checked_event, entries=lambda event: len(entries_of(event)), **world
    )


def make_reader(
    handle: Handle[_M],
    *,
    read: Callable[[str], _M],
    entries: Callable[[_M], int],
    reserved_ms: int = RESERVED_MS,
    **world: Unpack[World],
) -> Consumer:
    """A handler of batches of messages from the ledger bus that hands what `read` makes of the
    text of each event to `handle`.

    `read` raises CorruptEventError or UnknownEventError; `entries` says how much work one is, see
    PART_ENTRIES_MAX; no part is begun with less than `reserved_ms` left. The answer names the
    messages of which any event failed; their next attempt is brought forward to a jittered
    back-off.
    """

    def handler(event: dict[str, Any], context: object) -> BatchAnswer:
        with world["telemetry"].invocation(context) as line:
            records: Sequence[Record] = event["Records"]
            opened, failed = _opened(records, read)
            counts: Counter[str] = Counter()
            for part in _parts(opened, entries):
                if not has_time(context, reserved_ms):
                    failed += [(place, NOT_TRIED) for place, _ in part]
                    continue
                handled = handle([found for _, found in part])
                failed += [(part[at][0], code) for at, code in handled.failed.items()]
                counts.update(handled.counts)
            back = [records[place] for place in sorted({place for place, _ in failed})]
            counts["Events"] = len(opened)
            _report(line, len(records), len(back), Counter(code for _, code in failed), counts)
            _report_lag(line, [found for _, found in opened], world["clock"]())
            if back:
                line.note(
                    "delays_refused",
                    delay_retries(world["sqs"], world["queue_url"], back, world["random"]),
                )
            return batch_answer(back)

    return handler


def _opened(
    records: Sequence[Record], read: Callable[[str], _M]
) -> tuple[list[tuple[int, _M]], list[tuple[int, str]]]:
    """What is in a batch, each with its message's place; and why something in one is nothing."""
    opened: list[tuple[int, _M]] = []
    refused: list[tuple[int, str]] = []
    for place, record in enumerate(records):
        try:
            texts = texts_of_message(record["body"])
        except MalformedMessageError:
            refused.append((place, "malformed_message"))
            continue
        for text in texts:
            try:
                opened.append((place, read(text)))
            except CorruptEventError:
                refused.append((place, "corrupt_event"))
            except UnknownEventError:
                refused.append((place, "unknown_event"))
    return opened, refused


def _parts(
    opened: Sequence[tuple[int, _M]], entries: Callable[[_M], int]
) -> Iterator[Sequence[tuple[int, _M]]]:
    """What is in a batch, in runs of at most PART_ENTRIES_MAX entries; whatever message it is of,
    as only accounts that several events touch are written once for all of them."""
    start = total = 0
    for at, (_, found) in enumerate(opened):
        touched = entries(found)
        if total + touched > PART_ENTRIES_MAX and at > start:
            yield opened[start:at]
            start, total = at, 0
        total += touched
    if opened:
        yield opened[start:]


def _report(
    line: Line,
    received: int,
    failed: int,
    codes: Mapping[str, int],
    counts: Mapping[str, int],
) -> None:
    """Counts of messages, and why events in them failed: an event, not a message, has a code."""
    line.count("Messages", received)
    line.count("MessagesFailed", failed)
    for name, value in counts.items():
        line.count(name, value)
    if codes:
        line.note("failures", {code: codes[code] for code in sorted(codes)})
        line.warn()


def _report_lag(line: Line, found: Sequence[Recorded], now: int) -> None:
    if found:
        oldest = microseconds_of_instant(min(one.recorded_at for one in found))
        lag = max(0, now - oldest)  # clocks differ: a lag is never negative
        line.milliseconds("LagMilliseconds", lag // _MICROSECONDS_PER_MILLISECOND)
