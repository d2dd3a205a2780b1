"""From what the projections hold to what the query API answers: payments."""

from __future__ import annotations

from typing import Final

from msgspec import UNSET

from projections.payments.apply import Amounts, Origin, Payment, Progress, Status
from projections.payments.reading import Page
from projections.query.answers import PaymentAnswer, PaymentsAnswer, TemplateAnswer
from projections.query.cursor import PAYMENTS

_OPEN: Final = frozenset({"held", "partially_captured"})


def payments_view(status: Status, page: Page, scope: str, generation: int) -> PaymentsAnswer:
    """The answer that shows a page of the list `scope`, read from that generation."""
    return PaymentsAnswer(
        status=status,
        payments=tuple(
            payment_view(payment, payment.origin, payment.progress)
            for payment in page.payments
            if payment.origin and payment.progress  # as in the index of statuses
        ),
        next_cursor=(
            PAYMENTS.token_of(scope, generation, page.more_before.encode())
            if page.more_before
            else UNSET
        ),
    )


def payment_view(payment: Payment, origin: Origin, progress: Progress) -> PaymentAnswer:
    """The answer that shows a payment, of which these are the parts."""
    asked = tuple(posting.amount_minor for posting in origin.postings)
    authorized = _each(progress.authorized_minor, origin)
    captured = asked if _was_posted_only(progress) else _each(progress.captured_minor, origin)
    first = {} if origin.first_metadata is UNSET else origin.first_metadata
    return PaymentAnswer(
        id=payment.id,
        status=progress.status,
        version=progress.version,
        type=origin.type,
        recorded_at=origin.recorded_at,
        effective_at=origin.effective_at,
        event=progress.event,
        changed_at=progress.changed_at,
        postings=origin.postings,
        authorized_minor=authorized,
        held_minor=tuple(
            max(held - taken, 0) if progress.status in _OPEN else 0
            for held, taken in zip(authorized, captured, strict=True)
        ),
        captured_minor=captured,
        reversed_minor=_each(progress.reversed_minor, origin),
        over_capture_bps=origin.over_capture_bps,
        expires_at=progress.expires_at,
        rates=origin.rates or UNSET,
        reference=origin.reference,
        description=origin.description,
        template=(
            UNSET
            if origin.template is UNSET
            else TemplateAnswer(
                name=origin.template.name,
                version=origin.template.version,
                parameters=origin.template.parameters,
            )
        ),
        reason=origin.reason,
        retry=origin.retry,
        field=origin.field,
        metadata_version=payment.metadata.metadata_version if payment.metadata else 0,
        metadata=payment.metadata.metadata if payment.metadata else first,
    )


def _was_posted_only(progress: Progress) -> bool:
    """Whether it was posted at once and nothing has happened since: no amounts are stored then."""
    return progress.status == "posted" and not progress.captured_minor


def _each(amounts_minor: Amounts, origin: Origin) -> Amounts:
    """One amount for each posting; none stored are zeros."""
    return amounts_minor or (0,) * len(origin.postings)
