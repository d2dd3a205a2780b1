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

from ledger.contracts.card_numbers import holds_card_number
from ledger.contracts.commands import SYSTEM_ID_PREFIXES
from ledger.contracts.currencies import MINOR_DIGITS

Document = dict[str, Any]
Path = tuple[str | int, ...]

LISTS = ("postings", "alerts", "reasons")
BOM = b"\xef\xbb\xbf"
ID_ALPHABET = "ABCXYZabcxyz0189._:-"


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


ids = st.text(ID_ALPHABET, min_size=1, max_size=64).filter(
    lambda text: not text.startswith(SYSTEM_ID_PREFIXES)
)
currencies = st.sampled_from(sorted(MINOR_DIGITS))
amounts = st.integers(1, 2**63 - 1)
instants = st.builds(
    "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{}".format,
    st.integers(2, 9998),  # one year inside, so that no offset leads out of the calendar
    st.integers(1, 12),
    st.integers(1, 28),
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(0, 59),
    st.one_of(st.just(""), st.integers(0, 999_999).map(".{:06}".format), st.just(".5")),
    st.sampled_from(["Z", "+00:00", "-00:00", "+23:59", "-11:30"]),
)


def texts(length_max: int) -> st.SearchStrategy[str]:
    """Free text as the contract allows it."""
    return (
        st.text(
            st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")),
            min_size=1,
            max_size=length_max,
        )
        .filter(str.strip)
        .filter(lambda text: not holds_card_number(text))
    )


def _shuffled(document: Document) -> st.SearchStrategy[Document]:
    return st.permutations(list(document.items())).map(dict)


openings: st.SearchStrategy[Document] = st.fixed_dictionaries(
    {
        "type": st.just("account.open"),
        "v": st.just(1),
        "id": ids,
        "account": ids,
        "currency": currencies,
        "account_type": st.sampled_from(["asset", "liability", "equity", "income", "expense"]),
    },
    optional={
        "min_balance_minor": st.one_of(st.none(), st.integers(-(2**63) + 1, 0)),
        "max_balance_minor": st.one_of(st.none(), st.integers(0, 2**63 - 1)),
        "effective_at": instants,
    },
).flatmap(_shuffled)

postings: st.SearchStrategy[Document] = (
    st.fixed_dictionaries(
        {"source": ids, "destination": ids, "amount_minor": amounts, "currency": currencies}
    )
    .filter(lambda posting: posting["source"] != posting["destination"])
    .flatmap(_shuffled)
)

payments: st.SearchStrategy[Document] = st.fixed_dictionaries(
    {
        "type": st.just("payment.post"),
        "v": st.just(1),
        "id": ids,
        "postings": st.lists(postings, min_size=1, max_size=4),
    },
    optional={"effective_at": instants, "reference": texts(64), "description": texts(140)},
).flatmap(_shuffled)

alert_settings: st.SearchStrategy[Document] = st.fixed_dictionaries(
    {
        "type": st.just("account.set_alerts"),
        "v": st.just(1),
        "id": ids,
        "account": ids,
        "alerts": st.lists(
            st.fixed_dictionaries(
                {
                    "direction": st.sampled_from(["below", "above"]),
                    "threshold_minor": st.integers(-(2**63) + 1, 2**63 - 1),
                }
            ).flatmap(_shuffled),
            max_size=4,
            unique_by=lambda alert: (alert["direction"], alert["threshold_minor"]),
        ),
    }
).flatmap(_shuffled)

documents = st.one_of(openings, alert_settings, payments)

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
    "missing required field `id`",
    "missing required field `id",
    "Object missing required field `id`",
    "postings[0].amount_minor",
)


def places(document: Document) -> list[Path]:
    """The path of every value in a command, objects and lists too."""
    found: list[Path] = [(name,) for name in document]
    for parent, children in inner_objects(document):
        found.append(parent)
        found += [(*parent, name) for name in children]
    return found


def inner_objects(document: Document) -> list[tuple[Path, Document]]:
    """The objects in a command's lists, with their paths."""
    return [
        ((name, index), inner)
        for name in LISTS
        for index, inner in enumerate(document.get(name, ()))
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
        path = draw(st.sampled_from(places(document)))
        change = draw(st.sampled_from(["value", "drop", "add"]))
        if change == "value":
            value = draw(st.one_of(st.sampled_from(ODD_VALUES), json_values))
            document = with_value(document, path, value)
        elif change == "drop":
            document = without(document, path)
        else:
            document[draw(st.sampled_from(ODD_NAMES))] = draw(json_values)
        if not _is_still_a_tree(document):
            break
    return document


def _is_still_a_tree(document: Document) -> bool:
    lists = [document[name] for name in LISTS if name in document]
    return bool(document) and all(
        isinstance(inner, list) and all(isinstance(one, dict) for one in inner) for inner in lists
    )


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
