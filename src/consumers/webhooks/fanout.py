"""The Lambda function behind the queue `webhooks`: who wants this notification?

For each subscriber that does, one message goes into the queue of deliveries, where an endpoint that
is slow or dead is in nobody's way but its own. A message that could not be handed on for all of
them comes back whole: what is sent twice has the same `webhook-id`, and is delivered once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from consumers.webhooks.directory import CachedDirectory, DynamoDirectory
from consumers.webhooks.messages import Delivery, delivery_of, encode_delivery
from consumers.webhooks.subscribers import Subscriber, wants
from ledger.contracts.events import CorruptEventError, UnknownEventError
from ledger.contracts.notifications import Notified, attributes_of, decode_notification
from ledger.runtime.clients import seconds_at_most
from ledger.runtime.faults import BrokenItemError, StoreError
from ledger.runtime.host import Host
from ledger.runtime.lazy import on_first_call
from ledger.runtime.packing import packed
from ledger.runtime.settings import read_settings
from ledger.runtime.sqs import BatchAnswer, Record, batch_answer, delay_retries, has_time
from ledger.runtime.telemetry import Line, Telemetry

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

Handler = Callable[[dict[str, Any], object], BatchAnswer]

_ENTRIES_MAX: Final = 10  # of SendMessageBatch
_AWS_ATTEMPTS: Final = 2  # of one call, inside the SDK
#: After this many requests that failed one behind the other the queue is taken to be out of reach.
FAILURES_IN_A_ROW_MAX: Final = 3
#: No request is begun with less time left: it, and putting off a batch of 25 in three requests.
RESERVED_MILLISECONDS: Final = round(1_000 * 4 * seconds_at_most(_AWS_ATTEMPTS))
#: Of a request, in bytes: SQS takes 1 MiB, and a notification has 100 KB at most.
_BYTES_MAX: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of the function."""

    webhooks_table: str
    queue_url: str
    deliveries_queue_url: str


class _Sending(Struct, frozen=True):
    """A delivery to send on, and the place of the message that it comes from."""

    place: int
    subscriber: str
    body: str


def make_handler(
    *,
    directory: CachedDirectory,
    sqs: SQSClient,
    queue_url: str,
    deliveries_queue_url: str,
    random: Callable[[], float],
    telemetry: Telemetry,
) -> Handler:
    """The handler of batches of notifications, with `ReportBatchItemFailures`."""

    def handler(event: dict[str, Any], context: object) -> BatchAnswer:
        with telemetry.invocation(context) as line:
            records: Sequence[Record] = event["Records"]
            failed: dict[int, str] = {}
            sendings: list[_Sending] = []
            try:
                subscribers = [
                    each for each in directory.directory().subscribers.values() if each.enabled
                ]
            except (StoreError, BrokenItemError) as error:
                code = error.code if isinstance(error, StoreError) else "broken_item"
                failed = dict.fromkeys(range(len(records)), code)
            else:
                for place, record in enumerate(records):
                    try:
                        sendings += _sendings(place, record["body"], subscribers)
                    except CorruptEventError:
                        failed[place] = "corrupt_notification"
                    except UnknownEventError:
                        failed[place] = "unknown_notification"
            may_go_on = partial(has_time, context, RESERVED_MILLISECONDS)
            failed.update(_sent(sqs, deliveries_queue_url, sendings, may_go_on))
            back = [records[place] for place in sorted(failed)]
            _report(line, len(records), len(sendings), failed)
            if back:
                line.note("delays_refused", delay_retries(sqs, queue_url, back, random))
            return batch_answer(back)

    return handler


def deliveries_of(body: str, subscribers: Sequence[Subscriber]) -> list[Delivery]:
    """The deliveries of a notification. Raises CorruptEventError or UnknownEventError."""
    notified: Notified = decode_notification(body)
    attributes = attributes_of(notified)
    return [
        delivery_of(each.id, str(attributes["type"]), notified.id, body)
        for each in subscribers
        if wants(each.filters, attributes)
    ]


def _sendings(place: int, body: str, subscribers: Sequence[Subscriber]) -> list[_Sending]:
    return [
        _Sending(place, delivery.subscriber, encode_delivery(delivery))
        for delivery in deliveries_of(body, subscribers)
    ]


def _sent(
    sqs: SQSClient, url: str, sendings: Sequence[_Sending], may_go_on: Callable[[], bool]
) -> Mapping[int, str]:
    """The places of the messages of which not every delivery was taken, each with why."""
    failed: dict[int, str] = {}
    in_a_row = 0
    sizes = [len(each.body.encode()) for each in sendings]
    for request in packed(
        range(len(sendings)), sizes.__getitem__, entries_max=_ENTRIES_MAX, bytes_max=_BYTES_MAX
    ):
        chunk = [sendings[at] for at in request]
        if in_a_row >= FAILURES_IN_A_ROW_MAX or not may_go_on():
            failed.update({each.place: failed.get(each.place, "not_tried") for each in chunk})
            continue
        try:
            answer = sqs.send_message_batch(
                QueueUrl=url, Entries=[_entry(at, each) for at, each in enumerate(chunk)]
            )
        except (BotoCoreError, ClientError):
            in_a_row += 1
            failed.update({each.place: "not_sent" for each in chunk})
        else:
            in_a_row = 0
            refused = [chunk[int(entry["Id"])] for entry in answer.get("Failed", ())]
            failed.update({each.place: "not_sent" for each in refused})
    return failed


def _entry(at: int, sending: _Sending) -> SendMessageBatchRequestEntryTypeDef:
    return {
        "Id": str(at),
        "MessageBody": sending.body,
        # Of a standard queue: SQS then sees to it that one subscriber's backlog does not keep the
        # others waiting.
        "MessageGroupId": sending.subscriber,
    }


def _report(line: Line, received: int, deliveries: int, failed: Mapping[int, str]) -> None:
    line.count("Messages", received)
    line.count("MessagesFailed", len(failed))
    line.count("DeliveriesQueued", deliveries)
    if failed:
        codes = list(failed.values())
        line.note("failures", {code: codes.count(code) for code in sorted(set(codes))})
        line.warn()


def build(host: Host) -> Handler:
    """The function. Raises SettingsError."""
    settings = read_settings(Settings, host.environment)
    return make_handler(
        directory=CachedDirectory(
            DynamoDirectory(host.dynamodb(attempts=_AWS_ATTEMPTS), settings.webhooks_table),
            host.monotonic,
        ),
        sqs=host.sqs(attempts=_AWS_ATTEMPTS),
        queue_url=settings.queue_url,
        deliveries_queue_url=settings.deliveries_queue_url,
        random=host.chance,
        telemetry=host.telemetry(),
    )


handler: Handler = on_first_call(build)
