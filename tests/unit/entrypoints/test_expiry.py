"""The sweep: what it releases, for how long it goes on, and what its line says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pytest

from ledger.adapters.dynamodb.event_store import Meter
from ledger.application.commit import DECIDING_MILLISECONDS_MAX
from ledger.application.expiry import Swept, release_due
from ledger.application.ports import EventStore
from ledger.contracts.events import PaymentExpired, PaymentVoided, decode_event
from ledger.contracts.primitives import instant_of_microseconds
from ledger.contracts.subjects import Key, payment_key
from ledger.domain.accounts import BrokenStateError
from ledger.domain.states import States
from ledger.entrypoints.expiry import (
    DUE_AT_A_TIME,
    Answer,
    make_handler,
)
from ledger.runtime.settings import SettingsError
from tests.support.builders import NOON_MICROSECONDS, holding, opening, voiding
from tests.support.records import Context, Lines
from tests.support.stores import FaultyStore, OpenStore
from tests.support.worlds import World, accepted_by
from tests.unit.entrypoints.conftest import FunctionModule

NOW = NOON_MICROSECONDS
MINUTE = 60_000_000
NOTHING = Swept(expired=0, failed=0, oldest_due=None, causes={})


class Sweeper:
    """Releases one hold after the other for as long as it is let, then says `swept`."""

    def __init__(self, swept: Swept | Exception, holds: int = 0) -> None:
        self.swept = swept
        self.holds = holds
        self.released = 0

    def __call__(self, has_time: Callable[[], bool]) -> Swept:
        """See `make_handler`."""
        while self.released < self.holds and has_time():
            self.released += 1
        if isinstance(self.swept, Exception):
            raise self.swept
        return self.swept


class Function:
    """The handler and what it touches."""

    def __init__(self, sweeper: Sweeper) -> None:
        self.lines = Lines()
        self.meter = Meter(requests=3, write_units=6.0, cancelled=1)
        self.handler = make_handler(
            sweep=sweeper, meter=self.meter, clock=lambda: NOW, telemetry=self.lines.telemetry
        )

    def __call__(self, context: Context | None = None) -> Answer:
        """One call of the schedule."""
        return self.handler({}, context or Context(50_000))


def due(microseconds_ago: int) -> str:
    """The instant of a hold that has been due for so long."""
    return instant_of_microseconds(NOW - microseconds_ago)


def swept(expired: int, *, due_for: int) -> Swept:
    """A sweep that met with nothing in its way."""
    return Swept(expired=expired, failed=0, oldest_due=due(due_for), causes={})


def test_a_sweep_says_what_it_released() -> None:
    """In its answer, in metrics and in its one line, with what it cost."""
    function = Function(Sweeper(swept(4, due_for=MINUTE + 999_999)))
    assert function() == {"expired": 4, "failed": 0}
    [line] = function.lines.lines
    assert line.level == "info"
    assert line.metrics == {
        "CommandsDecided": ("Count", 4),
        "HoldsExpired": ("Count", 4),
        "OldestDueSeconds": ("Seconds", 60),
    }
    notes = {"requests": 3, "write_units": 6, "cancelled": 1}
    assert line.notes == {"request_id": "request-1", "cold_start": True, **notes}


def test_a_sweep_that_found_nothing_says_so() -> None:
    """An alarm counts sweeps by this metric: it is there at 0 as well."""
    function = Function(Sweeper(NOTHING))
    assert function() == {"expired": 0, "failed": 0}
    assert function.lines.count("HoldsExpired") == 0
    assert function.lines.count("OldestDueSeconds") == 0
    assert function.lines.last.level == "info"


def test_holds_that_stay_are_told_of_with_what_stood_in_the_way() -> None:
    """Conflicts and a clock that is behind are counted as they are for every function that
    commits; the rest is in the line."""
    causes = {"stale": 2, "conflict": 3, "skewed": 1, "throttled": 4}
    function = Function(
        Sweeper(Swept(expired=1, failed=2, oldest_due=due(7 * MINUTE), causes=causes))
    )
    assert function() == {"expired": 1, "failed": 2}
    lines = function.lines
    assert lines.last.level == "warning"
    assert lines.last.notes["causes"] == causes
    assert lines.count("HoldsNotExpired") == 2
    assert lines.count("CommitConflicts") == 5
    assert lines.count("ClockSkewRefused") == 1
    assert lines.count("OldestDueSeconds") == 420


def test_a_hold_that_another_clock_found_due_is_not_due_for_less_than_nothing() -> None:
    """Ages are never negative."""
    function = Function(Sweeper(swept(1, due_for=-MINUTE)))
    function()
    assert function.lines.count("OldestDueSeconds") == 0


def test_a_release_is_not_begun_with_less_time_than_it_may_take() -> None:
    """What is left then is left to the next sweep."""
    sweeper = Sweeper(NOTHING, holds=5)
    enough = DECIDING_MILLISECONDS_MAX
    Function(sweeper)(Context(2 * enough, enough, enough - 1))
    assert sweeper.released == 2


def test_a_sweep_that_fails_is_an_error() -> None:
    """Of the function: its alarm counts it. The line names it."""
    function = Function(Sweeper(RuntimeError("states")))
    with pytest.raises(RuntimeError):
        function()
    assert function.lines.last.level == "error"
    assert function.lines.last.notes["exception"] == "RuntimeError"
    assert function.lines.last.metrics == {}


class CorruptStore(FaultyStore):
    """A store in which one state is none that anybody wrote."""

    def __init__(self, store: EventStore, corrupt: Key) -> None:
        super().__init__(store)
        self._corrupt = corrupt

    def load(self, keys: Sequence[Key]) -> States:
        if self._corrupt in keys:
            raise BrokenStateError(str(self._corrupt))
        return super().load(keys)


class Ledger:
    """A store with holds in it, each of 1 unit, that expire minutes after noon."""

    def __init__(self, **minutes: int) -> None:
        self.store = OpenStore()
        self.world = World()
        commands = self.world.commands(self.store)
        for command in (opening("shop"), opening("purse", min_balance_minor=None)):
            accepted_by(commands, command)
        for name, minute in minutes.items():
            expires_at = instant_of_microseconds(NOW + minute * MINUTE)
            accepted_by(commands, holding(name, ("purse", "shop", 1), expires_at=expires_at))

    def sweep(
        self, minute: float, *, context: Context | None = None, store: EventStore | None = None
    ) -> Answer:
        """A sweep so many minutes after noon, of the store as another one shows it."""
        self.world.now = round(NOW + minute * MINUTE)
        shown = store or self.store
        commands = self.world.commands(shown)
        release = partial(release_due, shown, commands, self.world.clock, DUE_AT_A_TIME)
        handler = make_handler(
            sweep=release, meter=Meter(), clock=self.world.clock, telemetry=Lines().telemetry
        )
        return handler({}, context or Context(50_000))

    def void(self, name: str) -> None:
        """Somebody gives a hold up."""
        accepted_by(self.world.commands(self.store), voiding(name))

    @property
    def released(self) -> list[str]:
        """The holds that ended by their expiry, in the order in which they did."""
        events = (decode_event(stored.data) for stored in self.store.events())
        return [event.payment for event in events if isinstance(event, PaymentExpired)]

    @property
    def pending_minor(self) -> int:
        """What is held."""
        return self.store.state("purse").debits_pending_minor


def test_what_is_due_is_released_and_nothing_else() -> None:
    """The longest due first, each once, whatever sweeps come after; money held is free again."""
    ledger = Ledger(later=9, second=2, first=1)
    assert ledger.pending_minor == 3
    assert ledger.sweep(0.5) == {"expired": 0, "failed": 0}
    assert ledger.sweep(3) == {"expired": 2, "failed": 0}
    assert ledger.released == ["first", "second"]
    assert ledger.pending_minor == 1
    assert ledger.sweep(3.5) == {"expired": 0, "failed": 0}
    assert ledger.sweep(10) == {"expired": 1, "failed": 0}
    assert ledger.pending_minor == 0


def test_a_sweep_takes_more_than_one_look_if_it_must() -> None:
    """It asks for so many at a time, until nothing is due."""
    holds = {f"h{number}": 1 for number in range(2 * DUE_AT_A_TIME + 1)}
    ledger = Ledger(**holds)
    assert ledger.sweep(2) == {"expired": len(holds), "failed": 0}
    assert ledger.pending_minor == 0


def test_a_hold_that_cannot_be_released_now_keeps_no_other() -> None:
    """It is tried once in a sweep, and again in the next one."""
    ledger = Ledger(first=1, second=2)
    down = FaultyStore(ledger.store, loading=["unavailable"])
    assert ledger.sweep(3, store=down) == {"expired": 1, "failed": 1}
    assert ledger.released == ["second"]
    assert ledger.sweep(4) == {"expired": 1, "failed": 0}
    assert ledger.released == ["second", "first"]


def test_a_broken_hold_keeps_no_other() -> None:
    """Else the oldest one would keep all that come after it, for ever."""
    ledger = Ledger(first=1, second=2)
    corrupt = CorruptStore(ledger.store, payment_key("first"))
    assert ledger.sweep(3, store=corrupt) == {"expired": 1, "failed": 1}
    assert ledger.released == ["second"]


def test_a_sweep_goes_on_where_the_one_before_had_no_more_time() -> None:
    """Nothing is lost by stopping."""
    ledger = Ledger(first=1, second=2, third=3)
    no_more = DECIDING_MILLISECONDS_MAX - 1
    assert ledger.sweep(4, context=Context(50_000, no_more)) == {"expired": 1, "failed": 0}
    assert ledger.released == ["first"]
    assert ledger.sweep(5) == {"expired": 2, "failed": 0}


def test_a_hold_that_ends_otherwise_in_between_is_left_alone() -> None:
    """Found due, voided before its release: the hold was voided, and the sweep has nothing to
    tell of."""
    ledger = Ledger(first=1)
    voided = FaultyStore(ledger.store, meanwhile=[partial(ledger.void, "first")])
    assert ledger.sweep(2, store=voided) == {"expired": 0, "failed": 0}
    assert ledger.released == []
    [end] = [
        event
        for stored in ledger.store.events()
        if isinstance(event := decode_event(stored.data), PaymentVoided)
    ]
    assert end.payment == "first"
    assert ledger.pending_minor == 0


def test_nothing_is_built_before_the_first_call(function_module: FunctionModule) -> None:
    """Importing the module made nothing; the first call reads the settings and names what is
    missing."""
    handler, _ = function_module("expiry")
    with pytest.raises(SettingsError) as raised:
        handler({}, Context())
    assert set(raised.value.names) == {"EVENTS_TABLE", "STATES_TABLE"}
