"""A statement: opening balance, what moved, closing balance, and the proof that they fit.

Made of an account's history as the API gives it. It holds or there is none: versions without a
gap, each with the totals of the one before plus what it moved, and opening + entries = closing.

An entry is what was posted: a payment, a capture, a reversal. What is held moves nothing yet, and
what is released never did: such versions bind the chain together, and are not shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any, Final, Literal

from ledger.contracts.primitives import DEBIT_NORMAL, AccountType, balance_minor

Side = Literal["debit", "credit"]
#: By which of its two times an entry belongs to a day. Both days are UTC's.
Basis = Literal["booked", "effective"]


class IncompleteHistoryError(Exception):
    """A version that the statement needs is not in the history (yet)."""


class BrokenHistoryError(Exception):
    """The history contradicts itself: no statement can be made of it."""


class UnrepresentableError(Exception):
    """The format that was asked for cannot hold what the statement says."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One posting as seen from the account."""

    side: Side
    amount_minor: int
    counterparty: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What one event posted to the account; `balance_minor` is that after it, in version order.

    Of a striped account version and balance are those of the `stripe`: between stripes there is no
    order, and so no balance of the account from one entry to the next.

    `payment` is the payment that was posted, or captured or reversed by the event. `description` is
    the payment's, or why it was reversed.
    """

    version: int
    event: str
    event_type: str
    payment: str
    booked_at: str
    effective_at: str
    debited_minor: int
    credited_minor: int
    balance_minor: int
    legs: tuple[Leg, ...]
    reference: str
    description: str
    stripe: int | None = None

    @property
    def place(self) -> str:
        """Its version, and of a striped account the stripe before it: one entry has it alone."""
        return str(self.version) if self.stripe is None else f"{self.stripe}/{self.version}"


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, first and last included, by one of the times of an entry."""

    first: date
    last: date
    by: Basis

    def place_of(self, instant: str) -> int:
        """-1, 0 or 1: an instant (in the stored form) lies before, in or behind the period."""
        day = date.fromisoformat(instant[:10])
        return (day > self.last) - (day < self.first)


@dataclass(frozen=True, slots=True)
class Statement:
    """The statement of an account as of `version`, and, if it is striped, as of the versions of its
    further stripes. Balances are on the account's normal side."""

    account: str
    currency: str
    account_type: AccountType
    period: Period
    version: int
    opening_minor: int
    closing_minor: int
    entries: tuple[Entry, ...]
    further_versions: tuple[int, ...] = ()

    @property
    def as_of(self) -> str:
        """The version, or the versions of all stripes."""
        return ", ".join(map(str, (self.version, *self.further_versions)))

    def credit_minor(self, balance: int) -> int:
        """A balance of this account as credits less debits, whatever its normal side."""
        return -balance if self.account_type in DEBIT_NORMAL else balance

    @property
    def debited_minor(self) -> int:
        """All that was debited in the period."""
        return sum(entry.debited_minor for entry in self.entries)

    @property
    def credited_minor(self) -> int:
        """All that was credited in the period."""
        return sum(entry.credited_minor for entry in self.entries)


REVERSAL: Final = "payment.reversed"
_MOVED: Final = ("debited_minor", "credited_minor")
_TOTALS: Final = ("debits_posted_minor", "credits_posted_minor")
_PENDED: Final = ("debits_pended_minor", "credits_pended_minor")
_PENDING: Final = ("debits_pending_minor", "credits_pending_minor")


def statement_of(
    account: str,
    account_type: AccountType,
    history: Sequence[dict[str, Any]],
    period: Period,
    legs: Mapping[str, tuple[Leg, ...]],
) -> Statement:
    """The statement from entries of `history`, newest first: all, or all but those that are older
    than one that was booked before the period. `legs` are by event those that it lacks.

    Raises IncompleteHistoryError or BrokenHistoryError.
    """
    if not history:
        raise IncompleteHistoryError(f"{account} has no history (yet)")
    rows = list(reversed(history))
    _refuse_gaps(account, rows)
    _refuse_contradictions(account, account_type, rows)
    moved = [balance_minor(account_type, *(row[name] for name in _MOVED)) for row in rows]
    key = "recorded_at" if period.by == "booked" else "effective_at"
    places = [period.place_of(row[key]) for row in rows]
    if rows[0]["version"] != 1 and (period.by == "effective" or places[0] >= 0):
        raise IncompleteHistoryError(
            f"{account}: the versions below {rows[0]['version']} are not there"
        )
    before_all = rows[0]["balance_minor"] - moved[0]
    opening = before_all + sum(m for m, place in zip(moved, places, strict=True) if place < 0)
    closing = rows[-1]["balance_minor"] - sum(
        m for m, place in zip(moved, places, strict=True) if place > 0
    )
    entries = tuple(
        _entry(row, legs.get(row["event"]))
        for row, place in zip(rows, places, strict=True)
        if place == 0 and any(row[name] for name in _MOVED)
    )
    statement = Statement(
        account=account,
        currency=rows[-1]["currency"],
        account_type=account_type,
        period=period,
        version=rows[-1]["version"],
        opening_minor=opening,
        closing_minor=closing,
        entries=entries,
    )
    _refuse_unreconciled(statement)
    return statement


