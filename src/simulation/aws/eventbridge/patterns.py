"""Event patterns, as far as the rules of this stack use them.

A pattern is an object whose fields must all match: a list matches what equals one of its values,
or has one of them if it is a list itself; an object matches what is inside, or inside one element
of a list, which must match all of it. No comparison operator (`prefix`, `anything-but`) is
simulated, as no rule has one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Matches = Callable[[Any], bool]
"""Whether what an event has in some place is what a part of a pattern asks for."""

_ABSENT: Final = object()  # what stands for a field that an event does not have


def compiled(pattern: Mapping[str, Any]) -> Matches:
    """The function that says whether an object matches. Raises NotImplementedError."""
    fields = [(name, _field(name, wanted)) for name, wanted in pattern.items()]

    def matches(found: Any) -> bool:
        if isinstance(found, list):
            return any(map(matches, found))
        return isinstance(found, dict) and all(
            field(found.get(name, _ABSENT)) for name, field in fields
        )

    return matches


def _field(name: str, wanted: Any) -> Matches:
    if isinstance(wanted, Mapping):
        return compiled(wanted)
    if not isinstance(wanted, Sequence) or isinstance(wanted, str) or name.startswith("$"):
        raise NotImplementedError(f"event pattern: {name} is neither a list nor an object")
    for each in wanted:
        if isinstance(each, Mapping):
            raise NotImplementedError(f"event pattern: {name} by {dict(each)} is not simulated")
    alternatives = tuple(wanted)

    def matches(found: Any) -> bool:
        values = found if isinstance(found, list) else (found,)
        return any(_is_same(value, each) for value in values for each in alternatives)

    return matches


def _is_same(found: object, wanted: object) -> bool:
    """Types count, as in JSON: true is not 1."""
    return type(found) is type(wanted) and found == wanted
