"""`dead-letters` and `redrive` on what the relay could not publish: objects in its bucket."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from ledger.application.publication import Published
from ledger.cli.connection import Connection
from ledger.client.config import ENVIRONMENT_VARIABLE, save
from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import LocalLedger

BUCKET = "ledger-test-relay-failures"
MAPPING = "aws/lambda/7c9b0d6a/shardId-1/2026/11/22"


class Bucket:
    """A versioned bucket: S3, as far as it is asked. `denied` names a call that is refused."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.vanishing = ""
        self.denied = ""

    def get_paginator(self, name: str) -> Any:
        """Pages of one key each."""
        assert name == "list_objects_v2"
        return self

    def paginate(self, **request: str) -> Iterator[dict[str, Any]]:
        """See get_paginator."""
        assert request == {"Bucket": BUCKET, "Prefix": "aws/lambda/"}
        yield {}
        at = datetime.now(UTC) - timedelta(hours=3)
        for number, key in enumerate(self.objects):
            yield {"Contents": [{"Key": key, "LastModified": at + timedelta(seconds=number)}]}

    def get_object(self, **request: str) -> dict[str, Any]:
        """An object, unless somebody has just removed it."""
        key = request["Key"]
        if key == self.vanishing:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": ""}}, "GetObject")
        self._refuse("get")
        return {"Body": io.BytesIO(self.objects[key])}

    def delete_object(self, **request: str) -> None:
        """Removes an object."""
        self._refuse("delete")
        del self.objects[request["Key"]]

    def _refuse(self, call: str) -> None:
        if self.denied == call:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, call)


class Bus:
    """A Publisher that notes what it got, and takes nothing while it is `closed`."""

    def __init__(self) -> None:
        self.published: list[Published] = []
        self.closed = False

    def publish(self, events: Sequence[Published]) -> frozenset[int]:
        """See Publisher."""
        if self.closed:
            return frozenset({0})
        self.published += events
        return frozenset()


@pytest.fixture
def bucket() -> Bucket:
    """The relay's bucket, empty."""
    return Bucket()


@pytest.fixture
def bus() -> Bus:
    """The ledger bus."""
    return Bus()


