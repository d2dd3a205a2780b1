"""The events of a store arranged by subject and version: what verify, repair and rebuild fold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from ledger.contracts.commands import accounts_in
from ledger.contracts.events import (
    AccountEntry,
    AccountEvent,
    BatchCommitted,
    CommandRejected,
    CorruptEventError,
    Event,
    PaymentCaptured,
    PaymentEntry,
    PaymentEvent,
    PaymentPosted,
    SubjectEntry,
    decode_event,
    subject_of,
)
from ledger.contracts.subjects import Key
from ledger.domain.chain import StoredEvent, changed_by


class Link(NamedTuple):
    """One version of one account, or of a stripe of it, as its event says it."""

    fact: AccountEvent
    entry: AccountEntry
    data: bytes
    chain_hash: bytes

    @property
    def event(self) -> str:
        """The id of the event."""
        return self.fact.id


class SubjectLink(NamedTuple):
    """One version of a payment, a book, a template or metadata, as its event says it."""

    fact: Event
    entry: SubjectEntry | PaymentEntry
    data: bytes
    chain_hash: bytes

    @property
    def event(self) -> str:
        """The id of the event."""
        return self.fact.id


@dataclass(slots=True)
class EventHistory:
    """Every link by subject, and what could not be arranged.

    `links[key][version]`, of accounts and stripes, holds more than one link only if the store was
    tampered with, and so does `subjects[key][version]`. `posted` has the payments that were posted
    at once, by id, and `recorded` when each event was recorded.
    """

    links: dict[Key, dict[int, list[Link]]] = field(default_factory=dict)
    subjects: dict[Key, dict[int, list[SubjectLink]]] = field(default_factory=dict)
    posted: dict[str, PaymentPosted] = field(default_factory=dict)
    batches: list[BatchCommitted] = field(default_factory=list)
    recorded: dict[str, str] = field(default_factory=dict)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    events: int = 0
    rejections: int = 0

    def of(self, key: Key) -> dict[int, list[Link]]:
        """The links of one account, or stripe, by version; empty if it has none."""
        return self.links.get(key, {})


def arranged(events: Iterable[StoredEvent]) -> EventHistory:
    """The history in `events`. An event that cannot be read is listed with why, never skipped.

    Raises UnknownEventError: a newer release's events cannot be judged by this one.
    """
    history = EventHistory()
    for stored in events:
        history.events += 1
        try:
            event = _read(stored)
        except CorruptEventError as error:
            history.unreadable.append((stored.id, str(error)))
            continue
        _arrange(history, stored, event)
    return history


def _read(stored: StoredEvent) -> Event:
    event = decode_event(stored.data)
    if event.id != stored.id:
        raise CorruptEventError("the stored bytes are those of another id")
    if isinstance(event, AccountEvent) and not _is_of_named(event):
        raise CorruptEventError("its entries are not those of the accounts that it touches")
    if len(changed_by(event)) != len(stored.hashes):
        raise CorruptEventError("not one chain hash for each account and other subject")
    return event


def _is_of_named(event: AccountEvent) -> bool:
    """Whether it has entries of exactly the accounts that it names, in their order; of a striped
    one of several stripes perhaps, one behind the other."""
    keys = [entry.key for entry in event.accounts]
    accounts = tuple(account for account, _ in groupby(entry.id for entry in event.accounts))
    return len(set(keys)) == len(keys) and accounts == _named(event)


def _named(event: AccountEvent) -> tuple[str, ...]:
    """The accounts that an event touches by what it says beside its entries."""
    if not isinstance(event, PaymentEvent):
        return (event.account,)
    released = event.released if isinstance(event, PaymentCaptured) else ()
    return accounts_in((*event.postings, *(released or ())))


def _arrange(history: EventHistory, stored: StoredEvent, event: Event) -> None:
    history.rejections += isinstance(event, CommandRejected)
    history.recorded[event.id] = event.recorded_at
    if isinstance(event, BatchCommitted):
        history.batches.append(event)
    if isinstance(event, PaymentPosted):
        history.posted[event.id] = event
    hashes = iter(stored.hashes)
    for link in _account_links(stored, event, hashes):
        versions = history.links.setdefault(link.entry.key, {})
        versions.setdefault(link.entry.version, []).append(link)
    other = subject_of(event)
    if other is not None:
        key, entry = other
        subject_link = SubjectLink(event, entry, stored.data, next(hashes))
        by_version = history.subjects.setdefault(key, {})
        by_version.setdefault(entry.version, []).append(subject_link)


def _account_links(stored: StoredEvent, event: Event, hashes: Iterator[bytes]) -> Iterator[Link]:
    if isinstance(event, AccountEvent):
        for entry in event.accounts:
            yield Link(event, entry, stored.data, next(hashes))
