"""Two-phase payments: money is held first, and captured, voided or expired later."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from ledger.contracts.commands.base import BaseCommand
from ledger.contracts.commands.payments import Postings, Rates
from ledger.contracts.primitives import (
    OVER_CAPTURE_BPS_MAX,
    AmountMinor,
    Description,
    Id,
    InstantText,
    MetadataMap,
    ReasonText,
    Reference,
)


class AuthorizePayment(BaseCommand, frozen=True, kw_only=True, tag="payment.authorize"):
    """Hold a payment of 1 to 45 postings: reserved at once, moved when captured.

    Its id is the payment's id. What is not captured by `expires_at` (7 days from now if left out,
    366 at most) is released by itself. Captures may pass the amount held by `over_capture_bps`
    hundredths of a percent (0 if left out), if there are funds for that then.
    """

    postings: Postings
    expires_at: InstantText | UnsetType = UNSET
    over_capture_bps: Annotated[int, Meta(ge=0, le=OVER_CAPTURE_BPS_MAX)] | UnsetType = UNSET
    reference: Reference | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    rates: Rates | UnsetType = UNSET
    metadata: MetadataMap | UnsetType = UNSET


class CapturePayment(BaseCommand, frozen=True, kw_only=True, tag="payment.capture"):
    """Settle all that a hold still has, or a part; what is left then stays held unless `final`.

    `amount_minor` counts what the payer gives: by the postings with the first one's currency and
    source. All others are captured in proportion (docs/holds.md).
    """

    payment: Id
    amount_minor: AmountMinor | UnsetType = UNSET
    final: bool | UnsetType = UNSET
    effective_at: InstantText | UnsetType = UNSET
    reference: Reference | UnsetType = UNSET


class IncreasePayment(BaseCommand, frozen=True, kw_only=True, tag="payment.increase"):
    """Hold more, or for longer, or both. The amount counts as that of a capture does."""

    payment: Id
    amount_minor: AmountMinor | UnsetType = UNSET
    expires_at: InstantText | UnsetType = UNSET


class VoidPayment(BaseCommand, frozen=True, kw_only=True, tag="payment.void"):
    """Release all that a hold still has."""

    payment: Id
    reason: ReasonText | UnsetType = UNSET


class ExpirePayment(BaseCommand, frozen=True, kw_only=True, tag="payment.expire"):
    """Release what a hold has at its expiry. See `SYSTEM_COMMANDS`.

    Its id is `expiry_id(payment, version)`: `version` is the one of the payment that is due.
    """

    payment: Id
    version: Annotated[int, Meta(ge=1)]
