"""What velocity limits count of a movement: what it posts or newly holds, from the first unit."""

from __future__ import annotations

import msgspec
import pytest

from ledger.contracts.velocity import VelocityLimit
from ledger.domain.movements import Movement, velocity_refusals
from ledger.domain.stamp import Stamp
from ledger.domain.states import States
from ledger.domain.velocity import UNUSED
from tests.support.builders import NOON, state

NOTHING = VelocityLimit(
    name="none", window="day", direction="debits", currency="EUR", max_amount_minor=0
)


@pytest.mark.parametrize(
    ("posted", "pending", "refused"),
    [(1, 0, True), (0, 1, True), (1, -1, False), (2, -1, True), (0, -1, False), (0, 0, False)],
)
def test_a_limit_of_nothing_lets_only_releases_and_captures_pass(
    posted: int, pending: int, refused: bool
) -> None:
    """One minor unit posted, held, or captured beyond the hold counts; what was held before, and
    what is released, does not."""
    account = msgspec.structs.replace(state("a"), velocity=(NOTHING,), counters=(UNUSED,))
    movement = Movement("a", "postings[0].source", posted, 0, pending, 0)
    found = list(velocity_refusals(States.of([account]), [movement], Stamp(NOON, "me")))
    assert [one.reason.code for one in found] == ["velocity_limit_exceeded"] * refused
