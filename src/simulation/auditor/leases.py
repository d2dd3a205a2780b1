"""The stripes of an account share its limits to the last minor unit. Judged by the events alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from ledger.contracts.events import AccountEvent, AlertsSet, CommandRejected, PaymentEvent
from simulation.auditor.facts import AccountFact, Facts
from simulation.auditor.findings import Findings
from simulation.auditor.movements import judged
from simulation.auditor.recorded import Recorded

#: Reasons that are of an account as a whole.
_OF_SUMS: Final = frozenset({"insufficient_funds", "balance_limit_exceeded", "account_not_empty"})
_Bound = Literal["lowest", "highest"]
_BOUNDS: Final[tuple[_Bound, ...]] = ("lowest", "highest")


class Leases:
    """Looks at the stripes of the accounts of every event, after the facts have taken it."""

    def __init__(self, facts: Facts, findings: Findings) -> None:
        self._facts = facts
        self._findings = findings

    def take(self, made: Recorded) -> None:
        """The newest event."""
        event = made.event
        if isinstance(event, CommandRejected) and event.reason in _OF_SUMS:
            self._check_refusal(event)
        if not isinstance(event, AccountEvent):
            return
        for name in dict.fromkeys(entry.id for entry in event.accounts):
            stripes = self._facts.whole(name)
            if len(stripes) == 1:
                continue
            touched = [one for one in stripes if one.made is made]
            if len(touched) < len(stripes) and not isinstance(event, PaymentEvent | AlertsSet):
                self._report(made, name, "was changed, and not all of its stripes")
            for bound in _BOUNDS:
                self._check(made, name, stripes, bound)
            first = event.accounts[[one.id for one in event.accounts].index(name)].key
            for one in touched:
                if isinstance(event, PaymentEvent) and one.entry.key != first:
                    self._check_giver(made, one)

    def _check(
        self, made: Recorded, name: str, stripes: Sequence[AccountFact], bound: _Bound
    ) -> None:
        profile = stripes[0].profile
        limit = profile.min_balance_minor if bound == "lowest" else profile.max_balance_minor
        leases = [one.floor if bound == "lowest" else one.ceiling for one in stripes]
        let = [lease for lease in leases if lease is not None]
        if not let:
            return  # every payment that goes further looks at all
        if limit is None or len(let) < len(leases):
            self._report(made, name, f"has leases {leases} of its {bound} balance {limit}")
        elif sum(let) != limit:
            self._report(made, name, f"has leases of {sum(let)}; its {bound} balance is {limit}")
        for one, lease in zip(stripes, let, strict=False):
            balances = judged(one.profile, one.entry.type, one.totals)
            room = balances[0] - lease if bound == "lowest" else lease - balances[1]
            if room < 0:
                self._report(made, name, f"has a stripe that is {-room} beyond its lease {lease}")

    def _check_refusal(self, event: CommandRejected) -> None:
        """What is refused for the sum over all stripes names them all: then none has changed."""
        named = {(cause.kind, cause.id) for cause in event.causes}
        for cause in event.causes:
            stripes = self._facts.whole(cause.id) if cause.kind == "account" else []
            if not named.issuperset(one.entry.key for one in stripes):
                self._findings.report(
                    "causes_are_current",
                    f"A refusal for {event.reason} does not name every stripe of {cause.id}.",
                    event.id,
                    cause.id,
                )

    def _check_giver(self, made: Recorded, one: AccountFact) -> None:
        """A stripe that money does not move on is there for its leases, or not at all."""
        before = self._facts.lives(one.entry.key).at_version(one.entry.key.id, one.version - 1)
        if before and (before.floor, before.ceiling) == (one.floor, one.ceiling):
            self._report(made, one.entry.id, f"has a new version of {one.entry.key.id} for nothing")

    def _report(self, made: Recorded, name: str, what: str) -> None:
        self._findings.report(
            "leases_add_up", f"By {made.type} {made.id} account {name} {what}.", made.id, name
        )
