"""The verb `limits`: what an account's balance may be, and how fast money may pass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import uuid4

import typer

from ledger.cli.connection import connection
from ledger.cli.failures import UsageError, reporting
from ledger.cli.options import (
    AccountArgument,
    ConfigOption,
    DryRunOption,
    IdOption,
    JsonOption,
    limit_minor,
    minor_units_or_none,
)
from ledger.cli.output import Output, fields, money, table
from ledger.cli.requests import answered, given, refuse_without_change, submitted
from ledger.cli.showing import (
    limits_in_words,
    outcome,
    payments_in_words,
    reply_shown,
    status_in_words,
    stripes_shown,
    velocity_in_words,
)

_FORM: Final = "NAME:WINDOW:DIRECTION:AMOUNT:CURRENCY[:COUNT]"
_HOURS: Final = re.compile(r"([0-9]{1,3})h")


class Basis(StrEnum):
    """Which balance a bound holds for."""

    AVAILABLE = "available"
    POSTED = "posted"


def limits(
    account: AccountArgument,
    *,
    lowest: Annotated[
        str | None,
        typer.Option(
            "--min",
            "--min-balance-minor",
            parser=minor_units_or_none,
            metavar="MINOR|none",
            help="The lowest balance, in minor units: -50000 is an overdraft of 500.00 EUR.",
        ),
    ] = None,
    highest: Annotated[
        str | None,
        typer.Option(
            "--max",
            "--max-balance-minor",
            parser=minor_units_or_none,
            metavar="MINOR|none",
            help="The highest balance, in minor units.",
        ),
    ] = None,
    min_basis: Annotated[
        Basis | None,
        typer.Option(help="Whether what is held counts for the lowest: available, or posted."),
    ] = None,
    max_basis: Annotated[Basis | None, typer.Option(help="The same for the highest.")] = None,
    velocity: Annotated[
        list[str] | None,
        typer.Option(
            metavar=_FORM,
            help="The most in a window of time: WINDOW is day, week, month or hours as 24h, "
            "DIRECTION debits or credits; without AMOUNT only payments count. Repeatable, at most "
            "8; they take the place of all that there are.",
        ),
    ] = None,
    clear_velocity: Annotated[
        bool, typer.Option("--clear-velocity", help="No velocity limits any more.")
    ] = False,
    id_: IdOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the limits of an account with what is used of them, or change those that are given.

    `ledger limits customers:42:wallet --min -50000 --velocity daily-out:day:debits:100000:EUR:10`
    """
    with reporting(as_json) as output:
        if clear_velocity and velocity:
            raise UsageError("give --velocity, as often as you like, or else --clear-velocity")
        changes: dict[str, Any] = {
            **({} if lowest is None else {"min_balance_minor": limit_minor(lowest)}),
            **({} if highest is None else {"max_balance_minor": limit_minor(highest)}),
            **given(min_balance_basis=min_basis, max_balance_basis=max_basis),
        }
        if velocity or clear_velocity:
            changes["velocity"] = [_velocity(text) for text in velocity or ()]
        ledger = connection(config)
        if not changes:
            refuse_without_change(id_, dry_run=dry_run)
            _show(output, answered(ledger.api().limits(account)).body)
            return
        command = {
            "type": "account.set_limits",
            "v": 1,
            "id": id_ or str(uuid4()),
            "account": account,
            **changes,
        }
        accepted = submitted(ledger, command, output, dry_run=dry_run)
        body = accepted.body
        facts = (
            ("account", body["account"]),
            ("status", outcome(accepted, "set")),
            ("limits", limits_in_words(body, _currency(body))),
            *(("velocity", velocity_in_words(limit)) for limit in body["velocity"]),
        )
        output.result(body, *reply_shown(accepted, facts))


def _currency(body: Mapping[str, Any]) -> str:
    return str(body["currency"])


def _velocity(text: str) -> dict[str, Any]:
    """The limit that `text` says. Raises UsageError; the contracts judge its values."""
    parts = text.split(":")
    name, window, direction, amount, currency, count = [*parts, *[""] * 6][:6]
    if len(parts) not in {5, 6} or not (_is_count(amount) and _is_count(count)):
        raise UsageError(f"{text!r} is not {_FORM}, as daily-out:day:debits:100000:EUR:10")
    hours = _HOURS.fullmatch(window)
    return {
        "name": name,
        "window": "rolling" if hours else window,
        **({"hours": int(hours[1])} if hours else {}),
        "direction": direction,
        "currency": currency,
        **({"max_amount_minor": int(amount)} if amount else {}),
        **({"max_count": int(count)} if count else {}),
    }


def _is_count(text: str) -> bool:
    """Whether `text` is nothing or a number: 5.00 must not be taken for 5."""
    return re.fullmatch(r"[0-9]{0,19}", text) is not None


def _show(output: Output, body: Mapping[str, Any]) -> None:
    facts = [
        ("account", body["account"]),
        ("status", status_in_words(body)),
        ("limits", limits_in_words(body, _currency(body))),
        ("book", body["book"]),
        *stripes_shown(body),
        ("opened", body["opened_at"]),
        ("version", str(body["version"])),
    ]
    shown: list[Any] = [fields(facts)]
    if body["velocity"]:
        columns = ("velocity limit", "used", "left", "less is used from")
        shown += ["", table(columns, _used(body["velocity"]), right="used left")]
    output.result(body, *shown)


def _used(limits: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, str, str]]:
    for limit in limits:
        used, left = (", ".join(_spent(limit, word)) for word in ("used", "remaining"))
        yield velocity_in_words(limit), used, left, str(limit["resets_at"])


def _spent(limit: Mapping[str, Any], word: str) -> Iterator[str]:
    """What is used, or remains, of a limit's amount and of its count."""
    if limit.get("max_amount_minor") is not None:
        yield money(limit[f"{word}_amount_minor"], limit["currency"])
    if limit.get("max_count") is not None:
        yield payments_in_words(limit[f"{word}_count"])
