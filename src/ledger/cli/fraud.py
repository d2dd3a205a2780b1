"""The verbs for fraud verdicts: `screening` and `reviews`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from ledger.cli.connection import connection
from ledger.cli.failures import reporting
from ledger.cli.options import ConfigOption, JsonOption, an_id
from ledger.cli.output import fields, money, table
from ledger.cli.requests import answered
from ledger.client.rest import LedgerApi

REVIEWS_LIMIT_MAX: Final = 10_000
_PAGE_MAX: Final = 100  # what the API gives at a time


def screening(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The payment's id.", callback=an_id)],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the fraud scorer's verdict on a payment, and what is usual beside each reason."""
    with reporting(as_json) as output:
        api = connection(config).api()
        body = answered(api.screening(id_)).body
        if not body["screenings"]:
            # A payment is screened a second or two after it was posted, and never if no customer
            # pays: both look the same here.
            output.result(body, f"{id_}: no verdict is recorded")
            return
        currency = currency_of_payment(answered(api.payment(id_)).body)
        shown: list[Any] = []
        for each in body["screenings"]:
            shown += [
                fields(
                    (
                        ("payment", body["payment"]),
                        ("verdict", each["verdict"]),
                        ("score", f"{each['score_permille']} of 1000"),
                        ("model", each["model"]),
                        ("recorded", each["recorded_at"]),
                    )
                ),
                "",
                table(
                    ("reason", "this payment", "usual"),
                    (reason_row(reason, currency) for reason in each["reasons"]),
                    right="usual",
                ),
            ]
        output.result(body, *shown)


def reviews(
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=REVIEWS_LIMIT_MAX, help="How many.")
    ] = 20,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the payments that the fraud scorer did not clear, newest first."""
    with reporting(as_json) as output:
        body = read_reviews(connection(config).api(), limit)
        rows = table(
            ("recorded", "verdict", "score", "payment", "account", "because of"),
            (
                (
                    each["recorded_at"][:19],
                    each["verdict"],
                    str(each["score_permille"]),
                    each["payment"],
                    each.get("account", ""),
                    ", ".join(reason["code"] for reason in each["reasons"]),
                )
                for each in body["reviews"]
            ),
            right="score",
        )
        more = "older ones: --limit" if "next_cursor" in body else ""
        output.result(body, rows if body["reviews"] else "every payment was cleared", more)


def read_reviews(api: LedgerApi, limit: int) -> dict[str, Any]:
    """The newest `limit` reviews, page by page, in the shape of one page. Raises RefusedError."""
    query: dict[str, str] = {}
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while len(found) < limit:  # ends: every page but the last has a review at least
        query["limit"] = str(min(_PAGE_MAX, limit - len(found)))
        page = answered(api.reviews(query)).body
        found += page["reviews"]
        cursor = {"next_cursor": page["next_cursor"]} if "next_cursor" in page else {}
        if not cursor or not page["reviews"]:
            break
        query["cursor"] = page["next_cursor"]
    return {"reviews": found, **cursor}


def currency_of_payment(payment: Mapping[str, Any]) -> str:
    """The currency of a payment, if it has but one."""
    currencies = {posting["currency"] for posting in payment["postings"]}
    return currencies.pop() if len(currencies) == 1 else ""


def reason_row(reason: Mapping[str, Any], currency: str) -> tuple[str, str, str]:
    """A reason's code, its figure and the norm, with units; amounts as money in `currency`."""
    norm = reason["norm"]
    return (
        reason["code"],
        _with_unit(reason["value"], reason["unit"], currency),
        "" if norm is None else _with_unit(norm, reason["unit"], currency),
    )


def _with_unit(value: int, unit: str, currency: str) -> str:
    return money(value, currency) if unit == "minor" and currency else f"{value} {unit}"
