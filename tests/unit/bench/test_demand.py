"""What rates ask of AWS, and which quota they meet first."""

from __future__ import annotations

from bench.scale.demand import PARTITION_FILL, Demand, size_at
from bench.scale.quotas import QUOTAS

DEMANDS = [
    Demand("concurrency", "all functions", 0.05),
    Demand("queue_mapping", "commands", 0.03),
    Demand("bus_requests", "ledger bus", 0.01),
    Demand("table_writes", "events table", 2.0),
    Demand("table_writes", "states table", 4.0),
]


def test_a_quota_breaks_where_it_is_used_up() -> None:
    """At the rate at which a quota breaks, demand is the limit, and just below it is not met."""
    for demand in DEMANDS:
        rate = demand.breaks_at
        assert rate * demand.each == QUOTAS[demand.quota].limit
        below, above = size_at(int(rate), DEMANDS, 1.0), size_at(int(rate) + 2, DEMANDS, 1.0)
        told = f"{demand.where}: {demand.limit.unit}"
        assert told not in below.exceeded
        assert told in above.exceeded


def test_there_are_partitions_for_all_writes() -> None:
    """No partition would take more than its limit if it were as full as it is assumed to be."""
    size = size_at(10_000, DEMANDS, 1.0)
    assert size.partitions == {"events table": 29, "states table": 58}
    for table, units in (("events table", 20_000), ("states table", 40_000)):
        assert units / size.partitions[table] <= QUOTAS["partition_writes"].limit * PARTITION_FILL
    assert size.shards == size.partitions["events table"]


def test_what_a_rate_takes_grows_with_it() -> None:
    """Ten times the payments take ten times the functions, the money, and never fewer partitions,
    and meet no quota less."""
    small, large = size_at(10_000, DEMANDS, 8.0), size_at(100_000, DEMANDS, 8.0)
    assert small.usd_per_hour == 288.0
    assert large.usd_per_hour == 2_880.0
    assert large.functions_at_work == {name: 10 * n for name, n in small.functions_at_work.items()}
    assert set(small.exceeded) < set(large.exceeded)
