"""The world of a case: the tables in their model, and workers with the ledger's own code."""

from __future__ import annotations

from typing import Final

from bench.hot.accounts import ACTOR, hot_keys, refuse_refused, set_up
from bench.hot.cases import Case
from bench.hot.partitions import Placement
from bench.hot.store import EVENTS, STATES, ModelledDynamoDB, WorkerStore
from ledger.adapters.dynamodb.keys import state_key
from ledger.application.commit import Commands
from ledger.application.group_commit import GroupCommit
from ledger.application.state_cache import StateCache
from simulation.kernel.chance import Chance
from simulation.kernel.hub import SECOND, Hub

_NOON: Final = 1_795_348_800 * SECOND  # 22 November 2026
#: Enough that nothing but the hot account is ever at its limit: a table that was used at this rate
#: before has as many.
_SPREAD: Final = {EVENTS: 400, STATES: 400}


class World:
    """The accounts of a case, open, and the model that they are in."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.hub = Hub(_NOON)
        self.chance = Chance(case.seed)
        hot = [state_key(key) for key in hot_keys(case)]
        self.dynamodb = ModelledDynamoDB(
            self.hub,
            self.chance.stream("dynamodb"),
            case.latency,
            Placement(_SPREAD, hot if case.alone else (), () if case.alone else hot),
            prepared_after=case.prepared_after,
        )
        before = Commands(
            self.dynamodb.stored,
            clock=lambda: _NOON - SECOND,
            pause=lambda _: None,
            chance=lambda: 0.0,
        )
        for some in set_up(case):
            refuse_refused(before.handle(one, ACTOR) for one in some)


class Worker:
    """A warm worker: the commit, one by one and of groups, on a store of its own."""

    def __init__(self, world: World, name: str) -> None:
        hub, case = world.hub, world.case
        store = WorkerStore(world.dynamodb, case.cpu)
        random = world.chance.stream(name)

        def clock() -> int:
            return hub.now

        def pause(seconds: float) -> None:
            hub.sleep(round(seconds * SECOND))

        self.cache = StateCache(case.cache)
        chance = random.random
        self.commands = Commands(store, clock=clock, pause=pause, chance=chance, cache=self.cache)
        self.group = GroupCommit(
            self.commands, store, clock=clock, pause=pause, chance=chance, cache=self.cache
        )
