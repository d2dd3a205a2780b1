"""From queue messages to events, checked, and from failures back to messages.

Every message stands alone: one that is not an event of ours, or of a version not known here (a
newer release wrote it), fails by itself and comes back until the queue dead-letters it with its
payload. Nothing is ever skipped.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypedDict

from msgspec import UNSET, Struct

from ledger.contracts.commands import accounts_of
from ledger.contracts.envelopes import open_envelope
from ledger.contracts.events import (
    AccountEntry,
    CommandRejected,
    CorruptEventError,
    Event,
    UnknownEventError,
    decode_event,
    entries_of,
    request_of,
)
from ledger.contracts.primitives import (
    AMOUNT_MINOR_MAX,
    canonical_instant,
    is_id,
    microseconds_of_instant,
)
from ledger.runtime.sqs import BatchAnswer, Record, batch_answer, delay_retries

if TYPE_CHECKING:
    from typing import Unpack

    from mypy_boto3_sqs import SQSClient

    from ledger.runtime.telemetry import Line, Telemetry

_VERSION_MAX: Final = 2**63 - 1
#: Accounts touched by the events that are projected in one go. A usual batch (100 messages, two
#: accounts each) fits; 100 payments of 45 postings touch 9,000, half a minute of single writes.
PART_ENTRIES_MAX: Final = 500
#: No part is begun with less time left: 2.5 s for 500 writes, and more when the store is slow.
_RESERVED_MS: Final = 8_000
#: The code of what was left for another time, for lack of time or because the store is out.
NOT_TRIED: Final = "not_tried"
_MICROSECONDS_PER_MILLISECOND: Final = 1_000


class Projected(Struct, frozen=True):
    """What became of a batch of events: error codes by the place of the event that failed, and
    counts for the log line, by metric name."""

    failed: Mapping[int, str]
    counts: Mapping[str, int] = {}


Project = Callable[[Sequence[Event]], Projected]
Consumer = Callable[[dict[str, Any], object], BatchAnswer]


class World(TypedDict):
    """What a consumer needs of the world, whatever it projects.

    `random` draws from [0, 1); `clock` is microseconds since 1970 in UTC.
    """

    sqs: SQSClient
    queue_url: str
    random: Callable[[], float]
    clock: Callable[[], int]
    telemetry: Telemetry


class MalformedMessageError(ValueError):
    """A queue message that holds no event of ours."""


def event_of_message(body: str) -> Event:
    """The event in the body of a queue message, checked.

    Raises MalformedMessageError, CorruptEventError or UnknownEventError.
    """
    try:
        event = decode_event(open_envelope(body).detail)
    except ValueError:  # no envelope, or no text at all: a lone surrogate
        # `from None`: the cause may quote the body.
        raise MalformedMessageError("not an event of the ledger") from None
    check_event(event)
    return event


def check_event(event: Event) -> None:
    """Raises CorruptEventError unless a ledger can have recorded `event`.

    The store refuses to record such a thing; here it keeps a corrupted message from overwriting
    what is right, and from failing the messages that share its batch.
    """
    entries = entries_of(event)
    if not event.id or any(not _possible(entry) for entry in entries):
        raise CorruptEventError("an id, version or total out of range")
    if not isinstance(event, CommandRejected) and tuple(
        entry.id for entry in entries
    ) != accounts_of(request_of(event)):
        raise CorruptEventError("entries that are not those of the accounts moved")
    times = [event.recorded_at]
    if not isinstance(event, CommandRejected):
        times.append(event.effective_at)
    if not all(map(_is_instant, times)):
        raise CorruptEventError("a time that is not in the stored form")


def make_consumer(project: Project, **world: Unpack[World]) -> Consumer:
    """A handler of batches of queue messages that hands their events to `project`.

    The answer names the failed messages, whose next attempt is brought forward to a jittered
    back-off.
    """

    def handler(event: dict[str, Any], context: object) -> BatchAnswer:
        with world["telemetry"].invocation(context) as line:
            records: Sequence[Record] = event["Records"]
            opened, failed = _opened(records)
            counts: Counter[str] = Counter()
            for part in _parts(opened):
                if _remaining_ms(context) < _RESERVED_MS:
                    failed.update((place, NOT_TRIED) for place, _ in part)
                    continue
                projected = project([event for _, event in part])
                failed.update((part[at][0], code) for at, code in projected.failed.items())
                counts.update(projected.counts)
            back = [records[place] for place in sorted(failed)]
            _report(line, len(records), failed, counts)
            _report_lag(line, [event for _, event in opened], world["clock"]())
            if back:
                line.note(
                    "delays_refused",
                    delay_retries(world["sqs"], world["queue_url"], back, world["random"]),
                )
            return batch_answer(back)

    return handler


def _opened(records: Sequence[Record]) -> tuple[list[tuple[int, Event]], dict[int, str]]:
    """The events of a batch with their messages' places, and the codes of messages without one."""
    opened: list[tuple[int, Event]] = []
    refused: dict[int, str] = {}
    for place, record in enumerate(records):
        try:
            opened.append((place, event_of_message(record["body"])))
        except MalformedMessageError:
            refused[place] = "malformed_message"
        except CorruptEventError:
            refused[place] = "corrupt_event"
        except UnknownEventError:
            refused[place] = "unknown_event"
    return opened, refused


def _parts(opened: Sequence[tuple[int, Event]]) -> Iterator[Sequence[tuple[int, Event]]]:
    """The events in runs of at most PART_ENTRIES_MAX entries (one event is never split)."""
    start = entries = 0
    for at, (_, event) in enumerate(opened):
        touched = len(entries_of(event))
        if entries + touched > PART_ENTRIES_MAX and at > start:
            yield opened[start:at]
            start, entries = at, 0
        entries += touched
    if opened:
        yield opened[start:]


def _remaining_ms(context: object) -> float:
    """The time until Lambda ends the invocation; without end where the context does not say."""
    remaining: Callable[[], int] | None = getattr(context, "get_remaining_time_in_millis", None)
    return math.inf if remaining is None else remaining()


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


def _report_lag(line: Line, events: Sequence[Event], now: int) -> None:
    if events:
        oldest = microseconds_of_instant(min(event.recorded_at for event in events))
        lag = max(0, now - oldest)  # clocks differ: a lag is never negative
        line.milliseconds("LagMilliseconds", lag // _MICROSECONDS_PER_MILLISECOND)


def _possible(entry: AccountEntry) -> bool:
    totals = (
        entry.debits_posted_minor,
        entry.credits_posted_minor,
        entry.debits_pending_minor,
        entry.credits_pending_minor,
    )
    return (
        is_id(entry.id)
        and 1 <= entry.version <= _VERSION_MAX
        and (entry.version == 1) == (entry.prev is UNSET)
        and all(0 <= total <= AMOUNT_MINOR_MAX for total in totals)
    )


def _is_instant(text: str) -> bool:
    try:
        return canonical_instant(text) == text
    except ValueError:
        return False
