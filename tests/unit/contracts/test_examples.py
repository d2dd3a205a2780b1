"""The examples tell one story, and it is what happens."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import Any

from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.commit import EXPIRY_ACTOR, Commands, Decided
from ledger.application.verification import Report
from ledger.application.verify import verify_store
from ledger.contracts import examples
from ledger.contracts.commands import COMMAND_TYPES, SYSTEM_COMMANDS, decode_command
from ledger.contracts.events import EVENT_TYPES, CommandRejected
from ledger.contracts.primitives import microseconds_of_instant


def told() -> tuple[MemoryEventStore, list[Any]]:
    """The ledger after the story, and the event of each step."""
    store, now = MemoryEventStore(), [0]
    commands = Commands(store, clock=lambda: now[0], pause=lambda _: None, chance=lambda: 0.0)
    events = []
    for step in examples.STORY:
        now[0] = microseconds_of_instant(step.at)
        body = json.dumps(step.command).encode()
        outcome = commands.handle(decode_command(body, COMMAND_TYPES), step.actor)
        assert isinstance(outcome, Decided)
        assert not outcome.repeat
        events.append(outcome.event)
    return store, events


def test_the_events_shown_are_what_the_ledger_records_of_the_commands_shown() -> None:
    """Every one, to the last field; and whoever verifies the ledger then finds nothing wrong."""
    store, _ = told()
    recorded = [json.loads(stored.data) for stored in store.events()]
    for example in examples.EVENTS.values():
        assert example in recorded
    report = Report()
    verify_store(store, report)
    assert report.ok, report.findings


def test_the_story_has_every_command_and_makes_every_event() -> None:
    """In the order of its times; only one command of it is refused."""
    shown = [step.command for step in examples.STORY]
    assert all(command in shown for command in examples.COMMANDS.values())
    assert sorted(examples.COMMANDS) == [(name, 1) for name in sorted(COMMAND_TYPES)]
    assert sorted(examples.EVENTS) == [(name, 1) for name in sorted(EVENT_TYPES)]
    assert all(one.at < next_.at for one, next_ in pairwise(examples.STORY))
    store, events = told()
    assert [event.id for event in events if isinstance(event, CommandRejected)] == [
        examples.REFUSED_COMMAND["id"]
    ]
    types = Counter(json.loads(stored.data)["type"] for stored in store.events())
    assert set(types) == set(EVENT_TYPES)


def test_what_only_the_ledger_commands_is_sent_by_the_ledger() -> None:
    """The scorer's verdict and the expiry; everything else by a client."""
    for step in examples.STORY:
        assert (step.actor == examples.ACTOR) == (step.type not in SYSTEM_COMMANDS)
    assert examples.step("payment.expire").actor == examples.SWEEPER == EXPIRY_ACTOR
    assert examples.step("payment.authorize").command["id"] == "booking-77"
