"""A striped account behaves as one that is not: for every outcome, refusal and total."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.contracts.commands import Command
from tests.properties.striped_twins import Twins, sent, stripes

openings = st.tuples(
    st.lists(stripes, min_size=3, max_size=3),
    st.lists(st.integers(0, 5), min_size=2, max_size=2),
)


@settings(max_examples=60, deadline=None)
@given(openings, st.lists(sent, min_size=10, max_size=50))
def test_a_striped_account_behaves_as_an_unstriped_one(
    opened: tuple[list[int], list[int]], script: list[tuple[Command, int, int]]
) -> None:
    """Whatever is sent, with whichever spread, and however the stripes are changed in between: the
    same is accepted, the same refused for the same reason and figures, and totals add up to the
    same. Leases always add up to the limits, and are kept."""
    twins = Twins(*opened)
    seconds = 0
    for command, later, spread in script:
        seconds += later
        twins.send(command, seconds, spread)
        twins.agree()
    twins.verified()


_steps = st.one_of(
    st.tuples(st.just("begin"), sent), st.tuples(st.just("finish"), st.integers(0, 5))
)


@settings(max_examples=60, deadline=None)
@given(openings, st.lists(_steps, min_size=15, max_size=70))
def test_workers_that_overtake_each_other_decide_as_one_after_the_other(
    opened: tuple[list[int], list[int]], steps: list[tuple[str, Any]]
) -> None:
    """However reads, decisions and commits interleave: what commits is what the unstriped ledger
    decides at that moment. So conditions on the stripes used are enough, and a refusal is right."""
    twins = Twins(*opened)
    for what, given_ in steps:
        if what == "begin":
            command, _, spread = given_
            twins.begin(command, spread)
        elif twins.pending:
            twins.finish(given_)
            twins.agree()
    while twins.pending:
        twins.finish(0)
    twins.agree()
    twins.verified()
