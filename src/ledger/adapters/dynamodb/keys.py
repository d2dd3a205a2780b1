"""The only place that knows how keys are spelt in the tables `events` and `states`."""

from __future__ import annotations

from hashlib import sha256
from typing import Final, cast, get_args

from ledger.application.ports import UnknownStoredStateError
from ledger.contracts.subjects import Key, Kind

_KINDS: Final = frozenset(get_args(Kind))
_SEPARATOR: Final = "#"  # in no kind and no id
#: The partitions of the index `due`. One takes 1,000 writes a second, and a hold makes two: when it
#: begins and when it ends. Stored: with fewer, what lies in the others would never be found.
DUE_SHARDS: Final = tuple("01234567")


def event_key(command_id: str) -> str:
    """An event lies under the id of the command that made it."""
    return command_id


def state_key(subject: Key) -> str:
    """A state lies under its kind and its id; kinds share the table."""
    return subject.kind + _SEPARATOR + subject.id


def subject_of_key(key: str) -> Key:
    """The subject whose state lies under `key`.

    Raises UnknownStoredStateError for a kind that a newer release brought, ValueError for what is
    the key of no state.
    """
    kind, separator, subject_id = key.partition(_SEPARATOR)
    if not (kind and separator and subject_id):
        raise ValueError("not the key of a state")
    if kind not in _KINDS:
        raise UnknownStoredStateError(f"{key!r} is of another kind")
    return Key(cast("Kind", kind), subject_id)


def due_shard(payment: str) -> str:
    """The partition of the index `due` in which a payment lies while it is held."""
    return DUE_SHARDS[sha256(payment.encode()).digest()[0] % len(DUE_SHARDS)]
