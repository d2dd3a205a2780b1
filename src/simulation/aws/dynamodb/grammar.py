"""The words of DynamoDB's expressions: names, values, keywords, signs.

Only what the ledger's expressions use is understood; the rest of the language raises
NotImplementedError, so that nothing is taken for what it is not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from simulation.aws.dynamodb.items import invalid
from simulation.aws.dynamodb.words import RESERVED

Names = tuple[tuple[str, str], ...]
"""ExpressionAttributeNames as pairs, so that they can be part of a key."""

_NAMES: Final = "ExpressionAttributeNames"
_VALUES: Final = "ExpressionAttributeValues"
_TOKEN: Final = re.compile(r"\s*(?:([#:]?[A-Za-z0-9_]+)|(<=|>=|<>|[=<>(),.\[\]+-]))")
_KEYWORDS: Final = frozenset(
    {"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"}
)


class Words:
    """An expression, read word by word; `names` and `values` are the placeholders that were met."""

    def __init__(self, what: str, text: str, names: Names) -> None:
        self._what = what
        self._known = dict(names)
        self._words = self._split(text)
        self._at = 0
        self.names: set[str] = set()
        self.values: set[str] = set()

    @property
    def next(self) -> str:
        """The word that comes, keywords in upper case; empty at the end."""
        return self._words[self._at]

    @property
    def calls(self) -> bool:
        """Whether a function is what comes."""
        return self._words[self._at + 1 :][:1] == ["("] and self.next.isidentifier()

    def take(self) -> str:
        """The word that comes, which is then behind."""
        word = self._words[self._at]
        self._at += bool(word)
        return word

    def skip(self, word: str) -> bool:
        """Whether that word came; it is then behind."""
        if self.next != word:
            return False
        self._at += 1
        return True

    def expect(self, word: str) -> None:
        """That word must come."""
        if not self.skip(word):
            raise self.wrong()

    def end(self) -> None:
        """Nothing may come."""
        if self.next:
            raise self.wrong()

    def name(self) -> str:
        """The name of an attribute, by itself or by its placeholder."""
        word = self.take()
        if (
            not word
            or word[0] == ":"
            or word in _KEYWORDS
            or not (word[0] == "#" or word.isidentifier())
        ):
            raise self.wrong()
        if self.next in {".", "["}:
            raise NotImplementedError(f"a path into an attribute: {word}")
        if word[0] == "#":
            if word not in self._known:
                raise self._invalid(f"An expression attribute name used is not defined: {word}")
            self.names.add(word)
            return self._known[word]
        if word.upper() in RESERVED:
            raise self._invalid(f"Attribute name is a reserved keyword; reserved keyword: {word}")
        return word

    def value(self) -> str:
        """The placeholder of a value."""
        word = self.take()
        if word[:1] != ":":
            raise NotImplementedError(f"{self._what}: {word!r} where our expressions have a value")
        self.values.add(word)
        return word

    def wrong(self) -> Exception:
        """What is said of the word that comes, or that came."""
        return self._invalid(f"Syntax error; token: {self.next or '<EOF>'}")

    def _invalid(self, message: str) -> Exception:
        return invalid(f"Invalid {self._what}: {message}")

    def _split(self, text: str) -> list[str]:
        words: list[str] = []
        at, end = 0, len(text.rstrip())
        while at < end:
            found = _TOKEN.match(text, at)
            if found is None:
                raise self._invalid(f"Syntax error; token: {text[at:].strip()[:1]}")
            word = found[1] or found[2]
            words.append(word.upper() if word.upper() in _KEYWORDS else word)
            at = found.end()
        if not words:
            raise self._invalid("The expression can not be empty")
        return [*words, ""]


def names_of(request: Mapping[str, Any]) -> Names:
    """The names that a request gives."""
    names = request.get(_NAMES)
    return tuple(names.items()) if names else ()


def refuse_unmatched(
    request: Mapping[str, Any],
    values: Mapping[str, object],
    used_names: Collection[str],
    used_values: Collection[str],
) -> None:
    """What expressions use must be given, and what is given must be used. Raises ServiceError."""
    if values.keys() != used_values:
        missing = sorted(set(used_values) - values.keys())
        if missing:
            raise invalid(f"An expression attribute value used is not defined: {missing[0]}")
        unused = sorted(values.keys() - set(used_values))
        raise invalid(f"{_VALUES}: unused in expressions: {unused}")
    if not values and _VALUES in request:
        raise invalid(f"{_VALUES} must not be empty")
    if _NAMES in request:
        names = request[_NAMES]
        if not names:
            raise invalid(f"{_NAMES} must not be empty")
        if len(names) != len(used_names):  # those that are used are given
            unused = sorted(names.keys() - set(used_names))
            raise invalid(f"{_NAMES}: unused in expressions: {unused}")
