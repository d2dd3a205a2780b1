"""What can be asked of the event store itself: the outcome of a command, read consistently."""

from __future__ import annotations

from ledger.application.outages import StoreUnavailableError, UnknownStoredVersionError
from ledger.application.ports import EventStore, TransientStoreError
from ledger.contracts.commands import PostPayment
from ledger.contracts.events import (
    CommandRejected,
    Event,
    PaymentPosted,
    UnknownEventError,
    decode_event,
)


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
