"""Queries of the event store itself: what was decided under an id."""

from __future__ import annotations

import pytest

from ledger.application.outages import StoreUnavailableError, UnknownStoredVersionError
from ledger.application.ports import TransientStoreError
from ledger.application.queries import decided, payment
from ledger.contracts.events import AccountOpened, CommandRejected, PaymentPosted
from ledger.domain.chain import StoredEvent
from tests.support.builders import opening
from tests.support.stores import OpenStore
from tests.support.tampering import small_ledger
from tests.support.worlds import commands_on, rejected_by


class Silent(OpenStore):
    """A store that does not answer."""

    def event(self, event_id: str) -> StoredEvent | None:
        raise TransientStoreError("throttled") from OSError(event_id)


def test_what_was_decided_is_found_by_its_id() -> None:
    """Accepted or refused, of any command; what was not decided is None."""
    store = small_ledger()
    assert isinstance(decided(store, "open:a"), AccountOpened)
    assert isinstance(decided(store, "p1"), PaymentPosted)
    assert isinstance(decided(store, "no"), CommandRejected)
    assert decided(store, "nothing") is None


def test_a_payment_is_a_posted_or_a_refused_one() -> None:
    """The id of another command is none, whether that was accepted or refused."""
    store = small_ledger()
    rejected_by(commands_on(store), opening("a", id="again"))
    assert isinstance(payment(store, "p1"), PaymentPosted)
    assert isinstance(payment(store, "no"), CommandRejected)
    assert payment(store, "open:a") is None
    assert payment(store, "again") is None
    assert payment(store, "nothing") is None


def test_outages_of_a_query() -> None:
    """A store that does not answer, an event of a newer release: retryable both."""
    with pytest.raises(StoreUnavailableError) as raised:
        payment(Silent(), "p1")
    assert raised.value.causes == {"throttled": 1}
    store = small_ledger()
    store.put_event(StoredEvent("p9", b'{"type":"payment.posted","v":2}', ()))
    with pytest.raises(UnknownStoredVersionError):
        payment(store, "p9")
