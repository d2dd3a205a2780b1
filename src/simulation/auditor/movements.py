"""What an event may do to accounts: only what it says, within their limits, not while they are
frozen. Judged by the events alone."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.contracts.events import (
    AccountEntry,
    AccountEvent,
    AccountProfile,
    Event,
    PaymentEvent,
    moved_minor,
    pended_minor,
)
from ledger.contracts.primitives import AccountType
from simulation.auditor.facts import DEBIT_SIDE, AccountFact, Facts
from simulation.auditor.findings import Findings
from simulation.auditor.recorded import Recorded

Totals = tuple[int, int, int, int]


class Movements:
    """Looks at every event before the facts take it."""

    def __init__(self, facts: Facts, findings: Findings) -> None:
        self._facts = facts
        self._findings = findings

    def take(self, made: Recorded) -> None:
        """The event that is next."""
        event = made.event
        if not isinstance(event, AccountEvent):
            return
        seen: set[str] = set()
        for entry in event.accounts:
            before = self._facts.lives(entry.key).now(entry.key.id)
            moved = (0, 0, 0, 0)
            if entry.id not in seen:  # what moves, moves on the first stripe that is named
                moved = (*moved_minor(event, entry.id), *pended_minor(event, entry.id))
            seen.add(entry.id)
            self._check_totals(event, entry, before, moved)
            if before is not None:
                self._check_standing_still(event, entry, before)
                if isinstance(event, PaymentEvent):
                    self._check_limits(event, entry, before)

    def _check_totals(
        self, event: AccountEvent, entry: AccountEntry, before: AccountFact | None, moved: Totals
    ) -> None:
        totals = before.totals if before else (0, 0, 0, 0)
        expected = tuple(total + more for total, more in zip(totals, moved, strict=True))
        if totals_of(entry) != expected:
            self._findings.report(
                "totals_are_explained",
                f"Account {entry.id} had {totals}, the event moved {moved}, and it says that "
                f"there are {totals_of(entry)}.",
                event.id,
                entry.id,
            )

    def _check_standing_still(self, event: Event, entry: AccountEntry, before: AccountFact) -> None:
        if before.profile.status == "closed":
            self._findings.report(
                "frozen_stands_still", "An event changed a closed account.", event.id, entry.id
            )
        totals = zip(totals_of(entry), before.totals, strict=True)
        debits, credits_, held_debits, held_credits = (now - then for now, then in totals)
        grown = {"debits": max(debits, held_debits) > 0, "credits": max(credits_, held_credits) > 0}
        frozen = before.profile.frozen
        for side, grows in grown.items():
            if grows and frozen in (side, "both"):
                self._findings.report(
                    "frozen_stands_still",
                    f"An event added {side} to an account that is frozen for them.",
                    event.id,
                    entry.id,
                )

    def _check_limits(self, event: Event, entry: AccountEntry, before: AccountFact) -> None:
        profile, there = before.profile, self._facts.whole(entry.id)
        totals = _added(one.totals for one in there)
        others = _added(one.totals for one in there if one.entry.key != entry.key)
        least, most = judged(profile, entry.type, _added([others, totals_of(entry)]))
        least_before, most_before = judged(profile, entry.type, totals)
        lowest, highest = profile.min_balance_minor, profile.max_balance_minor
        if lowest is not None and least < min(lowest, least_before):
            self._findings.report(
                "limits_hold",
                f"An event took account {entry.id} from {least_before} to {least}; its lowest "
                f"balance is {lowest}.",
                event.id,
                entry.id,
            )
        if highest is not None and most > max(highest, most_before):
            self._findings.report(
                "limits_hold",
                f"An event took account {entry.id} from {most_before} to {most}; its highest "
                f"balance is {highest}.",
                event.id,
                entry.id,
            )


def totals_of(entry: AccountEntry) -> Totals:
    """Posted debits and credits, pending debits and credits."""
    return (
        entry.debits_posted_minor,
        entry.credits_posted_minor,
        entry.debits_pending_minor,
        entry.credits_pending_minor,
    )


def _added(every: Iterable[Totals]) -> Totals:
    debits, credits_, held_debits, held_credits = (
        sum(each) for each in zip((0, 0, 0, 0), *every, strict=True)
    )
    return debits, credits_, held_debits, held_credits


def judged(profile: AccountProfile, kind: AccountType, totals: Totals) -> tuple[int, int]:
    """The balances that the lowest and the highest one are held against."""
    debits, credits_, held_debits, held_credits = totals
    if kind in DEBIT_SIDE:
        balance, against, in_favour = debits - credits_, held_credits, held_debits
    else:
        balance, against, in_favour = credits_ - debits, held_debits, held_credits
    return (
        balance - (against if profile.min_balance_basis == "available" else 0),
        balance + (in_favour if profile.max_balance_basis == "available" else 0),
    )
