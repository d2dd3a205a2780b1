"""The verbs for accounts: `open`, `balance` and `history`."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from ledger.cli.connection import connection
from ledger.cli.failures import RefusedError, UsageError, reporting
from ledger.cli.options import (
    AccountArgument,
    ConfigOption,
    DryRunOption,
    EffectiveAtOption,
    IdOption,
    JsonOption,
    MetadataOption,
    MinVersionOption,
    StripeOption,
    key_values,
    minor_units,
)
from ledger.cli.output import fields, money, table
from ledger.cli.requests import answered, given, submitted
from ledger.cli.showing import (
    in_words,
    limits_in_words,
    outcome,
    status_in_words,
    stripes_shown,
    velocity_in_words,
)
from ledger.client.rest import LedgerApi
from ledger.contracts.primitives import STRIPES_MAX
from ledger.importers.payments_csv import opening_id

HISTORY_LIMIT_MAX: Final = 10_000
_PAGE_MAX: Final = 100  # what the API gives at a time


class AccountKind(StrEnum):
    """The types of accounts, which say on which side a balance stands."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


def open_account(
    account: Annotated[str, typer.Argument(help="The new account's id.")],
    currency: Annotated[str, typer.Argument(help="ISO 4217, such as EUR.")],
    *,
    kind: Annotated[
        AccountKind,
        typer.Option(
            "--type", help="A customer's money is a liability of the bank, its cash an asset."
        ),
    ] = AccountKind.LIABILITY,
    min_balance_minor: Annotated[
        int | None,
        typer.Option(
            parser=minor_units,
            metavar="MINOR",
            help="The lowest balance, in minor units: 0 (no overdraft) if left out.",
        ),
    ] = None,
    unbounded: Annotated[
        bool, typer.Option("--unbounded", help="No lowest balance: it may be overdrawn at will.")
    ] = False,
    max_balance_minor: Annotated[
        int | None,
        typer.Option(
            parser=minor_units,
            metavar="MINOR",
            help="The highest balance, in minor units; none if left out.",
        ),
    ] = None,
    book: Annotated[
        str | None,
        typer.Option(help="The book whose closed periods hold for it: `main` if left out."),
    ] = None,
    stripes: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=STRIPES_MAX,
            help="Spread it over so many stripes, if it is to take more payments at the same time "
            "than one item can (some 60 a second one by one): docs/striped-accounts.md.",
        ),
    ] = None,
    metadata: MetadataOption = None,
    effective_at: EffectiveAtOption = None,
    id_: IdOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Open an account. Its command's id is `open:` and the account's id, unless you give another:
    to run it again is harmless, and so is an import that opens the same account.

    `ledger open customers:42:wallet EUR`
    """
    with reporting(as_json) as output:
        if unbounded and min_balance_minor is not None:
            raise UsageError("--unbounded and --min-balance-minor exclude each other")
        command = {
            "type": "account.open",
            "v": 1,
            "id": id_ or opening_id(account),
            "account": account,
            "currency": currency,
            "account_type": kind.value,
            **given(
                min_balance_minor=min_balance_minor,
                max_balance_minor=max_balance_minor,
                effective_at=effective_at,
                book=book,
                stripes=stripes,
                metadata=key_values(metadata) if metadata else None,
            ),
            **({"min_balance_minor": None} if unbounded else {}),
        }
        accepted = submitted(connection(config), command, output, dry_run=dry_run)
        body = accepted.body
        facts = [
            ("account", body["account"]),
            ("status", outcome(accepted, "opened")),
            ("currency", body["currency"]),
            ("type", body["account_type"]),
            ("limits", limits_in_words(body, body["currency"])),
            ("book", body["book"]),
            *stripes_shown(body),
            ("effective", body["effective_at"]),
        ]
        if body.get("metadata"):
            facts.append(("metadata", in_words(body["metadata"])))
        output.result(body, fields((*facts, ("command", body["id"]))))


def balance(
    account: AccountArgument,
    min_version: MinVersionOption = None,
    stripe: StripeOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an account's balances, as projected; `version` says up to which event."""
    with reporting(as_json) as output:
        asked = {"min_version": min_version, "stripe": stripe}
        query = {name: str(value) for name, value in asked.items() if value}
        body = answered(connection(config).api().account(account, query)).body
        currency = body["currency"]
        facts = [
            ("account", body["id"]),
            ("balance", money(body["balance_minor"], currency)),
            ("available", money(body["available_minor"], currency)),
            ("type", body["account_type"]),
            ("debits", money(body["debits_posted_minor"], currency)),
            ("credits", money(body["credits_posted_minor"], currency)),
            *_held(body, currency),
        ]
        if "limits" in body:
            facts += [
                ("status", status_in_words(body)),
                ("limits", limits_in_words(body["limits"], currency)),
                *(("velocity", velocity_in_words(one)) for one in body["limits"]["velocity"]),
                ("book", body["book"]),
                *stripes_shown(body),
            ]
        if body["metadata"]:
            facts.append(("metadata", in_words(body["metadata"])))
        facts += [
            ("version", str(body["version"])),
            ("last event", body["event"]),
            ("recorded", body["recorded_at"]),
        ]
        output.result(body, fields(facts), *_by_stripe(body, currency))


