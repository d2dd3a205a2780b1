"""A case is run with the ledger's own code, comes out the same every time, and adds up."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bench.hot.accounts import refuse_inexact
from bench.hot.cases import Case
from bench.hot.run import Run, figures_of

SHORT = Case(name="short", lanes=3, group=None, seconds=0.5)


class TestRun:
    """What figures rest on."""

    @pytest.mark.parametrize(
        "case",
        [SHORT, replace(SHORT, group=10), replace(SHORT, stripes=4), replace(SHORT, affinity=0.5)],
        ids=["one by one", "groups", "stripes", "no hot account"],
    )
    def test_a_seed_has_one_outcome(self, case: Case) -> None:
        """The same case comes to the same figures, and with another seed to others."""
        first = figures_of(case)
        assert first == figures_of(case)
        assert first != figures_of(replace(case, seed=2))
        assert first.payments_per_second > 0

    def test_one_lane_commits_as_often_as_a_transaction_takes(self) -> None:
        """A warm lane that has its account for itself does nothing but one transaction after the
        other, of 49 payments each: as many as the time of a transaction allows, within 6 %."""
        figures = figures_of(Case(name="one", lanes=1, seconds=2.0))
        assert figures.payments_per_commit == 49
        assert figures.attempts_per_commit == pytest.approx(1.0, abs=0.03)
        assert figures.payments_per_second == pytest.approx(49 / 0.020, rel=0.06)
        assert figures.write_units_per_payment == pytest.approx(2 + 2 * 50 / 49, rel=0.02)

    def test_writers_on_one_account_stand_in_each_others_way(self) -> None:
        """More writers on one account commit no more than one, and try more often."""
        one = figures_of(replace(SHORT, lanes=1, seconds=3.0))
        many = figures_of(replace(SHORT, lanes=8, seconds=3.0))
        assert many.commits_per_second < 1.2 * one.commits_per_second
        assert many.attempts_per_commit > 1.2 * one.attempts_per_commit

    def test_an_account_that_runs_out_pays_to_the_last_cent(self) -> None:
        """Of an account that is debited by many until its funds are used up, whatever stripes they
        are on, nothing is left that would have sufficed, and no payment is accepted too much."""
        case = replace(SHORT, lanes=4, side="debited", stripes=4, funds_minor=5_050, seconds=4.0)
        run = Run(case)
        figures = run.figures()
        assert figures.refused > 0
        assert run.accepted == {"merchant-0000": 50}

    def test_what_does_not_add_up_is_an_error(self) -> None:
        """A payment that an account has and nobody was told of is found."""
        run = Run(SHORT)
        run.figures()
        states = list(run.world.dynamodb.stored.states())
        refuse_inexact(SHORT, states, run.accepted)
        run.accepted["merchant-0000"] -= 1
        with pytest.raises(AssertionError, match="should have"):
            refuse_inexact(SHORT, states, run.accepted)

    def test_computing_takes_its_part(self) -> None:
        """A worker that computes for as long as its transaction takes commits half as often."""
        case = Case(name="one", lanes=1, seconds=1.0)
        idle = figures_of(case)
        busy = figures_of(replace(case, cpu=replace(case.cpu, call=20.0)))
        assert busy.payments_per_second == pytest.approx(idle.payments_per_second / 2, rel=0.1)
