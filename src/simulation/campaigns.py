"""Many runs, one after the other or side by side in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from functools import cache, partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from simulation.bugs.planted import PlantedBug
from simulation.faults.profiles import Profile
from simulation.results import Hunt, Result
from simulation.run import run
from simulation.settings import Settings
from simulation.wiring.model import Wiring
from simulation.wiring.stack import read_wiring

#: Runs of a process, which keeps the code of every release that it ever ran.
_RUNS_OF_A_PROCESS: Final = 200


def run_of(root: Path, settings: Settings, *, history: bool = False) -> Result:
    """One run of the stack in a project's directory. Raises SandboxError if it has none."""
    return run(settings, _wiring(root), history=history)


def run_all(
    root: Path, every: Iterable[Settings], *, jobs: int, spent: Callable[[], bool]
) -> Iterator[Result]:
    """The results of runs, as they end, until `spent` says that the time is up; what has begun by
    then is waited for. `every` may have no end. With more than one job the order is any."""
    if jobs == 1:
        for settings in every:
            if spent():
                return
            yield run_of(root, settings)
        return
    _wiring(root)  # once, so that the processes find it
    left = iter(every)
    with ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), max_tasks_per_child=_RUNS_OF_A_PROCESS
    ) as pool:
        begun: set[Future[Result]] = set()
        while True:
            wanted = 0 if spent() else jobs - len(begun)
            begun |= {pool.submit(run_of, root, settings) for settings in islice(left, wanted)}
            if not begun:
                return
            ended, begun = wait(begun, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in ended)


def hunt(root: Path, bug: PlantedBug, *, seed: int, seeds: int, commands: int | None) -> Hunt:
    """Looks for a planted bug, from `seed` on, until a run finds what it must break: in `seeds` at
    most. What else is found is somebody else's."""
    settings = hunting(bug, seed=seed, commands=commands)
    for count in range(1, seeds + 1):
        result = run_of(root, replace(settings, seed=seed + count - 1))
        if any(one.property in bug.expected for one in result.findings):
            return Hunt(bug.name, bug.what, count, result.settings.seed, result.finding)
    return Hunt(bug.name, bug.what, seeds, None, None)


def hunt_all(
    root: Path, bugs: Iterable[PlantedBug], *, jobs: int, seed: int, seeds: int
) -> Iterator[Hunt]:
    """The hunts for several bugs, in their order."""
    looked = partial(hunt, root, seed=seed, seeds=seeds, commands=None)
    if jobs == 1:
        yield from map(looked, bugs)
        return
    _wiring(root)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(looked, bugs)


def hunting(bug: PlantedBug, *, seed: int, commands: int | None) -> Settings:
    """The run that brings a planted bug out, of so many commands if not of its own number."""
    return Settings(
        seed=seed,
        commands=commands or bug.commands,
        faults=Profile(bug.faults),
        bug=bug.name,
        deployment=bug.deployment,
        restore=bug.restore,
        replay=bug.replay,
        redrive=bug.redrive,
        until=bug.expected,
    )


@cache
def _wiring(root: Path) -> Wiring:
    return read_wiring(root)
