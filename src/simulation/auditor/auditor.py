"""The auditor: hears everything, hands it to the checks, and keeps what they find.

It is told of things at the instant at which they happen: what was committed before an answer was
given it knows by then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from ledger.contracts.events import CorruptEventError, UnknownEventError
from simulation.asks import Ask, HttpAnswer
from simulation.auditor.answers import Answers
from simulation.auditor.asked import AskedFor
from simulation.auditor.commits import Commits
from simulation.auditor.counters import Counters
from simulation.auditor.delivery.consumers import Consumers
from simulation.auditor.delivery.fraud import Fraud
from simulation.auditor.delivery.fraud_memory import FraudMemory
from simulation.auditor.delivery.letters import Letters
from simulation.auditor.delivery.messages import Messages
from simulation.auditor.delivery.notifications import Notifications
from simulation.auditor.delivery.projections import Projections
from simulation.auditor.delivery.queues import Queues
from simulation.auditor.delivery.webhooks import Webhooks
from simulation.auditor.dry_runs import DryRuns
from simulation.auditor.due_holds import DueHolds
from simulation.auditor.facts import Facts
from simulation.auditor.failures import Failures
from simulation.auditor.findings import Finding, Findings
from simulation.auditor.leases import Leases
from simulation.auditor.model import Model
from simulation.auditor.money import Money
from simulation.auditor.movements import Movements
from simulation.auditor.questions.questions import Questions
from simulation.auditor.recorded import Item, Recorded, changed_by, recorded
from simulation.auditor.states import States
from simulation.auditor.stored import StoredState, stored_state
from simulation.auditor.subjects import Subjects
from simulation.auditor.together import Together
from simulation.auditor.transactions import by_command
from simulation.auditor.world import View
from simulation.kernel.trace import Trace
from simulation.wiring.model import Wiring

#: How far a worker's clock may be off, in microseconds: any two are less than 5 s apart.
SKEW: Final = 2_000_000


class Change(Protocol):
    """An item that was written: what it was, and what it is."""

    @property
    def table(self) -> str: ...

    @property
    def key(self) -> tuple[str, ...]: ...

    @property
    def old(self) -> Item | None: ...

    @property
    def new(self) -> Item | None: ...


class Auditor:
    """Everything that the ledger promises, held against what is asked, written and sent.

    `clock` gives the true time in microseconds since 1970.
    """

    def __init__(
        self, wiring: Wiring, trace: Trace | None, clock: Callable[[], int], *, skew: int = SKEW
    ) -> None:
        self._found = Findings(clock, trace)
        found = self._found
        self._events_table = wiring.variable("EVENTS_TABLE")
        self._states_table = wiring.variable("STATES_TABLE")
        self._wiring = wiring
        self._restoring = False
        self.model = Model()
        self.facts = Facts()
        self._asked = AskedFor()
        self._subjects = Subjects(found)
        self._commits = Commits(self.facts, self._asked, self.model, found, skew=skew)
        self._answers = Answers(self.facts, self._asked, self.model, self._subjects.tied, found)
        self._together = Together(self.facts, self._asked, self.model, found)
        self._dry_runs = DryRuns(self.facts, self.model, found, skew=skew)
        self._due_holds = DueHolds(self.facts, self.model, self._subjects.tied, found)
        self._movements = Movements(self.facts, found)
        self._leases = Leases(self.facts, found)
        self._states = States(self.facts, self._subjects, found)
        self._money = Money(found)
        self._counters = Counters(self.model, found)
        self._questions = Questions(wiring, self.facts, found)
        self._consumers = Consumers(wiring, self.facts, found)
        self._messages = Messages(wiring, self.facts, self._asked, self.model, found)
        self._queues = Queues(wiring, self.facts, found)
        self._fraud = Fraud(wiring, self.facts, found)
        self._fraud_memory = FraudMemory(wiring, self.facts, found)
        self._notifications = Notifications(wiring, self.facts, found)
        self._webhooks = Webhooks(wiring, self.facts, self._notifications.told, found)
        self._projections = Projections(wiring, self.facts, found)
        self._failures = Failures(found)

    @property
    def findings(self) -> list[Finding]:
        """What was found so far, the first first."""
        return self._found.all

    # What clients do

    def asked(self, ask: Ask) -> None:
        """A request leaves a client."""
        self._asked.take(ask)
        if ask.route != "dry_run":
            self._together.take(ask)
        if ask.route == "dry_run":
            self._dry_runs.asked(ask)
        elif ask.route in ("bus", "fifo"):
            self._queues.sent(ask.body)

    def answered(self, ask: Ask, answer: HttpAnswer) -> None:
        """A client is answered about commands."""
        if ask.route == "dry_run":
            self._dry_runs.take(ask, answer)
        else:
            self._answers.take(ask, answer)

    def unanswered(self, ask: Ask) -> None:
        """A client is not answered, and never will be: what it asked for may have been done."""
        self._dry_runs.dropped(ask)

    def taken(self, ask: Ask) -> None:
        """The bus or the queue has said that it has what a client sent."""
        self._messages.taken(ask)

    def read(self, ask: Ask, answer: HttpAnswer) -> None:
        """A client is answered a question."""
        self._questions.take(ask, answer)

    # What happens in the world

    def changed(self, changes: Sequence[Change]) -> None:
        """A write has taken effect, with all that it changed."""
        made: list[Recorded] = []
        states: list[StoredState] = []
        for change in changes:
            self._projections.changed(change.table, change.old, change.new)
            self._questions.changed(change.table, change.key)
            self._webhooks.changed(change.table, change.new)
            if change.table == self._events_table:
                self._event_changed(change, made)
            elif change.table == self._states_table and not self._restoring:
                if change.new is None:
                    self._states.removed(change.key[0])
                else:
                    states.append(stored_state(change.new))
        if made:
            self._committed(made)
        if made or states:
            self._states.take(states, (key for one in made for key in changed_by(one.event)))
            self._money.take(states)
            self._counters.take(states)

    def _event_changed(self, change: Change, made: list[Recorded]) -> None:
        if change.old is not None or change.new is None:
            self._found.report("events_stay", "An event was changed or removed.", change.key[0])
            return
        try:
            made.append(recorded(change.new, self._found.now(), len(made)))
        except (CorruptEventError, UnknownEventError) as error:
            self._found.report("events_are_foretold", f"No event: {error}.", change.key[0])

    def _committed(self, made: list[Recorded]) -> None:
        """The events of one transaction, each of its commands on the effects of those before it."""
        self._commits.begin(made[0].at)
        self._subjects.begin(made)
        for command in by_command(made, self._found):
            self._commits.take(command)
            self._happened(command)

    def _happened(self, made: Sequence[Recorded]) -> None:
        """The events of one command."""
        for one in made:
            self._movements.take(one)
            self._subjects.take(one)
            self._due_holds.take(one)
            try:
                self.facts.take(one)
                self._leases.take(one)
            except LookupError as error:
                self._found.report(
                    "versions_are_dense", f"An event rests on what never was: {error}.", one.id
                )

    def published(self, _bus: str, _envelope: object) -> None:
        """A bus has taken an event: where it arrives is what counts."""

    def handed_over(
        self, _function: str, records: Sequence[Mapping[str, Any]], failed: frozenset[int] | None
    ) -> None:
        """A mapping is done with a batch: what was at the places `failed` comes back, or all of it
        (None)."""
        if records and "body" in records[0]:
            queue = str(records[0]["eventSourceARN"]).rpartition(":")[2]
            for made in self._consumers.handed_over(queue, records, failed):
                self._questions.done(queue, made)
            self._webhooks.handed_over(queue, records, failed)

    def buried(self, _queue: str, body: str, _message_id: str) -> None:
        """SQS has moved a message to the dead letters."""
        self._messages.buried(body)

    def notified(self, topic: str, body: str, attributes: Mapping[str, Mapping[str, Any]]) -> None:
        """A topic has taken a message."""
        self._notifications.notified(topic, body, attributes)
        self._fraud.notified(topic, body, attributes)

    def webhook(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """An endpoint has taken a request."""
        self._webhooks.webhook(url, body, headers)

    def failed(self, function: str, text: str) -> None:
        """A handler ended in an exception that was not injected."""
        self._failures.failed(function, text)

    def logged(self, function: str, line: Mapping[str, object]) -> None:
        """A handler has written a line."""
        self._failures.logged(function, line)
        self._due_holds.logged(line)

    # What operators do

    def restoring(self) -> None:
        """The states are lost, and are being made anew: none is judged until they are there."""
        self._restoring = True

    def restored(self, world: View) -> None:
        """The states are there again."""
        self._restoring = False
        items = world.dynamodb.peek(self._states_table).values()
        states = [stored_state(item) for item in items]
        self._states.restored(states)
        self._money.restored(states)
        self._counters.take(states)

    def sent_back(self, world: View) -> None:
        """Nothing fails any more, and all dead letters were sent back until none went."""
        self._consumers.sent_back(Letters(self._wiring, world))

    def finish(self, world: View) -> None:
        """All that was on its way has arrived, or lies among the dead letters."""
        letters = Letters(self._wiring, world)
        self._consumers.finish(letters)
        self._messages.finish(letters, world)
        self._together.finish()
        self._queues.finish(letters, world)
        self._fraud.finish(letters, world)
        self._fraud_memory.finish(letters, world)
        self._notifications.finish(letters)
        self._webhooks.finish(letters, world)
        self._projections.finish(letters, world)
