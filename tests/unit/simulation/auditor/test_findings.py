"""Findings are by the name of a promise; each promise has a test that breaks it."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulation.auditor.findings import FINDINGS_A_PROPERTY_MAX, PROPERTIES, Finding, Findings
from simulation.kernel.hub import Hub
from simulation.kernel.trace import Trace
from tests.unit.simulation.auditor.witness import Story

#: Judged where operators are played, not here.
ELSEWHERE = {"procedures_succeed"}


@pytest.mark.parametrize("promise", [one for one in PROPERTIES if one not in ELSEWHERE])
def test_each_promise_is_broken_in_a_test(promise: str) -> None:
    """So none is one that nothing can break."""
    here = Path(__file__).parent
    texts = [one.read_text() for one in here.glob("test_*.py") if one.name != Path(__file__).name]
    texts.append(Path(__file__).read_text().split("def test_handlers", 1)[1])
    assert any(f'"{promise}"' in text for text in texts)


def test_a_promise_that_nobody_made_cannot_be_broken() -> None:
    """It is a mistake in a check."""
    with pytest.raises(LookupError):
        Findings(lambda: 0).report("everything_is_fine", "It is not.")


def test_what_follows_from_the_first_is_not_told_for_ever() -> None:
    """And the trace has what is told."""
    trace = Trace(Hub(7), kept=True)
    found = Findings(lambda: 7, trace)
    for _ in range(2 * FINDINGS_A_PROPERTY_MAX):
        found.report("events_stay", "It is gone.", "a")
    assert found.all == [Finding("events_stay", 7, "It is gone.", ("a",))] * FINDINGS_A_PROPERTY_MAX
    assert trace.count == FINDINGS_A_PROPERTY_MAX
    assert trace.entries[0].about == ("a",)


def test_handlers_that_fail_are_found() -> None:
    """Whether they end in what they did not foresee, or work around it."""
    text = "Traceback (most recent call last):\n  …\nledger.here.BrokenError: no\n"
    lines: list[dict[str, object]] = [
        {"outcomes": {"exception:KeyError": 2}},
        {"failures": {"exception:KeyError": 1}},
        {"exception": "KeyError"},
    ]
    for line in lines:
        story = Story()
        story.auditor.logged("Commands", line)
        assert story.broken == {"handlers_do_not_fail"}
    other = Story()
    other.auditor.failed("Balances", text)
    assert other.broken == {"handlers_do_not_fail"}


def test_what_a_handler_foresees_is_none_to_find() -> None:
    """A sweep that fails is made good by the next; whoever fails over a table says so."""
    story = Story()
    story.auditor.failed("Expiry", "ledger.application.ports.TransientStoreError: throttled")
    story.auditor.logged("Expiry", {"exception": "TransientStoreError"})
    story.auditor.logged("Balances", {"failures": {"ThrottlingException": 1}})
    story.auditor.logged("Api", {"outcomes": {"accepted": 1}})
    assert story.auditor.findings == []
