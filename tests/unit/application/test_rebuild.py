"""`ledger rebuild-states`: exactly the states, from the events alone, and only what is newer."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.application.history_of_events import arranged
from ledger.application.rebuild import Rebuilt, folded, rebuild_states
from ledger.contracts.events import UnknownEventError
from ledger.contracts.subjects import Key, account_key
from ledger.domain.accounts import BrokenStateError
from ledger.domain.chain import StoredEvent
from ledger.domain.states import States
from tests.support.builders import paying
from tests.support.stores import OpenStore
from tests.support.tampering import (
    Body,
    edit_event,
    edited,
    entry_of,
    forge_event,
    rich_ledger,
    small_ledger,
)
from tests.support.worlds import accepted_by, commands_on, states_of


@given(st.permutations(list(rich_ledger().events())))
def test_states_are_the_fold_of_the_events(events: list[StoredEvent]) -> None:
    """Every state of every kind, every field, in whatever order the events are scanned."""
    assert States.of(folded(arranged(events))) == States.of(rich_ledger().states())


@given(st.sets(st.sampled_from(["bank", "a", "b", "c"])))
def test_lost_states_are_restored(lost: set[str]) -> None:
    """Exactly those, as they were; the others are not touched."""
    store = small_ledger()
    before = store.snapshot()
    for account in lost:
        store.drop_state(account)
    assert rebuild_states(store) == Rebuilt(accounts=4, restored=len(lost))
    assert store.snapshot() == before
    assert rebuild_states(store).restored == 0


@given(st.data())
def test_lost_states_of_every_kind_are_restored(data: st.DataObject) -> None:
    """Accounts, payments, books, templates and metadata: exactly those, as they were."""
    store = rich_ledger()
    before = store.snapshot()
    lost = data.draw(st.sets(st.sampled_from(sorted(before.states))))
    for key in lost:
        store.drop_state(key)
    accounts = sum(key.kind == "account" for key in before.states)
    others = len(before.states) - accounts
    assert rebuild_states(store) == Rebuilt(accounts=accounts, restored=len(lost), others=others)
    assert store.snapshot() == before


@pytest.mark.parametrize(
    ("event", "subject"),
    [
        ("increase:h", "payment h"),
        ("reverse:p", "payment p"),
        ("close:2026-11-10", "book main"),
        ("define:sale", "template sale"),
        ("metadata:a", "metadata account/a"),
    ],
)
def test_a_subject_whose_event_is_gone_is_not_rebuilt(event: str, subject: str) -> None:
    """The next event does not extend the chain of what is left."""
    store = rich_ledger()
    for key in store.snapshot().states:
        store.drop_state(key)
    kind, _, name = subject.partition(" ")
    versions = sorted(arranged(store.events()).subjects[Key(kind, name)].items())  # type: ignore[arg-type]
    assert [links[0].event for _, links in versions][:-1].count(event) == 1
    store.drop_event(event)
    with pytest.raises(BrokenStateError):
        rebuild_states(store)
    assert not store.snapshot().states


def test_states_from_the_past_are_brought_forward() -> None:
    """A state that was restored from an old copy; after it, commands go on where they were."""
    store, past = small_ledger(), small_ledger().snapshot()
    commands = commands_on(store)
    accepted_by(commands, paying("p4", ("a", "b", 1)))
    latest = states_of(store)
    for name in ("a", "b"):
        store.put_state(past.states[account_key(name)])
    assert rebuild_states(store) == Rebuilt(accounts=4, restored=2)
    assert states_of(store) == latest
    accepted_by(commands, paying("p5", ("a", "b", 1)))


def test_a_state_as_new_as_its_events_is_left_alone() -> None:
    """Whatever it says: it is for `verify` to name."""
    store = small_ledger()
    altered = msgspec.structs.replace(store.state("a"), credits_posted_minor=7)
    ahead = msgspec.structs.replace(store.state("b"), version=9)
    for state in (altered, ahead):
        store.put_state(state)
    assert rebuild_states(store).restored == 0
    assert (store.state("a"), store.state("b")) == (altered, ahead)


def replaced(
    event_id: str, edit: Callable[[StoredEvent], StoredEvent]
) -> Callable[[OpenStore], object]:
    """Puts another event in the place of one."""
    return lambda store: store.put_event(edit(store.stored(event_id)))


BROKEN: dict[str, tuple[Callable[[OpenStore], object], str]] = {
    "deleted": (lambda store: store.drop_event("p1"), "event p2|event p3"),
    "opening deleted": (lambda store: store.drop_event("open:a"), "account a"),
    "altered": (
        lambda store: edit_event(store, "p1", lambda body: body.update(description="x")),
        "event p1 does not extend the hash chain of account a",
    ),
    "unreadable": (
        replaced("p1", lambda event: StoredEvent(event.id, b"{", event.hashes)),
        "event p1: the stored bytes are not an event",
    ),
    "without hashes": (
        replaced("p1", lambda event: msgspec.structs.replace(event, hashes=())),
        "event p1: not one chain hash",
    ),
    "put twice": (
        replaced("p1", lambda e: msgspec.structs.replace(again(e), id="p9")),
        "event p9|event p1",
    ),
    "forged": (
        lambda store: forge_event(store, "p1", lambda b: entry_of(b, "a").update(prev="p2")),
        "event p1 does not follow version 2 of account a",
    ),
}


def again(event: StoredEvent) -> StoredEvent:
    """The same event under another id."""

    def rename(body: Body) -> None:
        body["id"] = "p9"

    return edited(event, rename)


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_history_rebuilds_nothing(how: str) -> None:
    """An error that names where it breaks; no state is written, of other accounts neither."""
    store = small_ledger()
    for account in ("bank", "a", "b", "c"):
        store.drop_state(account) if how != "forged" else None
    break_, problem = BROKEN[how]
    break_(store)
    before = store.snapshot()
    with pytest.raises(BrokenStateError, match=problem):
        rebuild_states(store)
    assert store.snapshot() == before


def test_a_newer_releases_events_are_not_folded() -> None:
    """This release would leave out what they did."""
    store = small_ledger()
    store.drop_state("a")
    store.put_event(StoredEvent("new", b'{"type":"payment.posted","v":2}', ()))
    with pytest.raises(UnknownEventError):
        rebuild_states(store)
    assert "a" not in states_of(store)
