"""Items in DynamoDB's own form: what is kept of them, how large they are, how values compare.

Source: DynamoDB developer guide, "Data types" and "DynamoDB item sizes and formats".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final
from zlib import crc32

from simulation.aws.errors import ServiceError

Value = dict[str, Any]
Item = dict[str, Value]
Key = tuple[str, ...]
"""The key's values in the table's order; a number as it is kept."""
Sortable = str | int | Decimal | bytes

KIB: Final = 1024
MIB: Final = 1024 * KIB
ITEM_BYTES_MAX: Final = 400 * KIB
_DIGITS_MAX: Final = 38
_NUMBERS_KEPT: Final = 65_536
_NAMES_KEPT: Final = 4_096
#: An integer in the one form in which it is kept.
_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]{0,37}").fullmatch
_OVERHEAD: Final = 3  # of a map or a list; each of its elements has one byte more
_NESTED: Final = frozenset({"M", "L", "SS", "NS", "BS"})


def invalid(message: str) -> ServiceError:
    """What DynamoDB calls a request that it can never fulfil."""
    return ServiceError("ValidationException", message)


def taken(item: Mapping[str, Mapping[str, Any]]) -> tuple[Item, int]:
    """A copy of an item as it is kept, and its size in bytes. Raises ServiceError."""
    kept: Item = {}
    size = _names_bytes(tuple(item))
    for name, value in item.items():
        # The three kinds that nearly all values are of come first, without a call each.
        if len(value) != 1:
            kept[name], taking = taken_value(value)  # which refuses it
        elif "S" in value:
            text = value["S"]
            kept[name] = {"S": text}
            taking = len(text) if text.isascii() else len(text.encode())
        elif "N" in value:
            text, taking = _kept_number(value["N"])
            kept[name] = {"N": text}
        elif "B" in value and value["B"].__class__ is bytes:
            kept[name] = {"B": value["B"]}
            taking = len(value["B"])
        else:
            kept[name], taking = taken_value(value)
        size += taking
    return kept, size


@lru_cache(_NAMES_KEPT)
def _names_bytes(names: tuple[str, ...]) -> int:
    """The bytes of an item's names: those of a table's items are nearly always the same."""
    return sum(len(name.encode()) for name in names)


def bytes_of(item: Item, names: Iterable[str]) -> int:
    """The bytes of those attributes that an item has, with their names."""
    size = 0
    for name in names:
        value = item.get(name)
        if value is None:
            continue
        if "S" in value:
            size += _kept_text(value["S"])[1]
        elif "N" in value:
            size += _kept_number(value["N"])[1]
        else:
            size += taken_value(value)[1]
        size += len(name.encode())
    return size


def taken_value(value: Mapping[str, Any]) -> tuple[Value, int]:
    """A copy of a value as it is kept, and its size in bytes. Raises ServiceError."""
    if len(value) != 1:
        raise invalid("Supplied AttributeValue must contain exactly one of the supported datatypes")
    (kind,) = value
    keep = _KEEPING.get(kind)
    if keep is None:
        raise NotImplementedError(f"an attribute of type {kind!r}")
    kept, size = keep(value[kind])
    return {kind: kept}, size


def copied(item: Item) -> Item:
    """A copy that its receiver may change, but for texts, numbers and bytes, which it may
    replace."""
    copy = item.copy()
    for name, value in item.items():
        if "S" not in value and "N" not in value and "B" not in value:
            copy[name] = _copied(value)
    return copy


def _copied(value: Value) -> Value:
    (kind,) = value
    if kind not in _NESTED:
        return value.copy()
    content = value[kind]
    if kind == "M":
        return {"M": copied(content)}
    if kind == "L":
        return {"L": [_copied(one) for one in content]}
    return {kind: list(content)}


def number(text: str) -> int | Decimal:
    """A number as it is kept, to be compared by every digit."""
    try:
        return int(text)
    except ValueError:
        return Decimal(text)


def sortable(value: Value) -> Sortable:
    """What a value is sorted by, among values of its type."""
    if "S" in value:
        text: str = value["S"]  # code points sort as their UTF-8 does
        return text
    return number(value["N"]) if "N" in value else bytes(value["B"])


def is_less(one: Value, other: Value) -> bool:
    """Whether it is; never for values of different types."""
    if one.keys() != other.keys() or not one.keys() <= {"S", "N", "B"}:
        return False
    return sortable(one) < sortable(other)  # type: ignore[operator]  # of one type, as seen above


def has_member(value: Value, member: Value) -> bool:
    """What `contains` means: a member of a set or a list, a part of a text."""
    ((kind, content),) = value.items()
    ((wanted, sought),) = member.items()
    if kind == "L":
        return member in content
    if kind in {"S", "B"}:
        return bool(kind == wanted and sought in content)
    return bool(kind == wanted + "S" and sought in content)


def _kept_text(text: str) -> tuple[str, int]:
    return text, len(text) if text.isascii() else len(text.encode())


@lru_cache(_NUMBERS_KEPT)
def _kept_number(text: str) -> tuple[str, int]:
    if not _INTEGER(text):
        text = _plain(text)
    return text, _number_bytes(text)


def _number_bytes(text: str) -> int:
    # A byte for two significant digits and one more, and one more if it is negative.
    digits = len(text.replace(".", "").strip("-0"))
    return (digits + 1) // 2 + 1 + (text[0] == "-")


def _plain(text: str) -> str:
    try:
        exact = Decimal(text)
    except InvalidOperation:
        raise invalid(f"The parameter cannot be converted to a numeric value: {text}") from None
    if not exact.is_finite():
        raise invalid(f"The parameter cannot be converted to a numeric value: {text}")
    if len(exact.as_tuple().digits) > _DIGITS_MAX:
        raise invalid("Attempting to store more than 38 significant digits in a Number")
    plain = format(exact, "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return plain if plain not in {"-0", ""} else "0"


def _kept_binary(content: Any) -> tuple[bytes, int]:
    kept = content.encode() if isinstance(content, str) else bytes(content)
    return kept, len(kept)


def _kept_map(content: Mapping[str, Mapping[str, Any]]) -> tuple[Item, int]:
    kept, size = taken(content)
    return kept, size + _OVERHEAD + len(kept)


def _kept_list(content: Any) -> tuple[list[Value], int]:
    pairs = [taken_value(one) for one in content]
    return [one for one, _ in pairs], sum(size for _, size in pairs) + _OVERHEAD + len(pairs)


def _kept_set(kind: str) -> Callable[[Any], tuple[list[Any], int]]:
    def keep(content: Any) -> tuple[list[Any], int]:
        pairs = [taken_value({kind: one}) for one in content]
        if not pairs:
            raise invalid("One or more parameter values were invalid: An empty set is not allowed")
        members = [one[kind] for one, _ in pairs]
        if len(set(members)) != len(members):
            raise invalid(
                "One or more parameter values were invalid: Input collection contains duplicates"
            )
        # A set has no order: one that nobody wrote, but always the same.
        members.sort(key=_scattered)
        return members, sum(size for _, size in pairs)

    return keep


def _scattered(member: Any) -> tuple[int, Any]:
    return crc32(member if isinstance(member, bytes) else member.encode()), member


def _kept_flag(content: Any) -> tuple[bool, int]:
    return bool(content), 1


_KEEPING: Final[Mapping[str, Callable[[Any], tuple[Any, int]]]] = {
    "S": _kept_text,
    "N": _kept_number,
    "B": _kept_binary,
    "BOOL": _kept_flag,
    "NULL": _kept_flag,
    "M": _kept_map,
    "L": _kept_list,
    "SS": _kept_set("S"),
    "NS": _kept_set("N"),
    "BS": _kept_set("B"),
}
