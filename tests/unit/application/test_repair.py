"""`ledger repair`: gaps and lost tails are walked back by `prev`, to exactly what is missing."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.application.ports import EventStore
from ledger.application.repair import (
    BrokenWalkError,
    Gap,
    Lost,
    lost_events,
    missing_events,
    outdated,
    tails,
)
from ledger.contracts.subjects import Key, Kind, account_key, stripe_key
from ledger.domain.chain import StoredEvent
from tests.support.builders import opening, paying, striping
from tests.support.spreading import spread
from tests.support.stores import FaultyStore, OpenStore
from tests.support.tampering import edit_event, entry_of, history_rows, rich_ledger, small_ledger

NEWEST = {account_key("bank"): 3, account_key("a"): 4, account_key("b"): 3, account_key("c"): 3}


@pytest.fixture
def store() -> OpenStore:
    """A small ledger, whole."""
    return small_ledger()


def missing(store: EventStore, *gaps: Gap) -> list[str]:
    """The ids of the missing events, in the order in which they are found."""
    return [event.id for event in missing_events(store, gaps)]


def test_a_complete_projection_lacks_nothing(store: OpenStore) -> None:
    """Neither does one that is ahead of the states that were read."""
    assert list(tails(store, NEWEST)) == []
    assert list(tails(store, NEWEST | {account_key("a"): 9})) == []
    assert missing(store) == []


def test_a_lost_tail_is_found_by_its_state(store: OpenStore) -> None:
    """The newest version of an account is the state's; what is behind the projection's is missing,
    up to all of it."""
    gaps = list(tails(store, {account_key("bank"): 3, account_key("a"): 2, account_key("c"): 2}))
    assert gaps == [Gap("a", 3, 4, "p2"), Gap("b", 1, 3, "p2"), Gap("c", 3, 3, "p3")]
    assert missing(store, *gaps) == ["p2", "p1", "open:b", "p3"]


def test_a_gap_is_walked_back(store: OpenStore) -> None:
    """From the event that made its last version to the one that made its first, one read each, and
    no further."""
    watched = FaultyStore(store)
    assert missing(watched, Gap("a", 2, 3, "p1")) == ["p1", "fund"]
    assert watched.calls == {"event": 2}
    assert missing(store, Gap("a", 1, 1, "open:a")) == ["open:a"]


def test_an_event_is_given_once(store: OpenStore) -> None:
    """Though it made versions of several accounts that are missing."""
    gaps = [Gap("a", 3, 4, "p2"), Gap("b", 2, 3, "p2"), Gap("c", 2, 2, "p2")]
    assert missing(store, *gaps) == ["p2", "p1"]
    assert missing(store, *gaps[::-1]) == ["p2", "p1"]


@given(st.sets(st.sampled_from([event.id for event in small_ledger().events()])))
def test_whatever_was_cut_out_is_found(lost: set[str]) -> None:
    """Any set of accepted events that never reached a projection is found from what it holds: its
    rows' gaps and its tails; nothing else is, but what lies in the same gap."""
    store = small_ledger()
    seen = [row for row in history_rows(store) if row.event not in lost]
    newest: dict[Key, int] = {}
    for row in seen:
        newest[row.key] = max(row.version, newest.get(row.key, 0))
    gaps = list(tails(store, newest))
    for row in seen:
        behind = [r.version for r in seen if r.account == row.account and r.version < row.version]
        before = max(behind, default=0)
        if before < row.version - 1:
            stored = msgspec.json.decode(store.stored(row.event).data)
            previous = entry_of(stored, row.account)["prev"]
            gaps.append(Gap(row.account, before + 1, row.version - 1, previous))
    assert set(missing(store, *gaps)) == lost - {"no"}