def of_all_stripes(statements: Sequence[Statement]) -> Statement:
    """The statement of an account from those of its stripes, in their order, over one period: each
    is proved by itself, and the sums of what holds hold. Entries come in the order of booking."""
    first, *further = statements
    if not further:
        return first
    entries = [
        replace(entry, stripe=stripe)
        for stripe, statement in enumerate(statements)
        for entry in statement.entries
    ]
    return replace(
        first,
        opening_minor=sum(one.opening_minor for one in statements),
        closing_minor=sum(one.closing_minor for one in statements),
        entries=tuple(sorted(entries, key=lambda one: (one.booked_at, one.stripe, one.version))),
        further_versions=tuple(one.version for one in further),
    )


def _refuse_gaps(account: str, rows: Sequence[dict[str, Any]]) -> None:
    for before, after in pairwise(rows):
        if after["version"] != before["version"] + 1:
            raise IncompleteHistoryError(
                f"{account}: between the versions {before['version']} and {after['version']} "
                "something is not there"
            )


def _refuse_contradictions(
    account: str, account_type: AccountType, rows: Sequence[dict[str, Any]]
) -> None:
    first = dict.fromkeys((*_TOTALS, *_PENDING, "version"), 0) | {"recorded_at": "", "event": ""}
    starts = [first] if rows[0]["version"] == 1 else []
    chain = [*starts, *rows]
    for before, after in pairwise(chain):
        fits = all(
            before[total] + after[moved] == after[total]
            for total, moved in zip((*_TOTALS, *_PENDING), (*_MOVED, *_PENDED), strict=True)
        )
        linked = not before["version"] or after.get("prev") == before["event"]
        ordered = before["recorded_at"] <= after["recorded_at"]
        balance = balance_minor(account_type, *(after[name] for name in _TOTALS))
        if not (fits and linked and ordered and balance == after["balance_minor"]):
            raise BrokenHistoryError(
                f"{account}: version {after['version']} does not follow from the one before"
            )


def _entry(row: dict[str, Any], all_legs: tuple[Leg, ...] | None) -> Entry:
    shown = tuple(Leg(leg["side"], leg["amount_minor"], leg["counterparty"]) for leg in row["legs"])
    return Entry(
        version=row["version"],
        event=row["event"],
        event_type=row["type"],
        payment=row["payment"],
        booked_at=row["recorded_at"],
        effective_at=row["effective_at"],
        debited_minor=row["debited_minor"],
        credited_minor=row["credited_minor"],
        balance_minor=row["balance_minor"],
        legs=all_legs or shown,
        reference=row.get("reference", ""),
        description=row.get("description") or row.get("reason", ""),
    )


def _refuse_unreconciled(statement: Statement) -> None:
    """Also entry by entry: what its legs say must be what it moved."""
    moved = balance_minor(statement.account_type, statement.debited_minor, statement.credited_minor)
    if statement.opening_minor + moved != statement.closing_minor:
        raise BrokenHistoryError(
            f"{statement.account}: opening {statement.opening_minor} and entries of {moved} "
            f"do not make the closing {statement.closing_minor}"
        )
    for entry in statement.entries:
        sides = {"debit": 0, "credit": 0}
        for leg in entry.legs:
            sides[leg.side] += leg.amount_minor
        if (sides["debit"], sides["credit"]) != (entry.debited_minor, entry.credited_minor):
            raise BrokenHistoryError(
                f"{statement.account}: the postings of {entry.event} are not what it moved"
            )
