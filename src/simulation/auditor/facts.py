"""The fold of the events: of everything that has versions, what each version was.

It is made of the events alone, in the order of their commits, and holds every version: answers and
projections may be of any.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Generic, TypeVar

from msgspec import UNSET, Struct

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
    PaymentEntry,
    PaymentPosted,
    PaymentScreened,
    ProfileEvent,
    TemplateDefined,
    currency_of,
)
from simulation.auditor.recorded import Recorded

DEBIT_SIDE = ("asset", "expense")


class AccountFact(Struct, frozen=True):
    """An account at a version, and what made it. `profile_version` is that of the profile."""

    version: int
    made: Recorded
    entry: AccountEntry
    currency: str
    profile_version: int
    profile: AccountProfile
    alerts: tuple[Alert, ...]

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
        entry = self.entry
        debits = entry.debits_posted_minor - entry.credits_posted_minor
        return debits if entry.type in DEBIT_SIDE else -debits

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

    def _account(self, made: Recorded, event: AccountEvent, entry: AccountEntry) -> None:
        before = self.accounts.now(entry.id)
        if isinstance(event, ProfileEvent):
            profile, version = event.profile, entry.version
        elif before is not None:
            profile, version = before.profile, before.profile_version
        else:
            raise LookupError(f"account {entry.id} is moved before it is opened")
        alerts = before.alerts if before else ()
        if isinstance(event, AlertsSet):
            alerts = event.alerts
        currency = currency_of(event, entry.id)
        fact = AccountFact(entry.version, made, entry, currency, version, profile, alerts)
        self.accounts.add(entry.id, fact)

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
            origin = self.payments.of[event.payment][0].origin
            assert isinstance(origin.event, PaymentPosted | PaymentAuthorized)
            count = len(origin.event.postings)
            self.payments.add(event.payment, _payment(made, origin, event.entry, count))
        elif isinstance(event, CommandRejected) and event.request.__struct_config__.tag in _MAKING:
            self.refused[event.id] = made


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
