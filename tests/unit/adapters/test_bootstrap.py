"""The composition root: parts from settings, nothing shared, nothing retried twice."""

from __future__ import annotations

import time

import pytest

from ledger import bootstrap
from ledger.adapters.dynamodb.event_store import DynamoEventStore
from ledger.application.commit import Commands
from ledger.runtime.clock import wall_clock
from ledger.runtime.settings import SettingsError


def test_parts_are_made_from_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given, or read from the environment, where what is missing is named; each call makes parts of
    its own."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("EVENTS_TABLE", raising=False)
    monkeypatch.setenv("STATES_TABLE", "s")
    with pytest.raises(SettingsError, match="EVENTS_TABLE"):
        bootstrap.command_parts()
    monkeypatch.setenv("EVENTS_TABLE", "e")
    read = bootstrap.command_parts()
    given = bootstrap.command_parts(bootstrap.StoreSettings("e", "s"))
    for parts in (read, given):
        assert isinstance(parts.store, DynamoEventStore)
        assert isinstance(parts.commands, Commands)
    assert read.store is not given.store
    assert bootstrap.publisher(bootstrap.BusSettings("bus")) is not None


def test_the_clock_is_in_microseconds() -> None:
    """Since 1970, in UTC."""
    before = time.time()
    now = wall_clock() / 1_000_000
    assert before - 0.01 <= now <= time.time() + 0.01


def test_chance_is_a_share() -> None:
    """From 0 up to 1, and not the same twice."""
    drawn = [bootstrap.chance() for _ in range(50)]
    assert all(0 <= one < 1 for one in drawn)
    assert len(set(drawn)) > 40
