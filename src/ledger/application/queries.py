"""What can be asked of the event store itself, read consistently: what was decided, what is."""

from __future__ import annotations

from ledger.application.outages import StoreUnavailableError, UnknownStoredVersionError
from ledger.application.ports import EventStore, TransientStoreError, UnknownStoredStateError
from ledger.contracts.commands import PostPayment, screening_id
from ledger.contracts.events import (
    CommandRejected,
    Event,
    PaymentPosted,
    PaymentScreened,
    UnknownEventError,
    decode_event,
)
from ledger.contracts.fraud import SCREENING_MODELS
from ledger.domain.accounts import AccountState


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


def payment(store: EventStore, payment_id: str) -> PaymentPosted | CommandRejected | None:
    """The payment decided under `payment_id`, posted or rejected; None if there is none."""
    event = decided(store, payment_id)
    if isinstance(event, PaymentPosted):
        return event
    if isinstance(event, CommandRejected) and isinstance(event.request, PostPayment):
        return event
    return None


def account(store: EventStore, account_id: str) -> AccountState | None:
    """An account's state, read consistently; None if it was never opened.

    Raises an OutageError if it cannot be read now.
    """
    try:
        return store.load([account_id]).get(account_id)
    except TransientStoreError as error:
        raise StoreUnavailableError("the state could not be read", {error.cause: 1}) from error
    except UnknownStoredStateError as error:
        raise UnknownStoredVersionError(str(error)) from error


def screenings(store: EventStore, payment_id: str) -> tuple[PaymentScreened, ...]:
    """The verdicts recorded on a payment, that of the present model first: read by their ids."""
    events = (decided(store, screening_id(payment_id, model)) for model in SCREENING_MODELS)
    return tuple(event for event in events if isinstance(event, PaymentScreened))
