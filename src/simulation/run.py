"""One run: everything is asked while the world fails; then it rests, and the auditor looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, Final

from simulation.auditor.auditor import Auditor
from simulation.auditor.findings import Finding
from simulation.bugs.catalogue import planted
from simulation.faults.profiles import rates_of
from simulation.hearing import Hearing
from simulation.kernel.chance import Chance
from simulation.kernel.hub import SECOND, Task
from simulation.kernel.memory import rarely_collected
from simulation.load.callers import Callers
from simulation.load.elements import Plan
from simulation.load.plan import plan_of
from simulation.operations.redrive import redrive, redrive_now_and_then
from simulation.operations.scenario import Operations, begin
from simulation.operations.verification import verify
from simulation.releases.next import NEXT
from simulation.releases.release import Release, current, patched
from simulation.reports.recorder import Recorder
from simulation.results import Result
from simulation.settings import Settings
from simulation.wiring.model import Wiring
from simulation.world import BEGINNING, World

#: How often it is looked whether everything rests, or something was found. No part of a minute:
#: at whole ones schedules have just begun something.
_LOOK: Final = 7 * SECOND
#: EventBridge gives up after a day, and what then is redelivered takes hours: longer is for ever.
_REST_MAX: Final = 3 * 86_400 * SECOND
_ANSWERED: Final = "answers_are_recorded"
_SUCCEEDS: Final = "procedures_succeed"
_ENDS: Final = "retries_end"
#: An index may be behind by so much: longer than any change takes to get there.
_INDEXED_AFTER: Final = 300 * SECOND
#: A run takes a third of these at most.
_STEPS: Final = 500_000
_STEPS_A_COMMAND: Final = 500
#: What was sent back may die again, of what is not gone: more rounds change nothing.
_REDRIVES: Final = 3


def run(settings: Settings, wiring: Wiring, *, history: bool = False) -> Result:
    """Runs it. With `history` the result tells what happened; the course is the same."""
    with rarely_collected():
        return _Run(settings, wiring, history=history).result()


class _Run:
    def __init__(self, settings: Settings, wiring: Wiring, *, history: bool) -> None:
        self._settings = settings
        self._release, self._next = _releases(settings)
        self._world = World(
            wiring,
            seed=settings.world_seed,
            rates=rates_of(settings.faults, kinds=settings.kinds, often=settings.often),
            release=self._release,
            keep_trace=history,
            spares=_spares(settings),
        )
        hub = self._world.hub
        self._auditor = Auditor(wiring, self._world.trace, lambda: hub.now)
        self._recorder = (
            Recorder(self._world.trace, lambda: hub.now, _stage(wiring)) if history else None
        )
        self._hearing = Hearing(self._auditor, self._recorder)
        self._hearing.observe(self._world)
        self._whole = _plan_of(settings.seed, settings.commands)
        self._plan = plan_played(settings)
        self._failures: list[Finding] = []

    def result(self) -> Result:
        """Plays all phases, or those before the first finding."""
        try:
            self._play()
        except Exception:
            # Where promises were broken the history may be one that the auditor cannot fold: the
            # run ends with what was found. If nothing was, it is the simulation that is broken.
            if not self._findings():
                raise
        world, hearing, findings = self._world, self._hearing, self._findings()
        return Result(
            settings=self._settings,
            findings=tuple(findings),
            planned=len(self._whole.elements),
            commands=hearing.commands,
            sent=self._plan.commands,
            handled=hearing.handled,
            asks=hearing.asks,
            outcomes=hearing.outcomes,
            occurred=dict(world.injector.occurred),
            strikes=world.injector.strikes_tried,
            virtual_seconds=(world.hub.now - BEGINNING) / SECOND,
            steps=world.hub.steps,
            entries=world.trace.count,
            digest=world.trace.digest,
            history=() if self._recorder is None else self._recorder.lines,
        )

    def _play(self) -> None:
        world = self._world
        tasks = self._begin()
        self._rest()
        self._judge_operators(tasks)
        self._refuse_broken_clients()
        world.injector.quieten()
        if not self._is_over():
            world.hub.run(until=world.hub.now + _INDEXED_AFTER)
        self._send_back()
        if not self._is_over():
            self._auditor.sent_back(world)
        self._ask_again()
        self._verify()
        if not self._is_over():
            self._refuse_leftovers()
            self._auditor.finish(world)

    def _send_back(self) -> None:
        world = self._world
        for _ in range(_REDRIVES):
            if self._is_over():
                return
            sent = world.hub.spawn("operator/redrive", lambda: redrive(world))
            self._rest()
            self._judge_operators([sent])
            if not (sent.done.done and sent.done.result()):
                return

    def _ask_again(self) -> None:
        """Now that nothing fails any more every request must be answered."""
        if self._is_over():
            return
        asked = self._callers.ask_again()
        self._rest()
        if not asked.done.done:
            if not self._is_over():
                self._find(_ANSWERED, "A client waits for ever.")
            return
        for command in asked.done.result():
            self._find(_ANSWERED, "A request is put off though nothing fails any more.", command)

    def _verify(self) -> None:
        """By now the ledger's own verification has nothing to say."""
        if self._is_over():
            return
        world = self._world
        verifying = world.hub.spawn("operator/verify", lambda: verify(world, projections=True))
        self._rest()
        self._judge_operators([verifying])

    def _refuse_leftovers(self) -> None:
        """Streams have been read to their ends, and nothing of them was too late."""
        world = self._world
        for mapping in world.stream_mappings:
            if mapping.backlog:
                self._find(_ENDS, f"{mapping.name} has not dealt with {mapping.backlog} records.")
        for name, stream in world.dynamodb.streams.items():
            if expired := sum(shard.expired for shard in stream.shards):
                self._find(_ENDS, f"{expired} records of {name} expired before they were read.")

    def _begin(self) -> list[Task[object]]:
        """Callers and operators begin. When operators work goes by the whole plan and by its seed
        alone, whatever part of it is played, and with whatever luck."""
        settings, world = self._settings, self._world
        self._callers = Callers(world, self._plan, self._hearing)
        self._clients = self._callers.start()
        operations = Operations(
            restore=settings.restore,
            replay=settings.replay,
            deploy=self._next if settings.deployment else None,
        )
        tasks = begin(
            world, operations, _instants(self._whole), self._hearing, Chance(settings.seed)
        )
        if settings.redrive:
            redriving = partial(redrive_now_and_then, world, self._whole.ends)
            tasks.append(world.hub.spawn("operator", redriving))
        return tasks

    def _rest(self) -> None:
        """Lets happen what will, until nothing is left to, or it is seen to go on for ever."""
        hub = self._world.hub
        latest = max(hub.now, self._whole.ends) + _REST_MAX
        steps = _STEPS + _STEPS_A_COMMAND * self._whole.commands
        while hub.waited_for and not self._is_over():
            if hub.now >= latest or hub.steps >= steps:
                self._find(_ENDS, "It goes on and on, and never rests.")
                return
            hub.run(until=hub.now + _LOOK)

    def _is_over(self) -> bool:
        until = self._settings.until
        return bool(until) and any(finding.property in until for finding in self._findings())

    def _findings(self) -> list[Finding]:
        return [*self._auditor.findings, *self._failures]

    def _judge_operators(self, tasks: Sequence[Task[Any]]) -> None:
        """A procedure that ended in an error, or not at all, has failed."""
        if self._is_over():
            return
        for task in tasks:
            try:
                ended = task.done.done
                task.done.result()
            except Exception as error:  # noqa: BLE001 - whatever it is, an operator stands there with it
                self._find(_SUCCEEDS, f"{task.name}: {type(error).__name__}: {error}")
            else:
                if not ended:
                    self._find(_SUCCEEDS, f"{task.name} never ended.")

    def _refuse_broken_clients(self) -> None:
        """Raises what went wrong in a client: no fault of the ledger's, but one of the load's. One
        that has not come to its end waits for what never comes."""
        if self._is_over():
            return
        for task in self._clients:
            if task.done.done:
                task.done.result()
            else:
                self._find(_ENDS, f"{task.name} never came to its end.")

    def _find(self, promise: str, message: str, *about: str) -> None:
        self._failures.append(Finding(promise, self._world.hub.now, message, about))
        self._world.trace.add("auditor", f"{promise}: {message}", *about)


def plan_played(settings: Settings) -> Plan:
    """What is asked in a run: the whole plan of its seed, or a part. Raises UnplannedError."""
    whole = _plan_of(settings.seed, settings.commands)
    return whole if settings.only is None else whole.only(settings.only)


@lru_cache(maxsize=2)
def _plan_of(seed: int, commands: int) -> Plan:
    """A run that is shrunk is of one plan, again and again."""
    return plan_of(seed, commands, BEGINNING)


def _releases(settings: Settings) -> tuple[Release, Release]:
    """What is deployed at the beginning and what is deployed then; a planted bug is in both."""
    if settings.bug is None:
        return current(), patched("next", NEXT)
    bug = planted(settings.bug)
    return patched(bug.name, bug.patches), patched(f"next-{bug.name}", (*NEXT, *bug.patches))


def _spares(settings: Settings) -> Callable[[int], bool]:
    if settings.strikes is None:
        return lambda _: False
    kept = frozenset(settings.strikes)
    return lambda place: place not in kept


def _instants(plan: Plan) -> list[int]:
    return [one.at for one in plan.elements if one.commands]


def _stage(wiring: Wiring) -> str:
    """What the names of all tables and queues begin with."""
    return wiring.variable("EVENTS_TABLE").removesuffix("events")
