"""Questions about an imitation of AWS, AWS's answers, and the page that records the differences.

An answer is a short text, so that answers can be compared and printed as they are. AWS's come from
its documentation (developer guides, API references); the others are measured. `docs/emulators.md`
records where they differ, in tables that are written by `make test-oracle WRITE=1` and that tests
hold to what they measure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from botocore.exceptions import ClientError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "emulators.md"
SAME = "="

Asked = TypeVar("Asked")
"""What the questions of a catalogue are put to."""

Answers = Mapping[str, str]
"""Answers by the name of their check."""


@dataclass(frozen=True, slots=True)
class Check(Generic[Asked]):
    """A question that the ledger needs answered as AWS answers it."""

    name: str
    asks: str
    aws: str
    matters: str
    """What follows for us where the answer is another."""
    observe: Callable[[Asked], str]
    unasked: Mapping[str, str]
    """Places where it is not asked -> why."""

    def answer(self, place: str, asked: Callable[[], Asked]) -> str:
        """The answer at a place; a failure is one too."""
        if place in self.unasked:
            return f"not asked: {self.unasked[place]}"
        try:
            return self.observe(asked())
        except ClientError as error:
            return f"fails: {error.response['Error']['Message']}"
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            # What an imitation in this process raises where it breaks.
            return f"breaks: {type(error).__name__}"


@dataclass(frozen=True, slots=True)
class Catalogue(Generic[Asked]):
    """Checks by name, in the order in which they are defined."""

    checks: dict[str, Check[Asked]] = field(default_factory=dict)

    def check(
        self, *, aws: str, matters: str, unasked: Mapping[str, str] | None = None
    ) -> Callable[[Callable[[Asked], str]], Check[Asked]]:
        """Makes a check of a function, whose docstring is the question."""

        def made(observe: Callable[[Asked], str]) -> Check[Asked]:
            asks = " ".join((observe.__doc__ or "").split())
            name = observe.__name__
            if not asks.endswith(".") or "|" in asks + aws + matters or name in self.checks:
                raise ValueError(f"{name}: a name of its own, and a docstring that fits a table")
            self.checks[name] = Check(name, asks.rstrip("."), aws, matters, observe, unasked or {})
            return self.checks[name]

        return made

    def table(self, answers: Mapping[str, Answers]) -> str:
        """Markdown: a row for each check in which a place differs, and the others in a sentence."""
        different = {
            name: check
            for name, check in self.checks.items()
            if any(each[name] != check.aws for each in answers.values())
        }
        heading = ["asked", "AWS", *answers, "for us"]
        rows = [heading, ["---"] * len(heading)]
        for name, check in different.items():
            cells = [SAME if each[name] == check.aws else each[name] for each in answers.values()]
            rows.append([check.asks, check.aws, *cells, check.matters])
        same = [check.asks for name, check in self.checks.items() if name not in different]
        lines = ["| " + " | ".join(row) + " |" for row in rows]
        listed = [f"- {each}" for each in same]
        return "\n".join([*lines, "", f"As AWS everywhere, {len(same)}:", "", *listed])

    def recorded(self, section: str) -> dict[str, dict[str, str]]:
        """The answers by place that a table of the page records."""
        heading, _, *rows = [
            [cell.strip() for cell in line.strip("|").split(" | ")]
            for line in section.splitlines()
            if line.startswith("|")
        ]
        by_question = {row[0]: row for row in rows}
        return {
            place: {
                name: check.aws
                if check.asks not in by_question or by_question[check.asks][column] == SAME
                else by_question[check.asks][column]
                for name, check in self.checks.items()
            }
            for column, place in enumerate(heading)
            if place not in {"asked", "AWS", "for us"}
        }


def section(page: str, name: str) -> str:
    """A generated part of the page. Raises ValueError if it has none of that name."""
    return _split(page, name)[1]


def with_section(page: str, name: str, body: str) -> str:
    """The page with another body of that part."""
    before, _, after = _split(page, name)
    return before + body + after


def _split(page: str, name: str) -> tuple[str, str, str]:
    begin, end = f"<!-- measured: {name} -->\n\n", f"\n\n<!-- end: {name} -->"
    before, found, rest = page.partition(begin)
    body, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page has no part between the marks of {name!r}")
    return before + begin, body, end + after
