"""The verb `statement`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from ledger.cli.connection import connection
from ledger.cli.failures import UsageError, reporting
from ledger.cli.options import AccountArgument, ConfigOption, JsonOption
from ledger.cli.output import Output, fields, money, table
from ledger.cli.requests import answered
from ledger.client.answers import Refused, Reply
from ledger.client.rest import LedgerApi
from ledger.statements.rows import csv_text
from ledger.statements.statement import (
    BrokenHistoryError,
    Leg,
    Period,
    Side,
    Statement,
    of_all_stripes,
    statement_of,
)

_PAGE_MAX: Final = 100  # what the API gives at a time
_RESTARTS_MAX: Final = 3  # a replay takes minutes: more in one reading is another trouble
#: In the place of the accounts behind those postings that history leaves out.
VARIOUS: Final = "various"
ENTRIES_MAX: Final = 200_000  # are read and kept: some 300 MB


class Format(StrEnum):
    """How a statement is written."""

    TABLE = "table"
    CSV = "csv"
    CAMT_053 = "camt.053"


class By(StrEnum):
    """The time by which an entry belongs to a day."""

    BOOKED = "booked"
    EFFECTIVE = "effective"


def statement(
    account: AccountArgument,
    *,
    first: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="The first day, in UTC: that of the account's first entry if left out.",
            show_default=False,
        ),
    ] = None,
    last: Annotated[
        datetime | None,
        typer.Option(
            "--to",
            formats=["%Y-%m-%d"],
            metavar="DATE",
            help="The last day, in UTC: today if left out.",
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        By,
        typer.Option(
            help="booked: when the ledger recorded it, which never changes; effective: when it "
            "took effect, which a payment may set back."
        ),
    ] = By.BOOKED,
    statement_format: Annotated[
        Format, typer.Option("--format", help="camt.053 is ISO 20022 (camt.053.001.08).")
    ] = Format.TABLE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write an account's statement: opening balance + entries = closing balance, always checked.

    `ledger statement customers:42:wallet --from 2026-01-01 --to 2026-01-31 --format camt.053`
    """
    with reporting(as_json) as output:
        if as_json and statement_format is not Format.TABLE:
            raise UsageError("--json is a format of its own: leave out --format")
        until = last.date() if last else datetime.now(UTC).date()
        since = first.date() if first else None
        if since is not None and since > until:
            raise UsageError("--from is behind --to")
        made = read_statement(connection(config).api(), account, since, until, by)
        _write(output, made, statement_format)


def read_statement(
    api: LedgerApi, account: str, since: date | None, until: date, by: By
) -> Statement:
    """The statement of whole days, from all pages of the history that it takes.

    Raises RefusedError, IncompleteHistoryError or BrokenHistoryError, or UnreachableError if the
    history does not reach the version that the balances have.
    """
    known = answered(api.account(account)).body
    back_to = since if by is By.BOOKED else None
    histories = [
        _history(api, account, one["version"], back_to, one["stripe"])
        for one in known.get("by_stripe", [{"stripe": 0, "version": known["version"]}])
    ]
    key = "recorded_at" if by is By.BOOKED else "effective_at"
    days = (date.fromisoformat(row[key][:10]) for history in histories for row in history)
    period = Period(min(since or min(days, default=until), until), until, by.value)
    legs = {
        row["event"]: _all_legs(api, account, row)
        for history in histories
        for row in history
        if row["legs_count"] > len(row["legs"]) and period.place_of(row[key]) == 0
    }
    return of_all_stripes(
        [
            statement_of(account, known["account_type"], history, period, legs)
            for history in histories
        ]
    )


def _history(
    api: LedgerApi, account: str, version: int, since: date | None, stripe: int
) -> list[dict[str, Any]]:
    """The entries of a stripe of an account, from the newest (`version` at least) to the first that
    was booked before `since`, or to the oldest.

    The newest is the one up to which the first page says that none is missing: one that has
    arrived before others below it is of a later statement.
    """
    query = {"limit": str(_PAGE_MAX), "min_version": str(version)}
    if stripe:
        query["stripe"] = str(stripe)
    rows: list[dict[str, Any]] = []
    restarts = complete_to = 0
    while True:  # ends: every page but the last has an entry at least, and they are bounded
        reply = api.history(account, query)
        if _is_of_an_older_history(reply) and restarts < _RESTARTS_MAX:
            restarts += 1
            rows.clear()
            del query["cursor"]
            continue
        page = answered(reply).body
        if "cursor" not in query:
            complete_to = page["complete_to"]
        rows += (row for row in page["entries"] if row["version"] <= complete_to)
        if len(rows) > ENTRIES_MAX:
            raise UsageError(f"more than {ENTRIES_MAX:,} entries: ask for a later --from")
        reached = since is not None and rows and rows[-1]["recorded_at"][:10] < str(since)
        if reached or "next_cursor" not in page or not page["entries"]:
            return rows
        query["cursor"] = page["next_cursor"]


