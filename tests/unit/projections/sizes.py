"""What an item costs in DynamoDB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def item_bytes(item: Mapping[str, Mapping[str, Any]]) -> int:
    """The size that DynamoDB bills: names and values in UTF-8; numbers take a byte per two digits,
    one, and one more below zero; lists and maps three, and one for each element; null one
    (developer guide, "Item sizes")."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(attribute: Mapping[str, Any]) -> int:
    kind: str
    value: Any
    ((kind, value),) = attribute.items()
    if kind == "S":
        return len(str(value).encode())
    if kind == "N":
        digits = str(value).lstrip("-")
        return (len(digits) + 1) // 2 + 1 + bool(digits != value)
    if kind == "B":
        return len(bytes(value))
    if kind == "NULL":
        return 1
    if kind == "L":
        return 3 + sum(1 + _value_bytes(element) for element in value)
    return 3 + item_bytes(value) + len(value)
