"""Condition and filter expressions, compiled once each.

Source: DynamoDB developer guide, "Comparison operator and function reference".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from msgspec import Struct

from simulation.aws.dynamodb.grammar import Names, Words
from simulation.aws.dynamodb.items import Item, Value, has_member, is_less

Values = Mapping[str, Value]
Test = Callable[[Item, Values], bool]
"""Whether an item is as it should be; one that does not exist is an empty one."""

#: Our texts number some dozens; those of updates vary with the fields that they name.
_KEPT: Final = 4096


class Condition(Struct, frozen=True):
    """A condition, and the placeholders that it uses."""

    holds: Test
    names: frozenset[str]
    values: frozenset[str]


@lru_cache(_KEPT)
def condition(what: str, text: str, names: Names) -> Condition:
    """The condition that a text is; `what` is the parameter's name. Raises ServiceError."""
    words = Words(what, text, names)
    holds = _any_of(words)
    words.end()
    return Condition(holds, frozenset(words.names), frozenset(words.values))


def _any_of(words: Words) -> Test:
    tests = [_all_of(words)]
    while words.skip("OR"):
        tests.append(_all_of(words))
    if len(tests) == 1:
        return tests[0]
    return lambda item, values: any(test(item, values) for test in tests)


def _all_of(words: Words) -> Test:
    tests = [_negated(words)]
    while words.skip("AND"):
        tests.append(_negated(words))
    if len(tests) == 1:
        return tests[0]
    return lambda item, values: all(test(item, values) for test in tests)


def _negated(words: Words) -> Test:
    if words.skip("NOT"):
        test = _negated(words)
        return lambda item, values: not test(item, values)
    if words.skip("("):
        test = _any_of(words)
        words.expect(")")
        return test
    return _term(words)


def _term(words: Words) -> Test:
    function = _FUNCTIONS.get(words.next)
    if function is not None:
        words.take()
        words.expect("(")
        test = function(words)
        words.expect(")")
        return test
    if words.calls:
        raise NotImplementedError(f"the function {words.next!r} in a condition")
    name = words.name()
    if words.skip("BETWEEN"):
        low = words.value()
        words.expect("AND")
        return _between(name, low, words.value())
    operator = words.take()
    compared = _COMPARED.get(operator)
    if compared is None:
        raise NotImplementedError(f"the operator {operator!r} in a condition")
    return compared(name, words.value())


def _exists(words: Words) -> Test:
    name = words.name()
    return lambda item, _: name in item


def _not_exists(words: Words) -> Test:
    name = words.name()
    return lambda item, _: name not in item


def _contains(words: Words) -> Test:
    name = words.name()
    words.expect(",")
    place = words.value()
    return lambda item, values: name in item and has_member(item[name], values[place])


def _between(name: str, low: str, high: str) -> Test:
    def test(item: Item, values: Values) -> bool:
        found = item.get(name)
        return found is not None and not (
            is_less(found, values[low])
            or is_less(values[high], found)
            or not found.keys() == values[low].keys() == values[high].keys()
        )

    return test


def _equal(name: str, place: str) -> Test:
    # Values are kept in one form each, so that equal ones are equal dictionaries.
    return lambda item, values: item.get(name) == values[place]


def _less(name: str, place: str) -> Test:
    return lambda item, values: name in item and is_less(item[name], values[place])


def _more(name: str, place: str) -> Test:
    return lambda item, values: name in item and is_less(values[place], item[name])


def _at_most(name: str, place: str) -> Test:
    less, equal = _less(name, place), _equal(name, place)
    return lambda item, values: less(item, values) or equal(item, values)


def _at_least(name: str, place: str) -> Test:
    more, equal = _more(name, place), _equal(name, place)
    return lambda item, values: more(item, values) or equal(item, values)


_FUNCTIONS: Final[Mapping[str, Callable[[Words], Test]]] = {
    "attribute_exists": _exists,
    "attribute_not_exists": _not_exists,
    "contains": _contains,
}
_COMPARED: Final[Mapping[str, Callable[[str, str], Test]]] = {
    "=": _equal,
    "<": _less,
    "<=": _at_most,
    ">": _more,
    ">=": _at_least,
}
