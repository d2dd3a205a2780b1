"""SQS as its clients, Lambda's mappings and other services see it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, Final

from simulation.aws.calls import Answer, Doing, Operation, Request
from simulation.aws.errors import ServiceError
from simulation.aws.sqs import requests
from simulation.aws.sqs.fifo import FifoQueue
from simulation.aws.sqs.message import Content, Lying, Message, Record, sequence_number
from simulation.aws.sqs.queue import Queue, StandardQueue
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.hub import MILLISECOND, SECOND, Hub
from simulation.wiring import model

#: Who sent what came by a client, as SQS names a role's session. All callers look alike.
CLIENT_ID: Final = "AROASIMULATEDCLIENTS:client"
_LONG_POLL_STEP: Final = 100 * MILLISECOND
_PARTITION_AND_SERVICE: Final = 3  # of an ARN, before its Region

Observer = Callable[[str, str, str], None]
"""Told of each message that was received too often, as it goes to the dead letters: the queue that
it was in, its body, its id."""


class Sqs:
    """All queues. What has no parameter here raises NotImplementedError."""

    name: Final = "sqs"

    def __init__(
        self, hub: Hub, random: Random, injector: Injector, queues: Sequence[model.Queue]
    ) -> None:
        self._hub = hub
        self._random = random
        self._injector = injector
        self._queues: dict[str, Queue] = {}
        self._by_url: dict[str, Queue] = {}
        self.observers: list[Observer] = []
        self._messages_made = 0
        self._sequence = 0
        for queue in queues:
            self.add(queue)
        self.operations: Mapping[str, Operation] = {
            "send_message": self._send_message,
            "send_message_batch": self._send_message_batch,
            "receive_message": self._receive_message,
            "delete_message_batch": self._delete_message_batch,
            "change_message_visibility_batch": self._change_message_visibility_batch,
            "get_queue_attributes": self._get_queue_attributes,
        }

    def prepared(self, operation: str, request: Request) -> Request:
        """See Service."""
        del operation
        return request

    def add(self, queue: model.Queue) -> None:
        """One more queue, empty."""
        kind = FifoQueue if queue.fifo else StandardQueue
        made = kind(queue, self._hub, self._random, self._injector, self._bury)
        self._queues[queue.name] = self._by_url[queue.url] = made

    # For Lambda's mappings and for other services: no call of a client, no time passes.

    def on_available(self, queue_name: str, listener: Callable[[], object]) -> None:
        """Call it whenever there may be something to receive: sent, or visible again, or the
        group is free. Never from inside another call of this service."""
        self._queues[queue_name].on_available(listener)

    def receive(self, queue_name: str, limit: int) -> list[Record]:
        """Up to `limit` messages, as records for a function, hidden for the queue's time-out."""
        queue = self._queues[queue_name]
        spec = queue.spec
        visibility = spec.visibility_seconds * SECOND
        region = spec.arn.split(":")[_PARTITION_AND_SERVICE]
        return [
            message.as_record(spec.arn, region)
            for message in queue.take(limit, visibility, worked_on=True)
        ]

    def delete(self, queue_name: str, receipt_handles: Sequence[str]) -> None:
        """Delete what was received with these handles, as far as they are still good for it."""
        queue = self._queues[queue_name]
        for receipt in receipt_handles:
            try:
                queue.delete(receipt)
            except ServiceError:  # its time was over: the message comes again
                continue

    def done(self, queue_name: str, receipt_handles: Sequence[str]) -> None:
        """A mapping works on these no more, and does not delete them either: they come back when
        their visibility time-out ends, which is no fault then."""
        self._queues[queue_name].done(receipt_handles)

    def deliver(
        self,
        queue_name: str,
        body: str | Content,
        attributes: Mapping[str, Mapping[str, Any]] | None = None,
        sender_id: str = "",
    ) -> None:
        """Another service puts a message into a standard queue. Raises ServiceError."""
        queue = self._queues[queue_name]
        if isinstance(queue, FifoQueue):
            raise NotImplementedError(f"delivery into the FIFO queue {queue_name} is not simulated")
        content = Content(body, attributes) if isinstance(body, str) else body
        if not content.fits:
            requests.fit(
                {"MessageBody": content.body, "MessageAttributes": content.attributes}, fifo=False
            )
            content.fits = True
        queue.put(self._new(content, sender_id))

    # For whoever may look into AWS.

    def depth(self, queue_name: str) -> tuple[int, int, int]:
        """How many messages are visible, in flight, delayed. Nothing here delays."""
        queue = self._queues[queue_name]
        return queue.visible, queue.in_flight, 0

    def peek(self, queue_name: str) -> list[Lying]:
        """All messages of a queue, the one first that came first."""
        return self._queues[queue_name].lying()

    def expired(self, queue_name: str) -> int:
        """How many messages a queue threw away because its retention was over."""
        return self._queues[queue_name].expired

    # Operations

    def _send_message(self, request: Request) -> Answer:
        requests.known(request, requests.SEND, "send_message")
        queue = self._at(request)
        requests.fit(request, fifo=queue.spec.fifo)
        return self._sent(queue, request)

    def _send_message_batch(self, request: Request) -> Answer:
        queue = self._at(request)
        fifo, name = queue.spec.fifo, queue.spec.name
        entries = requests.entries_of(request, requests.SEND_ENTRY, "send_message_batch")
        requests.too_long_together(entries)

        def send(entry: Mapping[str, Any]) -> Answer:
            requests.fit(entry, fifo=fifo)
            if self._injector.strikes(Fault.QUEUE_ENTRY_FAILED, name, entry["Id"]):
                raise ServiceError("InternalError", "We encountered an internal error.", status=500)
            return self._sent(queue, entry)

        return _each(entries, send)

    def _receive_message(self, request: Request) -> Answer | Doing:
        requests.fit_receive(request)
        answer = self._received(request)
        wait = request.get("WaitTimeSeconds", 0) * SECOND
        if "Messages" in answer or not wait:
            return answer
        return self._polled(request, self._hub.now + wait)

    def _polled(self, request: Request, until: int) -> Doing:
        while self._hub.now < until:
            yield min(_LONG_POLL_STEP, until - self._hub.now)
            answer = self._received(request)
            if "Messages" in answer:
                return answer
        return {}

    def _received(self, request: Request) -> Answer:
        queue = self._at(request)
        seconds = request.get("VisibilityTimeout", queue.spec.visibility_seconds)
        system = "MessageSystemAttributeNames" in request
        own = "MessageAttributeNames" in request
        taken = queue.take(request.get("MaxNumberOfMessages", 1), seconds * SECOND)
        if not taken:
            return {}
        return {"Messages": [message.as_received(system=system, own=own) for message in taken]}

    def _delete_message_batch(self, request: Request) -> Answer:
        queue = self._at(request)
        entries = requests.entries_of(request, requests.DELETE_ENTRY, "delete_message_batch")

        def delete(entry: Mapping[str, Any]) -> Answer:
            queue.delete(entry["ReceiptHandle"])
            return {}

        return _each(entries, delete)

    def _change_message_visibility_batch(self, request: Request) -> Answer:
        queue = self._at(request)
        entries = requests.entries_of(
            request, requests.VISIBILITY_ENTRY, "change_message_visibility_batch"
        )

        def change(entry: Mapping[str, Any]) -> Answer:
            requests.fit_visibility(entry["VisibilityTimeout"])
            queue.change_visibility(entry["ReceiptHandle"], entry["VisibilityTimeout"])
            return {}

        return _each(entries, change)

    def _get_queue_attributes(self, request: Request) -> Answer:
        requests.known(request, requests.ATTRIBUTES, "get_queue_attributes")
        queue = self._at(request)
        said = dict(self._attributes(queue))
        if unknown := sorted(set(request["AttributeNames"]) - said.keys()):
            raise NotImplementedError(f"sqs.get_queue_attributes: {unknown} is not simulated")
        asked = {name: said[name] for name in request["AttributeNames"] if said[name]}
        return {"Attributes": asked} if asked else {}

    def _attributes(self, queue: Queue) -> Iterator[tuple[str, str]]:
        spec = queue.spec
        yield "ApproximateNumberOfMessages", str(queue.visible)
        yield "ApproximateNumberOfMessagesNotVisible", str(queue.in_flight)
        yield "ApproximateNumberOfMessagesDelayed", "0"
        yield "QueueArn", spec.arn
        policy = spec.dead_letters and json.dumps(
            {
                "deadLetterTargetArn": self._queues[spec.dead_letters].spec.arn,
                "maxReceiveCount": spec.max_receives,
            }
        )
        yield "RedrivePolicy", policy or ""

    def _at(self, request: Request) -> Queue:
        queue = self._by_url.get(request["QueueUrl"])
        if queue is None:
            raise ServiceError(
                "AWS.SimpleQueueService.NonExistentQueue",
                "The specified queue does not exist.",
            )
        return queue

    def _sent(self, queue: Queue, entry: Mapping[str, Any]) -> Answer:
        """A message that fits goes into a queue; what SQS answers."""
        content = Content(entry["MessageBody"], entry.get("MessageAttributes"))
        message = self._new(
            content,
            CLIENT_ID,
            group=entry.get("MessageGroupId", ""),
            dedup_id=entry.get("MessageDeduplicationId", ""),
        )
        answer = {"MD5OfMessageBody": content.md5}
        if isinstance(queue, FifoQueue):
            known = queue.known(message)
            if known is None:
                self._sequence += 1
                message.sequence = self._sequence
                queue.put(message)
            else:
                message = known
            answer["SequenceNumber"] = sequence_number(message.sequence)
        else:
            queue.put(message)
        answer["MessageId"] = message.id
        return answer

    def _bury(self, message: Message, source: model.Queue) -> None:
        """To the dead letters, under its old id; a FIFO queue counts its age anew."""
        for observer in self.observers:
            observer(source.name, message.content.body, message.id)
        queue = self._queues[str(source.dead_letters)]
        dead = Message(
            message.id,
            message.content,
            message.sender,
            self._hub.now if queue.spec.fifo else message.sent_at,
            group=message.group,
            dedup_id=message.dedup_id,
        )
        dead.receives = message.receives
        dead.first_received_at = message.first_received_at
        dead.moved_from = source.arn
        if queue.spec.fifo:
            self._sequence += 1
            dead.sequence = self._sequence
        queue.put(dead)

    def _new(
        self, content: Content, sender: str, *, group: str = "", dedup_id: str = ""
    ) -> Message:
        self._messages_made += 1
        # In the form of a UUID, as the ids of SQS are.
        id_ = f"51510000-0000-4000-8000-{self._messages_made:012x}"
        return Message(id_, content, sender, self._hub.now, group=group, dedup_id=dedup_id)


def _each(
    entries: Sequence[Mapping[str, Any]], do: Callable[[Mapping[str, Any]], Answer]
) -> Answer:
    """What a batch operation answers: each entry by itself, in their order."""
    successful, failed = [], []
    for entry in entries:
        try:
            successful.append({"Id": entry["Id"], **do(entry)})
        except ServiceError as error:
            failed.append(
                {
                    "Id": entry["Id"],
                    "SenderFault": error.status < 500,
                    "Code": error.code,
                    "Message": error.message,
                }
            )
    answer: Answer = {}
    if successful:
        answer["Successful"] = successful
    if failed:
        answer["Failed"] = failed
    return answer
