"""SQS in memory, as far as dead letters need it, with a clock and with failures of one's choice.

Standard queues show any visible message; FIFO queues show a group from its head, and nothing of it
while one of its messages is in somebody's hands. Sending into a FIFO queue swallows a deduplication
id for five minutes. What is held shows again when its time is over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

DEDUPLICATION_SECONDS = 300
_MILLISECONDS = 1_000
_QUEUE_ATTRIBUTES = ("ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")

Json = dict[str, Any]


@dataclass
class Stored:
    """One message in a queue."""

    id: str
    body: str
    attributes: Json
    system: dict[str, str]
    visible_at: float = 0.0
    receipt: str = ""
    receives: int = 0

    @property
    def group(self) -> str:
        """Its message group; empty if it has none."""
        return self.system.get("MessageGroupId", "")


@dataclass
class MemorySqs:
    """Queues by URL. `fault` is asked at each call, by its name, what shall become of it: "" or
    None it is done, "before" it fails undone, "after" it fails though it was done, "some" every
    second entry of a batch fails. `on_call` runs before each call: what others do meanwhile."""

    fault: Callable[[str], str | None] = lambda _: None
    on_call: Callable[[str], None] = lambda _: None
    now: float = 1_764_000_000.0
    queues: dict[str, list[Stored]] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: count(1))
    _swallowed: dict[tuple[str, str, str], tuple[float, str]] = field(default_factory=dict)

    def put(
        self,
        url: str,
        body: str,
        *,
        attributes: Json | None = None,
        group: str = "",
        sent_at: float | None = None,
        moved: bool = True,
    ) -> str:
        """A message in a queue, by no call; its id. `moved`: SQS itself brought it here."""
        id_ = f"message-{next(self._numbers)}"
        at = self.now if sent_at is None else sent_at
        system = {"SentTimestamp": str(int(at * _MILLISECONDS))}
        if group:
            system["MessageGroupId"] = group
        if moved:
            system["DeadLetterQueueSourceArn"] = "arn:aws:sqs:::source"
        self.queues.setdefault(url, []).append(Stored(id_, body, attributes or {}, system))
        return id_

    def bodies(self, url: str) -> list[str]:
        """The bodies in a queue, in its order."""
        return [message.body for message in self.queues.get(url, [])]

    def visible(self, url: str) -> list[str]:
        """The bodies of the messages that nobody holds."""
        return [m.body for m in self.queues.get(url, []) if m.visible_at <= self.now]

    def receive_message(self, **request: Any) -> Json:
        """Up to ten visible messages, held from now on."""

        def receive() -> Json:
            url, limit = request["QueueUrl"], request["MaxNumberOfMessages"]
            fifo = url.endswith(".fifo")
            messages = self.queues.setdefault(url, [])
            blocked = {m.group for m in messages if fifo and m.visible_at > self.now}
            some = [m for m in messages if m.visible_at <= self.now and m.group not in blocked][
                :limit
            ]
            if not some:
                self.now += request["WaitTimeSeconds"]
            for message in some:
                message.receipt = f"receipt-{next(self._numbers)}"
                message.receives += 1
                message.visible_at = self.now + request["VisibilityTimeout"]
            return {"Messages": [_received(m) for m in some]} if some else {}

        return self._call("receive_message", receive)

    def send_message_batch(self, **request: Any) -> Json:
        """Adds messages to a queue; a FIFO queue swallows what it knows."""
        return self._batch("send_message_batch", request, self._send)

    def delete_message_batch(self, **request: Any) -> Json:
        """Deletes messages by their latest receipts."""
        return self._batch("delete_message_batch", request, self._delete)

    def change_message_visibility_batch(self, **request: Any) -> Json:
        """Shows messages again, or holds them for longer."""
        return self._batch("change_message_visibility_batch", request, self._change)

    def get_queue_attributes(self, **request: Any) -> Json:
        """The depths of a queue, and its redrive policy."""

        def attributes() -> Json:
            url = request["QueueUrl"]
            if request["AttributeNames"] == ["RedrivePolicy"]:
                policy = self.policies.get(url)
                return {"Attributes": {"RedrivePolicy": policy} if policy else {}}
            depths = dict.fromkeys(_QUEUE_ATTRIBUTES, "0")
            here = len(self.queues.get(url, []))
            return {"Attributes": {**depths, "ApproximateNumberOfMessages": str(here)}}

        return self._call("get_queue_attributes", attributes)

    def _send(self, url: str, entry: Json) -> Json:
        group, number = entry.get("MessageGroupId", ""), next(self._numbers)
        known = (url, group, entry.get("MessageDeduplicationId", ""))
        if url.endswith(".fifo"):
            assert group
            assert known[2]
            until, id_ = self._swallowed.get(known, (0.0, ""))
            if until > self.now:
                return {"MessageId": id_}
        id_ = f"message-{number}"
        self._swallowed[known] = (self.now + DEDUPLICATION_SECONDS, id_)
        system = {"SentTimestamp": str(int(self.now * _MILLISECONDS))}
        if group:
            system["MessageGroupId"] = group
        message = Stored(id_, entry["MessageBody"], entry.get("MessageAttributes", {}), system)
        self.queues.setdefault(url, []).append(message)
        return {"MessageId": id_}

    def _delete(self, url: str, entry: Json) -> Json:
        self.queues[url] = [m for m in self.queues[url] if m.receipt != entry["ReceiptHandle"]]
        return {}

    def _change(self, url: str, entry: Json) -> Json:
        for message in self.queues[url]:
            if message.receipt == entry["ReceiptHandle"]:
                message.visible_at = self.now + entry["VisibilityTimeout"]
        return {}

    def _batch(self, name: str, request: Json, do: Callable[[str, Json], Json]) -> Json:
        entries: Sequence[Json] = request["Entries"]
        assert 1 <= len(entries) <= 10
        assert len({entry["Id"] for entry in entries}) == len(entries)

        def every(some: bool = False) -> Json:
            failing = [e for place, e in enumerate(entries) if some and place % 2 == 0]
            failed = [
                {"Id": e["Id"], "Code": "InternalError", "SenderFault": False} for e in failing
            ]
            done = [
                {"Id": e["Id"], **do(request["QueueUrl"], e)} for e in entries if e not in failing
            ]
            return {"Successful": done, **({"Failed": failed} if failed else {})}

        return self._call(name, every, partly=lambda: every(some=True))

    def _call(
        self, name: str, do: Callable[[], Json], partly: Callable[[], Json] | None = None
    ) -> Json:
        self.calls.append(name)
        self.on_call(name)
        fault = self.fault(name)
        if fault == "before":
            raise _outage(name)
        answer = partly() if partly and fault == "some" else do()
        if fault == "after":
            raise _outage(name)
        return answer


def _received(message: Stored) -> Json:
    shown: Json = {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "Body": message.body,
        "Attributes": {**message.system, "ApproximateReceiveCount": str(message.receives)},
    }
    return {**shown, "MessageAttributes": message.attributes} if message.attributes else shown


def _outage(call: str) -> ClientError:
    return ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "made up"}}, call)
