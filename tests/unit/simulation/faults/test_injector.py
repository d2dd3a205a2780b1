"""Where faults strike, and how that is counted."""

from __future__ import annotations

from random import Random

from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.hub import Hub
from simulation.kernel.trace import Trace


def injector(rate: float, *spared: int) -> Injector:
    return Injector(
        Random(1),
        {Fault.CALL_REFUSED: rate},
        Trace(Hub(0)),
        spares=lambda place: place in spared,
    )


def test_a_fault_strikes_at_its_rate_and_is_counted() -> None:
    """Of a kind with a rate some strike, and as many are counted; of one without, none does."""
    faults = injector(0.5)
    struck = sum(faults.strikes(Fault.CALL_REFUSED, "w") for _ in range(1_000))
    assert 400 < struck < 600
    assert faults.occurred == {Fault.CALL_REFUSED: struck}
    assert not any(faults.strikes(Fault.STALE_READ, "w") for _ in range(100))


def test_nothing_strikes_any_more_once_it_is_quiet() -> None:
    """After `quieten` nothing strikes, and rates are none."""
    faults = injector(1.0)
    faults.quieten()
    assert not faults.strikes(Fault.CALL_REFUSED, "w")
    assert faults.rate(Fault.CALL_REFUSED) == 0
    assert not faults.occurred


def test_spared_strikes_do_not_take_place_and_the_others_do() -> None:
    """A strike is spared by its place among all that would have been, and the rest stays."""
    all_of_them = [injector(0.5).strikes(Fault.CALL_REFUSED, "w") for _ in range(1)]
    faults, spared = injector(0.5), injector(0.5, 1, 3)
    before = [faults.strikes(Fault.CALL_REFUSED, "w") for _ in range(50)]
    after = [spared.strikes(Fault.CALL_REFUSED, "w") for _ in range(50)]
    places = [place for place, struck in enumerate(before) if struck]
    assert after == [
        struck and place not in (places[1], places[3]) for place, struck in enumerate(before)
    ]
    assert all_of_them == before[:1]
