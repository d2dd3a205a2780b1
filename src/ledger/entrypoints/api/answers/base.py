"""An answer as it goes out, and what all answers to commands have in common."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ledger.contracts.events import AccountEvent, BaseEvent, currency_of
from ledger.contracts.primitives import AccountType

JSON: Final = "application/json"
REPLAY_HEADER: Final = "Idempotent-Replay"
_ENCODER: Final = msgspec.json.Encoder()


class Answer(Struct, frozen=True):
    """An answer's status, media type, body (encoded) and further headers; `code` is for the log."""

    status: HTTPStatus
    body: bytes
    code: str
    media_type: str = JSON
    headers: dict[str, str] = {}


class Sending(NamedTuple):
    """How the command came: for the first time or again, in earnest or to see what it would do."""

    repeat: bool
    dry_run: bool


class AccountAfter(Struct, frozen=True, kw_only=True):
    """An account, or a stripe of one, after the command: its version, totals and balances then, in
    minor units.

    Balances are on the account's normal side. The account may have moved on since: `version` says
    what these figures are of. Of a striped account they are those of the `stripe` alone: of the one
    that took part, and of those that gave up leases for it.
    """

    id: str
    stripe: int | UnsetType = UNSET
    currency: str
    account_type: AccountType
    version: int
    balance_minor: int
    available_minor: int
    debits_posted_minor: int
    credits_posted_minor: int
    debits_pending_minor: int
    credits_pending_minor: int


class CommandAnswer(Struct, frozen=True, kw_only=True, tag_field="status"):
    """The answer to a command that was accepted. `dry_run` is there if nothing was recorded."""

    id: str
    repeat: bool
    dry_run: Literal[True] | UnsetType = UNSET
    recorded_at: str


_A = TypeVar("_A", bound=CommandAnswer)


def answer_of(kind: type[_A], event: BaseEvent, sending: Sending, **own: Any) -> _A:
    """The answer of that kind to the command that made `event`: the fields in `own`, and for each
    other the event's of the same name, left out where the event leaves it out."""
    own["repeat"] = sending.repeat
    own["dry_run"] = True if sending.dry_run else UNSET
    names = [name for name in kind.__struct_fields__ if name not in own and hasattr(event, name)]
    return kind(**own, **{name: getattr(event, name) for name in names})


def accounts_after(event: AccountEvent) -> tuple[AccountAfter, ...]:
    """Every account that the event touched, as it left it."""
    return tuple(
        AccountAfter(
            id=entry.id,
            stripe=entry.stripe,
            currency=currency_of(event, entry.id),
            account_type=entry.type,
            version=entry.version,
            balance_minor=entry.balance_minor,
            available_minor=entry.available_minor,
            debits_posted_minor=entry.debits_posted_minor,
            credits_posted_minor=entry.credits_posted_minor,
            debits_pending_minor=entry.debits_pending_minor,
            credits_pending_minor=entry.credits_pending_minor,
        )
        for entry in event.accounts
    )


def encoded(body: object) -> bytes:
    """A body as JSON."""
    return _ENCODER.encode(body)


def ok(body: Struct, code: str) -> Answer:
    """The answer to a question."""
    return Answer(HTTPStatus.OK, encoded(body), code)
