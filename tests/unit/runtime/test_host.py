"""What a worker on AWS finds around it."""

from __future__ import annotations

import time
from threading import Barrier

import pytest

from ledger.runtime.host import AwsHost


def test_chance_is_a_share() -> None:
    """From 0 up to 1, and not the same twice, nor in two workers."""
    one, other = AwsHost(), AwsHost()
    drawn = [host.chance() for host in (one, other) for _ in range(50)]
    assert all(0 <= each < 1 for each in drawn)
    assert len(set(drawn)) > 90
    assert len({one.random_bytes(24), one.random_bytes(24), other.random_bytes(24)}) == 3
    assert len(one.random_bytes(24)) == 24


def test_time_passes() -> None:
    """By both clocks, in their units, for as long as a pause."""
    host = AwsHost()
    began, began_at = host.monotonic(), host.clock()
    host.pause(0.01)
    assert 0.01 <= host.monotonic() - began < 5
    assert 9_000 <= host.clock() - began_at < 5_000_000
    assert abs(host.clock() / 1_000_000 - time.time()) < 5


def test_calls_run_side_by_side() -> None:
    """As many as were asked for at once, answered in the order of their arguments."""
    both = Barrier(2, timeout=10)

    def meet(name: str) -> str:
        both.wait()
        return name

    assert list(AwsHost().side_by_side(2)(meet, ["a", "b"])) == ["a", "b"]


def test_the_environment_is_read_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host made before a variable was set has it."""
    host = AwsHost()
    monkeypatch.setenv("LEDGER_BUS", "bus")
    assert host.environment["LEDGER_BUS"] == "bus"


def test_every_client_tries_as_often_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number reaches the SDK, for every service."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    host = AwsHost()
    clients = {
        host.dynamodb(attempts=1): 1,
        host.events(attempts=2): 2,
        host.sqs(): 3,
        host.sns(attempts=2): 2,
        host.secretsmanager(): 3,
        host.ssm(attempts=2): 2,
    }
    for client, tries in clients.items():
        assert client.meta.config.retries["total_max_attempts"] == tries  # type: ignore[attr-defined]
