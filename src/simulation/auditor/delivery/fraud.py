"""Is every payment of a customer screened, once, and is the verdict that was given recorded?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ledger.contracts.events import PaymentAuthorized, PaymentPosted, moved_minor, pended_minor
from ledger.contracts.primitives import AccountType
from simulation.auditor.delivery.letters import Letters
from simulation.auditor.facts import Facts
from simulation.auditor.findings import Findings
from simulation.auditor.world import View
from simulation.wiring.model import Wiring

#: Customers' money is what the ledger's owner owes them.
_CUSTOMER: AccountType = "liability"


class Fraud:
    """Holds the recorded verdicts to those that were given."""

    def __init__(self, wiring: Wiring, facts: Facts, findings: Findings) -> None:
        self._facts = facts
        self._findings = findings
        self._table = wiring.variable("FRAUD_TABLE")
        rules = [one for one in wiring.rules if one.queue.endswith("-fraud")]
        queues = [one for one in wiring.queues if one.name == _name(wiring, "SYSTEM_COMMANDS")]
        self._dead = sorted({one.dead_letters for one in rules})
        self._dead += [one.dead_letters for one in queues if one.dead_letters is not None]

    def finish(self, letters: Letters, world: View) -> None:
        """The world is at rest."""
        given = _given(world.dynamodb.peek(self._table))
        dead = letters.unpublished().union(*(letters.ids(name) for name in self._dead))
        for life in self._facts.payments.of.values():
            made = life[0].origin
            verdicts = self._facts.screened.get(made.id, [])
            if len(verdicts) > 1:
                self._report(f"A payment has {len(verdicts)} verdicts.", made.id)
            if not verdicts and asks_for_verdict(made.event) and made.id not in dead:
                command = given.get(made.id)
                if command is None or command["id"] not in dead:
                    self._report("A payment of a customer has no verdict.", made.id)
            for verdict in verdicts:
                command = given.get(made.id, {})
                if command.get("id") != verdict.id or command.get("verdict") != verdict.verdict:
                    self._report(
                        f"The verdict {command.get('verdict')} was given, and {verdict.verdict} is "
                        "recorded.",
                        made.id,
                        verdict.id,
                    )

    def _report(self, message: str, *about: str) -> None:
        self._findings.report("payments_are_screened", message, *about)


def asks_for_verdict(event: object) -> bool:
    """Whether an event is a new payment that takes money from a customer."""
    if not isinstance(event, PaymentPosted | PaymentAuthorized):
        return False
    taken = moved_minor if isinstance(event, PaymentPosted) else pended_minor
    return any(
        entry.type == _CUSTOMER and taken(event, entry.id)[0] > 0 for entry in event.accounts
    )


def _given(items: Mapping[tuple[str, ...], Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """The commands with the verdicts that were given, by payment."""
    found: dict[str, Any] = {}
    for key, item in items.items():
        kind, _, payment = key[0].partition("#")
        if kind == "screening":
            found[payment] = msgspec.json.decode(item["command"]["S"])
    return found


def _name(wiring: Wiring, which: str) -> str:
    return wiring.variable(f"{which}_QUEUE_URL").rpartition("/")[2]
