"""The states that decisions are made on: of accounts, and of everything else that has versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from msgspec import UNSET, Struct

from ledger.contracts.commands import TemplateParameter, TemplatePosting
from ledger.contracts.events import Event, PaymentStatus, SubjectEntry
from ledger.contracts.postings import Posting
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.contracts.subjects import Key, book_key, payment_key, template_key
from ledger.domain.accounts import GENESIS_HASH, HASH_BYTES, AccountState, BrokenStateError
from ledger.domain.accounts import check_state as check_account

Ending = Literal["capture", "void", "expiry"]


class PaymentState(Struct, frozen=True, kw_only=True):
    """A payment with a later life, after its latest event: a hold, or one that was reversed.

    Amounts are minor units, one for each of `postings`: held at first and by increases, captured
    (all, if it was posted at once), given back. `ended` says how a hold came to its end; None for
    one that is open, and for a payment that never was one, which has no `expires_at`. `stripes`
    says of a hold on which stripe of each account it is, those on the first left out.
    """

    id: str
    version: int
    postings: tuple[Posting, ...]
    authorized_minor: tuple[int, ...]
    captured_minor: tuple[int, ...]
    reversed_minor: tuple[int, ...]
    over_capture_bps: int
    expires_at: str | None
    ended: Ending | None
    made_at: str
    recorded_at: str
    last_event: str
    hash: bytes
    stripes: dict[str, int] = {}

    @property
    def key(self) -> Key:
        """What this is the state of."""
        return payment_key(self.id)

    @property
    def open(self) -> bool:
        """Whether it is a hold that still has something."""
        return self.expires_at is not None and self.ended is None

    @property
    def remaining_minor(self) -> tuple[int, ...]:
        """What of each posting is still held."""
        if not self.open:
            return (0,) * len(self.postings)
        return tuple(
            max(authorized - captured, 0)
            for authorized, captured in zip(self.authorized_minor, self.captured_minor, strict=True)
        )

    @property
    def reversible_minor(self) -> tuple[int, ...]:
        """What of each posting was posted and not given back."""
        return tuple(
            captured - given_back
            for captured, given_back in zip(self.captured_minor, self.reversed_minor, strict=True)
        )

    @property
    def status(self) -> PaymentStatus:
        """Where in its life it is."""
        captured, given_back = sum(self.captured_minor), sum(self.reversed_minor)
        if self.open:
            return "partially_captured" if captured else "held"
        if given_back:
            return "reversed" if given_back == captured else "partially_reversed"
        if self.expires_at is None:
            return "posted"
        if captured:
            return "captured"
        return "expired" if self.ended == "expiry" else "voided"


class BookState(Struct, frozen=True, kw_only=True):
    """A book after its latest event. `main` has none until it is closed for the first time."""

    id: str
    version: int
    closed_through: str | None
    recorded_at: str
    last_event: str
    hash: bytes

    @property
    def key(self) -> Key:
        """What this is the state of."""
        return book_key(self.id)


class TemplateState(Struct, frozen=True, kw_only=True):
    """A template: its newest version whole, and the event that made each, the first first."""

    id: str
    version: int
    parameters: tuple[TemplateParameter, ...]
    postings: tuple[TemplatePosting, ...]
    events: tuple[str, ...]
    recorded_at: str
    hash: bytes

    @property
    def key(self) -> Key:
        """What this is the state of."""
        return template_key(self.id)

    @property
    def last_event(self) -> str:
        """The event that made the newest version."""
        return self.events[-1]


class MetadataState(Struct, frozen=True, kw_only=True):
    """The metadata of an account or a payment since they were set; `id` is `account/…` or
    `payment/…`."""

    id: str
    version: int
    metadata: dict[str, str]
    recorded_at: str
    last_event: str
    hash: bytes

    @property
    def key(self) -> Key:
        """What this is the state of."""
        return Key("metadata", self.id)


def next_subject_entry(before: BookState | TemplateState | MetadataState | None) -> SubjectEntry:
    """The entry of an event that makes the version after `before`; None: the first."""
    return SubjectEntry(
        version=before.version + 1 if before else 1, prev=before.last_event if before else UNSET
    )


State = AccountState | PaymentState | BookState | TemplateState | MetadataState


class Point(Struct, frozen=True):
    """Where in its history a subject is: its version, and the hash of its chain there.

    The hash tells a version from the same version of another history, which there is if the tables
    were put back to an earlier moment.
    """

    version: int
    hash: bytes


#: Where every history begins: the subject is not there.
BEGINNING: Final = Point(0, GENESIS_HASH)


def point_of(state: State | None) -> Point:
    """Where in its history a state is; None is of a subject that is not there."""
    return Point(state.version, state.hash) if state else BEGINNING


@dataclass(slots=True)
class States:
    """What is known of the world, by kind and id: what is not in it is not there.

    `stripes` are those of striped accounts but the first, which is the account.

    `events` has facts that were looked up by their ids, None for an id under which nothing is.
    """

    accounts: dict[str, AccountState] = field(default_factory=dict)
    payments: dict[str, PaymentState] = field(default_factory=dict)
    books: dict[str, BookState] = field(default_factory=dict)
    templates: dict[str, TemplateState] = field(default_factory=dict)
    metadata: dict[str, MetadataState] = field(default_factory=dict)
    stripes: dict[str, AccountState] = field(default_factory=dict)
    events: dict[str, Event | None] = field(default_factory=dict)

    @classmethod
    def of(cls, states: Iterable[State]) -> States:
        """The world in which these are all there is."""
        world = cls()
        for state in states:
            world.put(state)
        return world

    def __iter__(self) -> Iterator[State]:
        """Every state."""
        yield from self.accounts.values()
        yield from self.payments.values()
        yield from self.books.values()
        yield from self.templates.values()
        yield from self.metadata.values()
        yield from self.stripes.values()

    def get(self, key: Key) -> State | None:
        """The state of a subject."""
        return self._of_kind(key).get(key.id)

    def put(self, state: State) -> None:
        """Takes a state in place of what was known of its subject."""
        key = state.key
        self._of_kind(key)[key.id] = state

    def drop(self, key: Key) -> None:
        """Takes note that the subject is not there."""
        self._of_kind(key).pop(key.id, None)

    def version(self, key: Key) -> int:
        """The version of a subject, 0 if it is not there."""
        state = self.get(key)
        return state.version if state else 0

    def point(self, key: Key) -> Point:
        """Where in its history a subject is."""
        return point_of(self.get(key))

    def copy(self) -> States:
        """A world that can change without this one."""
        return States(
            dict(self.accounts),
            dict(self.payments),
            dict(self.books),
            dict(self.templates),
            dict(self.metadata),
            dict(self.stripes),
            dict(self.events),
        )

    def _of_kind(self, key: Key) -> dict[str, State]:
        by_kind: dict[str, dict[str, State]] = {
            "account": self.accounts,  # type: ignore[dict-item]
            "payment": self.payments,  # type: ignore[dict-item]
            "book": self.books,  # type: ignore[dict-item]
            "template": self.templates,  # type: ignore[dict-item]
            "metadata": self.metadata,  # type: ignore[dict-item]
            "stripe": self.stripes,  # type: ignore[dict-item]
        }
        return by_kind[key.kind]


def check_state(state: State) -> None:
    """Raises BrokenStateError unless `state` is one that could have been written.

    Called before every write and after every read, so that a corruption stops where it is met.
    """
    if isinstance(state, AccountState):
        check_account(state)
        return
    sound = state.version >= 1 and len(state.hash) == HASH_BYTES
    if isinstance(state, PaymentState):
        sound = sound and _is_sound(state)
    if isinstance(state, TemplateState):
        sound = sound and len(state.events) == state.version
    if not sound:
        raise BrokenStateError(f"{state.key.kind} {state.id} version {state.version}: out of range")


def _is_sound(state: PaymentState) -> bool:
    count = len(state.postings)
    amounts = (state.authorized_minor, state.captured_minor, state.reversed_minor)
    if any(len(one) != count for one in amounts):
        return False
    in_range = all(0 <= minor <= AMOUNT_MINOR_MAX for one in amounts for minor in one)
    given_back = all(
        back <= taken
        for back, taken in zip(state.reversed_minor, state.captured_minor, strict=True)
    )
    return in_range and given_back
