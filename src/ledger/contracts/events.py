"""The events: what happened, as stored, as published, for ever.

An event is one JSON object. Its exact bytes are stored once, hashed, and relayed as they are. It
holds everything about itself: for every account it touched the account's new version, its running
totals and `prev`, the id of the event that made the version before. That makes duplicates and any
order harmless to whoever reads them.

`type` and `v` are explicit stored names, never a Python path. A golden sample of every version
ever written is in `tests/golden`; changing a shape means a new `v` and an upcaster.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ledger.contracts.commands import (
    COMMAND_VERSIONS,
    Alert,
    Command,
    OpenAccount,
    Posting,
    PostPayment,
    ScreeningReason,
    ScreenPayment,
    SetAlerts,
)
from ledger.contracts.primitives import AccountType, available_minor, balance_minor
from ledger.contracts.reasons import Retry


class AccountEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an event made of one account: its new version and the totals after it.

    Totals are sums of minor units since the account was opened, 0 to 2^63-1; those of pending
    amounts are left out when 0. `prev` is absent for version 1. `crossed` has the account's alerts
    that this event made its posted balance cross; absent if there are none.
    """

    id: str
    type: AccountType
    version: int
    prev: str | UnsetType = UNSET
    debits_posted_minor: int
    credits_posted_minor: int
    debits_pending_minor: int = 0
    credits_pending_minor: int = 0
    crossed: tuple[Alert, ...] = ()

    @property
    def balance_minor(self) -> int:
        """The posted balance on the account's normal side."""
        return balance_minor(self.type, self.debits_posted_minor, self.credits_posted_minor)

    @property
    def available_minor(self) -> int:
        """The balance if everything pending that lowers it settled, and nothing that raises it."""
        return available_minor(
            self.type,
            debits_posted_minor=self.debits_posted_minor,
            credits_posted_minor=self.credits_posted_minor,
            debits_pending_minor=self.debits_pending_minor,
            credits_pending_minor=self.credits_pending_minor,
        )


class AccountOpened(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="account.opened"
):
    """An account was opened. `defaulted` names what the client left to its default."""

    v: Literal[1]
    id: str
    recorded_at: str
    effective_at: str
    actor: str
    account: str
    currency: str
    account_type: AccountType
    min_balance_minor: int | None
    max_balance_minor: int | None
    accounts: tuple[AccountEntry, ...]
    defaulted: tuple[str, ...] = ()


class PaymentPosted(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="payment.posted"
):
    """A payment was posted. `accounts` are those touched, in order of first appearance."""

    v: Literal[1]
    id: str
    recorded_at: str
    effective_at: str
    actor: str
    postings: tuple[Posting, ...]
    accounts: tuple[AccountEntry, ...]
    reference: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    defaulted: tuple[str, ...] = ()


class AlertsSet(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="type",
    tag="account.alerts_set",
):
    """An account's balance alerts were replaced by `alerts`. No money moved."""

    v: Literal[1]
    id: str
    recorded_at: str
    effective_at: str
    actor: str
    account: str
    currency: str
    alerts: tuple[Alert, ...]
    accounts: tuple[AccountEntry, ...]


class PaymentScreened(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="type",
    tag="payment.screened",
):
    """A fraud model gave its verdict on a posted payment. It touches no account.

    `score_permille` runs from 0 to 1000; `reasons` say what it is made of, the weightiest first.
    """

    v: Literal[1]
    id: str
    recorded_at: str
    effective_at: str
    actor: str
    payment: str
    model: str
    verdict: Literal["clear", "review", "block"]
    score_permille: int
    reasons: tuple[ScreeningReason, ...]


class Cause(Struct, frozen=True, kw_only=True):
    """A state that caused a rejection, with the values that did.

    `version` is 0 if the account did not exist. `values` are integers of minor units, or codes.
    """

    id: str
    version: int
    values: dict[str, int | str | None] = {}


class CommandRejected(
    Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="command.rejected"
):
    """A command was refused, for ever under this id. `request` is the command as it was sent."""

    v: Literal[1]
    id: str
    recorded_at: str
    actor: str
    reason: str
    retry: Retry
    field: str | UnsetType = UNSET
    request: Command
    causes: tuple[Cause, ...]


