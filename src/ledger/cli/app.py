"""The `ledger` command: its verbs, and where they are."""

from __future__ import annotations

import typer

from ledger.cli import (
    account_life,
    accounts,
    alerts,
    batch,
    books,
    connect,
    cost,
    dead_letters,
    environment,
    fraud,
    holds,
    limits,
    listings,
    load,
    metadata,
    payments,
    replaying,
    simulate,
    statement,
    templates,
    upkeep,
    verification,
    webhooks,
)
from ledger.cli.failures import EXIT_CODES
from ledger.cli.importing import command as importing
from ledger.cli.up import command
from ledger.cli.watching import command as watching

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
app.command("import")(importing.import_file)
app.command("open")(accounts.open_account)
app.command("limits")(limits.limits)
app.command("freeze")(account_life.freeze)
app.command("unfreeze")(account_life.unfreeze)
app.command("close")(account_life.close)
app.command("set-stripes")(account_life.set_stripes)
app.command("pay")(payments.pay)
app.command("authorize")(holds.authorize)
app.command("increase")(holds.increase)
app.command("capture")(holds.capture)
app.command("void")(holds.void)
app.command("reverse")(holds.reverse)
app.command("pay-template")(templates.pay_template)
app.add_typer(templates.app, name="templates")
app.command("batch")(batch.batch)
app.command("metadata")(metadata.metadata)
app.add_typer(books.app, name="books")
app.command("balance")(accounts.balance)
app.command("history")(accounts.history)
app.command("payment")(payments.payment)
app.command("payments")(listings.payments)
app.command("accounts")(listings.accounts)
app.command("alerts")(alerts.alerts)
app.command("watch")(watching.watch)
app.command("statement")(statement.statement)
app.command("screening")(fraud.screening)
app.command("reviews")(fraud.reviews)
app.command("verify")(verification.verify)
app.command("repair")(upkeep.repair)
app.command("replay")(replaying.replay)
app.command("rebuild-states")(upkeep.rebuild)
app.command("dead-letters")(dead_letters.dead_letters)
app.command("redrive")(dead_letters.redrive_letters)
app.command("discard")(dead_letters.discard_letters)
app.add_typer(webhooks.app, name="webhooks")
app.command("cost")(cost.cost)
app.command("simulate")(simulate.simulate)
app.command("connect")(connect.connect)
app.command("env")(environment.env)


def main() -> None:
    """The console script."""
    app()
