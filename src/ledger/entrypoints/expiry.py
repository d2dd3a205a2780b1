"""The sweep: holds that have expired are released, every minute, whatever else happens.

No decision rests on it: a capture of an expired hold is refused by itself, and money that an
expired hold keeps from a payment is freed when the payment asks for it. The sweep gives back what
nobody asks for.

It is called with nothing, and what it cannot do in its time the next one does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypedDict

from ledger import bootstrap
from ledger.adapters.dynamodb.event_store import Meter
from ledger.application.commit import DECIDING_MILLISECONDS_MAX
from ledger.application.expiry import Swept, release_due
from ledger.application.ports import Clock
from ledger.contracts.primitives import microseconds_of_instant
from ledger.runtime.host import Host
from ledger.runtime.lazy import on_first_call
from ledger.runtime.sqs import has_time
from ledger.runtime.telemetry import Line, Telemetry

#: How many due holds are asked for at a time.
DUE_AT_A_TIME: Final = 100
_MICROSECONDS_A_SECOND: Final = 1_000_000

HasTime = Callable[[], bool]
"""Whether there is the time to release one more hold."""


class Answer(TypedDict):
    """What a sweep did, for whoever calls it by hand: the schedule does not listen."""

    expired: int
    failed: int


Handler = Callable[[dict[str, Any], object], Answer]


def make_handler(
    *,
    sweep: Callable[[HasTime], Swept],
    meter: Meter,
    clock: Clock,
    telemetry: Telemetry,
) -> Handler:
    """The handler of the schedule; what it is called with does not matter."""

    def handler(_: dict[str, Any], context: object) -> Answer:
        with telemetry.invocation(context) as line:
            swept = sweep(lambda: has_time(context, DECIDING_MILLISECONDS_MAX))
            _report(swept, meter, clock, line)
            return Answer(expired=swept.expired, failed=swept.failed)

    return handler


def _report(swept: Swept, meter: Meter, clock: Clock, line: Line) -> None:
    usage = meter.take()
    line.note("requests", usage.requests)
    line.note("write_units", round(usage.write_units))
    line.note("cancelled", usage.cancelled)
    line.count("CommandsDecided", swept.expired)
    line.count("HoldsExpired", swept.expired)  # 0 as well: an alarm sees that sweeps take place
    line.seconds("OldestDueSeconds", _age_seconds(swept.oldest_due, clock))
    if swept.failed:
        line.count("HoldsNotExpired", swept.failed)
        line.warn()
    if swept.causes:
        line.note("causes", dict(swept.causes))
    if conflicts := swept.causes.get("stale", 0) + swept.causes.get("conflict", 0):
        line.count("CommitConflicts", conflicts)
    if skewed := swept.causes.get("skewed", 0):
        line.count("ClockSkewRefused", skewed)


def _age_seconds(due_at: str | None, clock: Clock) -> int:
    """For how long a hold has been due; 0 if none is."""
    if due_at is None:
        return 0
    return max(0, clock() - microseconds_of_instant(due_at)) // _MICROSECONDS_A_SECOND


def build(host: Host) -> Handler:
    """The function. Raises SettingsError."""
    parts = bootstrap.command_parts(host)

    def sweep(has_time: HasTime) -> Swept:
        return release_due(
            parts.store, parts.commands, host.clock, limit=DUE_AT_A_TIME, has_time=has_time
        )

    return make_handler(
        sweep=sweep, meter=parts.store.meter, clock=host.clock, telemetry=host.telemetry()
    )


handler: Handler = on_first_call(build)
