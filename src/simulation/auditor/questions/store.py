"""Answers of the event store itself: never behind what was committed before they were asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET

from ledger.contracts.primitives import MAIN_BOOK
from simulation.asks import Ask
from simulation.auditor.facts import Facts, Lives
from simulation.auditor.findings import Findings
from simulation.auditor.questions.views import bounds_of, payment_differences
from simulation.auditor.recorded import as_json

Body = Mapping[str, Any]


class StoreAnswers:
    """Looks at the answers about payments, limits, alerts, metadata, templates and books."""

    def __init__(self, facts: Facts, findings: Findings) -> None:
        self._facts = facts
        self._findings = findings

    def take(self, ask: Ask, path: Sequence[str], body: Body | None) -> None:
        """An answer; None is that there is no such thing."""
        match path:
            case ["payments", name]:
                self._payment(ask, name, body)
            case ["payments", name, "screening"]:
                self._screening(ask, name, body)
            case ["payments" | "accounts" as kind, name, "metadata"]:
                self._metadata(ask, kind[:-1], name, body)
            case ["accounts", name, "limits" | "alerts" as what]:
                self._account(ask, name, what, body)
            case ["templates", name]:
                self._template(ask, name, body)
            case ["books", name]:
                self._book(ask, name, body)
            case _:
                pass

    def _payment(self, ask: Ask, name: str, body: Body | None) -> None:
        refused = self._facts.refused.get(name)
        if refused is not None:
            if body is None and refused.at < ask.at:
                self._report(ask, "reads_are_current", f"Payment {name} is not found.", name)
        elif not self._is_current(ask, self._facts.payments, name, body):
            return
        if body is not None:
            self._differ(ask, name, list(payment_differences(self._facts, body)))

    def _account(self, ask: Ask, name: str, what: str, body: Body | None) -> None:
        if not self._is_current(ask, self._facts.accounts, name, body) or body is None:
            return
        fact = self._facts.accounts.at_version(name, body["version"])
        assert fact is not None  # it is current
        if what == "alerts":
            said: dict[str, Any] = {"alerts": as_json(fact.alerts)}
        else:
            frozen = fact.profile.frozen
            said = bounds_of(fact) | {
                "status": fact.profile.status,
                "frozen": None if frozen is UNSET else frozen,
                "book": fact.profile.book,
                "stripes": fact.profile.stripes,
            }
        wrong = [part for part, value in said.items() if body.get(part) != value]
        self._differ(ask, name, wrong)

    def _metadata(self, ask: Ask, kind: str, name: str, body: Body | None) -> None:
        if body is None:
            lives: Lives[Any] = self._facts.accounts if kind == "account" else self._facts.payments
            self._is_current(ask, lives, name, body)
            return
        version, key = body["version"], f"{kind}/{name}"
        if self._facts.metadata.version_at(key, ask.at) > version:
            self._report(ask, "reads_are_current", f"The metadata of {name} are old.", name)
        fact = self._facts.metadata.at_version(key, version)
        if version and (fact is None or fact.metadata != body["metadata"]):
            self._differ(ask, name, ["metadata"])

    def _template(self, ask: Ask, name: str, body: Body | None) -> None:
        asked = int(ask.query.get("version", 0))
        if body is None:
            if self._facts.templates.version_at(name, ask.at) >= max(asked, 1):
                self._report(ask, "reads_are_current", f"Template {name} is not found.", name)
            return
        if not asked and not self._is_current(ask, self._facts.templates, name, body):
            return
        fact = self._facts.templates.at_version(name, body["version"])
        if fact is None or (asked and body["version"] != asked) or body["event"] != fact.made.id:
            self._differ(ask, name, ["version"])
            return
        if body["postings"] != as_json(fact.defined.postings):
            self._differ(ask, name, ["postings"])

    def _book(self, ask: Ask, name: str, body: Body | None) -> None:
        if name == MAIN_BOOK and body is not None and body["version"] == 0:
            if self._facts.books.version_at(name, ask.at):
                self._report(ask, "reads_are_current", "The main book is shown untouched.", name)
            return
        if not self._is_current(ask, self._facts.books, name, body) or body is None:
            return
        fact = self._facts.books.at_version(name, body["version"])
        assert fact is not None  # it is current
        if body["closed_through"] != fact.closed_through:
            self._differ(ask, name, ["closed_through"])

    def _screening(self, ask: Ask, name: str, body: Body | None) -> None:
        if body is None:
            if name not in self._facts.refused:
                self._is_current(ask, self._facts.payments, name, body)
            return
        shown = {one["id"]: one["verdict"] for one in body["screenings"]}
        for event in self._facts.screened.get(name, ()):
            known = self._facts.events[event.id].at < ask.at
            if known and event.id not in shown:
                self._report(ask, "reads_are_current", f"A verdict on {name} is left out.", name)
            if shown.pop(event.id, event.verdict) != event.verdict:
                self._differ(ask, name, ["verdict"])
        if shown:
            self._differ(ask, name, ["screenings"])

    def _is_current(self, ask: Ask, lives: Lives[Any], name: str, body: Body | None) -> bool:
        """Whether it is of a version between the question and the answer."""
        least = lives.version_at(name, ask.at - 1)
        shown = body["version"] if body is not None else 0
        if least <= shown <= lives.version(name):
            return True
        self._report(
            ask,
            "reads_are_current",
            f"{ask.path} shows version {shown}; there were {least} when it was asked, and are "
            f"{lives.version(name)}.",
            name,
        )
        return False

    def _differ(self, ask: Ask, name: str, wrong: Sequence[str]) -> None:
        if wrong:
            self._report(
                ask,
                "answers_are_the_fold",
                f"{ask.path} shows {', '.join(wrong)} otherwise than the events say.",
                name,
            )

    def _report(self, ask: Ask, promise: str, message: str, *about: str) -> None:
        self._findings.report(promise, message, *about, ask.id)
