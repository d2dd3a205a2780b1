"""What can be asked of the event store itself, read consistently: what was decided, what is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import UNSET, Struct

from ledger.application.outages import StoreUnavailableError, UnknownStoredVersionError
from ledger.application.ports import EventStore, TransientStoreError, UnknownStoredStateError
from ledger.contracts.commands import AuthorizePayment, PostPayment, PostTemplate, screening_id
from ledger.contracts.events import (
    CommandRejected,
    Event,
    PaymentAuthorized,
    PaymentPosted,
    PaymentScreened,
    TemplateDefined,
    UnknownEventError,
    decode_event,
)
from ledger.contracts.fraud import SCREENING_MODELS
from ledger.contracts.subjects import (
    Key,
    account_key,
    book_key,
    metadata_key,
    payment_key,
    template_key,
)
from ledger.domain.accounts import AccountState
from ledger.domain.states import BookState, MetadataState, PaymentState, States, TemplateState

_MAKING: Final = PostPayment | PostTemplate | AuthorizePayment


def decided(store: EventStore, command_id: str) -> Event | None:
    """The event recorded under a command's id. Raises an OutageError if it cannot be read now."""
    try:
        stored = store.event(command_id)
    except TransientStoreError as error:
        raise StoreUnavailableError("the event could not be read", {error.cause: 1}) from error
    if stored is None:
        return None
    try:
        return decode_event(stored.data)
    except UnknownEventError as error:
        raise UnknownStoredVersionError(str(error)) from error


class PaymentLife(Struct, frozen=True):
    """A payment as it is: the fact that made it, its state once it has a later life, its metadata
    once they were set."""

    made: PaymentPosted | PaymentAuthorized | CommandRejected
    state: PaymentState | None
    metadata: MetadataState | None


def payment(store: EventStore, payment_id: str) -> PaymentLife | None:
    """The payment decided under `payment_id`, made or rejected; None if there is none.

    Raises an OutageError if it cannot be read now.
    """
    made = decided(store, payment_id)
    if isinstance(made, CommandRejected) and isinstance(made.request, _MAKING):
        return PaymentLife(made, None, None)
    if not isinstance(made, PaymentPosted | PaymentAuthorized):
        return None
    states = _loaded(store, payment_key(payment_id), metadata_key("payment", payment_id))
    metadata = metadata_key("payment", payment_id).id
    return PaymentLife(made, states.payments.get(payment_id), states.metadata.get(metadata))


def book(store: EventStore, name: str) -> BookState | None:
    """A book, read consistently; None if it was never opened, or is `main` and was never closed.

    Raises an OutageError if it cannot be read now.
    """
    return _loaded(store, book_key(name)).books.get(name)


def template(
    store: EventStore, name: str, version: int | None = None
) -> TemplateState | TemplateDefined | None:
    """A version of a template, the newest if none is named; None if there is none.

    Raises an OutageError if it cannot be read now.
    """
    state = _loaded(store, template_key(name)).templates.get(name)
    if state is None or version is None or version == state.version:
        return state
    if not 1 <= version < state.version:
        return None
    event = decided(store, state.events[version - 1])
    return event if isinstance(event, TemplateDefined) else None


class Metadata(Struct, frozen=True):
    """The metadata of an account or a payment: at version 0 none were set, and a payment has those
    that it was made with."""

    version: int
    values: Mapping[str, str]


def metadata(
    store: EventStore, subject: Literal["account", "payment"], subject_id: str
) -> Metadata | None:
    """The metadata of a subject, read consistently; None if there is no such account or payment.

    Raises an OutageError if it cannot be read now.
    """
    key = metadata_key(subject, subject_id)
    if subject == "payment":
        life = payment(store, subject_id)
        if life is None or isinstance(life.made, CommandRejected):
            return None
        made: Event | None = life.made
        state = life.metadata
    else:
        states = _loaded(store, account_key(subject_id), key)
        if subject_id not in states.accounts:
            return None
        state = states.metadata.get(key.id)
        made = None
    if state is not None:
        return Metadata(state.version, state.metadata)
    given = getattr(made, "metadata", UNSET)
    return Metadata(0, given if isinstance(given, Mapping) else {})


def account(store: EventStore, account_id: str) -> AccountState | None:
    """An account's state, read consistently; None if it was never opened.

    Raises an OutageError if it cannot be read now.
    """
    return _loaded(store, account_key(account_id)).accounts.get(account_id)


def screenings(store: EventStore, payment_id: str) -> tuple[PaymentScreened, ...]:
    """The verdicts recorded on a payment, that of the present model first: read by their ids."""
    events = (decided(store, screening_id(payment_id, model)) for model in SCREENING_MODELS)
    return tuple(event for event in events if isinstance(event, PaymentScreened))


def _loaded(store: EventStore, *keys: Key) -> States:
    try:
        return store.load(keys)
    except TransientStoreError as error:
        raise StoreUnavailableError("the state could not be read", {error.cause: 1}) from error
    except UnknownStoredStateError as error:
        raise UnknownStoredVersionError(str(error)) from error
