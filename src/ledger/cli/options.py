"""The options that several verbs share, each written once."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import typer

from ledger.cli.failures import DeclinedError, UsageError
from ledger.contracts.primitives import STRIPES_MAX, is_id

NONE: Final = "none"  # a balance without a bound

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Which ledger: a file that `ledger up` or `ledger connect` wrote. "
        "Else LEDGER_CONFIG, else .ledger/local.json (there while a stack is up here), else "
        ".ledger/config.json.",
        show_default=False,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON value on standard output, and nothing else there.")
]
IdOption = Annotated[
    str | None,
    typer.Option(
        "--id",
        help="The command's id: A-Z a-z 0-9 . _ : - up to 64. Run again with the same id, the "
        "command takes effect once. Made up and printed if left out, another in each run.",
        show_default=False,
    ),
]
EffectiveAtOption = Annotated[
    str | None,
    typer.Option(
        "--effective-at",
        metavar="INSTANT",
        help="When it takes effect: RFC 3339 with an offset, not before the accounts were opened. "
        "Now, if left out.",
        show_default=False,
    ),
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Only ask what it would do, with the balances after it. Nothing happens."
    ),
]
YesOption = Annotated[
    bool,
    typer.Option("--yes", help="Do not ask first; nobody is asked where there is no terminal."),
]
MetadataOption = Annotated[
    list[str] | None,
    typer.Option(
        "--metadata",
        metavar="KEY=VALUE",
        help="Text kept beside the money, changeable later. Repeatable.",
    ),
]
ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why, for the record: up to 140 characters.")
]
WhyOption = Annotated[
    str | None, typer.Option("--reason", help="Why, for the record: up to 140 characters.")
]
ReferenceOption = Annotated[
    str | None, typer.Option(help="Up to 64 characters, stored with the payment.")
]
DescriptionOption = Annotated[
    str | None, typer.Option(help="Up to 140 characters, stored with the payment.")
]
ExpiresAtOption = Annotated[
    str | None,
    typer.Option(
        "--expires-at",
        metavar="INSTANT",
        help="When what is still held is released by itself: RFC 3339 with an offset.",
        show_default=False,
    ),
]
StripeOption = Annotated[
    int | None,
    typer.Option(
        "--stripe",
        min=0,
        max=STRIPES_MAX - 1,
        help="Of a striped account: which stripe is meant. Default: the first.",
        show_default=False,
    ),
]
MinVersionOption = Annotated[
    int | None,
    typer.Option(
        "--min-version",
        min=1,
        help="Wait (a little) until this version of the account is projected.",
        show_default=False,
    ),
]


def minor_units(text: str | int) -> int:
    """An amount in minor units. Raises BadParameter: 5.00 must not be taken for 5."""
    if re.fullmatch(r"-?[0-9]{1,19}", str(text)) is None:
        raise typer.BadParameter(
            f"{text!r} is not an integer of minor units: 420 is 4.20 EUR, or 420 JPY"
        )
    return int(text)


def minor_units_or_none(text: str) -> str:
    """`text`, if it is an amount in minor units or the word none. Raises BadParameter."""
    if text != NONE:
        minor_units(text)
    return text


def limit_minor(text: str) -> int | None:
    """The bound of a balance that `minor_units_or_none` has passed: none is None."""
    return None if text == NONE else int(text)


def on_terminal() -> bool:
    """Whether somebody sits at standard input, who can be asked."""
    return sys.stdin.isatty()


def confirm(what: str, *, unasked: bool) -> None:
    """Asks on a terminal whether to go on with `what`, unless it is to go on unasked.

    A script has said what it wants, as with `discard`: where there is no terminal nobody is asked.
    Raises DeclinedError, and KeyboardInterrupt for Ctrl-C.
    """
    if unasked or not on_terminal():
        return
    try:
        going_on = typer.confirm(f"{what} Go on?", err=True)
    except typer.Abort:
        raise KeyboardInterrupt from None
    if not going_on:
        raise DeclinedError


def key_values(texts: Iterable[str]) -> dict[str, str]:
    """What KEY=VALUE, each once, says. Raises UsageError."""
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise UsageError(f"{text!r} is not KEY=VALUE")
        if key in found:
            raise UsageError(f"{key} is given twice")
        found[key] = value
    return found


def an_id(text: str) -> str:
    """`text`, an id to look up. Raises BadParameter: else a path would mean another route."""
    if not is_id(text):
        raise typer.BadParameter("an id is 1 to 64 characters of A-Z a-z 0-9 . _ : -")
    return text


AccountArgument = Annotated[str, typer.Argument(help="The account's id.", callback=an_id)]
