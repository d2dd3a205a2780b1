"""Is everybody told of everything, as it was?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from ledger.contracts.events import (
    AccountEvent,
    CommandRejected,
    Event,
    PaymentEvent,
    PaymentScreened,
    entries_of,
    payment_of,
)
from simulation.auditor.delivery.bodies import BALANCE_ALERT, Values, balance_alerts, values_of
from simulation.auditor.delivery.letters import Letters, named_in, same_json
from simulation.auditor.facts import Facts
from simulation.auditor.findings import Findings
from simulation.wiring.model import Wiring


class Told(Struct, frozen=True):
    """A notification as it was first published, and what it is filtered by."""

    body: str
    values: Values


class Notifications:
    """Notes what the topic was given. `told` has it by type and id."""

    def __init__(self, wiring: Wiring, facts: Facts, findings: Findings) -> None:
        self._facts = facts
        self._findings = findings
        self._topic = wiring.variable("TOPIC_ARN")
        self.told: dict[tuple[str, str], Told] = {}
        self._dead_events = [
            one.dead_letters for one in wiring.rules if one.queue.endswith("-notifications")
        ]

    def notified(self, topic: str, body: str, attributes: Mapping[str, Mapping[str, Any]]) -> None:
        """A topic has taken a message: each time that it is told it must be as it was."""
        if topic != self._topic:
            return
        named, values = named_in(body), values_of(attributes)
        self.told.setdefault((named.type, named.id), Told(body, values))
        if values.get("type") != (named.type,) or not self._is_right(named.type, body, values):
            self._findings.report(
                "notifications_are_sent",
                f"A notification {named.type} is not as the event was recorded.",
                named.id,
            )

    def _is_right(self, kind: str, body: str, values: Values) -> bool:
        if kind == BALANCE_ALERT:
            alert = msgspec.json.decode(body)
            made = self._facts.events.get(alert.get("event"))
            return (
                made is not None
                and alert in list(balance_alerts(made))
                and values.get("account") == (alert["account"],)
                and values.get("currency") == (alert["currency"],)
            )
        made = self._facts.events.get(named_in(body).id)
        return (
            made is not None
            and same_json(body.encode(), made.data)
            and _names_all(values, made.event)
        )

    def finish(self, letters: Letters) -> None:
        """The world is at rest."""
        dead = letters.unpublished().union(*(letters.ids(one) for one in self._dead_events))
        for kind, id, source in self._wanted():
            if (kind, id) not in self.told and source not in dead:
                self._findings.report(
                    "notifications_are_sent", f"A notification {kind} was never published.", id
                )

    def _wanted(self) -> Iterator[tuple[str, str, str]]:
        """Every notification by its type and id, and the event that it is of."""
        for id, made in self._facts.events.items():
            if not isinstance(made.event, PaymentScreened):
                yield made.type, id, id
                for alert in balance_alerts(made):
                    yield BALANCE_ALERT, alert["id"], id


def _names_all(values: Values, event: Event) -> bool:
    """Whether a notification can be filtered by every account and payment that its event is of."""
    accounts, payments = set(values.get("account", ())), values.get("payment", ())
    if isinstance(event, CommandRejected):
        return accounts >= {cause.id for cause in event.causes if cause.kind == "account"}
    if isinstance(event, PaymentEvent) and payments != (payment_of(event),):
        return False
    return not isinstance(event, AccountEvent) or accounts == {
        entry.id for entry in entries_of(event)
    }
