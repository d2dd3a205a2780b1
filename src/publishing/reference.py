"""Chapters of docs/*.md: a command, an event or a notification each, with fields and objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from ledger.contracts.commands import COMMAND_TYPES
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.contracts.schemas import (
    Schema,
    command_schemas,
    event_schemas,
    notification_schemas,
)
from publishing.refusals import rejections_of
from publishing.tables import anchor_of, cell, chapter_of

Schemas = Mapping[tuple[str, int], Schema]

_REFERENCE: Final = "#/$defs/"
_COMMANDS_PAGE: Final = "commands.md#reference"
_COMMANDS: Final = frozenset(struct.__name__ for struct in COMMAND_TYPES.values())


def commands_section() -> str:
    """A chapter for each command, with what it is refused for, and one for the objects in them."""
    return _section(command_schemas(), "commands", _refused_for)


def events_section() -> str:
    """A chapter for each event, and one for the objects in them."""
    return _section(event_schemas(), "events")


def notifications_section() -> str:
    """A chapter for each notification that is no event."""
    return _section(notification_schemas(), "notifications")


def _section(schemas: Schemas, folder: str, more: Callable[[str], str] = lambda _: "") -> str:
    parts = [
        _chapter(name, version, schema, f"schemas/{folder}/{name}.v{version}.json", more(name))
        for (name, version), schema in schemas.items()
    ]
    objects = {
        name: definition
        for schema in schemas.values()
        for name, definition in cast("dict[str, Schema]", schema.get("$defs", {})).items()
        if name not in _COMMANDS  # which have a page of their own
    }
    if objects:
        parts.append("### Objects in them")
        parts += [_object(name, objects[name]) for name in sorted(objects)]
    return "\n\n".join(parts)


def _chapter(name: str, version: int, schema: Schema, link: str, more: str) -> str:
    examples = cast("list[object]", schema["examples"])
    parts = [
        f"### {chapter_of(name, version)}",
        str(schema["description"]),
        *([more] if more else []),
        _fields_table(schema),
        f"Example ([schema]({link})):",
        "```json\n" + json.dumps(examples[0], indent=2, ensure_ascii=False) + "\n```",
    ]
    return "\n\n".join(parts)


def _refused_for(command_type: str) -> str:
    codes = [f"`{reason.code}`" for reason in rejections_of(command_type)]
    if not codes:
        return ""
    if command_type == "batch.atomic":
        return "Refused for whatever one of its commands is refused for, and for `member_id_used`."
    return f"Refused for: {', '.join(codes)}."


def _object(name: str, definition: Schema) -> str:
    text = " ".join(str(definition["description"]).split())
    return f"#### {name}\n\n{text}\n\n{_fields_table(definition)}"


def _fields_table(schema: Schema) -> str:
    required = cast("list[str]", schema["required"])
    properties = cast("dict[str, Any]", schema["properties"])
    lines = ["| field | | type | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{name}` | {'' if name in required else 'optional'} | {_type(field)} "
        f"| {cell(field['description'])} |"
        for name, field in properties.items()
    ]
    return "\n".join(lines)


def _type(field: Mapping[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(option) for option in field["anyOf"]))
    if "$ref" in field:
        name = str(field["$ref"]).removeprefix(_REFERENCE)
        if name in _COMMANDS:
            return f"[command]({_COMMANDS_PAGE})"
        return f"[{name}](#{anchor_of(name)})"
    if "enum" in field:
        return ", ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    shown = _OF_TYPE.get(field["type"])
    return shown(field) if shown else str(field["type"])


def _array(field: Mapping[str, Any]) -> str:
    return f"list of {_type(field['items'])}"


def _integer(field: Mapping[str, Any]) -> str:
    lowest, highest = field.get("minimum"), field.get("maximum")
    if lowest is None:
        return "integer"
    return (
        f"integer, {_number(lowest)} to {_number(highest)}"
        if highest
        else f"integer, from {lowest}"
    )


def _mapping(field: Mapping[str, Any]) -> str:
    return f"object of {_type(field['additionalProperties'])} by name"


_OF_TYPE: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "array": _array,
    "integer": _integer,
    "object": _mapping,
}


def _number(value: int) -> str:
    if abs(value) != AMOUNT_MINOR_MAX:
        return str(value)
    return "2^63-1" if value > 0 else "-(2^63-1)"
