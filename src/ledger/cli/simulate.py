"""The verb `simulate`: the ledger in a world that fails on purpose, from a seed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer
from msgspec.structs import replace

from ledger.cli.failures import INTERRUPTED, CheckFailedError, UsageError, reporting
from ledger.cli.options import JsonOption
from ledger.cli.output import Output
from ledger.cli.project import project_root
from simulation.faults.profiles import Profile
from simulation.settings import COMMANDS_DEFAULT, Settings, settings_of

if TYPE_CHECKING:
    from simulation.bugs.planted import PlantedBug
    from simulation.reports.campaign import Campaign
    from simulation.results import Hunt, Result
    from simulation.shrinking.shrink import Shrunk

SEED_DEFAULT: Final = 1
#: Seeds in which a planted bug is looked for.
HUNT_SEEDS: Final = 20
#: What shrinking a run may take, of the processor's time: most are as small as they get by then.
SHRINK_SECONDS: Final = 120.0
ALL_BUGS: Final = "all"
_HOUR_SECONDS: Final = 3_600.0


def simulate(
    *,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Everything follows from it. The first, of several.",
            show_default=str(SEED_DEFAULT),
        ),
    ] = None,
    commands: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Commands that callers send in a run, repeats counted: "
            f"{COMMANDS_DEFAULT:,} if left out, with --bug what it takes.",
            show_default=False,
        ),
    ] = None,
    faults: Annotated[
        Profile | None,
        typer.Option(
            help="How often something fails. Each planted bug has its own.",
            show_default=Profile.HEAVY,
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"So many runs, of seeds in a row: 1 if left out, with --bug up to {HUNT_SEEDS}.",
            show_default=False,
        ),
    ] = None,
    hours: Annotated[
        float | None,
        typer.Option(min=0, help="Seed after seed for so many hours.", show_default=False),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=64, help="Runs at a time.", show_default="1")
    ] = None,
    bug: Annotated[
        str | None,
        typer.Option(
            help="Look for a planted bug, by name, or for all of them. Fails if one is not found.",
            show_default=False,
        ),
    ] = None,
    again: Annotated[
        str | None,
        typer.Option(
            metavar="SETTINGS",
            help="Run again exactly what a report calls `again`, and show its history.",
            show_default=False,
        ),
    ] = None,
    bugs: Annotated[bool, typer.Option("--bugs", help="List the planted bugs.")] = False,
    no_shrink: Annotated[
        bool, typer.Option("--no-shrink", help="Leave a run that fails as it is.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run the ledger in a simulated AWS that fails, and check every promise it makes.

    `ledger simulate --seed 42 --commands 2000 --faults heavy`

    The real handlers, on virtual time, in one process; no AWS is reached. The same seed gives the
    same run. A run that breaks a promise is shrunk, and its history shown. From a checkout.
    """
    with reporting(as_json) as output:
        if bugs:
            _list_bugs(output)
            return
        run_options = (seed, commands, faults, seeds, hours, jobs, bug)
        if again is not None and any(option is not None for option in run_options):
            raise UsageError("--again says all about its run: it stands alone")
        _refuse_what_does_not_go_together(
            commands=commands, faults=faults, seeds=seeds, hours=hours, jobs=jobs, bug=bug
        )
        simulator = _Simulator(output, project_root(), shrinking=not no_shrink, jobs=jobs or 1)
        seed = SEED_DEFAULT if seed is None else seed
        settings = Settings(
            seed=seed,
            commands=commands or COMMANDS_DEFAULT,
            faults=faults or Profile.HEAVY,
        )
        if again is not None:
            simulator.again(again)
        elif bug == ALL_BUGS:
            simulator.hunt_all(seed, seeds or HUNT_SEEDS)
        elif bug is not None:
            simulator.hunt(bug, seed, seeds or HUNT_SEEDS, commands)
        elif hours is not None or (seeds or 1) > 1:
            simulator.many(settings, seeds, hours)
        else:
            simulator.one(settings)


