"""Does a dry run answer what the command would have been answered?

Where nothing was committed between the question and the answer, the model says what that is. Else
the world may have been read while it moved, and only what must hold of every moment is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ledger.contracts.commands import AtomicBatch, Command
from ledger.contracts.primitives import instant_of_microseconds
from ledger.contracts.reasons import BY_CODE, Kind
from ledger.contracts.subjects import stripe_key
from simulation.asks import Ask, HttpAnswer
from simulation.auditor.answers import NOTHING_PROMISED, is_malformed
from simulation.auditor.facts import Facts
from simulation.auditor.findings import Findings
from simulation.auditor.model import Model, as_asked, differing


class DryRuns:
    """Remembers what there was when a dry run was asked for."""

    def __init__(self, facts: Facts, model: Model, findings: Findings, *, skew: int) -> None:
        self._facts = facts
        self._model = model
        self._findings = findings
        self._skew = skew
        self._asked: dict[str, int] = {}

    def asked(self, ask: Ask) -> None:
        """A dry run is asked for."""
        self._asked[ask.id] = len(self._facts.events)

    def dropped(self, ask: Ask) -> None:
        """It is not answered."""
        self._asked.pop(ask.id, None)

    def take(self, ask: Ask, answer: HttpAnswer) -> None:
        """It is answered."""
        events = self._asked.pop(ask.id, None)
        command = ask.command
        if events is None or command is None or answer.status in NOTHING_PROMISED:
            return
        try:
            body: Mapping[str, Any] = msgspec.json.decode(answer.body)
        except msgspec.DecodeError:
            body = {}
        still = events == len(self._facts.events)
        for wrong in self._wrong(ask, command, body, still=still):
            self._findings.report("dry_runs_foretell", wrong, command.id, ask.id)

    def _wrong(
        self, ask: Ask, command: Command, body: Mapping[str, Any], *, still: bool
    ) -> Iterator[str]:
        reason = BY_CODE.get(str(body.get("reason"))) if "title" in body else None
        if reason is not None and reason.kind is Kind.MALFORMED:
            if not is_malformed(command, reason.code, self._facts):
                yield f"A dry run is refused as malformed for {reason.code}, which it is not."
            return
        if body.get("dry_run") is not True:
            yield "The answer does not say that it is of a dry run."
            return
        known = self._model.decided.get(command.id)
        if reason is not None and reason.kind is Kind.CONFLICT:
            if known is None or not differing(known[0], as_asked(command)):
                yield "A dry run is told that its id is another's, which it is not."
            return
        if body.get("repeat"):
            if known is None:
                yield "A dry run is told that it was decided, which it was not."
        elif still and not self._is_foretold(command, body, reason.code if reason else None):
            yield (
                f"A dry run is answered {reason.code if reason else 'that it is accepted'}; by the "
                f"rules it is {self._worded(command)}."
            )
        else:
            yield from self._backwards(ask, body)

    def _is_foretold(self, command: Command, body: Mapping[str, Any], refused: str | None) -> bool:
        """Whether the model says the same, by any clock that a worker may have."""
        now = self._findings.now()
        if self._model.due(instant_of_microseconds(now + self._skew)):
            return True  # it may have been seen released
        touched: dict[str, list[int]] = {}
        for shown in body.get("accounts", ()):
            touched.setdefault(shown["id"], []).append(shown.get("stripe", 0))
        for clock in (now, now - self._skew, now + self._skew):
            at = instant_of_microseconds(clock)
            tried = self._model.try_out(command, at, {command.id: touched})
            if refused is not None:
                if refused in tried.reasons[:1]:
                    return True
            elif not tried.reasons and _fits(command, body, tried.detail):
                return True
        return False

    def _worded(self, command: Command) -> str:
        now = instant_of_microseconds(self._findings.now())
        reasons = self._model.against(command, now)
        return f"refused for {', '.join(reasons)}" if reasons else "accepted"

    def _backwards(self, ask: Ask, body: Mapping[str, Any]) -> Iterator[str]:
        """Accounts that it shows as they were before it was asked for."""
        for shown in body.get("accounts", ()):
            key = stripe_key(shown["id"], shown.get("stripe", 0))
            before = self._facts.lives(key).version_at(key.id, ask.at)
            if shown["version"] <= before:
                yield (
                    f"A dry run shows account {shown['id']} at version {shown['version']}; it was "
                    f"at {before} already."
                )


def _fits(command: Command, body: Mapping[str, Any], detail: Mapping[tuple[str, str], Any]) -> bool:
    """Whether an answer shows the accounts as the model would leave them."""
    if isinstance(command, AtomicBatch):
        return True
    for shown in body.get("accounts", ()):
        wanted = detail.get(stripe_key(shown["id"], shown.get("stripe", 0)))
        if wanted is None or (
            shown["version"],
            shown["debits_posted_minor"],
            shown["credits_posted_minor"],
            shown["debits_pending_minor"],
            shown["credits_pending_minor"],
        ) != tuple(
            wanted[name] for name in ("version", "debits", "credits", "held_debits", "held_credits")
        ):
            return False
    return True
