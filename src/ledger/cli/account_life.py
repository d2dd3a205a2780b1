"""The verbs for the life of an account after its opening: `freeze`, `unfreeze`, `close`,
`set-stripes`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from ledger.cli.connection import connection
from ledger.cli.failures import reporting
from ledger.cli.options import (
    AccountArgument,
    ConfigOption,
    DryRunOption,
    IdOption,
    JsonOption,
    ReasonOption,
    WhyOption,
    YesOption,
    confirm,
)
from ledger.cli.requests import given, submitted
from ledger.cli.showing import outcome, reply_shown, stripes_shown
from ledger.contracts.primitives import STRIPES_MAX


class Sides(StrEnum):
    """Which way money goes: out of the account's totals by debits, into them by credits."""

    DEBITS = "debits"
    CREDITS = "credits"
    BOTH = "both"


def freeze(
    account: AccountArgument,
    reason: ReasonOption,
    sides: Annotated[
        Sides,
        typer.Option(help="debits: no money leaves a customer's account; credits: none arrives."),
    ] = Sides.BOTH,
    *,
    id_: IdOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Freeze an account: debits, credits or both are refused from now on.

    `ledger freeze customers:42:wallet --sides debits --reason 'card reported stolen'`

    On top of what is frozen already. Holds may still be released, not captured.
    """
    terms = {"account": account, "sides": sides.value, "reason": reason}
    _change("account.freeze", terms, id_, config, dry_run=dry_run, as_json=as_json)


def unfreeze(
    account: AccountArgument,
    reason: ReasonOption,
    sides: Annotated[
        Sides, typer.Option(help="What may pass again; no more than your own freeze took away.")
    ],
    *,
    id_: IdOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let debits, credits or both of an account pass again.

    `ledger unfreeze customers:42:wallet --sides debits --reason 'card found'`

    Say which: what somebody else froze for another reason would pass as well.
    """
    terms = {"account": account, "sides": sides.value, "reason": reason}
    _change("account.unfreeze", terms, id_, config, dry_run=dry_run, as_json=as_json)


def close(
    account: AccountArgument,
    reason: ReasonOption,
    *,
    yes: YesOption = False,
    id_: IdOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close an account for ever: only at a balance of 0, with nothing pending.

    `ledger close customers:42:wallet --reason 'customer has left'`
    """
    with reporting(as_json):
        confirm(f"{account} will be closed for ever.", unasked=yes or dry_run)
    terms = {"account": account, "reason": reason}
    _change("account.close", terms, id_, config, dry_run=dry_run, as_json=as_json)


def set_stripes(
    account: AccountArgument,
    stripes: Annotated[
        int, typer.Argument(min=1, max=STRIPES_MAX, help="Over how many, from now on.")
    ],
    reason: WhyOption = None,
    *,
    id_: IdOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Spread an account over more stripes, or over fewer, while payments flow.

    `ledger set-stripes income:card-fees 16`

    Balance and limits stay what they are: those of all stripes together.
    """
    terms = {"account": account, "stripes": stripes, **given(reason=reason)}
    _change("account.set_stripes", terms, id_, config, dry_run=dry_run, as_json=as_json)


def _change(
    command_type: str,
    terms: dict[str, Any],
    id_: str | None,
    config: Path | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Sends the command of that type and `terms`, and shows what the account is then."""
    with reporting(as_json) as output:
        command = {"type": command_type, "v": 1, "id": id_ or str(uuid4()), **terms}
        accepted = submitted(connection(config), command, output, dry_run=dry_run)
        body = accepted.body
        facts = [("account", body["account"]), ("status", outcome(accepted, body["status"]))]
        if "frozen" in body:
            facts.append(("frozen now", body["frozen"]))
        facts += stripes_shown(body)
        if "reason" in body:
            facts.append(("reason", body["reason"]))
        output.result(body, *reply_shown(accepted, facts))
