"""What must be known before a command can be decided, as far as can be told from what is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from ledger.contracts.commands import (
    AuthorizePayment,
    BaseCommand,
    CapturePayment,
    CloseAccount,
    FreezeAccount,
    IncreasePayment,
    OpenAccount,
    PaymentCommand,
    PostPayment,
    PostTemplate,
    ReversePayment,
    ScreenPayment,
    SetLimits,
    SetMetadata,
    SetStripes,
    UnfreezeAccount,
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
from ledger.domain.authorize_payment import authorized, increased
from ledger.domain.capture_payment import captured, let_go
from ledger.domain.effective_time import books_of, effective_time, is_back_dated
from ledger.domain.movements import Movements, lacking_keys
from ledger.domain.payments import between, payment_at
from ledger.domain.post_payment import definition_for, posted
from ledger.domain.reverse_payment import given_back, voids
from ledger.domain.stamp import Stamp
from ledger.domain.states import PaymentState, States
from ledger.domain.striped import as_held, by_spread, keys_of
from ledger.domain.templates import TemplateFault, expand

#: What changes an account changes all its stripes.
_OF_WHOLE_ACCOUNT = SetLimits | SetStripes | FreezeAccount | UnfreezeAccount | CloseAccount


class Needs(NamedTuple):
    """Subjects whose states, and ids whose events, a decision rests on."""

    keys: tuple[Key, ...] = ()
    events: tuple[str, ...] = ()


def needed(states: States, command: BaseCommand, stamp: Stamp) -> Needs:
    """All that the decision on `command` needs, of which some may be in `states` already.

    What is known can lead to more: a payment to its accounts, an account to its book and to one of
    its stripes, and that to all of them. So ask again until nothing new is named; that takes four
    rounds at most.
    """
    if isinstance(command, OpenAccount):
        return Needs((account_key(command.account), *_book_of_opening(command, stamp)))
    if isinstance(command, PostPayment):
        return Needs(
            _between(
                states,
                accounts_of(command),
                lambda: (posted(states, command.postings, stamp),),
                command.effective_at,
                stamp,
            )
        )
    if isinstance(command, AuthorizePayment):
        accounts = accounts_of(command)
        return Needs(_between(states, accounts, lambda: (authorized(states, command, stamp),)))
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
    if isinstance(command, _OF_WHOLE_ACCOUNT):
        head = states.accounts.get(command.account)
        return Needs((account_key(command.account),) if head is None else keys_of(head))
    return Needs(subjects_of(command))


def _book_of_opening(command: OpenAccount, stamp: Stamp) -> tuple[Key, ...]:
    book = book_of(command)
    effective_at = effective_time(command.effective_at, stamp)
    if book == MAIN_BOOK and not is_back_dated(effective_at, stamp.recorded_at):
        return ()
    return (book_key(book),)


def _between(
    states: States,
    accounts: Iterable[str],
    movements: Callable[[], Iterable[Movements]],
    asked: str | UnsetType = UNSET,
    stamp: Stamp | None = None,
) -> tuple[Key, ...]:
    """Accounts, their stripes as far as `movements` use them, and if what is posted to them is
    back-dated, their books."""
    accounts = tuple(accounts)
    keys = tuple(map(account_key, accounts))
    heads = map(states.accounts.get, accounts)
    if any(head is not None and head.is_striped for head in heads):
        keys += tuple(key for each in movements() for key in lacking_keys(states, each))
    if asked is UNSET or stamp is None or not is_back_dated(asked, stamp.recorded_at):
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
    accounts = _between(
        states,
        accounts_in(made),
        lambda: (posted(states, made, stamp),),
        command.effective_at,
        stamp,
    )
    return Needs((head, *accounts), events)


def _of_payment(states: States, command: PaymentCommand, stamp: Stamp) -> Needs:
    key = payment_key(command.payment)
    # One that was posted at once has no state before it is reversed: its event says what it is.
    events = () if command.payment in states.payments else (command.payment,)
    payment = payment_at(states, command.payment)
    if payment is None:
        return Needs((key,), events)
    asked = command.effective_at if isinstance(command, CapturePayment | ReversePayment) else UNSET
    accounts = _between(
        states,
        accounts_in(payment.postings),
        lambda: _later_movements(states, command, payment, stamp),
        asked,
        stamp,
    )
    return Needs((key, *accounts), events)


def _later_movements(
    states: States, command: PaymentCommand, payment: PaymentState, stamp: Stamp
) -> Iterable[Movements]:
    """What the command does, and whoever else it must be possible with."""
    if isinstance(command, ReversePayment) and not voids(command, payment):
        yield between(payment, by_spread(states, stamp.spread))
        moved = given_back(states, command, payment, stamp)
    else:
        yield between(payment, as_held(payment))
        if isinstance(command, CapturePayment):
            moved = captured(command, payment)
        elif isinstance(command, IncreasePayment):
            moved = increased(command, payment)
        else:
            moved = let_go(payment)
    if moved is not None:
        yield moved
