"""The store in memory, for tests, simulations and measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from consumers.fraud.codec import decoded, encoded
from consumers.fraud.features import Features
from consumers.fraud.screening import Screening
from consumers.fraud.store import (
    LOADED_AT_ONCE,
    Remembered,
    Review,
    ReviewKey,
    Reviews,
    review_key,
)


class MemoryFraudStore:
    """Like the table, without its errors. `saves` counts the writes of features."""

    def __init__(self) -> None:
        self._features: dict[str, tuple[bytes, int]] = {}
        self._screenings: dict[str, Screening] = {}
        self._reviews: dict[str, Review] = {}
        self.saves = 0

    def load(self, accounts: Sequence[str]) -> Mapping[str, Remembered]:
        if not 1 <= len(set(accounts)) == len(accounts) <= LOADED_AT_ONCE:
            raise ValueError(f"a request for {len(accounts)} accounts, or one of them twice")
        return {account: self._remembered(account) for account in accounts}

    def save(self, account: str, before: Remembered, after: Features) -> bool:
        if self._remembered(account).revision != before.revision:
            return False
        self._features[account] = encoded(after), before.revision + 1
        self.saves += 1
        return True

    def keep(self, screening: Screening) -> Screening:
        return self._screenings.setdefault(screening.command.payment, screening)

    def screening(self, payment: str) -> Screening | None:
        return self._screenings.get(payment)

    def add_review(self, review: Review) -> None:
        self._reviews[review_key(review.event)] = review

    def reviews(self, after: ReviewKey | None, limit: int) -> Reviews:
        keys = sorted(
            (ReviewKey(each.event.recorded_at, key) for key, each in self._reviews.items()),
            key=_order,
            reverse=True,
        )
        if after:
            keys = [key for key in keys if _order(key) < _order(after)]
        return Reviews(
            reviews=tuple(self._reviews[key.item] for key in keys[:limit]),
            next_key=keys[limit - 1] if len(keys) > limit else None,
        )

    def _remembered(self, account: str) -> Remembered:
        if account not in self._features:
            return Remembered()
        data, revision = self._features[account]
        return Remembered(decoded(data), revision)


def _order(key: ReviewKey) -> tuple[str, str]:
    return key.recorded_at, key.item
