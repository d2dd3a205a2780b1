"""What every event store tells of the holds that are due.

Inherited by `suite.EventStoreContract`.
"""

from __future__ import annotations

from random import Random
from typing import Final

import pytest

from ledger.application.ports import Due, EventStore, StateWrite, Transaction
from ledger.domain.states import PaymentState
from tests.support.subjects import at, hold, refusal_event, reversal

TEN: Final = "2026-11-21T10:00:00.000000Z"
ELEVEN: Final = "2026-11-21T11:00:00.000000Z"
TWELVE: Final = "2026-11-21T12:00:00.000000Z"
ENDED: Final = {
    "captured": hold("p", version=2, captured=[500], ended="capture", expires_at=TEN),
    "captured-in-part": hold("p", version=2, captured=[1], ended="capture", expires_at=TEN),
    "voided": hold("p", version=2, ended="void", expires_at=TEN),
    "expired": hold("p", version=2, ended="expiry", expires_at=TEN),
}


def replace(store: EventStore, state: PaymentState) -> None:
    """Commits the next version of a payment."""
    event = refusal_event(f"{state.id}:{state.version}")
    store.append(Transaction((event,), (StateWrite(state, at(state.version - 1)),)))
    assert store.load([state.key]).payments == {state.id: state}


def due(
    store: EventStore, now: str, *, account: str | None = None, limit: int = 100
) -> tuple[str, ...]:
    """The payments that are due."""
    return tuple(one.payment for one in store.due(now, account=account, limit=limit))


class DueContract:
    """`due`: open holds by the instant at which they expire, and nothing else."""

    def test_nothing_is_due_where_nothing_is_held(self, store: EventStore) -> None:
        """Neither in an empty store, nor for payments that are no open holds."""
        assert due(store, TWELVE) == ()
        store.restore(reversal("r", ("a", "b", 5), given_back=[2]))
        for ended in ENDED.values():
            store.restore(ended)
        assert due(store, TWELVE) == ()
        assert due(store, TWELVE, account="a") == ()

    def test_a_hold_is_due_from_its_expiry_on(self, store: EventStore) -> None:
        """Not a microsecond before."""
        store.restore(hold("p", expires_at=ELEVEN))
        assert due(store, "2026-11-21T10:59:59.999999Z") == ()
        assert store.due(ELEVEN, limit=1) == (Due("p", ELEVEN),)
        assert due(store, TWELVE) == ("p",)

    @pytest.mark.parametrize("ended", ENDED.values(), ids=ENDED)
    def test_a_hold_that_ended_is_not_due(self, store: EventStore, ended: PaymentState) -> None:
        """However it ended, it is gone from the index with the write that ended it."""
        replace(store, hold("p", expires_at=TEN))
        replace(store, hold("q", expires_at=TEN))
        assert due(store, TWELVE) == ("p", "q")
        replace(store, ended)
        assert due(store, TWELVE) == ("q",)

    def test_a_hold_that_goes_on_stays_due(self, store: EventStore) -> None:
        """After a capture of a part at its old time, after it was prolonged at its new one."""
        replace(store, hold("p", expires_at=TEN))
        replace(store, hold("p", version=2, captured=[1], expires_at=TEN))
        assert due(store, TEN) == ("p",)
        replace(store, hold("p", version=3, captured=[1], expires_at=TWELVE))
        assert due(store, ELEVEN) == ()
        assert due(store, TWELVE) == ("p",)

    def test_those_longest_due_come_first(self, store: EventStore) -> None:
        """Wherever the store keeps them: any number of them, in the order of their expiry."""
        minutes = list(range(40))
        Random(4).shuffle(minutes)
        for minute in minutes:
            store.restore(hold(f"p{minute}", expires_at=f"2026-11-21T10:{minute:02}:00.000000Z"))
        oldest = tuple(f"p{minute}" for minute in range(40))
        assert due(store, ELEVEN) == oldest
        assert due(store, "2026-11-21T10:24:59.999999Z") == oldest[:25]
        for limit in (1, 2, 7, 39, 40):
            assert due(store, ELEVEN, limit=limit) == oldest[:limit]
            assert due(store, ELEVEN, account="b", limit=limit) == oldest[:limit]

    def test_due_holds_of_one_account(self, store: EventStore) -> None:
        """On either side of any posting; not those of an account with a similar name."""
        store.restore(hold("p1", ("a", "b", 5), ("b", "c", 5), expires_at=ELEVEN))
        store.restore(hold("p2", ("ab", "abc", 5), expires_at=TEN))
        store.restore(hold("p3", ("d", "a", 5), expires_at=TEN))
        store.restore(hold("p4", ("a", "d", 5), expires_at=TWELVE))
        asked = {name: due(store, ELEVEN, account=name) for name in ("a", "b", "c", "ab")}
        assert asked == {"a": ("p3", "p1"), "b": ("p1",), "c": ("p1",), "ab": ("p2",)}
        assert due(store, ELEVEN, account="x") == ()
        assert due(store, ELEVEN, account="a", limit=1) == ("p3",)

    def test_a_hold_of_many_accounts(self, store: EventStore) -> None:
        """As many as a payment may have, with the longest ids: found by any of them."""
        names = [f"{index:0>64}" for index in range(90)]
        legs = [(source, to, 1) for source, to in zip(names[::2], names[1::2], strict=True)]
        store.restore(hold("Z" * 64, *legs, expires_at=TEN))
        for name in (names[0], names[45], names[89]):
            assert due(store, TEN, account=name) == ("Z" * 64,)
