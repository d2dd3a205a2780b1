"""Clients give up in time."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.runtime.clients import (
    dynamodb_client,
    eventbridge_client,
    seconds_at_most,
    secretsmanager_client,
    sqs_client,
    ssm_client,
)
from ledger.runtime.clock import wall_clock


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


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


def test_the_clock_is_in_microseconds_since_1970() -> None:
    """Some time after this was written, and before the year 2100."""
    assert 1_764_000_000_000_000 < wall_clock() < 4_102_444_800_000_000
