"""The queues of commands: each message is decided by itself, in order where order was asked for.

Three queues feed one handler. `commands` has what the ingress bus delivered, in EventBridge's
envelope and in no order; `commands.fifo` has bare commands, in order within a message group;
`system-commands` has bare commands of the ledger's own functions, which alone are granted to send
there. Only from the last are system commands taken, and nothing else is.

A message that can never be decided (malformed, or an id that another request has used) is sent to
the dead letters by the handler itself, with its reason, and not retried. One that could not be
decided now comes back after a back-off; in a group of the FIFO queue all that follow it in the
batch come back too, or they would overtake it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from ledger import bootstrap
from ledger.adapters.dynamodb.event_store import Meter
from ledger.application.commit import Commands, Mismatch
from ledger.application.outages import OutageError
from ledger.contracts import reasons
from ledger.contracts.commands import (
    CLIENT_COMMANDS,
    COMMAND_TYPES,
    SYSTEM_COMMANDS,
    Command,
    decode_command,
    reasons_against_text,
)
from ledger.contracts.envelopes import MalformedEnvelopeError, open_envelope
from ledger.contracts.events import CommandRejected
from ledger.contracts.primitives import ACTOR_LENGTH_MAX
from ledger.contracts.reasons import InvalidCommandError, Reason, Violation
from ledger.runtime.host import Host
from ledger.runtime.lazy import on_first_call
from ledger.runtime.settings import read_settings
from ledger.runtime.sqs import BatchAnswer, Record, batch_answer, delay_retries, has_time
from ledger.runtime.telemetry import Line, Telemetry, named

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Handler = Callable[[dict[str, Any], object], BatchAnswer]

#: A command is not begun with less time than its attempts may take: the last one starts 9.4 s after
#: the first at most, and makes two calls that each wait up to 1 s to connect and 3 s for an answer.
REMAINING_MILLISECONDS_MIN: Final = 18_000


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
    parse: Callable[[Record], tuple[Command, str]]


@dataclass(slots=True)
class _Batch:
    """What has become of a batch of the queue of that name so far."""

    queue: str
    failed: list[Record] = field(default_factory=list)
    blocked_groups: set[str] = field(default_factory=set)
    outcomes: Counter[str] = field(default_factory=Counter)
    rejections: Counter[str] = field(default_factory=Counter)
    dead_letters: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)


def make_handler(
    *,
    commands: Commands,
    meter: Meter,
    sqs: SQSClient,
    queues: QueueSettings,
    chance: Callable[[], float],
    telemetry: Telemetry,
) -> Handler:
    """The handler of the SQS mappings of both queues, with `ReportBatchItemFailures`."""
    worker = _Worker(commands, meter, sqs, queues, chance)

    def handler(event: dict[str, Any], context: object) -> BatchAnswer:
        with telemetry.invocation(context) as line:
            return worker.work(event["Records"], context, line)

    return handler


class _Worker:
    def __init__(
        self,
        commands: Commands,
        meter: Meter,
        sqs: SQSClient,
        queues: QueueSettings,
        chance: Callable[[], float],
    ) -> None:
        self._commands = commands
        self._meter = meter
        self._sqs = sqs
        self._queues = _by_name(queues)
        self._chance = chance

    def work(self, records: Sequence[Record], context: object, line: Line) -> BatchAnswer:
        # A batch is one mapping's, and so one queue's.
        batch = _Batch(_name(records[0]["eventSourceARN"]) if records else "")
        for record in records:
            group = _group(record)
            out_of_time = not has_time(context, REMAINING_MILLISECONDS_MIN)
            if (group and group in batch.blocked_groups) or out_of_time:
                batch.outcomes["deferred"] += 1
                failed = True
            else:
                failed = not self._handled(record, batch)
            if failed:
                batch.failed.append(record)
                batch.blocked_groups.add(group)
        self._delay(batch.failed)
        self._report(batch, line)
        return batch_answer(batch.failed)

    def _handled(self, record: Record, batch: _Batch) -> bool:
        """Whether this message is done with, one way or another."""
        try:
            command, actor = self._queue_of(record).parse(record)
            outcome = self._commands.handle(command, actor)
        except InvalidCommandError as error:
            return self._buried(record, error.violations[0], batch)
        except OutageError as error:
            batch.outcomes[error.reason.code] += 1
            batch.causes.update(error.causes)
            return False
        except Exception as error:  # noqa: BLE001 - a bug in one message must not fail its neighbours
            batch.outcomes[f"exception:{named(error)}"] += 1
            return False
        if isinstance(outcome, Mismatch):
            fault = Violation(reasons.IDEMPOTENCY_MISMATCH, outcome.fields[0])
            return self._buried(record, fault, batch)
        batch.causes.update(outcome.causes)
        if outcome.repeat:
            batch.outcomes["repeat"] += 1
        elif isinstance(outcome.event, CommandRejected):
            batch.outcomes["rejected"] += 1
            batch.rejections[outcome.event.reason] += 1
        else:
            batch.outcomes["accepted"] += 1
        return True

    def _buried(self, record: Record, fault: Violation, batch: _Batch) -> bool:
        """Sends a message that can never be decided to the dead letters, as it is, with why."""
        group = _group(record)
        fifo: dict[str, Any] = (
            {"MessageGroupId": group, "MessageDeduplicationId": record["messageId"]}
            if group
            else {}
        )
        try:
            self._sqs.send_message(
                QueueUrl=self._queue_of(record).dead_letters_url,
                MessageBody=record["body"],
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in _burial(record, fault).items()
                    if value
                },
                **fifo,
            )
        except (BotoCoreError, ClientError):
            batch.outcomes["not_buried"] += 1
            return False  # it comes back, and in the end SQS moves it there itself
        batch.dead_letters[fault.reason.code] += 1
        return True

    def _delay(self, failed: Sequence[Record]) -> None:
        by_queue: defaultdict[str, list[Record]] = defaultdict(list)
        for record in failed:
            by_queue[self._queue_of(record).url].append(record)
        for url, records in by_queue.items():
            delay_retries(self._sqs, url, records, self._chance)

    def _queue_of(self, record: Record) -> _Queue:
        return self._queues[_name(record["eventSourceARN"])]

    def _report(self, batch: _Batch, line: Line) -> None:
        usage = self._meter.take()
        line.note("queue", batch.queue)
        line.note("outcomes", dict(batch.outcomes))
        line.note("requests", usage.requests)
        line.note("write_units", round(usage.write_units))
        line.note("cancelled", usage.cancelled)
        line.count("CommandsDecided", batch.outcomes["accepted"] + batch.outcomes["rejected"])
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
        _Queue(queues.commands_queue_url, queues.commands_dlq_url, _enveloped),
        _Queue(queues.commands_fifo_queue_url, queues.commands_fifo_dlq_url, _bare),
        _Queue(queues.system_commands_queue_url, queues.system_commands_dlq_url, _system),
    )
    return {_name(queue.url): queue for queue in every}


def _name(arn_or_url: str) -> str:
    return re.split("[:/]", arn_or_url)[-1]


def _bare(record: Record) -> tuple[Command, str]:
    """A client's command, and who sent it. Raises InvalidCommandError."""
    return decode_command(record["body"].encode(), CLIENT_COMMANDS), _sender(record)


