"""The options that several verbs share, each written once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from ledger.contracts.primitives import is_id

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
        "command takes effect once. Made up and printed if left out.",
        show_default=False,
    ),
]
EffectiveAtOption = Annotated[
    str | None,
    typer.Option(
        "--effective-at",
        metavar="INSTANT",
        help="When it takes effect: RFC 3339 with an offset. Now, if left out.",
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


def an_id(text: str) -> str:
    """`text`, an id to look up. Raises BadParameter: else a path would mean another route."""
    if not is_id(text):
        raise typer.BadParameter("an id is 1 to 64 characters of A-Z a-z 0-9 . _ : -")
    return text
