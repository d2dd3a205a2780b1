"""What the scorer remembers of a customer's account: bounded, in integers, replay-safe.

The features are a function of the *set* of events that were observed, whatever their order and
however often each came:

- An event is observed once: `versions` has every version of the account that was, as intervals.
- An event says by itself what it counts as, whatever became of its payment before or after it.
- Sums lie in buckets of time, so they can be added in any order. Which buckets are kept follows
  from the newest time seen alone; what is older is dropped whether it comes early or late.
- Of the payees those paid last are kept, by (day, hash). That pair only grows for a payee, so one
  that was ever crowded out by others stays so until it is paid on a later day. Of the days on which
  a payee was paid the latest are kept, by the same pair, and with it how often: what was ever
  crowded out stays so for good.

Time is the effective time, so that a history that was imported is one, but never later than the
recorded time, so that nobody's slip of a date lets all the rest look old. It is counted in whole
hours since 1970 in UTC; days and weeks are 24 and 168 of those.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Final

from msgspec import Struct

from ledger.contracts.events import (
    AccountEntry,
    AccountEvent,
    AccountOpened,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentIncreased,
    PaymentPosted,
    entries_of,
    entry_moved_minor,
    entry_pended_minor,
)
from ledger.contracts.primitives import microseconds_of_instant

#: The last 24 hours are measured; the rest leaves half a day for payments that come late.
HOURS_KEPT: Final = 36
#: A quarter of a year makes the norm; the one more is for payments of last week that come late.
WEEKS_KEPT: Final = 14
#: A payee not paid for a quarter is new again.
PAYEE_DAYS_KEPT: Final = 91
#: 7 bytes each. Who pays more people than this in a quarter is not judged by whether one is new.
PAYEES_MAX: Final = 32
#: 8 bytes each: a week or more of somebody who pays three people a day.
PAID_MAX: Final = 24
#: Runs of versions seen. Events on their way make some; a lost one makes one until it is repaired.
#: 1,000 runs are 2 to 4 KB: beyond it events are refused, and come back when gaps have closed.
RUNS_MAX: Final = 1_000
#: Wide enough that two of 32 payees share a hash once in 69 million accounts.
PAYEE_HASH_BITS: Final = 35

#: Each stripe of a striped account has versions of its own. They are remembered one stripe behind
#: the other, in numbers that no account lives to see.
STRIPE_VERSIONS: Final = 2**40

HOUR_MICROSECONDS: Final = 3_600_000_000
DAY_HOURS: Final = 24
WEEK_HOURS: Final = 168
#: Whose behaviour has a norm: what a customer holds is the bank's liability. Other types of account
#: are the bank's own (cash, fees, settlement) and are neither remembered nor judged.
CUSTOMER: Final = "liability"

Sums = tuple[int, int, int]
"""A number of payments, the sum of their amounts, and the sum of the squares of those."""


class TooManyGapsError(Exception):
    """So many versions of an account are missing that this one cannot be remembered yet."""


class Features(Struct, frozen=True, kw_only=True):
    """What is remembered of one account. Mappings are never changed in place.

    `opened_hour` is None until the opening arrived, `newest_hour` is that of the newest payment.
    `sent` and `received` have what left and came in by hour, `sent_weeks` what left by week;
    `payees` the last day that each was paid, by hash; `paid` how often a payee was on a day, by
    (day, hash).
    """

    versions: tuple[tuple[int, int], ...] = ()
    opened_hour: int | None = None
    newest_hour: int = 0
    sent: Mapping[int, Sums] = {}
    received: Mapping[int, int] = {}
    sent_weeks: Mapping[int, Sums] = {}
    payees: Mapping[int, int] = {}
    paid: Mapping[tuple[int, int], int] = {}

    def has_seen(self, version: int) -> bool:
        """Whether the event that made this version was observed."""
        place = bisect_left(self.versions, (version + 1,)) - 1
        return place >= 0 and version <= self.versions[place][1]


class Movement(Struct, frozen=True, kw_only=True):
    """What one event did to one customer's account, or to a stripe of it: nothing but a version, if
    no money moved."""

    account: str
    version: int
    hour: int
    opened: bool = False
    sent_minor: int = 0
    received_minor: int = 0
    payees: frozenset[int] = frozenset()


def movements(event: AccountEvent) -> tuple[Movement, ...]:
    """What an event did to each customer's account, and each stripe of one, that it touched.

    A hold is a payment: it counts as sent when it is made, and what is added to it when that is. It
    counts as received when it is captured: nobody can spend it before. What is released or reversed
    undoes nothing that a customer did, and is no income: it counts as neither.
    """
    customers = {entry.id for entry in entries_of(event) if entry.type == CUSTOMER}
    hour = hour_of(min(event.effective_at, event.recorded_at))  # of one form: text order is time's
    found = []
    for entry in entries_of(event):
        if entry.id not in customers:
            continue
        sent, received = _moved_minor(event, entry)
        found.append(
            Movement(
                account=entry.id,
                version=entry.stripe_number * STRIPE_VERSIONS + entry.version,
                hour=hour,
                opened=isinstance(event, AccountOpened),
                sent_minor=sent,
                received_minor=received,
                payees=_payees_of(event, entry.id, customers),
            )
        )
    return tuple(found)


def observed(features: Features, movement: Movement) -> Features:
    """The features with `movement` among what was observed; unchanged if it was already.

    Raises TooManyGapsError.
    """
    if features.has_seen(movement.version):
        return features
    versions = _with_version(features.versions, movement.version)
    if len(versions) > RUNS_MAX:
        raise TooManyGapsError
    # What lies before 1970 counts as its first hour: hours are stored without a sign.
    opened_hour = max(0, movement.hour) if movement.opened else features.opened_hour
    hour = movement.hour
    newest = max(features.newest_hour, hour) if _moves(movement) else features.newest_hour
    sent, weeks, received = features.sent, features.sent_weeks, features.received
    payees, paid = dict(features.payees), dict(features.paid)
    if movement.sent_minor:
        sent = _with_payment(sent, hour, movement.sent_minor)
        weeks = _with_payment(weeks, hour // WEEK_HOURS, movement.sent_minor)
        day = hour // DAY_HOURS
        for payee in movement.payees:
            payees[payee] = max(day, payees.get(payee, day))
            paid[day, payee] = paid.get((day, payee), 0) + 1
    if movement.received_minor:
        received = {**received, hour: received.get(hour, 0) + movement.received_minor}
    oldest_hour = newest - HOURS_KEPT
    oldest_week = newest // WEEK_HOURS - WEEKS_KEPT
    oldest_day = newest // DAY_HOURS - PAYEE_DAYS_KEPT
    fresh = sorted((day, payee) for payee, day in payees.items() if day > oldest_day)
    latest = sorted(key for key in paid if key[0] > oldest_day)
    return Features(
        versions=versions,
        opened_hour=opened_hour,
        newest_hour=newest,
        sent={at: sums for at, sums in sent.items() if at > oldest_hour},
        received={at: total for at, total in received.items() if at > oldest_hour},
        sent_weeks={at: sums for at, sums in weeks.items() if at > oldest_week},
        payees={payee: day for day, payee in fresh[-PAYEES_MAX:]},
        paid={key: paid[key] for key in latest[-PAID_MAX:]},
    )


def hour_of(instant: str) -> int:
    """Whole hours since 1970 of an instant in the stored form."""
    return microseconds_of_instant(instant) // HOUR_MICROSECONDS


def payee_hash(account: str) -> int:
    """What a payee is remembered by: ids are up to 64 bytes long, and nobody else's business."""
    digest = blake2b(account.encode(), digest_size=8, person=b"fraud.payee.1").digest()
    return int.from_bytes(digest, "big") >> (64 - PAYEE_HASH_BITS)


