"""The handler that AWS calls by name."""

from __future__ import annotations

import pytest

from ledger.entrypoints import api
from ledger.runtime.settings import SettingsError


def test_importing_creates_nothing_and_calling_reads_the_configuration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`ledger.entrypoints.api.handler` is there without any configuration, which the first call
    misses by name."""
    monkeypatch.delenv("EVENTS_TABLE", raising=False)
    monkeypatch.delenv("STATES_TABLE", raising=False)
    with pytest.raises(SettingsError) as caught:
        api.handler({}, None)
    assert caught.value.names == ("EVENTS_TABLE", "STATES_TABLE")
