"""Plots of section 4: scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench import results
from bench.plots.style import COLOURS, DASHED, describe, doublings, figure, pick, plain, save

Rows = list[dict[str, Any]]
_BETWEEN = ("disjoint accounts", "one payer", "two accounts")


def draw() -> list[Path]:
    """All of them, from what bench.scale found."""
    found = results.read("scale")["results"]
    return [
        _groups(found["groups"]),
        _postings(found["postings"]),
        _accounts(found["accounts"]),
        _quotas(found["rates"]),
    ]


def _groups(rows: Rows) -> Path:
    made, panels = figure(3, height=3.2)
    for axes, (y, title) in zip(
        panels,
        (
            ("client_cpu_ms_a_payment", "client CPU, ms a payment"),
            ("write_units_a_payment", "write units a payment"),
            ("requests_a_payment", "requests a payment"),
        ),
        strict=True,
    ):
        for colour, between in zip(COLOURS, _BETWEEN, strict=False):
            some = pick(rows, between=between)
            values = [row[y]["median"] if isinstance(row[y], dict) else row[y] for row in some]
            axes.plot([row["group"] for row in some], values, "o-", color=colour, label=between)
        describe(axes, title, "payments in a group", "")
        doublings(axes, (1, 2, 5, 10, 20, 49, 98))
        axes.set_ylim(bottom=0)
    panels[0].legend()
    return save(made, "scale-groups")


def _postings(rows: Rows) -> Path:
    made, (left, right) = figure(2, height=3.0)
    at = [row["postings"] for row in rows]
    left.plot(at, [row["write_units_a_payment"] for row in rows], "o-", color=COLOURS[0])
    describe(left, "Write units", "postings of a payment", "write units a payment")
    cpu = [row["client_cpu_ms_a_payment"]["median"] for row in rows]
    call = [row["call_ms_p50"]["median"] for row in rows]
    right.plot(at, cpu, "o-", color=COLOURS[1], label="client CPU")
    right.plot(at, call, "o-", color=COLOURS[2], label="answer, embedded engine")
    describe(right, "Time", "postings of a payment", "ms")
    right.legend()
    for axes in (left, right):
        axes.set_ylim(bottom=0)
    return save(made, "scale-postings")


def _accounts(rows: Rows) -> Path:
    made, panels = figure(2, height=3.0)
    at = [row["accounts"] for row in rows]
    for axes, (y, title) in zip(
        panels,
        (("call_ms_p50", "Answer, median"), ("client_cpu_ms_a_payment", "Client CPU a payment")),
        strict=True,
    ):
        for colour, form, label in (
            (COLOURS[0], "single", "one payment"),
            (COLOURS[1], "group_of_49", "a group of 49"),
        ):
            values = [row[form][y] for row in rows]
            axes.plot(at, [one["median"] for one in values], "o-", color=colour, label=label)
            low, high = [one["min"] for one in values], [one["max"] for one in values]
            axes.fill_between(at, low, high, color=colour, alpha=0.15, linewidth=0)
        describe(axes, title, "accounts in the ledger", "ms")
        axes.set_xscale("log")
        plain(axes)
    panels[0].legend()
    return save(made, "scale-accounts")


def _quotas(rows: Rows) -> Path:
    """The rates at which the first quotas are used up: of what is dearest, and of what is least."""
    made, panels = figure(2, height=3.8)
    for axes, form in zip(panels, (rows[0], rows[-1]), strict=True):
        first = form["quotas"][:8][::-1]
        names = [f"{one['where']}\n{_short(one['quota'])}" for one in first]
        colours = [COLOURS[0] if one["can_be_raised"] else COLOURS[1] for one in first]
        axes.barh(names, [one["breaks_at"] for one in first], color=colours, height=0.55)
        axes.axvline(1_000_000, ls=DASHED, color=COLOURS[5])
        axes.set_xscale("log")
        axes.set_xlim(1_000, 2_000_000)
        axes.tick_params(axis="y", labelsize=7)
        describe(axes, form["form"], "payments/s", "")
    return save(made, "scale-quotas")


def _short(quota: str) -> str:
    return quota.replace("_", " ")
