"""What verbs show alike: what became of a command, the accounts after it, limits, metadata."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ledger.cli.output import Shown, fields, money, table
from ledger.client.answers import Accepted

Body = Mapping[str, Any]


def outcome(accepted: Accepted, done: str, *, again: str = "nothing changed") -> str:
    """What became of a command that does `done`: now, before, or not at all in a dry run."""
    if accepted.repeat:
        return f"{done} before: {again}"
    if accepted.dry_run:
        return f"would be {done}; a dry run: nothing happened"
    return done


def reply_shown(accepted: Accepted, facts: Iterable[tuple[str, str]]) -> list[Shown]:
    """`facts` of a reply, the id of its command, and the accounts after it."""
    return [
        fields((*facts, ("command", str(accepted.body["id"])))),
        *accounts_after(accepted.body),
    ]


def accounts_after(body: Body) -> list[Shown]:
    """The accounts that a command touched, as they are after it; nothing if it touched none."""
    if not body.get("accounts"):
        return []
    rows = (
        (
            _stripe_in_words(account),
            str(account["version"]),
            money(account["balance_minor"], account["currency"]),
            money(account["available_minor"], account["currency"]),
        )
        for account in body["accounts"]
    )
    columns = ("account after it", "version", "balance", "available")
    return ["", table(columns, rows, right="version balance available")]


def stripes_shown(body: Body) -> Iterator[tuple[str, str]]:
    """Over how many stripes an account is spread, if it is."""
    if body.get("stripes", 1) > 1:
        yield "stripes", str(body["stripes"])


def _stripe_in_words(account: Body) -> str:
    """The account, and of a striped one which stripe it is."""
    stripe = account.get("stripe")
    return account["id"] if stripe is None else f"{account['id']} stripe {stripe}"


def limits_in_words(limits: Body, currency: str) -> str:
    """The bounds of a balance, and of which balance if it is not the available one."""
    return ", ".join(
        f"{word} {_bound(limits, name, currency)}"
        for word, name in (("lowest", "min_balance"), ("highest", "max_balance"))
    )


def velocity_in_words(limit: Body) -> str:
    """A velocity limit: `daily-out: debits at most 1000.00 EUR and 10 payments a day`."""
    most = " and ".join(_most(limit))
    window = (
        f"in {limit['hours']} hours" if limit["window"] == "rolling" else f"a {limit['window']}"
    )
    return f"{limit['name']}: {limit['direction']} at most {most} {window}"


def status_in_words(account: Body) -> str:
    """Whether an account is open, and what of it is frozen: `frozen: debits`."""
    frozen = account.get("frozen")
    return f"{account['status']}: {frozen}" if frozen else str(account["status"])


def payments_in_words(count: int) -> str:
    """So many payments."""
    return f"{count} payment" + ("" if count == 1 else "s")


def in_words(texts: Mapping[str, object]) -> str:
    """Names and values as they are given on the command line."""
    return " ".join(f"{name}={value}" for name, value in texts.items()) or "none"


def _bound(limits: Body, name: str, currency: str) -> str:
    minor = limits[f"{name}_minor"]
    if minor is None:
        return "none"
    posted = limits.get(f"{name}_basis") == "posted"
    return money(minor, currency) + (" (posted)" if posted else "")


def _most(limit: Body) -> Iterator[str]:
    if limit.get("max_amount_minor") is not None:
        yield money(limit["max_amount_minor"], limit["currency"])
    if limit.get("max_count") is not None:
        yield payments_in_words(limit["max_count"])
