"""How often each kind of fault strikes, by profile.

A rate is the probability at one opportunity: a call, a delivery, an invocation, a worker's start.
Opportunities differ by kind a thousandfold, and so do the rates. Heavy is set so that every kind
occurs in a run of 2,000 commands and nearly every command still gets through.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from simulation.faults.kinds import Fault


class Profile(StrEnum):
    """How often faults strike. The texts are those of the command line."""

    NONE = "none"
    LIGHT = "light"
    HEAVY = "heavy"


#: How much rarer everything is in a light run.
_LIGHT: Final = 0.1
_OFTEN_MAX: Final = 0.5

_HEAVY: Final[Mapping[Fault, float]] = {
    # At every client call, some 50 for a command
    Fault.CALL_REFUSED: 0.002,
    Fault.CALL_ANSWER_LOST: 0.002,
    Fault.CALL_TIMED_OUT_BEFORE: 0.0005,
    Fault.CALL_TIMED_OUT_AFTER: 0.0005,
    Fault.CALL_OVERTAKEN: 0.0005,
    Fault.CALL_SLOW: 0.003,
    Fault.CALL_THROTTLED: 0.002,
    Fault.CRASH_BEFORE_CALL: 0.0005,
    Fault.CRASH_DURING_CALL: 0.0005,
    Fault.CRASH_AFTER_CALL: 0.0005,
    # At every operation of its kind on a table
    Fault.TABLE_THROTTLED: 0.0005,
    Fault.PARTITION_THROTTLED: 0.001,
    Fault.TRANSACTION_CONFLICT: 0.01,
    Fault.TRANSACTION_SLOW: 0.005,
    Fault.STALE_READ: 0.1,
    Fault.TORN_READ: 0.1,
    Fault.KEYS_UNPROCESSED: 0.02,
    Fault.ITEMS_UNPROCESSED: 0.1,
    Fault.SMALL_PAGE: 0.1,
    Fault.INDEX_LATE: 0.05,
    # At every record or batch of a stream
    Fault.RECORDS_INTERLEAVED: 0.2,
    Fault.STREAM_LATE: 0.05,
    Fault.STREAM_BATCH_RETRIED: 0.02,
    Fault.STREAM_GIVEN_UP: 0.002,
    # At every entry, delivery or message
    Fault.PUT_EVENTS_ENTRY_FAILED: 0.02,
    Fault.BUS_DUPLICATE: 0.03,
    Fault.BUS_LATE: 0.05,
    Fault.BUS_DELIVERY_RETRIED: 0.02,
    Fault.BUS_DELIVERY_DEAD: 0.001,
    Fault.QUEUE_DUPLICATE: 0.02,
    Fault.QUEUE_REORDERED: 0.1,
    Fault.QUEUE_ENTRY_FAILED: 0.02,
    Fault.VISIBILITY_EXPIRED: 0.005,
    Fault.MESSAGE_DEAD: 0.001,
    Fault.TOPIC_ENTRY_FAILED: 0.02,
    # At every invocation, or start of a worker
    Fault.FUNCTION_TIMED_OUT: 0.001,
    Fault.FUNCTION_THROTTLED: 0.005,
    Fault.WORKER_RECYCLED: 0.01,
    Fault.CLOCK_SKEWED: 0.8,
    Fault.CLOCK_STEPPED: 0.02,
    Fault.SCHEDULE_LATE: 0.1,
    Fault.SCHEDULE_REPEATED: 0.05,
    # At every request of a caller or to an endpoint
    Fault.REPLY_LOST: 0.03,
    Fault.CALLER_REPEATED: 0.03,
    Fault.ENDPOINT_FAILED: 0.05,
    Fault.ENDPOINT_ANSWER_LOST: 0.02,
    # Once an hour, for each service
    Fault.SERVICE_OUTAGE: 0.2,
}
#: What a run without faults has none of: its workers' clocks agree, too.
_RATES: Final[Mapping[Profile, Mapping[Fault, float]]] = {
    Profile.NONE: {},
    Profile.LIGHT: {fault: rate * _LIGHT for fault, rate in _HEAVY.items()},
    Profile.HEAVY: _HEAVY,
}


def rates_of(
    profile: Profile, *, kinds: Collection[str] | None = None, often: int = 1
) -> Mapping[Fault, float]:
    """The rates of a profile: of these kinds alone if they are named, and so many times as often.
    Raises KeyError for no kind."""
    rates = _RATES[profile]
    kept = frozenset(rates if kinds is None else (Fault[name] for name in kinds))
    if often == 1:
        return {fault: rate for fault, rate in rates.items() if fault in kept}
    # What always struck would never let anything through.
    return {
        fault: max(rate, min(rate * often, _OFTEN_MAX))
        for fault, rate in rates.items()
        if fault in kept
    }
