"""What each memory size costs and how long it takes: what `cdk/patterns/workloads.py` chose from.

Not measured on Lambda, but reckoned from what is measured here: the CPU time of an invocation
(`bench.client_cpu`, `bench.cold_start`, as they are in bench/results) divided by the share of a CPU
that a size has, and what it waits for DynamoDB, which no size changes. Arm64 and this machine are
taken for equally fast; what is compared is sizes.

    python -m bench.memory_sizes [--write]
"""

from __future__ import annotations

import argparse
from typing import Any, Final

from bench import results
from bench.engine import say
from cdk.patterns.workloads import ONE_CPU_MB

#: What a read and a transaction take to answer: DynamoDB in the same Region, from a warm worker.
_READ_MS: Final = 5.0
_TRANSACTION_MS: Final = 15.0
#: Of an invocation besides its commands: the runtime's own loop, the log line.
_AROUND_MS: Final = 0.5
_USD_PER_GB_SECOND: Final = 0.0000133334  # arm64, us-east-1
_SIZES_MB: Final = (256, 512, 1024, ONE_CPU_MB)
#: Functions that decide, by what one of their invocations does: a case of bench.client_cpu.
_INVOCATIONS: Final = {
    "Api": ("single, cold", "one payment"),
    "Commands": ("49 from one payer", "a group of 49"),
}


def rows_of(
    client_cpu: list[dict[str, Any]], handlers: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """A row for each function and size: milliseconds, warm and cold, and dollars a million
    payments."""
    cases = {row["case"]: row for row in client_cpu}
    starts = {row["function"]: row for row in handlers}
    rows = []
    for function, (case, what) in _INVOCATIONS.items():
        payments = cases[case]["payments_a_group"]
        cpu_ms = _AROUND_MS + payments * cases[case]["cpu_ms_a_payment"]["ours"]["median"]
        start_ms = starts[function]["import_ms"]["median"] + starts[function]["build_ms"]["median"]
        for size in _SIZES_MB:
            share = min(1.0, size / ONE_CPU_MB)
            warm_ms = cpu_ms / share + _READ_MS + _TRANSACTION_MS
            gb_seconds = size / 1024 * warm_ms / 1000
            rows.append(
                {
                    "function": function,
                    "invocation": what,
                    "memory_mb": size,
                    "warm_ms": round(warm_ms, 1),
                    "cold_start_ms": round(start_ms / share),
                    "usd_per_million_payments": round(
                        1e6 * gb_seconds * _USD_PER_GB_SECOND / payments, 3
                    ),
                    "payments_a_second_of_a_lane": round(1000 * payments / warm_ms),
                }
            )
    return rows


def main() -> None:
    """Prints the table; writes bench/results/memory_sizes.json if asked to."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    rows = rows_of(
        results.read("client_cpu")["results"], results.read("cold_start")["results"]["handlers"]
    )
    for row in rows:
        say(
            f"{row['function']:9} {row['invocation']:14} {row['memory_mb']:5} MB"
            f" {row['warm_ms']:7.1f} ms warm {row['cold_start_ms']:6} ms to start"
            f"  ${row['usd_per_million_payments']:.3f} a million"
            f"  {row['payments_a_second_of_a_lane']:5} payments/s in one lane"
        )
    if given.write:
        results.write("memory_sizes", rows)


if __name__ == "__main__":
    main()
