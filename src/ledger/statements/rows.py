"""Statements as CSV: a row for the opening balance, one for each posting, one for the closing."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Final

from ledger.contracts.currencies import decimal_text
from ledger.statements.statement import Statement

COLUMNS: Final = (
    "kind",
    "version",
    "booked_at",
    "effective_at",
    "type",
    "event",
    "payment",
    "counterparty",
    "debit",
    "credit",
    "balance",
    "currency",
    "reference",
    "description",
)


def csv_text(statement: Statement) -> str:
    """The statement, with the balance after each entry (in version order) in each of its rows. Of a
    striped account a version is written `<stripe>/<version>`, and the balance is the stripe's."""
    currency = statement.currency

    def written(minor: int) -> str:
        return decimal_text(minor, currency)

    text = StringIO()
    rows = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    rows.writeheader()
    period = statement.period
    opening = {"kind": "opening", "balance": written(statement.opening_minor)}
    closing = {"kind": "closing", "balance": written(statement.closing_minor)}
    rows.writerow(opening | {"booked_at": period.first, "currency": currency})
    for entry in statement.entries:
        for leg in entry.legs:
            rows.writerow(
                {
                    "kind": "entry",
                    "version": entry.place,
                    "booked_at": entry.booked_at,
                    "effective_at": entry.effective_at,
                    "type": entry.event_type,
                    "event": entry.event,
                    "payment": entry.payment,
                    "counterparty": leg.counterparty,
                    leg.side: written(leg.amount_minor),
                    "balance": written(entry.balance_minor),
                    "currency": currency,
                    "reference": entry.reference,
                    "description": entry.description,
                }
            )
    rows.writerow(closing | {"booked_at": period.last, "currency": currency})
    return text.getvalue()
