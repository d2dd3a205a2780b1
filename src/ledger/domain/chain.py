"""The hash chain: each event extends the chain of everything that it makes a new version of.

A subject's hash after an event is SHA-256 over its hash before and the event's exact stored
bytes. Whoever changes, drops or inserts an event must change every later hash of its subjects. The
chain of a payment that was posted at once begins with its first reversal: what it was posted by is
in the chains of its accounts.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec import Struct

from ledger.contracts.events import Event, encode_event, entries_of, subject_of
from ledger.contracts.subjects import Key
from ledger.domain.accounts import GENESIS_HASH

if TYPE_CHECKING:
    from ledger.domain.states import States


class StoredEvent(Struct, frozen=True):
    """An event as the store keeps it: its id, its exact bytes, and one chain hash for each of
    the event's `accounts`, in their order, and for what else it made a version of."""

    id: str
    data: bytes
    hashes: tuple[bytes, ...]


def link(previous: bytes, data: bytes) -> bytes:
    """The next hash of a chain: SHA-256(previous hash ‖ stored bytes), 32 bytes."""
    return sha256(previous + data).digest()


def changed_by(event: Event) -> tuple[Key, ...]:
    """What an event makes a new version of, in the order of its chain hashes."""
    accounts = tuple([entry.key for entry in entries_of(event)])
    other = subject_of(event)
    return accounts if other is None else (*accounts, other[0])


def seal(event: Event, states: States) -> StoredEvent:
    """`event` with its bytes fixed and the chains of what it changes (now in `states`) extended."""
    data = encode_event(event)
    before = map(states.get, changed_by(event))
    hashes = [link(state.hash if state else GENESIS_HASH, data) for state in before]
    return StoredEvent(event.id, data, tuple(hashes))
