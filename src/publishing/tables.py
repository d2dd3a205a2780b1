"""The parts of docs/*.md that are made from the contracts: tables of fields and of reasons."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from ledger.contracts.notifications import AMOUNT_BANDS
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.contracts.reasons import REASONS
from ledger.contracts.schemas import Schema

_REFERENCE: Final = "#/$defs/"


def reasons_table() -> str:
    """Every reason in precedence, one a row."""
    lines = [
        "| | `reason` | kind | status | `retry` | meaning |",
        "|--:|---|---|--:|---|---|",
    ]
    lines += [
        f"| {number} | `{reason.code}` | {reason.kind} | {int(reason.status)} "
        f"| `{reason.retry}` | {_cell(reason.meaning)} |"
        for number, reason in enumerate(REASONS, start=1)
    ]
    return "\n".join(lines)


def bands_table() -> str:
    """Every amount band: from which amount on and below which one, in whole units."""
    lines = ["| `amount_band` | from | below |", "|---|--:|--:|"]
    for band in AMOUNT_BANDS:
        lowest, _, end = band.partition("-")
        lines.append(f"| `{band}` | {int(lowest):,} | {f'{int(end):,}' if end else ''} |")
    return "\n".join(lines)


def messages_section(schemas: Mapping[tuple[str, int], Schema], folder: str) -> str:
    """A chapter for each command or event: what it is, its fields, an example, its schema."""
    return "\n\n".join(
        _message(name, version, schema, f"schemas/{folder}/{name}.v{version}.json")
        for (name, version), schema in schemas.items()
    )


def _message(name: str, version: int, schema: Schema, link: str) -> str:
    examples = cast("list[object]", schema["examples"])
    parts = [
        f"### `{name}`, version {version}",
        str(schema["description"]),
        _fields_table(schema),
        *_inner_tables(schema),
        f"Example ([schema]({link})):",
        "```json\n" + json.dumps(examples[0], indent=2, ensure_ascii=False) + "\n```",
    ]
    return "\n\n".join(parts)


def _inner_tables(schema: Schema) -> Iterator[str]:
    """The tables of the objects inside, but for commands, which have a page of their own."""
    for name, definition in cast("dict[str, Schema]", schema.get("$defs", {})).items():
        if "type" not in cast("list[str]", definition["required"]) or name == "AccountEntry":
            text = " ".join(str(definition["description"]).split())
            yield f"**{name}**: {text}"
            yield _fields_table(definition)


def _fields_table(schema: Schema) -> str:
    required = cast("list[str]", schema["required"])
    properties = cast("dict[str, Any]", schema["properties"])
    lines = ["| field | | type | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{name}` | {'' if name in required else 'optional'} | {_type(field)} "
        f"| {_cell(field['description'])} |"
        for name, field in properties.items()
    ]
    return "\n".join(lines)


def _type(field: Mapping[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_type(option) for option in field["anyOf"])
    if "$ref" in field:
        return str(field["$ref"]).removeprefix(_REFERENCE)
    if "enum" in field:
        return ", ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    if field["type"] == "array":
        return f"list of {_type(field['items'])}"
    if field["type"] == "integer":
        return f"integer{_bounds(field)}"
    return str(field["type"])


def _bounds(field: Mapping[str, Any]) -> str:
    lowest, highest = field.get("minimum"), field.get("maximum")
    if lowest is None:
        return ""
    return f", {_number(lowest)} to {_number(highest)}" if highest else f", from {lowest}"


def _number(value: int) -> str:
    if abs(value) != AMOUNT_MINOR_MAX:
        return str(value)
    return "2^63-1" if value > 0 else "-(2^63-1)"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
