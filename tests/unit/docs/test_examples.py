"""The pages on concepts show what the ledger does: their worked examples are played."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from ledger.contracts.commands import CLIENT_COMMANDS
from ledger.contracts.events import EVENT_TYPES
from tests.support.pages import CONCEPTS, DOCS, page, play, steps_of

RESULT = re.compile(r"^```json result\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", CONCEPTS)
def test_every_example_is_so(name: str) -> None:
    """Every figure of every result; `ledger verify` finds nothing; every event is as published."""
    assert play(page(name)) >= 4


def test_every_page_with_examples_is_played() -> None:
    """No page has blocks that look executed and are not."""
    with_examples = {path.name for path in DOCS.glob("*.md") if RESULT.search(path.read_text())}
    assert with_examples == set(CONCEPTS)


def test_every_block_belongs_to_an_example() -> None:
    """A result stands behind the commands that it is the result of, or behind a sweep; and what is
    marked as JSON for any other reason is on no page."""
    for name in CONCEPTS:
        for before, after in pairwise(steps_of(page(name))):
            if after.result is not None:
                assert before.commands or before.sweeps, f"{name}:{after.line}"
        marked = re.findall(r"^```json(.*)$", page(name), re.MULTILINE)
        assert set(marked) <= {" command", " command dry run", " result"}


def test_every_command_and_event_is_in_an_example() -> None:
    """All that clients can send is shown by an example, and all that it makes."""
    documents = [
        json.loads(document.body)
        for name in CONCEPTS
        for step in steps_of(page(name))
        for document in step.commands
    ]
    sent = {one["type"] for document in documents for one in (document, *members(document))}
    assert sent == CLIENT_COMMANDS
    results = [step.result for name in CONCEPTS for step in steps_of(page(name)) if step.result]
    made = {event["type"] for result in results for event in events_in(result)}
    assert made | {"payment.screened"} == set(EVENT_TYPES)  # docs/fraud.md has screenings


@pytest.mark.parametrize("name", ["metadata.md", "dry-run.md"])
def test_no_figure_of_a_result_is_passed_over(name: str) -> None:
    """Whatever is changed in a result, be it one figure or one word, is found to be wrong."""
    text = page(name)
    for found in RESULT.finditer(text):
        for changed in variants(json.loads(found[1])):
            written = text[: found.start(1)] + json.dumps(changed) + "\n" + text[found.end(1) :]
            with pytest.raises(AssertionError, match=r"^line "):
                play(written)


def test_what_is_not_accepted_must_be_shown() -> None:
    """A command without a result, and whatever is refused without saying so, fails the page."""
    unknown = '{"type": "payment.void", "v": 1, "id": "void-1", "payment": "nothing"}'
    text = f"## Example\n\nAt `2026-12-01T09:00:00Z`:\n\n```json command\n{unknown}\n```\n"
    with pytest.raises(AssertionError, match=r"^line 5: .*payment_unknown"):
        play(text)
    assert play(text + '```json result\n{"event": {"reason": "payment_unknown"}}\n```\n') == 1
    with pytest.raises(AssertionError, match=r"^line 8: "):
        play(text + '```json result\n{"accounts": {}}\n```\n')


def members(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The commands of a batch."""
    found: list[dict[str, Any]] = document.get("commands", [])
    return found


def events_in(result: Any) -> Iterator[dict[str, Any]]:
    """The events that a result shows."""
    yield from (result[name] for name in ("event", "would") if name in result)
    yield from result.get("members", ())


def variants(value: Any) -> Iterator[Any]:
    """`value` with one thing in it changed: each scalar, and each list by an element."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from ({**value, name: changed} for changed in variants(inner))
    elif isinstance(value, list):
        yield [*value, 0]
        for index, inner in enumerate(value):
            yield from ([*value[:index], one, *value[index + 1 :]] for one in variants(inner))
    elif isinstance(value, bool) or value is None:
        yield not value
    elif isinstance(value, int):
        yield value + 1
    else:
        yield f"{value}x"
