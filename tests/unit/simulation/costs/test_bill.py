"""A bill is what was measured times the price table, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulation.costs.bill import Cpu, bill
from simulation.costs.measuring import FunctionUse, Measured
from simulation.costs.prices import PricesError, read_prices
from simulation.costs.savings import savings
from simulation.costs.usage import Used
from simulation.costs.workload import Workload
from simulation.wiring.model import Schedule, Wiring

_CPU = Cpu(
    date="2026-11-22",
    source="made up",
    cpu_ms_per_invocation=1.0,
    cpu_ms_per_call=2.0,
    cpu_ms_per_record=0.0,
    memory_mb_of_one_cpu=1769,
)
_NOTHING = Wiring(
    tables=(),
    queues=(),
    buses=(),
    rules=(),
    topics=(),
    subscriptions=(),
    functions=(),
    queue_mappings=(),
    stream_mappings=(),
    schedules=(Schedule("Expiry", 60, 0),),
    routes=(),
    resources={"AWS::KMS::Key": 2},
)


def _measured(*used: Used, functions: tuple[FunctionUse, ...] = ()) -> Measured:
    return Measured(
        workload=Workload(tps=1, batch=1),
        payments=10,
        used=used,
        functions=functions,
        stored_bytes={"events": 10_000},
        metrics=3,
    )


def test_a_line_is_amount_times_price() -> None:
    """Sixty write units for ten payments are six each: $3.75 a million, at one a second $9.86 a
    month of 730 hours."""
    made = bill(_measured(Used("write_unit", "events table", 60)), read_prices(), _NOTHING, _CPU)
    line = next(line for line in made.lines if line.price == "write_unit")
    assert (line.area, line.item, line.amount) == ("DynamoDB", "events table", 6)
    assert line.usd_per_million == pytest.approx(3.75)
    assert line.usd_per_month == pytest.approx(3.75e-6 * 2_628_000)


def test_compute_is_waiting_and_what_is_computed_on_a_share_of_a_cpu() -> None:
    """Ten invocations that wait 100 ms in all and compute 1 ms and two calls of 2 ms each, with
    half a CPU: 100 + 50 / 0.5 ms at 0.86 GB."""
    function = FunctionUse("Api", 884, 10, 20, 0, 100)
    cpu = Cpu(
        **{**{name: getattr(_CPU, name) for name in _CPU.__struct_fields__}}
        | {"memory_mb_of_one_cpu": 1768}
    )
    made = bill(_measured(functions=(function,)), read_prices(), _NOTHING, cpu)
    line = next(line for line in made.lines if line.price == "compute")
    assert line.amount == pytest.approx((100 + 50 / 0.5) / 1000 * 884 / 1024 / 10)


def test_what_is_paid_by_the_month_is_none_of_a_million_payments() -> None:
    """Two keys are $2 a month, and nothing of the price of a payment."""
    made = bill(_measured(), read_prices(), _NOTHING, _CPU)
    keys = next(line for line in made.lines if line.item == "keys")
    assert keys.by == "month"
    assert keys.usd_per_month == 2
    assert made.usd_per_million == 0
    assert made.usd_to_keep == pytest.approx(1_000 / 1e9 * (0.25 + 0.2) * 1_000_000)
    assert made.usd_per_month > 2


def test_a_bill_is_the_sum_of_its_lines() -> None:
    """Nothing is added that no line shows."""
    used = (Used("write_unit", "events table", 60), Used("bus_entry", "bus", 10))
    made = bill(_measured(*used), read_prices(), _NOTHING, _CPU)
    assert made.usd_per_month == pytest.approx(sum(line.usd_per_month for line in made.lines))


def test_packing_saves_the_entries_and_messages_that_are_not_sent() -> None:
    """A hundred events in ten entries: 90 entries, and in each queue 90 sends, receives and
    deletes by ten."""
    used = (
        Used("bus_entry", "bus", 10),
        Used("bus_event", "bus", 100),
        Used("queue_event", "balances", 100),
        Used("queue_request", "balances queue", 12),
    )
    function = FunctionUse("Balances", 512, 10, 10, 10, 10)
    measured = _measured(*used, functions=(function,))
    made = bill(measured, read_prices(), _NOTHING, _CPU)
    packs = next(iter(savings(made)))
    expected = 90 * 1.0 / 10 + (100 * 1.2 - 12) * 0.4 / 10
    assert packs.usd_per_million == pytest.approx(expected)


def test_a_price_that_is_missing_is_named() -> None:
    """A price table of one's own that lacks something says what."""
    prices = read_prices()
    with pytest.raises(PricesError, match=r"prices\.teleport: missing"):
        prices.usd("teleport", 1)


def test_a_file_that_is_no_price_table_is_refused(tmp_path: Path) -> None:
    """With its name and the place of the fault."""
    broken = tmp_path / "mine.json"
    broken.write_text('{"date": 1}')
    with pytest.raises(PricesError, match=r"mine\.json: .*date"):
        read_prices(broken)
    with pytest.raises(PricesError, match=r"absent\.json"):
        read_prices(tmp_path / "absent.json")


def test_every_price_says_what_it_is_of() -> None:
    """The shipped table is dated, and no price is free or a mistake of sign."""
    prices = read_prices()
    assert prices.date >= "2026-11-01"
    assert all(price.usd > 0 and price.per > 0 and price.what for price in prices.prices.values())