def _moves(movement: Movement) -> bool:
    return movement.sent_minor > 0 or movement.received_minor > 0


def _moved_minor(event: AccountEvent, entry: AccountEntry) -> tuple[int, int]:
    """What an account (sent, received) by an event, on one of its stripes; see `movements`."""
    if isinstance(event, PaymentAuthorized | PaymentIncreased):
        return entry_pended_minor(event, entry)[0], 0
    if isinstance(event, PaymentPosted):
        return entry_moved_minor(event, entry)
    if isinstance(event, PaymentCaptured):
        return 0, entry_moved_minor(event, entry)[1]
    return 0, 0


def _payees_of(event: AccountEvent, account: str, customers: Iterable[str]) -> frozenset[int]:
    """The customers that `account` pays; a fee is paid to the bank, which is nobody new.

    An increase pays nobody once more: its payees are those of its hold.
    """
    if not isinstance(event, PaymentPosted | PaymentAuthorized):
        return frozenset()
    paid = {posting.destination for posting in event.postings if posting.source == account}
    return frozenset(payee_hash(payee) for payee in paid.intersection(customers))


def _with_version(runs: tuple[tuple[int, int], ...], version: int) -> tuple[tuple[int, int], ...]:
    """The runs (first, last) of versions with one more, which is in none of them."""
    place = bisect_left(runs, (version,))
    first = last = version
    before, after = place, place
    if place and runs[place - 1][1] == version - 1:
        before, first = place - 1, runs[place - 1][0]
    if place < len(runs) and runs[place][0] == version + 1:
        after, last = place + 1, runs[place][1]
    return (*runs[:before], (first, last), *runs[after:])


def _with_payment(buckets: Mapping[int, Sums], at: int, amount_minor: int) -> Mapping[int, Sums]:
    count, total, squares = buckets.get(at, (0, 0, 0))
    return {**buckets, at: (count + 1, total + amount_minor, squares + amount_minor**2)}
