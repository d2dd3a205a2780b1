"""What a partition takes in a second."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.hot.partitions import READS_A_SECOND_MAX, WRITES_A_SECOND_MAX, Capacity, Placement
from simulation.kernel.hub import SECOND

STEPS = st.lists(
    st.tuples(st.integers(0, SECOND // 3), st.integers(1, 400)), min_size=1, max_size=120
)


class TestCapacity:
    """What is taken in a second."""

    @given(STEPS)
    def test_no_second_takes_more_than_the_limit(self, steps: list[tuple[int, int]]) -> None:
        """In no window of a second, wherever it begins, is more taken than the limit."""
        capacity, now = Capacity(WRITES_A_SECOND_MAX), 0
        taken: list[tuple[int, int]] = []
        for pause, units in steps:
            now += pause
            if capacity.has_room(now, units):
                capacity.take(now, units)
                taken.append((now, units))
        for begin, _ in taken:
            within = sum(units for at, units in taken if begin <= at < begin + SECOND)
            assert within <= WRITES_A_SECOND_MAX

    @given(STEPS)
    def test_what_fits_is_taken(self, steps: list[tuple[int, int]]) -> None:
        """Nothing is refused that the second before it has room for."""
        capacity, now = Capacity(WRITES_A_SECOND_MAX), 0
        taken: list[tuple[int, int]] = []
        for pause, units in steps:
            now += pause
            before = sum(some for at, some in taken if at > now - SECOND)
            assert capacity.has_room(now, units) == (before + units <= WRITES_A_SECOND_MAX)
            if capacity.has_room(now, units):
                capacity.take(now, units)
                taken.append((now, units))

    def test_more_is_an_error(self) -> None:
        """Whoever takes without asking learns of it."""
        capacity = Capacity(READS_A_SECOND_MAX)
        capacity.take(0, READS_A_SECOND_MAX)
        with pytest.raises(ValueError, match="3000"):
            capacity.take(SECOND - 1, 1)
        capacity.take(SECOND, 1)


class TestPlacement:
    """Which items share a partition."""

    def test_each_of_the_hot_items_is_alone(self) -> None:
        """Items that are alone share their partition with no other item."""
        placement = Placement({"states": 4}, alone=["hot", "hotter"])
        others = {id(placement.of("states", f"item-{n}")) for n in range(200)}
        assert len(others) == 4
        assert len(others | {id(placement.of("states", one)) for one in ("hot", "hotter")}) == 6

    def test_items_that_are_together_share_one(self) -> None:
        """Items that are together are in one partition, the others in others."""
        placement = Placement({"states": 4}, together=["hot", "hotter"])
        assert placement.of("states", "hot") is placement.of("states", "hotter")
        assert placement.of("states", "cold") is not placement.of("states", "hot")

    def test_an_item_stays_where_it_is(self) -> None:
        """The same item is always in the same partition, and in another one of another table."""
        placement = Placement({"states": 40, "events": 40})
        items = [f"item-{Random(n).random()}" for n in range(20)]
        assert [placement.of("states", one) for one in items] == [
            placement.of("states", one) for one in items
        ]
        assert placement.of("states", "item") is not placement.of("events", "item")
