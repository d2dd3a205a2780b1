"""Is every payment of a customer screened, once, is the verdict that was given recorded, and is
everybody alarmed who should be?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from ledger.contracts.commands import screening_id
from ledger.contracts.events import (
    PaymentAuthorized,
    PaymentPosted,
    PaymentScreened,
    moved_minor,
    pended_minor,
)
from ledger.contracts.fraud import SCREENING_MODELS
from ledger.contracts.primitives import AccountType
from simulation.auditor.delivery.bodies import Values, fraud_alert, values_of
from simulation.auditor.delivery.letters import Letters, named_in
from simulation.auditor.facts import Facts
from simulation.auditor.findings import Findings
from simulation.auditor.world import View
from simulation.wiring.model import Wiring

#: Customers' money is what the ledger's owner owes them.
CUSTOMER: AccountType = "liability"


class Given(Struct, frozen=True):
    """A verdict as it was given: the command, as it is to be sent, and the payer it is about."""

    text: str
    command: Mapping[str, Any]
    account: str


class Fraud:
    """Holds recorded verdicts that are not clear to those that were given, and alerts to what is
    recorded."""

    def __init__(self, wiring: Wiring, facts: Facts, findings: Findings) -> None:
        self._facts = facts
        self._findings = findings
        self._table = wiring.variable("FRAUD_TABLE")
        self._topic = wiring.variable("FRAUD_ALERTS_TOPIC_ARN")
        self._alerts: list[tuple[str, Values]] = []
        rules = [one for one in wiring.rules if one.queue.endswith("-fraud")]
        queues = [one for one in wiring.queues if one.name == _name(wiring, "SYSTEM_COMMANDS")]
        self._dead_events = sorted({one.dead_letters for one in rules})
        self._dead_verdicts = [one.dead_letters for one in queues if one.dead_letters is not None]

    def notified(self, topic: str, body: str, attributes: Mapping[str, Mapping[str, Any]]) -> None:
        """A topic has taken a message."""
        if topic == self._topic:
            self._alerts.append((body, values_of(attributes)))

    def finish(self, letters: Letters, world: View) -> None:
        """The world is at rest."""
        given = given_verdicts(world, self._table)
        unread = letters.unpublished().union(*(letters.ids(name) for name in self._dead_events))
        dead = unread.union(*(letters.ids(name) for name in self._dead_verdicts))
        for life in self._facts.payments.of.values():
            self._check_payment(life[0].origin.id, life[0].origin.event, given, dead)
        self._check_alerts(given, unread)

    def _check_payment(
        self, payment: str, event: object, given: Mapping[str, Given], dead: frozenset[str]
    ) -> None:
        verdicts = self._facts.screened.get(payment, [])
        if len(verdicts) > 1:
            self._report(f"A payment has {len(verdicts)} verdicts.", payment)
        ids = {screening_id(payment, model) for model in SCREENING_MODELS}
        if not verdicts and asks_for_verdict(event) and dead.isdisjoint({payment, *ids}):
            self._report("A payment of a customer has no verdict.", payment)
        for verdict in verdicts:
            if verdict.verdict == "clear":
                continue  # not kept anywhere: what was judged twice may have come out otherwise
            known = given.get(payment)
            command = {} if known is None else known.command
            if command.get("id") != verdict.id or command.get("verdict") != verdict.verdict:
                self._report(
                    f"The verdict {command.get('verdict')} was given, and {verdict.verdict} is "
                    "recorded.",
                    payment,
                    verdict.id,
                )

    def _check_alerts(self, given: Mapping[str, Given], unread: frozenset[str]) -> None:
        """Of each recorded verdict that is not clear there is an alert, and of nothing else."""
        alarmed = set()
        for body, values in self._alerts:
            id = named_in(body).id
            alarmed.add(id)
            made = self._facts.events.get(id)
            if made is None or not self._is_right(body, values, made.event, given):
                self._findings.report(
                    "notifications_are_sent", "A fraud alert is not as its verdict is recorded.", id
                )
        for verdicts in self._facts.screened.values():
            for event in verdicts:
                if event.verdict != "clear" and event.id not in alarmed | unread:
                    self._findings.report(
                        "notifications_are_sent", "A fraud alert was never published.", event.id
                    )

    def _is_right(
        self, body: str, values: Values, event: object, given: Mapping[str, Given]
    ) -> bool:
        if not isinstance(event, PaymentScreened) or event.verdict == "clear":
            return False
        known = given.get(event.payment)
        if known is None:
            return False
        wanted = fraud_alert(event, known.account)
        return msgspec.json.decode(body) == wanted and values == {
            name: (wanted[name],) for name in ("verdict", "model", "account")
        }

    def _report(self, message: str, *about: str) -> None:
        self._findings.report("payments_are_screened", message, *about)


def asks_for_verdict(event: object) -> bool:
    """Whether an event is a new payment that takes money from a customer."""
    if not isinstance(event, PaymentPosted | PaymentAuthorized):
        return False
    taken = moved_minor if isinstance(event, PaymentPosted) else pended_minor
    return any(entry.type == CUSTOMER and taken(event, entry.id)[0] > 0 for entry in event.accounts)


def given_verdicts(world: View, table: str) -> dict[str, Given]:
    """The verdicts that are not clear, as they were given, by payment."""
    found: dict[str, Given] = {}
    for key, item in world.dynamodb.peek(table).items():
        kind, _, payment = key[0].partition("#")
        if kind == "screening":
            text = item["command"]["S"]
            found[payment] = Given(text, msgspec.json.decode(text), item["account"]["S"])
    return found


def _name(wiring: Wiring, which: str) -> str:
    return wiring.variable(f"{which}_QUEUE_URL").rpartition("/")[2]
