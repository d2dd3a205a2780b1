"""Short lives of a ledger: the events that it records of commands of every kind, drawn."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import strategies as st

from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.contracts.commands import Command
from ledger.contracts.events import (
    Event,
    PaymentAuthorized,
    PaymentPosted,
    decode_event,
)
from ledger.contracts.reasons import InvalidCommandError
from tests.properties.life_commands import Scene, drafts, filled
from tests.support.builders import ACTOR, alerting, holding, opening, opening_book, paying
from tests.support.worlds import World

#: Accounts with money and alerts to cross, a payment, a hold and a book.
_BEGINNING: tuple[Command, ...] = (
    opening("a", min_balance_minor=-100),
    opening("b", account_type="asset", min_balance_minor=None),
    opening("c", min_balance_minor=None),
    opening("e", account_type="income", min_balance_minor=None),
    opening("x", currency="USD", min_balance_minor=None),
    opening("y", currency="USD", min_balance_minor=None),
    opening_book("side"),
    alerting("a", ("below", 20), ("above", 60), id="alerts:a"),
    paying("first", ("c", "a", 50), ("x", "y", 7, "USD")),
    holding("hold", ("a", "b", 10), ("c", "b", 30)),
)
#: Seconds between commands: nothing to speak of, past what is current, past a hold's end.
_waits = st.sampled_from([0, 0, 0, 0, 601, 3_601, 8 * 86_400])


@st.composite
def lives(draw: st.DrawFn, size_max: int = 8) -> list[Event]:
    """All events of a ledger that got up to `size_max` commands of any kind, in their order."""
    store, world = MemoryEventStore(), World()
    commands = world.commands(store)
    for command in _BEGINNING:
        commands.handle(command, ACTOR)
    drawn = draw(st.lists(st.tuples(drafts(), _waits), max_size=size_max))
    for number, (draft, wait) in enumerate(drawn):
        world.now += wait * 1_000_000
        payments = [
            event.id
            for event in _events(store)
            if isinstance(event, PaymentPosted | PaymentAuthorized)
        ]
        command = filled(draft, f"c{number}", Scene(3 * payments, world.now))
        with suppress(InvalidCommandError):  # a system command without ground: no event
            commands.handle(command, ACTOR)
    return _events(store)


def _events(store: MemoryEventStore) -> list[Event]:
    return [decode_event(stored.data) for stored in store.events()]
