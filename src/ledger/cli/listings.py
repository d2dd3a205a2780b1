"""The verbs that list: `payments` by their status, `accounts` under a path with their sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from ledger.cli.connection import connection
from ledger.cli.failures import RefusedError, reporting
from ledger.cli.options import ConfigOption, JsonOption
from ledger.cli.output import money, table
from ledger.cli.requests import answered, given
from ledger.client.answers import Reply

LIMIT_MAX: Final = 10_000
_PAGE_MAX: Final = 100  # what the API gives at a time
_RESTARTS_MAX: Final = 3  # a replay takes minutes: more in one reading is another trouble
#: What of a payment is worth a column, by its name in the answer.
_AMOUNTS: Final = {
    "held": "held_minor",
    "captured": "captured_minor",
    "given back": "reversed_minor",
}

LimitOption = Annotated[int, typer.Option("--limit", "-n", min=1, max=LIMIT_MAX, help="How many.")]


def payments(
    status: Annotated[
        str,
        typer.Option(
            help="held, partially_captured, captured, voided, expired, posted, partially_reversed, "
            "reversed or rejected."
        ),
    ],
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="INSTANT", help="Made then or later: RFC 3339."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="INSTANT", help="Made before: RFC 3339.")
    ] = None,
    limit: LimitOption = 20,
    *,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the payments in a status, as projected, those made last first.

    `ledger payments --status held`
    """
    with reporting(as_json) as output:
        query = given(**{"status": status, "from": since, "to": until})
        body = _pages(connection(config).api().payments, query, "payments", limit)
        rows = [
            (
                one["recorded_at"][:19],
                one["id"],
                _between(one["postings"]),
                *(_amounts(one, name) for name in _AMOUNTS.values()),
                one.get("reason", one.get("expires_at", "")[:19]),
            )
            for one in body["payments"]
        ]
        last = "because of" if status == "rejected" else "expires"
        columns = ("recorded", "payment", "postings", *_AMOUNTS, last)
        shown = table(columns, rows, right=" ".join(_AMOUNTS))
        more = "older ones: --limit" if "next_cursor" in body else ""
        output.result(body, shown if rows else f"no payment is {status}", more)


def accounts(
    under: Annotated[
        str,
        typer.Option(
            metavar="PATH", help="The beginning of their ids, two parts at least: customers:42."
        ),
    ],
    limit: LimitOption = 20,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the accounts at and under a path come to, and list them, as projected.

    `ledger accounts --under customers:42`
    """
    with reporting(as_json) as output:
        api = connection(config).api()
        body = _pages(api.accounts, {"under": under}, "accounts", limit)
        body["sums"] = _whole_sums(api.accounts, under, body["sums"])
        sums = table(
            ("currency", "type", "accounts", "balance", "available"),
            (
                (
                    one["currency"],
                    one["account_type"],
                    f"{one['accounts']:,}",
                    money(one["balance_minor"], one["currency"]),
                    money(one["available_minor"], one["currency"]),
                )
                for one in body["sums"]["by_currency_and_type"]
            ),
            right="accounts balance available",
        )
        rows = table(
            ("account", "type", "status", "balance", "available"),
            (
                (
                    one["id"],
                    one["account_type"],
                    one.get("status", ""),
                    money(one["balance_minor"], one["currency"]),
                    money(one["available_minor"], one["currency"]),
                )
                for one in body["accounts"]
            ),
            right="balance available",
        )
        more = "further ones: --limit" if "next_cursor" in body else ""
        if not body["accounts"]:
            output.result(body, f"no account is at or under {under}")
            return
        output.result(body, sums, "", rows, more)


def _pages(
    ask: Callable[[dict[str, str]], Reply], query: Mapping[str, str], name: str, limit: int
) -> dict[str, Any]:
    """The first `limit` of a list, page by page, in the shape of its first page.

    A list that was swapped by a replay between two pages is read anew. Raises RefusedError.
    """
    for restarts_left in range(_RESTARTS_MAX, -1, -1):
        try:
            return _joined(ask, query, name, limit)
        except RefusedError as error:
            if error.refused.field != "cursor" or not restarts_left:
                raise
    raise AssertionError("the last round returns or raises")


def _joined(
    ask: Callable[[dict[str, str]], Reply], query: Mapping[str, str], name: str, limit: int
) -> dict[str, Any]:
    asked = dict(query)
    body: dict[str, Any] = {}
    found: list[Any] = []
    while True:  # ends: pages lead on, and each cursor lies behind the one before
        asked["limit"] = str(min(_PAGE_MAX, limit - len(found)))
        page = answered(ask(asked)).body
        body = body or page
        found += page[name]
        cursor = page.get("next_cursor")
        if cursor is None or len(found) >= limit:
            break
        asked["cursor"] = cursor
    body |= {name: found}
    body.pop("next_cursor", None)
    return body | ({} if cursor is None else {"next_cursor": cursor})


def _whole_sums(
    ask: Callable[[dict[str, str]], Reply], under: str, sums: dict[str, Any]
) -> dict[str, Any]:
    """The sums over all accounts under a path, of which `sums` may be the first part."""
    parts = [sums]
    while not parts[-1]["complete"]:  # ends: each part lies behind the one before
        asked = {"under": under, "cursor": parts[-1]["next_cursor"]}
        parts.append(answered(ask(asked)).body["sums"])
    if len(parts) == 1:
        return sums
    rows = [row for part in parts for row in part["by_currency_and_type"]]
    return {
        "accounts": sum(part["accounts"] for part in parts),
        "complete": True,
        "by_currency_and_type": list(_added(rows)),
    }


def _added(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Sums of one currency and type added up, in text order."""
    groups: dict[tuple[str, str], Counter[str]] = {}
    for row in rows:
        figures = {name: value for name, value in row.items() if isinstance(value, int)}
        counter = groups.setdefault((row["currency"], row["account_type"]), Counter())
        for name, value in figures.items():
            counter[name] += value
    for (currency, account_type), counter in sorted(groups.items()):
        yield {"currency": currency, "account_type": account_type, **counter}


def _between(postings: list[Mapping[str, Any]]) -> str:
    """The first posting, and how many more."""
    if not postings:
        return ""
    first, more = postings[0], len(postings) - 1
    amount = money(first["amount_minor"], first["currency"])
    shown = f"{amount} {first['source']} -> {first['destination']}"
    return f"{shown} and {more} more" if more else shown


def _amounts(payment: Mapping[str, Any], name: str) -> str:
    """Of each posting that has one; nothing if none has."""
    amounts = [
        money(minor, posting["currency"])
        for minor, posting in zip(payment[name], payment["postings"], strict=True)
        if minor
    ]
    return ", ".join(amounts)
