"""Plain values as DynamoDB attributes, and back. Numbers are integers, never floats or decimals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.runtime.faults import BrokenItemError

Attribute = dict[str, Any]
Item = dict[str, Attribute]


def attributes_of(values: Mapping[str, object]) -> Item:
    """An item's attributes for strings, integers, None, lists and string-keyed mappings."""
    return {
        name: {"S": value} if value.__class__ is str else _attribute(value)
        for name, value in values.items()
    }


def values_of(item: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The values of an item. Raises BrokenItemError for what `attributes_of` never writes."""
    # Nearly all are texts, without a call each.
    return {
        name: attribute["S"] if "S" in attribute and len(attribute) == 1 else _value(attribute)
        for name, attribute in item.items()
    }


def _attribute(value: object) -> Attribute:
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, int):
        return {"N": str(value)}
    if value is None:
        return {"NULL": True}
    if isinstance(value, list | tuple):
        return {"L": [_attribute(element) for element in value]}
    if isinstance(value, Mapping):
        return {"M": attributes_of(value)}
    raise TypeError(f"{type(value).__name__} has no attribute type here")


def _value(attribute: Mapping[str, Any]) -> object:
    ((kind, content),) = attribute.items()
    if kind == "N":
        return _integer(content)
    if kind == "S":
        return content
    if kind == "NULL":
        return None
    if kind == "M":
        return values_of(content)
    if kind == "L":
        return [_value(element) for element in content]
    raise BrokenItemError(f"an attribute of type {kind}")


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise BrokenItemError("a number that is not an integer") from error
