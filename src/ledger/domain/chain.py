"""The hash chain: each event extends the chain of every account it touches.

An account's hash after an event is SHA-256 over its hash before and the event's exact stored
bytes. Whoever changes, drops or inserts an event must change every later hash of its accounts.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from msgspec import Struct

from ledger.contracts.events import Event, encode_event, entries_of
from ledger.domain.accounts import GENESIS_HASH, AccountState


class StoredEvent(Struct, frozen=True):
    """An event as the store keeps it: its id, its exact bytes, and one chain hash for each of
    the event's `accounts`, in their order."""

    id: str
    data: bytes
    hashes: tuple[bytes, ...]


def link(previous: bytes, data: bytes) -> bytes:
    """The next hash of a chain: SHA-256(previous hash ‖ stored bytes), 32 bytes."""
    return sha256(previous + data).digest()


def seal(event: Event, states: Mapping[str, AccountState]) -> StoredEvent:
    """`event` with its bytes fixed and the chains of its accounts (now in `states`) extended."""
    data = encode_event(event)
    return StoredEvent(
        event.id,
        data,
        tuple(
            link(states[entry.id].hash if entry.id in states else GENESIS_HASH, data)
            for entry in entries_of(event)
        ),
    )
