"""A small ledger, and ways to tamper with it: bluntly, or with every later hash made to fit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec

from ledger.application.history_of_events import arranged
from ledger.application.rebuild import folded
from ledger.application.verify import TOTALS
from ledger.application.verify_projections import ProjectedPayment, ProjectedVersion
from ledger.contracts.events import (
    PaymentEntry,
    PaymentPosted,
    decode_event,
    entries_of,
    subject_of,
)
from ledger.contracts.subjects import Key
from ledger.domain.accounts import GENESIS_HASH, AccountState, BrokenStateError
from ledger.domain.chain import StoredEvent, changed_by, link
from tests.support.builders import (
    batching,
    capturing,
    closing_book,
    defining,
    describing,
    freezing,
    holding,
    increasing,
    limit,
    limiting,
    making,
    opening,
    opening_book,
    paying,
    reopening_book,
    reversing,
    unfreezing,
    voiding,
)
from tests.support.stores import OpenStore
from tests.support.worlds import World, accepted_by, commands_on, decided, rejected_by

FIRST_OF_MONTH = "2026-11-01T00:00:00.000000Z"
MID_MONTH = "2026-11-15T00:00:00.000000Z"

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


def rich_ledger() -> OpenStore:
    """One of everything that has a life: holds in every end, a reversal, books, templates,
    metadata, limits, a freeze, a batch, a back-dated payment, a refusal.

    Of payments: h held, increased, partly captured; v voided; e expired; p reversed in part; t made
    of a template; m1 and m2 of a batch; late back-dated, between a closing and a reopening of main.
    """
    store, world = OpenStore(), World()
    commands = world.commands(store)
    sale = ("{payer}", "b", "EUR", {"of": "amount"})
    for command in (
        opening("bank", account_type="asset", min_balance_minor=None, effective_at=FIRST_OF_MONTH),
        opening("a", effective_at=FIRST_OF_MONTH, metadata={"tier": "gold"}),
        opening("b", effective_at=FIRST_OF_MONTH),
        opening_book("side"),
        opening("s", book="side"),
        limiting("a", velocity=(limit(max_amount_minor=900),), max_balance_minor=5_000),
        freezing("a", "credits"),
        unfreezing("a"),
        paying("fund", ("bank", "a", 1_000)),
        holding("h", ("a", "b", 100)),
        increasing("h", 10),
        capturing("h", 30),
        holding("v", ("a", "b", 40)),
        voiding("v"),
        holding("e", ("a", "b", 5), expires_at="2026-11-21T13:00:00.000000Z"),
        paying("p", ("a", "b", 50)),
        reversing("p", 20),
        reversing("p", 10, id="reverse:p:2"),
        defining("sale", {"payer": "account", "amount": "amount"}, sale),
        defining("sale", {"payer": "account", "amount": "amount"}, sale, id="define:sale:2"),
        making("t", "sale", payer="a", amount=7),
        describing("account", "a", tier="silver"),
        describing("account", "a", id="metadata:a:2", tier="none"),
        describing("payment", "p", order="17"),
        closing_book("2026-11-10"),
        paying("late", ("a", "b", 3), effective_at=MID_MONTH),
        reopening_book("2026-11-05"),
        batching("batch", paying("m1", ("b", "s", 9)), paying("m2", ("s", "a", 4))),
    ):
        decided(commands, command)
    rejected_by(commands, paying("no", ("s", "bank", 4_000)))
    world.now += 3_601 * 1_000_000
    assert commands.expire("e") is not None
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
    last: dict[Key, bytes] = {}
    for stored in list(store.events()):  # in the order of their commits
        event = decode_event(stored.data)
        changed = changed_by(event)
        last |= {key: link(last.get(key, GENESIS_HASH), stored.data) for key in changed}
        store.put_event(msgspec.structs.replace(stored, hashes=tuple(last[key] for key in changed)))
        for entry in entries_of(event):
            state = store.snapshot().states.get(entry.key)
            if not isinstance(state, AccountState) or state.last_event != event.id:
                continue
            totals = {name: getattr(entry, name) for name in TOTALS}
            store.put_state(
                msgspec.structs.replace(
                    state,
                    hash=last[state.key],
                    recorded_at=event.recorded_at,
                    type=entry.type,
                    **totals,
                )
            )
    for key, state in store.snapshot().states.items():
        if key.kind not in ("account", "stripe"):
            store.put_state(msgspec.structs.replace(state, hash=last[key]))
    with suppress(BrokenStateError):  # what does not follow makes no states
        for made in list(folded(arranged(store.events()))):
            store.put_state(made)


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
            entry.stripe_number,
        )
        for stored in store.events()
        for entry in entries_of(decode_event(stored.data))
    ]


def balance_rows(store: OpenStore) -> list[ProjectedVersion]:
    """What a complete balances projection holds."""
    newest = {row.key: row for row in sorted(history_rows(store), key=lambda row: row.version)}
    return list(newest.values())


def payment_rows(store: OpenStore) -> list[ProjectedPayment]:
    """What a complete payments projection holds."""
    rows: dict[str, ProjectedPayment] = {}
    for stored in store.events():  # in the order of their commits
        event = decode_event(stored.data)
        if isinstance(event, PaymentPosted):
            rows[event.id] = ProjectedPayment(event.id, 1, event.id, "posted", (), (), ())
        key, entry = subject_of(event) or (None, None)
        if key is not None and isinstance(entry, PaymentEntry):
            rows[key.id] = ProjectedPayment(
                key.id,
                entry.version,
                event.id,
                entry.status,
                entry.authorized_minor,
                entry.captured_minor,
                entry.reversed_minor,
            )
    return list(rows.values())
