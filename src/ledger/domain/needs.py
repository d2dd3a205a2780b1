"""What must be known before a command can be decided, as far as can be told from what is known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from ledger.contracts.commands import (
    BaseCommand,
    CapturePayment,
    OpenAccount,
    PaymentCommand,
    PostPayment,
    PostTemplate,
    ReversePayment,
    ScreenPayment,
    SetMetadata,
    accounts_in,
    accounts_of,
    book_of,
    subjects_of,
)
from ledger.contracts.primitives import MAIN_BOOK
from ledger.contracts.subjects import (
    Key,
    account_key,
    book_key,
    metadata_key,
    payment_key,
    template_key,
)
from ledger.domain.effective_time import books_of, effective_time, is_back_dated
from ledger.domain.payments import payment_at
from ledger.domain.post_payment import definition_for
from ledger.domain.stamp import Stamp
from ledger.domain.states import States
from ledger.domain.templates import TemplateFault, expand


class Needs(NamedTuple):
    """Subjects whose states, and ids whose events, a decision rests on."""

    keys: tuple[Key, ...] = ()
    events: tuple[str, ...] = ()


def needed(states: States, command: BaseCommand, stamp: Stamp) -> Needs:
    """All that the decision on `command` needs, of which some may be in `states` already.

    What is known can lead to more: a payment to its accounts, an account to its book. So ask again
    until nothing new is named; that takes three rounds at most.
    """
    if isinstance(command, OpenAccount):
        return Needs((account_key(command.account), *_book_of_opening(command, stamp)))
    if isinstance(command, PostPayment):
        return Needs(_posted(states, accounts_of(command), command.effective_at, stamp))
    if isinstance(command, PostTemplate):
        return _template_posted(states, command, stamp)
    if isinstance(command, PaymentCommand):
        return _of_payment(states, command, stamp)
    if isinstance(command, SetMetadata):
        own = metadata_key(command.subject, command.subject_id)
        if command.subject == "account":
            return Needs((own, account_key(command.subject_id)))
        return Needs((own,), (command.subject_id,))
    if isinstance(command, ScreenPayment):
        return Needs(events=(command.payment,))
    # Its own state cannot be there before a payment is.
    return Needs(tuple(key for key in subjects_of(command) if key != payment_key(command.id)))


def _book_of_opening(command: OpenAccount, stamp: Stamp) -> tuple[Key, ...]:
    book = book_of(command)
    effective_at = effective_time(command.effective_at, stamp)
    if book == MAIN_BOOK and not is_back_dated(effective_at, stamp.recorded_at):
        return ()
    return (book_key(book),)


def _posted(
    states: States, accounts: Iterable[str], asked: str | UnsetType, stamp: Stamp
) -> tuple[Key, ...]:
    """Accounts, and if what is posted to them is back-dated, their books."""
    accounts = tuple(accounts)
    keys = tuple(map(account_key, accounts))
    if asked is UNSET or not is_back_dated(asked, stamp.recorded_at):
        return keys
    return (*keys, *map(book_key, books_of(states, accounts)))


def _template_posted(states: States, command: PostTemplate, stamp: Stamp) -> Needs:
    head = template_key(command.template)
    state = states.templates.get(command.template)
    wanted = command.template_version
    events: tuple[str, ...] = ()
    if state is not None and wanted is not UNSET and wanted < state.version:
        events = (state.events[wanted - 1],)
    definition = definition_for(states, command)
    made = expand(definition, command.parameters) if definition else ()
    if isinstance(made, TemplateFault):
        return Needs((head,), events)
    return Needs((head, *_posted(states, accounts_in(made), command.effective_at, stamp)), events)


def _of_payment(states: States, command: PaymentCommand, stamp: Stamp) -> Needs:
    key = payment_key(command.payment)
    # One that was posted at once has no state before it is reversed: its event says what it is.
    events = () if command.payment in states.payments else (command.payment,)
    payment = payment_at(states, command.payment)
    if payment is None:
        return Needs((key,), events)
    asked = command.effective_at if isinstance(command, CapturePayment | ReversePayment) else UNSET
    return Needs((key, *_posted(states, accounts_in(payment.postings), asked, stamp)), events)
