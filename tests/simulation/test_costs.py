"""What a payment costs on this very stack, counted in the simulation."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from simulation.costs.bill import bill, read_cpu
from simulation.costs.measuring import Measured, measure
from simulation.costs.prices import read_prices
from simulation.costs.workload import Pattern, Way, Workload
from simulation.wiring.stack import read_wiring

ROOT = Path(__file__).resolve().parents[2]
SINGLE = Workload(tps=200, batch=1, payments=500)
QUEUED = Workload(tps=200, batch=1, way=Way.QUEUE, payments=500)
PAYOUTS = Workload(tps=200, batch=49, pattern=Pattern.PAYOUTS, payments=980)


@cache
def _measured(workload: Workload) -> Measured:
    return measure(read_wiring(ROOT), workload)


def _units(measured: Measured, table: str) -> float:
    """Write units that a payment takes of a table."""
    used = (one for one in measured.used if one.price == "write_unit" and one.where == table)
    return sum(one.amount for one in used) / measured.payments


@pytest.mark.parametrize(
    ("workload", "usd_max"),
    [(SINGLE, 17), (QUEUED, 13), (PAYOUTS, 8)],
    ids=["rest", "queue", "bulk"],
)
def test_a_million_payments_cost_no_more_than_promised(workload: Workload, usd_max: float) -> None:
    """Everything on, 200 payments a second: docs/cost.md promises these bounds."""
    made = bill(_measured(workload), read_prices(), read_wiring(ROOT), read_cpu())
    assert made.usd_per_million <= usd_max


def test_a_single_payment_takes_six_units_to_commit_and_two_for_its_verdict() -> None:
    """Two units for its event, two for each of two states; two for the event of its verdict. The
    few payments that were tried again after a conflict are not free."""
    measured = _measured(SINGLE)
    assert 4 <= _units(measured, "events table") < 4.1
    assert 4 <= _units(measured, "states table") < 4.2
    assert _units(measured, "history table") == 2


def test_payouts_in_bulk_share_the_state_of_their_payer() -> None:
    """49 payments and 50 states in one transaction: 4.1 units a payment, besides the verdict; and
    one request of the API for all of them."""
    measured = _measured(PAYOUTS)
    payment = _units(measured, "events table") - 2 + _units(measured, "states table")
    assert payment == pytest.approx(2 + 2 * 50 / 49)
    assert measured.of("api_request") == 20


def test_the_same_workload_is_measured_the_same() -> None:
    """Counting is repeatable: every run of one workload ends in the same bill."""
    workload = Workload(tps=20, batch=5, pattern=Pattern.PURCHASES, payments=50)
    wiring = read_wiring(ROOT)
    assert measure(wiring, workload) == measure(wiring, workload)
