"""A small ledger, and ways to tamper with it: bluntly, or with every later hash made to fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from ledger.application.verify import ProjectedVersion
from ledger.contracts.events import decode_event, entries_of
from ledger.domain.accounts import GENESIS_HASH
from ledger.domain.chain import StoredEvent, link
from tests.support.builders import opening, paying
from tests.support.stores import OpenStore
from tests.support.worlds import accepted_by, commands_on, rejected_by

Body = dict[str, Any]


def small_ledger() -> OpenStore:
    """Four accounts, four payments, one refusal.

    Versions: bank 1 open, 2 fund, 3 p3. a 1 open, 2 fund, 3 p1, 4 p2. b 1 open, 2 p1, 3 p2.
    c 1 open, 2 p2, 3 p3.
    """
    store = OpenStore()
    commands = commands_on(store)
    accepted_by(commands, opening("bank", account_type="asset", min_balance_minor=None))
    for account in ("a", "b", "c"):
        accepted_by(commands, opening(account))
    for payment in (
        paying("fund", ("bank", "a", 100)),
        paying("p1", ("a", "b", 30)),
        paying("p2", ("b", "c", 10), ("a", "c", 5)),
        paying("p3", ("c", "bank", 4)),
    ):
        accepted_by(commands, payment)
    rejected_by(commands, paying("no", ("c", "bank", 4_000)))
    return store


def edited(stored: StoredEvent, edit: Callable[[Body], object]) -> StoredEvent:
    """The event with its body edited, its hashes as they were."""
    body = msgspec.json.decode(stored.data)
    edit(body)
    return msgspec.structs.replace(stored, data=msgspec.json.encode(body))


def edit_event(store: OpenStore, event_id: str, edit: Callable[[Body], object]) -> None:
    """Edits a stored event and leaves all else as it is."""
    store.put_event(edited(store.stored(event_id), edit))


def forge_event(store: OpenStore, event_id: str, edit: Callable[[Body], object]) -> None:
    """Edits a stored event, then makes every hash and every state fit, as whoever may
    write could."""
    edit_event(store, event_id, edit)
    last: dict[str, bytes] = {}
    for stored in list(store.events()):  # in the order of their commits
        event = decode_event(stored.data)
        hashes = []
        for entry in entries_of(event):
            last[entry.id] = link(last.get(entry.id, GENESIS_HASH), stored.data)
            hashes.append(last[entry.id])
            state = store.state(entry.id)
            if (state.version, state.last_event) == (entry.version, event.id):
                store.put_state(
                    msgspec.structs.replace(
                        state,
                        hash=last[entry.id],
                        recorded_at=event.recorded_at,
                        type=entry.type,
                        debits_posted_minor=entry.debits_posted_minor,
                        credits_posted_minor=entry.credits_posted_minor,
                        debits_pending_minor=entry.debits_pending_minor,
                        credits_pending_minor=entry.credits_pending_minor,
                    )
                )
        store.put_event(msgspec.structs.replace(stored, hashes=tuple(hashes)))


def entry_of(body: Body, account: str) -> Body:
    """An account's entry in an event's body."""
    entries: dict[str, Body] = {one["id"]: one for one in body["accounts"]}
    return entries[account]


def history_rows(store: OpenStore) -> list[ProjectedVersion]:
    """What a complete history projection holds."""
    return [
        ProjectedVersion(
            entry.id,
            entry.version,
            stored.id,
            entry.debits_posted_minor,
            entry.credits_posted_minor,
            entry.debits_pending_minor,
            entry.credits_pending_minor,
        )
        for stored in store.events()
        for entry in entries_of(decode_event(stored.data))
    ]


def balance_rows(store: OpenStore) -> list[ProjectedVersion]:
    """What a complete balances projection holds."""
    newest = {row.account: row for row in sorted(history_rows(store), key=lambda row: row.version)}
    return list(newest.values())
