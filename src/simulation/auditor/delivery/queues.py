"""Is nothing tried for ever, and is what was given up kept whole?"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ledger.contracts.commands import screening_id
from ledger.contracts.primitives import instant_of_microseconds
from simulation.auditor.delivery.bodies import BALANCE_ALERT, balance_alerts
from simulation.auditor.delivery.fraud import Given, given_verdicts
from simulation.auditor.delivery.letters import Letters, delivery_in, named_in, parts_of, same_json
from simulation.auditor.facts import Facts
from simulation.auditor.findings import Findings
from simulation.auditor.world import View
from simulation.wiring.model import Wiring

#: A hold that is still open so long after its time: the sweeper comes every minute.
_OVERDUE = 30 * 60 * 1_000_000


class Queues:
    """Looks at the queues of a world at rest."""

    def __init__(self, wiring: Wiring, facts: Facts, findings: Findings) -> None:
        self._wiring = wiring
        self._facts = facts
        self._findings = findings
        self._bodies: dict[bytes, None] = {}
        self._fraud_table = wiring.variable("FRAUD_TABLE")
        self._deliveries = wiring.variable("DELIVERIES_QUEUE_URL").rpartition("/")[2]

    def sent(self, body: bytes) -> None:
        """A body that a client sent to the bus or to a queue."""
        self._bodies |= dict.fromkeys(parts_of(body.decode()))

    def finish(self, letters: Letters, world: View) -> None:
        """The world is at rest."""
        dead = letters.queues()
        for queue in self._wiring.queues:
            waiting = sum(world.sqs.depth(queue.name))
            if waiting and queue.name not in dead:
                self._findings.report(
                    "retries_end",
                    f"{waiting} messages are in {queue.name} when all is at rest.",
                    queue.name,
                )
        deliveries = {
            one.dead_letters for one in self._wiring.queues if one.name == self._deliveries
        }
        given = given_verdicts(world, self._fraud_table)
        for name in dead:
            for letter in letters.of(name):
                bodies = parts_of(letter.body)
                if name in deliveries:
                    bodies = (delivery_in(letter.body)[1],)
                for body in bodies:
                    if not self._is_known(body, given):
                        self._findings.report(
                            "dead_letters_keep_payload",
                            f"A dead letter in {name} is not what was sent.",
                            named_in(body).id,
                        )
        self._check_holds()

    def _is_known(self, body: bytes, given: Mapping[str, Given]) -> bool:
        """Whether it is an event, what the ledger made of one, or what a client sent."""
        if body in self._bodies:
            return True
        named = named_in(body)
        made = self._facts.events.get(named.id)
        if made is not None and same_json(body, made.data):
            return True
        if named.type == BALANCE_ALERT:
            alert = msgspec.json.decode(body)
            made = self._facts.events.get(alert.get("event"))
            return made is not None and alert in list(balance_alerts(made))
        if named.type == "payment.screen":
            said = msgspec.json.decode(body)
            verdict = given.get(said.get("payment"))
            if said.get("verdict") == "clear":  # kept nowhere
                return named.id == screening_id(said["payment"], said["model"])
            if verdict is not None and same_json(body, verdict.text.encode()):
                return True
        return any(same_json(body, sent) for sent in self._bodies)

    def _check_holds(self) -> None:
        since = instant_of_microseconds(self._findings.now() - _OVERDUE)
        for name, life in self._facts.payments.of.items():
            now = life[-1]
            if now.open and now.expires_at is not None and now.expires_at < since:
                self._findings.report(
                    "holds_end", f"A hold that was due at {now.expires_at} is open still.", name
                )
