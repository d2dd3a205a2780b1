"""JSON Schemas (draft 2020-12) of commands, events and notifications, made from their Structs.

The Structs say types, bounds and which fields are required; this module adds what they cannot:
what each field means, the form of text in events, and an example. Only generators and tests import
it: no handler pays for it. `docs/schemas` holds the result, and a test holds the two together.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Final, cast

import msgspec
from msgspec import Struct

from ledger.contracts import examples
from ledger.contracts.commands import BULK_COMMANDS_MAX, CLIENT_COMMANDS, COMMAND_TYPES
from ledger.contracts.events import EVENT_TYPES
from ledger.contracts.meanings import MEANING, OF_STRUCT
from ledger.contracts.notifications import ALERT_TYPE, BalanceAlert
from ledger.contracts.packs import PACK_EVENTS_MAX

Schema = dict[str, object]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def command_schemas() -> dict[tuple[str, int], Schema]:
    """The schema of every command, by type and version, in the examples' order. Unknown fields are
    forbidden."""
    return {
        (name, version): _schema("command", COMMAND_TYPES[name], name, version, example)
        for (name, version), example in examples.COMMANDS.items()
    }


def bulk_schema() -> Schema:
    """The schema of commands in bulk, one message or request: each command by its own schema."""
    each = [
        {"$ref": _id("command", name, version)}
        for name, version in examples.COMMANDS
        if name in CLIENT_COMMANDS
    ]
    commands: Schema = {
        "description": "The commands, in the order in which they are decided, each by itself.",
        "type": "array",
        "items": {"anyOf": each},
        "minItems": 1,
        "maxItems": BULK_COMMANDS_MAX,
    }
    example = [examples.COMMANDS["account.open", 1], examples.COMMANDS["payment.post", 1]]
    return {
        "$schema": DIALECT,
        "$id": "urn:ledger:schema:bulk:commands",
        "title": "Commands in bulk",
        "description": "One message, or one request's body, with many commands: at most 1 MiB.",
        "type": "object",
        "properties": {"commands": commands},
        "required": ["commands"],
        "additionalProperties": False,
        "examples": [{"commands": example}],
    }


def event_schemas() -> dict[tuple[str, int], Schema]:
    """The schema of every event, by type and version, in the examples' order. Unknown fields are
    allowed: within a version fields may be added, never removed or given another meaning."""
    return {
        (name, version): _schema("event", EVENT_TYPES[name], name, version, example)
        for (name, version), example in examples.EVENTS.items()
    }


def published_schema() -> Schema:
    """The schema of the detail of an entry of the ledger bus: events of one type, each by its own
    schema."""
    each = [{"$ref": _id("event", name, version)} for name, version in examples.EVENTS]
    events: Schema = {
        "description": "The events, all of the type that the entry's `detail-type` says.",
        "type": "array",
        "items": {"anyOf": each},
        "minItems": 1,
        "maxItems": PACK_EVENTS_MAX,
    }
    return {
        "$schema": DIALECT,
        "$id": "urn:ledger:schema:published:events",
        "title": "Events as they are published",
        "description": "The `detail` of an entry of the ledger bus: some 60 KB at most, more if "
        "it has a single event that is larger.",
        "type": "object",
        "properties": {"events": events},
        "required": ["events"],
        "examples": [{"events": [examples.EVENTS["payment.posted", 1]]}],
    }


def notification_schemas() -> dict[tuple[str, int], Schema]:
    """The schema of every message of the topic that is no event, by type and version. As events
    they may gain fields within a version."""
    example = examples.NOTIFICATIONS[ALERT_TYPE, 1]
    return {(ALERT_TYPE, 1): _schema("notification", BalanceAlert, ALERT_TYPE, 1, example)}


def _schema(kind: str, struct: type[Struct], name: str, version: int, example: Schema) -> Schema:
    """One self-contained schema: the Struct itself at the root, the others in its `$defs`.

    Its `$id` has the kind, for a command and an event may share their name.
    """
    definitions = {
        key: explained(definition, OF_STRUCT[key])
        for key, definition in msgspec.json.schema(struct)["$defs"].items()
    }
    root = definitions.pop(struct.__name__)
    root.pop("title")
    schema: Schema = {
        "$schema": DIALECT,
        "$id": _id(kind, name, version),
        "title": f"{name}, version {version}",
        **root,
        "examples": [example],
    }
    return schema | ({"$defs": definitions} if definitions else {})


def _id(kind: str, name: str, version: int) -> str:
    return f"urn:ledger:schema:{kind}:{name}:{version}"


def explained(definition: Schema, own: Mapping[str, Schema]) -> Schema:
    """The schema of one Struct with what each field means: by `own`, else by its name.

    Raises KeyError for a field that nothing explains.
    """
    properties = cast("dict[str, Schema]", definition["properties"])
    described: Schema = {}
    for name, schema in properties.items():
        addition = own.get(name, {})
        meaning = addition.get("description") or MEANING[name]
        _drop_discriminators(schema)
        described[name] = {"description": meaning} | schema | addition | {"description": meaning}
    description = inspect.cleandoc(str(definition["description"]))
    return definition | {"description": description, "properties": described}


def _drop_discriminators(schema: Schema) -> None:
    """OpenAPI's word for what tells the options of `anyOf` apart, and not JSON Schema's."""
    schema.pop("discriminator", None)
    items = schema.get("items")
    if isinstance(items, dict):
        _drop_discriminators(items)
