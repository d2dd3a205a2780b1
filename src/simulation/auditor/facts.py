"""The fold of the events: of everything that has versions, what each version was.

It is made of the events alone, in the order of their commits, and holds every version: answers and
projections may be of any.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Generic, TypeVar

from msgspec import UNSET, Struct, structs

from ledger.contracts.commands import Alert
from ledger.contracts.events import (
    AccountEntry,
    AccountEvent,
    AccountOpened,
    AccountProfile,
    AlertsSet,
    BookClosed,
    BookOpened,
    BookReopened,
    CommandRejected,
    Event,
    LaterPaymentEvent,
    MetadataSet,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentEntry,
    PaymentExpired,
    PaymentPosted,
    PaymentScreened,
    PaymentVoided,
    ProfileEvent,
    TemplateDefined,
    currency_of,
)
from ledger.contracts.subjects import Key
from simulation.auditor.recorded import Recorded

DEBIT_SIDE = ("asset", "expense")


def balance_of(entry: AccountEntry) -> int:
    """What is posted on an account, on its normal side."""
    debits = entry.debits_posted_minor - entry.credits_posted_minor
    return debits if entry.type in DEBIT_SIDE else -debits


class AccountFact(Struct, frozen=True):
    """An account, or a stripe of one, at a version, and what made it. `profile_version` is that of
    the profile, `width` how many stripes there ever were."""

    version: int
    made: Recorded
    entry: AccountEntry
    currency: str
    profile_version: int
    profile: AccountProfile
    alerts: tuple[Alert, ...]
    width: int = 1
    floor: int | None = None
    ceiling: int | None = None

    @property
    def totals(self) -> tuple[int, int, int, int]:
        """Posted debits and credits, pending debits and credits."""
        entry = self.entry
        return (
            entry.debits_posted_minor,
            entry.credits_posted_minor,
            entry.debits_pending_minor,
            entry.credits_pending_minor,
        )

    @property
    def balance(self) -> int:
        """What is posted, on the normal side."""
        return balance_of(self.entry)

    @property
    def available(self) -> int:
        """The balance, less what is held against it."""
        entry = self.entry
        against = (
            entry.credits_pending_minor
            if entry.type in DEBIT_SIDE
            else (entry.debits_pending_minor)
        )
        return self.balance - against


class PaymentFact(Struct, frozen=True):
    """A payment at a version: what made it at first, and what made this version."""

    version: int
    made: Recorded
    origin: Recorded
    status: str
    authorized: tuple[int, ...]
    captured: tuple[int, ...]
    reversed: tuple[int, ...]
    expires_at: str | None
    ended: str | None = None
    """How a hold came to its end; None while it is open, and of a payment that never was one."""

    @property
    def open(self) -> bool:
        """Whether something is held still."""
        return self.status in ("held", "partially_captured")

    @property
    def held(self) -> tuple[int, ...]:
        """What of each posting is held still."""
        pairs = zip(self.authorized, self.captured, strict=True)
        return tuple(max(held - taken, 0) * self.open for held, taken in pairs)


class MetadataFact(Struct, frozen=True):
    """Metadata at a version."""

    version: int
    made: Recorded
    metadata: dict[str, str]


class BookFact(Struct, frozen=True):
    """A book at a version."""

    version: int
    made: Recorded
    closed_through: str | None


class TemplateFact(Struct, frozen=True):
    """A version of a template."""

    version: int
    made: Recorded
    defined: TemplateDefined


Fact = AccountFact | PaymentFact | MetadataFact | BookFact | TemplateFact
_F = TypeVar("_F", bound=Fact)


class Lives(Generic[_F]):
    """All of a kind, each with its versions from the first on."""

    def __init__(self) -> None:
        self.of: dict[str, list[_F]] = {}

    def add(self, name: str, fact: _F) -> None:
        """One more version."""
        self.of.setdefault(name, []).append(fact)

    def now(self, name: str) -> _F | None:
        """As it is; None if it is not."""
        life = self.of.get(name)
        return life[-1] if life else None

    def at_version(self, name: str, version: int) -> _F | None:
        """As it was at that version; None if there is no such version."""
        life = self.of.get(name, [])
        return life[version - 1] if 0 < version <= len(life) else None

    def version(self, name: str) -> int:
        """The newest version, 0 if there is none."""
        return len(self.of.get(name, ()))

    def version_at(self, name: str, instant: int) -> int:
        """The version that was committed by that instant (microseconds since 1970)."""
        return bisect_right(self.of.get(name, ()), instant, key=lambda fact: fact.made.at)


class Facts:
    """Everything that was ever recorded."""

    def __init__(self) -> None:
        self.events: dict[str, Recorded] = {}
        self.accounts: Lives[AccountFact] = Lives()
        self.stripes: Lives[AccountFact] = Lives()
        """The further stripes of accounts, `<account>/<stripe>`; the first is the account."""
        self.payments: Lives[PaymentFact] = Lives()
        self.metadata: Lives[MetadataFact] = Lives()
        self.books: Lives[BookFact] = Lives()
        self.templates: Lives[TemplateFact] = Lives()
        self.refused: dict[str, Recorded] = {}
        """Payments that were asked for and refused."""
        self.screened: dict[str, list[PaymentScreened]] = {}
        """The verdicts recorded on each payment."""

    def take(self, made: Recorded) -> None:
        """One more event. Raises LookupError if it rests on what never was."""
        event = made.event
        self.events[event.id] = made
        if isinstance(event, AccountEvent):
            for entry in event.accounts:
                self._account(made, event, entry)
        self._subject(made, event)

    def lives(self, key: Key) -> Lives[AccountFact]:
        """Where accounts, or their further stripes, are by the ids of their keys."""
        return self.stripes if key.kind == "stripe" else self.accounts

    def every_line(self) -> Iterator[tuple[str, int, list[AccountFact]]]:
        """Every account, and every further stripe of one: the account's id, the stripe, and its
        versions."""
        for name, life in self.accounts.of.items():
            yield name, 0, life
        for name, life in self.stripes.of.items():
            account, _, stripe = name.partition("/")
            yield account, int(stripe), life

    def whole(self, account: str) -> list[AccountFact]:
        """All stripes of an account as they are, the first first; none if it is not there."""
        head = self.accounts.now(account)
        if head is None:
            return []
        others = (self.stripes.now(f"{account}/{stripe}") for stripe in range(1, head.width))
        return [head, *(one for one in others if one is not None)]

    def _account(self, made: Recorded, event: AccountEvent, entry: AccountEntry) -> None:
        lives = self.lives(entry.key)
        before = lives.now(entry.key.id)
        width = before.width if before else 1
        if isinstance(event, ProfileEvent):
            profile, version = event.profile, entry.version
            width = len(event.accounts)  # all of them
        elif before is not None:
            profile, version = before.profile, before.profile_version
        else:
            raise LookupError(f"account {entry.id} is moved before it is opened")
        alerts = before.alerts if before else ()
        if isinstance(event, AlertsSet):
            alerts = event.alerts
        currency = currency_of(event, entry.id)
        floor, ceiling = (before.floor, before.ceiling) if before else (None, None)
        floor = floor if entry.floor_minor is UNSET else entry.floor_minor
        ceiling = ceiling if entry.ceiling_minor is UNSET else entry.ceiling_minor
        fact = AccountFact(
            entry.version, made, entry, currency, version, profile, alerts, width, floor, ceiling
        )
        lives.add(entry.key.id, fact)

    def _subject(self, made: Recorded, event: Event) -> None:
        match event:
            case PaymentScreened():
                self.screened.setdefault(event.payment, []).append(event)
            case MetadataSet(subject=kind, subject_id=name):
                fact = MetadataFact(event.entry.version, made, event.metadata)
                self.metadata.add(f"{kind}/{name}", fact)
            case AccountOpened(entry=entry) if entry is not UNSET:
                fact = MetadataFact(entry.version, made, event.metadata or {})
                self.metadata.add(f"account/{event.account}", fact)
            case BookOpened():
                self.books.add(event.book, BookFact(event.entry.version, made, None))
            case BookClosed() | BookReopened():
                self.books.add(event.book, BookFact(event.entry.version, made, event.through))
            case TemplateDefined():
                self.templates.add(event.template, TemplateFact(event.entry.version, made, event))
            case _:
                self._payment(made, event)

    def _payment(self, made: Recorded, event: Event) -> None:
        if isinstance(event, PaymentPosted):
            amounts = tuple(one.amount_minor for one in event.postings)
            nothing = (0,) * len(amounts)
            fact = PaymentFact(1, made, made, "posted", nothing, amounts, nothing, None)
            self.payments.add(event.id, fact)
        elif isinstance(event, PaymentAuthorized):
            self.payments.add(event.id, _payment(made, made, event.entry, len(event.postings)))
        elif isinstance(event, LaterPaymentEvent):
            before = self.payments.of[event.payment][-1]
            fact = _payment(made, before.origin, event.entry, len(before.captured))
            ended = before.ended or (None if fact.open else _ENDINGS.get(type(event)))
            self.payments.add(event.payment, structs.replace(fact, ended=ended))
        elif isinstance(event, CommandRejected) and event.request.__struct_config__.tag in _MAKING:
            self.refused[event.id] = made


_ENDINGS: dict[type, str] = {
    PaymentCaptured: "capture",
    PaymentVoided: "void",
    PaymentExpired: "expiry",
}
_MAKING = ("payment.post", "payment.post_template", "payment.authorize")


def _payment(made: Recorded, origin: Recorded, entry: PaymentEntry, count: int) -> PaymentFact:
    nothing = (0,) * count
    return PaymentFact(
        entry.version,
        made,
        origin,
        entry.status,
        entry.authorized_minor or nothing,
        entry.captured_minor or nothing,
        entry.reversed_minor or nothing,
        None if entry.expires_at is UNSET else entry.expires_at,
    )
