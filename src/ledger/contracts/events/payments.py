"""What happens to payments."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from ledger.contracts.commands import DeclaredRate, Posting, ScreeningReason
from ledger.contracts.events.base import (
    AccountEntry,
    BaseEvent,
    BookCheck,
    PaymentEntry,
    TemplateUse,
)


class PaymentPosted(BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="payment.posted"):
    """A payment was posted: version 1 of it. `accounts` are those touched, in order of appearance.

    `template` is there if it was made of one, `books` if it was back-dated.
    """

    postings: tuple[Posting, ...]
    accounts: tuple[AccountEntry, ...]
    reference: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    defaulted: tuple[str, ...] = ()
    rates: tuple[DeclaredRate, ...] = ()
    metadata: dict[str, str] | UnsetType = UNSET
    template: TemplateUse | UnsetType = UNSET
    books: tuple[BookCheck, ...] = ()


class PaymentAuthorized(
    BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="payment.authorized"
):
    """A payment is held: `postings` are pending on its accounts. Its id is the event's.

    `entry.expires_at` is when it ends by itself. Effective when recorded.
    """

    postings: tuple[Posting, ...]
    accounts: tuple[AccountEntry, ...]
    entry: PaymentEntry
    over_capture_bps: int = 0
    reference: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    defaulted: tuple[str, ...] = ()
    rates: tuple[DeclaredRate, ...] = ()
    metadata: dict[str, str] | UnsetType = UNSET


class PaymentCaptured(
    BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="payment.captured"
):
    """A hold was settled, or a part of it: `postings` were posted.

    They are no longer pending, or, if that differs (the last capture releases the rest; a capture
    beyond the hold has nothing pending for all of it), `released` is what no longer is.
    """

    payment: str
    postings: tuple[Posting, ...]
    released: tuple[Posting, ...] | UnsetType = UNSET
    accounts: tuple[AccountEntry, ...]
    entry: PaymentEntry
    amount_minor: int | UnsetType = UNSET
    final: bool | UnsetType = UNSET
    reference: str | UnsetType = UNSET
    defaulted: tuple[str, ...] = ()
    books: tuple[BookCheck, ...] = ()


class PaymentIncreased(
    BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="payment.increased"
):
    """A hold was increased by `postings`, or prolonged, or both. Effective when recorded."""

    payment: str
    postings: tuple[Posting, ...] = ()
    accounts: tuple[AccountEntry, ...] = ()
    entry: PaymentEntry
    amount_minor: int | UnsetType = UNSET
    expires_at: str | UnsetType = UNSET


class PaymentVoided(BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="payment.voided"):
    """A hold was given up: `postings` are no longer pending. Effective when recorded.

    `by` says what was asked for: the reversal of a hold is its void.
    """

    payment: str
    postings: tuple[Posting, ...]
    accounts: tuple[AccountEntry, ...]
    entry: PaymentEntry
    reason: str | UnsetType = UNSET
    by: Literal["payment.void", "payment.reverse"]
    reference: str | UnsetType = UNSET
    asked_effective_at: str | UnsetType = UNSET


class PaymentExpired(
    BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="payment.expired"
):
    """A hold was past its expiry: `postings` are no longer pending. Effective when recorded."""

    payment: str
    postings: tuple[Posting, ...]
    accounts: tuple[AccountEntry, ...]
    entry: PaymentEntry


class PaymentReversed(
    BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="payment.reversed"
):
    """What a payment had posted was given back, or a part: `postings` go the other way."""

    payment: str
    postings: tuple[Posting, ...]
    accounts: tuple[AccountEntry, ...]
    entry: PaymentEntry
    amount_minor: int | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    reference: str | UnsetType = UNSET
    defaulted: tuple[str, ...] = ()
    books: tuple[BookCheck, ...] = ()


class PaymentScreened(
    BaseEvent, frozen=True, kw_only=True, omit_defaults=True, tag="payment.screened"
):
    """A fraud model gave its verdict on a payment. It touches no account.

    `score_permille` runs from 0 to 1000; `reasons` say what it is made of, the weightiest first.
    """

    payment: str
    model: str
    verdict: Literal["clear", "review", "block"]
    score_permille: int
    reasons: tuple[ScreeningReason, ...]


ReleaseEvent = PaymentVoided | PaymentExpired
"""An event that ends a hold with nothing more posted."""

LaterPaymentEvent = PaymentCaptured | PaymentIncreased | ReleaseEvent | PaymentReversed
"""An event in the later life of the payment that it names."""

PaymentEvent = PaymentPosted | PaymentAuthorized | LaterPaymentEvent
"""An event that moves, holds or releases money."""
