"""Plots of section 5: a payment's whole way on the local stack."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from bench import results
from bench.plots.style import COLOURS, DASHED, describe, doublings, figure, pick, save

_BATCHES: Final = (1, 10, 100)
_WAYS: Final = {"rest": "REST", "queue": "FIFO queue"}


def draw() -> list[Path]:
    """The one, from what bench.end_to_end found."""
    rows = results.read("end_to_end")["results"]
    made, (left, right) = figure(2)
    for colour, (way, name) in zip(COLOURS, _WAYS.items(), strict=False):
        some: list[dict[str, Any]] = pick(rows, way=way)
        at = [row["batch"] for row in some]
        for percentile, line in (("p50", "solid"), ("p99", DASHED)):
            seconds = [row["at_rest"]["visible_ms"][percentile] / 1000 for row in some]
            label = f"{name}, {percentile}"
            left.plot(at, seconds, "o", ls=line, color=colour, label=label)
        for figure_, line, word in (
            ("answered_per_second", "solid", "taken"),
            ("visible_per_second", DASHED, "in the balances"),
        ):
            rates = [row["at_full_rate"][figure_] for row in some]
            right.plot(at, rates, "o", ls=line, color=colour, label=f"{name}, {word}")
    describe(left, "From command to balance, nothing else waiting", "payments in a batch", "s")
    describe(right, "At full rate", "payments in a batch", "payments/s")
    right.set_yscale("log")
    for axes in (left, right):
        doublings(axes, _BATCHES)
        axes.legend()
    left.set_ylim(bottom=0)
    return [save(made, "end-to-end")]
