"""`ledger verify` of striped accounts: no stripe goes beyond its leases, and they add up.

Then the account as a whole is within its limits, whatever else its stripes did at the same time.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final, Literal, NamedTuple

from ledger.application.history_of_events import Link
from ledger.application.verification import Report
from ledger.contracts.events import AccountEvent, ProfileEvent
from ledger.domain.accounts import AccountState, judged_minor
from ledger.domain.striped import limit_of

_BOUNDS: Final[tuple[tuple[Literal["min", "max"], str, int], ...]] = (
    ("min", "floor_minor", 1),
    ("max", "ceiling_minor", -1),
)


class _Step(NamedTuple):
    """What an event did to one stripe; `before` is None if it made its first version."""

    before: AccountState | None
    after: AccountState


class Leases:
    """What events did to the stripes of accounts, event by event."""

    def __init__(self) -> None:
        self._steps: defaultdict[tuple[str, str], list[_Step]] = defaultdict(list)
        self.facts: dict[str, AccountEvent] = {}

    def take(
        self, before: AccountState | None, after: AccountState | None, here: Link, report: Report
    ) -> None:
        """Takes in one version of one stripe; `before` is None too behind what does not follow."""
        if after is None and before is not None and before.is_striped:
            where = f"version {here.entry.version} ({here.event})"
            report.found("leases_add_up", before.key.id, f"{where} makes no stripe that can be")
        if after is None or not after.is_striped or (before is None and after.version > 1):
            return
        self.facts[here.event] = here.fact
        self._steps[here.event, after.id].append(_Step(before, after))

    def whole(self) -> list[tuple[AccountEvent, list[_Step]]]:
        """Events of which every stripe was seen that they changed: others came since."""
        return [
            (self.facts[event], steps)
            for (event, account), steps in self._steps.items()
            if len(steps) == sum(entry.id == account for entry in self.facts[event].accounts)
        ]


def verify_leases(leases: Leases, report: Report) -> None:
    """Judges every event that changed stripes, by what it says of each of them."""
    for fact, steps in leases.whole():
        report.looked_at("leases_add_up")
        for bound, name, sign in _BOUNDS:
            problem = _overdrawn(steps, bound, name, sign) if _moves(fact) else None
            problem = problem or _unbalanced(fact, steps, bound, name)
            if problem:
                account = steps[0].after.id
                report.found("leases_add_up", account, f"{fact.id}: {problem}")


def _moves(fact: AccountEvent) -> bool:
    """Whether it leaves the account what it is: then it may touch some of its stripes alone."""
    return not isinstance(fact, ProfileEvent)


def _overdrawn(
    steps: list[_Step], bound: Literal["min", "max"], name: str, sign: int
) -> str | None:
    """A stripe that a payment took nearer to the limit without a lease that allows it."""
    for before, after in steps:
        limit, basis = limit_of(after, bound)
        if before is None or limit is None:
            continue
        was, now = judged_minor(before, bound, basis), judged_minor(after, bound, basis)
        lease = getattr(after, name)
        if sign * (now - was) < 0 and (lease is None or sign * (now - lease) < 0):
            return f"stripe {after.stripe} goes beyond its {name}"
    return None


def _unbalanced(
    fact: AccountEvent, steps: list[_Step], bound: Literal["min", "max"], name: str
) -> str | None:
    """Leases that do not add up to what they did before, or to the limit where all are new."""
    had = [getattr(before, name) if before else None for before, _ in steps]
    has = [getattr(after, name) for _, after in steps]
    if _moves(fact) and had == has:
        return None
    limit, _ = limit_of(steps[0].after, bound)
    if _moves(fact) and None not in had:
        expected: int | None = sum(lease or 0 for lease in had)
    elif len(steps) != steps[0].after.stripes_made:
        return f"{name} of some stripes alone"
    elif set(has) == {None} and not _moves(fact):
        return None
    else:
        expected = limit
    if None in has or sum(lease or 0 for lease in has) != expected:
        return f"{name} add up to {_shown(has)}, not {expected}"
    return None


def _shown(leases: list[int | None]) -> str:
    return "nothing" if None in leases else str(sum(lease or 0 for lease in leases))
