"""The curve of latencies is the published one, and its level is what is asked for."""

from random import Random
from statistics import mean, quantiles

import pytest

from bench.hot.latency import PUBLISHED_MS, Latency


class TestLatency:
    """Times of transactions and of reads."""

    def test_the_level_is_the_mean_of_a_full_transaction(self) -> None:
        """A transaction of 100 actions takes what the level says, on average."""
        random, latency = Random(1), Latency(20.0)
        drawn = [latency.transaction(100, random) for _ in range(40_000)]
        assert mean(drawn) == pytest.approx(20_000, rel=0.01)

    @pytest.mark.parametrize(
        ("actions", "middle", "ninetieth", "last"), [(5, 25.3, 30.7, 92.5), (25, 32.1, 40.5, 97.5)]
    )
    def test_the_published_figures_are_met(
        self, actions: int, middle: float, ninetieth: float, last: float
    ) -> None:
        """At the published level, transactions take what they took in the measurement: within 5 %
        in the middle, 10 % at the 90th percentile and 30 % at the 99th."""
        random, latency = Random(2), Latency(PUBLISHED_MS)
        drawn = [latency.transaction(actions, random) / 1000 for _ in range(40_000)]
        at = quantiles(drawn, n=100)
        assert at[49] == pytest.approx(middle, rel=0.05)
        assert at[89] == pytest.approx(ninetieth, rel=0.10)
        assert at[98] == pytest.approx(last, rel=0.30)

    def test_more_takes_longer(self) -> None:
        """More actions take longer, more keys too, and a read less than a transaction."""
        latency = Latency(20.0)
        transactions = [latency.transaction_mean(actions) for actions in range(1, 101)]
        reads = [latency.read_mean(keys) for keys in range(1, 101)]
        assert transactions == sorted(set(transactions))
        assert reads == sorted(set(reads))
        assert all(read < written for read, written in zip(reads, transactions, strict=True))
