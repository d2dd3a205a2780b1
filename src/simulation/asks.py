"""What clients ask, and what they are answered: all that the auditor hears of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from ledger.contracts.commands import AtomicBatch, BaseCommand, Command, accounts_of

AskRoute = Literal["rest", "dry_run", "batch", "query", "bus", "fifo"]
"""`rest`, `dry_run` and `batch` (of independent commands) are POSTs to the REST API, `query` is a
GET; `bus` goes to the ingress bus, `fifo` to the FIFO queue. Of the last two nobody is answered."""


class Ask(Struct, frozen=True):
    """One request as it leaves a client; each attempt at it is one of its own."""

    id: str
    """Unique in a run: no other ask, and no other attempt at the same, has it."""
    at: int
    """When it is sent, in microseconds since 1970."""
    route: AskRoute
    commands: tuple[Command | None, ...] = ()
    """What the body says, in order: of a `batch` each element, of a query nothing, of the others
    one. None in the place of what is malformed on purpose."""
    body: bytes = b""
    """As it was sent: of `bus` the detail, of `fifo` the message."""
    path: str = ""
    """The concrete path of a REST request, like `/accounts/a1/balance`."""
    query: Mapping[str, str] = {}
    """The query parameters of a REST request."""
    actor: str = ""
    """Who asks, as events name them: of `rest` the caller's ARN, of `bus` and `fifo` who sent the
    message, `events:…` or `sqs:…`."""
    attempt: int = 1
    """Which attempt it is of this client at this request, from 1."""
    group: str = ""
    """The message group of a `fifo` message."""

    @property
    def command(self) -> Command | None:
        """The one command of an ask that has one."""
        return self.commands[0] if len(self.commands) == 1 else None


class HttpAnswer(Struct, frozen=True):
    """An answer of the REST API."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def ids_of(command: BaseCommand) -> tuple[str, ...]:
    """Every id that a command names: its own, its accounts, payment, book and template."""
    named = (getattr(command, field, None) for field in ("account", "payment", "subject_id"))
    members = command.commands if isinstance(command, AtomicBatch) else ()
    return tuple(
        dict.fromkeys(
            (
                command.id,
                *accounts_of(command),
                *(name for name in named if isinstance(name, str)),
                *(name for member in members for name in ids_of(member)),
            )
        )
    )
