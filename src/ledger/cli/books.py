"""The verbs for books: sets of accounts whose periods are closed together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from ledger.cli.connection import connection
from ledger.cli.failures import UsageError, reporting
from ledger.cli.options import (
    ConfigOption,
    DescriptionOption,
    DryRunOption,
    IdOption,
    JsonOption,
    ReasonOption,
    WhyOption,
    YesOption,
    confirm,
)
from ledger.cli.output import fields
from ledger.cli.requests import answered, given, submitted
from ledger.cli.showing import outcome
from ledger.contracts.primitives import MAIN_BOOK

app = typer.Typer(
    help="Books: sets of accounts whose periods are closed together.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

BookOption = Annotated[str, typer.Option("--book", help="Which book.")]


@app.command("open")
def open_book(
    book: Annotated[str, typer.Argument(help="Its name; `main` is there from the beginning.")],
    description: DescriptionOption = None,
    *,
    id_: IdOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a book, to open accounts in with `ledger open --book`."""
    terms = {"book": book, **given(description=description)}
    _change("book.open", terms, id_, config, dry_run=dry_run, as_json=as_json)


@app.command("close")
def close_book(
    through: Annotated[
        str, typer.Argument(metavar="DAY", help="The last day to close: YYYY-MM-DD, UTC.")
    ],
    book: BookOption = MAIN_BOOK,
    reason: WhyOption = None,
    *,
    yes: YesOption = False,
    id_: IdOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close a book through a day: nothing can be recorded as effective on or before it any more.

    `ledger books close 2026-10-31`

    The end of the day must lie 15 minutes back.
    """
    with reporting(as_json):
        confirm(f"Book {book} will be closed through {through}.", unasked=yes or dry_run)
    terms = {"through": through, **_other(book), **given(reason=reason)}
    _change("book.close", terms, id_, config, dry_run=dry_run, as_json=as_json)


@app.command("reopen")
def reopen_book(
    reason: ReasonOption,
    through: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="The last day that stays closed: YYYY-MM-DD, UTC."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="No day stays closed.")] = False,
    book: BookOption = MAIN_BOOK,
    *,
    id_: IdOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reopen what was closed after a day, or all of it.

    `ledger books reopen --through 2026-09-30 --reason 'invoice of October found'`
    """
    with reporting(as_json):
        if everything == (through is not None):
            raise UsageError("give --through DAY, or else --all")
    terms = {"through": through, "reason": reason, **_other(book)}
    _change("book.reopen", terms, id_, config, dry_run=dry_run, as_json=as_json)


@app.command("show")
def show_book(
    book: Annotated[str, typer.Argument(help="Its name.")] = MAIN_BOOK,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show through which day a book is closed."""
    with reporting(as_json) as output:
        body = answered(connection(config).api().book(book)).body
        output.result(
            body,
            fields(
                (
                    ("book", body["book"]),
                    ("closed through", body["closed_through"] or "no day"),
                    ("version", str(body["version"])),
                )
            ),
        )


def _other(book: str) -> dict[str, str]:
    """The book, if it must be named."""
    return {} if book == MAIN_BOOK else {"book": book}


def _change(
    command_type: str,
    terms: dict[str, Any],
    id_: str | None,
    config: Path | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Sends the command of that type and `terms`, and shows what became of the book."""
    with reporting(as_json) as output:
        command = {"type": command_type, "v": 1, "id": id_ or str(uuid4()), **terms}
        accepted = submitted(connection(config), command, output, dry_run=dry_run)
        body = accepted.body
        facts = [
            ("book", body["book"]),
            ("status", outcome(accepted, body["status"].removeprefix("book_"))),
        ]
        if "through" in body:
            facts.append(("closed through", body["through"] or "no day"))
        facts += [("version", str(body["version"])), ("command", body["id"])]
        output.result(body, fields(facts))
