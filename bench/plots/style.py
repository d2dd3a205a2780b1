"""How plots look: SVG that is the same every time, readable on light pages and on dark ones.

matplotlib writes fixed colours. Ink and paper are written as two that nothing else has, and then
replaced by variables of CSS, which follow what the reader's system prefers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

FOLDER: Final = Path(__file__).resolve().parents[2] / "docs" / "performance"
_INK: Final = "#123456"
_GRID: Final = "#654321"
#: On white and on the dark grey of code sites alike, at least 3:1 (WCAG 2.2, 1.4.11); in this order
#: they also differ for those who do not see red from green.
COLOURS: Final = ("#2f81f7", "#c9510c", "#8250df", "#1a7f64", "#bf8700", "#6e7781")
DASHED: Final = (0, (4, 3))
_VARIABLES: Final = """
<style>
 :root { --ink: #24292f; --grid: #d0d7de }
 @media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --grid: #3d444d } }
</style>
"""
_SETTINGS: Final = {
    "svg.fonttype": "none",
    "svg.hashsalt": "ledger",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": _GRID,
    "axes.labelcolor": _INK,
    "axes.titlecolor": _INK,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.6,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
}
mpl.rcParams.update(_SETTINGS)


def figure(panels: int = 1, *, height: float = 3.4) -> tuple[Figure, list[Axes]]:
    """A figure as wide as a page, with panels side by side."""
    made = Figure(figsize=(8.6, height), layout="constrained")
    axes = made.subplots(1, panels, squeeze=False)
    return made, list(axes[0])


def describe(axes: Axes, title: str, x: str, y: str) -> None:
    """What a panel shows, in which units."""
    axes.set_title(title, loc="left")
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def doublings(axes: Axes, at: Sequence[float]) -> None:
    """A horizontal axis of numbers each of which is a multiple of the last."""
    axes.set_xscale("log")
    axes.set_xticks(at, [f"{one:g}" for one in at])
    axes.minorticks_off()


def plain(axes: Axes) -> None:
    """A logarithmic vertical axis whose numbers are written out."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))


def save(made: Figure, name: str) -> Path:
    """Writes the figure into docs/performance."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.svg"
    made.savefig(path, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    text = path.read_text(encoding="utf-8")
    text = text.replace(_INK, "var(--ink)").replace(_GRID, "var(--grid)")
    text = re.sub(r"(<svg[^>]*>)", lambda found: found[1] + _VARIABLES, text, count=1)
    lines = (line.rstrip() for line in text.splitlines())
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def pick(rows: Iterable[dict[str, Any]], **wanted: object) -> list[dict[str, Any]]:
    """The rows that have these values."""
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]
