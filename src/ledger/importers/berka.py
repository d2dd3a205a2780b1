"""A Czech bank's transactions of 1993 (PKDD'99 Discovery Challenge) as commands, in CZK.

The file's columns and the mapping of its rows:

| row | payment |
|---|---|
| VKLAD (cash in) | cash → account |
| VYBER (cash out, whatever its k_symbol but for the last three lines) | account → cash |
| VYBER KARTOU | account → card settlement |
| PREVOD Z UCTU | external `bank:account` → account |
| PREVOD NA UCET | account → external `bank:account` |
| UROK (interest) | bank interest → account |
| SLUZBY (fees) | account → bank fees |
| SANKC. UROK (penalty interest) | account → bank penalties |

`k_symbol` decides first (it is sometimes a blank), then `operation`. What the bank's running
balance moved beyond a row's amount, its `rounding`, is a second posting of the same payment, from
or to an account of its own. `trans_id` is the payment's id, the row's date its effective time, the
customer's account its ordering key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from ledger.contracts.commands import OpenAccount, Posting, PostPayment
from ledger.contracts.primitives import AccountType
from ledger.importers.data_sets import file_in, midnight, rows_of
from ledger.importers.instructions import (
    Instruction,
    Phase,
    Source,
    SourceError,
    instruction_of,
)

CURRENCY: Final = "CZK"
FILE_NAMES: Final = ("trans_1993.csv.gz", "trans_1993.csv")
COLUMNS: Final = (
    "replay_seq",
    "trans_id",
    "account_id",
    "date",
    "day_seq",
    "type",
    "operation",
    "amount",
    "balance",
    "k_symbol",
    "bank",
    "account",
    "rounding",
)
ROWS_MAX: Final = 1_100_000  # the whole of the bank's file, all years, has 1,056,320 rows

CASH: Final = "berka:bank:cash"
CARD_SETTLEMENT: Final = "berka:bank:card-settlement"
INTEREST: Final = "berka:bank:interest"
FEES: Final = "berka:bank:fees"
PENALTIES: Final = "berka:bank:penalties"
ROUNDING: Final = "berka:bank:rounding"
_BANK_ACCOUNTS: Final[dict[str, AccountType]] = {
    CASH: "asset",
    CARD_SETTLEMENT: "liability",
    INTEREST: "expense",
    FEES: "income",
    PENALTIES: "income",
    ROUNDING: "expense",
}
_BY_SYMBOL: Final = {"UROK": INTEREST, "SLUZBY": FEES, "SANKC. UROK": PENALTIES}
_BY_OPERATION: Final = {"VKLAD": CASH, "VYBER": CASH, "VYBER KARTOU": CARD_SETTLEMENT}
_TRANSFERS: Final = frozenset({"PREVOD Z UCTU", "PREVOD NA UCET"})
_INTO_ACCOUNT: Final = {"PRIJEM": True, "VYDAJ": False, "VYBER": False}
_DIRECTION: Final = {  # what must hold of `type` where another column says it, too
    "UROK": True,
    "SLUZBY": False,
    "SANKC. UROK": False,
    "VKLAD": True,
    "VYBER": False,
    "VYBER KARTOU": False,
    "PREVOD Z UCTU": True,
    "PREVOD NA UCET": False,
}

_MONEY = re.compile(r"(-?)(\d{1,12})\.(\d{2})")
_NUMBER = re.compile(r"\d{1,12}")
_BANK = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file, checked; money in hellers (1/100 CZK)."""

    line: int
    trans_id: str
    customer: str  # an account id of ours
    counterparty: str  # an account id of ours
    into_customer: bool
    day: date
    amount_minor: int
    rounding_minor: int
    balance_minor: int  # the bank's own running balance of the customer, after the row
    label: str

    @property
    def payment_id(self) -> str:
        """The id of the payment that the row becomes."""
        return f"berka:trans:{self.trans_id}"

    @property
    def others(self) -> tuple[str, ...]:
        """The accounts that the row touches beside the customer's."""
        return (self.counterparty, *((ROUNDING,) if self.rounding_minor else ()))


@dataclass(frozen=True, slots=True)
class Statement:
    """The rows to load; of the whole file, the lowest balance (≤ 0) that each customer has, and the
    day on which each account first occurs."""

    path: Path
    rows: tuple[Row, ...]
    lowest_minor: dict[str, int]
    opened_on: dict[str, date]

    def source(self) -> Source:
        """The accounts that the rows touch, then the rows as payments, in their order."""
        return Source(
            name=f"berka ({self.path.name})",
            phases=(
                Phase("accounts", tuple(map(self._instruction, self._openings()))),
                Phase(
                    "payments",
                    tuple(
                        instruction_of(
                            payment_of(row),
                            ordering_key=row.customer,
                            origin=f"{self.path.name}:{row.line}",
                        )
                        for row in self.rows
                    ),
                    ordered=True,
                ),
            ),
        )

    def _instruction(self, opening: OpenAccount) -> Instruction:
        return instruction_of(opening, ordering_key=opening.account, origin=self.path.name)

    def _openings(self) -> Iterator[OpenAccount]:
        """Each account once, effective on the earliest day of its rows (that is the opening day
        that the bank states, too), bank and external accounts without bounds."""
        first: dict[str, tuple[AccountType, int | None]] = {}
        for row in self.rows:
            first.setdefault(row.customer, ("liability", self.lowest_minor[row.customer]))
            for account in row.others:
                first.setdefault(account, (_BANK_ACCOUNTS.get(account, "liability"), None))
        for account, (account_type, lowest_minor) in first.items():
            yield OpenAccount(
                v=1,
                id=f"open:{account}",
                account=account,
                currency=CURRENCY,
                account_type=account_type,
                min_balance_minor=lowest_minor,
                effective_at=midnight(self.opened_on[account]),
            )


