"""Golden checks: balances that the data itself states, against those that the ledger answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock
from typing import Final

from ledger.cli.accounts import HISTORY_LIMIT_MAX, read_history
from ledger.cli.feeding.lanes import Lanes
from ledger.cli.requests import answered
from ledger.client.rest import LedgerApi
from ledger.importers.berka import Row, Statement
from projections.balances.apply import Account

DIFFERING_KEPT: Final = 20


@dataclass(slots=True)
class Golden:
    """What was compared, and what differs (the first 20 of each)."""

    rows: int = 0
    customers: int = 0
    running: list[str] = field(default_factory=list)
    final: list[str] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, rows: int, running: list[str], final: list[str]) -> None:
        """Adds one customer's comparison."""
        with self._lock:
            self.rows += rows
            self.customers += 1
            self.running += running[: DIFFERING_KEPT - len(self.running)]
            self.final += final[: DIFFERING_KEPT - len(self.final)]


def compared(
    api: LedgerApi, statement: Statement, *, threads: int, advance: Callable[[int], None]
) -> Golden:
    """Compares the history of every customer row by row, and every final balance.

    Raises RefusedError if an account is not there, UnreachableError if the API does not answer.
    """
    golden = Golden()
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for row in statement.rows:
        rows[row.customer].append(row)

    def compare(customer: str) -> None:
        expected = rows[customer]
        running = _differing_rows(api, customer, expected)
        balance = answered(api.account(customer)).body["balance_minor"]
        last = expected[-1].balance_minor
        final = [f"{customer}: {balance} instead of {last}"] if balance != last else []
        golden.add(len(expected), running, final)
        advance(len(expected))

    Lanes(threads, compare).run(rows, key=lambda customer: customer)
    return golden


def differing_totals(accounts: Iterable[Account], expected_minor: Mapping[str, int]) -> list[str]:
    """The accounts whose projected balance is not the one that their source comes to (the first
    20), and those that are not there."""
    found = {account.id: account.whole.balance_minor for account in accounts}
    differing = (
        f"{account}: {found.get(account)} instead of {minor}"
        for account, minor in expected_minor.items()
        if found.get(account) != minor
    )
    return list(islice(differing, DIFFERING_KEPT))


def _differing_rows(api: LedgerApi, customer: str, expected: list[Row]) -> list[str]:
    entries = read_history(api, customer, HISTORY_LIMIT_MAX)["entries"]
    opening, *payments = reversed(entries)
    if opening["balance_minor"] != 0 or len(payments) != len(expected):
        return [f"{customer}: {len(payments)} payments instead of {len(expected)}"]
    return [
        f"{customer}: row {row.line}: {entry['event']} leaves {entry['balance_minor']} "
        f"instead of {row.balance_minor}"
        for entry, row in zip(payments, expected, strict=True)
        if (entry["event"], entry["balance_minor"]) != (row.payment_id, row.balance_minor)
    ]
