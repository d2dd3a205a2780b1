"""Holds a message to what its schema says of each value: presence, number, type, form, choice.

The classes that a message is read into carry the schema's rules as metadata of their fields. The
library that reads XML does not apply them; this does. The order of elements is not looked at.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from typing import Any, Final, NamedTuple, get_args, get_type_hints

from ledger.importers.faults import INVALID_STRUCTURE
from ledger.importers.instructions import Fault

_TYPE_NAMES: Final = {
    "Decimal": "a decimal",
    "XmlDate": "a date",
    "XmlDateTime": "a date and time",
    "bool": "true or false",
}


class _Rules(NamedTuple):
    attribute: str
    name: str  # of the element; of the attribute with an @; empty for an element's own text
    required: bool
    occurs_min: int
    occurs_max: int | None
    types: tuple[type, ...]
    metadata: dict[str, Any]
    pattern: re.Pattern[str] | None


#: By class, and whether exactly one of its fields must be given. A message has some 100 classes.
_RULES: dict[type[Any], tuple[tuple[_Rules, ...], bool]] = {}


def structure_faults(value: Any, place: str, path: str = "") -> Iterator[Fault]:
    """Every breach of the schema in `value` and below it; `path` is where it is below `place`."""
    rules, is_choice = _rules_of(type(value))
    if is_choice:
        given = sum(getattr(value, rule.attribute) not in (None, []) for rule in rules)
        if given != 1:
            yield _fault(place, path, f"must hold exactly one of its alternatives, not {given}")
            return
    for rule in rules:
        found = getattr(value, rule.attribute)
        below = f"{path}/{rule.name}".strip("/") if rule.name else path
        if isinstance(found, list):
            yield from _list_faults(found, rule, place, below)
        elif found is None:
            if rule.required:
                yield _fault(place, below, "is missing")
        elif dataclasses.is_dataclass(found):
            yield from structure_faults(found, place, below)
        elif why := _why_not(found, rule):
            yield _fault(place, below, why)


def _list_faults(found: list[Any], rule: _Rules, place: str, path: str) -> Iterator[Fault]:
    if len(found) < rule.occurs_min:
        yield _fault(place, path, "is missing")
    if rule.occurs_max is not None and len(found) > rule.occurs_max:
        yield _fault(place, path, f"is there {len(found)} times, at most {rule.occurs_max} may be")
    for number, element in enumerate(found, start=1):
        at = f"{path}[{number}]"
        if dataclasses.is_dataclass(element):
            yield from structure_faults(element, place, at)
        elif why := _why_not(element, rule):
            yield _fault(place, at, why)


def _fault(place: str, path: str, why: str) -> Fault:
    return Fault(place, path, INVALID_STRUCTURE, why)


def _rules_of(kind: type[Any]) -> tuple[tuple[_Rules, ...], bool]:
    if kind not in _RULES:
        _RULES[kind] = _read_rules(kind), kind.__name__.endswith("Choice")
    return _RULES[kind]


def _read_rules(kind: type[Any]) -> tuple[_Rules, ...]:
    hints = get_type_hints(kind)
    rules = []
    for field in dataclasses.fields(kind):
        metadata = dict(field.metadata)
        name = metadata.get("name", "")
        if metadata.get("type") == "Wildcard":
            continue
        pattern = metadata.get("pattern")
        rules.append(
            _Rules(
                attribute=field.name,
                name=f"@{name}" if metadata.get("type") == "Attribute" else name,
                required=metadata.get("required", False),
                occurs_min=metadata.get("min_occurs", 0),
                occurs_max=metadata.get("max_occurs"),
                types=_types_in(hints[field.name]),
                metadata=metadata,
                pattern=re.compile(pattern) if pattern else None,
            )
        )
    return tuple(rules)


def _types_in(hint: Any) -> tuple[type, ...]:
    inner = get_args(hint)
    if inner:
        return tuple(kind for part in inner for kind in _types_in(part))
    return () if hint is type(None) else (hint,)


def _why_not(value: Any, rule: _Rules) -> str:
    """Why the schema does not allow a simple value; empty if it does."""
    if not isinstance(value, rule.types):
        expected = rule.types[0]
        what = _TYPE_NAMES.get(expected.__name__)
        return f"is not {what}" if what else "is none of the codes that may stand there"
    if isinstance(value, Decimal):
        return _why_not_number(value, rule.metadata)
    if isinstance(value, str) and not isinstance(value, Enum):
        length_min, length_max = (rule.metadata.get(f"{end}_length") for end in ("min", "max"))
        if length_min is not None and len(value) < length_min:
            return "is empty" if not value else f"is shorter than {length_min} characters"
        if length_max is not None and len(value) > length_max:
            return f"is longer than {length_max} characters"
        if rule.pattern is not None and rule.pattern.fullmatch(value) is None:
            return f"is not of the form {rule.pattern.pattern}"
    return ""


def _why_not_number(value: Decimal, metadata: dict[str, Any]) -> str:
    if not value.is_finite():
        return "is not a decimal"
    parts = value.as_tuple()
    assert isinstance(parts.exponent, int)
    if parts.exponent > 0:
        return "is not a decimal"  # 1E2 is one to Python, and not to XML Schema
    fraction = -parts.exponent
    whole = max(0, len(parts.digits) - fraction)
    fraction_max, digits_max = metadata.get("fraction_digits"), metadata.get("total_digits")
    if fraction_max is not None and fraction > fraction_max:
        return f"has more than {fraction_max} decimals"
    if digits_max is not None and whole + fraction > digits_max:
        return f"has more than {digits_max} digits"
    least = metadata.get("min_inclusive")
    if least is not None and value < least:
        return f"is below {least}"
    return ""
