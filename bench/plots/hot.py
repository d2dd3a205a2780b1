"""Plots of section 3: one hot account."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes

from bench import results
from bench.plots.style import COLOURS, DASHED, describe, doublings, figure, pick, plain, save

Rows = list[dict[str, Any]]
_LANES: Final = (1, 2, 4, 8, 16, 32)


def draw() -> list[Path]:
    """All of them, from what bench.hot_model and bench.hot_engine found."""
    model = results.read("hot_model")["results"]
    engine = results.read("hot_engine")["results"]
    return [
        _one_account(model["one_account"]),
        _attempts(model["one_account"]),
        _one_lane(model["one_lane"]),
        _stripes(model["stripes"], model["sixteen_lanes"]),
        _cache(model["cache"]),
        _engine(engine),
    ]


def _line(
    axes: Axes, rows: Rows, x: str, y: str, *, label: str, colour: str, dashed: bool = False
) -> None:
    """A line through medians, and a band from the least to the most."""
    at = [row[x] for row in rows]
    style = DASHED if dashed else "solid"
    axes.plot(at, [row[y]["median"] for row in rows], "o", ls=style, color=colour, label=label)
    axes.fill_between(
        at,
        [row[y]["min"] for row in rows],
        [row[y]["max"] for row in rows],
        color=colour,
        alpha=0.15,
        linewidth=0,
    )


def _named(form: str, stripes: int) -> str:
    return form if stripes == 1 else f"{form}, {stripes} stripes"


def _striped(axes: Axes, rows: Rows, form: str, y: str) -> None:
    for colour, stripes in zip(COLOURS, (1, 4, 16), strict=False):
        label = "1 stripe" if stripes == 1 else f"{stripes} stripes"
        some = pick(rows, name=_named(form, stripes))
        _line(axes, some, "lanes", y, label=label, colour=colour)


def _one_account(rows: Rows) -> Path:
    made, panels = figure(2)
    for axes, form in zip(panels, ("one by one", "groups of 49"), strict=True):
        _striped(axes, rows, form, "payments_per_second")
        own = pick(rows, name=f"{form}, an account each")
        y = "payments_per_second"
        _line(axes, own, "lanes", y, label="an account each", colour=COLOURS[5], dashed=True)
        describe(axes, f"Payments/s on one account, {form}", "writers", "payments/s")
        doublings(axes, _LANES)
        plain(axes)
        axes.legend(loc="upper left")
    return save(made, "hot-account")


def _attempts(rows: Rows) -> Path:
    made, panels = figure(2)
    for axes, y, title, unit in (
        (panels[0], "p99_ms", "99th percentile of the answer", "ms"),
        (panels[1], "attempts_per_commit", "Transactions tried for one that commits", "attempts"),
    ):
        for colour, (form, stripes) in zip(
            COLOURS,
            (("one by one", 1), ("one by one", 16), ("groups of 49", 1), ("groups of 49", 16)),
            strict=False,
        ):
            name = _named(form, stripes)
            _line(axes, pick(rows, name=name), "lanes", y, label=name, colour=colour)
        describe(axes, title, "writers on one account", unit)
        doublings(axes, _LANES)
        plain(axes)
    panels[1].legend(loc="upper left")
    return save(made, "hot-account-attempts")


def _one_lane(rows: Rows) -> Path:
    made, (axes,) = figure()
    levels = sorted({row["full_ms"] for row in rows})
    axes.plot(
        levels,
        [49_000 / level for level in levels],
        ls=DASHED,
        color=COLOURS[5],
        label="49 payments each transaction's time",
    )
    for colour, (name, label) in zip(
        COLOURS,
        (
            ("groups of 49, no CPU", "groups of 49, a worker that computes nothing"),
            ("groups of 49", "groups of 49, a worker as measured"),
            ("one by one", "one by one"),
        ),
        strict=False,
    ):
        some = pick(rows, name=name)
        _line(axes, some, "full_ms", "payments_per_second", label=label, colour=colour)
    describe(
        axes,
        "One lane on one account",
        "mean time of a transaction of 100 actions, ms",
        "payments/s",
    )
    doublings(axes, levels)
    plain(axes)
    axes.legend()
    return save(made, "one-lane")


def _stripes(rows: Rows, sixteen: Rows) -> Path:
    made, (left, right) = figure(2)
    for colour, form in zip(COLOURS, ("one by one", "groups of 49"), strict=False):
        some = [row for row in rows if row["name"].startswith(form)]
        _line(left, some, "stripes", "payments_per_second", label=form, colour=colour)
        first = some[0]["payments_per_second"]["median"]
        at = [row["stripes"] for row in some]
        left.plot(at, [first * one for one in at], ls=DASHED, color=colour, linewidth=1)
    describe(left, "32 writers on one account (dashed: linear)", "stripes", "payments/s")
    doublings(left, (1, 2, 4, 8, 16, 32))
    plain(left)
    left.legend()
    own = {
        row["full_ms"]: row["payments_per_second"]["median"]
        for row in pick(sixteen, name="groups of 49, an account each")
    }
    for colour, stripes in zip(COLOURS, (16, 32), strict=False):
        some = pick(sixteen, name=_named("groups of 49", stripes))
        at = [row["full_ms"] for row in some]
        share = [row["payments_per_second"]["median"] / own[row["full_ms"]] for row in some]
        right.plot(at, share, "o-", color=colour, label=f"{stripes} stripes")
    right.axhline(0.5, ls=DASHED, color=COLOURS[5], label="target")
    right.set_ylim(0, 1.05)
    describe(
        right,
        "16 lanes sharing a payee, of 16 that do not",
        "mean time of a full transaction, ms",
        "share",
    )
    doublings(right, sorted(own))
    right.legend(loc="lower right")
    return save(made, "stripes")


def _cache(rows: Rows) -> Path:
    made, panels = figure(3, height=3.2)
    for axes, y, unit in zip(
        panels,
        ("payments_per_second", "write_units_per_payment", "reads_per_payment"),
        ("payments/s", "write units a payment", "reads a payment"),
        strict=True,
    ):
        for colour, name in zip(COLOURS, ("states remembered", "states read"), strict=False):
            some = sorted(pick(rows, name=name), key=lambda row: row["affinity"])
            _line(axes, some, "affinity", y, label=name, colour=colour)
        describe(axes, unit, "share of payments on accounts\nthat are the worker's own", "")
    panels[2].legend(loc="lower left")
    return save(made, "state-cache")


def _engine(rows: Rows) -> Path:
    made, panels = figure(2)
    for axes, form in zip(panels, ("one by one", "groups of 49"), strict=True):
        _striped(axes, rows, form, "payments_per_second")
        describe(axes, f"On the embedded engine, {form}", "writers", "payments/s")
        doublings(axes, sorted({row["lanes"] for row in rows}))
        axes.set_ylim(bottom=0)
        axes.legend(loc="lower right")
    return save(made, "hot-account-engine")
