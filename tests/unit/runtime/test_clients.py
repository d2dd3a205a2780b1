"""Clients give up in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import botocore
import pytest
from botocore.exceptions import ParamValidationError

from ledger.runtime.clients import (
    dynamodb_client,
    eventbridge_client,
    seconds_at_most,
    secretsmanager_client,
    sqs_client,
    ssm_client,
)
from ledger.runtime.clock import wall_clock
from tests.support import emulator


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some, to sign with."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def test_clients_have_short_time_outs_and_counted_tries() -> None:
    """No call waits longer than a function can, and the number of tries is what was asked for."""
    clients = {
        dynamodb_client(attempts=1): 1,
        sqs_client(): 3,
        eventbridge_client(attempts=2): 2,
        secretsmanager_client(attempts=2): 2,
        ssm_client(attempts=1): 1,
    }
    for client, tries in clients.items():
        config: Any = client.meta.config  # botocore sets a configuration's attributes at run time
        assert config.connect_timeout == 1
        assert config.read_timeout == 3
        waits = sum(2**retry for retry in range(tries - 1))
        assert seconds_at_most(tries) == tries * (1 + 3) + waits
        assert config.retries == {"mode": "standard", "total_max_attempts": tries}


@pytest.mark.usefixtures("credentials")
def test_only_dynamodb_is_left_to_judge_requests() -> None:
    """Its requests are large, and it refuses what does not fit; the client of the stores' contract
    tests compares them with the service's model, so a request that does not fit fails there."""
    wrong: dict[str, Any] = {"TableName": "t", "Key": {"pk": {"S": 5}}}
    with pytest.raises(_SentError):
        watched(dynamodb_client(attempts=1)).get_item(**wrong)
    with pytest.raises(ParamValidationError):
        watched(emulator.dynamodb_client("http://127.0.0.1:1")).get_item(**wrong)
    with pytest.raises(ParamValidationError):
        watched(sqs_client(attempts=1)).send_message(QueueUrl="q", MessageBody=5)
    with pytest.raises(ParamValidationError):
        watched(eventbridge_client(attempts=1)).put_events(Entries=[{"Detail": 5}])


@pytest.mark.usefixtures("credentials")
def test_requests_say_which_sdk_made_them() -> None:
    """As AWS asks of every client, and nothing of the machine. Powertools adds itself, once its
    handlers of batches are imported."""
    with pytest.raises(_SentError) as sent:
        watched(ssm_client(attempts=1)).get_parameter(Name="name")
    own = sent.value.headers["User-Agent"].partition(b" PT/")[0]
    assert own == f"Botocore/{botocore.__version__} ua/2.1".encode()


class _SentError(Exception):
    """A request was about to leave."""

    def __init__(self, headers: Mapping[str, bytes]) -> None:
        self.headers = headers
        super().__init__("sent")


def watched(client: Any) -> Any:
    """`client`, of which no request leaves: instead _SentError is raised."""

    def stop(request: Any, **_: object) -> None:
        raise _SentError(request.headers)

    client.meta.events.register("before-send", stop)
    return client


def test_the_clock_is_in_microseconds_since_1970() -> None:
    """Some time after this was written, and before the year 2100."""
    assert 1_764_000_000_000_000 < wall_clock() < 4_102_444_800_000_000
