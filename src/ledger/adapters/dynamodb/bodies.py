"""What a state's item keeps as JSON in `data`, by kind, each with its own schema versions.

The Structs here are stored: never rename a field. A state is written in the lowest version that
holds it: while old and new workers run side by side, the old ones can go on with everything that
uses nothing new.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import asdict, fields

from ledger.contracts.building import built_once
from ledger.contracts.commands import Alert, Basis, Posting, Sides
from ledger.contracts.events import AccountStatus
from ledger.contracts.primitives import MAIN_BOOK, AccountType, DayText
from ledger.contracts.subjects import Key, Kind, stripe_of_key
from ledger.contracts.templates import TemplateParameter, TemplatePosting
from ledger.domain.accounts import AccountState
from ledger.domain.states import (
    BookState,
    Ending,
    MetadataState,
    PaymentState,
    State,
    TemplateState,
)
from ledger.domain.velocity import PackedLimit, packed, unpacked

_StoredInstant = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z$")]


class _Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing unknown: what a newer release added must not be dropped by an older one."""

    @property
    def schema(self) -> int:
        """The lowest version of the schema that holds it."""
        return 1


class _AccountBody(
    _Body, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Version 2 has alerts; version 3 what is below them; version 4 is of the first stripe of a
    striped account."""

    currency: str
    type: AccountType
    status: AccountStatus
    debits_posted_minor: int
    credits_posted_minor: int
    debits_pending_minor: int
    credits_pending_minor: int
    min_balance_minor: int | None
    max_balance_minor: int | None
    opened_at: _StoredInstant
    recorded_at: _StoredInstant
    last_event: str
    alerts: tuple[Alert, ...] = ()
    frozen: Sides | None = None
    book: str = MAIN_BOOK
    min_balance_basis: Basis = "available"
    max_balance_basis: Basis = "available"
    velocity: tuple[PackedLimit, ...] = ()
    stripes: int = 1
    stripes_made: int = 1
    floor_minor: int | None = None
    ceiling_minor: int | None = None

    @property
    def schema(self) -> int:
        if self.stripes_made > 1:
            return 4
        if (
            self.frozen
            or self.book != MAIN_BOOK
            or self.velocity
            or self.min_balance_basis != "available"
            or self.max_balance_basis != "available"
        ):
            return 3
        return 2 if self.alerts else 1


class _StripeBody(_AccountBody, frozen=True, kw_only=True, omit_defaults=True):
    """A further stripe of an account. Which one it is, its key says."""

    @property
    def schema(self) -> int:
        return 1


class _PaymentBody(_Body, frozen=True, kw_only=True, omit_defaults=True):
    """Version 2 is of a hold on further stripes of striped accounts."""

    postings: tuple[Posting, ...]
    authorized_minor: tuple[int, ...]
    captured_minor: tuple[int, ...]
    reversed_minor: tuple[int, ...]
    over_capture_bps: int
    expires_at: _StoredInstant | None
    ended: Ending | None
    made_at: _StoredInstant
    recorded_at: _StoredInstant
    last_event: str
    stripes: dict[str, int] = {}

    @property
    def schema(self) -> int:
        return 2 if self.stripes else 1


class _BookBody(_Body, frozen=True, kw_only=True):
    closed_through: DayText | None
    recorded_at: _StoredInstant
    last_event: str


class _TemplateBody(_Body, frozen=True, kw_only=True):
    parameters: tuple[TemplateParameter, ...]
    postings: tuple[TemplatePosting, ...]
    events: tuple[str, ...]
    recorded_at: _StoredInstant


class _MetadataBody(_Body, frozen=True, kw_only=True):
    metadata: dict[str, str]
    recorded_at: _StoredInstant
    last_event: str


class Frame(Struct, frozen=True):
    """What stands beside the body: whose state it is, its version and its chain hash."""

    subject: Key
    version: int
    hash: bytes


class Schema(Struct, frozen=True):
    """How states of one kind are kept.

    `newest` is the highest version that this release reads. `encode` gives the version that a state
    is written in and its JSON; `decode` the version that holds what it reads, and the state. That
    raises msgspec's errors, which are ValueErrors, for what no release wrote.
    """

    newest: int
    encode: Callable[[State], tuple[int, str]]
    decode: Callable[[str, Frame], tuple[int, State]]


_S = TypeVar("_S", bound=State)
_ENCODE = msgspec.json.Encoder().encode


@built_once
def schema_of(kind: Kind) -> Schema:
    """How states of `kind` are kept. Made when it is first asked for: a worker meets few kinds."""
    if kind == "account":
        return _schema(
            4, _AccountBody, AccountState, packing=_packed_velocity, unpacking=_unpacked_velocity
        )
    if kind == "stripe":
        return _schema(1, _StripeBody, AccountState)
    if kind == "payment":
        return _schema(2, _PaymentBody, PaymentState)
    if kind == "book":
        return _schema(1, _BookBody, BookState)
    if kind == "template":
        return _schema(1, _TemplateBody, TemplateState)
    return _schema(1, _MetadataBody, MetadataState)


def _schema(
    newest: int,
    body: type[_Body],
    state: type[_S],
    *,
    packing: Callable[[Any], dict[str, object]] = lambda _: {},
    unpacking: Callable[[Any], dict[str, object]] = lambda _: {},
) -> Schema:
    """A body has the fields of its state under the same names, but those that are packed."""
    assert frozenset(state.__struct_fields__).issuperset(body.__struct_fields__)
    names = tuple(one.name for one in fields(body))
    # What is required is never equal to its default, which is a value of msgspec's own.
    defaults = tuple(one.default for one in fields(body))
    values_of = attrgetter(*names)
    decoder = msgspec.json.Decoder(body)

    def encode(one: State) -> tuple[int, str]:
        # msgspec leaves out the default itself, and writes what is only equal to it.
        values = {
            name: value
            for name, value, default in zip(names, values_of(one), defaults, strict=True)
            if value != default
        }
        made = body(**values | packing(one))
        return made.schema, _ENCODE(made).decode()

    def decode(data: str, frame: Frame) -> tuple[int, State]:
        read = decoder.decode(data)
        made = state(
            **_named(frame.subject),
            version=frame.version,
            hash=frame.hash,
            **asdict(read) | unpacking(read),
        )
        return read.schema, made

    return Schema(newest, encode, decode)


def _named(subject: Key) -> dict[str, Any]:
    """The fields of a state that its key has."""
    if subject.kind != "stripe":
        return {"id": subject.id}
    account, stripe = stripe_of_key(subject)
    return {"id": account, "stripe": stripe}


def _packed_velocity(state: AccountState) -> dict[str, object]:
    return {"velocity": packed(state.velocity, state.counters)} if state.velocity else {}


def _unpacked_velocity(body: _AccountBody) -> dict[str, object]:
    if not body.velocity:
        return {}
    velocity, counters = unpacked(body.velocity)
    return {"velocity": velocity, "counters": counters}
