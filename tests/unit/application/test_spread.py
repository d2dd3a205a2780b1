"""Which stripe a worker uses: its own, until it meets another there."""

from __future__ import annotations

import pytest
from msgspec import structs

from ledger.application.spread import Spread
from ledger.domain.accounts import AccountState
from tests.support.builders import opening, paying, state
from tests.support.commits import funded_store
from tests.support.grouping import group_on
from tests.support.groups import decided_together
from tests.support.stores import FaultyStore
from tests.support.worlds import World, decided

PLAIN = state("a")
STRIPED = state("b", stripes=4, stripes_made=4)


def test_a_worker_draws_once_and_keeps_what_it_drew() -> None:
    """The number is drawn when it is first asked for, and no draw is made for nothing."""
    world = World(seed=4)
    drawn: list[float] = []

    def chance() -> float:
        drawn.append(world.chance())
        return drawn[-1]

    spread = Spread(chance)
    assert drawn == []
    assert [spread.value, spread.value] == [int(drawn[0] * 65_536)] * 2
    assert len(drawn) == 1


def test_it_draws_again_when_others_were_at_a_striped_account() -> None:
    """Contention on an account of one state says nothing of stripes."""
    shares = iter([0.0, 0.5])
    spread = Spread(lambda: next(shares))
    assert spread.value == 0
    assert not spread.met_others([PLAIN, None])
    assert spread.value == 0
    assert spread.met_others([PLAIN, STRIPED])
    assert spread.value == 32_768


def test_workers_come_to_use_all_stripes_evenly() -> None:
    """Of a thousand draws each of 32 stripes has a fair share."""
    counts = [0] * 32
    for seed in range(1_000):
        counts[Spread(World(seed=seed).chance).value % 32] += 1
    assert min(counts) > 10
    assert max(counts) < 60


@pytest.mark.parametrize(("account", "pauses"), [("s", 0), ("a", 1)])
@pytest.mark.parametrize("together", [False, True])
def test_behind_another_on_a_striped_account_there_is_no_pause(
    account: str, pauses: int, together: bool
) -> None:
    """Whoever comes late to a stripe tries again at once, on the states that came with the refusal,
    by itself and in a group; on an account of one state it makes room first."""
    store = funded_store(structs.replace(opening("s"), stripes=4))

    def another() -> None:
        """Is faster, on whichever stripe it may be."""
        for one in store.states():
            if isinstance(one, AccountState) and one.id == account:
                store.put_state(structs.replace(one, version=one.version + 1))

    world, watched = World(), FaultyStore(store, meanwhile=[another])
    command = paying("p", ("bank", account, 5))
    if together:
        decided_together(group_on(watched, world=world), command)
    else:
        decided(world.commands(watched), command)
    assert watched.calls["append"] == 2
    assert len(world.pauses) == pauses
