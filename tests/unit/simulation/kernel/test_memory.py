"""Memory while a world runs."""

from __future__ import annotations

import gc

import pytest

from simulation.kernel.memory import rarely_collected


@rarely_collected()
def fails() -> None:
    """Ends in an error that tells the thresholds in force."""
    raise ValueError(gc.get_threshold())


def test_garbage_is_looked_for_as_before_in_the_end() -> None:
    """Even after an error, and nothing is left out of it for ever."""
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    with pytest.raises(ValueError, match="0") as failed:
        fails()
    assert failed.value.args[0] > before
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() <= frozen