def _is_of_an_older_history(reply: Reply) -> bool:
    """Whether the projection was rebuilt and swapped since the page before: its cursor is void."""
    return isinstance(reply, Refused) and reply.field == "cursor"


def _all_legs(api: LedgerApi, account: str, row: dict[str, Any]) -> tuple[Leg, ...]:
    """Every posting of an entry that touches the account; history shows the first ten.

    Of a capture or reversal no more is to be had: what the others come to is one leg a side.
    """
    if row["event"] != row["payment"]:
        return _legs_and_rest(row)
    postings = answered(api.payment(row["event"])).body.get("postings")
    if postings is None:
        raise BrokenHistoryError(f"{row['event']} is no posted payment")
    legs: list[Leg] = []
    for posting in postings:
        source, destination = posting["source"], posting["destination"]
        if source == account:
            legs.append(Leg("debit", posting["amount_minor"], destination))
        if destination == account:
            legs.append(Leg("credit", posting["amount_minor"], source))
    return tuple(legs)


def _legs_and_rest(row: dict[str, Any]) -> tuple[Leg, ...]:
    shown = [Leg(leg["side"], leg["amount_minor"], leg["counterparty"]) for leg in row["legs"]]
    rest = {"debit": row["debited_minor"], "credit": row["credited_minor"]}
    for leg in shown:
        rest[leg.side] -= leg.amount_minor
    sides: tuple[Side, ...] = ("debit", "credit")
    return (*shown, *(Leg(side, rest[side], VARIOUS) for side in sides if rest[side]))


def _write(output: Output, made: Statement, statement_format: Format) -> None:
    if statement_format is Format.CSV:
        output.document(csv_text(made))
    elif statement_format is Format.CAMT_053:
        # Not at the top: ISO's classes take as long to import as all the rest of the command.
        from ledger.statements.camt053 import camt053  # noqa: PLC0415

        output.document(camt053(made, datetime.now(UTC).isoformat(timespec="seconds")))
    else:
        output.result(_as_value(made), *_as_shown(made))


def _as_value(made: Statement) -> dict[str, Any]:
    value = asdict(made)
    period = value.pop("period")
    if not made.further_versions:  # nor does it name the stripes of its entries then
        del value["further_versions"]
        for entry in value["entries"]:
            del entry["stripe"]
    return {
        **value,
        "from": str(period["first"]),
        "to": str(period["last"]),
        "by": period["by"],
        "debited_minor": made.debited_minor,
        "credited_minor": made.credited_minor,
    }


def _as_shown(made: Statement) -> list[Any]:
    def shown(minor: int) -> str:
        return money(minor, made.currency) if minor else ""

    rows = (
        (
            entry.place,
            entry.booked_at[:19],
            entry.effective_at[:10],
            entry.event_type.rpartition(".")[2],
            entry.payment,
            ", ".join(dict.fromkeys(leg.counterparty for leg in entry.legs)),
            shown(entry.debited_minor),
            shown(entry.credited_minor),
            money(entry.balance_minor, made.currency),
        )
        for entry in made.entries
    )
    facts = (
        ("account", made.account),
        ("period", f"{made.period.first} to {made.period.last}, UTC, by {made.period.by} time"),
        ("opening", money(made.opening_minor, made.currency)),
    )
    columns = (
        *("version", "booked", "effective", "what", "payment"),
        *("with", "debit", "credit", "balance"),
    )
    totals = (
        ("debits", money(made.debited_minor, made.currency)),
        ("credits", money(made.credited_minor, made.currency)),
        ("closing", money(made.closing_minor, made.currency)),
        ("as of version", made.as_of),
    )
    entries = table(columns, rows, right="version debit credit balance")
    return [fields(facts), "", entries, "", fields(totals)]
