"""The ledger in a world that fails: fixed seeds, in which every kind of fault strikes.

More seeds, for as long as one likes: `make simulate`. What a seed has once shown stays here, in
`REGRESSIONS`, by the line with which `ledger simulate --again` repeats it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from simulation.bugs.catalogue import planted
from simulation.campaigns import hunt, run_of
from simulation.faults.kinds import Fault
from simulation.faults.profiles import Profile
from simulation.results import Result
from simulation.settings import Settings, settings_of

ROOT = Path(__file__).resolve().parents[2]
SEEDS = (1, 2, 3, 4)
COMMANDS = 1_500
#: Runs that found a bug of the ledger's, each with what it was.
REGRESSIONS: dict[str, str] = {
    '{"seed":22,"commands":1200}': "a replay gave up though each try got further",
}


@cache
def ran(settings: Settings) -> Result:
    """A run, made once for all tests of this file."""
    return run_of(ROOT, settings)


def heavy(seed: int) -> Settings:
    """A run with everything in it."""
    return Settings(seed=seed, commands=COMMANDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_is_kept(seed: int) -> None:
    """Whatever fails meanwhile, and whatever operators do."""
    result = ran(heavy(seed))
    assert [f"{one.property}: {one.message}" for one in result.findings] == []
    assert result.commands >= COMMANDS // 2
    assert result.virtual_seconds > 3_600


def test_every_kind_of_fault_strikes() -> None:
    """A fault that no run has met is a promise that nobody has checked."""
    met = {fault for seed in SEEDS for fault in ran(heavy(seed)).occurred}
    assert [fault.name for fault in Fault if fault not in met] == []


def test_without_faults_nothing_strikes_and_nothing_is_found() -> None:
    """The world by itself brings no faults, and the auditor sees none where there are none."""
    result = ran(
        Settings(
            seed=5,
            commands=500,
            faults=Profile.NONE,
            deployment=False,
            restore=False,
            replay=False,
            redrive=False,
        )
    )
    assert [f"{one.property}: {one.message}" for one in result.findings] == []
    assert result.strikes == 0


_DIGEST = """
import sys
from pathlib import Path
from simulation.bugs.catalogue import planted
from simulation.campaigns import hunt, run_of
from simulation.settings import settings_of
print(run_of(Path(sys.argv[1]), settings_of(sys.argv[2])).digest)
"""


def test_a_seed_makes_the_same_run_in_every_process() -> None:
    """Byte for byte, whatever order Python's sets have, and whether its history is kept or not."""
    settings = Settings(seed=6, commands=150)
    digests = {run_of(ROOT, settings, history=True).digest}
    for hash_seed in ("1", "2"):
        command = [sys.executable, "-c", _DIGEST, str(ROOT), settings.text()]
        ended = subprocess.run(
            command,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        digests.add(ended.stdout.strip())
    assert len(digests) == 1


def test_other_seeds_make_other_runs() -> None:
    """So does other luck, with the same plan."""
    runs = [
        ran(Settings(seed=seed, commands=50, luck=luck)) for seed, luck in ((7, 0), (8, 0), (7, 1))
    ]
    assert len({one.digest for one in runs}) == 3
    assert runs[0].planned == runs[2].planned


@pytest.mark.parametrize("line", REGRESSIONS)
def test_what_was_mended_stays_mended(line: str) -> None:
    """A run that once broke a promise keeps all of them."""
    assert ran(settings_of(line)).findings == ()


#: Planted bugs that show without a fault, in a short run; all of them: `ledger simulate --bug all`.
PLANTED = (
    "event-put-unconditional",
    "mismatch-unseen",
    "mutable-default",
    "rejection-from-cache",
    "state-put-unconditional",
)


@pytest.mark.parametrize("name", PLANTED)
def test_planted_bugs_are_found(name: str) -> None:
    """As what they break: a simulation that finds nothing may be blind."""
    bug = planted(name)
    found = hunt(ROOT, bug, seed=1, seeds=2, commands=400)
    assert found.finding is not None
    assert found.finding.property in bug.expected
