"""Velocity limits as commands say them: their shape, and what a schema cannot say."""

from __future__ import annotations

import msgspec
import pytest

from ledger.contracts import reasons
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.contracts.reasons import Violation
from ledger.contracts.velocity import VelocityLimit, velocity_faults

DAILY: dict[str, object] = {
    "name": "payouts",
    "window": "day",
    "direction": "debits",
    "currency": "EUR",
    "max_amount_minor": 10_000,
}
ROLLING = DAILY | {"name": "last-24h", "window": "rolling", "hours": 24}


def limits(*given: dict[str, object]) -> list[VelocityLimit]:
    """The limits that these objects are read as."""
    return msgspec.convert(list(given), list[VelocityLimit])


def test_sound_limits_have_no_fault() -> None:
    """An amount, a number or both; hours where the window is rolling; 0 is a bound too."""
    none = {"name": "none", "max_amount_minor": 0, "max_count": 0}
    assert list(velocity_faults(limits(DAILY, ROLLING, DAILY | none))) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"hours": 24}, "velocity[1].hours"),
        ({"window": "rolling"}, "velocity[1].hours"),
        ({"name": "last-24h"}, "velocity[1].name"),
        ({"name": "payouts\n"}, "velocity[1].name"),
    ],
)
def test_a_limit_that_contradicts_itself(change: dict[str, object], field: str) -> None:
    """Hours without a rolling window, or none with one; a name used twice, or with a line end."""
    found = list(velocity_faults(limits(ROLLING, DAILY | change)))
    assert found == [Violation(reasons.INVALID_VELOCITY, field)]


def test_a_limit_limits_something() -> None:
    """An amount, a number of payments or both."""
    idle = {name: value for name, value in DAILY.items() if name != "max_amount_minor"}
    assert list(velocity_faults(limits(idle), "limits")) == [
        Violation(reasons.INVALID_VELOCITY, "limits[0]")
    ]


def test_a_limit_is_in_a_currency() -> None:
    """One of ISO 4217."""
    assert list(velocity_faults(limits(DAILY | {"currency": "XXX"}))) == [
        Violation(reasons.UNKNOWN_CURRENCY, "velocity[0].currency")
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "Upper"},
        {"name": "a" * 33},
        {"window": "year"},
        {"window": "rolling", "hours": 0},
        {"window": "rolling", "hours": 169},
        {"direction": "both"},
        {"max_amount_minor": -1},
        {"max_amount_minor": AMOUNT_MINOR_MAX + 1},
        {"max_count": -1},
        {"max_count": 1.5},
        {"other": 1},
    ],
)
def test_the_shape_of_a_limit(change: dict[str, object]) -> None:
    """Plain names, known windows and sides, bounds from 0, nothing unknown."""
    with pytest.raises(msgspec.ValidationError):
        limits(DAILY | change)
