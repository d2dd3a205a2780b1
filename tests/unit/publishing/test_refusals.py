"""What documents say that a command can be refused for is what the ledger refuses it for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings

from ledger.contracts import examples
from ledger.contracts.commands import COMMAND_TYPES, decode_command
from ledger.contracts.events import EVENT_TYPES, CommandRejected, Event, request_of
from ledger.contracts.reasons import REASONS, InvalidCommandError, Kind
from publishing.refusals import REJECTIONS, malformed_of, rejections_of
from publishing.tables import MADE_BY, PAGES, anchor_of, chapter_of, commands_list, events_list
from tests.properties.command_bodies import (
    ODD_NAMES,
    ODD_VALUES,
    Document,
    body_of,
    places,
    with_value,
    without,
)
from tests.support.lives import lives

DOCS = Path(__file__).parents[3] / "docs"


def test_every_command_has_its_refusals_and_every_rejection_a_command() -> None:
    """By precedence; nothing that is not recorded is among them."""
    assert sorted(REJECTIONS) == sorted(COMMAND_TYPES)
    rejections = {reason for reason in REASONS if reason.kind is Kind.REJECTION}
    of_single = set().union(*(REJECTIONS[name] for name in REJECTIONS if name != "batch.atomic"))
    assert {reason.code for reason in rejections - of_single} == {"member_id_used"}
    assert of_single <= rejections
    for name in COMMAND_TYPES:
        found = rejections_of(name)
        assert list(found) == sorted(found, key=REASONS.index)


def test_every_way_to_be_malformed_is_some_commands() -> None:
    """None is forgotten."""
    described = {reason for name in COMMAND_TYPES for reason in malformed_of(name)}
    assert described == {reason for reason in REASONS if reason.kind is Kind.MALFORMED}


@pytest.mark.parametrize("template", examples.COMMANDS.values(), ids=lambda d: d["type"])
def test_whatever_is_wrong_with_a_command_is_described(template: Document) -> None:
    """Each odd value in each place, a field too many and a field too few."""
    described = set(malformed_of(template["type"]))
    odd = [with_value(template, path, value) for path in places(template) for value in ODD_VALUES]
    odd += [template | {name: 1} for name in ODD_NAMES]
    odd += [without(template, path) for path in places(template) if isinstance(path[-1], str)]
    refused = 0
    for document in odd:
        try:
            decode_command(body_of(document), (template["type"],))
        except InvalidCommandError as error:
            refused += 1
            undescribed = {violation.reason for violation in error.violations} - described
            assert not undescribed, (document, undescribed)
    assert refused


@settings(max_examples=300)
@given(lives(16))
def test_whatever_a_command_is_refused_for_is_described(events: list[Event]) -> None:
    """And whatever it makes, in the list of events."""
    for event in events:
        request = request_of(event)
        type_ = str(event.__struct_config__.tag)
        if isinstance(event, CommandRejected):
            assert request is not None
            allowed = REJECTIONS[str(request.__struct_config__.tag)]
            assert event.reason in {reason.code for reason in allowed}, request
        elif request is None:
            assert MADE_BY[type_] == ("batch.atomic",)
        else:
            assert str(request.__struct_config__.tag) in MADE_BY[type_]


def test_the_lists_have_everything_and_lead_somewhere() -> None:
    """A page for each command; each entry of a list to the chapter of that name."""
    assert sorted(PAGES) == sorted(COMMAND_TYPES)
    assert sorted(MADE_BY) == sorted(EVENT_TYPES)
    made = {command for commands in MADE_BY.values() for command in commands}
    assert made == set(COMMAND_TYPES)
    for page in PAGES.values():
        assert (DOCS / page).is_file()
    for listed, shown in ((commands_list(), examples.COMMANDS), (events_list(), examples.EVENTS)):
        for name, version in shown:
            assert f"(#{anchor_of(chapter_of(name, version))})" in listed


def test_anchors_are_those_that_github_makes() -> None:
    """Small letters, blanks as hyphens, underscores kept, all else left out."""
    assert anchor_of("`account.set_alerts`, version 1") == "accountset_alerts-version-1"
    assert anchor_of("AccountEntry") == "accountentry"


def test_the_example_refusal_is_described() -> None:
    """The one that all documents show."""
    codes = {reason.code for reason in rejections_of("payment.post")}
    assert examples.EVENTS["command.rejected", 1]["reason"] in codes
    assert json.loads(json.dumps(examples.REFUSED_COMMAND))["type"] == "payment.post"
