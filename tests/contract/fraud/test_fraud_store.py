"""What every store of the fraud scorer does, in memory, on moto and on the emulator."""

from __future__ import annotations

from typing import Any

from consumers.fraud.features import Features, movements
from consumers.fraud.screening import Screening
from consumers.fraud.store import ACTIONS_MAX, FraudStore, Remembered, Review
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
    before = store.load([account])
    assert store.save(before, {account: features(count)}, [])
    return store.load([account])[account]


def test_what_was_saved_is_loaded(store: FraudStore) -> None:
    """Features come back as they were, a revision higher each time; the unknown is empty."""
    assert store.load(["ann"]) == {"ann": Remembered()}
    assert saved(store, "ann", 3) == Remembered(features(3), 1)
    assert saved(store, "ann", 5) == Remembered(features(5), 2)
    assert store.load(["bob", "ann", "bob"]) == {
        "bob": Remembered(),
        "ann": Remembered(features(5), 2),
    }


def test_a_stale_writer_writes_nothing(store: FraudStore) -> None:
    """One account that has moved on keeps the whole transaction from taking effect."""
    stale = store.load(["ann", "bob"])
    saved(store, "ann")
    after = {"ann": features(2), "bob": features(2)}
    assert store.save(stale, after, [screening("p")]) is False
    assert store.load(["bob"]) == {"bob": Remembered()}
    assert store.screening("p") is None
    fresh = store.load(["ann", "bob"])
    assert store.save(fresh, after, [screening("p")]) is True
    assert store.load(["ann", "bob"]) == {
        "ann": Remembered(features(2), 2),
        "bob": Remembered(features(2), 1),
    }


def test_every_revision_but_the_present_one_is_stale(store: FraudStore) -> None:
    """Who read an older revision, or one that nobody wrote, is behind."""
    saved(store, "ann")
    older = store.load(["ann"])
    saved(store, "ann", 2)
    assert store.save(older, {"ann": features(9)}, []) is False
    unwritten = {"ann": Remembered(Features(), 7)}
    assert store.save(unwritten, {"ann": features(9)}, []) is False
    assert store.load(["ann"])["ann"] == Remembered(features(2), 2)


def test_a_verdict_is_never_replaced(store: FraudStore) -> None:
    """The first verdict on a payment stands, and keeps what came with a second one out."""
    first = screening(
        "p",
        verdict="block",
        score_permille=900,
        reasons=(
            ScreeningReason(code="amount_above_norm", value=9, norm=1, unit="minor"),
            ScreeningReason(code="odd", value=-1, norm=None, unit="seconds"),
        ),
    )
    assert store.save(store.load(["ann"]), {"ann": features()}, [first])
    now = store.load(["ann"])
    assert store.save(now, {"ann": features(2)}, [screening("p", "bob")]) is False
    assert store.screening("p") == first
    assert store.load(["ann"]) == now


def test_a_transaction_may_be_full(store: FraudStore) -> None:
    """A hundred actions, a read of as many accounts, and one account more than a read takes."""
    names = [f"account-{place}" for place in range(ACTIONS_MAX - 1)]
    after = dict.fromkeys(names, features())
    assert store.save(store.load(names), after, [screening("p")])
    found = store.load([*names, "other", "another"])
    assert len(found) == ACTIONS_MAX + 1
    assert all(found[name] == Remembered(features(), 1) for name in names)


def test_reviews_are_listed_newest_first_page_by_page(store: FraudStore) -> None:
    """Every review once, whatever the page; one recorded twice is listed once; verdicts and
    features are not in the list."""
    assert store.reviews(None, 5).reviews == ()
    saved(store, "ann")
    assert store.save(store.load(["bob"]), {"bob": features()}, [screening("p0", "bob")])
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
