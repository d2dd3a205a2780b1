"""Configuration is complete or refused, naming everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ledger.runtime.settings import SettingsError, environment, read_number, read_settings


@dataclass(frozen=True)
class Tables:
    """Two settings."""

    events_table: str
    states_table: str


def test_fields_come_from_variables_in_upper_case() -> None:
    """Each field of the dataclass is read from the variable of its name; others are ignored."""
    source = {"EVENTS_TABLE": "e", "STATES_TABLE": " s ", "OTHER": "o"}
    assert read_settings(Tables, source) == Tables(events_table="e", states_table="s")


def test_every_missing_or_empty_variable_is_named() -> None:
    """One failed start shows all that has to be set."""
    with pytest.raises(SettingsError) as refusal:
        environment("A", "B", "C", source={"A": "", "B": "b"})
    assert refusal.value.names == ("A", "C")
    assert "A, C" in str(refusal.value)


def test_the_environment_is_read_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a source the process's own environment counts, as it is at the call."""
    with pytest.raises(SettingsError):
        environment("LEDGER_TEST_SETTING")
    monkeypatch.setenv("LEDGER_TEST_SETTING", "value")
    assert environment("LEDGER_TEST_SETTING") == {"LEDGER_TEST_SETTING": "value"}


def test_a_number_may_be_left_out() -> None:
    """Missing or empty it is 0; what is no whole number is named."""
    assert read_number("STATES", source={"STATES": " 10000 "}) == 10_000
    assert read_number("STATES", source={}) == 0
    assert read_number("STATES", source={"STATES": ""}) == 0
    for wrong in ("many", "-1", "1.5"):
        with pytest.raises(SettingsError) as raised:
            read_number("STATES", source={"STATES": wrong})
        assert raised.value.names == ("STATES",)
