"""A worker: one instance of a function, with what it has built and cached, until it is gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any, Final, NoReturn

from simulation.aws.calls import SimulatedClient
from simulation.faults.kinds import Fault
from simulation.functions.host import SimulatedHost
from simulation.functions.platform import Event, Platform
from simulation.kernel.hub import MILLISECOND, SECOND, Task
from simulation.releases.release import Release
from simulation.wiring.model import Function

if TYPE_CHECKING:
    from ledger.runtime.telemetry import Line

CRASHED: Final = "Runtime.ExitError"
TIMED_OUT: Final = "Sandbox.Timedout"

#: Where it may crash around a call: at one place at most.
_CRASHES: Final = (Fault.CRASH_BEFORE_CALL, Fault.CRASH_DURING_CALL, Fault.CRASH_AFTER_CALL)
#: A call takes longer than this, so that who dies within it dies before the answer.
_DURING_CALL_MAX: Final = MILLISECOND
#: A slow invocation hangs at one of its first calls, or when it has done all but answer.
_CALLS_BEFORE_HANGING_MAX: Final = 8
#: Two clocks differ by 4 s at most; the ledger's promises are made for 5.
_SKEW_MAX: Final = 2 * SECOND
#: A clock is put right, or wrong, within so much of an invocation, or behind it.
_STEPPED_WITHIN: Final = 300 * MILLISECOND
#: What logs call a record that only a newer release knows.
_NEWER: Final = frozenset(
    {"unknown_event", "unknown_item_version", "unknown_notification", "unknown_stored_version"}
)
#: What a function most often answers a mapping.
_NOTHING_FAILED: Final[dict[str, list[object]]] = {"batchItemFailures": []}
_ANSWER_BYTES_MAX: Final = 6 * 1024 * 1024
_REPLY: Final = frozenset({"statusCode", "headers", "body"})
#: A character takes 12 bytes at most, as JSON in ASCII.
_SHORT_MAX: Final = _ANSWER_BYTES_MAX // 16


class Killed(BaseException):
    """The worker is gone, and whatever it was doing ends here. `how` is Lambda's name for it.

    No `Exception`: no code may outlive it by handling it.
    """

    def __init__(self, how: str) -> None:
        self.how = how
        super().__init__(how)


class AnswerError(Exception):
    """The handler's answer cannot be handed back: it is no JSON, or too long."""


class Context:
    """What Lambda tells a handler of its invocation."""

    __slots__ = ("_worker", "aws_request_id", "function_name", "function_version")

    def __init__(self, worker: Worker, request_id: str) -> None:
        self._worker = worker
        self.aws_request_id = request_id
        self.function_name = worker.function
        self.function_version = worker.release.name

    def get_remaining_time_in_millis(self) -> int:
        """The time left until the invocation is ended."""
        return self._worker.remaining // MILLISECOND