def read(directory: Path, *, rows_max: int | None = None) -> Statement:
    """The first `rows_max` rows (all, if None) of the file in `directory`.

    The whole file is read in any case, because floors are the lowest balances in all of it, and
    openings the first days: what is loaded first and what later then never differ. Raises
    SourceError.
    """
    path = file_in(directory, FILE_NAMES)
    rows: list[Row] = []
    lowest_minor: dict[str, int] = {}
    opened_on: dict[str, date] = {}
    seen: set[str] = set()
    lines = rows_of(path, COLUMNS, rows_max=ROWS_MAX)
    for row in (_row(path, *line, sequence) for sequence, line in enumerate(lines, start=1)):
        if row.trans_id in seen:
            raise SourceError(path, row.line, f"trans_id {row.trans_id} occurs twice")
        seen.add(row.trans_id)
        lowest_minor[row.customer] = min(lowest_minor.get(row.customer, 0), row.balance_minor)
        for account in (row.customer, *row.others):
            opened_on[account] = min(opened_on.get(account, row.day), row.day)
        if rows_max is None or len(rows) < rows_max:
            rows.append(row)
    if not rows:
        raise SourceError(path, None, "has no rows")
    return Statement(path, tuple(rows), lowest_minor, opened_on)


def payment_of(row: Row) -> PostPayment:
    """The payment that a row is; a rounding is its second posting."""
    postings = [_posting(row.counterparty, row.customer, row.amount_minor, into=row.into_customer)]
    if row.rounding_minor:
        size_minor = abs(row.rounding_minor)
        postings.append(_posting(ROUNDING, row.customer, size_minor, into=row.rounding_minor > 0))
    return PostPayment(
        v=1,
        id=row.payment_id,
        postings=tuple(postings),
        effective_at=midnight(row.day),
        reference=row.label,
    )


def _posting(other: str, customer: str, amount_minor: int, *, into: bool) -> Posting:
    source, destination = (other, customer) if into else (customer, other)
    return Posting(
        source=source, destination=destination, amount_minor=amount_minor, currency=CURRENCY
    )


def _row(path: Path, line: int, row: dict[str, str], sequence: int) -> Row:
    try:
        _refuse_out_of_sequence(row, sequence)
        counterparty, label = _counterparty(row)
        return Row(
            line=line,
            trans_id=_number(row, "trans_id"),
            customer=f"berka:account:{_number(row, 'account_id')}",
            counterparty=counterparty,
            into_customer=_INTO_ACCOUNT[row["type"]],
            day=_day(row["date"]),
            amount_minor=_positive(row, "amount"),
            rounding_minor=_minor(row, "rounding"),
            balance_minor=_minor(row, "balance"),
            label=label,
        )
    except ValueError as error:
        raise SourceError(path, line, str(error)) from error


def _refuse_out_of_sequence(row: dict[str, str], sequence: int) -> None:
    # A row that is missing or moved would change every running balance after it.
    if row["replay_seq"] != str(sequence):
        raise ValueError(f"replay_seq is {row['replay_seq']!r} where {sequence} must follow")


def _counterparty(row: dict[str, str]) -> tuple[str, str]:
    """The other account of the row's payment, and the column value that says what the row is."""
    into_account = _INTO_ACCOUNT.get(row["type"])
    if into_account is None:
        raise ValueError(f"type {row['type']!r} is none of {', '.join(_INTO_ACCOUNT)}")
    symbol, operation = row["k_symbol"].strip(), row["operation"]
    decided_by = symbol if symbol in _BY_SYMBOL else operation
    if decided_by not in _DIRECTION:
        raise ValueError(f"operation {operation!r} with k_symbol {symbol!r} is not known")
    if _DIRECTION[decided_by] != into_account:
        raise ValueError(f"{decided_by} contradicts type {row['type']}")
    label = symbol or operation
    if decided_by in _BY_SYMBOL:
        return _BY_SYMBOL[decided_by], label
    if decided_by in _TRANSFERS:
        return f"berka:external:{_bank(row)}:{_number(row, 'account')}", label
    return _BY_OPERATION[decided_by], label


def _bank(row: dict[str, str]) -> str:
    if _BANK.fullmatch(row["bank"]) is None:
        raise ValueError(f"bank {row['bank']!r} is not two capital letters")
    return row["bank"]


def _number(row: dict[str, str], column: str) -> str:
    if _NUMBER.fullmatch(row[column]) is None:
        raise ValueError(f"{column} {row[column]!r} is not a number of 1 to 12 digits")
    return row[column]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"date {text!r} is not YYYY-MM-DD") from None


def _positive(row: dict[str, str], column: str) -> int:
    minor = _minor(row, column)
    if minor <= 0:
        raise ValueError(f"{column} {row[column]!r} is not above zero")
    return minor


def _minor(row: dict[str, str], column: str) -> int:
    """Hellers of a decimal with two digits: read as text, never as a float."""
    match = _MONEY.fullmatch(row[column])
    if match is None:
        raise ValueError(f"{column} {row[column]!r} is not a decimal with two fraction digits")
    sign, whole, hundredths = match.groups()
    minor = int(whole + hundredths)
    return -minor if sign else minor
