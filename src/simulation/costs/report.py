"""A bill, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from simulation.costs.bill import MILLION, Bill, Line, by_area
from simulation.costs.savings import Saving


def value(bill: Bill, saved: Sequence[Saving]) -> dict[str, Any]:
    """For programs: the sums, every line, and what it was counted from."""
    measured = bill.measured
    return {
        "usd_per_million": round(bill.usd_per_million, 4),
        "usd_per_million_kept_a_month": round(bill.usd_to_keep, 4),
        "usd_per_month": round(bill.usd_per_month, 2),
        "payments_per_month": round(bill.payments_per_month),
        "workload": msgspec.to_builtins(measured.workload),
        "prices": {"date": bill.prices.date, "region": bill.prices.region},
        "areas": by_area(bill.lines),
        "lines": msgspec.to_builtins(bill.lines),
        "savings": msgspec.to_builtins(saved),
        "functions": msgspec.to_builtins(measured.functions),
    }


def line_rows(lines: Sequence[Line]) -> Iterator[tuple[str, ...]]:
    """Area, item, what is paid for, how much of it a payment takes, per million, per month."""
    for line in sorted(lines, key=lambda one: (one.area, one.by == "month", -one.usd_per_month)):
        each = f"{line.amount:,.0f} in all" if line.by == "month" else _amount(line.amount)
        million = "" if line.usd_per_million is None else f"{line.usd_per_million:,.3f}"
        yield line.area, line.item, line.price, each, million, f"{line.usd_per_month:,.2f}"


def area_rows(bill: Bill) -> Iterator[tuple[str, ...]]:
    """Area, per million, per month, share of the month."""
    for area, sums in by_area(bill.lines).items():
        share = sums["usd_per_month"] / bill.usd_per_month
        million = f"{sums['usd_per_million']:,.2f}"
        yield area, million, f"{sums['usd_per_month']:,.2f}", f"{share:.0%}"


def sums(bill: Bill) -> list[str]:
    """What it comes to, in sentences."""
    anyway = sum(line.usd_per_month for line in bill.lines if line.by == "month")
    made, kept = f"{bill.usd_per_million:,.2f} USD", f"{bill.usd_to_keep:,.2f} USD"
    return [
        f"a million payments: {made}, and {kept} for each month that they are kept",
        f"a month at that rate: {bill.usd_per_month:,.2f} USD, {anyway:,.2f} of it in any case",
    ]


def saving_rows(saved: Sequence[Saving]) -> Iterator[tuple[str, str]]:
    """What a choice is, and what it saves of a million."""
    for one in saved:
        yield one.choice, f"{one.usd_per_million:+,.2f}"


def head(bill: Bill) -> list[str]:
    """What the bill is of, in sentences."""
    workload, prices = bill.measured.workload, bill.prices
    together = "one by one" if workload.batch == 1 else f"{workload.batch} in each request"
    millions = bill.payments_per_month / MILLION
    what = (
        f"{workload.pattern} over {workload.way}, {together}, {workload.tps:g} a second: "
        f"{millions:,.0f} million a month of 730 hours; counted by {workload.payments:,} of them"
    )
    return [
        what,
        f"prices: {prices.region}, {prices.date}, on demand, without free tiers",
    ]


def _amount(amount: float) -> str:
    return f"{amount:.4f}" if amount >= 0.001 else f"{amount:.2e}"
