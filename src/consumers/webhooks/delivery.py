"""What the queue `webhook-deliveries` feeds: each message to its endpoint.

Messages of different subscribers are delivered side by side, those of one after another: a dead
endpoint holds up nobody's messages but its own, and of those only the first of a batch. What can
still succeed comes back by the schedule; what cannot, or was tried often enough, is put into the
dead letters with its reason, to be sent again by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypedDict

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from consumers.webhooks.attempts import Attempts, Outcome
from consumers.webhooks.faults import PERMANENT, AttemptError, Fault
from consumers.webhooks.messages import Delivery, MalformedDeliveryError, decode_delivery
from consumers.webhooks.posting import TOTAL_SECONDS
from consumers.webhooks.schedule import (
    DELAYS_SECONDS,
    delay_seconds,
    is_last,
    retry_after_seconds,
)
from ledger.runtime.clients import seconds_at_most
from ledger.runtime.sqs import (
    BatchAnswer,
    Record,
    batch_answer,
    delay_each,
    receive_count,
    remaining_milliseconds,
)
from ledger.runtime.telemetry import Line, Telemetry, named

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Handler = Callable[[dict[str, Any], object], BatchAnswer]

#: Of one call, inside the SDK: a message that comes back is the next.
AWS_ATTEMPTS: Final = 1
_CALL_SECONDS: Final = seconds_at_most(AWS_ATTEMPTS)
#: What an attempt asks of AWS: the directory, perhaps anew, whether it was delivered, two secrets,
#: the trusted networks; at the end a record of it, or the directory again, read and written.
_ATTEMPT_CALLS: Final = 8
#: Putting one message aside, and putting the others off.
_SETTLING_MILLISECONDS: Final = round(1_000 * 2 * _CALL_SECONDS)
#: No attempt is begun with less time left, as it may take that where all is as slow as it may be.
RESERVED_MILLISECONDS: Final = (
    round(1_000 * (TOTAL_SECONDS + _ATTEMPT_CALLS * _CALL_SECONDS)) + _SETTLING_MILLISECONDS
)
_MICROSECONDS_PER_SECOND: Final = 1_000_000
_NAMED_MAX: Final = 10  # subscribers in a log line: as many as a batch has messages


class _Group(TypedDict, total=False):
    """The arguments of `send_message` that say which group a message is of."""

    MessageGroupId: str


class _Task(Struct, frozen=True):
    """A message, and the delivery in it."""

    record: Record
    delivery: Delivery


class _Result(Struct, frozen=True):
    """What became of a message: an outcome, or a fault and how long it is to wait."""

    record: Record
    delivery: Delivery | None
    outcome: Outcome | None = None
    fault: Fault | None = None
    status: int = 0
    wait_seconds: int = 0
    exception: str = ""


_Work = Callable[[Sequence[_Task]], Sequence[_Result]]
SideBySide = Callable[[_Work, Iterable[Sequence[_Task]]], Iterable[Sequence[_Result]]]
"""As `map`, perhaps with several calls at once."""


class Queues(Struct, frozen=True):
    """The URLs of the queue that is drained, and of its dead letters."""

    deliveries: str
    dead_letters: str


def make_handler(
    *,
    attempts: Attempts,
    sqs: SQSClient,
    queues: Queues,
    random: Callable[[], float],
    clock: Callable[[], int],
    telemetry: Telemetry,
    side_by_side: SideBySide,
) -> Handler:
    """The handler of batches of deliveries, with `ReportBatchItemFailures`.

    `clock` is microseconds since 1970 in UTC, `random` draws from [0, 1).
    """
    worker = _Worker(attempts, random, clock)

    def handler(event: dict[str, Any], context: object) -> BatchAnswer:
        with telemetry.invocation(context) as line:
            tasks, results = _opened(event["Records"])
            groups: dict[str, list[_Task]] = {}
            for task in tasks:
                groups.setdefault(task.delivery.subscriber, []).append(task)
            work = partial(worker.work, partial(remaining_milliseconds, context))
            for group in side_by_side(work, groups.values()):
                results += group
            back = _settled(sqs, queues, results, partial(remaining_milliseconds, context))
            if back:
                line.note("delays_refused", delay_each(sqs, queues.deliveries, back))
            _report(line, results, back)
            return batch_answer(record for record, _ in back)

    return handler


class _Worker:
    """Works through the deliveries of one subscriber."""

    def __init__(
        self, attempts: Attempts, random: Callable[[], float], clock: Callable[[], int]
    ) -> None:
        self._attempts = attempts
        self._random = random
        self._clock = clock

    def work(self, remaining_ms: Callable[[], float], tasks: Sequence[_Task]) -> Sequence[_Result]:
        results: list[_Result] = []
        ill: AttemptError | None = None
        for task in tasks:
            if remaining_ms() < RESERVED_MILLISECONDS:
                results.append(self._put_off(task, DELAYS_SECONDS[0]))
                continue
            if ill is not None:
                results.append(self._put_off(task, self._wait(task, ill)))
                continue
            try:
                outcome = self._attempts.make(task.delivery)
            except AttemptError as error:
                if error.is_of_the_endpoint:
                    ill = error
                results.append(self._failed(task, error))
            except Exception as error:  # noqa: BLE001 - a bug over one message must not fail its neighbours
                results.append(
                    self._failed(task, AttemptError(Fault.UNFORESEEN), exception=named(error))
                )
            else:
                results.append(_Result(task.record, task.delivery, outcome=outcome))
        return results

    def _failed(self, task: _Task, error: AttemptError, exception: str = "") -> _Result:
        return _Result(
            task.record,
            task.delivery,
            fault=error.fault,
            status=error.status,
            wait_seconds=self._wait(task, error),
            exception=exception,
        )

    def _put_off(self, task: _Task, wait_seconds: int) -> _Result:
        return _Result(task.record, task.delivery, fault=Fault.NOT_TRIED, wait_seconds=wait_seconds)

    def _wait(self, task: _Task, error: AttemptError) -> int:
        now_seconds = self._clock() / _MICROSECONDS_PER_SECOND
        return delay_seconds(
            receive_count(task.record),
            self._random,
            retry_after_seconds=retry_after_seconds(error.retry_after, now_seconds),
        )


def _opened(records: Sequence[Record]) -> tuple[list[_Task], list[_Result]]:
    tasks: list[_Task] = []
    results: list[_Result] = []
    for record in records:
        try:
            tasks.append(_Task(record, decode_delivery(record["body"])))
        except MalformedDeliveryError:
            results.append(
                _Result(record, None, fault=Fault.MALFORMED_MESSAGE, wait_seconds=DELAYS_SECONDS[0])
            )
    return tasks, results


def _settled(
    sqs: SQSClient,
    queues: Queues,
    results: Sequence[_Result],
    remaining_ms: Callable[[], float],
) -> list[tuple[Record, int]]:
    """Puts aside what is not to be tried again; what comes back, each with its wait in seconds.

    After one that SQS did not take, and with too little time, nothing more is put aside."""
    back = []
    takes = True
    for result in results:
        if result.fault is None:
            continue
        is_over = result.fault in PERMANENT or is_last(receive_count(result.record))
        if is_over and takes and remaining_ms() >= _SETTLING_MILLISECONDS:
            takes = _buried(sqs, queues.dead_letters, result)
            if takes:
                continue
        # Also what could not be put aside: in the end SQS does it itself.
        back.append((result.record, result.wait_seconds))
    return back


def _buried(sqs: SQSClient, url: str, result: _Result) -> bool:
    """Sends a message to the dead letters, as it is, with why; whether SQS took it."""
    try:
        sqs.send_message(
            QueueUrl=url,
            MessageBody=result.record["body"],
            **_grouped(result.delivery),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in burial_of(result).items()
                if value
            },
        )
    except (BotoCoreError, ClientError):
        return False
    return True


def _grouped(delivery: Delivery | None) -> _Group:
    """As the fan-out sends it: a redrive keeps the group, and the queue is fair to it again."""
    return {} if delivery is None else {"MessageGroupId": delivery.subscriber}


def burial_of(result: _Result) -> Mapping[str, str]:
    """What a dead letter says of itself, in its attributes."""
    delivery = result.delivery
    return {
        "reason": str(result.fault),
        # What is no delivery never becomes one; all else may be sent again once its cause is gone.
        "retry": "never" if result.fault is Fault.MALFORMED_MESSAGE else "same_request",
        "status": str(result.status or ""),
        "subscriber": delivery.subscriber if delivery else "",
        "webhook_id": delivery.message if delivery else "",
        "receives": str(receive_count(result.record)),
        "source_message_id": result.record["messageId"],
    }


def _report(line: Line, results: Sequence[_Result], back: Sequence[tuple[Record, int]]) -> None:
    outcomes = Counter(result.outcome for result in results if result.outcome)
    failed = [result for result in results if result.fault]
    line.count("Messages", len(results))
    line.count("WebhooksDelivered", outcomes["delivered"] + outcomes["delivered_unrecorded"])
    line.count("MessagesFailed", len(back))
    line.count("WebhooksBuried", len(failed) - len(back))
    line.note("outcomes", {str(name): count for name, count in outcomes.items()})
    if not failed:
        return
    line.warn()
    line.note("failures", dict(Counter(str(result.fault) for result in failed)))
    line.note(
        "subscribers",
        sorted({each.delivery.subscriber for each in failed if each.delivery})[:_NAMED_MAX],
    )
    if statuses := Counter(str(result.status) for result in failed if result.status):
        line.note("statuses", dict(statuses))
    if exceptions := sorted({result.exception for result in failed if result.exception}):
        line.note("exceptions", exceptions)
