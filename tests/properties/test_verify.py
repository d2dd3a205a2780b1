"""Properties of verification: no false findings on a ledger in use, and the largest sound cut."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.history_of_events import arranged
from ledger.application.verification import Report
from ledger.application.verify import uncrossed, verify_store
from ledger.application.verify_projections import verify_projection
from ledger.contracts.subjects import account_key
from ledger.domain.states import States
from tests.support.builders import ACTOR, accepted, advanced, opening, paying
from tests.support.stores import BusyStore, OpenStore
from tests.support.tampering import balance_rows, history_rows
from tests.support.worlds import World


@given(st.integers(0, 10**6), st.integers(1, 4))
@settings(max_examples=30)
def test_a_ledger_in_use_verifies(seed: int, busyness: int) -> None:
    """Whatever is committed before, between and during the scans, nothing is found: neither of the
    ledger nor of projections that are complete, or further on than what was captured."""
    random, store, made = Random(seed), OpenStore(), Random(seed).getrandbits
    commands = World(seed=seed).commands(store)

    def step() -> None:
        for _ in range(random.randint(0, busyness)):
            names = ["bank", *(f"a{n}" for n in range(random.randint(3, 9)))]
            for name in random.sample(names, 3):
                commands.handle(opening(name, min_balance_minor=None), ACTOR)
            payer, payee, other = random.sample(names[:4], 3)
            amount = random.randint(1, 50)
            payment = paying(f"p{made(60)}", (payer, payee, amount), (payee, other, amount))
            commands.handle(payment, ACTOR)

    for _ in range(5):
        step()
    report = Report()
    captured = verify_store(BusyStore(store, step), report)
    step()
    verify_projection("balances_equal", balance_rows(store), captured, report)
    verify_projection("history_equal", history_rows(store), captured, report)
    assert report.findings == []


@given(
    st.lists(
        st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=2, max_size=3, unique=True),
        max_size=7,
    ),
    st.tuples(*[st.integers(0, 6)] * 4),
)
def test_the_cut_is_the_largest_that_no_event_crosses(
    touched: list[list[str]], reached: tuple[int, ...]
) -> None:
    """Of all cuts within the captured versions that have every event at all of its accounts or at
    none, the one that keeps the most, at every account."""
    states = States()
    events = []
    for name in "abcd":
        states, stored = advanced(states, accepted(states, opening(name, min_balance_minor=None)))
        events.append(stored)
    for number, names in enumerate(touched):
        legs = [(names[0], other, 1) for other in names[1:]]
        states, stored = advanced(states, accepted(states, paying(f"p{number}", *legs)))
        events.append(stored)
    history = arranged(events)
    versions = {
        account_key(name): min(most, states.accounts[name].version)
        for name, most in zip("abcd", reached, strict=True)
    }
    places = [
        [(key.id, version) for key, of_key in history.links.items()
         for version, links in of_key.items() if links[0].event == event.id]
        for event in events
    ]  # fmt: skip

    def sound_cuts() -> Iterator[tuple[int, ...]]:
        for cut in product(*(range(versions[account_key(name)] + 1) for name in "abcd")):
            at = dict(zip("abcd", cut, strict=True))
            if all(
                len({version <= at[name] for name, version in touching}) == 1 for touching in places
            ):
                yield cut

    largest = tuple(max(column) for column in zip(*sound_cuts(), strict=True))
    assert uncrossed(history, versions) == dict(zip(versions, largest, strict=True))


def test_a_long_history_is_cut_in_linear_time() -> None:
    """A chain of payments, each crossing because of the one before: ten thousand of them go at
    once, each taken off once."""
    store = MemoryEventStore()
    commands = World().commands(store)
    count = 2_000
    for number in range(count + 1):
        commands.handle(opening(f"a{number}", min_balance_minor=None), ACTOR)
    for number in range(count):
        commands.handle(paying(f"p{number}", (f"a{number}", f"a{number + 1}", 1)), ACTOR)
    history = arranged(reversed(list(store.events())))
    versions = {state.key: state.version for state in store.states()} | {account_key("a0"): 1}
    cut = uncrossed(history, versions)
    assert set(cut.values()) == {1}
