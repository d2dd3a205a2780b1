"""Templates: what they make of arguments, and how they refuse what they cannot use."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from ledger.contracts import reasons
from ledger.contracts.postings import Posting
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.contracts.reasons import Reason
from ledger.contracts.templates import TemplateParameter, TemplatePosting, check_definition
from ledger.domain.templates import TemplateFault, expand

Arguments = dict[str, int | str]


@dataclass
class Template:
    """A definition, as a state has it."""

    parameters: tuple[TemplateParameter, ...]
    postings: tuple[TemplatePosting, ...]


def template(kinds: dict[str, str], *postings: tuple[str, str, str, dict[str, object]]) -> Template:
    """A template that was checked, of (source, destination, currency, amount)."""
    made = Template(
        msgspec.convert(
            [{"name": name, "kind": kind} for name, kind in kinds.items()],
            tuple[TemplateParameter, ...],
        ),
        msgspec.convert(
            [
                {"source": source, "destination": destination, "currency": currency, "amount": rule}
                for source, destination, currency, rule in postings
            ],
            tuple[TemplatePosting, ...],
        ),
    )
    assert list(check_definition(made.parameters, made.postings)) == []
    return made


CARD_SALE = template(
    {
        "amount": "amount",
        "fee_bps": "bps",
        "tax_bps": "bps",
        "merchant": "account",
        "payer": "account",
        "currency": "currency",
    },
    (
        "cards:{payer}",
        "merchants:{merchant}:sales",
        "{currency}",
        {"of": "amount", "remainder": True},
    ),
    ("cards:{payer}", "income:fees", "{currency}", {"of": "amount", "bps": "fee_bps"}),
    (
        "cards:{payer}",
        "taxes",
        "{currency}",
        {"of": "amount", "bps": "tax_bps", "rounding": "up"},
    ),
)
SALE: Arguments = {
    "amount": 9_999,
    "fee_bps": 145,
    "tax_bps": 190,
    "merchant": "17",
    "payer": "42",
    "currency": "EUR",
}


def made(of: Template, arguments: Arguments) -> list[tuple[str, str, int, str]]:
    """The postings that a template makes, as plain values."""
    expanded = expand(of, arguments)
    assert isinstance(expanded, tuple), expanded
    return [(one.source, one.destination, one.amount_minor, one.currency) for one in expanded]


def test_a_card_sale_adds_up() -> None:
    """99.99 EUR at a fee of 1.45 % (144.9855) and a tax of 1.9 % (189.981): each rounded as it
    says, and the merchant has the rest, to the cent."""
    assert made(CARD_SALE, SALE) == [
        ("cards:42", "merchants:17:sales", 9_999 - 145 - 190, "EUR"),
        ("cards:42", "income:fees", 145, "EUR"),
        ("cards:42", "taxes", 190, "EUR"),
    ]


def test_what_is_posted_is_a_posting() -> None:
    """Of the same type that a payment has."""
    expanded = expand(CARD_SALE, SALE)
    assert isinstance(expanded, tuple)
    assert expanded[1] == Posting(
        source="cards:42", destination="income:fees", amount_minor=145, currency="EUR"
    )


def test_postings_of_nothing_are_left_out() -> None:
    """Fees of 0, and a remainder of 0."""
    assert made(CARD_SALE, SALE | {"fee_bps": 0, "tax_bps": 0}) == [
        ("cards:42", "merchants:17:sales", 9_999, "EUR")
    ]
    assert made(CARD_SALE, SALE | {"fee_bps": 10_000, "tax_bps": 0}) == [
        ("cards:42", "income:fees", 9_999, "EUR")
    ]


def test_a_whole_amount_is_no_share_of_it() -> None:
    """So money may pass through a clearing account, and be shared out from there."""
    through = template(
        {"amount": "amount"},
        ("payer", "clearing", "EUR", {"of": "amount"}),
        ("clearing", "fees", "EUR", {"of": "amount", "bps": 250}),
        ("clearing", "shop", "EUR", {"of": "amount", "remainder": True}),
    )
    assert [amount for _, _, amount, _ in made(through, {"amount": 1_001})] == [1_001, 25, 976]


@pytest.mark.parametrize(
    ("rounding", "amount", "share"),
    [
        ({}, 50, 0),
        ({}, 150, 2),
        ({}, 250, 2),
        ({"rounding": "half_even"}, 50, 0),
        ({"rounding": "half_up"}, 50, 1),
        ({"rounding": "half_up"}, 49, 0),
        ({"rounding": "down"}, 99, 0),
        ({"rounding": "up"}, 1, 1),
    ],
)
def test_a_share_is_rounded_as_it_says(
    rounding: dict[str, object], amount: int, share: int
) -> None:
    """To the even one of two that are as near, unless told otherwise."""
    one = template(
        {"amount": "amount"},
        ("a", "b", "EUR", {"of": "amount", "bps": 100, **rounding}),
        ("a", "c", "EUR", {"of": "amount", "remainder": True}),
    )
    expected = [("a", "b", share, "EUR"), ("a", "c", amount - share, "EUR")]
    assert made(one, {"amount": amount}) == [posting for posting in expected if posting[2]]


def test_several_currencies_in_one_template() -> None:
    """Each amount in its own, each with its own remainder."""
    exchange = template(
        {"sold": "amount", "bought": "amount"},
        ("customer:eur", "desk:eur", "EUR", {"of": "sold"}),
        ("desk:usd", "fees:usd", "USD", {"of": "bought", "bps": 100}),
        ("desk:usd", "customer:usd", "USD", {"of": "bought", "remainder": True}),
    )
    assert made(exchange, {"sold": 1_000, "bought": 1_100}) == [
        ("customer:eur", "desk:eur", 1_000, "EUR"),
        ("desk:usd", "fees:usd", 11, "USD"),
        ("desk:usd", "customer:usd", 1_089, "USD"),
    ]


def without(name: str) -> Arguments:
    """The arguments of a sale but for one."""
    return {other: value for other, value in SALE.items() if other != name}


AMOUNT = {"kind": "amount", "minimum": 1, "maximum": AMOUNT_MINOR_MAX}
BPS = {"kind": "bps", "minimum": 0, "maximum": 10_000}
KNOWN = {"known": " ".join(SALE)}


@pytest.mark.parametrize(
    ("arguments", "reason", "field", "values"),
    [
        (SALE | {"tip": 1}, reasons.UNKNOWN_PARAMETER, "parameters.tip", KNOWN),
        (SALE | {"z": 1, "b": 1}, reasons.UNKNOWN_PARAMETER, "parameters.b", KNOWN),
        (
            SALE | {"a4111111111111111": 1},
            reasons.UNKNOWN_PARAMETER,
            "parameters.(unprintable)",
            KNOWN,
        ),
        (without("fee_bps"), reasons.MISSING_PARAMETER, "parameters.fee_bps", {"kind": "bps"}),
        (without("payer"), reasons.MISSING_PARAMETER, "parameters.payer", {"kind": "account"}),
        (SALE | {"amount": 0}, reasons.INVALID_PARAMETER, "parameters.amount", AMOUNT),
        (SALE | {"amount": 2**63}, reasons.INVALID_PARAMETER, "parameters.amount", AMOUNT),
        (SALE | {"amount": "9999"}, reasons.INVALID_PARAMETER, "parameters.amount", AMOUNT),
        (SALE | {"amount": True}, reasons.INVALID_PARAMETER, "parameters.amount", AMOUNT),
        (SALE | {"fee_bps": -1}, reasons.INVALID_PARAMETER, "parameters.fee_bps", BPS),
        (SALE | {"tax_bps": 10_001}, reasons.INVALID_PARAMETER, "parameters.tax_bps", BPS),
        (SALE | {"payer": 42}, reasons.INVALID_PARAMETER, "parameters.payer", {"kind": "account"}),
        (
            SALE | {"payer": "a b"},
            reasons.INVALID_PARAMETER,
            "parameters.payer",
            {"kind": "account"},
        ),
        (
            SALE | {"payer": "a\n"},
            reasons.INVALID_PARAMETER,
            "parameters.payer",
            {"kind": "account"},
        ),
        (
            SALE | {"currency": "XXX"},
            reasons.INVALID_PARAMETER,
            "parameters.currency",
            {"kind": "currency"},
        ),
        (
            SALE | {"currency": 978},
            reasons.INVALID_PARAMETER,
            "parameters.currency",
            {"kind": "currency"},
        ),
        (
            SALE | {"merchant": "m" * 49},
            reasons.INVALID_PARAMETER,
            "parameters.merchant",
            {"posting": 0, "length": 65, "length_max": 64},
        ),
        (
            SALE | {"amount": 100, "fee_bps": 9_000, "tax_bps": 1_001},
            reasons.TEMPLATE_AMOUNTS,
            "parameters.amount",
            {"posting": 0, "amount_minor": 100, "shares_minor": 101},
        ),
    ],
)
def test_a_refusal_names_the_parameter(
    arguments: Arguments, reason: Reason, field: str, values: dict[str, int | str]
) -> None:
    """The field at fault and what it should have been, never what it was."""
    assert expand(CARD_SALE, arguments) == TemplateFault(reason, field, values)


def test_the_longest_account_is_an_id() -> None:
    """64 characters are fine, where 65 are not."""
    assert len(made(CARD_SALE, SALE | {"merchant": "m" * 48})[0][1]) == 64


def test_no_account_pays_itself() -> None:
    """If arguments make it so, the first parameter of the posting is named."""
    transfer = template(
        {"amount": "amount", "payer": "account", "payee": "account"},
        ("bank", "till:{payee}", "EUR", {"of": "amount"}),
        ("till:{payer}", "till:{payee}", "EUR", {"of": "amount"}),
    )
    assert len(made(transfer, {"amount": 1, "payer": "1", "payee": "2"})) == 2
    assert expand(transfer, {"amount": 1, "payer": "1", "payee": "1"}) == TemplateFault(
        reasons.TEMPLATE_AMOUNTS, "parameters.payer", {"posting": 1, "account": "till:1"}
    )


def test_nothing_to_post_is_no_payment() -> None:
    """Where all postings round to 0, there is nothing left to record."""
    fee = template({"amount": "amount"}, ("a", "b", "EUR", {"of": "amount", "bps": 1}))
    assert made(fee, {"amount": 10_000}) == [("a", "b", 1, "EUR")]
    assert expand(fee, {"amount": 5_000}) == TemplateFault(
        reasons.TEMPLATE_AMOUNTS, "parameters", {"postings": 0}
    )


def test_faults_are_named_in_their_precedence() -> None:
    """Of several the first in the order of the reasons is named, one repair after the other."""
    faulty = without("payer") | {"tip": 1, "tax_bps": 99_999, "fee_bps": 9_000}
    repairs: list[Arguments] = [{"payer": "42"}, {"tax_bps": 9_000}, {"tax_bps": 1_000}]
    found = [expand(CARD_SALE, faulty)]
    del faulty["tip"]
    found.append(expand(CARD_SALE, faulty))
    for repair in repairs:
        faulty |= repair
        found.append(expand(CARD_SALE, faulty))
    assert isinstance(found.pop(), tuple)
    named = [fault.reason for fault in found if isinstance(fault, TemplateFault)]
    assert named == [
        reasons.UNKNOWN_PARAMETER,
        reasons.MISSING_PARAMETER,
        reasons.INVALID_PARAMETER,
        reasons.TEMPLATE_AMOUNTS,
    ]
    assert named == sorted(named, key=reasons.REASONS.index)
