"""Clocks, pauses and chances that a test drives: no test of ours sleeps or reads the time."""

from __future__ import annotations

from random import Random

from ledger.application.commit import Commands, Decided
from ledger.application.ports import EventStore
from ledger.application.state_cache import StateCache
from ledger.contracts.commands import Command
from ledger.contracts.events import AccountEvent, CommandRejected
from ledger.domain.accounts import AccountState
from tests.support.builders import ACTOR, NOON_MICROSECONDS

TICK = 1_000  # microseconds that pass at each look at the clock


class World:
    """One worker's clock, which moves `tick` at each look, and its record of pauses.

    A pause moves the clock; `chance` draws from a seed.
    """

    def __init__(
        self, *, now: int = NOON_MICROSECONDS, tick: int = TICK, seed: int | float = 0
    ) -> None:
        self.now = now
        self.tick = tick
        self.pauses: list[float] = []
        self.chance = Random(seed).random

    def clock(self) -> int:
        """Microseconds since 1970."""
        self.now += self.tick
        return self.now

    def pause(self, seconds: float) -> None:
        """Notes the pause and lets that time pass."""
        self.pauses.append(seconds)
        self.now += round(seconds * 1_000_000)

    def commands(self, store: EventStore, cache: StateCache | None = None) -> Commands:
        """A worker with this clock."""
        return Commands(store, clock=self.clock, pause=self.pause, chance=self.chance, cache=cache)


def commands_on(store: EventStore, world: World | None = None) -> Commands:
    """A worker on `store`."""
    return (world or World()).commands(store)


def decided(commands: Commands, command: Command) -> Decided:
    """The outcome of a command that must reach a decision."""
    outcome = commands.handle(command, ACTOR)
    assert isinstance(outcome, Decided), outcome
    return outcome


def accepted_by(commands: Commands, command: Command) -> AccountEvent:
    """The event of a command on accounts that must be accepted."""
    event = decided(commands, command).event
    assert isinstance(event, AccountEvent), event
    return event


def rejected_by(commands: Commands, command: Command) -> CommandRejected:
    """The event of a command that must be refused."""
    event = decided(commands, command).event
    assert isinstance(event, CommandRejected), event
    return event


def states_of(store: EventStore) -> dict[str, AccountState]:
    """The state of every account."""
    return {state.id: state for state in store.states() if isinstance(state, AccountState)}


def balances_of(store: EventStore) -> dict[str, int]:
    """Every posted balance by account."""
    return {name: state.balance_minor for name, state in states_of(store).items()}
