"""Which accounts and other subjects a command names."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import UNSET

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
from ledger.contracts.commands.batches import AtomicBatch
from ledger.contracts.commands.books import CloseBook, OpenBook, ReopenBook
from ledger.contracts.commands.holds import (
    AuthorizePayment,
    CapturePayment,
    ExpirePayment,
    IncreasePayment,
    VoidPayment,
)
from ledger.contracts.commands.payments import PostPayment, ReversePayment
from ledger.contracts.commands.templates import DefineTemplate
from ledger.contracts.postings import Posting
from ledger.contracts.primitives import MAIN_BOOK
from ledger.contracts.subjects import (
    Key,
    account_key,
    book_key,
    metadata_key,
    payment_key,
    stripe_key,
    template_key,
)

_ACCOUNT_COMMANDS = (
    OpenAccount
    | SetAlerts
    | FreezeAccount
    | UnfreezeAccount
    | CloseAccount
    | SetLimits
    | SetStripes
)
#: Commands about a payment that is there already.
PaymentCommand = CapturePayment | IncreasePayment | VoidPayment | ReversePayment | ExpirePayment


def accounts_of(command: BaseCommand) -> tuple[str, ...]:
    """The accounts a command names, each once, in order of first appearance.

    A command about an earlier payment names none: its accounts are the payment's. Nor does one that
    posts a template.
    """
    if isinstance(command, PostPayment):  # most of them are
        return accounts_in(command.postings)
    if isinstance(command, _ACCOUNT_COMMANDS):
        return (command.account,)
    if isinstance(command, AuthorizePayment):
        return accounts_in(command.postings)
    if isinstance(command, AtomicBatch):
        return tuple(dict.fromkeys(name for one in command.commands for name in accounts_of(one)))
    return ()


def accounts_in(postings: Iterable[Posting]) -> tuple[str, ...]:
    """The accounts of postings, each once, in order of first appearance."""
    named: dict[str, None] = {}
    for posting in postings:
        named[posting.source] = named[posting.destination] = None
    return tuple(named)


def subjects_of(command: BaseCommand) -> tuple[Key, ...]:
    """What a command changes for sure if it is accepted, as far as its text alone says."""
    if isinstance(command, OpenAccount | SetStripes):
        count = 1 if command.stripes is UNSET else command.stripes
        return tuple(stripe_key(command.account, stripe) for stripe in range(count))
    if isinstance(command, AuthorizePayment):
        return (payment_key(command.id), *map(account_key, accounts_of(command)))
    if isinstance(command, CapturePayment | IncreasePayment | VoidPayment | ReversePayment):
        return (payment_key(command.payment),)
    if isinstance(command, ExpirePayment):
        return (payment_key(command.payment),)
    if isinstance(command, SetMetadata):
        return (metadata_key(command.subject, command.subject_id),)
    if isinstance(command, DefineTemplate):
        return (template_key(command.template),)
    if isinstance(command, OpenBook | CloseBook | ReopenBook):
        return (book_key(book_of(command)),)
    return tuple(map(account_key, accounts_of(command)))


def book_of(command: OpenAccount | OpenBook | CloseBook | ReopenBook) -> str:
    """The book that a command names, `main` if it names none."""
    # The very object of the default: msgspec leaves out no text that is only equal to it.
    named = isinstance(command.book, str) and command.book != MAIN_BOOK
    return str(command.book) if named else MAIN_BOOK


def default_ordering_key(command: BaseCommand) -> str:
    """The FIFO message group of a command whose sender names none: its first account.

    A command about an earlier payment or a batch goes by what it is about; anything else by its id.
    """
    if isinstance(command, PaymentCommand):
        return command.payment
    return next(iter(accounts_of(command)), command.id)
