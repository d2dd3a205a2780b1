"""Telling a repeat from another request under the same id, field by field."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import UNSET

from ledger.contracts.commands import OpenAccount, PostPayment
from ledger.domain.requests import differing_fields
from tests.support.builders import opening, paying, posting

DAY = "2026-11-20T00:00:00.000000Z"
PAYMENT = paying(
    "p", ("a", "b", 5), ("b", "c", 2), effective_at=DAY, reference="r", description="d"
)
OPENING = opening("a", id="p", min_balance_minor=-5, max_balance_minor=50, effective_at=DAY)

PAYMENT_CHANGES: dict[str, object] = {
    "effective_at": "2026-11-21T00:00:00.000000Z",
    "reference": "other",
    "description": "other",
    "postings": (posting("a", "b", 5),),
}
OPENING_CHANGES: dict[str, object] = {
    "account": "b",
    "currency": "USD",
    "account_type": "asset",
    "min_balance_minor": -6,
    "max_balance_minor": 51,
    "effective_at": "2026-11-21T00:00:00.000000Z",
}


def test_every_field_is_compared() -> None:
    """The cases below change every field there is, but for the id and the version: a field added
    to a command needs a case here."""
    assert PAYMENT_CHANGES.keys() == set(PostPayment.__struct_fields__) - {"id", "v"}
    assert OPENING_CHANGES.keys() == set(OpenAccount.__struct_fields__) - {"id", "v"}


@pytest.mark.parametrize("name", PAYMENT_CHANGES)
def test_a_payment_differs_by_the_field_that_was_changed(name: str) -> None:
    """Exactly the changed field is named, whichever of the two came first."""
    other: PostPayment = msgspec.structs.replace(PAYMENT, **{name: PAYMENT_CHANGES[name]})
    assert differing_fields(PAYMENT, other) == (name,)
    assert differing_fields(other, PAYMENT) == (name,)


@pytest.mark.parametrize("name", OPENING_CHANGES)
def test_an_opening_differs_by_the_field_that_was_changed(name: str) -> None:
    """Exactly the changed field is named, whichever of the two came first."""
    other: OpenAccount = msgspec.structs.replace(OPENING, **{name: OPENING_CHANGES[name]})
    assert differing_fields(OPENING, other) == (name,)
    assert differing_fields(other, OPENING) == (name,)


@pytest.mark.parametrize(
    ("name", "value"),
    [("source", "x"), ("destination", "x"), ("amount_minor", 3), ("currency", "USD")],
)
def test_a_posting_differs_by_path(name: str, value: object) -> None:
    """A changed posting is named with its place and field."""
    changed = msgspec.structs.replace(PAYMENT.postings[1], **{name: value})
    other = msgspec.structs.replace(PAYMENT, postings=(PAYMENT.postings[0], changed))
    assert differing_fields(PAYMENT, other) == (f"postings[1].{name}",)


def test_all_differences_are_named() -> None:
    """Not only the first."""
    other = paying("p", ("a", "c", 5), ("b", "c", 3), effective_at=DAY, reference="r")
    assert differing_fields(PAYMENT, other) == (
        "description",
        "postings[0].destination",
        "postings[1].amount_minor",
    )


def test_order_of_postings_matters() -> None:
    """The same postings in another order are another request."""
    other = msgspec.structs.replace(PAYMENT, postings=PAYMENT.postings[::-1])
    assert set(differing_fields(PAYMENT, other)) == {
        f"postings[{place}].{name}"
        for place in (0, 1)
        for name in ("source", "destination", "amount_minor")
    }


def test_a_default_said_is_a_default_left_out() -> None:
    """To say a fixed default and to leave it out are the same request; null is not 0."""
    said = opening("a", min_balance_minor=0, max_balance_minor=None)
    assert differing_fields(said, opening("a")) == ()
    assert differing_fields(opening("a"), said) == ()
    unbounded = opening("a", min_balance_minor=None)
    assert differing_fields(opening("a"), unbounded) == ("min_balance_minor",)
    empty = opening("a", max_balance_minor=0)
    assert differing_fields(opening("a"), empty) == ("max_balance_minor",)


@pytest.mark.parametrize("name", ["effective_at", "reference", "description"])
def test_what_has_no_default_must_be_left_out_again(name: str) -> None:
    """A field given the first time and left out the second, or the reverse, is a difference."""
    without: PostPayment = msgspec.structs.replace(PAYMENT, **{name: UNSET})
    assert differing_fields(PAYMENT, without) == (name,)
    assert differing_fields(without, PAYMENT) == (name,)


def test_another_type_of_command_is_another_request() -> None:
    """An opening under the id of a payment differs in its type."""
    assert differing_fields(PAYMENT, OPENING) == ("type",)
    assert differing_fields(OPENING, PAYMENT) == ("type",)