def _by_stripe(body: dict[str, Any], currency: str) -> Iterator[Any]:
    """The stripes of an account that has several."""
    if "by_stripe" in body:
        rows = (
            (str(one["stripe"]), str(one["version"]), money(one["balance_minor"], currency))
            for one in body["by_stripe"]
        )
        yield ""
        yield table(("stripe", "version", "balance"), rows, right="stripe version balance")


def history(
    account: AccountArgument,
    *,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=HISTORY_LIMIT_MAX, help="How many entries.")
    ] = 20,
    min_version: MinVersionOption = None,
    stripe: StripeOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what happened to an account, newest first, with the balance after each entry.

    Of a striped account each stripe has a history, with balances of its own.
    """
    with reporting(as_json) as output:
        body = read_history(connection(config).api(), account, limit, min_version, stripe)
        rows = table(
            ("version", "effective", "what", "event", "moved", "held", "balance", "reference"),
            (
                (
                    str(entry["version"]),
                    entry["effective_at"][:19],
                    entry["type"],
                    entry["event"],
                    _sides(entry, "debited_minor", "credited_minor"),
                    _sides(entry, "debits_pended_minor", "credits_pended_minor"),
                    money(entry["balance_minor"], entry["currency"]),
                    entry.get("reference", entry.get("reason", "")),
                )
                for entry in body["entries"]
            ),
            right="version moved held balance",
        )
        missing = body["version"] - body["complete_to"]
        complete = f"complete to version {body['complete_to']} of {body['version']}" + (
            "; `ledger repair` fills gaps that stay" if missing else ""
        )
        output.result(body, rows, "", complete)


def _held(body: dict[str, Any], currency: str) -> Iterator[tuple[str, str]]:
    """What is pending on the account, if anything is."""
    for name, key in (
        ("debits held", "debits_pending_minor"),
        ("credits held", "credits_pending_minor"),
    ):
        if body[key]:
            yield name, money(body[key], currency)


def read_history(
    api: LedgerApi,
    account: str,
    limit: int,
    min_version: int | None = None,
    stripe: int | None = None,
) -> dict[str, Any]:
    """The newest `limit` entries, page by page, in the shape of one page. Raises RefusedError."""
    asked = {"min_version": min_version, "stripe": stripe}
    query = {name: str(value) for name, value in asked.items() if value}
    body: dict[str, Any] = {}
    entries: list[Any] = []
    while len(entries) < limit:  # ends: every page but the last has an entry at least
        query["limit"] = str(min(_PAGE_MAX, limit - len(entries)))
        try:
            page = answered(api.history(account, query)).body
        except RefusedError as error:
            if "cursor" in query and error.refused.field == "cursor":
                # A replay has swapped the history: it is read anew, as the pages of two do not make
                # one. Ends: swaps are many seconds apart.
                return read_history(api, account, limit, min_version, stripe)
            raise
        body = body or page
        entries += page["entries"]
        if "next_cursor" not in page or not page["entries"]:
            body.pop("next_cursor", None)
            break
        body["next_cursor"] = query["cursor"] = page["next_cursor"]
    return body | {"entries": entries}


def _sides(entry: dict[str, Any], debit: str, credit: str) -> str:
    """An entry's amounts, as debit and credit: which of them raises the balance is the type's."""
    sides = ((entry[debit], "debit"), (entry[credit], "credit"))
    return ", ".join(f"{side} {money(minor, entry['currency'])}" for minor, side in sides if minor)
