"""Payments that are posted at once, what is done to them later, and what is made of them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from ledger.contracts.commands.base import BaseCommand, Closed
from ledger.contracts.postings import Posting
from ledger.contracts.primitives import (
    POSTINGS_MAX,
    SCREENING_REASONS_MAX,
    AmountMinor,
    Description,
    Id,
    InstantText,
    MetadataMap,
    ReasonText,
    Reference,
    TemplateArguments,
    TemplateName,
    TemplateVersion,
)
from ledger.contracts.rates import RATES_MAX, DeclaredRate

Postings = Annotated[tuple[Posting, ...], Meta(min_length=1, max_length=POSTINGS_MAX)]
Rates = Annotated[tuple[DeclaredRate, ...], Meta(min_length=1, max_length=RATES_MAX)]


class PostPayment(BaseCommand, frozen=True, kw_only=True, tag="payment.post"):
    """Post a payment of 1 to 45 postings, all or nothing. Its id is the payment's id.

    Each posting is in one currency; `rates` declares what one of them was converted to another at,
    and a payment whose amounts are not that conversion is refused.
    """

    postings: Postings
    effective_at: InstantText | UnsetType = UNSET
    reference: Reference | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    rates: Rates | UnsetType = UNSET
    metadata: MetadataMap | UnsetType = UNSET


class PostTemplate(BaseCommand, frozen=True, kw_only=True, tag="payment.post_template"):
    """Post the payment that a template makes of `parameters`. Its id is the payment's id.

    The version is the template's newest if left out.
    """

    template: TemplateName
    template_version: TemplateVersion | UnsetType = UNSET
    parameters: TemplateArguments
    effective_at: InstantText | UnsetType = UNSET
    reference: Reference | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    metadata: MetadataMap | UnsetType = UNSET


class ReversePayment(BaseCommand, frozen=True, kw_only=True, tag="payment.reverse"):
    """Give back what a payment posted, or a part: never more in all than was posted.

    `amount_minor` counts what the payer gets back: of the postings with the first one's currency
    and source; all that is left if left out. All others are reversed in proportion
    (docs/reversals.md). The reversal of a hold of which nothing was captured is its void.
    """

    payment: Id
    amount_minor: AmountMinor | UnsetType = UNSET
    effective_at: InstantText | UnsetType = UNSET
    reason: ReasonText | UnsetType = UNSET
    reference: Reference | UnsetType = UNSET


class ScreeningReason(Closed, frozen=True, kw_only=True):
    """Why a payment stood out: a figure of it, and beside it what is normal for its payer."""

    code: Annotated[str, Meta(pattern="^[a-z][a-z_]{0,39}$")]
    value: int
    norm: int | None
    unit: Literal["minor", "payments", "permille", "seconds", "accounts"]


class ScreenPayment(BaseCommand, frozen=True, kw_only=True, tag="payment.screen"):
    """Record what a fraud model made of a payment. See `SYSTEM_COMMANDS`.

    Its id is `screening_id(payment, model)`: a model has one verdict on a payment, for ever.
    """

    payment: Id
    model: Annotated[str, Meta(pattern="^[a-z0-9.-]{1,16}$")]
    verdict: Literal["clear", "review", "block"]
    score_permille: Annotated[int, Meta(ge=0, le=1000)]
    reasons: Annotated[tuple[ScreeningReason, ...], Meta(max_length=SCREENING_REASONS_MAX)]
