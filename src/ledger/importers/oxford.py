"""Oxford City Council's payments over £500, 2014 to 2018, as commands, in GBP.

A row is one line of a payment transaction. What becomes of it:

| row | payment |
|---|---|
| amount above zero | `oxford:council` → `oxford:supplier:<supplier_id>` |
| amount below zero (a correction) | a refund: supplier → council, by the amount without its sign |
| no supplier id | the same, with `oxford:suspense:<expenditure_code>` for the supplier |
| amount zero | none: refused as `invalid_amount`, and reported |

The council's account is an expense, so that its balance is what was spent; a supplier's is a
liability that cannot go below zero: nobody pays back more than he got. Rows without a supplier are
differences of a penny which the council itself books to an account of differences. They are kept
in suspense, by expenditure code, and not ascribed to the supplier of their transaction: the file
does not say that they are his. Such an account may go below zero.

`source_file` and `source_line` make the payment's id, `paid_date` its effective time, `trans_no`
its reference. A refund's description names the payment that it corrects where its transaction has
only one to the same supplier, and otherwise the transaction.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from ledger.contracts import reasons
from ledger.contracts.commands import OpenAccount, Posting, PostPayment
from ledger.contracts.primitives import AccountType
from ledger.importers.amounts import AmountError, minor_of
from ledger.importers.data_sets import file_in, midnight, rows_of
from ledger.importers.instructions import (
    Fault,
    Phase,
    Source,
    SourceError,
    instruction_of,
)

CURRENCY: Final = "GBP"
FILE_NAMES: Final = (
    "oxford_city_council_expenditure_2014_2018.csv.gz",
    "oxford_city_council_expenditure_2014_2018.csv",
)
COLUMNS: Final = (
    "source_file",
    "source_line",
    "body_name",
    "organisational_unit",
    "expenditure_category",
    "expenditure_code",
    "paid_date",
    "trans_no",
    "amount",
    "type",
    "supplier_id",
    "supplier_name",
)
ROWS_MAX: Final = 200_000  # the file has 57,692 rows

COUNCIL: Final = "oxford:council"
_SUPPLIER: Final = "oxford:supplier:"
_SUSPENSE: Final = "oxford:suspense:"

_FILE: Final = re.compile(r"[A-Za-z0-9._-]{1,44}")
_LINE: Final = re.compile(r"[1-9][0-9]{0,8}")
_SUPPLIER_ID: Final = re.compile(r"[0-9_]{1,40}")
_CODE: Final = re.compile(r"[A-Za-z0-9]{1,16}")
_TRANSACTION: Final = re.compile(r"([0-9]{1,12})(?:_| - )[0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file, checked; the amount in pence, below zero for a correction."""

    line: int
    payment_id: str
    other: str  # the account of the supplier, or of suspense
    day: date
    amount_minor: int
    trans_no: str
    transaction: str  # what `trans_no` is a line of
    unit: str
    category: str
    code: str


@dataclass(frozen=True, slots=True)
class Expenditure:
    """The rows to load, what each refund corrects, the rows that are none, and on which day each
    account occurs first in the whole file."""

    path: Path
    rows: tuple[Row, ...]
    corrected: dict[str, str]  # by the refund's payment id: what it corrects, in words
    faults: tuple[Fault, ...]
    opened_on: dict[str, date]

    def source(self) -> Source:
        """The accounts that the rows touch, then the rows as payments, in their order."""
        return Source(
            name=f"oxford ({self.path.name})",
            phases=(
                Phase(
                    "accounts",
                    tuple(
                        instruction_of(opening, ordering_key=opening.account, origin=self.path.name)
                        for opening in self._openings()
                    ),
                ),
                Phase(
                    "payments",
                    tuple(
                        instruction_of(
                            self._payment(row),
                            # A refund needs what was paid before; the council's lane would be all.
                            ordering_key=row.other,
                            origin=f"{self.path.name}:{row.line}",
                        )
                        for row in self.rows
                    ),
                    ordered=True,
                ),
            ),
            faults=self.faults,
            balances_minor=self.balances_minor(),
        )

    def balances_minor(self) -> dict[str, int]:
        """What each account must have in the end: the sums of the rows' amounts."""
        balances: defaultdict[str, int] = defaultdict(int)
        for row in self.rows:
            balances[row.other] += row.amount_minor
            balances[COUNCIL] += row.amount_minor
        return dict(balances)

    def _openings(self) -> Iterator[OpenAccount]:
        """Each account once, effective on the earliest day of its rows."""
        touched = [account for row in self.rows for account in (COUNCIL, row.other)]
        for account in dict.fromkeys(touched):
            kind: AccountType = "expense" if account == COUNCIL else "liability"
            yield OpenAccount(
                v=1,
                id=f"open:{account}",
                account=account,
                currency=CURRENCY,
                account_type=kind,
                min_balance_minor=None if account.startswith(_SUSPENSE) else 0,
                effective_at=midnight(self.opened_on[account]),
            )

    def _payment(self, row: Row) -> PostPayment:
        refund = row.amount_minor < 0
        source, destination = (row.other, COUNCIL) if refund else (COUNCIL, row.other)
        what = (
            f"{self.corrected[row.payment_id]}; {row.unit} {row.code}"
            if refund
            else f"{row.unit}: {row.category or 'no category'} ({row.code})"
        )
        return PostPayment(
            v=1,
            id=row.payment_id,
            postings=(
                Posting(
                    source=source,
                    destination=destination,
                    amount_minor=abs(row.amount_minor),
                    currency=CURRENCY,
                ),
            ),
            effective_at=midnight(row.day),
            reference=row.trans_no,
            description=what,
        )


