"""What stands around the functions of webhooks: queues, endpoints, subscribers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from consumers.webhooks.attempts import Attempts
from consumers.webhooks.delivery import Queues, make_handler
from consumers.webhooks.directory import CachedDirectory, Directory, MemoryDirectory
from consumers.webhooks.messages import delivery_of, encode_delivery
from consumers.webhooks.records import MemoryDelivered
from consumers.webhooks.secrets import MemorySecrets
from consumers.webhooks.signatures import new_secret
from consumers.webhooks.subscribers import Filters, Key, Subscriber
from ledger.contracts.primitives import instant_of_microseconds
from ledger.runtime.sqs import BatchAnswer
from ledger.runtime.telemetry import Line, Telemetry

NOW = 1_795_000_000_000_000  # 2026-11-18T11:06:40Z
URL = "https://shop.example/hooks"
QUEUES = Queues(deliveries="https://sqs/deliveries", dead_letters="https://sqs/deliveries-dlq")
SECRET = new_secret(lambda count: b"s" * count)


def notification(id: str = "event-1", **fields: object) -> str:
    """A notification's JSON, spaced as nobody else would, so that it shows if it is re-encoded."""
    return json.dumps(
        {"type": "payment.posted", "v": 1, "id": id, **fields}, separators=(" ,", ": ")
    )


def record(
    subscriber: str = "shop", event: str = "event-1", *, received: int = 1, body: str | None = None
) -> dict[str, Any]:
    """A message of the queue of deliveries, as Lambda hands it over."""
    made = delivery_of(subscriber, "payment.posted", event, notification(event))
    return {
        "messageId": f"{subscriber}/{event}",
        "receiptHandle": f"receipt of {subscriber}/{event}",
        "body": encode_delivery(made) if body is None else body,
        "attributes": {"ApproximateReceiveCount": str(received)},
    }


def subscribed(id: str = "shop", *, url: str = URL, **fields: Any) -> Subscriber:
    """A subscriber to everything, with a key."""
    at = instant_of_microseconds(NOW)
    defaults: dict[str, Any] = {"filters": Filters(), "keys": (Key("version-1"),)}
    return Subscriber(id=id, url=url, created_at=at, updated_at=at, **{**defaults, **fields})


def directory_of(*subscribers: Subscriber) -> MemoryDirectory:
    """A directory that has these."""
    store = MemoryDirectory()
    assert store.write(Directory(1, {each.id: each for each in subscribers}))
    return store


@dataclass
class FakeSqs:
    """Queues that remember what they were sent, and which messages wait for how long."""

    sent: list[dict[str, Any]] = field(default_factory=list)
    waits: dict[str, int] = field(default_factory=dict)
    refusing: bool = False
    failing: set[str] = field(default_factory=set)
    """Bodies that a batch is refused for."""

    def send_message(self, **message: Any) -> dict[str, Any]:
        """As the SQS client does."""
        self._refuse("SendMessage")
        self.sent.append(message)
        return {}

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        """As the SQS client does."""
        self._refuse("SendMessageBatch")
        entries = request["Entries"]
        assert 1 <= len(entries) <= 10
        assert len({entry["Id"] for entry in entries}) == len(entries)
        assert sum(len(entry["MessageBody"].encode()) for entry in entries) <= 1024 * 1024
        failed = [entry for entry in entries if entry["MessageBody"] in self.failing]
        self.sent += [
            {"QueueUrl": request["QueueUrl"], **entry} for entry in entries if entry not in failed
        ]
        return {"Failed": [{"Id": entry["Id"]} for entry in failed]}

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        """As the SQS client does."""
        assert all(0 <= entry["VisibilityTimeout"] <= 43_200 for entry in request["Entries"])
        self.waits |= {
            entry["ReceiptHandle"].removeprefix("receipt of "): entry["VisibilityTimeout"]
            for entry in request["Entries"]
        }
        return {}

    def _refuse(self, operation: str) -> None:
        if self.refusing:
            raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, operation)


@dataclass
class FakeEndpoints:
    """Endpoints that answer as `answer` says, and remember what they got."""

    answer: Callable[[str], int] = lambda _: 204
    posted: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """See Endpoints."""
        self.posted.append((url, body, headers))
        return self.answer(url)


class World:
    """A function of deliveries, with all that it calls in memory."""

    def __init__(self, *subscribers: Subscriber) -> None:
        self.store = directory_of(*(subscribers or (subscribed(),)))
        self.secrets = MemorySecrets()
        for subscriber in self.store.read().subscribers:
            self.secrets.keep(subscriber, "version-1", SECRET)
        self.delivered = MemoryDelivered()
        self.endpoints = FakeEndpoints()
        self.sqs = FakeSqs()
        self.lines: list[Line] = []
        self.now = NOW
        self.monotonic = 0.0
        self.cached = CachedDirectory(self.store, lambda: self.monotonic)

    def attempts(self) -> Attempts:
        """What makes attempts here."""
        return Attempts(
            store=self.store,
            cached=self.cached,
            secrets=self.secrets,
            delivered=self.delivered,
            endpoints=self.endpoints,
            clock=lambda: self.now,
        )

    def handle(self, *records: dict[str, Any], context: object = None) -> BatchAnswer:
        """Lets the function have a batch."""
        handler = make_handler(
            attempts=self.attempts(),
            sqs=self.sqs,  # type: ignore[arg-type]
            queues=QUEUES,
            random=lambda: 0.0,
            clock=lambda: self.now,
            telemetry=Telemetry(self.lines.append),
            side_by_side=map,
        )
        return handler({"Records": list(records)}, context)

    @property
    def dead_letters(self) -> list[tuple[str, dict[str, str]]]:
        """The bodies that were put aside, with their attributes."""
        return [
            (
                sent["MessageBody"],
                {k: v["StringValue"] for k, v in sent["MessageAttributes"].items()},
            )
            for sent in self.sqs.sent
            if sent["QueueUrl"] == QUEUES.dead_letters
        ]


def failed(answer: BatchAnswer) -> Sequence[str]:
    """The messages that come back."""
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]
