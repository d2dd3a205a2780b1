"""API Gateway models from the published JSON Schemas of the commands.

API Gateway validates with JSON Schema draft 4 and knows neither `$ref` into `$defs` nor `const`.
The model refuses what is plainly malformed before a function runs; the function validates again,
exactly, and names the field. So a model may be laxer than its schema and never stricter.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

_SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas" / "commands"
_DRAFT_4 = "http://json-schema.org/draft-04/schema#"
_SAME_IN_DRAFT_4 = frozenset({"type", "required", "enum", "pattern", "minItems", "maxItems"})
_ANNOTATIONS = frozenset(
    {"$schema", "$id", "$defs", "title", "description", "default", "examples", "format"}
)
# Numbers pass through JavaScript on their way into a template: larger ones would be rounded.
_EXACT_MAX = 2**53


class UnconvertibleSchemaError(ValueError):
    """A schema uses something that draft 4 cannot say; the message names it."""


def request_model(command: str) -> Schema:
    """The draft 4 model of version 1 of `command` (`payment.post`), from its published schema."""
    path = _SCHEMAS / f"{command}.v1.json"
    return draft_4(json.loads(path.read_text(encoding="utf-8")))


def draft_4(schema: Schema) -> Schema:
    """`schema` (draft 2020-12) in draft 4: references inlined, annotations dropped.

    Raises UnconvertibleSchemaError for a keyword without a counterpart, rather than dropping it.
    """
    return {"$schema": _DRAFT_4, **_convert(schema, schema.get("$defs", {}), ())}


def _convert(schema: Schema, definitions: Schema, inside: tuple[str, ...]) -> Schema:
    """`inside` names the definitions being inlined, so that recursion is noticed."""

    def nested(inner: Schema) -> Schema:
        return _convert(inner, definitions, inside)

    converted: Schema = {}
    for keyword, value in schema.items():
        if keyword == "$ref":
            name = _referred(value, definitions, inside)
            converted |= _convert(definitions[name], definitions, (*inside, name))
        elif keyword not in _ANNOTATIONS:
            converted |= _structure(keyword, value, nested) or _assertion(keyword, value)
    return converted


def _referred(reference: str, definitions: Schema, inside: tuple[str, ...]) -> str:
    name = reference.removeprefix("#/$defs/")
    if name not in definitions:
        raise UnconvertibleSchemaError(f"{reference!r} is not a definition of the schema itself")
    if name in inside:
        raise UnconvertibleSchemaError(f"{reference!r} refers to itself: it cannot be inlined")
    return name


def _structure(keyword: str, value: Any, nested: Callable[[Schema], Schema]) -> Schema:
    """Keywords that hold schemas; empty for any other."""
    match keyword:
        case "properties":
            return {keyword: {name: nested(inner) for name, inner in value.items()}}
        case "anyOf" | "oneOf" | "allOf":
            return {keyword: [nested(inner) for inner in value]}
        case "items":
            return {keyword: nested(value)}
        case "additionalProperties":
            return {keyword: nested(value) if isinstance(value, dict) else value}
    return {}


def _assertion(keyword: str, value: Any) -> Schema:
    """Keywords that judge a value."""
    if keyword in _SAME_IN_DRAFT_4:
        return {keyword: value}
    match keyword:
        case "const":
            return {"enum": [value]}
        case "minLength":
            return {keyword: value}
        case "maxLength":
            return {keyword: 2 * value}  # Java may count UTF-16 units, two for some characters
        case "minimum" | "maximum":
            return {keyword: value} if abs(value) <= _EXACT_MAX else {}
    raise UnconvertibleSchemaError(f"draft 4 has no counterpart for {keyword!r}")