def _system(record: Record) -> tuple[Command, str]:
    """A system command, and which function sent it. Raises InvalidCommandError."""
    return decode_command(record["body"].encode(), SYSTEM_COMMANDS), _sender(record)


def _sender(record: Record) -> str:
    return f"sqs:{record['attributes'].get('SenderId', '')}"


def _enveloped(record: Record) -> tuple[Command, str]:
    """A client's command that came over the ingress bus, and who put it there.

    Raises InvalidCommandError.
    """
    try:
        envelope = open_envelope(record["body"].encode())
    except MalformedEnvelopeError:
        raise InvalidCommandError((Violation(reasons.MALFORMED_JSON, ""),)) from None
    if envelope.detail_type not in CLIENT_COMMANDS:
        raise InvalidCommandError((Violation(reasons.UNSUPPORTED_TYPE, "detail-type"),))
    command = decode_command(bytes(envelope.detail))
    if not isinstance(command, COMMAND_TYPES[envelope.detail_type]):
        raise InvalidCommandError((Violation(reasons.UNSUPPORTED_TYPE, "type"),))
    # The sender chose `source`, and it becomes part of the event: it is free text like any other.
    for reason in reasons_against_text(envelope.source):
        raise InvalidCommandError((Violation(reason, "source"),))
    return command, f"events:{envelope.account}:{envelope.source}"[:ACTOR_LENGTH_MAX]


def _group(record: Record) -> str:
    """The message group of a FIFO queue's message; empty for one of the standard queue.

    The queue decides, not the attribute: on a standard queue a group is a hint for fair sharing.
    """
    if not record["eventSourceARN"].endswith(".fifo"):
        return ""
    return str(record["attributes"]["MessageGroupId"])


def _burial(record: Record, fault: Violation) -> Mapping[str, str]:
    """What a dead letter says of itself, in its attributes."""
    reason: Reason = fault.reason
    return {
        "reason": reason.code,
        "field": fault.field,
        "retry": reason.retry,
        "source_message_id": record["messageId"],
    }


def build(host: Host) -> Handler:
    """The function. Raises SettingsError."""
    parts = bootstrap.command_parts(host)
    return make_handler(
        commands=parts.commands,
        meter=parts.store.meter,
        sqs=host.sqs(),
        queues=read_settings(QueueSettings, host.environment),
        chance=host.chance,
        telemetry=host.telemetry(),
    )


handler: Handler = on_first_call(build)
