"""The composition root: parts of a host, nothing shared, nothing retried twice."""

from __future__ import annotations

import time

import pytest

from ledger import bootstrap
from ledger.adapters.dynamodb.event_store import DynamoEventStore
from ledger.application.commit import Commands
from ledger.runtime.clock import wall_clock
from ledger.runtime.host import AwsHost
from ledger.runtime.settings import SettingsError


def test_parts_are_made_of_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its environment, where what is missing is named; each call makes parts of its own."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("EVENTS_TABLE", raising=False)
    monkeypatch.setenv("STATES_TABLE", "s")
    with pytest.raises(SettingsError, match="EVENTS_TABLE"):
        bootstrap.command_parts(AwsHost())
    monkeypatch.setenv("EVENTS_TABLE", "e")
    one, other = bootstrap.command_parts(AwsHost()), bootstrap.command_parts(AwsHost())
    for parts in (one, other):
        assert isinstance(parts.store, DynamoEventStore)
        assert isinstance(parts.commands, Commands)
    assert one.store is not other.store


def test_the_clock_is_in_microseconds() -> None:
    """Since 1970, in UTC."""
    before = time.time()
    now = wall_clock() / 1_000_000
    assert before - 0.01 <= now <= time.time() + 0.01
