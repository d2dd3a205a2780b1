"""What a payment looks like beside what its payer usually does: integers, and no judgement yet.

Read as of the payment: buckets of later hours, which are there if events came out of order, do not
count. The norm leaves out the 24 hours up to the payment, so that a burst is measured against what
was usual before it and does not become usual by itself. Older weeks count less: their weight halves
every four weeks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from math import isqrt
from typing import Final

from msgspec import Struct

from consumers.fraud.features import DAY_HOURS, WEEK_HOURS, Features, Movement, Sums

#: 1000 * 2**(-age / 4) for a bucket's age in whole weeks, rounded; older ones do not count.
WEEK_WEIGHTS: Final = (1000, 841, 707, 595, 500, 420, 354, 297, 250, 210, 177, 149, 125)
_WEEK_DAYS: Final = 7
_NOTHING: Final[Sums] = (0, 0, 0)


class Measures(Struct, frozen=True, kw_only=True):
    """A payment and its payer's norm, as of the payment; amounts in minor units.

    `history` counts the payments behind the norm. `mean_minor` and `deviation_minor` are of their
    amounts, weighted. Whatever ends in `_day` covers the 24 hours up to the payment, it included,
    but `payee_times_day`, which is of its calendar day in UTC: how often the most paid of its
    payees was. `usual_payee_times` is the most that any payee was on an earlier day, of the days
    that are remembered.
    `payees_new` are those of this payment that are not among the `payees_known`.
    """

    account: str
    amount_minor: int
    history: int
    mean_minor: int
    deviation_minor: int
    payments_day: int
    usual_payments_day: int
    payees_new: int
    payees_known: int
    payee_times_day: int
    usual_payee_times: int
    sent_day_minor: int
    received_day_minor: int


def measured(features: Features, movement: Movement) -> Measures:
    """The measures of a payment that sent money, by features that have not observed it."""
    hour = movement.hour
    day_count, day_total, _ = reduce(_added, _sent_of_day(features, hour).values(), _NOTHING)
    norm = _norm(features, hour)
    count, total, squares = _weighted(norm)
    times, usual_times = _payee_times(features, movement)
    return Measures(
        account=movement.account,
        amount_minor=movement.sent_minor,
        history=sum(sums[0] for sums in norm.values()),
        mean_minor=total // count if count else 0,
        deviation_minor=isqrt(count * squares - total * total) // count if count else 0,
        payments_day=day_count + 1,
        usual_payments_day=_usual_day(features, norm, hour),
        payees_new=sum(payee not in features.payees for payee in movement.payees),
        payees_known=len(features.payees),
        payee_times_day=times,
        usual_payee_times=usual_times,
        sent_day_minor=day_total + movement.sent_minor,
        received_day_minor=sum(
            total for at, total in features.received.items() if hour - DAY_HOURS < at <= hour
        ),
    )


def _sent_of_day(features: Features, hour: int) -> Mapping[int, Sums]:
    return {at: sums for at, sums in features.sent.items() if hour - DAY_HOURS < at <= hour}


def _norm(features: Features, hour: int) -> Mapping[int, Sums]:
    """What was sent, by the age of its week, without the last 24 hours."""
    week = hour // WEEK_HOURS
    recent: dict[int, Sums] = {}
    for at, sums in _sent_of_day(features, hour).items():
        recent[at // WEEK_HOURS] = _added(recent.get(at // WEEK_HOURS, _NOTHING), sums)
    norm = {}
    for at, (count, total, squares) in features.sent_weeks.items():
        if 0 <= week - at < len(WEEK_WEIGHTS):
            fewer, less, lower = recent.get(at, _NOTHING)
            norm[week - at] = (count - fewer, total - less, squares - lower)
    return norm


def _weighted(norm: Mapping[int, Sums]) -> Sums:
    """The sums over all weeks, a thousandfold, the older ones for less."""
    return reduce(
        _added, (_scaled(sums, WEEK_WEIGHTS[age]) for age, sums in norm.items()), _NOTHING
    )


def _usual_day(features: Features, norm: Mapping[int, Sums], hour: int) -> int:
    """Payments a day on the weighted average since the account is known, rounded up."""
    week = hour // WEEK_HOURS
    first = min(features.sent_weeks, default=week)
    if features.opened_hour is not None:
        first = min(first, features.opened_hour // WEEK_HOURS)
    weeks = min(max(week - first, 0) + 1, len(WEEK_WEIGHTS))
    days = _WEEK_DAYS * sum(WEEK_WEIGHTS[:weeks])
    return -(-_weighted(norm)[0] // days)


def _payee_times(features: Features, movement: Movement) -> tuple[int, int]:
    """How often the most paid of the payees is paid on this day, and the most that is usual."""
    day = movement.hour // DAY_HOURS
    today = [features.paid.get((day, payee), 0) for payee in movement.payees]
    earlier = [times for (paid_on, _), times in features.paid.items() if paid_on < day]
    return max(today, default=0) + 1, max(earlier, default=1)


def _added(some: Sums, more: Sums) -> Sums:
    return some[0] + more[0], some[1] + more[1], some[2] + more[2]


def _scaled(sums: Sums, factor: int) -> Sums:
    return sums[0] * factor, sums[1] * factor, sums[2] * factor
