"""Every generated document by its path under `docs/`, as the bytes that belong there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Final

from ledger.contracts.schemas import (
    Schema,
    bulk_schema,
    command_schemas,
    event_schemas,
    notification_schemas,
    published_schema,
)
from publishing.exchanges import exchanges
from publishing.openapi import description
from publishing.reference import commands_section, events_section, notifications_section
from publishing.tables import bands_table, commands_list, events_list, reasons_table

#: The parts of pages that are generated, by page and by the name in its markers.
_PARTS: Final[Mapping[str, Mapping[str, Callable[[], str]]]] = {
    "errors.md": {"reasons": reasons_table},
    "commands.md": {"list": commands_list, "commands": commands_section},
    "events.md": {"list": events_list, "events": events_section},
    "notifications.md": {"bands": bands_table, "notifications": notifications_section},
}
Drawings = Mapping[PurePosixPath, bytes]
"""Drawn documents, by path below `docs`."""
_NO_DRAWINGS: Final[Drawings] = MappingProxyType({})
_MARKED: Final = re.compile(
    r"(<!-- generated: (?P<name>\w+) -->\n)(.*?)(<!-- end of what is generated -->)", re.DOTALL
)


class MarkersError(ValueError):
    """A page does not have exactly the markers of its generated parts."""


def documents(docs: Path, drawings: Drawings = _NO_DRAWINGS) -> dict[PurePosixPath, bytes]:
    """What belongs at each path below `docs`; of pages, the prose is taken from what is there.

    Drawings take the templates to make, and so are made by whoever asks.
    """
    schemas = {
        PurePosixPath("schemas", folder, f"{name}.v{version}.json"): _json(schema)
        for folder, found in (
            ("commands", command_schemas()),
            ("events", event_schemas()),
            ("notifications", notification_schemas()),
        )
        for (name, version), schema in found.items()
    }
    schemas[PurePosixPath("schemas", "bulk", "commands.json")] = _json(bulk_schema())
    schemas[PurePosixPath("schemas", "published", "events.json")] = _json(published_schema())
    pages = {
        PurePosixPath(name): filled((docs / name).read_text(encoding="utf-8"), parts).encode()
        for name, parts in _PARTS.items()
    }
    openapi = {PurePosixPath("openapi.json"): _json(description(exchanges()))}
    return schemas | pages | openapi | dict(drawings)


def filled(page: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """`page` with each generated part between its markers. Raises MarkersError."""
    marked = [match["name"] for match in _MARKED.finditer(page)]
    if sorted(marked) != sorted(parts):
        raise MarkersError(f"parts {sorted(parts)} wanted, markers of {sorted(marked)} found")
    return _MARKED.sub(
        lambda match: f"{match[1]}\n{parts[match['name']]()}\n\n{match[4]}",
        page,
    )


def outdated(docs: Path, drawings: Drawings = _NO_DRAWINGS) -> list[PurePosixPath]:
    """The documents that are not as they should be, and schemas that nothing generates any more."""
    wanted = documents(docs, drawings)
    stale = [
        path
        for path, content in wanted.items()
        if not (docs / path).is_file() or (docs / path).read_bytes() != content
    ]
    present = {PurePosixPath(path.relative_to(docs)) for path in (docs / "schemas").rglob("*.json")}
    return sorted([*stale, *(present - set(wanted))])


def write(docs: Path, drawings: Drawings = _NO_DRAWINGS) -> list[PurePosixPath]:
    """Writes what is outdated, removes what nothing generates; says which paths it touched."""
    wanted = documents(docs, drawings)
    touched = outdated(docs, drawings)
    for path in touched:
        target = docs / path
        if path in wanted:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(wanted[path])
        else:
            target.unlink()
    return touched


def _json(schema: Schema) -> bytes:
    return (json.dumps(schema, indent=2, ensure_ascii=False) + "\n").encode()
