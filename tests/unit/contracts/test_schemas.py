"""The published JSON Schemas say what the code does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from ledger.contracts import examples
from ledger.contracts.commands import COMMAND_TYPES, decode_command
from ledger.contracts.events import EVENT_TYPES
from ledger.contracts.reasons import InvalidCommandError
from ledger.contracts.schemas import (
    DIALECT,
    Schema,
    command_schemas,
    event_schemas,
    notification_schemas,
)
from tests.properties.command_bodies import (
    ODD_NAMES,
    ODD_VALUES,
    Document,
    Raw,
    body_of,
    documents,
    places,
    with_value,
)

COMMANDS = command_schemas()
EVENTS = event_schemas()
NOTIFICATIONS = notification_schemas()

#: What only code can check: the text of ids, names and times (a pattern takes a final line end),
#: codes of currencies, what a text holds, and all that is true of several fields together.
BEYOND_SCHEMA = {
    "card_number",
    "invalid_alerts",
    "invalid_arguments",
    "invalid_id",
    "invalid_limits",
    "invalid_metadata",
    "invalid_name",
    "invalid_rate",
    "invalid_screening",
    "invalid_template",
    "invalid_text",
    "invalid_time",
    "invalid_velocity",
    "rate_mismatch",
    "repeated_member_id",
    "reserved_id",
    "same_account",
    "unknown_currency",
}


def test_every_command_and_event_has_a_schema_of_its_own_name() -> None:
    """None is forgotten, none is left over, and no two share an `$id`: a command and an event may
    have one name."""
    assert sorted(COMMANDS) == [(name, 1) for name in sorted(COMMAND_TYPES)]
    assert sorted(EVENTS) == [(name, 1) for name in sorted(EVENT_TYPES)]
    every = [*COMMANDS.values(), *EVENTS.values(), *NOTIFICATIONS.values()]
    assert len({schema["$id"] for schema in every}) == len(every)


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        *((schema, examples.COMMANDS[key]) for key, schema in COMMANDS.items()),
        *((schema, examples.EVENTS[key]) for key, schema in EVENTS.items()),
        *((schema, examples.NOTIFICATIONS[key]) for key, schema in NOTIFICATIONS.items()),
    ],
    ids=lambda value: value.get("$id", ""),
)
def test_a_schema_stands_alone_and_takes_its_example(schema: Schema, example: Document) -> None:
    """It is valid draft 2020-12, refers to nothing outside, names and explains itself."""
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(example)
    assert schema["$schema"] == DIALECT
    assert str(schema["$id"]).endswith(f":{example['type']}:{example['v']}")
    assert schema["examples"] == [example]
    references = {value for key, value in _members(schema) if key == "$ref"}
    assert all(str(reference).startswith("#/$defs/") for reference in references)


@pytest.mark.parametrize(
    "schema",
    [*COMMANDS.values(), *EVENTS.values(), *NOTIFICATIONS.values()],
    ids=lambda schema: schema["$id"],
)
def test_every_field_is_explained(schema: Any) -> None:
    """With a sentence, and money with its unit."""
    for definition in (schema, *schema.get("$defs", {}).values()):
        assert definition["description"]
        for name, field in definition["properties"].items():
            assert field["description"].endswith((".", ")", "`", "account")), name
            if name.endswith("_minor"):
                assert "minor unit" in field["description"], name


@pytest.mark.parametrize("schema", COMMANDS.values(), ids=lambda schema: schema["$id"])
def test_commands_are_closed(schema: Any) -> None:
    """In every object of a command, unknown fields are forbidden."""
    for definition in (schema, *schema.get("$defs", {}).values()):
        assert definition["additionalProperties"] is False


@given(documents)
def test_every_valid_command_fits_its_schema(document: Document) -> None:
    """The schema refuses nothing that the ledger takes."""
    Draft202012Validator(COMMANDS[document["type"], 1]).validate(document)


@pytest.mark.parametrize("template", examples.COMMANDS.values(), ids=lambda d: d["type"])
def test_schema_and_code_agree_on_every_odd_value(template: Document) -> None:
    """What the schema refuses the code refuses, and the other way round but for what no schema
    can say."""
    validator = Draft202012Validator(COMMANDS[template["type"], 1])
    odd = [
        with_value(template, path, value)
        for path in places(template)
        for value in ODD_VALUES
        if not isinstance(value, Raw)  # notations that JSON Schema does not see
    ]
    odd += [template | {name: 1} for name in ODD_NAMES]
    for document in odd:
        refused_for = _first_reason(body_of(document), (template["type"],))
        if validator.is_valid(json.loads(json.dumps(document))):
            assert refused_for is None or refused_for in BEYOND_SCHEMA, document
        else:
            assert refused_for is not None, document


def _first_reason(body: bytes, types: tuple[str, ...]) -> str | None:
    try:
        decode_command(body, types)
    except InvalidCommandError as error:
        return error.violations[0].reason.code
    return None


def _members(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        inner = [pair for member in value.values() for pair in _members(member)]
        return [*value.items(), *inner]
    if isinstance(value, list):
        return [pair for member in value for pair in _members(member)]
    return []
