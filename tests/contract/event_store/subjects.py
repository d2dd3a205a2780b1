"""What every event store does with states of any kind: the same, but for what they hold.

Inherited by `suite.EventStoreContract`.
"""

from __future__ import annotations

from typing import Final

import msgspec
import pytest

from ledger.application.ports import (
    KEYS_A_LOAD_MAX,
    Appended,
    EventStore,
    Refused,
    StateCheck,
    StateWrite,
    Transaction,
)
from ledger.contracts.commands import ACTIONS_MAX
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.contracts.subjects import Key, account_key, payment_key, stripe_key
from ledger.contracts.velocity import VelocityLimit
from ledger.domain.accounts import HASH_BYTES, BrokenStateError
from ledger.domain.states import State, States, point_of
from ledger.domain.velocity import VelocityCounter
from tests.support.builders import state
from tests.support.subjects import at, book, hold, metadata, refusal_event, reversal, template

LONGEST: Final = "Z" * 64
FULL: Final = AMOUNT_MINOR_MAX
_ROLLING = VelocityLimit(
    name="burst", window="rolling", hours=24, direction="debits", currency="EUR", max_count=0
)
_MONTHLY = VelocityLimit(
    name="m" * 32, window="month", direction="credits", currency="EUR", max_amount_minor=FULL
)

#: Every kind with everything as large, and as empty, as it may be.
STATES: Final[dict[str, State]] = {
    "account-new": state(LONGEST, version=1, lowest=0, highest=None),
    "account-full": state(LONGEST, version=FULL, type="asset", debits=FULL, credits=FULL),
    "account-pending": state(LONGEST, type="expense", pending_debits=FULL, pending_credits=1),
    "account-closed": state(LONGEST, type="equity", status="closed", currency="JPY", highest=FULL),
    "account-frozen": state(LONGEST, status="frozen", frozen="debits"),
    "account-in-a-book": state(LONGEST, book="b", max_balance_basis="posted"),
    "account-limited": state(
        LONGEST,
        velocity=(_ROLLING, _MONTHLY),
        counters=(VelocityCounter(), VelocityCounter(24311, (5, 0, FULL), (1, 0, 9))),
    ),
    "account-striped": state(
        LONGEST, lowest=-FULL, stripes=1, stripes_made=32, floor_minor=-FULL, highest=FULL
    ),
    "stripe-last": state(
        LONGEST,
        highest=FULL,
        credits=FULL,
        frozen="both",
        stripe=31,
        stripes=32,
        stripes_made=32,
        ceiling_minor=FULL,
    ),
    "payment-held-on-stripes": msgspec.structs.replace(
        hold(LONGEST, ("a", LONGEST, 5)), stripes={"a": 31, LONGEST: 1}
    ),
    "payment-held": hold(LONGEST, ("a", "b", 5), ("b", "c", FULL, "JPY"), over_capture_bps=10_000),
    "payment-captured": hold(LONGEST, ("a", "b", FULL), captured=[FULL], ended="capture"),
    "payment-in-part": hold(LONGEST, ("a", "b", 5), ("a", "c", 6), version=2, captured=[5, 0]),
    "payment-expired": hold(LONGEST, version=FULL, ended="expiry"),
    "payment-reversed": reversal(LONGEST, ("a", "b", 5), ("b", "c", 9), given_back=[5, 0]),
    "book-open": book("b" * 40),
    "book-closed": book("main", version=FULL, closed_through="2026-10-31"),
    "template": template("t" * 40),
    "template-old": template("card_sale", version=300),
    "metadata": metadata(LONGEST, {"a": "", "z.9_-": 'Käufer "部屋" 🏠 \\u0041\n'}),
    "metadata-none": metadata(LONGEST, {}, version=FULL),
}
_Three = tuple[State, State, State]
#: Of each kind a state, the one that follows it, and one of another subject.
KINDS: Final[dict[str, _Three]] = {
    "account": (state("a", version=1), state("a", version=2, credits=9), state("b", version=1)),
    "stripe": tuple(  # type: ignore[dict-item]
        state(name, version=version, stripe=1, stripes=2, stripes_made=2)
        for name, version in (("a", 1), ("a", 2), ("b", 1))
    ),
    "payment": (hold("p"), hold("p", version=2, captured=[3]), hold("q")),
    "book": (book("n"), book("n", version=2, closed_through="2026-10-31"), book("m")),
    "template": (template("t"), template("t", version=2), template("s")),
    "metadata": (metadata("a", {"k": "1"}), metadata("a", {}, version=2), metadata("b", {})),
}


