"""The next release reads what today's wrote; today's refuses what only the next one knows."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from simulation.releases.next import EVENT_FIELD, EVENT_VERSION, NEXT, STATE_FIELD, STATE_SCHEMA
from simulation.releases.release import Release, current, patched
from tests.support.builders import ACTOR
from tests.support.worlds import World

OPENINGS = [
    {
        "v": 1,
        "type": "account.open",
        "id": f"open:{account}",
        "account": account,
        "currency": "EUR",
        "account_type": "asset" if account == "cash" else "liability",
    }
    for account in ("cash", "a", "b", "c", "d")
]


class Worker:
    """Decides commands by one release on items that other releases wrote."""

    def __init__(self, release: Release, items: dict[str, Any]) -> None:
        self._release = release
        self._codec = release.module("ledger.adapters.dynamodb.codec")
        self._items = items
        self._world = World()

    def read(self) -> list[Any]:
        """Every event and state, by this release's code. Raises as that does."""
        events = self._release.module("ledger.contracts.events")
        found: list[Any] = []
        for key, item in self._items.items():
            if key.startswith("event "):
                found.append(events.decode_event(self._codec.event_of_item(item).data))
            else:
                found.append(self._codec.state_of_item(item))
        return found

    def decide(self, command: dict[str, Any]) -> Any:
        """The outcome of a command; what it changed is written back as items."""
        store = self._release.module("ledger.adapters.memory.event_store").MemoryEventStore()
        for key, item in self._items.items():
            if not key.startswith("event "):
                store.restore(self._codec.state_of_item(item))
        parse = self._release.module("ledger.contracts.commands").decode_command
        commands = self._release.module("ledger.application.commit").Commands(
            store, clock=self._world.clock, pause=self._world.pause, chance=self._world.chance
        )
        outcome = commands.handle(parse(json.dumps(command).encode()), ACTOR)
        for event in store.events():
            self._items[f"event {event.id}"] = self._codec.event_item(event)
        for state in store.states():
            item = self._codec.state_item(state)
            self._items[item["pk"]["S"]] = item
        return outcome.event


def payment(id_: str, *legs: tuple[str, str, int]) -> dict[str, Any]:
    """A command as it is sent."""
    postings = [
        {"source": source, "destination": destination, "amount_minor": minor, "currency": "EUR"}
        for source, destination, minor in legs
    ]
    return {"v": 1, "type": "payment.post", "id": id_, "postings": postings}


@pytest.fixture(scope="module")
def next_release() -> Release:
    """A copy of today's with the patches."""
    return patched("next", NEXT)


def body(items: dict[str, Any], account: str) -> dict[str, Any]:
    """What a state's item keeps as JSON."""
    decoded: dict[str, Any] = msgspec.json.decode(items[f"account#{account}"]["data"]["S"])
    return decoded


def test_each_release_goes_on_from_what_the_other_wrote(next_release: Release) -> None:
    """As long as nothing new is used, they may take turns for ever."""
    items: dict[str, Any] = {}
    workers = [Worker(current(), items), Worker(next_release, items)]
    for place, command in enumerate([*OPENINGS, payment("p", ("cash", "a", 5))]):
        event = workers[place % 2].decide(command)
        assert event.v == 1
    assert workers[1].decide(payment("q", ("a", "b", 2))).v == 1
    assert workers[0].decide(payment("r", ("b", "c", 1))).v == 1
    old, new = (worker.read() for worker in workers)
    assert [msgspec.to_builtins(one) for one in old] == [
        {name: value for name, value in msgspec.to_builtins(one).items() if name != STATE_FIELD}
        for one in new
    ]


def test_today_s_release_refuses_what_is_new(next_release: Release) -> None:
    """The event as of an unknown version, the states as of an unknown schema; and no others."""
    items: dict[str, Any] = {}
    new, old = Worker(next_release, items), Worker(current(), items)
    for command in OPENINGS:
        new.decide(command)
    event = new.decide(payment("p", ("cash", "a", 5), ("cash", "b", 6)))
    assert (event.v, getattr(event, EVENT_FIELD)) == (EVENT_VERSION, 2)
    written = {
        key: int(item["v"]["N"]) for key, item in items.items() if not key.startswith("event ")
    }
    touched = {"account#cash", "account#a", "account#b"}
    assert {key for key, schema in written.items() if schema == STATE_SCHEMA} == touched
    events = current().module("ledger.contracts.events")
    with pytest.raises(events.UnknownEventError):
        events.decode_event(items["event p"]["data"]["S"])
    state_of_item = current().module("ledger.adapters.dynamodb.codec").state_of_item
    unknown = current().module("ledger.application.ports").UnknownStoredStateError
    for key in touched:
        with pytest.raises(unknown):
            state_of_item(items[key])
    assert state_of_item(items["account#c"]).version == 1
    with pytest.raises(unknown):
        old.decide(payment("q", ("c", "d", 1)))  # this helper reads everything


def test_the_next_release_keeps_what_it_added(next_release: Release) -> None:
    """The count stays with the account through what does not change it."""
    items: dict[str, Any] = {}
    new = Worker(next_release, items)
    for command in OPENINGS:
        new.decide(command)
    new.decide(payment("p", ("cash", "a", 5), ("cash", "b", 6)))
    new.decide(payment("q", ("a", "c", 1)))
    freeze = {"v": 1, "type": "account.freeze", "account": "b", "sides": "both", "reason": "why"}
    new.decide({**freeze, "id": "f"})
    new.decide(payment("r", ("cash", "a", 5), ("a", "c", 6)))
    counts = {account: body(items, account).get(STATE_FIELD) for account in ("cash", "a", "b", "c")}
    assert counts == {"cash": 2, "a": 2, "b": 1, "c": 1}
    assert len(new.read()) == len(items)
