"""What an item costs in DynamoDB.

Source: DynamoDB developer guide, "DynamoDB item sizes and formats" and "Read and write operations".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KIB = 1024


def item_bytes(item: Mapping[str, Any]) -> int:
    """The size of an item: names and values in UTF-8; a number takes a byte for two significant
    digits and one more, and one more if it is negative."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def write_units(item: Mapping[str, Any]) -> int:
    """One unit for each KiB or part of one that a write leaves, or removes."""
    return -(-item_bytes(item) // KIB)


def transactional_write_units(item: Mapping[str, Any]) -> int:
    """Two units for each KiB or part of one that a transaction puts."""
    return 2 * write_units(item)


def _value_bytes(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "B":
        return len(bytes(content))
    if kind == "SS":
        return sum(len(text.encode()) for text in content)
    assert kind == "N", "the tables hold text, sets of text, numbers and binary only"
    digits: str = content.lstrip("-").strip("0").replace(".", "")
    sign = 1 if content.startswith("-") else 0
    return (len(digits) + 1) // 2 + 1 + sign
