"""States: what may be stored, what follows what, and what a balance is."""

from __future__ import annotations

import msgspec
import pytest

from ledger.contracts.events import AccountOpened
from ledger.contracts.primitives import AMOUNT_MINOR_MAX, AccountType
from ledger.domain.accounts import (
    HASH_BYTES,
    AccountState,
    BrokenStateError,
    check_state,
    evolve,
    next_entry,
)
from ledger.domain.states import States
from tests.support.builders import accepted, by_id, opening, paying, state

ONES = b"\1" * HASH_BYTES


@pytest.mark.parametrize(
    ("type_", "balance", "available", "expected"),
    [
        ("asset", 60, 57, 65),
        ("expense", 60, 57, 65),
        ("liability", -60, -65, -57),
        ("equity", -60, -65, -57),
        ("income", -60, -65, -57),
    ],
)
def test_a_balance_is_on_the_normal_side(
    type_: AccountType, balance: int, available: int, expected: int
) -> None:
    """Debits less credits for assets and expenses, credits less debits for the others; available
    counts what is pending against the account, expected what is pending for it."""
    one = state("a", type=type_, debits=100, credits=40, pending_debits=5, pending_credits=3)
    assert (one.balance_minor, one.available_minor, one.expected_minor) == (
        balance,
        available,
        expected,
    )


@pytest.mark.parametrize(
    "total",
    [
        "debits_posted_minor",
        "credits_posted_minor",
        "debits_pending_minor",
        "credits_pending_minor",
    ],
)
@pytest.mark.parametrize(("value", "fine"), [(-1, False), (0, True), (AMOUNT_MINOR_MAX + 1, False)])
def test_totals_of_a_state_are_in_range(total: str, value: int, fine: bool) -> None:
    """No total is negative or above 2^63-1."""
    one: AccountState = msgspec.structs.replace(state("a"), **{total: value})
    if fine:
        check_state(one)
    else:
        with pytest.raises(BrokenStateError, match="account a version 7"):
            check_state(one)


@pytest.mark.parametrize("change", [{"version": 0}, {"version": -1}, {"hash": b"short"}])
def test_a_state_has_a_version_and_a_hash(change: dict[str, object]) -> None:
    """A version from 1, a hash of 32 bytes."""
    with pytest.raises(BrokenStateError, match="account a"):
        check_state(msgspec.structs.replace(state("a"), **change))


def test_evolving_keeps_what_the_event_does_not_say() -> None:
    """A payment changes version, totals, time, last event and hash of a state, and nothing else."""
    before = state("a", status="open", lowest=-5, highest=9, pending_debits=1, pending_credits=2)
    event = accepted(by_id([before, state("b")]), paying("p", ("b", "a", 3)))
    after = evolve(before, event, event.accounts[1], ONES)
    assert after == msgspec.structs.replace(
        before,
        version=8,
        credits_posted_minor=3,
        recorded_at=event.recorded_at,
        last_event="p",
        hash=ONES,
    )


def test_only_an_opening_opens() -> None:
    """No account comes from a payment, none is opened twice, and an opening is version 1 without a
    predecessor."""
    opened = accepted(States(), opening("a"))
    assert isinstance(opened, AccountOpened)
    entry = opened.accounts[0]
    for wrong in (
        msgspec.structs.replace(entry, version=2),
        msgspec.structs.replace(entry, prev="something"),
    ):
        with pytest.raises(BrokenStateError, match=r"open:a .* version 0 of account a"):
            evolve(None, opened, wrong, ONES)
    first = evolve(None, opened, entry, ONES)
    again = msgspec.structs.replace(opened, id="again")
    with pytest.raises(BrokenStateError, match="again"):
        evolve(first, again, next_entry(first), ONES)


def test_evolving_checks_what_it_made() -> None:
    """An event whose totals no state may have is refused, not stored."""
    before = state("a")
    event = accepted(by_id([before, state("b")]), paying("p", ("b", "a", 3)))
    wrong = msgspec.structs.replace(event.accounts[1], credits_posted_minor=-1)
    with pytest.raises(BrokenStateError, match="total out of range"):
        evolve(before, event, wrong, ONES)
    with pytest.raises(BrokenStateError, match="hash"):
        evolve(before, event, event.accounts[1], b"")
