"""Batches: commands that take effect together or not at all."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ledger.contracts.commands.accounts import (
    CloseAccount,
    FreezeAccount,
    OpenAccount,
    SetAlerts,
    SetLimits,
    SetMetadata,
    SetStripes,
    UnfreezeAccount,
)
from ledger.contracts.commands.base import BaseCommand
from ledger.contracts.commands.books import CloseBook, OpenBook, ReopenBook
from ledger.contracts.commands.holds import (
    AuthorizePayment,
    CapturePayment,
    IncreasePayment,
    VoidPayment,
)
from ledger.contracts.commands.payments import PostPayment, PostTemplate, ReversePayment
from ledger.contracts.commands.templates import DefineTemplate
from ledger.contracts.primitives import BATCH_COMMANDS_MAX

MemberCommand = (
    AuthorizePayment
    | CapturePayment
    | CloseAccount
    | CloseBook
    | DefineTemplate
    | FreezeAccount
    | IncreasePayment
    | OpenAccount
    | OpenBook
    | PostPayment
    | PostTemplate
    | ReopenBook
    | ReversePayment
    | SetAlerts
    | SetLimits
    | SetMetadata
    | SetStripes
    | UnfreezeAccount
    | VoidPayment
)
"""What a batch can hold: every command of a client's but another batch."""


def path_in_member(index: int, field: str) -> str:
    """The path in a batch of what is `field` in its command of that index; empty: all of it."""
    return f"commands[{index}].{field}" if field else f"commands[{index}]"


class AtomicBatch(BaseCommand, frozen=True, kw_only=True, tag="batch.atomic"):
    """Decide commands in order, each on the effects of those before it; all take effect or none.

    They commit in one transaction of at most 100 actions: one for the batch, one for each command,
    and one for each account (or stripe), payment, book, template or metadata that any of them
    touches. A refusal is recorded under the batch's id alone; the ids of its commands stay free.
    """

    commands: Annotated[
        tuple[MemberCommand, ...], Meta(min_length=1, max_length=BATCH_COMMANDS_MAX)
    ]
