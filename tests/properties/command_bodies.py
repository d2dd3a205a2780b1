"""Bodies of commands for properties: valid ones, ones with a single fault, and anything else.

Bodies are written by hand rather than by a JSON library, so that they can hold what a library would
not write: repeated names, numbers in any notation, lone surrogates.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.properties.command_documents import (
    DOCUMENTS,
    Document,
    documents,
    ids,
    instants,
    openings,
)

__all__ = [
    "DOCUMENTS",
    "ODD_NAMES",
    "ODD_VALUES",
    "Document",
    "Path",
    "Raw",
    "Twice",
    "body_of",
    "damaged",
    "documents",
    "ids",
    "inner_objects",
    "instants",
    "json_values",
    "mutated",
    "openings",
    "places",
    "value_at",
    "with_value",
    "without",
    "written",
]

Path = tuple[str | int, ...]


#: Where a client chooses the names of an object's members.
OF_CLIENTS_NAMES = ("metadata", "parameters")


@dataclass(frozen=True)
class Raw:
    """JSON text that stands in a body as it is."""

    text: str


@dataclass(frozen=True)
class Twice:
    """A value whose name stands in its object twice, with the same value."""

    value: Any


def written(value: object) -> str:
    """`value` as JSON text."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, Mapping):
        members = []
        for name, member in value.items():
            times = 2 if isinstance(member, Twice) else 1
            text = written(member.value if isinstance(member, Twice) else member)
            members += [f"{json.dumps(name)}: {text}"] * times
        return "{" + ", ".join(members) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value)


def body_of(document: object) -> bytes:
    """The body with that document in it."""
    return written(document).encode("utf-8", "surrogatepass")


#: What may stand where it should not.
ODD_VALUES: tuple[object, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    45,
    10**6,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**63),
    2**64,
    10**400,
    Raw("1" + "0" * 5000),  # more digits than Python converts
    Raw("-" + "9" * 5000),
    Raw("1.0"),
    Raw("1e3"),
    Raw("1E400"),
    Raw("-0"),
    Raw("0.1"),
    Raw("1.5e-5"),
    Raw("01"),
    Raw("+1"),
    Raw("NaN"),
    Raw("Infinity"),
    Raw("-Infinity"),
    Raw("undefined"),
    Raw('"\\ud800"'),
    Raw('"\\udc00x"'),
    Raw('"\\ud83d\\ude00"'),
    Raw('"\ud800"'),
    Raw('"a\nb"'),
    Raw("'a'"),
    "",
    " ",
    "1",
    "1.0",
    "true",
    "null",
    "a",
    "x\n",
    "x\u2028",
    "\x00",
    "a b",
    "ä",
    "\u0661",  # a digit of another script
    "a" * 64,
    "a" * 65,
    "a" * 141,
    "\U0001f600" * 64,
    "EUR",
    "EUR\n",
    "eur",
    "XXX",
    "liability",
    "Liability",
    "account.open",
    "account.set_alerts",
    "below",
    "screening:p:m",
    "payment.post",
    "payment.post\n",
    "2026-11-21T23:10:05Z",
    "2026-11-21T23:10:05.1234567Z",
    "2026-11-21T23:10:05",
    "2026-11-21T23:10:05Z\n",
    "2026-11-21t23:10:05z",
    "2026-11-21 23:10:05Z",
    "2026-02-30T00:00:00Z",
    "2026-11-21T24:00:00Z",
    "2026-11-21T23:59:60Z",
    "2026-11-21T23:10:05+24:00",
    "2026-11-21T23:10:05+00:60",
    "\u0662\u0660\u0662\u0666-11-21T23:10:05Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "4111 1111 1111 1111",
    (),
    (None,),
    ({},),
    ((),),
    {},
    {"a": 1},
    {"direction": "below", "threshold_minor": 1},
    ({"direction": "below", "threshold_minor": 1},),
    ({"direction": "below", "threshold_minor": 1},) * 2,
    {"source": "a", "destination": "b", "amount_minor": 1, "currency": "EUR"},
    ({"source": "a", "destination": "b", "amount_minor": 1, "currency": "EUR"},) * 45,
    ({"source": "a", "destination": "b", "amount_minor": 1, "currency": "EUR"},) * 46,
)

#: Names that no command has, some of which look like the messages of a parser.
ODD_NAMES: tuple[str, ...] = (
    "x",
    "",
    "ID",
    "id ",
    "__proto__",
    "a.b",
    "a[0]",
    "$",
    "\u00e4",
    "\n",
    "a\x00b",
    "x" * 65,
    "4111111111111111",
    "`",
    "x` - at `$.postings[0]",
    "x` - at `$.4111111111111111",
    "x` - at `$.postings[4111111111111111]",
    "x` - at `$.john.smith",
    "missing required field `id`",
    "missing required field `id",
    "Object missing required field `id`",
    "postings[0].amount_minor",
)


def places(document: object) -> list[Path]:
    """The path of every value in a command, objects and lists too."""
    if isinstance(document, Mapping):
        steps: list[tuple[str | int, object]] = list(document.items())
    elif isinstance(document, list | tuple):
        steps = list(enumerate(document))
    else:
        return []
    return [path for step, inner in steps for path in ((step,), *_beneath(step, inner))]


def _beneath(step: str | int, value: object) -> list[Path]:
    return [(step, *path) for path in places(value)]


def inner_objects(document: Document) -> list[tuple[Path, Document]]:
    """The objects in a command but those of the client's own names, with their paths."""
    found = ((path, value_at(document, path)) for path in places(document))
    return [
        (path, inner)
        for path, inner in found
        if isinstance(inner, dict) and path[-1] not in OF_CLIENTS_NAMES
    ]


def with_value(document: Document, path: Path, value: object) -> Document:
    """A copy of `document` with `value` at `path`."""
    copy = deepcopy(document)
    _container(copy, path)[path[-1]] = value
    return copy


def without(document: Document, path: Path) -> Document:
    """A copy of `document` without the value at `path`."""
    copy = deepcopy(document)
    del _container(copy, path)[path[-1]]
    return copy


def value_at(document: Document, path: Path) -> object:
    """The value at `path`."""
    value: object = _container(document, path)[path[-1]]
    return value


def _container(document: Document, path: Path) -> Any:
    container: Any = document
    for step in path[:-1]:
        container = container[step]
    return container


json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.sampled_from(["1.0", "1e3", "0.5"]).map(Raw),
        st.text(max_size=20),
        ids,
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(st.sampled_from(["type", "v", "id", "postings", "source"]), st.text()),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=12,
)


@st.composite
def mutated(draw: st.DrawFn) -> Document:
    """A valid command with one to three changes of any kind."""
    document = draw(documents)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(document) or [("x",)]))
        change = draw(st.sampled_from(["value", "drop", "add"]))
        if change == "value":
            value = draw(st.one_of(st.sampled_from(ODD_VALUES), json_values))
            document = with_value(document, path, value)
        elif change == "drop":
            document = without(document, path)
        else:
            document[draw(st.sampled_from(ODD_NAMES))] = draw(json_values)
    return document


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """The body of a valid command with some bytes of it cut out, put in or replaced."""
    body = draw(documents.map(body_of))
    start = draw(st.integers(0, len(body)))
    end = min(len(body), start + draw(st.integers(0, 3)))
    patch = draw(
        st.one_of(
            st.just(b""),
            st.binary(max_size=3),
            st.sampled_from(
                [b'"', b"{", b"}", b",", b":", b"1", b"\\", b"\\u", b"\xef\xbb\xbf", b" "]
            ),
        )
    )
    return body[:start] + patch + body[end:]
