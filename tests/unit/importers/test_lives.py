"""The stories: each command comes to what its story says, and the money ends where it says."""

from __future__ import annotations

from collections import Counter
from random import Random

import msgspec
import pytest

from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.commit import Commands, Decided, Mismatch
from ledger.cli.up.recorded import outcome_of_event
from ledger.contracts.commands import CLIENT_COMMANDS, AuthorizePayment, decode_command
from ledger.contracts.events import CommandRejected, decode_event
from ledger.contracts.primitives import instant_of_microseconds, microseconds_of_instant
from ledger.domain.accounts import AccountState
from ledger.importers.generated.lives import FORGOTTEN, lives
from ledger.importers.instructions import EXPIRED, REPEAT, Instruction

NOW = microseconds_of_instant("2026-11-22T08:00:00.000000Z")
EXPIRES_AT = instant_of_microseconds(NOW + 40_000_000)


class World:
    """A ledger in memory, whose clock moves on by a millisecond at every look."""

    def __init__(self) -> None:
        self.now = NOW
        self.store = MemoryEventStore()
        self.commands = Commands(
            self.store, clock=self.tick, pause=lambda _: None, chance=lambda: 0.0
        )

    def tick(self) -> int:
        """The time."""
        self.now += 1_000
        return self.now

    def outcome(self, instruction: Instruction) -> str:
        """What an instruction comes to."""
        decided = self.commands.handle(decode_command(instruction.body), "the teller")
        assert not isinstance(decided, Mismatch)
        assert isinstance(decided, Decided)
        if decided.repeat:
            return REPEAT
        event = decided.event
        return event.reason if isinstance(event, CommandRejected) else outcome_of_event(event)


@pytest.mark.parametrize("seed", range(5))
def test_every_command_comes_to_what_its_story_says(seed: int) -> None:
    """In whatever way the stories mingle: within each all happens in its order."""
    world, source = World(), lives(EXPIRES_AT)
    for phase in source.phases:
        stories: dict[str, list[Instruction]] = {}
        for one in phase.instructions:
            stories.setdefault(one.ordering_key, []).append(one)
        chance = Random(seed)
        while stories:
            key = chance.choice(sorted(stories))
            one = stories[key].pop(0)
            assert world.outcome(one) == one.expected, one.command_id
            if not stories[key]:
                del stories[key]
    world.now = microseconds_of_instant(EXPIRES_AT)
    assert world.commands.expire(FORGOTTEN)
    balances = {
        account: state.balance_minor
        for account in source.balances_minor
        for state in world.store.states()
        if isinstance(state, AccountState) and state.id == account
    }
    assert balances == source.balances_minor
    found = Counter(
        event.reason if isinstance(event, CommandRejected) else outcome_of_event(event)
        for event in (decode_event(stored.data) for stored in world.store.events())
    )
    found[REPEAT] = source.expected()[REPEAT]
    assert found == source.expected()
    assert found[EXPIRED] == 1


def test_the_stories_have_every_command_that_a_client_can_send() -> None:
    """But for alerts, which have a page of their own, and stripes, which change no story."""
    told = {one.command_type for one in lives(EXPIRES_AT)}
    assert CLIENT_COMMANDS - told == {"account.set_alerts", "account.set_stripes"}


def test_all_but_one_expiry_is_the_same_at_every_telling() -> None:
    """The hold that expires is the only command that depends on the time."""
    first, second = (
        {one.command_id: decode_command(one.body) for one in lives(at)}
        for at in (EXPIRES_AT, "2027-01-01T00:00:00.000000Z")
    )
    differing = [id_ for id_, command in first.items() if second[id_] != command]
    assert differing == [FORGOTTEN]
    held = first[FORGOTTEN]
    assert isinstance(held, AuthorizePayment)
    assert (
        msgspec.structs.replace(held, expires_at="2027-01-01T00:00:00.000000Z")
        == (second[FORGOTTEN])
    )
