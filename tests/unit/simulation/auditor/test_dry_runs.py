"""What a dry run answers is what would have been answered."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.contracts.commands import Command
from tests.support.builders import batching, freezing, holding, opening, paying
from tests.unit.simulation.auditor.witness import SECOND, Story, altered


def bank() -> Story:
    """Two accounts, one with money."""
    story = Story()
    story.does(
        opening("bank", min_balance_minor=None),
        opening("a", account_type="liability"),
        paying("first", ("bank", "a", 100)),
    )
    return story


def looks(story: Story, command: Command, **changed: Any) -> None:
    """A client asks what a command would do, and is answered not quite so."""
    ask = story.ask(command, route="dry_run")
    answer = story.answer_to(command, dry=True)
    story.auditor.answered(ask, altered(answer, **changed))


def test_true_dry_runs_break_no_promise() -> None:
    """Accepted, refused, decided before, another's id."""
    story = bank()
    looks(story, paying("p", ("a", "bank", 1)))
    looks(story, paying("p", ("a", "bank", 900)))
    looks(story, paying("first", ("bank", "a", 100)))
    looks(story, paying("first", ("bank", "a", 7)))
    looks(story, batching("both", opening("b"), paying("q", ("bank", "b", 5))))
    story.auditor.unanswered(story.ask(paying("p", ("a", "bank", 1)), route="dry_run"))
    assert story.auditor.findings == []


@pytest.mark.parametrize(
    ("command", "changed"),
    [
        (paying("p", ("a", "bank", 1)), {"dry_run": False}),
        (paying("p", ("a", "bank", 1)), {"repeat": True}),
        (paying("p", ("a", "bank", 1)), {"title": "", "reason": "insufficient_funds"}),
        (paying("p", ("a", "bank", 1)), {"title": "", "reason": "idempotency_mismatch"}),
        (paying("p", ("a", "bank", 1)), {"title": "", "reason": "invalid_amount"}),
        (paying("p", ("a", "bank", 900)), {"reason": "account_closed"}),
    ],
)
def test_a_dry_run_that_says_otherwise_is_found(command: Command, changed: dict[str, Any]) -> None:
    """Where nothing moved meanwhile."""
    story = bank()
    looks(story, command, **changed)
    assert story.broken == {"dry_runs_foretell"}


def test_a_dry_run_refused_for_another_reason_than_the_first_is_found() -> None:
    """Both hold."""
    for reason, broken in (
        ("account_frozen", set()),
        ("insufficient_funds", {"dry_runs_foretell"}),
    ):
        story = bank()
        story.does(freezing("a"))
        looks(story, paying("p", ("a", "bank", 900)), reason=reason)
        assert story.broken == broken


def test_figures_that_would_be_others_are_found() -> None:
    """The accounts as they would be left."""
    story, other = bank(), bank()
    other.does(paying("more", ("bank", "a", 1)))
    command = paying("p", ("a", "bank", 1))
    ask = story.ask(command, route="dry_run")
    story.auditor.answered(ask, other.answer_to(command, dry=True))
    assert story.broken == {"dry_runs_foretell"}


def test_a_dry_run_of_what_is_past_is_found_though_the_world_moved() -> None:
    """It shows accounts as they were before it was asked for."""
    story = bank()
    command = paying("p", ("a", "bank", 1))
    answer = story.answer_to(command, dry=True)
    story.does(paying("more", ("bank", "a", 1)))
    ask = story.ask(command, route="dry_run")
    story.does(opening("b"))
    story.auditor.answered(ask, answer)
    assert story.broken == {"dry_runs_foretell"}


def test_a_due_hold_may_be_seen_released() -> None:
    """A dry run looks behind the holds that are due."""
    story = bank()
    story.does(holding("hold", ("a", "bank", 100)))
    story.now += 8 * 86_400 * SECOND
    looks(story, paying("p", ("a", "bank", 100)))
    assert story.auditor.findings == []
