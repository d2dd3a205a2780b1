"""Is every event what the model makes of its command, at its place in the order of commits?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from msgspec import UNSET, UnsetType, structs

from ledger.contracts.commands import (
    AtomicBatch,
    BaseCommand,
    Command,
    ExpirePayment,
    PostTemplate,
    ScreenPayment,
    expiry_id,
    screening_id,
)
from ledger.contracts.events import (
    BatchCommitted,
    CommandRejected,
    Event,
    PaymentExpired,
    PaymentPosted,
    PaymentScreened,
    TemplateUse,
    request_of,
)
from ledger.contracts.primitives import microseconds_of_instant
from simulation.auditor.asked import AskedFor
from simulation.auditor.facts import Facts
from simulation.auditor.findings import Findings
from simulation.auditor.model import Model, Reply
from simulation.auditor.recorded import Recorded
from simulation.auditor.wording import (
    answers_to,
    reply_of_event,
    says_what_was_asked,
    told_by,
    touched_by,
)

EXPIRY_ACTOR: Final = "ledger:expiry"
_MEMBER: Final = re.compile(r"commands\[([0-9]+)\]")
_C = TypeVar("_C", bound=BaseCommand)


class Commits:
    """Holds the events of each transaction to the model, which then goes on from them.

    `skew` is how far a worker's clock may be off, in microseconds.
    """

    def __init__(
        self, facts: Facts, asked: AskedFor, model: Model, findings: Findings, *, skew: int
    ) -> None:
        self._facts = facts
        self._asked = asked
        self._model = model
        self._findings = findings
        self._skew = skew
        self._at = 0  # of the newest transaction
        self._before = 0  # of the one before

    def begin(self, at: int) -> None:
        """A transaction took effect at that time: what is taken next is of it."""
        self._before, self._at = self._at, at

    def take(self, made: Sequence[Recorded]) -> None:
        """The events of one command, which was decided on the effects of those before it."""
        first, *members = made
        command = self._command_of(first)
        raced = self._raced(first)
        if command is None:
            return
        self._check_time(first, command)
        heard = Reply("accepted", False, None)
        if not isinstance(first.event, BatchCommitted):
            heard = reply_of_event(first.event, repeat=False)
        meant = self._meant(command, made)
        told = {one.id: touched_by(one.event) for one in made}
        at = first.event.recorded_at
        said = self._model.handle(meant, at, heard if raced else None, told)
        if meant is not command and not said.repeat:
            self._model.was_asked(command)
        if isinstance(first.event, BatchCommitted):
            self._check_batch(first, command, members, said)
        elif isinstance(meant, AtomicBatch) and heard.verdict == said.verdict == "rejected":
            self._check_refused_batch(first, meant, said, raced=raced)
        elif said != heard:
            self._differs(first, heard, said)

    def _raced(self, first: Recorded) -> bool:
        """Whether any transaction at all was committed since the command was first asked for: then
        what it was decided by may have been read before and after that."""
        carried = self._asked.under(first.id)
        return not carried or self._before >= carried[0].ask.at

    def _meant(self, command: Command, made: Sequence[Recorded]) -> Command:
        """The command with the versions of templates that were taken where it names none."""
        used = {one.id: one.event.template for one in made if isinstance(one.event, PaymentPosted)}
        if isinstance(command, AtomicBatch):
            members = tuple(self._of_version(one, used, command.id) for one in command.commands)
            same = all(one is other for one, other in zip(members, command.commands, strict=True))
            return command if same else structs.replace(command, commands=members)
        return self._of_version(command, used, command.id)

    def _of_version(
        self, command: _C, used: Mapping[str, TemplateUse | UnsetType], asked_as: str
    ) -> _C:
        """A payment that names no version may be of any that was the newest since it was asked
        for: its transaction does not look."""
        use = used.get(command.id, UNSET)
        if not isinstance(command, PostTemplate) or use is UNSET or use.pinned:
            return command
        carried = self._asked.under(asked_as)
        if carried and use.version < self._facts.templates.version_at(use.name, carried[0].ask.at):
            self._findings.report(
                "events_are_foretold",
                f"A payment is of version {use.version} of {use.name}, which was not the newest "
                "when it was asked for.",
                command.id,
            )
        return structs.replace(command, template_version=use.version)

    def _command_of(self, first: Recorded) -> Command | None:
        """The command that an event answers; of one that nobody asked for, what it says itself."""
        event = first.event
        carried = self._asked.under(event.id)
        command = answers_to(event, [one.command for one in carried])
        if command is not None:
            return command
        if isinstance(event, PaymentExpired | PaymentScreened) and not carried:
            return self._of_the_ledger(event)
        message = (
            f"An event {first.type} says something else than what was asked under its id."
            if carried
            else f"An event {first.type} was recorded that nobody asked for."
        )
        self._findings.report("events_were_asked_for", message, event.id)
        return None if isinstance(event, BatchCommitted) else request_of(event)

    def _of_the_ledger(self, event: PaymentExpired | PaymentScreened) -> Command:
        """The ledger's own command, which has an id made of what it is about."""
        command = request_of(event)
        if isinstance(command, ExpirePayment):
            wanted = expiry_id(command.payment, command.version)
            right = event.id == wanted and event.actor == EXPIRY_ACTOR
        else:
            assert isinstance(command, ScreenPayment)
            right = event.id == screening_id(command.payment, command.model)
        if not right:
            self._findings.report(
                "events_were_asked_for",
                "The ledger recorded a command of its own under an id that is not of that form.",
                event.id,
                command.payment,
            )
        return command

    def _check_time(self, first: Recorded, command: Command) -> None:
        """Its subjects' times are for `Subjects` to look at."""
        event = first.event
        at = microseconds_of_instant(event.recorded_at)
        asked_at = [one.ask.at for one in self._asked.under(event.id) if one.command == command]
        early = bool(asked_at) and at < min(asked_at) - self._skew
        if early or at > first.at + self._skew:
            self._findings.report(
                "times_are_true",
                f"An event says that it was recorded at {event.recorded_at}, which is "
                + ("before it was asked for." if early else "after its commit."),
                event.id,
            )

    def _check_batch(
        self, first: Recorded, command: Command, members: Sequence[Recorded], said: Reply
    ) -> None:
        if said.verdict != "accepted" or said.repeat or not isinstance(command, AtomicBatch):
            self._differs(first, Reply("accepted", False, None), said)
            return
        asked = {one.id: one for one in command.commands}
        for member in members:
            if not says_what_was_asked(member.event, asked[member.id]):
                self._findings.report(
                    "events_were_asked_for",
                    "An event of a batch says something else than what was asked under its id.",
                    member.id,
                    first.id,
                )
            foretold = said.detail.get(("member", member.id))
            if told_by(member.event) != foretold:
                heard = Reply("accepted", False, told_by(member.event))
                self._differs(member, heard, Reply("accepted", False, foretold))

    def _check_refused_batch(
        self, first: Recorded, batch: AtomicBatch, said: Reply, *, raced: bool
    ) -> None:
        """A batch is refused for one of its commands: those before it could take effect, and what
        is said against that one holds, and comes first unless others were at it."""
        event = first.event
        assert isinstance(event, CommandRejected)
        named = _MEMBER.match("" if event.field is UNSET else event.field)
        if said.repeat or named is None or int(named[1]) >= len(batch.commands):
            self._differs(first, reply_of_event(event, repeat=False), said)
            return
        member = batch.commands[int(named[1])]
        if event.reason == "member_id_used" and member.id in self._model.decided:
            return
        place, reasons = self._model.refused_member(batch, event.recorded_at)
        holding = reasons if raced else reasons[:1]
        if event.reason not in holding or int(named[1]) != place:
            self._findings.report(
                "events_are_foretold",
                f"A batch is refused for {event.reason} of {named[0]}; by the rules it is refused "
                f"for {', '.join(reasons) or 'nothing'} of commands[{place}].",
                event.id,
                member.id,
            )

    def _differs(self, made: Recorded, heard: Reply, said: Reply) -> None:
        self._findings.report(
            "events_are_foretold",
            f"An event {made.type} says {_worded(heard, said)}; by the rules it is "
            f"{_worded(said, heard)}.",
            made.id,
            *_about(made.event),
        )


def _worded(reply: Reply, other: Reply) -> str:
    """What a reply says, as far as another says otherwise."""
    again = " (decided before)" if reply.repeat else ""
    if reply.verdict != "accepted":
        return f"{reply.verdict} for {reply.detail}{again}"
    theirs = other.detail if isinstance(other.detail, dict) else {}
    own = [
        f"{' '.join(key)} {value}"
        for key, value in (reply.detail or {}).items()
        if theirs.get(key) != value
    ]
    return f"accepted{again}" + (f", making {'; '.join(own)}" if own else "")


def _about(event: Event) -> tuple[str, ...]:
    if isinstance(event, CommandRejected):
        return tuple(cause.id for cause in event.causes)
    payment = getattr(event, "payment", UNSET)
    entries = getattr(event, "accounts", ())
    accounts = tuple(entry.id for entry in entries)
    return accounts if payment is UNSET else (str(payment), *accounts)
