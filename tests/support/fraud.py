"""Customers' payments as the fraud scorer gets them, spread over hours and weeks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from msgspec import UNSET

from consumers.fraud.features import HOUR_MICROSECONDS, Features, Movement, observed
from consumers.fraud.measures import Measures
from ledger.contracts.commands import Posting
from ledger.contracts.events import (
    AccountEntry,
    AccountEvent,
    AccountOpened,
    LaterPaymentEvent,
    PaymentAuthorized,
    PaymentEntry,
    PaymentEvent,
    PaymentPosted,
    PaymentScreened,
    PaymentVoided,
)
from ledger.contracts.primitives import instant_of_microseconds

#: The hour in which the stories begin: a Monday's first, 2026-01-05T00:00Z.
MONDAY = 490_896
DAY = 24
WEEK = 168

Leg = tuple[str, str, int]
#: What became of a payment in all: the scorer does not ask.
ENTRY = PaymentEntry(version=1, status="held")


@dataclass
class Ledger:
    """Makes events of accounts whose versions are dense; accounts `bank:…` are the bank's own."""

    versions: Counter[str] = field(default_factory=Counter)
    events: list[AccountEvent] = field(default_factory=list)

    def open(self, account: str, hour: int = MONDAY) -> AccountOpened:
        """Open an account."""
        at = instant(hour)
        event = AccountOpened(
            v=1,
            id=f"open-{account}",
            recorded_at=at,
            effective_at=at,
            actor="tests",
            account=account,
            currency="EUR",
            account_type="liability",
            min_balance_minor=0,
            max_balance_minor=None,
            accounts=(self._entry(account),),
        )
        self.events.append(event)
        return event

    def pay(self, *legs: Leg, hour: int, id: str = "", effective: int | None = None) -> Any:
        """Post a payment of (source, destination, amount) legs."""
        return self._add(PaymentPosted, legs, hour, id, effective=effective)

    def hold(self, *legs: Leg, hour: int, id: str = "") -> Any:
        """Hold a payment."""
        return self._add(PaymentAuthorized, legs, hour, id, entry=ENTRY)

    def later(self, kind: type[LaterPaymentEvent], payment: str, *legs: Leg, hour: int) -> Any:
        """What becomes of a payment: `legs` are captured, added, released or given back."""
        asked: dict[str, Any] = {"by": "payment.void"} if kind is PaymentVoided else {}
        return self._add(kind, legs, hour, "", entry=ENTRY, payment=payment, **asked)

    def _add(
        self,
        kind: type[PaymentEvent],
        legs: Sequence[Leg],
        hour: int,
        id: str,
        *,
        effective: int | None = None,
        **more: Any,
    ) -> Any:
        make: Any = kind  # each type has fields of its own
        event = make(
            v=1,
            id=id or f"payment-{len(self.events)}",
            recorded_at=instant(hour),
            effective_at=instant(hour if effective is None else effective),
            actor="tests",
            postings=tuple(
                Posting(source=source, destination=destination, amount_minor=minor, currency="EUR")
                for source, destination, minor in legs
            ),
            accounts=tuple(
                self._entry(account)
                for account in dict.fromkeys(name for leg in legs for name in leg[:2])
            ),
            **more,
        )
        self.events.append(event)
        return event

    def _entry(self, account: str) -> AccountEntry:
        self.versions[account] += 1
        return AccountEntry(
            id=account,
            type="asset" if account.startswith("bank:") else "liability",
            version=self.versions[account],
            prev="before" if self.versions[account] > 1 else UNSET,
            debits_posted_minor=0,
            credits_posted_minor=0,
        )


def instant(hour: int) -> str:
    """The beginning of an hour, in the stored form."""
    return instant_of_microseconds(hour * HOUR_MICROSECONDS)


def customer(ledger: Ledger, name: str = "ann", *, weeks: int = 5, minor: int = 2_000) -> int:
    """An account that pays bob some `minor` twice a week; the hour after it all."""
    ledger.open(name)
    for week in range(weeks):
        for day in (1, 4):
            at = MONDAY + week * WEEK + day * DAY
            ledger.pay((name, "bob", minor + 100 * (day - week)), hour=at)
    return MONDAY + weeks * WEEK


def learned(movements: Sequence[Movement]) -> Features:
    """The features that observed these movements, in this order."""
    features = Features()
    for movement in movements:
        features = observed(features, movement)
    return features


def usual(**fields: int) -> Measures:
    """A payment like all others of a customer who pays 20.00, more or less, twice a week."""
    values = {
        "amount_minor": 2_000,
        "history": 10,
        "mean_minor": 2_000,
        "deviation_minor": 500,
        "payments_day": 1,
        "usual_payments_day": 1,
        "payees_new": 0,
        "payees_known": 4,
        "payee_times_day": 1,
        "usual_payee_times": 1,
        "sent_day_minor": 2_000,
        "received_day_minor": 0,
    }
    return Measures(account="ann", **(values | fields))


def recorded(payment: str = "p", verdict: Any = "block", **fields: Any) -> PaymentScreened:
    """A verdict as the ledger records it."""
    values: dict[str, Any] = {
        "id": f"screening:{payment}:rules-1",
        "recorded_at": instant(MONDAY),
        "model": "rules-1",
        "score_permille": 900,
        "reasons": (),
    }
    return PaymentScreened(
        v=1,
        actor="tests",
        effective_at=instant(MONDAY),
        payment=payment,
        verdict=verdict,
        **(values | fields),
    )


@st.composite
def histories(draw: st.DrawFn, size_max: int = 40) -> list[Movement]:
    """What events did to one account, each version once: dense in time, or over half a year."""
    start = draw(st.sampled_from([MONDAY, MONDAY, 0, -1, -15, -200, -60 * WEEK]))  # 0 is 1970
    span = draw(st.sampled_from([30, 400, 26 * WEEK]))
    crowd = draw(st.sampled_from([3, 60]))
    amounts = st.one_of(st.integers(0, 3), st.integers(1, 10**6), st.just(2**63 - 1))
    return [
        Movement(
            account="ann",
            version=version,
            hour=start + draw(st.integers(0, span)),
            opened=version == 1,
            sent_minor=draw(amounts),
            received_minor=draw(amounts),
            payees=frozenset(draw(st.sets(st.integers(1, crowd), max_size=12))),
        )
        for version in range(1, draw(st.integers(1, size_max)) + 1)
    ]
