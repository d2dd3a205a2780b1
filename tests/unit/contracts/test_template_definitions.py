"""Definitions of templates: their shape, and every fault that a schema cannot say."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from ledger.contracts import reasons
from ledger.contracts.reasons import Reason, Violation
from ledger.contracts.templates import (
    TemplateParameter,
    TemplatePosting,
    check_definition,
    filled,
    references_in,
)

KINDS = {"amount": "amount", "fee": "bps", "who": "account", "code": "currency"}
POSTING: dict[str, object] = {
    "source": "customers:{who}:wallet",
    "destination": "fees",
    "currency": "{code}",
    "amount": {"of": "amount", "bps": "fee"},
}
REST = POSTING | {"destination": "shop", "amount": {"of": "amount", "remainder": True}}


def posting(**change: object) -> TemplatePosting:
    """The usual posting, changed."""
    return msgspec.convert(POSTING | change, TemplatePosting)


def faults(*given: Mapping[str, object], kinds: Mapping[str, str] | None = None) -> list[Violation]:
    """What is wrong with a template of these postings."""
    named = (KINDS if kinds is None else kinds).items()
    parameters = [{"name": name, "kind": kind} for name, kind in named]
    return list(
        check_definition(
            msgspec.convert(parameters, list[TemplateParameter]),
            msgspec.convert(list(given), list[TemplatePosting]),
        )
    )


def test_a_sound_template_has_no_fault() -> None:
    """Shares, a remainder, the whole, and literals in place of each kind of parameter."""
    whole = POSTING | {"source": "bank", "destination": "{who}", "amount": {"of": "amount"}}
    assert faults(POSTING, REST, whole) == []
    literal = {
        "source": "a",
        "destination": "b",
        "currency": "EUR",
        "amount": {"of": "x", "bps": 10_000, "rounding": "up", "remainder": False},
    }
    assert faults(literal, kinds={"x": "amount"}) == []


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"source": "{amount}"}, reasons.INVALID_TEMPLATE, "source"),
        ({"source": "{who}{nobody}"}, reasons.INVALID_TEMPLATE, "source"),
        ({"destination": "{code}"}, reasons.INVALID_TEMPLATE, "destination"),
        ({"amount": {"of": "fee"}}, reasons.INVALID_TEMPLATE, "amount.of"),
        ({"amount": {"of": "other", "bps": 1}}, reasons.INVALID_TEMPLATE, "amount.of"),
        (
            {"amount": {"of": "amount", "bps": "amount"}},
            reasons.INVALID_TEMPLATE,
            "amount.bps",
        ),
        (
            {"amount": {"of": "amount", "bps": 5, "remainder": True}},
            reasons.INVALID_TEMPLATE,
            "amount.bps",
        ),
        (
            {"amount": {"of": "amount", "rounding": "up"}},
            reasons.INVALID_TEMPLATE,
            "amount.rounding",
        ),
        ({"source": "{who}\n"}, reasons.INVALID_ID, "source"),
        ({"destination": "a\n"}, reasons.INVALID_ID, "destination"),
        (
            {"source": "{who}:x", "destination": "{who}:x"},
            reasons.SAME_ACCOUNT,
            "destination",
        ),
    ],
)
def test_the_faults_of_a_posting(change: dict[str, object], reason: Reason, field: str) -> None:
    """References to nothing or to another kind, amounts that contradict themselves, text that
    ends in a line end, accounts that are the same: each named by its field."""
    assert faults(POSTING, POSTING | change) == [Violation(reason, f"postings[1].{field}")]


def test_a_currency_is_one_or_refers_to_one() -> None:
    """A code that is none, text that ends in a line end, and a parameter of another kind."""
    assert faults(POSTING | {"currency": "{code}\n"}) == [
        Violation(reasons.UNKNOWN_CURRENCY, "postings[0].currency")
    ]
    kinds = {"amount": "amount", "fee": "bps", "who": "account"}
    assert faults(POSTING | {"currency": "XXX"}, kinds=kinds) == [
        Violation(reasons.UNKNOWN_CURRENCY, "postings[0].currency")
    ]
    assert faults(POSTING | {"currency": "{who}"}, kinds=kinds) == [
        Violation(reasons.INVALID_TEMPLATE, "postings[0].currency")
    ]


def test_an_amount_has_one_currency() -> None:
    """All that is made of one amount is in the currency of the first posting made of it."""
    euro = POSTING | {"currency": "EUR"}
    assert faults(POSTING, euro, POSTING) == [
        Violation(reasons.INVALID_TEMPLATE, "postings[1].currency")
    ]
    other = POSTING | {"currency": "EUR", "amount": {"of": "second"}}
    assert faults(POSTING, other, kinds=KINDS | {"second": "amount"}) == []


def test_an_amount_has_one_remainder() -> None:
    """What is left can go to one account only; two amounts have one each."""
    assert faults(POSTING, REST, REST) == [
        Violation(reasons.INVALID_TEMPLATE, "postings[2].amount.remainder")
    ]
    other = REST | {"amount": {"of": "second", "remainder": True}}
    assert faults(POSTING, REST, other, kinds=KINDS | {"second": "amount"}) == []


def test_a_parameter_is_declared_once_and_used() -> None:
    """The second of a name, one that no posting refers to, and one whose name has a line end."""
    once = [TemplateParameter(name=name, kind=kind) for name, kind in KINDS.items()]  # type: ignore[arg-type]
    twice = [*once, TemplateParameter(name="fee", kind="bps")]
    assert list(check_definition(twice, [posting()])) == [
        Violation(reasons.INVALID_TEMPLATE, "parameters[4].name")
    ]
    assert faults(POSTING, kinds=KINDS | {"tax": "bps"}) == [
        Violation(reasons.INVALID_TEMPLATE, "parameters[4]")
    ]
    assert faults(POSTING, kinds=KINDS | {"tax\n": "bps"}) == [
        Violation(reasons.INVALID_TEMPLATE, "parameters[4].name"),
        Violation(reasons.INVALID_TEMPLATE, "parameters[4]"),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"source": ""},
        {"source": "a b"},
        {"source": "{}"},
        {"source": "{Who}"},
        {"source": "{who"},
        {"source": "a" * 65},
        {"source": "{who}" + "a" * 64},
        {"currency": "eur"},
        {"currency": "{code}X"},
        {"currency": "EU{code}"},
        {"amount": {}},
        {"amount": {"of": "{amount}"}},
        {"amount": {"of": "amount", "bps": -1}},
        {"amount": {"of": "amount", "bps": 10_001}},
        {"amount": {"of": "amount", "bps": 1.5}},
        {"amount": {"of": "amount", "bps": "{fee}"}},
        {"amount": {"of": "amount", "bps": 1, "rounding": "nearest"}},
        {"amount": {"of": "amount", "remainder": 1}},
        {"amount": {"of": "amount", "plus": 1}},
        {"other": 1},
    ],
)
def test_the_shape_of_a_posting(change: dict[str, object]) -> None:
    """What a schema can refuse, it does."""
    with pytest.raises(msgspec.ValidationError):
        posting(**change)


@pytest.mark.parametrize(
    "parameter",
    [
        {"name": "1", "kind": "bps"},
        {"name": "a" * 33, "kind": "bps"},
        {"name": "Fee", "kind": "bps"},
        {"name": "fee", "kind": "percent"},
        {"name": "fee"},
        {"name": "fee", "kind": "bps", "default": 1},
    ],
)
def test_the_shape_of_a_parameter(parameter: dict[str, object]) -> None:
    """A plain name and a known kind."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(parameter, TemplateParameter)


def test_references_are_filled_in() -> None:
    """Each by its own argument, and no argument is itself read as a reference."""
    text = "{a}:{b}:{a}"
    assert references_in(text) == ["a", "b", "a"]
    assert filled(text, {"a": "{b}", "b": 7}) == "{b}:7:{b}"
    assert filled("plain", {}) == "plain"
