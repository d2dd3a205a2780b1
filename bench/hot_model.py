"""Hot accounts in the model of DynamoDB: the ledger's own code in virtual time.

    python -m bench.hot_model [--seeds 3] [--jobs 2] [--only NAME ...]

Runs every series of bench/hot/series.py, each case with so many seeds, and writes
bench/results/hot_model.json. The same seeds give the same figures on every machine.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import msgspec
from msgspec.structs import replace

from bench import results
from bench.engine import say
from bench.hot.cases import Case
from bench.hot.run import Figures, figures_of
from bench.hot.series import SERIES


def main() -> None:
    """Runs what was asked for, and writes what it found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=sorted(SERIES), default=sorted(SERIES))
    asked = parser.parse_args()
    with ProcessPoolExecutor(asked.jobs) as pool:
        for name in asked.only:
            found = []
            for case, several in _each(pool, SERIES[name], asked.seeds):
                found.append(summed(case, several))
                _say(name, found[-1])
            # Each series as soon as it is there: all of them take a quarter of an hour.
            command = ["python", "-m", "bench.hot_model", "--seeds", str(asked.seeds)]
            written = results.write("hot_model", _others(name) | {name: found}, command=command)
            say(f"written to {written.name}")


def summed(case: Case, several: list[Figures]) -> dict[str, Any]:
    """A case and what its seeds came to: medians, and the least and the most."""
    told = msgspec.to_builtins(case)
    del told["seed"]
    figures: dict[str, Any] = {
        name: results.median_and_spread([getattr(one, name) for one in several], digits=3)
        for name in Figures.__struct_fields__
        if name != "causes"
    }
    causes = sorted({cause for one in several for cause in one.causes})
    figures["cancelled_per_commit"] = {
        cause: results.median_and_spread([one.causes.get(cause, 0.0) for one in several])["median"]
        for cause in causes
    }
    return {**told, **figures}


def _others(name: str) -> dict[str, Any]:
    """The other series, as they were found last."""
    try:
        before = results.read("hot_model")["results"]
    except FileNotFoundError:
        return {}
    return {other: found for other, found in before.items() if other in SERIES and other != name}


def _each(
    pool: ProcessPoolExecutor, cases: Sequence[Case], seeds: int
) -> Iterator[tuple[Case, list[Figures]]]:
    """The cases of a series, each with what its seeds came to."""
    runs = [replace(case, seed=seed) for case in cases for seed in range(1, seeds + 1)]
    figures = pool.map(figures_of, runs)
    for case in cases:
        yield case, [next(figures) for _ in range(seeds)]


def _say(series: str, found: dict[str, Any]) -> None:
    say(
        f"{series:<14} {found['name']:<44} {found['lanes']:>3} lanes {found['full_ms']:>5} ms "
        f"{found['payments_per_second']['median']:>10,.0f} payments/s  "
        f"p99 {found['p99_ms']['median']:>8,.1f} ms  "
        f"{found['attempts_per_commit']['median']:>6.2f} attempts a commit  "
        f"{found['payments_per_commit']['median']:>6.1f} payments a commit"
    )


if __name__ == "__main__":
    main()
