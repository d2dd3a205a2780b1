"""The verbs for payments: `pay` and `payment`."""

from __future__ import annotations

from typing import Annotated
from uuid import uuid4

import typer

from ledger.cli.connection import connection
from ledger.cli.failures import reporting
from ledger.cli.options import (
    ConfigOption,
    DescriptionOption,
    DryRunOption,
    EffectiveAtOption,
    IdOption,
    JsonOption,
    MetadataOption,
    ReferenceOption,
    an_id,
    key_values,
)
from ledger.cli.payments_shown import show_command, show_payment
from ledger.cli.postings import PostingsArgument, RateOption, postings_of, rates_of
from ledger.cli.requests import answered, given, submitted


def pay(
    words: PostingsArgument,
    *,
    rate: RateOption = None,
    id_: IdOption = None,
    reference: ReferenceOption = None,
    description: DescriptionOption = None,
    metadata: MetadataOption = None,
    effective_at: EffectiveAtOption = None,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Post a payment, of one posting or of several.

    `ledger pay customers:0001:wallet merchants:EUR:coffee-1 420 EUR --reference espresso`
    """
    with reporting(as_json) as output:
        command = {
            "type": "payment.post",
            "v": 1,
            "id": id_ or str(uuid4()),
            "postings": postings_of(words),
            **given(
                rates=rates_of(rate),
                reference=reference,
                description=description,
                metadata=key_values(metadata) if metadata else None,
                effective_at=effective_at,
            ),
        }
        show_command(output, submitted(connection(config), command, output, dry_run=dry_run))


def payment(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The payment's id.", callback=an_id)],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a payment as it is now: posted, held, captured, given back; or rejected, and why."""
    with reporting(as_json) as output:
        show_payment(output, answered(connection(config).api().payment(id_)).body)
