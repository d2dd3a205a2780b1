"""The `ledger` command: its verbs, and where they are."""

from __future__ import annotations

import typer

from ledger.cli import accounts, connect, load, payments, upkeep, verification
from ledger.cli.failures import EXIT_CODES
from ledger.cli.up import command

app = typer.Typer(
    name="ledger",
    help="An event-sourced transaction ledger, on this machine or on AWS.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.command("up")(command.up)
app.command("load")(load.load)
app.command("open")(accounts.open_account)
app.command("pay")(payments.pay)
app.command("balance")(accounts.balance)
app.command("history")(accounts.history)
app.command("payment")(payments.payment)
app.command("verify")(verification.verify)
app.command("repair")(upkeep.repair)
app.command("rebuild-states")(upkeep.rebuild)
app.command("connect")(connect.connect)


def main() -> None:
    """The console script."""
    app()
