"""What hypothesis draws: commands and states over few accounts, so that they meet often."""

from __future__ import annotations

from itertools import permutations
from typing import TypeVar

from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from ledger.contracts.commands import Alert, OpenAccount, Posting, PostPayment, SetAlerts
from ledger.contracts.events import AccountStatus
from ledger.contracts.primitives import (
    ACCOUNT_TYPES,
    ALERTS_MAX,
    AMOUNT_MINOR_MAX,
    POSTINGS_MAX,
)
from ledger.domain.accounts import AccountState
from ledger.domain.states import States
from tests.support.builders import by_id, opening, posting, state

T = TypeVar("T")
FEW = ("a", "b", "c", "d", "e")
CURRENCIES = ("EUR", "USD")
STATUSES: tuple[AccountStatus, ...] = ("open", "frozen", "closed")

amounts = st.one_of(st.integers(1, AMOUNT_MINOR_MAX), st.just(AMOUNT_MINOR_MAX))
totals = st.one_of(
    st.integers(0, 100),
    st.integers(0, AMOUNT_MINOR_MAX),
    st.integers(AMOUNT_MINOR_MAX - 100, AMOUNT_MINOR_MAX),
)
instants = st.sampled_from(
    ["2026-11-21T10:00:00.000000Z", "2026-11-21T11:30:00.250000Z", "2026-11-21T12:05:00.000000Z"]
)


WATCHED: tuple[tuple[Alert, ...], ...] = (
    (),
    (Alert(direction="below", threshold_minor=20),),
    (Alert(direction="above", threshold_minor=40), Alert(direction="below", threshold_minor=-5)),
)
PAIRS = tuple(permutations(FEW, 2))
BASES = st.sampled_from(["available", "available", "posted"])


def postings(
    amount: st.SearchStrategy[int] | None = None, currencies: tuple[str, ...] = ("EUR",)
) -> st.SearchStrategy[Posting]:
    """A posting between two of the few accounts, of a small amount unless told otherwise.

    The usual ones are drawn from a table: one draw each, where state machines draw thousands.
    """
    if amount is None:
        return st.sampled_from(
            [
                posting(source, destination, minor, currency)
                for minor in (1, 10, 25, 50, 60)
                for currency in currencies
                for source, destination in PAIRS
            ]
        )
    return st.builds(
        lambda pair, minor, currency: posting(pair[0], pair[1], minor, currency),
        st.sampled_from(PAIRS),
        amount,
        st.sampled_from(currencies),
    )


def unset_or(values: st.SearchStrategy[T]) -> st.SearchStrategy[T | UnsetType]:
    """A field that the client may leave out."""
    return st.one_of(st.just(UNSET), values)


@st.composite
def payments(
    draw: st.DrawFn,
    ids: st.SearchStrategy[str] | None = None,
    legs: st.SearchStrategy[Posting] | None = None,
) -> PostPayment:
    """A payment of 1 to 45 postings, its accounts repeated: few more often than many.

    Long ones repeat a short pattern, which is drawn in a tenth of the time.
    """
    pattern = draw(st.lists(legs if legs is not None else postings(), min_size=1, max_size=5))
    copies = draw(st.sampled_from([1, 1, 1, 2, POSTINGS_MAX]))
    return PostPayment(
        v=1,
        id=draw(ids) if ids is not None else "payment",
        postings=tuple(pattern * copies)[:POSTINGS_MAX],
        effective_at=draw(unset_or(instants)),
        reference=draw(unset_or(st.sampled_from(["order 1", "order 2"]))),
        description=draw(unset_or(st.sampled_from(["rent", "salary, November"]))),
    )


@st.composite
def openings(
    draw: st.DrawFn,
    accounts: tuple[str, ...] = FEW,
    ids: st.SearchStrategy[str] | None = None,
    currencies: tuple[str, ...] = CURRENCIES,
) -> OpenAccount:
    """The opening of one of `accounts`, bounded and unbounded."""
    account = draw(st.sampled_from(accounts))
    return opening(
        account,
        id=draw(ids) if ids is not None else None,
        currency=draw(st.sampled_from(currencies)),
        account_type=draw(st.sampled_from(ACCOUNT_TYPES)),
        min_balance_minor=draw(unset_or(st.sampled_from([None, 0, -50, -100]))),
        max_balance_minor=draw(unset_or(st.sampled_from([None, 0, 50, 200]))),
        effective_at=draw(unset_or(instants)),
    )


alerts = st.builds(
    Alert,
    direction=st.sampled_from(["below", "above"]),
    threshold_minor=st.sampled_from([-60, -10, 0, 10, 50, 100]),
)


@st.composite
def alert_settings(draw: st.DrawFn, ids: st.SearchStrategy[str] | None = None) -> SetAlerts:
    """The alerts of one of the few accounts: none, or thresholds that payments often cross."""
    return SetAlerts(
        v=1,
        id=draw(ids) if ids is not None else "alerts",
        account=draw(st.sampled_from(FEW)),
        alerts=tuple(draw(st.lists(alerts, max_size=ALERTS_MAX, unique=True))),
    )


@st.composite
def states(
    draw: st.DrawFn,
    id: str,
    currencies: tuple[str, ...] = ("EUR",),
    *,
    sound: bool = False,
    totals: st.SearchStrategy[int] = totals,
) -> AccountState:
    """Any state that could be stored, pending amounts included; an open one if `sound`."""
    return state(
        id,
        version=draw(st.integers(1, 9)),
        currency=draw(st.sampled_from(currencies)),
        type=draw(st.sampled_from(ACCOUNT_TYPES)),
        status="open" if sound else draw(st.sampled_from(("open", *STATUSES))),
        debits=draw(totals),
        credits=draw(totals),
        pending_debits=draw(st.sampled_from([0, 0, 7, 60])),
        pending_credits=draw(st.sampled_from([0, 0, 7, 60])),
        lowest=draw(st.sampled_from([None, None, None, 0, -50])),
        highest=draw(st.sampled_from([None, None, None, 0, 50])),
        min_balance_basis=draw(BASES),
        max_balance_basis=draw(BASES),
        watched=tuple(draw(st.sampled_from(WATCHED))),
    )


@st.composite
def worlds(draw: st.DrawFn, currencies: tuple[str, ...] = ("EUR",)) -> States:
    """The states of the few accounts: mostly ones that can pay, some full, some in trouble."""
    mood = draw(st.sampled_from(["sound", "sound", "full", "mixed", "troubled"]))
    if mood == "troubled":
        here = draw(st.sets(st.sampled_from(FEW), min_size=3))
        return by_id(draw(states(one, currencies)) for one in sorted(here))
    some = currencies if mood == "mixed" else draw(st.sampled_from([(one,) for one in currencies]))
    sums = totals if mood == "full" else st.integers(0, 100)
    return by_id(draw(states(one, some, sound=True, totals=sums)) for one in FEW)
