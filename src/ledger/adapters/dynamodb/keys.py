"""The only place that knows how keys are spelt in the tables `events` and `states`."""

from __future__ import annotations

from typing import Final

_ACCOUNT: Final = "account#"


def event_key(command_id: str) -> str:
    """An event lies under the id of the command that made it."""
    return command_id


def account_key(account: str) -> str:
    """A state lies under its kind and its id; kinds share the table."""
    return _ACCOUNT + account


def account_of_key(key: str) -> str:
    """The account id of a state's key. Raises ValueError for a key of another kind."""
    if not key.startswith(_ACCOUNT):
        raise ValueError("not the key of an account's state")
    return key[len(_ACCOUNT) :]
