"""Cost and latency of a payment as things grow.

    python -m bench.scale [--repeats 3] [--each 10] [--accounts 1000 10000 100000]
                          [--payments 1000] [--only PART ...]

Measures on the embedded engine what fits one machine (postings, groups, accounts), counts in the
simulated stack what a payment takes of AWS, and works out rates up to a million payments a second.
Writes bench/results/scale.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from typing import Any

from bench import results
from bench.engine import engine, say
from bench.scale import measured, modelled

_PARTS = ("postings", "groups", "accounts", "latency", "rates")


def main() -> None:
    """Does the parts that were asked for, and writes what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--each", type=int, default=10, help="calls of a run")
    parser.add_argument("--accounts", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--payments", type=int, default=1_000, help="to count by, in the stack")
    parser.add_argument("--only", nargs="+", choices=_PARTS, default=list(_PARTS))
    asked = parser.parse_args()
    parts: dict[str, Callable[[], Iterable[dict[str, Any]]]] = {
        "postings": lambda: measured.by_postings(asked.repeats, asked.each),
        "groups": lambda: measured.by_group(asked.repeats, asked.each),
        "accounts": lambda: measured.by_accounts(asked.accounts, asked.repeats, asked.each),
        "latency": modelled.latency_by_postings,
        "rates": lambda: modelled.at_rates(asked.payments),
    }
    found: dict[str, Any] = {name: kept for name, kept in _before().items() if name in _PARTS}
    with engine():
        for name in asked.only:
            found[name] = []
            for row in parts[name]():
                found[name].append(row)
                say(f"{name:<9} {json.dumps(row)}")
    found["quotas"] = modelled.quotas()
    say(f"written to {results.write('scale', found).name}")


def _before() -> dict[str, Any]:
    """What was found last."""
    try:
        kept: dict[str, Any] = results.read("scale")["results"]
    except FileNotFoundError:
        return {}
    return kept


if __name__ == "__main__":
    main()
