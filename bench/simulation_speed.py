"""Bench 7: how many commands a second the simulation plays, with the real handlers, in one process.

A run of 2,000 commands, heavy: every consumer, the auditor, a deployment, a restore, a replay and
redrives are in its time. Next to it, turn by turn in the same process, the floor that the other
benches have: what bare `boto3` computes for a single payment (`bench.client_cpu`). So the figure
says something on a machine of another speed.

    python -m bench.simulation_speed [--seeds 5] [--write]
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from time import process_time
from typing import Any, Final

from bench import client_cpu, results
from bench.loopback import loopback
from bench.payments import single_case, state_item_of_every_account
from simulation.run import run
from simulation.settings import Settings
from simulation.wiring.model import Wiring
from simulation.wiring.stack import read_wiring

_ROOT: Final = Path(__file__).resolve().parents[1]
_COMMANDS: Final = 2000
_FLOOR_ROUNDS: Final = 3


def measure(seed: int, wiring: Wiring) -> dict[str, Any]:
    """Commands sent and handled for a second of computing, in the run of one seed. Raises
    AssertionError if it found something: a run that ends early is not a measurement."""
    start = process_time()
    result = run(Settings(seed=seed, commands=_COMMANDS), wiring)
    spent = process_time() - start
    assert not result.findings, result.findings
    return {
        "seed": seed,
        "sent_a_cpu_second": round(result.sent / spent, 1),
        "handled_a_cpu_second": round(result.handled / spent, 1),
        "cpu_ms_a_command_sent": round(spent * 1000 / result.sent, 3),
    }


def _runs(seeds: int, wiring: Wiring) -> list[dict[str, Any]]:
    """The runs, each with the floor as it was just before and just after."""
    rows = []
    with (
        Path(os.devnull).open("w", encoding="utf-8") as log,
        loopback(state_item_of_every_account()) as server,
    ):
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = server.endpoint_url

        def floor() -> float:
            case = client_cpu.measure(single_case(cached=False), server, _FLOOR_ROUNDS, log)
            milliseconds: float = case["cpu_ms_a_payment"]["bare"]["median"]
            return milliseconds

        before = floor()
        for seed in range(1, seeds + 1):
            row = measure(seed, wiring)
            after = floor()
            row["bare_ms_a_payment"] = round((before + after) / 2, 3)
            row["ratio_to_bare"] = round(row["cpu_ms_a_command_sent"] / row["bare_ms_a_payment"], 3)
            before = after
            rows.append(row)
            sys.stdout.write(f"{row}\n")
    return rows


def main() -> None:
    """Prints a line for each seed; writes bench/results/simulation_speed.json if asked to."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    os.environ.update(client_cpu.ENVIRONMENT)
    wiring = read_wiring(_ROOT)
    run(Settings(seed=1, commands=100), wiring)  # imports, and what is built once
    rows = _runs(given.seeds, wiring)
    if given.write:
        spread = results.median_and_spread
        figures = [name for name in rows[0] if name != "seed"]
        results.write(
            "simulation_speed",
            {
                "commands": _COMMANDS,
                "runs": rows,
                **{name: spread((row[name] for row in rows), digits=3) for name in figures},
            },
        )


if __name__ == "__main__":
    main()
