"""From an event back to the command that made it, as it was sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from msgspec import UNSET, UnsetType

from ledger.contracts.commands import (
    AuthorizePayment,
    CapturePayment,
    CloseAccount,
    CloseBook,
    Command,
    DefineTemplate,
    ExpirePayment,
    FreezeAccount,
    IncreasePayment,
    OpenAccount,
    OpenBook,
    PostPayment,
    PostTemplate,
    ReopenBook,
    ReversePayment,
    ScreenPayment,
    SetAlerts,
    SetLimits,
    SetMetadata,
    SetStripes,
    UnfreezeAccount,
    VoidPayment,
)
from ledger.contracts.events.accounts import (
    AccountClosed,
    AccountFrozen,
    AccountOpened,
    AccountUnfrozen,
    AlertsSet,
    LimitsSet,
    MetadataSet,
    StripesSet,
)
from ledger.contracts.events.books import (
    BatchCommitted,
    BookClosed,
    BookOpened,
    BookReopened,
    CommandRejected,
    TemplateDefined,
)
from ledger.contracts.events.catalogue import Event
from ledger.contracts.events.payments import (
    PaymentAuthorized,
    PaymentCaptured,
    PaymentExpired,
    PaymentIncreased,
    PaymentPosted,
    PaymentReversed,
    PaymentScreened,
    PaymentVoided,
)

_T = TypeVar("_T")


def request_of(event: Event) -> Command | None:
    """The command that made the event, as it was sent: defaulted fields are UNSET again.

    None for an atomic batch: its commands' own events have the requests.
    """
    if isinstance(event, CommandRejected):
        return event.request
    if isinstance(event, BatchCommitted):
        return None
    return _REQUESTS[type(event)](event)


def _posted(event: PaymentPosted) -> PostPayment | PostTemplate:
    effective_at = _unless_defaulted(event, "effective_at", event.effective_at)
    if event.template is not UNSET:
        use = event.template
        return PostTemplate(
            v=1,
            id=event.id,
            template=use.name,
            template_version=use.version if use.pinned else UNSET,
            parameters=use.parameters,
            effective_at=effective_at,
            reference=event.reference,
            description=event.description,
            metadata=event.metadata,
        )
    return PostPayment(
        v=1,
        id=event.id,
        postings=event.postings,
        effective_at=effective_at,
        reference=event.reference,
        description=event.description,
        rates=event.rates or UNSET,
        metadata=event.metadata,
    )


def _opened(event: AccountOpened) -> OpenAccount:
    return OpenAccount(
        v=1,
        id=event.id,
        account=event.account,
        currency=event.currency,
        account_type=event.account_type,
        min_balance_minor=_unless_defaulted(event, "min_balance_minor", event.min_balance_minor),
        max_balance_minor=_unless_defaulted(event, "max_balance_minor", event.max_balance_minor),
        effective_at=_unless_defaulted(event, "effective_at", event.effective_at),
        book=event.book,
        metadata=event.metadata,
        stripes=UNSET if event.stripes == 1 else event.stripes,
    )


def _limits_set(event: LimitsSet) -> SetLimits:
    given = {name: getattr(event.profile, name) for name in event.given}
    return SetLimits(v=1, id=event.id, account=event.account, **given)


def _authorized(event: PaymentAuthorized) -> AuthorizePayment:
    assert event.entry.expires_at is not UNSET  # every hold has one
    return AuthorizePayment(
        v=1,
        id=event.id,
        postings=event.postings,
        expires_at=_unless_defaulted(event, "expires_at", event.entry.expires_at),
        over_capture_bps=event.over_capture_bps,
        reference=event.reference,
        description=event.description,
        rates=event.rates or UNSET,
        metadata=event.metadata,
    )


def _captured(event: PaymentCaptured) -> CapturePayment:
    return CapturePayment(
        v=1,
        id=event.id,
        payment=event.payment,
        amount_minor=event.amount_minor,
        final=event.final,
        effective_at=_unless_defaulted(event, "effective_at", event.effective_at),
        reference=event.reference,
    )


def _voided(event: PaymentVoided) -> VoidPayment | ReversePayment:
    if event.by == "payment.void":
        return VoidPayment(v=1, id=event.id, payment=event.payment, reason=event.reason)
    return ReversePayment(
        v=1,
        id=event.id,
        payment=event.payment,
        effective_at=event.asked_effective_at,
        reason=event.reason,
        reference=event.reference,
    )


def _reversed(event: PaymentReversed) -> ReversePayment:
    return ReversePayment(
        v=1,
        id=event.id,
        payment=event.payment,
        amount_minor=event.amount_minor,
        effective_at=_unless_defaulted(event, "effective_at", event.effective_at),
        reason=event.reason,
        reference=event.reference,
    )


def _expired(event: PaymentExpired) -> ExpirePayment:
    # What it made is the version after the one that was due.
    return ExpirePayment(v=1, id=event.id, payment=event.payment, version=event.entry.version - 1)


def _unless_defaulted(event: Any, name: str, value: _T) -> _T | UnsetType:
    return UNSET if name in event.defaulted else value


def _same_fields(command: type[Command]) -> Callable[[Any], Command]:
    """For a command whose fields its event has under the same names."""
    names = tuple(command.__struct_fields__)
    return lambda event: command(**{name: getattr(event, name) for name in names})


_REQUESTS: Final[dict[type[Event], Callable[[Any], Command]]] = {
    AccountClosed: _same_fields(CloseAccount),
    AccountFrozen: _same_fields(FreezeAccount),
    AccountOpened: _opened,
    AccountUnfrozen: _same_fields(UnfreezeAccount),
    AlertsSet: _same_fields(SetAlerts),
    BookClosed: _same_fields(CloseBook),
    BookOpened: _same_fields(OpenBook),
    BookReopened: _same_fields(ReopenBook),
    LimitsSet: _limits_set,
    MetadataSet: _same_fields(SetMetadata),
    PaymentAuthorized: _authorized,
    PaymentCaptured: _captured,
    PaymentExpired: _expired,
    PaymentIncreased: _same_fields(IncreasePayment),
    PaymentPosted: _posted,
    PaymentReversed: _reversed,
    PaymentScreened: _same_fields(ScreenPayment),
    PaymentVoided: _voided,
    StripesSet: _same_fields(SetStripes),
    TemplateDefined: _same_fields(DefineTemplate),
}
