"""The events of a store arranged by account and version: what verify, repair and rebuild fold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from ledger.contracts.commands import accounts_of
from ledger.contracts.events import (
    AccountEntry,
    AccountEvent,
    CommandRejected,
    CorruptEventError,
    decode_event,
    request_of,
)
from ledger.domain.chain import StoredEvent


class Link(NamedTuple):
    """One version of one account, as its event says it."""

    fact: AccountEvent
    entry: AccountEntry
    data: bytes
    chain_hash: bytes

    @property
    def event(self) -> str:
        """The id of the event."""
        return self.fact.id


@dataclass(slots=True)
class EventHistory:
    """Every link by account, and what could not be arranged.

    `links[account][version]` holds more than one link only if the store was tampered with.
    """

    links: dict[str, dict[int, list[Link]]] = field(default_factory=dict)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    events: int = 0
    rejections: int = 0

    def of(self, account: str) -> dict[int, list[Link]]:
        """The links of one account by version; empty if it has none."""
        return self.links.get(account, {})


def arranged(events: Iterable[StoredEvent]) -> EventHistory:
    """The history in `events`. An event that cannot be read is listed with why, never skipped.

    Raises UnknownEventError: a newer release's events cannot be judged by this one.
    """
    history = EventHistory()
    for stored in events:
        history.events += 1
        try:
            for account, version, link in _links(stored, history):
                history.links.setdefault(account, {}).setdefault(version, []).append(link)
        except CorruptEventError as error:
            history.unreadable.append((stored.id, str(error)))
    return history


def _links(stored: StoredEvent, history: EventHistory) -> Iterator[tuple[str, int, Link]]:
    event = decode_event(stored.data)
    if event.id != stored.id:
        raise CorruptEventError("the stored bytes are those of another id")
    if not isinstance(event, AccountEvent):
        history.rejections += isinstance(event, CommandRejected)
        return
    if tuple(entry.id for entry in event.accounts) != accounts_of(request_of(event)):
        raise CorruptEventError("its entries are not those of the accounts that it touches")
    if len(event.accounts) != len(stored.hashes):
        raise CorruptEventError("not one chain hash for each account")
    for entry, chain_hash in zip(event.accounts, stored.hashes, strict=True):
        yield entry.id, entry.version, Link(event, entry, stored.data, chain_hash)
