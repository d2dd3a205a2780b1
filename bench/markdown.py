"""Figures as tables of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def rows_of(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of Markdown."""
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def shown(value: Mapping[str, float] | float, digits: int = 0) -> str:
    """A median, with the least and the most in brackets if they differ as shown."""
    if not isinstance(value, Mapping):
        return f"{value:,.{digits}f}"
    median, low, high = (f"{value[name]:,.{digits}f}" for name in ("median", "min", "max"))
    return median if low == high else f"{median} ({low} to {high})"
