"""Answers about payments: made, moved on, and as they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from ledger.application.queries import PaymentLife
from ledger.contracts.commands import (
    AuthorizePayment,
    DeclaredRate,
    Posting,
    PostPayment,
    PostTemplate,
    ScreeningReason,
)
from ledger.contracts.events import (
    Cause,
    CommandRejected,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentEntry,
    PaymentEvent,
    PaymentIncreased,
    PaymentPosted,
    PaymentReversed,
    PaymentScreened,
    PaymentStatus,
    PaymentVoided,
    TemplateUse,
    payment_of,
)
from ledger.contracts.reasons import Retry
from ledger.domain.evolution import posted_state
from ledger.entrypoints.api.answers.base import (
    AccountAfter,
    CommandAnswer,
    Sending,
    accounts_after,
    answer_of,
)

_OPEN: Final = ("held", "partially_captured")
Moving = PaymentCaptured | PaymentIncreased | PaymentVoided | PaymentReversed


class PostedPayment(CommandAnswer, frozen=True, kw_only=True, tag="posted"):
    """The answer to `payment.post` and `payment.post_template`: a payment was posted."""

    effective_at: str
    postings: tuple[Posting, ...]
    reference: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    rates: tuple[DeclaredRate, ...] | UnsetType = UNSET
    template: TemplateUse | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    accounts: tuple[AccountAfter, ...]


class PaymentAfter(Struct, frozen=True, kw_only=True):
    """A payment after the command: its version and where in its life it was then.

    Amounts are minor units, one for each posting of the payment, in its order.
    """

    id: str
    version: int
    status: PaymentStatus
    authorized_minor: tuple[int, ...]
    held_minor: tuple[int, ...]
    captured_minor: tuple[int, ...]
    reversed_minor: tuple[int, ...]
    expires_at: str | UnsetType = UNSET


class MovedPayment(CommandAnswer, frozen=True, kw_only=True):
    """A hold or a payment that moved on: what was moved, held or released, and how it is then."""

    effective_at: str
    payment: PaymentAfter
    postings: tuple[Posting, ...]
    reference: str | UnsetType = UNSET
    accounts: tuple[AccountAfter, ...]


class AuthorizedPayment(MovedPayment, frozen=True, kw_only=True, tag="authorized"):
    """The answer to `payment.authorize`: `postings` are held."""

    over_capture_bps: int
    description: str | UnsetType = UNSET
    rates: tuple[DeclaredRate, ...] | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET


class CapturedPayment(MovedPayment, frozen=True, kw_only=True, tag="captured"):
    """The answer to `payment.capture`: `postings` were posted, and `released` are held no more."""

    released: tuple[Posting, ...]


class IncreasedPayment(MovedPayment, frozen=True, kw_only=True, tag="increased"):
    """The answer to `payment.increase`: `postings` are held as well, none if only for longer."""


class VoidedPayment(MovedPayment, frozen=True, kw_only=True, tag="voided"):
    """The answer to `payment.void`, and to the reversal of a hold: `postings` are held no more."""

    reason: str | UnsetType = UNSET


class ReversedPayment(MovedPayment, frozen=True, kw_only=True, tag="reversed"):
    """The answer to `payment.reverse`: `postings` were posted, the other way round."""

    reason: str | UnsetType = UNSET


class Payment(Struct, frozen=True, kw_only=True):
    """A payment as it is at `version`: posted, or a hold and what became of it.

    Amounts are minor units, one for each of `postings`, in their order. `accounts` are those that
    it touched, as they were when it was made.
    """

    id: str
    status: PaymentStatus
    version: int
    recorded_at: str
    effective_at: str
    event: str
    changed_at: str
    postings: tuple[Posting, ...]
    authorized_minor: tuple[int, ...]
    held_minor: tuple[int, ...]
    captured_minor: tuple[int, ...]
    reversed_minor: tuple[int, ...]
    expires_at: str | UnsetType = UNSET
    over_capture_bps: int | UnsetType = UNSET
    reference: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    rates: tuple[DeclaredRate, ...] | UnsetType = UNSET
    template: TemplateUse | UnsetType = UNSET
    metadata: dict[str, str]
    metadata_version: int
    accounts: tuple[AccountAfter, ...]


class RejectedPayment(Struct, frozen=True, kw_only=True):
    """A payment that was refused, for ever under this id, with the states that caused it."""

    id: str
    status: Literal["rejected"]
    recorded_at: str
    reason: str
    retry: Retry
    field: str | UnsetType = UNSET
    causes: tuple[Cause, ...]
    postings: tuple[Posting, ...]
    template: str | UnsetType = UNSET
    parameters: dict[str, int | str] | UnsetType = UNSET
    effective_at: str | UnsetType = UNSET
    reference: str | UnsetType = UNSET
    description: str | UnsetType = UNSET


class Screening(Struct, frozen=True, kw_only=True):
    """A fraud model's verdict on the payment, as recorded. Each reason has the payment's figure
    and, beside it, what is normal for its payer."""

    id: str
    recorded_at: str
    model: str
    verdict: Literal["clear", "review", "block"]
    score_permille: int
    reasons: tuple[ScreeningReason, ...]


class PaymentScreenings(Struct, frozen=True, kw_only=True):
    """The verdicts recorded on a payment, one a model: none before it is screened, a second or two
    after it was posted, and never one if it takes no money from a customer."""

    payment: str
    screenings: tuple[Screening, ...]


def posted(event: PaymentPosted, sending: Sending) -> PostedPayment:
    """The answer to a payment that was posted at once."""
    return answer_of(
        PostedPayment,
        event,
        sending,
        rates=event.rates or UNSET,
        accounts=accounts_after(event),
    )


def authorized(event: PaymentAuthorized, sending: Sending) -> AuthorizedPayment:
    """The answer to a hold."""
    return answer_of(
        AuthorizedPayment,
        event,
        sending,
        payment=_after(event, event.entry),
        rates=event.rates or UNSET,
        accounts=accounts_after(event),
    )


#: The answers to what is done to a payment later, by the event.
_KINDS: Final[dict[type, type[MovedPayment]]] = {
    PaymentIncreased: IncreasedPayment,
    PaymentVoided: VoidedPayment,
    PaymentReversed: ReversedPayment,
}


def moved(event: Moving, sending: Sending) -> MovedPayment:
    """The answer to what was done to a payment later."""
    own = {"payment": _after(event, event.entry), "accounts": accounts_after(event)}
    if isinstance(event, PaymentCaptured):
        released = event.postings if isinstance(event.released, UnsetType) else event.released
        return answer_of(CapturedPayment, event, sending, released=released, **own)
    return answer_of(_KINDS[type(event)], event, sending, **own)


def payment_now(life: PaymentLife) -> Payment | RejectedPayment:
    """A payment as it is, or why there is none."""
    made = life.made
    if isinstance(made, CommandRejected):
        return _rejected(made)
    if life.state is not None:
        state = life.state
    else:
        assert isinstance(made, PaymentPosted)  # a hold has a state from the beginning
        state = posted_state(made)
    given = {} if isinstance(made.metadata, UnsetType) else made.metadata
    return Payment(
        id=made.id,
        status=state.status,
        version=state.version,
        recorded_at=made.recorded_at,
        effective_at=made.effective_at,
        event=state.last_event,
        changed_at=state.recorded_at,
        postings=made.postings,
        authorized_minor=state.authorized_minor,
        held_minor=state.remaining_minor,
        captured_minor=state.captured_minor,
        reversed_minor=state.reversed_minor,
        expires_at=UNSET if state.expires_at is None else state.expires_at,
        over_capture_bps=UNSET if state.expires_at is None else state.over_capture_bps,
        reference=made.reference,
        description=made.description,
        rates=made.rates or UNSET,
        template=made.template if isinstance(made, PaymentPosted) else UNSET,
        metadata=life.metadata.metadata if life.metadata else given,
        metadata_version=life.metadata.version if life.metadata else 0,
        accounts=accounts_after(made),
    )


def screenings_now(payment: str, events: Iterable[PaymentScreened]) -> PaymentScreenings:
    """The verdicts on a payment."""
    found = tuple(
        Screening(
            id=event.id,
            recorded_at=event.recorded_at,
            model=event.model,
            verdict=event.verdict,
            score_permille=event.score_permille,
            reasons=event.reasons,
        )
        for event in events
    )
    return PaymentScreenings(payment=payment, screenings=found)


def _after(event: PaymentEvent, entry: PaymentEntry) -> PaymentAfter:
    amounts = (entry.authorized_minor, entry.captured_minor, entry.reversed_minor)
    nothing = (0,) * max(map(len, amounts))
    authorized_minor, captured_minor, reversed_minor = (each or nothing for each in amounts)
    pairs = zip(authorized_minor, captured_minor, strict=True)
    left = tuple(max(held - taken, 0) for held, taken in pairs)
    return PaymentAfter(
        id=payment_of(event),
        version=entry.version,
        status=entry.status,
        authorized_minor=authorized_minor,
        held_minor=left if entry.status in _OPEN else nothing,
        captured_minor=captured_minor,
        reversed_minor=reversed_minor,
        expires_at=entry.expires_at,
    )


def _rejected(event: CommandRejected) -> RejectedPayment:
    request = event.request
    assert isinstance(request, PostPayment | PostTemplate | AuthorizePayment)  # queries.payment
    rejected = RejectedPayment(
        status="rejected",
        id=event.id,
        recorded_at=event.recorded_at,
        reason=event.reason,
        retry=event.retry,
        field=event.field,
        causes=event.causes,
        postings=(),
        reference=request.reference,
        description=request.description,
    )
    match request:
        case PostPayment(postings=postings, effective_at=effective_at):
            return replace(rejected, postings=postings, effective_at=effective_at)
        case PostTemplate(template=name, parameters=given, effective_at=effective_at):
            return replace(rejected, template=name, parameters=given, effective_at=effective_at)
    return replace(rejected, postings=request.postings)
