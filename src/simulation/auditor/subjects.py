"""The line of versions of everything that has them: dense, linked by names and by hashes, and never
back in time."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, cast

from msgspec import UNSET, Struct

from ledger.contracts.events import (
    Cause,
    CommandRejected,
    Event,
    PaymentPosted,
    entries_of,
    subject_of,
)
from ledger.contracts.subjects import Key, Kind, payment_key
from simulation.auditor.findings import Findings
from simulation.auditor.recorded import GENESIS, Recorded, changed_by


class Head(Struct, frozen=True):
    """The newest version of a subject: what made it, its hash, and when it was recorded."""

    version: int
    event: str
    hash: bytes
    recorded_at: str


class Subjects:
    """Every subject's head, as the events say."""

    def __init__(self, findings: Findings) -> None:
        self.heads: dict[Key, Head] = {}
        self.tied: set[str] = set()
        """Events that were recorded at the very time of an earlier transaction: whoever decided
        them had a clock that was behind, and took the time of what they rest on."""
        self._findings = findings
        self._instants: set[str] = set()

    def begin(self, made: Sequence[Recorded]) -> None:
        """The events of one transaction, which are taken next."""
        instants = {one.event.recorded_at for one in made}
        if instants & self._instants:
            self.tied.update(one.id for one in made)
        self._instants |= instants

    def take(self, made: Recorded) -> None:
        """One more event, with the hashes that are stored beside it."""
        event = made.event
        keys = changed_by(event)
        if len(keys) != len(made.hashes):
            self._findings.report(
                "chains_link",
                f"An event changes {len(keys)} subjects and has {len(made.hashes)} hashes.",
                event.id,
            )
        for place, (key, entry) in enumerate(zip(keys, _entries(event), strict=True)):
            before = self.heads.get(key)
            self._check_version(event, key, entry, before)
            if before is not None and event.recorded_at < before.recorded_at:
                self._findings.report(
                    "times_are_true",
                    f"An event of {event.recorded_at} follows one of {before.recorded_at} in the "
                    f"history of {key.kind} {key.id}.",
                    event.id,
                    key.id,
                )
            link = sha256((before.hash if before else GENESIS) + made.data).digest()
            if place < len(made.hashes) and made.hashes[place] != link:
                self._findings.report(
                    "chains_link",
                    f"The hash of {key.kind} {key.id} at version {entry.version} is not that of "
                    "what is there.",
                    event.id,
                    key.id,
                )
            self.heads[key] = Head(entry.version, event.id, link, event.recorded_at)
        if isinstance(event, CommandRejected):
            for cause in event.causes:
                head = self.heads.get(Key(cast("Kind", cause.kind), cause.id))
                self._check_cause(event, cause, head)
        if isinstance(event, PaymentPosted):
            # It is version 1 of its payment, whose own chain begins with what comes after it.
            self.heads[payment_key(event.id)] = Head(1, event.id, GENESIS, event.recorded_at)

    def _check_cause(self, event: CommandRejected, cause: Cause, head: Head | None) -> None:
        """A refusal names what caused it at the version that it was at when it was recorded."""
        version = head.version if head else 0
        if cause.kind not in ("clock", "event") and cause.version != version:
            self._findings.report(
                "causes_are_current",
                f"A refusal is caused by version {cause.version} of {cause.kind} {cause.id}, which "
                f"is at version {version}.",
                event.id,
                cause.id,
            )

    def _check_version(self, event: Event, key: Key, entry: Any, before: Head | None) -> None:
        version = before.version if before else 0
        prev = before.event if before else UNSET
        if entry.version != version + 1 or entry.prev != prev:
            self._findings.report(
                "versions_are_dense",
                f"{key.kind} {key.id} is at version {version}; the event after it says version "
                f"{entry.version}.",
                event.id,
                key.id,
            )


def _entries(event: Event) -> tuple[Any, ...]:
    """What an event says of each subject that it changes, in the order of `changed_by`."""
    other = subject_of(event)
    accounts = entries_of(event)
    return accounts if other is None else (*accounts, other[1])
