"""Queries of the event store itself: what was decided under an id."""

from __future__ import annotations

from typing import Literal

import pytest

from ledger.application.commit import Commands
from ledger.application.outages import StoreUnavailableError, UnknownStoredVersionError
from ledger.application.ports import TransientStoreError
from ledger.application.queries import (
    Metadata,
    account,
    book,
    decided,
    metadata,
    payment,
    template,
)
from ledger.contracts.events import (
    AccountOpened,
    CommandRejected,
    PaymentAuthorized,
    PaymentPosted,
    TemplateDefined,
)
from ledger.domain.chain import StoredEvent
from ledger.domain.states import TemplateState
from tests.support.builders import NOON_MICROSECONDS, describing, opening, paying, voiding
from tests.support.commits import SECOND
from tests.support.stores import FaultyStore, OpenStore
from tests.support.tampering import rich_ledger, small_ledger
from tests.support.worlds import World, accepted_by, rejected_by
from tests.support.worlds import decided as decided_by


def afterwards(store: OpenStore) -> Commands:
    """A worker on a rich ledger, an hour after all that is in it."""
    return World(now=NOON_MICROSECONDS + 2 * 3_600 * SECOND).commands(store)


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


def test_a_payment_is_made_or_refused() -> None:
    """Posted, of a template or of a batch too, held, or refused; the id of another command is none,
    whether that was accepted or refused."""
    store = rich_ledger()
    rejected_by(afterwards(store), opening("a", id="again"))
    rejected_by(afterwards(store), voiding("v", id="void:again"))
    for made in ("p", "t", "m1"):
        life = payment(store, made)
        assert life is not None
        assert isinstance(life.made, PaymentPosted)
    held = payment(store, "h")
    assert held is not None
    assert isinstance(held.made, PaymentAuthorized)
    refused = payment(store, "no")
    assert refused is not None
    assert isinstance(refused.made, CommandRejected)
    assert (refused.state, refused.metadata) == (None, None)
    for other in ("open:a", "again", "void:again", "capture:h", "batch", "nothing"):
        assert payment(store, other) is None


@pytest.mark.parametrize(
    ("id_", "status", "version"),
    [
        ("h", "partially_captured", 3),
        ("v", "voided", 2),
        ("e", "expired", 2),
        ("p", "partially_reversed", 3),
        ("t", None, 0),
    ],
)
def test_a_payment_has_its_later_life(id_: str, status: str | None, version: int) -> None:
    """Its state as it is now; none for one that was posted and is as it was."""
    life = payment(rich_ledger(), id_)
    assert life is not None
    assert (life.state and life.state.status, life.state.version if life.state else 0) == (
        status,
        version,
    )
    assert (life.metadata is not None) == (id_ == "p")


def test_metadata_are_those_of_the_making_until_they_are_set() -> None:
    """Those of an account that was opened with some are version 1; a payment's own are 0."""
    store = rich_ledger()
    accepted_by(afterwards(store), paying("with", ("a", "b", 1), metadata={"order": "1"}))
    accepted_by(afterwards(store), opening("x", metadata={"tier": "new"}))
    expected: dict[tuple[Literal["account", "payment"], str], Metadata | None] = {
        ("account", "a"): Metadata(3, {"tier": "none"}),
        ("account", "x"): Metadata(1, {"tier": "new"}),
        ("account", "b"): Metadata(0, {}),
        ("account", "nobody"): None,
        ("payment", "p"): Metadata(1, {"order": "17"}),
        ("payment", "with"): Metadata(0, {"order": "1"}),
        ("payment", "t"): Metadata(0, {}),
        ("payment", "no"): None,
        ("payment", "open:a"): None,
        ("payment", "nothing"): None,
    }
    for (subject, id_), values in expected.items():
        assert metadata(store, subject, id_) == values, (subject, id_)
    set_ = describing("payment", "with", id="set", order="2")
    decided_by(afterwards(store), set_)
    assert metadata(store, "payment", "with") == Metadata(1, {"order": "2"})


def test_every_version_of_a_template_is_found() -> None:
    """The newest unless another is named; versions that never were are none."""
    store = rich_ledger()
    newest = template(store, "sale")
    assert isinstance(newest, TemplateState)
    assert newest.version == 2
    assert template(store, "sale", 2) == newest
    first = template(store, "sale", 1)
    assert isinstance(first, TemplateDefined)
    assert (first.id, first.entry.version) == ("define:sale", 1)
    for name, version in (("sale", 0), ("sale", 3), ("sale", -1), ("other", None), ("other", 1)):
        assert template(store, name, version) is None


def test_accounts_and_books_are_found_by_their_names() -> None:
    """`main` is there once it was closed for the first time."""
    store = rich_ledger()
    main, side = book(store, "main"), book(store, "side")
    assert main is not None
    assert side is not None
    assert (main.version, main.closed_through) == (2, "2026-11-05")
    assert (side.version, side.closed_through) == (1, None)
    assert book(store, "other") is None
    assert book(small_ledger(), "main") is None
    assert account(store, "a") == store.state("a")
    assert account(store, "nobody") is None


def test_outages_of_a_query() -> None:
    """A store that does not answer, an event of a newer release: retryable both."""
    with pytest.raises(StoreUnavailableError) as raised:
        payment(Silent(), "p1")
    assert raised.value.causes == {"throttled": 1}
    for ask in (
        lambda store: payment(store, "p"),
        lambda store: metadata(store, "account", "a"),
        lambda store: book(store, "main"),
        lambda store: template(store, "sale"),
        lambda store: account(store, "a"),
    ):
        with pytest.raises(StoreUnavailableError):
            ask(FaultyStore(rich_ledger(), loading=["throttled"]))
    store = small_ledger()
    store.put_event(StoredEvent("p9", b'{"type":"payment.posted","v":2}', ()))
    with pytest.raises(UnknownStoredVersionError):
        payment(store, "p9")
