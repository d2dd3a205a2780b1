"""What a state's item keeps as JSON in `data`, by kind, each with its own schema versions.

The Structs here are stored: never rename a field. A state is written in the lowest version that
holds it: while old and new workers run side by side, the old ones can go on with everything that
uses nothing new.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import fields

from ledger.contracts.building import built_once
from ledger.contracts.commands import Alert, Basis, Posting, Sides
from ledger.contracts.events import AccountStatus
from ledger.contracts.primitives import MAIN_BOOK, AccountType, DayText
from ledger.contracts.subjects import Key, Kind
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
    """Version 2 has alerts; version 3 what is below them."""

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

    @property
    def schema(self) -> int:
        bases = {self.min_balance_basis, self.max_balance_basis}
        if self.frozen or self.book != MAIN_BOOK or bases != {"available"} or self.velocity:
            return 3
        return 2 if self.alerts else 1


class _PaymentBody(_Body, frozen=True, kw_only=True):
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
            3, _AccountBody, AccountState, packing=_packed_velocity, unpacking=_unpacked_velocity
        )
    if kind == "payment":
        return _schema(1, _PaymentBody, PaymentState)
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
    kept = frozenset(state.__struct_fields__)
    required = tuple(one.name for one in fields(body) if one.required)
    optional = tuple(
        (one.name, one.default) for one in fields(body) if not one.required and one.name in kept
    )
    same = (*required, *(name for name, _ in optional))
    decoder = msgspec.json.Decoder(body)

    def encode(one: State) -> tuple[int, str]:
        values = {name: getattr(one, name) for name in required}
        # msgspec leaves out the default itself, and writes what is only equal to it.
        for name, default in optional:
            value = getattr(one, name)
            if value != default:
                values[name] = value
        made = body(**values | packing(one))
        return made.schema, _ENCODE(made).decode()

    def decode(data: str, frame: Frame) -> tuple[int, State]:
        read = decoder.decode(data)
        made = state(
            id=frame.subject.id,
            version=frame.version,
            hash=frame.hash,
            **{name: getattr(read, name) for name in same} | unpacking(read),
        )
        return read.schema, made

    return Schema(newest, encode, decode)


def _packed_velocity(state: AccountState) -> dict[str, object]:
    return {"velocity": packed(state.velocity, state.counters)} if state.velocity else {}


def _unpacked_velocity(body: _AccountBody) -> dict[str, object]:
    if not body.velocity:
        return {}
    velocity, counters = unpacked(body.velocity)
    return {"velocity": velocity, "counters": counters}
