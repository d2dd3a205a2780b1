"""Telling a repeat from another request under the same id, field by field."""

from __future__ import annotations

import json

import msgspec
import pytest
from msgspec import UNSET, structs

from ledger.contracts.commands import (
    COMMAND_TYPES,
    SYSTEM_COMMANDS,
    MemberCommand,
    PostPayment,
    decode_command,
)
from ledger.domain.requests import differing_fields
from tests.properties.whole_commands import WHOLE
from tests.support.builders import (
    batching,
    capturing,
    closing_book,
    holding,
    limiting,
    opening,
    paying,
    reopening_book,
)

DAY = "2026-11-20T00:00:00.000000Z"
PAYMENT = paying(
    "p", ("a", "b", 5), ("b", "c", 2), effective_at=DAY, reference="r", description="d"
)
OPENING = opening("a", id="p", min_balance_minor=-5, max_balance_minor=50, effective_at=DAY)

COMMANDS = {
    name: decode_command(json.dumps(document).encode(), COMMAND_TYPES)
    for name, document in WHOLE.items()
}


def changed(value: object) -> object:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value + "0"
    if isinstance(value, dict):
        return value | {"another": "one"}
    assert isinstance(value, tuple)
    return (*value, value[0])


def fields() -> list[tuple[str, str]]:
    """Every field of every command, but for its version and its id."""
    return [
        (name, field)
        for name, command in COMMANDS.items()
        for field in command.__struct_fields__
        if field not in {"v", "id"}
    ]


def test_every_field_is_compared() -> None:
    """The commands above have a value in every field there is. (Not those of the ledger's own.)"""
    assert COMMANDS.keys() | SYSTEM_COMMANDS == COMMAND_TYPES.keys()
    assert all(getattr(COMMANDS[name], field) is not UNSET for name, field in fields())


@pytest.mark.parametrize(("name", "field"), fields())
def test_a_command_differs_by_the_field_that_was_changed(name: str, field: str) -> None:
    """Exactly the changed field is named, whichever of the two came first."""
    command = COMMANDS[name]
    other = structs.replace(command, **{field: changed(getattr(command, field))})
    assert differing_fields(command, other) == (field,)
    assert differing_fields(other, command) == (field,)


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
    assert set(differing_fields(PAYMENT, other)) == {
        "description",
        "postings[0].destination",
        "postings[1].amount_minor",
    }


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


DEFAULTS = (
    (opening("a", book="main"), opening("a")),
    (closing_book("2026-11-01", book="main"), closing_book("2026-11-01")),
    (reopening_book(None, book="main"), reopening_book(None)),
    (holding("h", ("a", "b", 1), over_capture_bps=0), holding("h", ("a", "b", 1))),
    (capturing("h", final=False), capturing("h")),
    (holding("h", ("a", "b", 1), metadata={}), holding("h", ("a", "b", 1))),
)


@pytest.mark.parametrize(("said", "left_out"), DEFAULTS, ids=range(len(DEFAULTS)))
def test_other_fixed_defaults_may_be_said_too(said: MemberCommand, left_out: MemberCommand) -> None:
    """By itself, and in a batch."""
    assert differing_fields(said, left_out) == ()
    assert differing_fields(batching("x", said), batching("x", left_out)) == ()


def test_a_limit_left_out_is_not_a_limit_taken_away() -> None:
    """Left out, a bound stays as it is; null takes it away."""
    said = limiting("a", min_balance_minor=0, max_balance_minor=None)
    assert differing_fields(said, limiting("a", min_balance_minor=0)) == ("max_balance_minor",)
    assert differing_fields(said, limiting("a", max_balance_minor=None)) == ("min_balance_minor",)


def test_a_batch_differs_by_the_paths_in_its_commands() -> None:
    """The id of a command is a field of its batch."""
    one, other = opening("a"), opening("a", id="another", currency="USD")
    assert differing_fields(batching("x", one), batching("x", other)) == (
        "commands[0].id",
        "commands[0].currency",
    )
    assert differing_fields(batching("x", one), batching("x", one, opening("b"))) == ("commands",)


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
