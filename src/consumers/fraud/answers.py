"""The bodies that the API answers about reviews. `docs/openapi.json` is generated from them."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from consumers.fraud.cursor import cursor_of
from consumers.fraud.store import Review, Reviews
from ledger.contracts.commands import ScreeningReason


class ReviewAnswer(Struct, frozen=True, kw_only=True):
    """A recorded verdict that is not clear. `account` is the payer that stands out most."""

    id: str
    recorded_at: str
    payment: str
    account: str | UnsetType = UNSET
    model: str
    verdict: Literal["clear", "review", "block"]
    score_permille: int
    reasons: tuple[ScreeningReason, ...]


class ReviewsAnswer(Struct, frozen=True, kw_only=True):
    """A page of verdicts that are not clear, newest first.

    `next_cursor` leads to older ones, and is absent on the last page.
    """

    reviews: tuple[ReviewAnswer, ...]
    next_cursor: str | UnsetType = UNSET


def reviews_view(page: Reviews) -> ReviewsAnswer:
    """The answer that shows a page of reviews."""
    return ReviewsAnswer(
        reviews=tuple(map(_review, page.reviews)),
        next_cursor=cursor_of(page.next_key) if page.next_key else UNSET,
    )


def _review(review: Review) -> ReviewAnswer:
    event = review.event
    return ReviewAnswer(
        id=event.id,
        recorded_at=event.recorded_at,
        payment=event.payment,
        account=review.account if review.account is not None else UNSET,
        model=event.model,
        verdict=event.verdict,
        score_permille=event.score_permille,
        reasons=event.reasons,
    )