@pytest.mark.parametrize(
    ("gap", "problem"),
    [
        (Gap("a", 2, 3, "nothing"), "event nothing of account a is not in the store"),
        (Gap("a", 2, 3, "p3"), "p3 did not make version 3 of account a"),
        (Gap("a", 2, 2, "p1"), "p1 did not make version 2 of account a"),
        (Gap("a", 2, 3, "no"), "no did not make version 3 of account a"),
        (Gap("a", 0, 1, "open:a"), "open:a has no event before it"),
    ],
)
def test_a_walk_that_breaks_says_where(store: OpenStore, gap: Gap, problem: str) -> None:
    """`prev` that leads nowhere, or to an event of another account or version."""
    with pytest.raises(BrokenWalkError, match=problem):
        missing(store, gap)


def test_a_corrupt_event_on_the_way_is_named(store: OpenStore) -> None:
    """The walk cannot go past it."""
    store.put_event(StoredEvent("p1", b"{", ()))
    with pytest.raises(BrokenWalkError, match="event p1 of account a"):
        missing(store, Gap("a", 2, 4, "p2"))


def test_a_walk_in_a_circle_ends(store: OpenStore) -> None:
    """A `prev` that was made to lead back to its own event does not hold the walk for ever."""
    edit_event(store, "p1", lambda body: entry_of(body, "a").update(prev="p1"))
    with pytest.raises(BrokenWalkError, match="p1 did not make version 2"):
        missing(store, Gap("a", 1, 4, "p2"))


NEWEST_OF: dict[Kind, dict[str, tuple[int, str]]] = {
    "payment": {
        "h": (3, "capture:h"),
        "v": (2, "void:v"),
        "e": (2, "expire:e:1"),
        "p": (3, "reverse:p:2"),
    },
    "book": {"main": (2, "reopen:2026-11-05"), "side": (1, "open-book:side")},
    "template": {"sale": (2, "define:sale:2")},
    "metadata": {"account/a": (3, "metadata:a:2"), "payment/p": (1, "metadata:p")},
}


@pytest.mark.parametrize("kind", NEWEST_OF)
@given(data=st.data())
def test_what_is_outdated_of_a_kind_is_found(kind: Kind, data: st.DataObject) -> None:
    """Exactly the subjects whose state is newer than what is projected of them, or of which nothing
    is, and no other kind's; each with the event that has all of it."""
    store = rich_ledger()
    said = data.draw(
        st.fixed_dictionaries({}, optional=dict.fromkeys(NEWEST_OF[kind], st.integers(0, 4)))
    )
    projected = {Key(kind, name): version for name, version in said.items()}
    behind = {
        Lost(Key(kind, name), version, event)
        for name, (version, event) in NEWEST_OF[kind].items()
        if said.get(name, 0) < version
    }
    lost = list(outdated(store, kind, projected))
    assert set(lost) == behind
    events = [event.id for event in lost_events(store, lost)]
    assert events == [one.event for one in lost]


def test_an_event_that_is_lost_itself_is_named() -> None:
    """`repair` cannot publish what is not there."""
    with pytest.raises(BrokenWalkError, match="event gone of book main is not in the store"):
        list(lost_events(rich_ledger(), [Lost(Key("book", "main"), 2, "gone")]))


def test_lost_versions_of_a_stripe_are_walked_back_along_the_stripe() -> None:
    """Its versions have their own numbers, and their own events before them: those of the account's
    other stripes are none of them, but for what changed all."""
    striped = OpenStore()
    spread(striped, opening("bank", account_type="asset", min_balance_minor=None))
    spread(striped, opening("s"))
    spread(striped, striping("s", 2))
    for number in range(4):
        spread(striped, paying(f"p{number}", ("bank", "s", 1)), number)
    newest = {account_key("bank"): 5, account_key("s"): 4}
    gaps = list(tails(striped, newest))
    assert gaps == [Gap("s", 1, 3, "p3", 1)]
    assert gaps[0].key == stripe_key("s", 1)
    assert missing(striped, *gaps) == ["p3", "p1", "stripes:s"]
    with pytest.raises(BrokenWalkError, match="p2 did not make version 3 of stripe s/1"):
        missing(striped, Gap("s", 1, 3, "p2", 1))
