"""Our own CSV formats: payments, one a row, and accounts to open. `docs/importing.md` has both.

An amount is given as a decimal in major units (`amount`) or as an integer of minor units
(`amount_minor`); so are the bounds of an account's balance, where `none` is no bound.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

from msgspec import UNSET

from ledger.contracts import reasons
from ledger.contracts.commands import OpenAccount, PostPayment
from ledger.contracts.primitives import ID_LENGTH_MAX, is_id
from ledger.importers.amounts import AmountError, minor_of, positive_minor_of
from ledger.importers.csv_rows import CsvRow, csv_rows
from ledger.importers.effective_times import Times
from ledger.importers.instructions import Fault, SourceError, instruction_of
from ledger.importers.iso20022.accounts import as_mapped
from ledger.importers.payment_file import Found
from ledger.importers.requests import instant_of, opening, payment

PAYMENT_COLUMNS: Final = ("id", "source", "destination", "currency")
PAYMENT_COLUMNS_OPTIONAL: Final = (
    "amount",
    "amount_minor",
    "effective_at",
    "reference",
    "description",
)
ACCOUNT_COLUMNS: Final = ("account", "currency", "account_type")
ACCOUNT_COLUMNS_OPTIONAL: Final = (
    "id",
    "min_balance",
    "min_balance_minor",
    "max_balance",
    "max_balance_minor",
    "effective_at",
)
MAP_COLUMNS: Final = ("identification", "account")
NO_BOUND: Final = "none"

_J = TypeVar("_J", bound=OpenAccount | PostPayment)

_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class PaymentsCsv:
    """A file of payments."""

    path: Path
    times: Times

    def entries(self) -> Iterator[Found]:
        """Every row, read anew at each call. Raises SourceError."""
        rows = csv_rows(self.path, required=PAYMENT_COLUMNS, optional=PAYMENT_COLUMNS_OPTIONAL)
        for row in rows:
            command = (row,) if isinstance(row, Fault) else _payment_of(row, self.times)
            if isinstance(command, tuple):
                yield Found(None, command)
            else:
                source = command.postings[0].source
                yield Found(instruction_of(command, ordering_key=source, origin=row.place))


@dataclass(frozen=True, slots=True)
class AccountsCsv:
    """A file of accounts to open."""

    path: Path
    times: Times

    def entries(self) -> Iterator[Found]:
        """Every row, read anew at each call. Raises SourceError."""
        rows = csv_rows(self.path, required=ACCOUNT_COLUMNS, optional=ACCOUNT_COLUMNS_OPTIONAL)
        for row in rows:
            command = (row,) if isinstance(row, Fault) else _opening_of(row, self.times)
            if isinstance(command, tuple):
                yield Found(None, command)
            else:
                key = command.account
                yield Found(instruction_of(command, ordering_key=key, origin=row.place))

    def opened_at(self) -> dict[str, str | None]:
        """From when on each account is open that the file opens without a fault; None: from when
        the ledger decides it, as its row does not say. Raises SourceError."""
        rows = csv_rows(self.path, required=ACCOUNT_COLUMNS, optional=ACCOUNT_COLUMNS_OPTIONAL)
        found: dict[str, str | None] = {}
        for row in rows:
            command = (row,) if isinstance(row, Fault) else _opening_of(row, self.times)
            if not isinstance(command, tuple):
                effective_at = command.effective_at
                found[command.account] = None if effective_at is UNSET else effective_at
        return found


def opening_id(account: str) -> str:
    """The id of an account's opening if its row gives none: `open:` and the account, or, where
    that would be longer than an id, the first 40 hex digits of its SHA-256."""
    whole = f"open:{account}"
    if len(whole) <= ID_LENGTH_MAX:
        return whole
    return f"open:{sha256(account.encode()).hexdigest()[:40]}"


def account_map(path: Path) -> dict[str, str]:
    """A file that says which account of the ledger an outside identification (an IBAN) means.

    By `as_mapped`. Raises SourceError, also for one that is there twice.
    """
    found: dict[str, str] = {}
    for row in csv_rows(path, required=MAP_COLUMNS):
        if isinstance(row, Fault):
            raise SourceError(path, None, f"{row.place}: {row.why}")
        if len(row.values) != len(MAP_COLUMNS):
            raise SourceError(path, None, f"{row.place}: both values must be there")
        identification = as_mapped(row.values["identification"])
        if identification in found:
            raise SourceError(path, None, f"{row.place}: {identification} is there already")
        found[identification] = row.values["account"]
    return found


def _payment_of(row: CsvRow, times: Times) -> PostPayment | tuple[Fault, ...]:
    fields: dict[str, Any] = dict(row.values)
    faults: list[Fault] = []
    column = "amount" if "amount" in fields else "amount_minor"
    if not _take_amount(fields, "amount", row.place, faults, positive_minor_of):
        fields["amount_minor"] = 1  # so that the rest of the row is judged, too
        if not faults and "currency" in fields:
            why = "neither amount nor amount_minor is given"
            faults.append(Fault(row.place, "amount", reasons.MISSING_FIELD.code, why))
    _take_instant(fields)
    judged = payment(fields, place=row.place, columns={"amount_minor": column}, times=times)
    return _together(faults, judged)


def _opening_of(row: CsvRow, times: Times) -> OpenAccount | tuple[Fault, ...]:
    fields: dict[str, Any] = dict(row.values)
    faults: list[Fault] = []
    for column in ("min_balance", "max_balance"):
        _take_amount(fields, column, row.place, faults, _bound_of)
    _take_instant(fields)
    account = fields.get("account", "")
    # One that is no id has its own fault, and its opening's id need not have the same.
    fields.setdefault("id", opening_id(account if is_id(account) else ""))
    return _together(faults, opening(fields, place=row.place, columns={}, times=times))


def _take_amount(
    fields: dict[str, Any],
    column: str,
    place: str,
    faults: list[Fault],
    read: Callable[[str, str], int | None],
) -> bool:
    """Puts minor units into `fields` as `<column>_minor`, from either form. False: there are none,
    and `faults` says why unless none were given."""
    minor = f"{column}_minor"
    in_major, in_minor = fields.pop(column, None), fields.pop(minor, None)
    if in_major is not None and in_minor is not None:
        why = f"both {column} and {minor} are given"
        faults.append(Fault(place, column, reasons.INVALID_AMOUNT.code, why))
        return False
    if in_minor is not None:
        if in_minor != NO_BOUND and _INTEGER.fullmatch(in_minor) is None:
            why = "not an integer of ASCII digits"
            faults.append(Fault(place, minor, reasons.INVALID_AMOUNT.code, why))
            return False
        # `none` for an amount that must be there is text to the contracts, and refused as such.
        fields[minor] = None if in_minor == NO_BOUND else int(in_minor)
        return True
    if in_major is None:
        return False
    try:
        fields[minor] = read(in_major, fields.get("currency", ""))
    except AmountError as error:
        if error.reason == reasons.UNKNOWN_CURRENCY.code:
            fields[minor] = 1 if column == "amount" else None  # the contracts name the currency
            return True
        faults.append(Fault(place, column, error.reason, str(error)))
        return False
    return True


def _bound_of(text: str, currency: str) -> int | None:
    return None if text == NO_BOUND else minor_of(text, currency)


def _take_instant(fields: dict[str, Any]) -> None:
    if "effective_at" in fields:
        fields["effective_at"] = instant_of(fields["effective_at"])


def _together(faults: list[Fault], judged: _J | tuple[Fault, ...]) -> _J | tuple[Fault, ...]:
    if isinstance(judged, tuple):
        return (*faults, *judged)
    return tuple(faults) or judged
