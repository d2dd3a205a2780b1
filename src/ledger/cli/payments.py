"""The verbs for payments: `pay` and `payment`."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

import typer

from ledger.cli.connection import connection
from ledger.cli.failures import reporting
from ledger.cli.options import (
    ConfigOption,
    EffectiveAtOption,
    IdOption,
    JsonOption,
    an_id,
    minor_units,
)
from ledger.cli.output import Output, fields, money, table
from ledger.cli.requests import answered, given, submitted


def pay(
    source: Annotated[str, typer.Argument(help="The account that is debited.")],
    destination: Annotated[str, typer.Argument(help="The account that is credited.")],
    amount_minor: Annotated[
        int,
        typer.Argument(
            parser=minor_units,
            metavar="AMOUNT_MINOR",
            help="An integer of the currency's minor unit: 1250 is 12.50 EUR, 5 is 5 JPY.",
        ),
    ],
    currency: Annotated[str, typer.Argument(help="ISO 4217, such as EUR.")],
    *,
    id_: IdOption = None,
    reference: Annotated[
        str | None, typer.Option(help="Up to 64 characters, stored with the payment.")
    ] = None,
    description: Annotated[
        str | None, typer.Option(help="Up to 140 characters, stored with the payment.")
    ] = None,
    effective_at: EffectiveAtOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Post a payment of one posting.

    `ledger pay customers:0001:wallet merchants:EUR:coffee-1 420 EUR --reference espresso`
    """
    with reporting(as_json) as output:
        command = {
            "type": "payment.post",
            "v": 1,
            "id": id_ or str(uuid4()),
            "postings": [
                {
                    "source": source,
                    "destination": destination,
                    "amount_minor": amount_minor,
                    "currency": currency,
                }
            ],
            **given(reference=reference, description=description, effective_at=effective_at),
        }
        accepted = submitted(connection(config), command, output)
        show_payment(output, accepted.body, repeat=accepted.repeat)


def payment(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The payment's id.", callback=an_id)],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what was decided under a payment's id: posted, or rejected and why."""
    with reporting(as_json) as output:
        show_payment(output, answered(connection(config).api().payment(id_)).body)


def show_payment(output: Output, body: dict[str, Any], *, repeat: bool = False) -> None:
    """A payment as the API answers it."""
    status = body["status"] + (" before: nothing moved again" if repeat else "")
    facts = [("payment", body["id"]), ("status", status), ("recorded", body["recorded_at"])]
    facts += [
        (name, str(body[key]))
        for name, key in (
            ("effective", "effective_at"),
            ("reference", "reference"),
            ("description", "description"),
            ("reason", "reason"),
            ("field", "field"),
            ("retry", "retry"),
        )
        if key in body
    ]
    postings = table(
        ("debited", "credited", "amount"),
        (
            (p["source"], p["destination"], money(p["amount_minor"], p["currency"]))
            for p in body["postings"]
        ),
        right="amount",
    )
    output.result(body, fields(facts), "", postings, *_after(body))


def _after(body: dict[str, Any]) -> list[Any]:
    """The accounts after a posted payment, or the states that caused a rejection."""
    if "accounts" in body:
        rows = (
            (a["id"], str(a["version"]), money(a["balance_minor"], a["currency"]))
            for a in body["accounts"]
        )
        return [
            "",
            table(("account after it", "version", "balance"), rows, right="version balance"),
        ]
    causes = (
        (c["id"], str(c["version"]), ", ".join(f"{k} {v}" for k, v in c["values"].items()))
        for c in body.get("causes", [])
    )
    return ["", table(("because of account", "version", "values"), causes, right="version")]