class _Simulator:
    """What the verb does, on one checkout."""

    def __init__(self, output: Output, root: Path, *, shrinking: bool, jobs: int) -> None:
        self._output = output
        self._root = root
        self._shrinking = shrinking
        self._jobs = jobs

    def one(self, settings: Settings) -> None:
        """One run, and its report."""
        from simulation.reports.single import shown, value_of  # noqa: PLC0415

        started = time.monotonic()
        with self._output.step(f"seed {settings.seed}"):
            result = self._run(settings)
        taken = time.monotonic() - started
        self._output.note(
            f"{result.sent:,} commands sent and {result.handled:,} handled in {taken:.1f} s: "
            f"{result.sent / max(taken, 1e-9):,.0f} and "
            f"{result.handled / max(taken, 1e-9):,.0f} a second"
        )
        value, lines = self._why(result)
        self._output.result(value_of(result) | value, *shown(result), *lines)
        if not result.ok:
            raise CheckFailedError

    def again(self, text: str) -> None:
        """A run that a report names, with its history."""
        from simulation.load.elements import UnplannedError  # noqa: PLC0415
        from simulation.reports.single import shown, value_of  # noqa: PLC0415

        try:
            settings = settings_of(text)
        except ValueError as error:
            raise UsageError(f"--again: {error}") from error
        if settings.bug is not None:
            _bug(settings.bug)
        try:
            result = self._run(settings, history=True)
        except UnplannedError as error:
            raise UsageError(f"--again: {error}") from error
        value, lines = _history(result)
        self._output.result(value_of(result) | value, *shown(result), *lines)
        if not result.ok:
            raise CheckFailedError

    def many(self, settings: Settings, seeds: int | None, hours: float | None) -> None:
        """Run after run, and the sum of them; the first that failed is shrunk."""
        from simulation.campaigns import run_all  # noqa: PLC0415
        from simulation.reports.campaign import Campaign  # noqa: PLC0415

        campaign = Campaign(settings.faults)
        first: Result | None = None
        started = time.monotonic()
        every = islice((replace(settings, seed=one) for one in count(settings.seed)), seeds)
        spent = _spent_after(None if hours is None else hours * _HOUR_SECONDS)
        try:
            with self._output.bar("seeds", seeds) as bar:
                for result in run_all(self._root, every, jobs=self._jobs, spent=spent):
                    campaign.add(result)
                    bar.advance(1)
                    if result.findings and first is None:
                        first = result
                        found = result.findings[0]
                        self._output.note(
                            f"seed {result.settings.seed}: {found.property}: {found.message}"
                        )
        except KeyboardInterrupt:
            self._interrupted(campaign.value(), campaign.shown(time.monotonic() - started))
        self._report(campaign, first, time.monotonic() - started)

    def hunt(self, name: str, seed: int, seeds: int, commands: int | None) -> None:
        """One planted bug, and the history that shows it."""
        from simulation.campaigns import hunt, hunting  # noqa: PLC0415
        from simulation.reports.campaign import hunts_shown, hunts_value  # noqa: PLC0415

        bug = _bug(name)
        with self._output.step(f"looking for {name}"):
            found = hunt(self._root, bug, seed=seed, seeds=seeds, commands=commands)
        value, lines = hunts_value([found]), hunts_shown([found])
        if found.seed is not None:
            why, shown = self._why(self._run(hunting(bug, seed=found.seed, commands=commands)))
            value, lines = value | why, [*lines, *shown]
        self._output.result(value, *lines)
        if found.seed is None:
            raise CheckFailedError

    def hunt_all(self, seed: int, seeds: int) -> None:
        """The test of the test: every planted bug must be found."""
        from simulation.bugs.catalogue import BUGS  # noqa: PLC0415
        from simulation.campaigns import hunt_all  # noqa: PLC0415
        from simulation.reports.campaign import hunts_shown, hunts_value  # noqa: PLC0415

        hunts: list[Hunt] = []
        try:
            with self._output.bar("planted bugs", len(BUGS)) as bar:
                for one in hunt_all(self._root, BUGS, jobs=self._jobs, seed=seed, seeds=seeds):
                    hunts.append(one)
                    bar.advance(1)
        except KeyboardInterrupt:
            self._interrupted(hunts_value(hunts), hunts_shown(hunts))
        self._output.result(hunts_value(hunts), *hunts_shown(hunts))
        if any(one.seed is None for one in hunts):
            raise CheckFailedError

    def _interrupted(self, value: dict[str, Any], shown: Sequence[str]) -> NoReturn:
        """Tells what had ended by then, to programs too."""
        self._output.result(value | {"interrupted": True}, *shown, "", "interrupted")
        raise typer.Exit(INTERRUPTED)

    def _report(self, campaign: Campaign, first: Result | None, seconds: float) -> None:
        value, lines = ({}, []) if first is None else self._why(first)
        self._output.result(campaign.value() | value, *campaign.shown(seconds), *lines)
        if not campaign.ok:
            raise CheckFailedError

    def _why(self, result: Result) -> tuple[dict[str, Any], list[str]]:
        """The smallest history that shows what a run found, for programs and for people."""
        from simulation.shrinking.shrink import Shrinker  # noqa: PLC0415

        if result.ok or not self._shrinking:
            return {}, []
        try:
            with self._output.step("shrinking"):
                latest = time.process_time() + SHRINK_SECONDS
                shrinker = Shrinker(self._run, lambda: time.process_time() >= latest)
                shrunk = shrinker.shrink(result)
                smallest = self._run(shrunk.result.settings, history=True)
        except KeyboardInterrupt:
            # What hours of runs have found is told all the same.
            again = result.settings.text()
            return {}, ["", "not shrunk: interrupted", f"again: ledger simulate --again '{again}'"]
        value, lines = _history(smallest)
        return {"shrunk": value}, ["", _shrunk_from(result, shrunk), *lines]

    def _run(self, settings: Settings, *, history: bool = False) -> Result:
        from simulation.campaigns import run_of  # noqa: PLC0415

        return run_of(self._root, settings, history=history)


