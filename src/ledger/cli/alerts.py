"""The verb `alerts`: at which balances an account's subscribers are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import uuid4

import typer

from ledger.cli.connection import connection
from ledger.cli.failures import UsageError, reporting
from ledger.cli.options import ConfigOption, DryRunOption, IdOption, JsonOption, minor_units
from ledger.cli.output import fields, money
from ledger.cli.requests import answered, refuse_without_change, submitted
from ledger.cli.showing import outcome


def alerts(
    account: Annotated[str, typer.Argument(help="The account's id.")],
    *,
    below: Annotated[
        list[int] | None,
        typer.Option(
            parser=minor_units,
            metavar="MINOR",
            help="Tell when the balance falls below this, in minor units. Repeatable.",
        ),
    ] = None,
    above: Annotated[
        list[int] | None,
        typer.Option(
            parser=minor_units,
            metavar="MINOR",
            help="Tell when the balance rises above this, in minor units. Repeatable.",
        ),
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="No alerts any more.")] = False,
    id_: IdOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the balance alerts of an account, or set them, in place of those that it has.

    `ledger alerts customers:42:wallet --below 0 --below -40000 --above 1000000`

    Each payment that takes the posted balance across one is told of once, as `balance.alert`:
    see it with `ledger watch`. At most four.
    """
    with reporting(as_json) as output:
        wanted = [
            {"direction": direction, "threshold_minor": threshold}
            for direction, thresholds in (("below", below), ("above", above))
            for threshold in thresholds or ()
        ]
        if clear and wanted:
            raise UsageError("give --below or --above, as often as you like, or else --clear")
        ledger = connection(config)
        if not clear and not wanted:
            refuse_without_change(id_, dry_run=dry_run)
            now = answered(ledger.api().alerts(account)).body
            shown = (("account", now["account"]), ("alerts", _shown(now)))
            output.result(now, fields(shown))
            return
        command = {
            "type": "account.set_alerts",
            "v": 1,
            "id": id_ or str(uuid4()),
            "account": account,
            "alerts": wanted,
        }
        accepted = submitted(ledger, command, output, dry_run=dry_run)
        body = accepted.body
        output.result(
            body,
            fields(
                (
                    ("account", body["account"]),
                    ("status", outcome(accepted, "set")),
                    ("alerts", _shown(body)),
                    ("command", body["id"]),
                )
            ),
        )


def _shown(body: Mapping[str, Any]) -> str:
    return (
        ", ".join(
            f"{alert['direction']} {money(alert['threshold_minor'], body['currency'])}"
            for alert in body["alerts"]
        )
        or "none"
    )
