"""A book of accounts and payments that makes the events of whatever is done in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from ledger.contracts.commands import Alert, VelocityLimit
from ledger.contracts.events import (
    AccountClosed,
    AccountEntry,
    AccountEvent,
    AccountFrozen,
    AccountOpened,
    AccountProfile,
    AccountUnfrozen,
    AlertsSet,
    CommandRejected,
    Event,
    LimitsSet,
    MetadataSet,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentEntry,
    PaymentExpired,
    PaymentIncreased,
    PaymentPosted,
    PaymentReversed,
    PaymentVoided,
    SubjectEntry,
)
from ledger.contracts.postings import Posting
from ledger.contracts.primitives import instant_of_microseconds
from tests.properties.projection_lives import (
    BEFORE,
    CURRENCY,
    Amounts,
    Life,
    amounts_of,
    made,
    parts,
    refusable,
    sides,
    sums,
)

START = 1_764_000_000_000_000  # 2025-11-24T16:00:00Z
EXPIRES = "2026-01-01T00:00:00.000000Z"
VELOCITY = VelocityLimit(
    name="daily", window="day", direction="debits", currency=CURRENCY, max_amount_minor=9
)


@dataclass
class Book:
    """Makes events, remembering each account's version, totals and last event.

    `events` are those that touch accounts, `recorded` all of them.
    """

    events: list[AccountEvent] = field(default_factory=list)
    recorded: list[Event] = field(default_factory=list)
    entries: dict[str, list[tuple[AccountEntry, AccountEvent]]] = field(default_factory=dict)
    #: Of each account the version and what it made of the profile, the newest last.
    profiles: dict[str, list[tuple[int, AccountProfile]]] = field(default_factory=dict)
    payments: dict[str, Life] = field(default_factory=dict)
    #: By kind and id, the events that gave metadata and the metadata.
    metadata: dict[tuple[str, str], list[tuple[str, dict[str, str]]]] = field(default_factory=dict)
    _ticks: Any = field(default_factory=count)

    def open(self, account: str, account_type: Any = "liability", **how: Any) -> AccountOpened:
        """Open an account; version 1 of it."""
        metadata = how.get("metadata") or UNSET
        entry = AccountEntry(
            id=account,
            type=account_type,
            version=1,
            debits_posted_minor=0,
            credits_posted_minor=0,
        )
        event = AccountOpened(
            **self._head(f"open:{account}", how.get("effective_at", BEFORE)),
            account=account,
            currency=CURRENCY,
            account_type=account_type,
            min_balance_minor=how.get("lowest", 0),
            max_balance_minor=how.get("highest"),
            accounts=(entry,),
            metadata=metadata,
            entry=SubjectEntry(version=1) if metadata else UNSET,
        )
        if metadata:
            self.metadata["account", account] = [(event.id, metadata)]
        self._profiled(event, event.profile)
        return event

    def pay(self, *postings: tuple[str, str, int], **texts: str) -> PaymentPosted:
        """Post a payment of (source, destination, amount) postings between open accounts."""
        whole = made(postings)
        head = self._head(f"payment-{len(self.recorded)}")
        event = PaymentPosted(
            **head | {"effective_at": texts.get("effective_at", head["effective_at"])},
            postings=whole,
            accounts=self._after(posted=whole),
            reference=texts.get("reference") or UNSET,
            description=texts.get("description") or UNSET,
        )
        none = (0,) * len(whole)
        self.payments[event.id] = Life(whole, "posted", none, amounts_of(whole), none, [event.id])
        self._add(event)
        return event

    def hold(self, *postings: tuple[str, str, int]) -> PaymentAuthorized:
        """Hold a payment."""
        whole = made(postings)
        head = self._head(f"payment-{len(self.recorded)}")
        none = (0,) * len(whole)
        life = Life(whole, "held", amounts_of(whole), none, none, [], is_open=True)
        self.payments[head["id"]] = life
        event = PaymentAuthorized(
            **head,
            postings=whole,
            accounts=self._after(held=whole),
            entry=self._entry(life, head["id"]),
            metadata={"made": "so"},
        )
        self._add(event)
        return event

    def capture(self, payment: str, amounts: Amounts, *, final: bool = False) -> PaymentCaptured:
        """Post so much of each posting of a hold; it ends if that is `final` or all."""
        life, head = self.payments[payment], self._head(f"capture-{len(self.recorded)}")
        last = final or all(map(int.__ge__, amounts, life.left))
        posted = parts(life.postings, amounts)
        released = parts(life.postings, life.left if last else tuple(map(min, amounts, life.left)))
        accounts = self._after(posted=posted, released=released)
        life.captured, life.is_open = sums(life.captured, amounts), not last
        life.status = "captured" if last else "partially_captured"
        event = PaymentCaptured(
            **head,
            payment=payment,
            postings=posted,
            released=UNSET if released == posted else released,
            accounts=accounts,
            entry=self._entry(life, head["id"]),
        )
        self._add(event)
        return event

    def increase(self, payment: str, amounts: Amounts) -> PaymentIncreased:
        """Hold so much more of each posting; the hold is prolonged if that is nothing."""
        life, head = self.payments[payment], self._head(f"increase-{len(self.recorded)}")
        more = parts(life.postings, amounts)
        life.held = sums(life.held, amounts)
        event = PaymentIncreased(
            **head,
            payment=payment,
            postings=more,
            accounts=self._after(held=more),
            entry=self._entry(life, head["id"]),
        )
        self._add(event)
        return event

    def release(self, payment: str, *, expired: bool = False) -> PaymentVoided | PaymentExpired:
        """Give up what a hold still has."""
        life, head = self.payments[payment], self._head(f"release-{len(self.recorded)}")
        released = parts(life.postings, life.left)
        life.is_open = False
        life.status = "expired" if expired else "voided"
        if any(life.captured):
            life.status = "captured"
        facts = {
            **head,
            "payment": payment,
            "postings": released,
            "accounts": self._after(released=released),
            "entry": self._entry(life, head["id"]),
        }
        event = PaymentExpired(**facts) if expired else PaymentVoided(**facts, by="payment.void")
        self._add(event)
        return event

    def reverse(self, payment: str, amounts: Amounts) -> PaymentReversed:
        """Give so much of each posting of a payment back."""
        life, head = self.payments[payment], self._head(f"reverse-{len(self.recorded)}")
        back = tuple(
            replace(posting, source=posting.destination, destination=posting.source)
            for posting in parts(life.postings, amounts)
        )
        life.given_back = sums(life.given_back, amounts)
        if not life.is_open:
            life.status = "partially_reversed" if any(life.reversible) else "reversed"
        event = PaymentReversed(
            **head,
            payment=payment,
            postings=back,
            accounts=self._after(posted=back),
            entry=self._entry(life, head["id"]),
            reason="sent back",
        )
        self._add(event)
        return event

    def freeze(self, account: str, sides: Any) -> AccountFrozen:
        """Stop debits, credits or both of an account."""
        profile = replace(self.profiles[account][-1][1], status="frozen", frozen=sides)
        event = AccountFrozen(
            **self._changing(account, profile), account=account, sides=sides, reason="doubtful"
        )
        self._profiled(event, profile)
        return event

    def unfreeze(self, account: str) -> AccountUnfrozen:
        """Let everything of an account pass again."""
        profile = replace(self.profiles[account][-1][1], status="open", frozen=UNSET)
        event = AccountUnfrozen(
            **self._changing(account, profile), account=account, sides="both", reason="cleared"
        )
        self._profiled(event, profile)
        return event

    def close(self, account: str) -> AccountClosed:
        """Close an account; whether it is empty is not looked at."""
        profile = replace(self.profiles[account][-1][1], status="closed", frozen=UNSET)
        event = AccountClosed(**self._changing(account, profile), account=account, reason="left")
        self._profiled(event, profile)
        return event

    def limit(self, account: str, lowest: int | None, velocity: bool) -> LimitsSet:
        """Change the lowest balance of an account, and set or remove a velocity limit."""
        profile = replace(
            self.profiles[account][-1][1],
            min_balance_minor=lowest,
            min_balance_basis="posted" if velocity else "available",
            velocity=(VELOCITY,) if velocity else (),
        )
        event = LimitsSet(
            **self._changing(account, profile), account=account, given=("min_balance_minor",)
        )
        self._profiled(event, profile)
        return event

    def alert(self, account: str) -> AlertsSet:
        """Set an alert of an account."""
        event = AlertsSet(
            **self._head(f"alert-{len(self.recorded)}"),
            account=account,
            currency=CURRENCY,
            alerts=(Alert(direction="below", threshold_minor=0),),
            accounts=(self._next(account),),
        )
        self._add(event)
        return event

    def describe(self, kind: Any, subject: str, metadata: dict[str, str]) -> MetadataSet:
        """Replace the metadata of an account or a payment."""
        given = self.metadata.setdefault((kind, subject), [])
        prev: str | UnsetType = given[-1][0] if given else UNSET
        event = MetadataSet(
            **self._head(f"describe-{len(self.recorded)}"),
            subject=kind,
            subject_id=subject,
            metadata=metadata,
            entry=SubjectEntry(version=len(given) + 1, prev=prev),
        )
        given.append((event.id, metadata))
        self.recorded.append(event)
        return event

    def refuse(self, what: str) -> CommandRejected:
        """Refuse a payment or something else."""
        head = self._head(f"refused-{len(self.recorded)}")
        event = CommandRejected(
            v=1,
            id=head["id"],
            recorded_at=head["recorded_at"],
            actor="tests",
            reason="account_not_found",
            retry="new_id",
            field="postings[0].source",
            request=refusable(head["id"])[what],
            causes=(),
        )
        self.recorded.append(event)
        return event

    def newest(self, account: str) -> AccountEntry:
        """The account's entry in its latest event."""
        return self.entries[account][-1][0]

    def by_id(self, event_id: str) -> AccountEvent:
        """The event that a `prev` names."""
        return next(event for event in self.events if event.id == event_id)

    def _after(
        self,
        *,
        posted: Sequence[Posting] = (),
        held: Sequence[Posting] = (),
        released: Sequence[Posting] = (),
    ) -> tuple[AccountEntry, ...]:
        """The entries of all accounts of these postings, in order of appearance."""
        names = dict.fromkeys(
            name
            for posting in (*posted, *held, *released)
            for name in (posting.source, posting.destination)
        )
        return tuple(self._next(name, posted, held, released) for name in names)

    def _next(
        self,
        account: str,
        posted: Sequence[Posting] = (),
        held: Sequence[Posting] = (),
        released: Sequence[Posting] = (),
    ) -> AccountEntry:
        entry, event = self.entries[account][-1]
        debits, credits_ = sides(posted, account)
        held_debits, held_credits = sides(held, account)
        freed_debits, freed_credits = sides(released, account)
        return AccountEntry(
            id=account,
            type=entry.type,
            version=entry.version + 1,
            prev=event.id,
            debits_posted_minor=entry.debits_posted_minor + debits,
            credits_posted_minor=entry.credits_posted_minor + credits_,
            debits_pending_minor=entry.debits_pending_minor + held_debits - freed_debits,
            credits_pending_minor=entry.credits_pending_minor + held_credits - freed_credits,
        )

    def _entry(self, life: Life, event: str) -> PaymentEntry:
        prev: str | UnsetType = life.events[-1] if life.events else UNSET
        life.events.append(event)
        return PaymentEntry(
            version=life.version,
            prev=prev,
            status=life.status,
            authorized_minor=life.held if any(life.held) else (),
            captured_minor=life.captured if any(life.captured) else (),
            reversed_minor=life.given_back if any(life.given_back) else (),
            expires_at=EXPIRES if any(life.held) else UNSET,
        )

    def _changing(self, account: str, profile: AccountProfile) -> dict[str, Any]:
        head = self._head(f"change-{len(self.recorded)}")
        return head | {"profile": profile, "accounts": (self._next(account),)}

    def _profiled(self, event: Any, profile: AccountProfile) -> None:
        self._add(event)
        version = event.accounts[0].version
        self.profiles.setdefault(event.account, []).append((version, profile))

    def _add(self, event: AccountEvent) -> None:
        self.events.append(event)
        self.recorded.append(event)
        for entry in event.accounts:
            self.entries.setdefault(entry.id, []).append((entry, event))

    def _head(self, event: str, effective_at: str | None = None) -> dict[str, Any]:
        now = instant_of_microseconds(START + 1_000 * next(self._ticks))
        return {
            "v": 1,
            "id": event,
            "recorded_at": now,
            "effective_at": effective_at or now,
            "actor": "tests",
        }
