"""The Lambda function behind the queue `webhooks`: who wants this notification?

For each subscriber that does, one message goes into the queue of deliveries, where an endpoint that
is slow or dead is in nobody's way but its own. What could not be handed on for all of them comes
back with all that shares its message: what is sent twice has the same `webhook-id`, and is
delivered once.
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
from ledger.consuming.batches import NOT_TRIED, Consumer, Handled, World, make_reader
from ledger.consuming.deployed import deployed_world
from ledger.consuming.notifications import Notification, Told, told_of
from ledger.runtime.clients import seconds_at_most
from ledger.runtime.faults import BrokenItemError, StoreError
from ledger.runtime.host import Host
from ledger.runtime.lazy import on_first_call
from ledger.runtime.packing import packed
from ledger.runtime.settings import read_settings
from ledger.runtime.sqs import BatchAnswer, has_time

if TYPE_CHECKING:
    from typing import Unpack

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

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
    """A delivery to send on, and the place of the event that it is of."""

    place: int
    subscriber: str
    body: str


def make_handler(
    *, directory: CachedDirectory, deliveries_queue_url: str, **world: Unpack[World]
) -> Consumer:
    """A handler of batches of queue messages; see `make_reader`."""

    def handler(event: dict[str, Any], context: object) -> BatchAnswer:
        may_go_on = partial(has_time, context, RESERVED_MILLISECONDS)
        return make_reader(
            lambda batch: _handed_on(
                batch, directory, world["sqs"], deliveries_queue_url, may_go_on
            ),
            read=told_of,
            entries=lambda told: len(told.notifications),
            reserved_ms=0,  # looked at before each request
            **world,
        )(event, context)

    return handler


def deliveries_of(notification: Notification, subscribers: Sequence[Subscriber]) -> list[Delivery]:
    """The deliveries of a notification."""
    return [
        delivery_of(each.id, notification.type, notification.id, notification.body)
        for each in subscribers
        if wants(each.filters, notification.attributes)
    ]


def _handed_on(
    batch: Sequence[Told],
    directory: CachedDirectory,
    sqs: SQSClient,
    url: str,
    may_go_on: Callable[[], bool],
) -> Handled:
    try:
        found = directory.directory().subscribers.values()
    except (StoreError, BrokenItemError) as error:  # one that is unread is not an empty one
        code = error.code if isinstance(error, StoreError) else "broken_item"
        return Handled(dict.fromkeys(range(len(batch)), code))
    subscribers = [each for each in found if each.enabled]
    sendings = [
        _Sending(place, delivery.subscriber, encode_delivery(delivery))
        for place, told in enumerate(batch)
        for notification in told.notifications
        for delivery in deliveries_of(notification, subscribers)
    ]
    failed = _sent(sqs, url, sendings, may_go_on)
    return Handled(failed, {"DeliveriesQueued": len(sendings)})


def _sent(
    sqs: SQSClient, url: str, sendings: Sequence[_Sending], may_go_on: Callable[[], bool]
) -> Mapping[int, str]:
    """The places of the events of which not every delivery was taken, each with why."""
    failed: dict[int, str] = {}
    in_a_row = 0
    sizes = [len(each.body.encode()) for each in sendings]
    for request in packed(
        range(len(sendings)), sizes.__getitem__, entries_max=_ENTRIES_MAX, bytes_max=_BYTES_MAX
    ):
        chunk = [sendings[at] for at in request]
        if in_a_row >= FAILURES_IN_A_ROW_MAX or not may_go_on():
            failed.update({each.place: failed.get(each.place, NOT_TRIED) for each in chunk})
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


def build(host: Host) -> Consumer:
    """The function. Raises SettingsError."""
    settings = read_settings(Settings, host.environment)
    return make_handler(
        directory=CachedDirectory(
            DynamoDirectory(host.dynamodb(attempts=_AWS_ATTEMPTS), settings.webhooks_table),
            host.monotonic,
        ),
        deliveries_queue_url=settings.deliveries_queue_url,
        **deployed_world(host, settings.queue_url, sqs_attempts=_AWS_ATTEMPTS),
    )


handler = on_first_call(build)