@pytest.fixture
def run(
    run: Run, local: LocalLedger, bucket: Bucket, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs the command against a stack with that bucket, and three accounts in the store."""
    for name in ("a", "b", "c"):
        assert run("open", name, "EUR", "--id", f"open-{name}").code == 0
    outputs = {"RelayFailuresBucketName": BUCKET}
    path = Path(os.environ[ENVIRONMENT_VARIABLE])
    save(msgspec.structs.replace(local.config, outputs=outputs), path)
    monkeypatch.setattr(Connection, "s3", bucket)
    monkeypatch.setattr(Connection, "events", lambda _: local.store)
    monkeypatch.setattr(Connection, "publisher", lambda _: bus)
    return run


def record(local: LocalLedger, event_id: str, **changes: Any) -> dict[str, Any]:
    """A record of the stream of the events table, as Lambda hands it over."""
    stored = local.store.event(event_id)
    data = stored.data.decode() if stored else "{}"
    image = {"pk": {"S": event_id}, "type": {"S": "account.opened"}, "data": {"S": data}}
    change = {"Keys": {"pk": {"S": event_id}}, "NewImage": image, "SequenceNumber": "1"}
    return {"eventID": "1", "eventName": "INSERT", "dynamodb": change, **changes}


def given_up(*records: dict[str, Any], as_text: bool = True) -> bytes:
    """What Lambda writes of a batch that it gave up: the payload is the batch's own JSON."""
    event = {"Records": list(records)}
    return json.dumps(
        {
            "requestContext": {"requestId": "r", "condition": "RetryAttemptsExhausted"},
            "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
            "version": "1.0",
            "DDBStreamBatchInfo": {"shardId": "shardId-1", "batchSize": len(records)},
            "payload": json.dumps(event) if as_text else event,
        }
    ).encode()


def test_a_batch_is_listed_by_what_it_holds(run: Run, local: LocalLedger, bucket: Bucket) -> None:
    """How many records, the first of them, why and since when; nothing of it is taken away."""
    content = given_up(record(local, "open-a"), record(local, "open-b"))
    bucket.objects[f"{MAPPING}/2026-11-22T02.00.00-f3a1"] = content
    found = run("dead-letters", "--json").value
    assert found["queues"] == [
        {"queue": "relay", "letters": 1, "unseen": 0, "back_to": "the ledger bus"}
    ]
    [letter] = found["letters"]
    assert 10_799 <= letter.pop("age_seconds") <= 10_900
    assert letter == {
        "queue": "relay",
        "id": "2026-11-22T02.00.00-f3a1",
        "kind": "records",
        "type": "account.opened",
        "of": "open-a",
        "count": 2,
        "bytes": len(content),
        "reason": "RetryAttemptsExhausted",
        "retry": "same_request",
    }
    shown = run("dead-letters").out
    assert "account.opened open-a and 1 more" in shown
    assert list(bucket.objects.values()) == [content]


@pytest.mark.parametrize("as_text", [True, False])
def test_its_events_are_published_as_the_store_has_them(
    run: Run, local: LocalLedger, bucket: Bucket, bus: Bus, as_text: bool
) -> None:
    """Not as the object says: their bytes and type are the recorded ones. Then it is removed."""
    claimed = record(local, "open-b")
    claimed["dynamodb"]["NewImage"] |= {"data": {"S": "{}"}, "type": {"S": "payment.posted"}}
    bucket.objects[f"{MAPPING}/one"] = given_up(record(local, "open-a"), claimed, as_text=as_text)
    bucket.objects[f"{MAPPING}/two"] = given_up(record(local, "open-c"))
    done = run("redrive", "relay", "--json")
    assert done.code == 0
    assert done.value["sent"] == ["one", "two"]
    recorded = [event.data.decode() for event in local.store.events()]
    assert [event.data for event in bus.published] == recorded
    assert {event.type for event in bus.published} == {"account.opened"}
    assert bucket.objects == {}


@pytest.mark.parametrize(
    "change", [{"eventName": "MODIFY"}, {"eventName": "REMOVE"}, {"dynamodb": {"Keys": {}}}]
)
def test_a_batch_with_traces_of_an_intrusion_is_kept(
    run: Run, local: LocalLedger, bucket: Bucket, bus: Bus, change: dict[str, Any]
) -> None:
    """A record that is no new event is why someone must look: nothing of the batch is published
    or removed, unless forced; then its events are, and only they."""
    bucket.objects[f"{MAPPING}/one"] = given_up(
        record(local, "open-a"), record(local, "open-b", **change)
    )
    refused = run("redrive", "relay", "--json")
    assert refused.code == 1
    assert refused.value["refused"] == {"one": "RetryAttemptsExhausted"}
    assert "1 of 2 records are no new events" in run("dead-letters", "relay").out
    assert (bus.published, len(bucket.objects)) == ([], 1)
    assert run("redrive", "relay", "--force").code == 0
    assert [json.loads(event.data)["id"] for event in bus.published] == ["open-a"]
    assert bucket.objects == {}


def test_an_event_that_was_not_recorded_is_not_published(
    run: Run, local: LocalLedger, bucket: Bucket, bus: Bus
) -> None:
    """Not even by force: whoever may write to the bucket gets nothing onto the bus."""
    bucket.objects[f"{MAPPING}/one"] = given_up(record(local, "open-a"), record(local, "made-up"))
    for force in ([], ["--force"]):
        done = run("redrive", "relay", *force, "--json")
        assert done.code == 1
        assert done.value["not_taken"] == {"one": "event_not_in_the_store"}
    assert (bus.published, len(bucket.objects)) == ([], 1)


def test_nothing_is_removed_that_was_not_published(
    run: Run, local: LocalLedger, bucket: Bucket, bus: Bus
) -> None:
    """While the bus takes nothing all stays; a removal that fails is told, and done next time."""
    bucket.objects[f"{MAPPING}/one"] = given_up(record(local, "open-a"))
    bus.closed = True
    stopped = run("redrive", "relay", "--json")
    assert (stopped.code, stopped.value["reason"]) == (3, "not_sent")
    assert len(bucket.objects) == 1
    bus.closed = False
    bucket.denied = "delete"
    refused = run("redrive", "relay", "--json")
    assert (refused.code, refused.value["kept"]) == (2, ["one"])
    assert len(bus.published) == len(bucket.objects) == 1
    bucket.denied = ""
    assert run("redrive", "relay").code == 0
    assert (len(bus.published), bucket.objects) == (2, {})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"payload":"{"}',
        b'{"payload":"[1]"}',
        b'{"payload":{"Records":7}}',
        b'{"payload":{"Records":[]}}',
        b'{"requestContext":[],"payload":"{}"}',
    ],
)
def test_what_lambda_did_not_write_is_listed_and_left_alone(
    run: Run, bucket: Bucket, bus: Bus, content: bytes
) -> None:
    """An object of another form is no reason to fail, and none to remove it."""
    bucket.objects[f"{MAPPING}/one"] = content
    found = run("dead-letters", "--json")
    assert found.code == 0
    assert (found.value["letters"][0]["count"], found.value["letters"][0]["retry"]) == (0, "never")
    assert "not what Lambda writes" in run("dead-letters").out
    assert run("redrive", "relay").code == 1
    assert (bus.published, len(bucket.objects)) == ([], 1)


def test_an_object_that_somebody_has_just_removed_is_passed_over(
    run: Run, local: LocalLedger, bucket: Bucket
) -> None:
    """Another redrive at the same time is no failure; what cannot be read is one."""
    for name in ("open-a", "open-b"):
        bucket.objects[f"{MAPPING}/{name}"] = given_up(record(local, name))
    bucket.vanishing = f"{MAPPING}/open-a"
    found = run("dead-letters", "--json")
    assert [letter["id"] for letter in found.value["letters"]] == ["open-b"]
    bucket.denied = "get"
    assert run("dead-letters", "--json").code == 2


def test_many_batches_are_taken_oldest_first(
    run: Run, local: LocalLedger, bucket: Bucket, bus: Bus
) -> None:
    """More objects than are read at a time, in the order in which they were given up."""
    for number in range(25):
        bucket.objects[f"{MAPPING}/{number:02}"] = given_up(record(local, "open-a"))
    done = run("redrive", "relay", "--json")
    assert done.value["sent"] == [f"{number:02}" for number in range(25)]
    assert len(bus.published) == 25