AccountEvent = AccountOpened | AlertsSet | PaymentPosted
"""An event that made a new version of every account in its `accounts`."""

Accepted = AccountEvent | PaymentScreened
Event = Accepted | CommandRejected
EVENT_TYPES: Final[dict[str, type[Event]]] = {
    "account.opened": AccountOpened,
    "account.alerts_set": AlertsSet,
    "payment.posted": PaymentPosted,
    "payment.screened": PaymentScreened,
    "command.rejected": CommandRejected,
}
_VERSIONS: Final = dict.fromkeys(EVENT_TYPES, frozenset({1}))

_ENCODER = msgspec.json.Encoder()


class _Head(Struct):
    type: str
    v: int
    request: _RequestHead | UnsetType = UNSET


class _RequestHead(Struct):
    type: str
    v: int


_HEAD = msgspec.json.Decoder(_Head)
_EVENT: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


class UnknownEventError(Exception):
    """An event of a type or version that this release does not know: a newer one wrote it.

    Retryable: never skip it, never write after it.
    """


class CorruptEventError(Exception):
    """Stored bytes that are not an event of the type and version that they claim."""


def encode_event(event: Event) -> bytes:
    """The bytes that are stored, hashed and published."""
    return _ENCODER.encode(event)


def decode_event(data: bytes | str) -> Event:
    """The event in `data`. Unknown fields of the event and of its entries are ignored: adding one
    is compatible within a version. Postings and a refused request are closed, as in a command.

    Raises UnknownEventError or CorruptEventError.
    """
    try:
        head = _HEAD.decode(data)
        if head.v not in _VERSIONS.get(head.type, frozenset()):
            raise UnknownEventError(f"event type {head.type!r} version {head.v}")
        request = head.request  # a refusal of a newer release may be of a command that it brought
        if request is not UNSET and request.v not in COMMAND_VERSIONS.get(request.type, ()):
            raise UnknownEventError(f"refusal of {request.type!r} version {request.v}")
        return _EVENT.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CorruptEventError("the stored bytes are not an event") from error


def entries_of(event: Event) -> tuple[AccountEntry, ...]:
    """The accounts an event touched; none for a rejection or a screening."""
    return event.accounts if isinstance(event, AccountEvent) else ()


def currency_of(event: AccountEvent, account: str) -> str:
    """The currency of an account that the event touched."""
    if not isinstance(event, PaymentPosted):
        return event.currency
    return next(
        posting.currency
        for posting in event.postings
        if account in (posting.source, posting.destination)
    )


def moved_minor(event: AccountEvent, account: str) -> tuple[int, int]:
    """What the event itself added to an account's posted (debits, credits), in minor units."""
    if not isinstance(event, PaymentPosted):
        return 0, 0
    debits = sum(p.amount_minor for p in event.postings if p.source == account)
    credits_ = sum(p.amount_minor for p in event.postings if p.destination == account)
    return debits, credits_


def request_of(event: Event) -> Command:
    """The command that made the event, as it was sent: defaulted fields are UNSET again."""
    if isinstance(event, CommandRejected):
        return event.request
    if isinstance(event, AlertsSet):
        return SetAlerts(v=1, id=event.id, account=event.account, alerts=event.alerts)
    if isinstance(event, PaymentScreened):
        return ScreenPayment(
            v=1,
            id=event.id,
            payment=event.payment,
            model=event.model,
            verdict=event.verdict,
            score_permille=event.score_permille,
            reasons=event.reasons,
        )
    defaulted = frozenset(event.defaulted)
    if isinstance(event, PaymentPosted):
        return PostPayment(
            v=1,
            id=event.id,
            postings=event.postings,
            effective_at=UNSET if "effective_at" in defaulted else event.effective_at,
            reference=event.reference,
            description=event.description,
        )
    return OpenAccount(
        v=1,
        id=event.id,
        account=event.account,
        currency=event.currency,
        account_type=event.account_type,
        min_balance_minor=(UNSET if "min_balance_minor" in defaulted else event.min_balance_minor),
        max_balance_minor=(UNSET if "max_balance_minor" in defaulted else event.max_balance_minor),
        effective_at=UNSET if "effective_at" in defaulted else event.effective_at,
    )
