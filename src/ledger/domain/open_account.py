"""Opening an account: refused only if it exists, its book does not, or the time is not right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from ledger.contracts import reasons
from ledger.contracts.commands import OpenAccount, book_of
from ledger.contracts.events import AccountOpened, SubjectEntry
from ledger.contracts.primitives import MAIN_BOOK
from ledger.contracts.subjects import account_key, book_key
from ledger.domain.accounts import first_entry
from ledger.domain.effective_time import (
    book_check,
    effective_time,
    future_refusals,
    is_back_dated,
    period_refusals,
)
from ledger.domain.rejections import Rejection, rejection
from ledger.domain.stamp import Stamp, head
from ledger.domain.states import States
from ledger.domain.striped import relet_entries

_DEFAULTED: Final = ("min_balance_minor", "max_balance_minor", "effective_at")


def decide_opening(states: States, command: OpenAccount, stamp: Stamp) -> AccountOpened | Rejection:
    """The opening of the account as version 1, all totals 0, or the first reason against it."""
    effective_at = effective_time(command.effective_at, stamp)
    refusal = next(_refusals(states, command, effective_at, stamp), None)
    if refusal is not None:
        return refusal
    lowest, highest = command.min_balance_minor, command.max_balance_minor
    book = book_of(command)
    opened = AccountOpened(
        **head(command, stamp, effective_at),
        account=command.account,
        currency=command.currency,
        account_type=command.account_type,
        min_balance_minor=0 if lowest is UNSET else lowest,
        max_balance_minor=None if highest is UNSET else highest,
        accounts=(),
        defaulted=tuple(name for name in _DEFAULTED if getattr(command, name) is UNSET),
        book=book,
        metadata=command.metadata or UNSET,
        entry=SubjectEntry(version=1) if command.metadata else UNSET,
        books=(
            (book_check(states, book),) if is_back_dated(effective_at, stamp.recorded_at) else ()
        ),
        stripes=1 if command.stripes is UNSET else command.stripes,
    )
    entries = [first_entry(command.account, command.account_type)] * opened.stripes
    return replace(opened, accounts=relet_entries(entries, (), opened.profile))


def _refusals(
    states: States, command: OpenAccount, effective_at: str, stamp: Stamp
) -> Iterator[Rejection]:
    existing = states.accounts.get(command.account)
    if existing is not None:
        values = {"opened_at": existing.opened_at}
        key = account_key(command.account)
        yield rejection(reasons.ACCOUNT_EXISTS, "account", states, key, values)
    book = book_of(command)
    if book != MAIN_BOOK and book not in states.books:
        yield rejection(reasons.BOOK_UNKNOWN, "book", states, book_key(book))
    yield from future_refusals(effective_at, stamp)
    yield from period_refusals(states, (book,), effective_at, stamp)
