"""What every store of the fraud scorer does, in memory, on moto and on the emulator."""

from __future__ import annotations

from typing import Any

from consumers.fraud.features import Features, movements
from consumers.fraud.screening import Screening
from consumers.fraud.store import LOADED_AT_ONCE, FraudStore, Remembered, Review
from ledger.contracts.commands import ScreeningReason, ScreenPayment, screening_id
from tests.support.fraud import MONDAY, Ledger, instant, learned, recorded


def screening(payment: str, account: str = "ann", **fields: Any) -> Screening:
    """A verdict to be stored."""
    values: dict[str, Any] = {"verdict": "clear", "score_permille": 0, "reasons": ()}
    return Screening(
        account,
        ScreenPayment(
            v=1,
            id=screening_id(payment, "rules-1"),
            payment=payment,
            model="rules-1",
            **(values | fields),
        ),
    )


def features(count: int = 1) -> Features:
    """The features of an account that paid that often."""
    ledger = Ledger()
    for place in range(count):
        ledger.pay(("ann", f"payee-{place}", 100 + place), hour=MONDAY + place)
    return learned([movements(event)[0] for event in ledger.events])


def saved(store: FraudStore, account: str, count: int = 1) -> Remembered:
    """The account after somebody wrote it."""
    assert store.save(account, store.load([account])[account], features(count))
    return store.load([account])[account]


def test_what_was_saved_is_loaded(store: FraudStore) -> None:
    """Features come back as they were, a revision higher each time; the unknown is empty."""
    assert store.load(["ann"]) == {"ann": Remembered()}
    assert saved(store, "ann", 3) == Remembered(features(3), 1)
    assert saved(store, "ann", 5) == Remembered(features(5), 2)
    assert store.load(["bob", "ann"]) == {
        "bob": Remembered(),
        "ann": Remembered(features(5), 2),
    }


def test_a_stale_writer_writes_nothing(store: FraudStore) -> None:
    """An account that has moved on keeps what it has; another is in nobody's way."""
    stale = store.load(["ann", "bob"])
    saved(store, "ann")
    assert store.save("ann", stale["ann"], features(2)) is False
    assert store.save("bob", stale["bob"], features(2)) is True
    assert store.load(["ann", "bob"]) == {
        "ann": Remembered(features(), 1),
        "bob": Remembered(features(2), 1),
    }


def test_every_revision_but_the_present_one_is_stale(store: FraudStore) -> None:
    """Who read an older revision, or one that nobody wrote, is behind."""
    saved(store, "ann")
    older = store.load(["ann"])["ann"]
    saved(store, "ann", 2)
    assert store.save("ann", older, features(9)) is False
    assert store.save("ann", Remembered(Features(), 7), features(9)) is False
    assert store.load(["ann"])["ann"] == Remembered(features(2), 2)


def test_a_verdict_is_never_replaced(store: FraudStore) -> None:
    """The first verdict that was kept of a payment stands, and is what a second one finds."""
    first = screening(
        "p",
        verdict="block",
        score_permille=900,
        reasons=(
            ScreeningReason(code="amount_above_norm", value=9, norm=1, unit="minor"),
            ScreeningReason(code="odd", value=-1, norm=None, unit="seconds"),
        ),
    )
    assert store.screening("p") is None
    assert store.keep(first) == first
    assert store.keep(screening("p", "bob")) == first
    assert store.screening("p") == first
    assert store.keep(screening("q", "bob")) == screening("q", "bob")


def test_as_many_accounts_are_read_at_once_as_one_may_ask_for(store: FraudStore) -> None:
    """Each comes, whether it is there or not."""
    names = [f"account-{place}" for place in range(LOADED_AT_ONCE)]
    saved(store, names[7])
    found = store.load(names)
    assert list(found) == names
    assert found[names[7]] == Remembered(features(), 1)
    assert found[names[8]] == Remembered()


def test_reviews_are_listed_newest_first_page_by_page(store: FraudStore) -> None:
    """Every review once, whatever the page; one recorded twice is listed once; verdicts and
    features are not in the list."""
    assert store.reviews(None, 5).reviews == ()
    saved(store, "ann")
    store.keep(screening("p0", "bob"))
    wanted = [
        Review(
            recorded(f"p{place}", recorded_at=instant(MONDAY + place % 4)),
            "bob" if place % 2 else None,
        )
        for place in range(7)
    ]
    for review in (*wanted, *wanted[::-1]):
        store.add_review(review)
    for limit in (1, 3, 7, 100):
        found: list[Review] = []
        after = None
        while True:
            page = store.reviews(after, limit)
            assert len(page.reviews) <= limit
            found += page.reviews
            after = page.next_key
            if after is None:
                break
        assert len(found) == 7
        assert {review.event.id for review in found} == {each.event.id for each in wanted}
        times = [review.event.recorded_at for review in found]
        assert times == sorted(times, reverse=True)
        assert sorted(found, key=_payment) == sorted(wanted, key=_payment)
    assert store.screening("p0") == screening("p0", "bob")


def _payment(review: Review) -> str:
    return review.event.payment
