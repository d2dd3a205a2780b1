"""Update, key condition and projection expressions, compiled once each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct

from simulation.aws.dynamodb.grammar import Names, Words
from simulation.aws.dynamodb.items import invalid

_KEPT: Final = 4096  # as of conditions
_RANGES: Final = frozenset({"=", "<", "<=", ">", ">=", "BETWEEN"})


class Update(Struct, frozen=True):
    """What an update sets, name and placeholder, and what it removes; `touched` is the names of
    both."""

    sets: tuple[tuple[str, str], ...]
    removes: tuple[str, ...]
    touched: tuple[str, ...]
    names: frozenset[str]
    values: frozenset[str]


class Clause(Struct, frozen=True):
    """One comparison of a key condition: `values` are the placeholders, two for BETWEEN."""

    name: str
    operator: str
    values: tuple[str, ...]


class KeyCondition(Struct, frozen=True):
    """The comparisons of a key condition, one or two."""

    clauses: tuple[Clause, ...]
    names: frozenset[str]
    values: frozenset[str]


class Projection(Struct, frozen=True):
    """The attributes that are asked for."""

    attributes: tuple[str, ...]
    names: frozenset[str]


@lru_cache(_KEPT)
def update(text: str, names: Names) -> Update:
    """The update that a text is. Raises ServiceError."""
    words = Words("UpdateExpression", text, names)
    sets: list[tuple[str, str]] = []
    removes: list[str] = []
    seen: set[str] = set()
    while words.next:
        section = words.take()
        if section not in {"SET", "REMOVE"}:
            if section in {"ADD", "DELETE"}:
                raise NotImplementedError(f"an update that begins with {section!r}")
            raise words.wrong()
        if section in seen:
            raise invalid(f'The "{section}" section can only be used once in an update expression')
        seen.add(section)
        more = True
        while more:
            name = words.name()
            if section == "SET":
                words.expect("=")
                sets.append((name, words.value()))
                if words.next in {"+", "-"}:
                    raise NotImplementedError("arithmetic in an update")
            else:
                removes.append(name)
            more = words.skip(",")
    touched = (*(name for name, _ in sets), *removes)
    _refuse_twice(touched)
    return Update(
        tuple(sets), tuple(removes), touched, frozenset(words.names), frozenset(words.values)
    )


@lru_cache(_KEPT)
def key_condition(text: str, names: Names) -> KeyCondition:
    """The key condition that a text is. Raises ServiceError."""
    words = Words("KeyConditionExpression", text, names)
    clauses = [_clause(words)]
    while words.skip("AND"):
        clauses.append(_clause(words))
    words.end()
    return KeyCondition(tuple(clauses), frozenset(words.names), frozenset(words.values))


@lru_cache(_KEPT)
def projection(text: str, names: Names) -> Projection:
    """The attributes that a text asks for. Raises ServiceError."""
    words = Words("ProjectionExpression", text, names)
    attributes = [words.name()]
    while words.skip(","):
        attributes.append(words.name())
    words.end()
    _refuse_twice(attributes)
    return Projection(tuple(attributes), frozenset(words.names))


def _clause(words: Words) -> Clause:
    name = words.name()
    operator = words.take()
    if operator not in _RANGES:
        raise NotImplementedError(f"{name} {operator} in a key condition")
    values = [words.value()]
    if operator == "BETWEEN":
        words.expect("AND")
        values.append(words.value())
    return Clause(name, operator, tuple(values))


def _refuse_twice(attributes: Sequence[str]) -> None:
    if len(set(attributes)) != len(attributes):
        raise invalid("Two document paths overlap with each other; must remove or rewrite one")
