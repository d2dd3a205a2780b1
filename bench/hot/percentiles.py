"""Percentiles of what was measured."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(ascending: Sequence[float], share: float) -> float:
    """The value that this share of all are at or below, to a tenth; 0 if there are none."""
    if not ascending:
        return 0.0
    return round(ascending[min(len(ascending) - 1, int(share * len(ascending)))], 1)
