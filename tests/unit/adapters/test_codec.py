"""Events and states as items and back: nothing that no release wrote gets in or out."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given

from ledger.adapters.dynamodb.codec import event_item, event_of_item, state_item, state_of_item
from ledger.adapters.dynamodb.keys import account_key, account_of_key, event_key
from ledger.application.ports import UnknownStoredStateError
from ledger.contracts.commands import Alert
from ledger.domain.accounts import AccountState, BrokenStateError
from tests.support.builders import opening, state
from tests.support.strategies import states
from tests.support.transactions import acceptance, only_event

STATE = state("a", credits=5, lowest=-9)


def changed(item: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """`item` with attributes set, or removed (None), or members of its body set."""
    item = dict(item)
    for name, value in change.items():
        if name.startswith("body."):
            body = msgspec.json.decode(item["data"]["S"]) | {name.removeprefix("body."): value}
            item["data"] = {"S": msgspec.json.encode(body).decode()}
        elif value is None:
            del item[name]
        else:
            item[name] = value
    return item


@given(states("some:account"))
def test_a_state_comes_back_as_it_went(one: AccountState) -> None:
    """Any state that can be, through its item."""
    assert state_of_item(state_item(one)) == one


def test_a_state_is_written_in_the_lowest_schema_that_holds_it() -> None:
    """Old workers go on with accounts that have no alerts, and leave the others alone."""
    watched = msgspec.structs.replace(STATE, alerts=(Alert(direction="above", threshold_minor=7),))
    assert state_item(STATE)["v"] == {"N": "1"}
    assert "alerts" not in state_item(STATE)["data"]["S"]
    assert state_item(watched)["v"] == {"N": "2"}
    assert state_of_item(state_item(watched)) == watched
    for state_with, version in ((STATE, "2"), (watched, "1")):
        with pytest.raises(BrokenStateError, match="schema that it claims"):
            state_of_item(changed(state_item(state_with), {"v": {"N": version}}))


@pytest.mark.parametrize(
    "change",
    [
        {"v": None},
        {"v": {"S": "1"}},
        {"version": None},
        {"version": {"N": "0"}},
        {"version": {"N": "1.5"}},
        {"version": {"S": "1"}},
        {"hash": None},
        {"hash": {"B": b"short"}},
        {"hash": {"S": "x" * 32}},
        {"data": None},
        {"data": {"S": "no json"}},
        {"data": {"S": "{}"}},
        {"data": {"B": b"{}"}},
        {"body.debits_posted_minor": -1},
        {"body.credits_pending_minor": 2**63},
        {"body.credits_posted_minor": "5"},
        {"body.credits_posted_minor": 5.5},
        {"body.recorded_at": "2026-11-21T12:00:00Z"},
        {"body.opened_at": "yesterday"},
        {"body.status": "asleep"},
        {"body.type": "revenue"},
        {"body.min_balance_minor": "0"},
        {"body.another": 1},
    ],
    ids=str,
)
def test_a_corrupt_state_is_named(change: dict[str, Any]) -> None:
    """Whatever no release wrote is an error that names the account, and quotes no value."""
    item = changed(state_item(STATE), change)
    with pytest.raises(BrokenStateError, match=r"account(#a'| a)") as raised:
        state_of_item(item)
    assert not any(word in str(raised.value) for word in ("liability", "asleep", "yesterday"))


def test_an_item_without_a_key_is_named_so() -> None:
    """Even that does not end in a KeyError."""
    with pytest.raises(BrokenStateError, match="without a key"):
        state_of_item(changed(state_item(STATE), {"pk": None}))
    with pytest.raises(BrokenStateError, match="without a key"):
        event_of_item({"data": {"S": "{}"}})


@pytest.mark.parametrize("version", ["0", "3", "17"])
def test_a_newer_schema_is_told_from_corruption(version: str) -> None:
    """Whatever else such a state holds, it is not for this release to judge."""
    item = changed(state_item(STATE), {"v": {"N": version}, "data": None, "hash": None})
    with pytest.raises(UnknownStoredStateError, match=f"'account#a' has schema {version}"):
        state_of_item(item)


@pytest.mark.parametrize(
    "change", [{"version": 0}, {"hash": b""}, {"debits_posted_minor": -1}], ids=str
)
def test_a_state_is_checked_before_it_is_written(change: dict[str, Any]) -> None:
    """A state that cannot be has no item."""
    with pytest.raises(BrokenStateError):
        state_item(msgspec.structs.replace(STATE, **change))


def test_an_event_is_checked_before_it_is_written() -> None:
    """One hash for each of its accounts, and under its own id."""
    event = only_event(acceptance({}, opening("a"))[0])
    assert event_of_item(event_item(event)) == event
    for wrong in ({"id": "other"}, {"hashes": ()}, {"hashes": event.hashes * 2}):
        with pytest.raises(BrokenStateError, match="event "):
            event_item(msgspec.structs.replace(event, **wrong))


def test_keys() -> None:
    """An event lies under its command's id; a state under its kind and its id, so that no account
    id, whatever it looks like, can be taken for another kind."""
    assert event_key("x") == "x"
    assert account_key("payment#x") == "account#payment#x"
    assert account_of_key(account_key("a:b")) == "a:b"
    with pytest.raises(ValueError, match="not the key"):
        account_of_key("payment#x")
