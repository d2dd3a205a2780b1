"""Projections of striped accounts: each stripe by its own versions, the account as their sum."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from ledger.contracts.commands import Command
from ledger.contracts.events import Event, decode_event
from ledger.contracts.subjects import Key, stripe_key
from ledger.domain.accounts import AccountState
from ledger.domain.striped import whole
from projections.balances import replay as balances_replay
from projections.balances.memory import MemoryBalancesStore
from projections.balances.project import project as project_balances
from projections.balances.rollup import roll_up
from projections.history import replay as history_replay
from projections.history.apply import Row
from projections.history.completeness import gaps, walk
from projections.history.memory import MemoryHistoryStore
from projections.history.project import project as project_history
from projections.lanes import key_of_lane, lane_of, lane_of_key, stripe_of
from projections.query.views import account_view
from projections.replay.reaching import furthest
from tests.properties.striped_twins import Twins, sent, stripes

TOTALS = (
    *("debits_posted_minor", "credits_posted_minor"),
    *("debits_pending_minor", "credits_pending_minor"),
)
openings = st.tuples(
    st.lists(stripes, min_size=3, max_size=3),
    st.lists(st.integers(0, 5), min_size=2, max_size=2),
)
scripts = st.lists(sent, min_size=5, max_size=30)


def lived(opened: tuple[list[int], list[int]], script: list[tuple[Command, int, int]]) -> Twins:
    """Ledgers after all that."""
    twins = Twins(*opened)
    seconds = 0
    for command, later, spread in script:
        seconds += later
        twins.send(command, seconds, spread)
    return twins


def published(twins: Twins) -> list[Event]:
    """The events of the striped one, as they go over the bus."""
    return [decode_event(stored.data.decode()) for stored in twins.striped.store.events()]


def delivered(events: list[Event], data: st.DataObject) -> list[list[Event]]:
    """In any order, some twice, in batches."""
    again = data.draw(st.lists(st.sampled_from(events), max_size=5))
    order = data.draw(st.permutations([*events, *again]))
    size = data.draw(st.integers(1, len(order)))
    return [order[start : start + size] for start in range(0, len(order), size)]


def account_states(twins: Twins) -> dict[str, AccountState]:
    """The state of every lane."""
    return {
        lane: state
        for state in twins.striped.store.states()
        if isinstance(state, AccountState) and (lane := lane_of_key(state.key)) is not None
    }


@settings(max_examples=30, deadline=None)
@given(openings, scripts, st.data())
def test_balances_are_the_sums_of_their_stripes_in_any_order(
    opened: tuple[list[int], list[int]],
    script: list[tuple[Command, int, int]],
    data: st.DataObject,
) -> None:
    """Each stripe at the version and totals of its state, given-up ones included; the account what
    the ledger says of it, and what one that was never striped says; in lists, too."""
    twins = lived(opened, script)
    store = MemoryBalancesStore()
    for batch in delivered(published(twins), data):
        assert project_balances(store, batch).failed == {}
    states = account_states(twins)
    for name, account in store.some([n for n in states if not stripe_of(n)[1]]).items():
        own = {lane: state for lane, state in states.items() if stripe_of(lane)[0] == name}
        assert {one.lane: one.version for one in account.stripes} == {
            lane: state.version for lane, state in own.items()
        }
        for one in account.stripes:
            state = own[one.lane]
            assert [getattr(one, each) for each in TOTALS] == [
                getattr(state, each) for each in TOTALS
            ]
        truth = whole(twins.plain.states(), name)
        assert truth is not None
        assert [getattr(account.whole, each) for each in TOTALS] == [
            getattr(truth, each) for each in TOTALS
        ]
        view = account_view(account, None)
        assert view.balance_minor == account.whole.balance_minor
        if len(own) > 1:
            assert view.by_stripe is not UNSET
            assert sum(one.balance_minor for one in view.by_stripe) == view.balance_minor
            assert view.stripes == states[name].stripes
            assert view.recorded_at == max(one.recorded_at for one in view.by_stripe)
        else:
            assert (view.by_stripe, view.stripes) == (UNSET, UNSET)
        [summed] = roll_up(store, name).sums
        assert [getattr(summed, each) for each in TOTALS] == [
            getattr(truth, each) for each in TOTALS
        ]


@settings(max_examples=30, deadline=None)
@given(openings, scripts, st.data())
def test_each_stripe_has_a_history_without_gaps(
    opened: tuple[list[int], list[int]],
    script: list[tuple[Command, int, int]],
    data: st.DataObject,
) -> None:
    """A row for each version of each stripe, which follows from the one before; what moved is said
    once, on the stripe that it moved on; and a missing row shows as a gap of its stripe alone."""
    twins = lived(opened, script)
    events = published(twins)
    store = MemoryHistoryStore()
    for batch in delivered(events, data):
        project_history(store, batch)
    states = account_states(twins)
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for row in store.rows():
        rows[row.lane].append(row)
    assert rows.keys() == states.keys()
    for lane, of_lane in rows.items():
        of_lane.sort(key=lambda row: row.version)
        assert walk(store, lane).complete_to == states[lane].version == len(of_lane)
        assert list(gaps(lane, of_lane)) == []
        before: Any = None
        for row in of_lane:
            assert (row.account, row.stripe) in (stripe_of(lane), (stripe_of(lane)[0], UNSET))
            start = [getattr(before, each) for each in TOTALS] if before else [0] * 4
            moved = (
                *(row.debited_minor, row.credited_minor),
                *(row.debits_pended_minor, row.credits_pended_minor),
            )
            assert [getattr(row, each) for each in TOTALS] == [
                there + more for there, more in zip(start, moved, strict=True)
            ]
            assert row.prev == (before.event if before else UNSET)
            before = row
    chosen = data.draw(st.sampled_from(sorted(rows)))
    if len(rows[chosen]) > 2:
        gone = data.draw(st.integers(0, len(rows[chosen]) - 2))
        without = [row for at, row in enumerate(rows[chosen]) if at != gone]
        if gone + 1 < len(rows[chosen]):
            [gap] = gaps(chosen, without)
            assert (gap.first, gap.last) == (gone + 1, gone + 1)
            assert gap.event == rows[chosen][gone].event


@settings(max_examples=20, deadline=None)
@given(openings, scripts, st.data())
def test_a_replay_finds_what_a_projection_of_stripes_lacks(
    opened: tuple[list[int], list[int]],
    script: list[tuple[Command, int, int]],
    data: st.DataObject,
) -> None:
    """Complete, nothing lags and nothing differs; without one event, just the lanes that it touched
    lag, unless a later one tells of them; and a total that somebody changed is named."""
    twins = lived(opened, script)
    events = published(twins)
    states = account_states(twins)
    for replayable, make in _REPLAYED:
        _check_replay(replayable, make, events, states, data.draw(st.sampled_from(events)))


_REPLAYED: tuple[tuple[Any, Callable[[], Any]], ...] = (
    (balances_replay.REPLAYABLE, MemoryBalancesStore),
    (history_replay.REPLAYABLE, MemoryHistoryStore),
)


def _check_replay(
    replayable: Any,
    make: Callable[[], Any],
    events: list[Event],
    states: dict[str, AccountState],
    lost: Event,
) -> None:
    reaches: dict[str, tuple[int, ...]] = {}
    for event in events:
        for lane, reach in replayable.reach_of(event):
            reaches[lane] = furthest(reaches.get(lane), reach)
    assert {lane: reach[0] for lane, reach in reaches.items()} == {
        lane: state.version for lane, state in states.items()
    }

    def version_of(key: Key) -> int:
        lane = lane_of_key(key)
        return states[lane].version if lane in states else 0

    most = partial(replayable.possible, version_of)
    live, rebuilt, poor = make(), make(), make()
    for store in (live, rebuilt):
        replayable.project(store, events)
    assert replayable.lagging(live, reaches) == set()
    assert list(replayable.differences(live, rebuilt, reaches, most)) == []
    replayable.project(poor, [event for event in events if event.id != lost.id])
    touched = {lane for lane, _ in replayable.reach_of(lost)}
    behind = replayable.lagging(poor, reaches)
    assert {stripe_of(lane)[0] for lane in behind} <= {stripe_of(lane)[0] for lane in touched}
    if make is MemoryHistoryStore:
        assert behind == touched
    found = list(replayable.differences(poor, rebuilt, reaches, most))
    assert bool(found) >= bool(behind)


def test_lanes_are_named_as_their_keys_are() -> None:
    """There and back; the first stripe is the account."""
    for stripe in (0, 1, 31):
        lane = lane_of("bank:fees", stripe)
        assert stripe_of(lane) == ("bank:fees", stripe)
        assert key_of_lane(lane) == stripe_key("bank:fees", stripe)
        assert lane_of_key(key_of_lane(lane)) == lane
    assert lane_of("bank:fees", 0) == "bank:fees"
