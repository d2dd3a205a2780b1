"""The store in memory, for tests, simulations and measurements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from consumers.fraud.codec import decoded, encoded
from consumers.fraud.features import Features
from consumers.fraud.screening import Screening
from consumers.fraud.store import (
    ACTIONS_MAX,
    Remembered,
    Review,
    ReviewKey,
    Reviews,
    review_key,
)


class MemoryFraudStore:
    """Like the table, without its errors. `saves` counts the transactions that took effect."""

    def __init__(self) -> None:
        self._features: dict[str, tuple[bytes, int]] = {}
        self._screenings: dict[str, Screening] = {}
        self._reviews: dict[str, Review] = {}
        self.saves = 0

    def load(self, accounts: Iterable[str]) -> Mapping[str, Remembered]:
        return {account: self._remembered(account) for account in accounts}

    def save(
        self,
        before: Mapping[str, Remembered],
        features: Mapping[str, Features],
        screenings: Sequence[Screening],
    ) -> bool:
        added = {screening.command.payment: screening for screening in screenings}
        actions = len(features) + len(screenings)
        if not 1 <= actions <= ACTIONS_MAX or len(added) < len(screenings):
            raise ValueError(f"a transaction of {actions} actions, or two on one item")
        if any(self._remembered(name).revision != before[name].revision for name in features):
            return False
        if any(payment in self._screenings for payment in added):
            return False
        for name, after in features.items():
            self._features[name] = encoded(after), before[name].revision + 1
        self._screenings.update(added)
        self.saves += 1
        return True

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
