"""Opening an account: its first version, its defaults, its only refusal."""

from __future__ import annotations

import pytest
from msgspec import UNSET, UnsetType

from ledger.contracts import reasons
from ledger.contracts.events import AccountEntry, AccountOpened, Cause
from ledger.domain.rejections import Rejection
from ledger.domain.states import States
from tests.support.builders import (
    NOON,
    STAMP,
    accepted,
    advanced,
    by_id,
    opening,
    refused,
    state,
)


def test_an_opening_is_version_one_and_empty() -> None:
    """The account starts at version 1, without a predecessor, all totals 0, open, with what the
    command said or its defaults, which are marked."""
    event = accepted(States(), opening("a", id="o", currency="JPY", account_type="asset"))
    assert event == AccountOpened(
        v=1,
        id="o",
        recorded_at=NOON,
        effective_at=NOON,
        actor=STAMP.actor,
        account="a",
        currency="JPY",
        account_type="asset",
        min_balance_minor=0,
        max_balance_minor=None,
        accounts=(
            AccountEntry(
                id="a",
                type="asset",
                version=1,
                prev=UNSET,
                debits_posted_minor=0,
                credits_posted_minor=0,
            ),
        ),
        defaulted=("min_balance_minor", "max_balance_minor", "effective_at"),
    )
    after, stored = advanced(States(), event)
    opened = after.accounts["a"]
    assert (opened.status, opened.version, opened.last_event) == ("open", 1, "o")
    assert (opened.min_balance_minor, opened.max_balance_minor) == (0, None)
    assert (opened.opened_at, opened.recorded_at, opened.hash) == (NOON, NOON, stored.hashes[0])


@pytest.mark.parametrize(
    ("lowest", "highest", "defaulted"),
    [
        (None, UNSET, ("max_balance_minor",)),
        (-100, 500, ()),
        (0, None, ()),
        (UNSET, 0, ("min_balance_minor",)),
    ],
)
def test_bounds_are_kept_as_said(
    lowest: int | UnsetType | None, highest: int | UnsetType | None, defaulted: tuple[str, ...]
) -> None:
    """Null means unbounded and is not a default; what was said is not marked as defaulted, even if
    it says the default."""
    day = "2026-11-20T00:00:00.000000Z"
    event = accepted(
        States(),
        opening("a", min_balance_minor=lowest, max_balance_minor=highest, effective_at=day),
    )
    assert isinstance(event, AccountOpened)
    assert event.min_balance_minor == (0 if lowest is UNSET else lowest)
    assert event.max_balance_minor == (None if highest is UNSET else highest)
    assert (event.effective_at, event.defaulted) == (day, defaulted)
    after, _ = advanced(States(), event)
    assert after.accounts["a"].opened_at == day


@pytest.mark.parametrize("status", ["open", "frozen", "closed"])
def test_an_id_is_opened_once(status: str) -> None:
    """An account that exists in whatever status cannot be opened again, by another command's id."""
    existing = state("a", version=4, status=status)  # type: ignore[arg-type]
    assert refused(by_id([existing]), opening("a", id="another")) == Rejection(
        reasons.ACCOUNT_EXISTS,
        "account",
        (Cause(id="a", version=4, values={"opened_at": existing.opened_at}),),
    )