class Worker:
    """A Mortal: it may crash at any call of a client, and with it goes all that it remembers."""

    def __init__(self, name: str, platform: Platform, spec: Function, release: Release) -> None:
        self.name = name
        self.function = spec.name
        self.release = release
        self.task: Task[Any]
        self.idle_from = 0
        self.invocations = 0
        self.platform = platform
        self.random: Random = platform.stream(f"worker/{name}")
        self.skew = 0
        if platform.injector.strikes(Fault.CLOCK_SKEWED, name):
            self._step()
        self._spec = spec
        self._hub = platform.hub
        self._strikes = platform.injector.strikes
        self._one_of = platform.injector.one_of
        self._crashes: Fault | None = None
        self._handler: Callable[[Event, object], Any] | None = None
        self._deadline = 0
        self._death: Killed | None = None
        self._calls_before_hanging: int | None = None

    @property
    def is_dead(self) -> bool:
        """Whether it will never do anything again."""
        return self._death is not None

    @property
    def remaining(self) -> int:
        """Microseconds until the invocation is ended."""
        return max(0, self._deadline - self._hub.now)

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of its function."""
        return dict(self._spec.environment)

    def client(self, service: str, attempts: int) -> SimulatedClient:
        """A client of the service that boto3 calls so. Its calls are this worker's."""
        platform = self.platform
        return SimulatedClient(platform.network, self, platform.services[service], attempts)

    def handle(self, event: Event, request_id: str) -> Any:
        """One invocation, in a task of its own. Raises what the handler raises, or AnswerError."""
        hub = self._hub
        self.invocations += 1
        self._deadline = hub.now + self._spec.timeout_seconds * SECOND
        if self._strikes(Fault.FUNCTION_TIMED_OUT, self.name, request_id):
            self._calls_before_hanging = self.random.randrange(_CALLS_BEFORE_HANGING_MAX)
        if self._strikes(Fault.CLOCK_STEPPED, self.name, request_id):
            hub.after(self.random.randrange(_STEPPED_WITHIN), self._step, daemon=True)
        timer = hub.at(self._deadline, self._time_out)
        try:
            if self._handler is None:
                self._handler = self._built()
            answer = self._handler(event, Context(self, request_id))
            _refuse_unless_json(answer)
            if self._calls_before_hanging is not None:
                self._hang()
            return answer
        finally:
            hub.cancel(timer)

    def _step(self) -> None:
        self.skew = self.random.randint(-_SKEW_MAX, _SKEW_MAX)

    def die(self, how: str) -> None:
        """It is gone, wherever its task is. Not from inside the task."""
        if self._death is None:
            self._death = Killed(how)
            self._hub.kill(self.task, self._death)

    def write(self, line: Line) -> None:
        """The line of an invocation. A dead worker writes none."""
        if self._death is not None:
            return
        if line.level != "info" and not _NEWER.isdisjoint(_words(line)):
            self.platform.injector.note(Fault.UNKNOWN_VERSION, self.name)
        if self.platform.on_line:
            metrics = {name: value for name, (_, value) in line.metrics.items()}
            said = {"level": line.level, **line.notes, **metrics}
            for observer in self.platform.on_line:
                observer(self.function, said)

    def before_call(self, what: str) -> None:
        """See Mortal."""
        if self._death is not None:
            raise self._death
        if self._calls_before_hanging is not None:
            if self._calls_before_hanging == 0:
                self._hang()
            self._calls_before_hanging -= 1
        self._crashes = self._one_of(_CRASHES, self.name, what)
        if self._crashes is Fault.CRASH_BEFORE_CALL:
            self._crash()

    def during_call(self, what: str) -> None:  # noqa: ARG002 - see before_call
        """See Mortal."""
        if self._crashes is Fault.CRASH_DURING_CALL:
            moment = self.random.randrange(_DURING_CALL_MAX)
            self._hub.after(moment, lambda: self.die(CRASHED))

    def after_call(self, what: str) -> None:  # noqa: ARG002 - see before_call
        """See Mortal."""
        if self._crashes is Fault.CRASH_AFTER_CALL:
            self._crash()

    def _built(self) -> Callable[[Event, object], Any]:
        name = self._spec.handler.rpartition(".")[0]
        arguments = self.platform.arguments.get(name)
        module = self.release.module(name)
        handler: Callable[[Event, object], Any] = module.build(
            SimulatedHost(self), **(arguments(self) if arguments else {})
        )
        return handler

    def _crash(self) -> NoReturn:
        """From inside the task: every later wait of it raises, too."""
        self._death = self.task.killed_by = Killed(CRASHED)
        raise self._death

    def _hang(self) -> None:
        """Nothing more happens until the invocation is ended."""
        self._hub.sleep(self.remaining + 1)

    def _time_out(self) -> None:
        if self._calls_before_hanging is None:  # else it has been told
            self.platform.injector.note(Fault.FUNCTION_TIMED_OUT, self.name)
        self.die(TIMED_OUT)


def _words(line: Line) -> list[str]:
    """The codes in a line: values that are text, and what is counted, in their order."""
    words: list[str] = []
    for value in line.notes.values():
        if isinstance(value, str):
            words.append(value)
        elif isinstance(value, dict):
            words += value
    return words


def _refuse_unless_json(answer: object) -> None:
    if answer is None or answer == _NOTHING_FAILED or _is_short_reply(answer):
        return
    try:
        text = json.dumps(answer)
    except (TypeError, ValueError) as error:
        raise AnswerError("not JSON") from error
    if len(text) > _ANSWER_BYTES_MAX:
        raise AnswerError("too long")


def _is_short_reply(answer: object) -> bool:
    """Whether it is a reply to API Gateway that is JSON and not too long, as is seen at a glance:
    nearly all are."""
    if not isinstance(answer, dict) or answer.keys() != _REPLY:
        return False
    body, headers = answer["body"], answer["headers"]
    return (
        answer["statusCode"].__class__ is int
        and body.__class__ is str
        and len(body) < _SHORT_MAX
        and headers.__class__ is dict
        and all(one.__class__ is str for pair in headers.items() for one in pair)
    )
