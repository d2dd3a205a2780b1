"""The embedded engine with an event store's tables in it, for measurements against real answers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from ledger.adapters.dynamodb.event_store import DynamoEventStore
from ledger.contracts.storage import DUE_ACCOUNTS, DUE_AT, DUE_INDEX, DUE_SHARD
from ledger.runtime.clients import dynamodb_client
from sandbox.endpoint import Endpoint
from sandbox.engine import EngineOptions, running_engine
from sandbox.workspace import claimed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REGION: Final = "eu-central-1"
_ENVIRONMENT: Final = Path(__file__).resolve().parents[1] / ".venv-emulator"
_TABLE: Final[dict[str, Any]] = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
_STATES: Final[dict[str, Any]] = _TABLE | {
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": "S"} for name in ("pk", DUE_SHARD, DUE_AT)
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": DUE_INDEX,
            "KeySchema": [
                {"AttributeName": DUE_SHARD, "KeyType": "HASH"},
                {"AttributeName": DUE_AT, "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": [DUE_ACCOUNTS]},
        }
    ],
}


@contextmanager
def engine() -> Iterator[Endpoint]:
    """An empty engine. Within the block, clients that are made as functions make them reach it."""
    with (
        TemporaryDirectory() as directory,
        claimed(Path(directory)) as workspace,
        running_engine(workspace, _ENVIRONMENT, EngineOptions(region=REGION)) as endpoint,
    ):
        before = os.environ.copy()
        os.environ.update(
            AWS_ENDPOINT_URL=endpoint.endpoint_url,
            AWS_ACCESS_KEY_ID="000000000000",
            AWS_SECRET_ACCESS_KEY="bench",  # noqa: S106 - nobody checks it
            AWS_DEFAULT_REGION=REGION,
            NO_PROXY="127.0.0.1",
        )
        try:
            yield endpoint
        finally:
            os.environ.clear()
            os.environ.update(before)


class Tables:
    """A pair of new tables: what it makes are the stores of workers on them."""

    def __init__(self) -> None:
        client = dynamodb_client(attempts=1)
        self.events, self.states = (f"{kind}-{uuid4()}" for kind in ("events", "states"))
        client.create_table(TableName=self.events, **_TABLE)
        client.create_table(TableName=self.states, **_STATES)

    def store(self, client: DynamoDBClient | None = None) -> DynamoEventStore:
        """The store of one worker, on a client of its own unless one is given."""
        return DynamoEventStore(
            client or dynamodb_client(attempts=1),
            events_table=self.events,
            states_table=self.states,
        )

    def drop(self) -> None:
        """They are no longer needed: the engine keeps all in memory."""
        client = dynamodb_client(attempts=1)
        for name in (self.events, self.states):
            client.delete_table(TableName=name)


def say(line: str) -> None:
    """One line of what a benchmark tells whoever waits for it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
