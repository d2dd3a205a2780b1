"""Valid commands as JSON documents, drawn from the Structs themselves.

What a Struct says of its fields is what is drawn; what only code can say of a command is in the
tables here: texts without card numbers, two accounts of a posting, limits that fit each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

from ledger.contracts.card_numbers import holds_card_number
from ledger.contracts.commands import CLIENT_COMMANDS, COMMAND_TYPES, SYSTEM_ID_PREFIXES
from ledger.contracts.currencies import MINOR_DIGITS

Document = dict[str, Any]
Strategy = st.SearchStrategy[Any]
_Adjustment = Callable[[st.SearchStrategy[Document]], st.SearchStrategy[Document]]

ID_ALPHABET = "ABCXYZabcxyz0189._:-"
_MOST = 2**63 - 1

ids = st.text(ID_ALPHABET, min_size=1, max_size=64).filter(
    lambda text: not text.startswith(SYSTEM_ID_PREFIXES)
)
currencies = st.sampled_from(sorted(MINOR_DIGITS))
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
days = st.dates().map(str)


def texts(length_min: int, length_max: int) -> st.SearchStrategy[str]:
    """Free text as the contract allows it."""
    characters = st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp"))
    drawn = st.text(characters, min_size=length_min, max_size=length_max)
    return drawn.filter(lambda text: bool(text.strip()) >= bool(length_min)).filter(
        lambda text: not holds_card_number(text)
    )


def _names(pattern: str) -> st.SearchStrategy[str]:
    exact = pattern.removeprefix("^").removesuffix("$")
    return st.from_regex(exact, fullmatch=True).filter(lambda text: not holds_card_number(text))


#: Texts that their pattern alone does not describe, by the name of the field.
_TEXTS: dict[str, Strategy] = {
    **dict.fromkeys(("id", "account", "source", "destination", "payment", "subject_id"), ids),
    **dict.fromkeys(("effective_at", "expires_at"), instants),
    "currency": currencies,
    "through": days,
}


def _values(name: str, kind: inspect.Type) -> Strategy:
    """What a field of that name and type can hold."""
    match kind:
        case inspect.Metadata(type=inner):
            return _values(name, inner)
        case inspect.StructType():
            return _documents_of(kind)
        case inspect.VarTupleType(item_type=item, min_length=least):
            return st.lists(_values(name, item), min_size=least or 0, max_size=3)
        case inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(_values("", key), _values("", value), max_size=3)
        case inspect.UnionType(types=kinds):
            return st.one_of(*(_values(name, one) for one in kinds))
        case inspect.StrType():
            return _TEXTS[name] if name in _TEXTS else _texts_of(kind)
    return _scalars(kind)


def _texts_of(kind: inspect.StrType) -> st.SearchStrategy[str]:
    if kind.pattern is not None:
        return _names(kind.pattern)
    return texts(kind.min_length or 0, kind.max_length or 64)


def _scalars(kind: inspect.Type) -> Strategy:
    match kind:
        case inspect.NoneType():
            return st.none()
        case inspect.BoolType():
            return st.booleans()
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
    assert isinstance(kind, inspect.IntType), "no command has a field of another type"
    return st.integers(
        -_MOST if kind.ge is None else kind.ge, _MOST if kind.le is None else kind.le
    )


def _documents_of(struct: inspect.StructType) -> st.SearchStrategy[Document]:
    """Valid objects of a Struct, their members in any order."""
    own = _FIELDS.get(struct.cls.__name__, {})
    required: dict[str, Strategy] = {}
    optional: dict[str, Strategy] = {}
    if struct.tag is not None:
        required["type"] = st.just(struct.tag)
    for field in struct.fields:
        fields = required if field.required else optional
        known = own.get(field.name)
        fields[field.name] = _values(field.name, field.type) if known is None else known
    for name in _LEFT_OUT.get(struct.cls.__name__, ()):
        optional.pop(name)
    drawn = st.fixed_dictionaries(required, optional=optional)
    return _ADJUSTMENTS.get(struct.cls.__name__, _as_it_is)(drawn).flatmap(_shuffled)


def _shuffled(document: Document) -> st.SearchStrategy[Document]:
    return st.permutations(list(document.items())).map(dict)


def _as_it_is(drawn: st.SearchStrategy[Document]) -> st.SearchStrategy[Document]:
    return drawn


def _only(predicate: Callable[[Document], object]) -> _Adjustment:
    return lambda drawn: drawn.filter(predicate)


def _changed(change: Callable[[Document], Document]) -> _Adjustment:
    return lambda drawn: drawn.map(change)


def _limits_that_fit(document: Document) -> Document:
    lowest, highest = document.get("min_balance_minor"), document.get("max_balance_minor")
    if lowest is not None and highest is not None and lowest > highest:
        document |= {"min_balance_minor": highest, "max_balance_minor": lowest}
    for place, limit in enumerate(document.get("velocity", [])):
        limit["name"] = f"limit-{place}"
    return document


def _hours_if_rolling(document: Document) -> Document:
    document.pop("hours", None)
    return document | ({"hours": 24} if document["window"] == "rolling" else {})


def _ids_that_differ(document: Document) -> Document:
    used = {document["id"]}
    for place, command in enumerate(document["commands"]):
        if command["id"] in used:
            command["id"] = f"{command['id'][:60]}.{place}"
        used.add(command["id"])
    return document


def _card_sale(document: Document) -> Document:
    """The parameters and postings of a template that fit each other, in place of any."""
    fee = {"of": "amount", "bps": "fee_bps", "rounding": "down"}
    return document | {
        "parameters": [
            {"name": "amount", "kind": "amount"},
            {"name": "fee_bps", "kind": "bps"},
            {"name": "merchant", "kind": "account"},
            {"name": "currency", "kind": "currency"},
        ],
        "postings": [
            _leg("customers:clearing", "clearing", {"of": "amount"}),
            _leg("clearing", "fees", fee),
            _leg("clearing", "merchants:{merchant}", {"of": "amount", "remainder": True}),
        ],
    }


def _leg(source: str, destination: str, amount: Document) -> Document:
    return {
        "source": source,
        "destination": destination,
        "currency": "{currency}",
        "amount": amount,
    }


#: Fields of which not every value that their type allows is valid.
_FIELDS: dict[str, dict[str, Strategy]] = {
    "OpenAccount": {
        "min_balance_minor": st.one_of(st.none(), st.integers(-_MOST, 0)),
        "max_balance_minor": st.one_of(st.none(), st.integers(0, _MOST)),
    },
    "SetAlerts": {
        "alerts": st.lists(
            st.fixed_dictionaries(
                {
                    "direction": st.sampled_from(["below", "above"]),
                    "threshold_minor": st.integers(-_MOST, _MOST),
                }
            ).flatmap(_shuffled),
            max_size=4,
            unique_by=lambda alert: (alert["direction"], alert["threshold_minor"]),
        ),
    },
}
#: Fields that would have to fit others: `conversions` has them.
_LEFT_OUT = {"PostPayment": ("rates",), "AuthorizePayment": ("rates",)}
#: What makes any object of a Struct a valid one.
_ADJUSTMENTS: dict[str, _Adjustment] = {
    "Posting": _only(lambda posting: posting["source"] != posting["destination"]),
    "VelocityLimit": lambda drawn: drawn.map(_hours_if_rolling).filter(
        lambda limit: not limit.keys().isdisjoint(("max_amount_minor", "max_count"))
    ),
    "SetLimits": lambda drawn: drawn.filter(lambda limits: len(limits) > 4).map(_limits_that_fit),
    "IncreasePayment": _only(
        lambda increase: not increase.keys().isdisjoint(("amount_minor", "expires_at"))
    ),
    "DefineTemplate": _changed(_card_sale),
    "AtomicBatch": _changed(_ids_that_differ),
}


def _documents(command_type: str) -> st.SearchStrategy[Document]:
    struct = inspect.type_info(COMMAND_TYPES[command_type])
    assert isinstance(struct, inspect.StructType)
    return _documents_of(struct)


#: Valid commands of a client's by their type.
DOCUMENTS: dict[str, st.SearchStrategy[Document]] = {
    command_type: _documents(command_type) for command_type in sorted(CLIENT_COMMANDS)
}
openings = DOCUMENTS["account.open"]
_AMOUNTS = st.integers(1, 10**12)
conversions: st.SearchStrategy[Document] = st.builds(
    lambda payment, amount, rate: (
        payment
        | {
            "postings": [
                {"source": "a", "destination": "b", "amount_minor": amount, "currency": "EUR"},
                {
                    "source": "c",
                    "destination": "d",
                    "amount_minor": amount * rate,
                    "currency": "USD",
                },
            ],
            "rates": [
                {"from_posting": 0, "to_posting": 1, "rate": f"{rate}.000", "rounding": "half_even"}
            ],
        }
    ),
    st.one_of(DOCUMENTS["payment.post"], DOCUMENTS["payment.authorize"]),
    _AMOUNTS,
    st.integers(1, 999),
)
"""Payments between two currencies of two digits at a whole rate."""

documents: st.SearchStrategy[Document] = st.one_of(*DOCUMENTS.values(), conversions)
