"""The queues of commands: a batch of messages is decided as one group, each command by itself.

Three queues feed one handler. `commands` has what the ingress bus delivered, in EventBridge's
envelope and in no order; `commands.fifo` has bare commands, in order within a message group;
`system-commands` has bare commands of the ledger's own functions, which alone are granted to send
there. Only from the last are system commands taken, and nothing else is. A message may bring many
commands in bulk: these are decided in the order in which they stand there.

A command that can never be decided (malformed, or an id that another request has used) is sent to
the dead letters by the handler itself, with its reason and nothing else in its message, and not
retried. A message of which something could not be decided now comes back as it is, after a
back-off: what of it was decided is looked up then, and is not decided again. In a group of the FIFO
queue all that follow it in the batch come back too, or they would overtake it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ledger import bootstrap
from ledger.adapters.dynamodb.event_store import Meter
from ledger.application.commit import DECIDING_MILLISECONDS_MAX, Decided, Mismatch
from ledger.application.group_commit import Answer, Asked, GroupCommit
from ledger.application.outages import OutageError
from ledger.application.state_cache import StateCache
from ledger.contracts import reasons
from ledger.contracts.commands import ScreenPayment
from ledger.contracts.events import CommandRejected
from ledger.contracts.reasons import InvalidCommandError, Violation
from ledger.entrypoints.burials import Burial, bury
from ledger.entrypoints.figures import report_use
from ledger.entrypoints.messages import (
    Message,
    Part,
    Read,
    letter_of,
    read_bare,
    read_enveloped,
    read_system,
)
from ledger.runtime.host import Host
from ledger.runtime.lazy import on_first_call
from ledger.runtime.settings import read_settings
from ledger.runtime.sqs import (
    BatchAnswer,
    Record,
    batch_answer,
    delay_retries,
    has_time,
    receive_count,
)
from ledger.runtime.telemetry import Line, Telemetry, named

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Handler = Callable[[dict[str, Any], object], BatchAnswer]

#: No request of dead letters is begun with less time left: a client that sends nothing but nonsense
#: must not keep the answer from going out, or all of the batch would come back.
BURYING_MILLISECONDS_MIN: Final = 8_000


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """The URLs of the queues of commands and of their dead letters."""

    commands_queue_url: str
    commands_fifo_queue_url: str
    system_commands_queue_url: str
    commands_dlq_url: str
    commands_fifo_dlq_url: str
    system_commands_dlq_url: str


@dataclass(frozen=True, slots=True)
class _Queue:
    """A queue that feeds the handler, where its dead letters go, and how its messages are read."""

    url: str
    dead_letters_url: str
    read: Read


@dataclass(slots=True)
class _Taken:
    """A message of the batch: read (None: reading it met a bug), and what became of each part."""

    record: Record
    queue: _Queue
    group: str
    message: Message | None
    answers: dict[int, Answer] = field(default_factory=dict)

    @property
    def lane(self) -> str | None:
        """What keeps its order: a group of the FIFO queue, or the commands of a bulk message."""
        assert self.message is not None
        return self.group or (self.record["messageId"] if len(self.message.parts) > 1 else None)


@dataclass(slots=True)
class _Batch:
    """What has become of a batch of the queue of that name so far."""

    queue: str
    commands: int = 0
    failed: dict[str, Record] = field(default_factory=dict)
    burials: list[Burial] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    rejections: Counter[str] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)

    @property
    def decided(self) -> int:
        """How many commands were decided; a repeat is not decided again."""
        return self.outcomes["accepted"] + self.outcomes["rejected"]


def make_handler(
    *,
    group: GroupCommit,
    cache: StateCache,
    meter: Meter,
    sqs: SQSClient,
    queues: QueueSettings,
    chance: Callable[[], float],
    telemetry: Telemetry,
) -> Handler:
    """The handler of the SQS mappings of all queues, with `ReportBatchItemFailures`."""
    worker = _Worker(group, sqs, queues, chance)

    def handler(event: dict[str, Any], context: object) -> BatchAnswer:
        with telemetry.invocation(context) as line:
            batch = worker.work(event["Records"], context)
            causes = report_use(line, meter, group, cache, decided=batch.decided)
            batch.causes.update(causes)
            _report(batch, line)
            return batch_answer(batch.failed.values())

    return handler


class _Worker:
    def __init__(
        self,
        group: GroupCommit,
        sqs: SQSClient,
        queues: QueueSettings,
        chance: Callable[[], float],
    ) -> None:
        self._group = group
        self._sqs = sqs
        self._queues = _by_name(queues)
        self._chance = chance

    def work(self, records: Sequence[Record], context: object) -> _Batch:
        # A batch is one mapping's, and so one queue's.
        batch = _Batch(_name(records[0]["eventSourceARN"]) if records else "")
        taken = [self._taken(record, batch) for record in records]
        self._decide(taken, batch, lambda: has_time(context, DECIDING_MILLISECONDS_MAX))
        blocked: set[str] = set()
        for each in taken:
            if each.group in blocked:  # nothing of it was begun
                batch.outcomes["deferred"] += len(each.message.parts) if each.message else 0
            elif _is_done(each, batch):
                continue
            batch.failed[each.record["messageId"]] = each.record
            if each.group:
                blocked.add(each.group)
        self._bury(batch, lambda: has_time(context, BURYING_MILLISECONDS_MIN))
        self._delay(list(batch.failed.values()))
        return batch

    def _taken(self, record: Record, batch: _Batch) -> _Taken:
        queue = self._queues[_name(record["eventSourceARN"])]
        message: Message | None = None
        try:
            message = queue.read(record)
        except Exception as error:  # noqa: BLE001 - a bug in one message must not fail its neighbours
            batch.outcomes[f"exception:{named(error)}"] += 1
        return _Taken(record, queue, _group(record), message)

    def _decide(self, taken: Sequence[_Taken], batch: _Batch, may: Callable[[], bool]) -> None:
        """Decides what there is of all messages, but of groups behind what could not be read."""
        asked: list[Asked] = []
        places: list[tuple[_Taken, int]] = []
        unread: set[str] = set()
        for each in taken:
            if each.message is None:
                unread.add(each.group)
                continue
            if each.group and each.group in unread:
                continue
            actor, seen_before = each.message.actor, receive_count(each.record) > 1
            for number, part in enumerate(each.message.parts):
                if part.command is not None:
                    asked.append(Asked(part.command, actor, each.lane, seen_before))
                    places.append((each, number))
        batch.commands = len(asked)
        answers = self._group.handle(asked, may) if asked else []
        for (each, number), answer in zip(places, answers, strict=True):
            each.answers[number] = answer

    def _bury(self, batch: _Batch, may: Callable[[], bool]) -> None:
        """Sends to the dead letters what is hopeless of messages that are done otherwise."""
        for burial, buried in zip(batch.burials, bury(self._sqs, batch.burials, may), strict=True):
            if buried:
                batch.dead_letters[burial.fault.reason.code] += 1
                continue
            batch.outcomes["not_buried"] += 1
            batch.failed[burial.record["messageId"]] = burial.record

    def _delay(self, failed: Sequence[Record]) -> None:
        by_queue: defaultdict[str, list[Record]] = defaultdict(list)
        for record in failed:
            by_queue[self._queues[_name(record["eventSourceARN"])].url].append(record)
        for url, records in by_queue.items():
            delay_retries(self._sqs, url, records, self._chance)


def _is_done(taken: _Taken, batch: _Batch) -> bool:
    """Whether every command of the message is decided, or never will be: these are to be buried."""
    if taken.message is None:
        return False
    hopeless: list[tuple[Part, Violation]] = []
    done = True
    for number, part in enumerate(taken.message.parts):
        if part.fault is not None:
            hopeless.append((part, part.fault))
            continue
        answer = taken.answers.get(number)
        if isinstance(answer, Mismatch) and isinstance(part.command, ScreenPayment):
            # The scorer may judge a payment twice, and come to another score: the first one stands.
            batch.outcomes["screened_before"] += 1
        elif isinstance(answer, Mismatch):
            fault = Violation(reasons.IDEMPOTENCY_MISMATCH, answer.fields[0])
            hopeless.append((part, part.faulted(fault)))
        elif isinstance(answer, InvalidCommandError):
            hopeless.append((part, part.faulted(answer.violations[0])))
        else:
            done = _is_decided(answer, batch) and done
    if done:
        alone = len(taken.message.parts) == 1
        batch.burials += [
            Burial(
                record=taken.record,
                queue_url=taken.queue.dead_letters_url,
                group=taken.group,
                body=letter_of(taken.record, part, alone=alone),
                fault=fault,
                place=None if alone else part.place,
            )
            for part, fault in hopeless
        ]
    return done


def _is_decided(answer: Decided | Exception | None, batch: _Batch) -> bool:
    if answer is None:
        batch.outcomes["deferred"] += 1
    elif isinstance(answer, OutageError):
        batch.outcomes[answer.reason.code] += 1
        batch.causes.update(answer.causes)
    elif isinstance(answer, Exception):
        batch.outcomes[f"exception:{named(answer)}"] += 1
    else:
        batch.causes.update(answer.causes)
        if answer.repeat:
            batch.outcomes["repeat"] += 1
        elif isinstance(answer.event, CommandRejected):
            batch.outcomes["rejected"] += 1
            batch.rejections[answer.event.reason] += 1
        else:
            batch.outcomes["accepted"] += 1
        return True
    return False


def _report(batch: _Batch, line: Line) -> None:
    line.note("queue", batch.queue)
    line.note("commands", batch.commands)
    line.note("outcomes", dict(batch.outcomes))
    line.count("CommandsDecided", batch.decided)
    for name, counts in (
        ("rejections", batch.rejections),
        ("dead_letters", batch.dead_letters),
        ("causes", batch.causes),
    ):
        if counts:
            line.note(name, dict(counts))
    if rejected := batch.outcomes["rejected"]:
        line.count("CommandsRejected", rejected)
    if batch.dead_letters:
        line.count("CommandsBuried", batch.dead_letters.total())
    if conflicts := batch.causes["stale"] + batch.causes["conflict"]:
        line.count("CommitConflicts", conflicts)
    if skewed := batch.causes["skewed"]:
        line.count("ClockSkewRefused", skewed)
    if batch.failed:
        line.warn()


def _by_name(queues: QueueSettings) -> Mapping[str, _Queue]:
    """The queues by the name that a message's source and a queue's URL both end in."""
    every = (
        _Queue(queues.commands_queue_url, queues.commands_dlq_url, read_enveloped),
        _Queue(queues.commands_fifo_queue_url, queues.commands_fifo_dlq_url, read_bare),
        _Queue(queues.system_commands_queue_url, queues.system_commands_dlq_url, read_system),
    )
    return {_name(queue.url): queue for queue in every}


def _name(arn_or_url: str) -> str:
    return re.split("[:/]", arn_or_url)[-1]


def _group(record: Record) -> str:
    """The message group of a FIFO queue's message; empty for one of the standard queue.

    The queue decides, not the attribute: on a standard queue a group is a hint for fair sharing.
    """
    if not record["eventSourceARN"].endswith(".fifo"):
        return ""
    return str(record["attributes"]["MessageGroupId"])


def build(host: Host) -> Handler:
    """The function. Raises SettingsError."""
    parts = bootstrap.command_parts(host)
    return make_handler(
        group=parts.group,
        cache=parts.cache,
        meter=parts.store.meter,
        sqs=host.sqs(),
        queues=read_settings(QueueSettings, host.environment),
        chance=host.chance,
        telemetry=host.telemetry(),
    )


handler: Handler = on_first_call(build)
