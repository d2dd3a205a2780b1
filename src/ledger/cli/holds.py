"""The verbs for holds and reversals: `authorize`, `capture`, `increase`, `void`, `reverse`."""

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
    EffectiveAtOption,
    ExpiresAtOption,
    IdOption,
    JsonOption,
    MetadataOption,
    ReferenceOption,
    WhyOption,
    an_id,
    key_values,
    minor_units,
)
from ledger.cli.payments_shown import show_command
from ledger.cli.postings import PostingsArgument, RateOption, postings_of, rates_of
from ledger.cli.requests import given, submitted

PaymentArgument = Annotated[
    str, typer.Argument(metavar="PAYMENT", help="The payment's id.", callback=an_id)
]
PartArgument = Annotated[
    int | None,
    typer.Argument(
        parser=minor_units,
        metavar="AMOUNT_MINOR",
        help="How much of what the payer gives, in minor units: all that is left, if left out. The "
        "other postings follow in proportion.",
        show_default=False,
    ),
]


def authorize(
    words: PostingsArgument,
    *,
    expires_at: ExpiresAtOption = None,
    over_capture_bps: Annotated[
        int | None,
        typer.Option(
            help="How far captures may pass the amount held, in hundredths of a percent: 1500 is "
            "15 %. Not at all, if left out.",
            show_default=False,
        ),
    ] = None,
    rate: RateOption = None,
    id_: IdOption = None,
    reference: ReferenceOption = None,
    description: DescriptionOption = None,
    metadata: MetadataOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold a payment: its money is reserved now, and moves when it is captured.

    `ledger authorize customers:42:wallet hotels:lakeside 30000 EUR --id booking-77`

    What is not captured in 7 days, or by --expires-at, is released by itself.
    """
    with reporting(as_json) as output:
        command = {
            "type": "payment.authorize",
            "v": 1,
            "id": id_ or str(uuid4()),
            "postings": postings_of(words),
            **given(
                expires_at=expires_at,
                over_capture_bps=over_capture_bps,
                rates=rates_of(rate),
                reference=reference,
                description=description,
                metadata=key_values(metadata) if metadata else None,
            ),
        }
        show_command(output, submitted(connection(config), command, output, dry_run=dry_run))


def capture(
    payment: PaymentArgument,
    amount_minor: PartArgument = None,
    *,
    final: Annotated[
        bool, typer.Option("--final", help="Release what this leaves of the hold.")
    ] = False,
    effective_at: EffectiveAtOption = None,
    reference: ReferenceOption = None,
    id_: IdOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Settle what is held, or a part of it; the rest stays held unless --final.

    `ledger capture booking-77 25000 --id checkout-77`
    """
    terms = given(
        amount_minor=amount_minor,
        final=final or None,
        effective_at=effective_at,
        reference=reference,
    )
    _send("payment.capture", payment, terms, id_, config, dry_run=dry_run, as_json=as_json)


def increase(
    payment: PaymentArgument,
    amount_minor: Annotated[
        int | None,
        typer.Argument(
            parser=minor_units,
            metavar="AMOUNT_MINOR",
            help="How much more of what the payer gives, in minor units.",
            show_default=False,
        ),
    ] = None,
    *,
    expires_at: ExpiresAtOption = None,
    id_: IdOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold more of a payment, or for longer, or both.

    `ledger increase booking-77 5000`
    """
    terms = given(amount_minor=amount_minor, expires_at=expires_at)
    with reporting(as_json):
        if not terms:
            raise UsageError("give an amount, or --expires-at, or both")
    _send("payment.increase", payment, terms, id_, config, dry_run=dry_run, as_json=as_json)


def void(
    payment: PaymentArgument,
    reason: WhyOption = None,
    *,
    id_: IdOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Release all that a payment still holds.

    `ledger void booking-77 --reason 'guest cancelled'`
    """
    terms = given(reason=reason)
    _send("payment.void", payment, terms, id_, config, dry_run=dry_run, as_json=as_json)


def reverse(
    payment: PaymentArgument,
    amount_minor: PartArgument = None,
    *,
    reason: WhyOption = None,
    effective_at: EffectiveAtOption = None,
    reference: ReferenceOption = None,
    id_: IdOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give back what a payment posted, or a part: never more in all than was posted.

    `ledger reverse coffee-1 200 --reason 'cold coffee' --id refund-1`

    The reversal of a hold of which nothing was captured is its void.
    """
    terms = given(
        amount_minor=amount_minor, reason=reason, effective_at=effective_at, reference=reference
    )
    _send("payment.reverse", payment, terms, id_, config, dry_run=dry_run, as_json=as_json)


def _send(
    command_type: str,
    payment: str,
    terms: dict[str, Any],
    id_: str | None,
    config: Path | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Sends a command about a payment, and shows what it moved and how the payment is then."""
    with reporting(as_json) as output:
        command = {
            "type": command_type,
            "v": 1,
            "id": id_ or str(uuid4()),
            "payment": payment,
            **terms,
        }
        show_command(output, submitted(connection(config), command, output, dry_run=dry_run))