def commit(
    store: EventStore,
    id: str,
    *,
    writes: tuple[StateWrite, ...] = (),
    checks: tuple[StateCheck, ...] = (),
    absent: tuple[str, ...] = (),
) -> Appended | Refused:
    """A transaction of these and an event that changes nothing itself."""
    return store.append(Transaction((refusal_event(id),), writes, checks, absent))


class SubjectsContract:
    """Conditions on states of every kind, on events, and on all of them together."""

    @pytest.mark.parametrize("written", STATES.values(), ids=STATES)
    def test_any_state_is_read_back_as_written(self, store: EventStore, written: State) -> None:
        """Every field of every kind; by its key, and by a scan."""
        assert store.restore(written)
        assert list(store.load([written.key])) == [written]
        assert list(store.states()) == [written]

    def test_kinds_with_one_id_are_apart(self, store: EventStore) -> None:
        """Subjects of different kinds may have the same id; each is loaded as what it is."""
        states: list[State] = [
            state("x", stripes=2, stripes_made=2),
            state("x", stripe=1, stripes=2, stripes_made=2),
            hold("x"),
            book("x"),
            template("x"),
            metadata("x", {"k": "v"}),
        ]
        writes = tuple(StateWrite(one, at(0)) for one in states)
        assert commit(store, "e", writes=writes) == Appended()
        loaded = store.load([one.key for one in states])
        assert loaded == States.of(states)
        assert [loaded.get(one.key) for one in states] == states
        assert list(store.load([payment_key("y"), Key("book", "x")])) == [states[3]]
        assert list(store.load([stripe_key("x", 1), stripe_key("x", 2)])) == [states[1]]

    @pytest.mark.parametrize("three", KINDS.values(), ids=KINDS)
    def test_a_state_is_made_once_and_replaced_at_its_version(
        self, store: EventStore, three: _Three
    ) -> None:
        """A write that expects none, then one that expects the version that is there; repeated,
        each meets the newer state."""
        first, second, _ = three
        assert commit(store, "e1", writes=(StateWrite(first, at(0)),)) == Appended()
        assert commit(store, "e2", writes=(StateWrite(second, at(1)),)) == Appended()
        for expected in (0, 1):
            again = commit(store, "e3", writes=(StateWrite(second, at(expected)),))
            assert again == Refused(fresh={first.key: second})
        assert list(store.load([first.key])) == [second]
        assert store.event("e3") is None

    def test_a_version_may_be_the_first_that_is_stored(self, store: EventStore) -> None:
        """The first reversal of a payment writes version 2 of what had no state."""
        made = reversal("p", ("a", "b", 5), given_back=[2])
        assert commit(store, "e", writes=(StateWrite(made, at(0)),)) == Appended()
        assert store.load([made.key]).payments == {"p": made}

    @pytest.mark.parametrize("three", KINDS.values(), ids=KINDS)
    def test_a_check_holds_at_one_version_only(self, store: EventStore, three: _Three) -> None:
        """At the version that is stored, or while there is none; it changes nothing."""
        first, second, other = three
        assert commit(store, "e1", checks=(StateCheck(first.key, at(0)),)) == Appended()
        store.restore(first)
        for number, expected in enumerate((0, 2)):
            stale = commit(store, f"stale-{number}", checks=(StateCheck(first.key, at(expected)),))
            assert stale == Refused(fresh={first.key: first})
        assert commit(store, "e2", checks=(StateCheck(first.key, at(1)),)) == Appended()
        gone = commit(store, "e3", checks=(StateCheck(other.key, at(1)),))
        assert gone == Refused(fresh={other.key: None})
        store.restore(second)
        assert commit(store, "e4", checks=(StateCheck(first.key, at(1)),)) == Refused(
            fresh={first.key: second}
        )
        assert {event.id for event in store.events()} == {"e1", "e2"}

    @pytest.mark.parametrize("three", KINDS.values(), ids=KINDS)
    def test_a_version_of_another_history_is_refused(
        self, store: EventStore, three: _Three
    ) -> None:
        """Of the same number and with another hash: to be changed or to be checked, the state that
        is there comes back, and stays."""
        first, second, _ = three
        other = point_of(msgspec.structs.replace(first, hash=b"x" * HASH_BYTES))
        store.restore(first)
        refused = Refused(fresh={first.key: first})
        assert commit(store, "e1", writes=(StateWrite(second, other),)) == refused
        assert commit(store, "e2", checks=(StateCheck(first.key, other),)) == refused
        assert (list(store.events()), list(store.states())) == ([], [first])

    def test_an_absent_event_is_a_condition(self, store: EventStore) -> None:
        """A transaction that needs an id to be free is refused with the event that took it, and
        does not take it itself."""
        writes = (StateWrite(hold("p"), at(0)),)
        assert commit(store, "e1", absent=("taken", "free"), writes=writes) == Appended()
        assert store.event("taken") is None
        commit(store, "taken")
        taken = store.event("taken")
        assert taken is not None
        later = (StateWrite(hold("p", version=2), at(1)),)
        assert commit(store, "e2", absent=("free", "taken"), writes=later) == Refused(
            existing={"taken": taken}
        )
        assert store.event("e2") is None
        assert store.load([payment_key("p")]).payments == {"p": hold("p")}

    def test_every_condition_that_failed_is_told(self, store: EventStore) -> None:
        """Of events, absent ones, writes and checks of all kinds together exactly those that failed
        come back, each with what is there now."""
        stored: list[State] = [
            state("a", version=1),
            hold("p"),
            book("n", version=2),
            template("t", version=3),
            metadata("a", {"k": "v"}),
        ]
        for one in stored:
            store.restore(one)
        commit(store, "e2")
        commit(store, "x2")
        events = tuple(refusal_event(id_) for id_ in ("e1", "e2", "e3"))
        refused = store.append(
            Transaction(
                events,
                writes=(
                    StateWrite(state("a", version=2), at(1)),  # as expected
                    StateWrite(hold("p", version=3), at(2)),  # behind
                    StateWrite(book("new"), at(0)),
                    StateWrite(metadata("a", {}), at(0)),  # there already
                ),
                checks=(
                    StateCheck(Key("book", "n"), at(1)),  # has moved on
                    StateCheck(Key("template", "t"), at(3)),
                    StateCheck(account_key("gone"), at(4)),
                    StateCheck(account_key("never"), at(0)),
                ),
                absent=("x1", "x2"),
            )
        )
        existing = store.events_of(["e2", "x2"])
        assert refused == Refused(
            existing=existing,
            fresh={
                payment_key("p"): stored[1],
                Key("metadata", "account/a"): stored[4],
                Key("book", "n"): stored[2],
                account_key("gone"): None,
            },
        )
        assert {event.id for event in store.events()} == {"e2", "x2"}
        assert {one.key: one for one in store.states()} == {one.key: one for one in stored}

    def test_a_transaction_acts_once_on_each_thing(self, store: EventStore) -> None:
        """Not twice on a subject, nor on an event that is put and must be absent; and never on more
        than the limit, absent ones counted."""
        room = ACTIONS_MAX - 2
        for wrong in (
            {
                "writes": (StateWrite(hold("p"), at(0)),),
                "checks": (StateCheck(payment_key("p"), at(0)),),
            },
            {"absent": ("e",)},
            {"absent": ("x", "x")},
            {"absent": tuple(f"x{index}" for index in range(room + 2))},
        ):
            with pytest.raises(ValueError, match="transaction"):
                commit(store, "e", **wrong)
        full = tuple(f"x{index}" for index in range(room))
        checks = (StateCheck(payment_key("p"), at(0)),)
        assert commit(store, "e", absent=full, checks=checks) == Appended()

    def test_events_are_read_together(self, store: EventStore) -> None:
        """As many as the limit allows; what is not there is left out."""
        for id_ in ("e1", "e2", "e3"):
            commit(store, id_)
        names = ["e3", *[f"x{index}" for index in range(KEYS_A_LOAD_MAX - 2)], "e1"]
        assert store.events_of(names) == {id_: refusal_event(id_) for id_ in ("e1", "e3")}
        assert store.events_of(["x"]) == {}
        for wrong in ([], ["e1", "e1"], [f"x{index}" for index in range(KEYS_A_LOAD_MAX + 1)]):
            with pytest.raises(ValueError, match="a load names 1 to 100"):
                store.events_of(wrong)

    @pytest.mark.parametrize("three", KINDS.values(), ids=KINDS)
    def test_restore_writes_what_is_newer(self, store: EventStore, three: _Three) -> None:
        """Of every kind: over nothing and over an older state, not over the same version."""
        first, second, other = three
        assert store.restore(first)
        assert not store.restore(first)
        assert store.restore(second)
        assert not store.restore(first)
        assert store.restore(other)
        assert store.load([first.key, other.key]) == States.of([second, other])

    @pytest.mark.parametrize("three", KINDS.values(), ids=KINDS)
    def test_no_broken_state_is_written(self, store: EventStore, three: _Three) -> None:
        """Of any kind: it is refused before anything of its transaction takes effect."""
        first, second, other = three
        broken = msgspec.structs.replace(second, version=0)
        with pytest.raises(BrokenStateError, match=f"{first.key.kind} .*{first.id}"):
            commit(store, "e", writes=(StateWrite(other, at(0)), StateWrite(broken, at(1))))
        with pytest.raises(BrokenStateError):
            store.restore(broken)
        assert store.event("e") is None
        assert list(store.states()) == []