def _history(result: Result) -> tuple[dict[str, Any], list[str]]:
    from simulation.reports.single import history_value  # noqa: PLC0415
    from simulation.reports.timeline import timeline  # noqa: PLC0415
    from simulation.world import BEGINNING  # noqa: PLC0415

    again = result.settings.text()
    value = {"again": again, "history": history_value(result.history)}
    shown = ["", *timeline(result, BEGINNING)] if result.findings else []
    return value, [*shown, "", f"again: ledger simulate --again '{again}'"]


def _shrunk_from(result: Result, shrunk: Shrunk) -> str:
    smallest = shrunk.result
    only = smallest.settings.only
    left = result.planned if only is None else len(only)
    whole = "" if shrunk.whole else "; the time was up, more may go"
    return (
        f"seed {result.settings.seed}, shrunk in {shrunk.runs:,} runs: of {result.planned:,} "
        f"things asked {left:,} are left, of {result.strikes:,} strikes of faults "
        f"{_strikes(smallest):,}{whole}"
    )


def _strikes(result: Result) -> int:
    """Those that took place. What comes about by itself is none, as a batch that is split."""
    kept = result.settings.strikes
    return result.strikes if kept is None else len(kept)


def _spent_after(seconds: float | None) -> Callable[[], bool]:
    if seconds is None:
        return lambda: False
    deadline = time.monotonic() + seconds
    return lambda: time.monotonic() >= deadline


def _bugs() -> Iterator[PlantedBug]:
    from simulation.bugs.catalogue import BUGS  # noqa: PLC0415

    return iter(BUGS)


def _bug(name: str) -> PlantedBug:
    found = next((one for one in _bugs() if one.name == name), None)
    if found is None:
        raise UsageError(f"no planted bug is called {name!r}; `ledger simulate --bugs` lists them")
    return found


def _list_bugs(output: Output) -> None:
    from simulation.reports.single import columns  # noqa: PLC0415

    value = {"bugs": [{"name": one.name, "what": one.what} for one in _bugs()]}
    output.result(value, *columns((one.name, one.what) for one in _bugs()))


def _refuse_what_does_not_go_together(
    *,
    commands: int | None,
    faults: Profile | None,
    seeds: int | None,
    hours: float | None,
    jobs: int | None,
    bug: str | None,
) -> None:
    if bug is not None and faults is not None:
        raise UsageError("each planted bug says how often something has to fail: no --faults")
    if bug not in (None, ALL_BUGS) and jobs is not None:
        raise UsageError("one planted bug is looked for seed by seed: --jobs is for all of them")
    if bug == ALL_BUGS and commands is not None:
        raise UsageError("each planted bug says how many commands it takes: --commands is for one")
    if hours == 0:
        raise UsageError("no run fits into 0 hours")
    if hours is not None and (seeds or bug):
        raise UsageError("--hours says how long, --seeds and --bug how many: one of them")
