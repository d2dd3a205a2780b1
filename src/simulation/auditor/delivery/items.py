"""Items of the projections' tables, as plain values, of the generation that is live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_POINTER: Final = "#generations"
_FIRST: Final = 1

Items = Mapping[tuple[str, ...], Mapping[str, Mapping[str, Any]]]


def live_items(items: Items) -> dict[str, list[dict[str, Any]]]:
    """The items of the live generation, by the rest of their partition key."""
    prefix = _prefix(items)
    found: dict[str, list[dict[str, Any]]] = {}
    for item in items.values():
        partition: str = item["pk"]["S"]
        front, slash, rest = partition.rpartition("/")
        if partition != _POINTER and front + slash == prefix:
            values = {name: plain(value) for name, value in item.items()}
            found.setdefault(rest, []).append(values)
    return found


def _prefix(items: Items) -> str:
    """What stands before the keys of the live generation; nothing before those of the first."""
    pointer = next((item for item in items.values() if item["pk"]["S"] == _POINTER), None)
    live = _FIRST if pointer is None else int(pointer["live"]["N"])
    return "" if live == _FIRST else f"{live}/"


def plain(attribute: Mapping[str, Any]) -> Any:
    """An attribute's value."""
    ((kind, content),) = attribute.items()
    if kind == "N":
        return int(content)
    if kind == "NULL":
        return None
    if kind == "M":
        return {name: plain(value) for name, value in content.items()}
    if kind == "L":
        return [plain(value) for value in content]
    return content
