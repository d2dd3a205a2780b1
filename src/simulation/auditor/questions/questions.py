"""Holds the answers to questions to the fold of the events, and to what was answered before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, get_args
from urllib.parse import unquote

import msgspec

from ledger.contracts.events import PaymentStatus
from ledger.contracts.primitives import STRIPES_MAX
from ledger.contracts.reasons import NOT_YET_PROJECTED
from ledger.contracts.subjects import stripe_key
from simulation.asks import Ask, HttpAnswer
from simulation.auditor.answers import NOTHING_PROMISED
from simulation.auditor.facts import Facts
from simulation.auditor.findings import Findings
from simulation.auditor.questions.lists import Lists
from simulation.auditor.questions.projected import POINTER, Projected
from simulation.auditor.questions.seen import Seen
from simulation.auditor.questions.store import StoreAnswers
from simulation.auditor.questions.sums import sums_differences
from simulation.auditor.questions.views import (
    account_differences,
    entry_differences,
    payment_differences,
    review_differences,
)
from simulation.auditor.recorded import Recorded
from simulation.wiring.model import Wiring

_STATUSES: Final = frozenset({*get_args(PaymentStatus), "rejected"})
_LIMIT_MAX: Final = 100
_PUT_OFF: Final = 503
_VERSIONS: Final = ("version", "profile_version", "metadata_version")
_PAGE: Final = 50  # entries of a page that nobody said how many of there are to be
Body = Mapping[str, Any]


def _stripe(stripe: int) -> str:
    """What the version of a stripe goes by."""
    return f"stripe {stripe}"


def is_question(path: Sequence[str], query: Mapping[str, str]) -> bool:
    """Whether the parameters of a question are surely of their form. (Of a cursor nobody knows:
    what it leads to may be gone.)"""
    if "cursor" in query or "" in path:
        return False
    count = query.get("limit", "1")
    since, until = query.get("from", "0"), query.get("to", "~")
    return (
        1 <= int(count) <= _LIMIT_MAX
        and int(query.get("min_version", 1)) > 0
        and 0 <= int(query.get("stripe", 0)) < STRIPES_MAX
        and query.get("status", "held") in _STATUSES
        and ":" in query.get("under", ":")
        and since < until
    )


class Questions:
    """Looks at every answer to a question."""

    def __init__(self, wiring: Wiring, facts: Facts, findings: Findings) -> None:
        self._facts = facts
        self._findings = findings
        self._tables = {
            name: wiring.variable(f"{name.upper()}_TABLE") for name in ("balances", "payments")
        }
        self._projected = Projected(facts)
        self._lists = Lists(self._tables, self._projected, findings)
        self._store = StoreAnswers(facts, findings)
        self._seen: defaultdict[tuple[str, str], Seen] = defaultdict(Seen)
        self._pages: dict[str, tuple[str, int]] = {}
        """By the cursor to the next page of a history: the account, and where that goes on."""

    def done(self, queue: str, made: Recorded) -> None:
        """Whoever takes from a queue is done with an event."""
        self._projected.done(queue.rpartition("-")[2], made, self._findings.now())

    def changed(self, table: str, key: Sequence[str]) -> None:
        """An item was written."""
        if key[0] == POINTER:
            self._projected.moved(table, self._findings.now())

    def take(self, ask: Ask, answer: HttpAnswer) -> None:
        """An answer to a question."""
        path = [unquote(part) for part in ask.path.strip("/").split("/")]
        if answer.status in NOTHING_PROMISED:
            self._check_put_off(ask, path, answer)
            return
        if answer.status == 400:
            if is_question(path, ask.query):
                message = f"{ask.path} is refused, with {dict(ask.query)}."
                self._report(ask, "questions_are_taken", message)
            return
        found: Body | None = msgspec.json.decode(answer.body) if answer.status == 200 else None
        match path:
            case ["accounts"]:
                self._accounts(ask, found)
            case ["accounts", name]:
                self._account(ask, name, found)
            case ["accounts", name, "history"]:
                self._history(ask, name, found)
            case ["payments"]:
                self._payments(ask, found)
            case ["reviews"]:
                self._reviews(ask, found)
            case _:
                self._store.take(ask, path, found)

    def _check_put_off(self, ask: Ask, path: Sequence[str], answer: HttpAnswer) -> None:
        """Nobody is told to wait for a version of an account that is there."""
        if len(path) != 2 or path[0] != "accounts" or answer.status != _PUT_OFF:
            return
        if "stripe" in ask.query:
            return  # it may be there, and not be looked for yet
        least, there = int(ask.query.get("min_version", 0)), 0
        if self._projected.has_settled(self._tables["balances"], ask.at):
            there = self._projected.account_before(path[1], ask.at)
        if there >= least and NOT_YET_PROJECTED.code.encode() in answer.body:
            self._report(
                ask,
                "min_version_is_kept",
                f"Version {least} of {path[1]} is said not to be there yet; {there} was.",
                path[1],
            )

    def _account(self, ask: Ask, name: str, body: Body | None) -> None:
        shown = body or {}
        asked = int(ask.query.get("stripe", 0))
        versions = {part: shown.get(part, 0) for part in _VERSIONS}
        if asked and body is None:
            versions = {}  # it is that stripe that is not known
        for part in shown.get("by_stripe", ())[1:]:
            versions[_stripe(part["stripe"])] = part["version"]
        for stripe in range(1, STRIPES_MAX) if versions else [asked]:
            if (_stripe(stripe), name) in self._seen:  # it was shown before, so it must be again
                versions.setdefault(_stripe(stripe), 0)
        reached = versions.get(_stripe(asked) if asked else "version", 0)
        self._check_floors(ask, name, versions, reached=reached)
        if body is not None:
            self._check_fold(ask, name, account_differences(self._facts, body))
            self._account_shown(body)

    def _account_shown(self, shown: Body) -> None:
        now = self._findings.now()
        self._projected.account_shown(shown["id"], shown["version"], now)
        for part in shown.get("by_stripe", ())[1:]:
            key = stripe_key(shown["id"], part["stripe"])
            self._projected.account_shown(key.id, part["version"], now)

    def _accounts(self, ask: Ask, body: Body | None) -> None:
        if body is None:
            return
        settled = self._projected.has_settled(self._tables["balances"], ask.at)
        self._lists.accounts(ask, body)
        for shown in body["accounts"]:
            name = shown["id"]
            self._check_fold(ask, name, account_differences(self._facts, shown))
            if settled:
                known = self._projected.account_before(name, ask.at)
                self._check_listed(ask, name, shown["version"], known)
            self._account_shown(shown)
            for part in _VERSIONS:
                self._seen[part, name].add(self._findings.now(), shown[part])
        sums = body.get("sums")
        if settled and sums is not None and sums["complete"] and "cursor" not in ask.query:
            under = ask.query["under"]
            wrong = list(sums_differences(self._facts, self._projected, under, ask.at, sums))
            if wrong:
                message = f"The sums under {under} show {', '.join(wrong)}."
                self._report(ask, "sums_are_of_all", message, under)

    def _payments(self, ask: Ask, body: Body | None) -> None:
        if body is None:
            return
        settled = self._projected.has_settled(self._tables["payments"], ask.at)
        self._lists.payments(ask, body)
        for shown in body["payments"]:
            name, version = shown["id"], shown.get("version", 1)
            self._check_fold(ask, name, payment_differences(self._facts, shown))
            if settled:
                known = self._projected.payment_before(name, ask.at)
                self._check_listed(ask, name, version, known)
            self._projected.payment_shown(name, version, self._findings.now())
            if shown["status"] != ask.query.get("status"):
                self._report(
                    ask,
                    "answers_are_the_fold",
                    f"A list of payments that are {ask.query.get('status')} has one that is "
                    f"{shown['status']}.",
                    shown["id"],
                )

    def _reviews(self, ask: Ask, body: Body | None) -> None:
        if body is None:
            return
        self._lists.reviews(ask, body)
        for shown in body["reviews"]:
            made = self._facts.events.get(shown["id"])
            self._check_fold(ask, shown["id"], review_differences(made, shown))

    def _history(self, ask: Ask, name: str, body: Body | None) -> None:
        shown = body or {}
        complete_to = shown.get("complete_to", 0)
        key = stripe_key(name, int(ask.query.get("stripe", 0)))
        self._check_floors(ask, key.id, {"history": shown.get("version", 0)}, reached=complete_to)
        if body is None:
            return
        for entry in body["entries"]:
            self._check_fold(ask, name, entry_differences(self._facts, key, entry))
        self._check_page(ask, key.id, body)

    def _check_page(self, ask: Ask, name: str, body: Body) -> None:
        """No version is left out between the page before and the next that is said to be there."""
        versions = [entry["version"] for entry in body["entries"]]
        above = body["version"] + 1
        cursor = ask.query.get("cursor")
        if cursor is not None:
            account, above = self._pages.get(cursor, (name, versions[0] + 1 if versions else 1))
            if account != name:
                above = 1
        follows = body.get("next_cursor")
        below = versions[-1] if follows and versions else 1
        left_out = [
            version
            for version in range(below, min(above, body["complete_to"] + 1))
            if version not in set(versions)
        ]
        if left_out or versions != sorted(set(versions), reverse=True):
            self._report(
                ask,
                "pages_are_complete",
                f"A page of the history of {name}, complete to {body['complete_to']}, has the "
                f"versions {versions}; it leaves out {left_out}.",
                name,
            )
        if len(versions) > int(ask.query.get("limit", _PAGE)):
            self._report(ask, "pages_are_complete", "A page has more than was asked for.", name)
        if follows and versions:
            self._pages[follows] = name, versions[-1]

    def _check_floors(self, ask: Ask, name: str, shown: Mapping[str, int], *, reached: int) -> None:
        asked = int(ask.query.get("min_version", 0))
        if reached < asked:
            self._report(
                ask,
                "min_version_is_kept",
                f"Version {asked} of {name} was asked for, and {reached} is answered.",
                name,
            )
        for part, number in shown.items():
            seen = self._seen[part, name]
            floor = seen.before(ask.at)
            if number < floor:
                self._report(
                    ask,
                    "versions_never_go_back",
                    f"The {part} of {name} is {number}; {floor} was answered before.",
                    name,
                )
            seen.add(self._findings.now(), number)

    def _check_listed(self, ask: Ask, name: str, version: int, known: int) -> None:
        """What a list shows is read as consistently as if it were asked for alone."""
        if version < known:
            self._report(
                ask,
                "versions_never_go_back",
                f"{ask.path} shows version {version} of {name}; {known} was there before.",
                name,
            )

    def _check_fold(self, ask: Ask, name: str, different: Iterator[str]) -> None:
        wrong = list(different)
        if wrong:
            self._report(
                ask,
                "answers_are_the_fold",
                f"{ask.path} shows {', '.join(wrong)} of {name} otherwise than the events say.",
                name,
            )

    def _report(self, ask: Ask, promise: str, message: str, *about: str) -> None:
        self._findings.report(promise, message, *about, ask.id)
