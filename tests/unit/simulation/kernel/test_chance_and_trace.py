"""Chance that can be repeated, and the record of what it brought."""

from __future__ import annotations

from simulation.kernel.chance import Chance
from simulation.kernel.hub import Hub
from simulation.kernel.trace import Trace


def test_streams_are_repeatable_and_apart() -> None:
    """A stream draws the same numbers whenever it is made, whatever others draw; another seed or
    another name draws others."""
    drawn = Chance(1).stream("a").random()
    chance = Chance(1)
    chance.stream("b").random()
    assert chance.stream("a").random() == drawn
    assert len({drawn, chance.stream("b").random(), Chance(2).stream("a").random()}) == 3


def test_a_trace_tells_any_two_histories_apart() -> None:
    """The digest covers the instant, who, what and about what, and their order; whether entries
    are kept makes no difference to it."""

    def digest(*entries: tuple[int, str, str, str], kept: bool = False) -> str:
        hub = Hub(0)
        trace = Trace(hub, kept=kept)
        for at, *said in entries:
            hub.run(until=at)
            trace.add(*said)
        return trace.digest

    one, two = (1, "w", "does", "x"), (2, "w", "does", "y")
    assert digest(one, two) == digest(one, two, kept=True)
    others = {
        digest(one),
        digest(one, two),
        digest((1, *two[1:]), (2, *one[1:])),
        digest((2, "w", "does", "x"), two),
        digest((1, "v", "does", "x"), two),
        digest((1, "w", "did", "x"), two),
    }
    assert len(others) == 6