def read(directory: Path, *, rows_max: int | None = None) -> Expenditure:
    """The first `rows_max` rows (all, if None) of the file in `directory`, refused ones included.

    The whole file is read in any case: what a refund corrects may stand behind it, and what is
    loaded first and what later must open accounts alike. Raises SourceError.
    """
    path = file_in(directory, FILE_NAMES)
    loaded: list[Row] = []
    refunds: list[Row] = []
    faults: list[Fault] = []
    paid: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    opened_on: dict[str, date] = {}
    seen: set[str] = set()
    for place, found in enumerate(
        _row(path, *line) for line in rows_of(path, COLUMNS, rows_max=ROWS_MAX)
    ):
        wanted = rows_max is None or place < rows_max
        if isinstance(found, Fault):
            faults += [found] if wanted else []
            continue
        if found.payment_id in seen:
            raise SourceError(path, found.line, "source_file and source_line occur twice")
        seen.add(found.payment_id)
        for account in (COUNCIL, found.other):
            opened_on[account] = min(opened_on.get(account, found.day), found.day)
        if found.amount_minor < 0:
            refunds.append(found)
        else:
            paid[found.transaction, found.other].append(found.payment_id)
        if wanted:
            loaded.append(found)
    if not loaded:
        raise SourceError(path, None, "has no rows that are payments")
    corrected = {
        refund.payment_id: _what_it_corrects(refund, paid[refund.transaction, refund.other])
        for refund in refunds
    }
    return Expenditure(path, tuple(loaded), corrected, tuple(faults), opened_on)


def _what_it_corrects(refund: Row, candidates: list[str]) -> str:
    if len(candidates) == 1:
        return f"Correction of {candidates[0]}"
    of_how_many = f" ({len(candidates)} payments)" if candidates else ""
    return f"Correction in transaction {refund.transaction}{of_how_many}"


def _row(path: Path, line: int, row: dict[str, str]) -> Row | Fault:
    try:
        amount_minor = minor_of(row["amount"], CURRENCY)
    except AmountError as error:
        return Fault(_place(line, row), "amount", error.reason, str(error))
    if amount_minor == 0:
        why = "zero, and a payment moves something"
        return Fault(_place(line, row), "amount", reasons.INVALID_AMOUNT.code, why)
    try:
        file, number = _of(_FILE, row, "source_file"), _of(_LINE, row, "source_line")
        code = _of(_CODE, row, "expenditure_code")
        return Row(
            line=line,
            payment_id=f"oxford:{file}:{number}",
            other=(
                _SUPPLIER + _of(_SUPPLIER_ID, row, "supplier_id")
                if row["supplier_id"]
                else _SUSPENSE + code
            ),
            day=_day(row["paid_date"]),
            amount_minor=amount_minor,
            trans_no=row["trans_no"],
            transaction=_transaction(row["trans_no"]),
            unit=row["organisational_unit"],
            category=row["expenditure_category"],
            code=code,
        )
    except ValueError as error:
        raise SourceError(path, line, str(error)) from error


def _place(line: int, row: dict[str, str]) -> str:
    return f"row {line} ({row['source_file']}:{row['source_line']})"


def _of(form: re.Pattern[str], row: dict[str, str], column: str) -> str:
    if form.fullmatch(row[column]) is None:
        raise ValueError(f"{column} {row[column]!r} is not of the form {form.pattern}")
    return row[column]


def _transaction(trans_no: str) -> str:
    match = _TRANSACTION.fullmatch(trans_no)
    if match is None:
        raise ValueError(f"trans_no {trans_no!r} is not NUMBER_LINE or NUMBER - LINE")
    return match.group(1)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"paid_date {text!r} is not YYYY-MM-DD") from None
