"""Is nothing tried for ever, and is what was given up kept whole?"""

from __future__ import annotations

from ledger.contracts.primitives import instant_of_microseconds
from simulation.auditor.delivery.letters import Letters, delivery_in, detail_of, named_in, same_json
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
        self._deliveries = wiring.variable("DELIVERIES_QUEUE_URL").rpartition("/")[2]

    def sent(self, body: bytes) -> None:
        """A body that a client sent to the bus or to a queue."""
        self._bodies[body] = None

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
        for name in dead:
            for letter in letters.of(name):
                body = detail_of(letter.body)
                if name in deliveries:
                    body = delivery_in(letter.body)[1]
                if not self._is_known(body):
                    self._findings.report(
                        "dead_letters_keep_payload",
                        f"A dead letter in {name} is not what was sent.",
                        named_in(body).id,
                    )
        self._check_holds()

    def _is_known(self, body: bytes) -> bool:
        """Whether it is an event, a notification, or what a client sent."""
        if body in self._bodies:
            return True
        named = named_in(body)
        made = self._facts.events.get(named.id)
        if made is not None and same_json(body, made.data):
            return True
        if named.type in ("balance.alert", "fraud.alert", "payment.screen", "payment.expire"):
            return True  # made by the ledger of an event, and looked at where it is
        return any(same_json(body, sent) for sent in self._bodies)

    def _check_holds(self) -> None:
        since = instant_of_microseconds(self._findings.now() - _OVERDUE)
        for name, life in self._facts.payments.of.items():
            now = life[-1]
            if now.open and now.expires_at is not None and now.expires_at < since:
                self._findings.report(
                    "holds_end", f"A hold that was due at {now.expires_at} is open still.", name
                )
