"""What was in the projections, and in the list of reviews, when: what their functions were done
with, and what was shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from ledger.contracts.events import (
    AccountEvent,
    CommandRejected,
    LaterPaymentEvent,
    PaymentAuthorized,
    PaymentPosted,
    PaymentScreened,
    ProfileEvent,
)
from simulation.auditor.facts import Facts
from simulation.auditor.questions.seen import Seen
from simulation.auditor.recorded import Recorded

#: Microseconds after which an index surely shows what was written: it follows within seconds, and
#: seldom within minutes.
SETTLED: Final = 240_000_000
POINTER: Final = "#generations"


class Projected:
    """The versions that were surely in the balances and in the payments, by the instant."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._accounts: defaultdict[str, Seen] = defaultdict(Seen)
        self._profiles: defaultdict[str, Seen] = defaultdict(Seen)
        self._payments: defaultdict[str, Seen] = defaultdict(Seen)
        self._origins: dict[str, int] = {}
        """When it was first there what a payment is: without that it is in no list."""
        self._reviews: dict[str, int] = {}
        """When each verdict that is not clear was first there, by its place."""
        self._moved: dict[str, int] = {}

    def done(self, projection: str, made: Recorded, now: int) -> None:
        """The function of a projection is done with an event."""
        event = made.event
        if projection == "balances" and isinstance(event, AccountEvent):
            for entry in event.accounts:
                self._accounts[entry.key.id].add(now, entry.version)
                if isinstance(event, ProfileEvent) and not entry.stripe_number:
                    self._profiles[entry.id].add(now, entry.version)
        elif projection == "payments":
            if isinstance(event, LaterPaymentEvent):
                self._payments[event.payment].add(now, event.entry.version)
            elif isinstance(event, PaymentPosted | PaymentAuthorized | CommandRejected):
                self.payment_shown(event.id, 1, now)
        elif isinstance(event, PaymentScreened) and projection == "fraud":
            if event.verdict == "clear":
                return
            self._reviews.setdefault(place_of(made, event.id), now)

    def account_shown(self, name: str, version: int, now: int) -> None:
        """An account, or a stripe (by the id of its key), was shown to somebody."""
        self._accounts[name].add(now, version)

    def payment_shown(self, name: str, version: int, now: int) -> None:
        """A payment was there as what it is, at that version."""
        self._payments[name].add(now, version)
        self._origins.setdefault(name, now)

    def moved(self, table: str, now: int) -> None:
        """Which generations a projection's table has, or is read of, was changed."""
        self._moved[table] = now

    def has_settled(self, table: str, at: int) -> bool:
        """Whether by that instant, and since, readers went by one generation for long."""
        return self._moved.get(table, 0) < at - SETTLED

    def account_before(self, name: str, at: int) -> int:
        """The version of an account, or a stripe, that was there before that instant; 0 if none
        was."""
        seen = self._accounts.get(name)
        return seen.before(at) if seen else 0

    def width_before(self, name: str, at: int) -> int:
        """How many stripes an account was surely known to have before that instant."""
        seen = self._profiles.get(name)
        described = self._facts.accounts.at_version(name, seen.before(at)) if seen else None
        return described.width if described else 0

    def payment_before(self, name: str, at: int) -> int:
        """Likewise of a payment."""
        seen = self._payments.get(name)
        return seen.before(at) if seen else 0

    def listed_accounts(self, under: str, at: int) -> Iterator[str]:
        """The ids of the accounts at or under a path that are surely listed at that instant."""
        for name in self._facts.accounts.of:
            if lies_under(name, under) and self.account_before(name, at - SETTLED):
                yield name

    def listed_payments(self, status: str, at: int) -> Iterator[str]:
        """The places of the payments that are surely listed in a status at that instant, and have
        not left it since."""
        settled = at - SETTLED
        if status == "rejected":
            for name, refused in self._facts.refused.items():
                if self._origins.get(name, at) < settled:
                    yield place_of(refused, name)
            return
        for name, life in self._facts.payments.of.items():
            if life[-1].status != status or self._origins.get(name, at) >= settled:
                continue
            since = self.payment_before(name, settled)
            if since and all(fact.status == status for fact in life[since - 1 :]):
                yield place_of(life[0].made, name)

    def listed_reviews(self, at: int) -> Iterator[str]:
        """The places of the verdicts that are surely in the list of reviews at that instant."""
        return (place for place, since in self._reviews.items() if since < at - SETTLED)


def lies_under(account: str, path: str) -> bool:
    """Whether an account is at a path or under it."""
    return account == path or account.startswith(f"{path}:")


def place_of(made: Recorded, id: str) -> str:
    """Where a payment or a review is in the order of the lists."""
    return f"{made.event.recorded_at}#{id}"
