"""States of what is no account, and an event that changes none, for tests of the stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ledger.contracts.commands import AmountRule, TemplateParameter, TemplatePosting
from ledger.contracts.events import CommandRejected, encode_event
from ledger.contracts.subjects import metadata_key
from ledger.domain.accounts import GENESIS_HASH
from ledger.domain.chain import StoredEvent
from ledger.domain.states import (
    BookState,
    Ending,
    MetadataState,
    PaymentState,
    Point,
    TemplateState,
)
from tests.support.builders import ACTOR, NOON, Leg, opening, posting

ELEVEN = "2026-11-21T11:00:00.000000Z"
NEXT_WEEK = "2026-11-28T11:00:00.000000Z"


def hold(
    id: str,
    *legs: Leg,
    version: int = 1,
    captured: Sequence[int] | None = None,
    ended: Ending | None = None,
    expires_at: str = NEXT_WEEK,
    over_capture_bps: int = 0,
) -> PaymentState:
    """A hold of `legs` (5.00 from a to b unless given), open unless it has `ended`."""
    return _payment(
        id,
        legs or (("a", "b", 500),),
        version=version,
        authorized=None,
        captured=captured,
        ended=ended,
        expires_at=expires_at,
        over_capture_bps=over_capture_bps,
    )


def reversal(id: str, *legs: Leg, version: int = 2, given_back: Sequence[int]) -> PaymentState:
    """A payment of `legs` that was posted at once and of which so much was given back."""
    amounts = tuple(leg[2] for leg in legs)
    return _payment(
        id,
        legs,
        version=version,
        authorized=(0,) * len(legs),
        captured=amounts,
        reversed=given_back,
    )


def _payment(
    id: str,
    legs: Sequence[Leg],
    *,
    version: int,
    authorized: Sequence[int] | None,
    captured: Sequence[int] | None,
    reversed: Sequence[int] | None = None,  # noqa: A002 - the amounts' own name
    ended: Ending | None = None,
    expires_at: str | None = None,
    over_capture_bps: int = 0,
) -> PaymentState:
    postings = tuple(posting(*leg) for leg in legs)
    none = (0,) * len(postings)
    return PaymentState(
        id=id,
        version=version,
        postings=postings,
        authorized_minor=tuple(authorized or (one.amount_minor for one in postings)),
        captured_minor=tuple(captured or none),
        reversed_minor=tuple(reversed or none),
        over_capture_bps=over_capture_bps,
        expires_at=expires_at,
        ended=ended,
        made_at=ELEVEN,
        recorded_at=NOON,
        last_event=f"made:{id}:{version}",
        hash=GENESIS_HASH,
    )


def book(id: str, *, version: int = 1, closed_through: str | None = None) -> BookState:
    """A book."""
    return BookState(
        id=id,
        version=version,
        closed_through=closed_through,
        recorded_at=NOON,
        last_event=f"made:{id}:{version}",
        hash=GENESIS_HASH,
    )


def template(id: str, *, version: int = 1) -> TemplateState:
    """A template of a sale and its fee."""
    names = (("amount", "amount"), ("merchant", "account"), ("fee_bps", "bps"))
    amounts = (AmountRule(of="amount", remainder=True), AmountRule(of="amount", bps="fee_bps"))
    return TemplateState(
        id=id,
        version=version,
        parameters=tuple(TemplateParameter(name=name, kind=kind) for name, kind in names),  # type: ignore[arg-type]
        postings=tuple(
            TemplatePosting(source="bank", destination=to, currency="EUR", amount=amount)
            for to, amount in zip(("merchants:{merchant}", "fees"), amounts, strict=True)
        ),
        events=tuple(f"made:{id}:{number}" for number in range(1, version + 1)),
        recorded_at=NOON,
        hash=GENESIS_HASH,
    )


def metadata(account: str, texts: Mapping[str, str], *, version: int = 1) -> MetadataState:
    """The metadata of an account."""
    subject = metadata_key("account", account)
    return MetadataState(
        id=subject.id,
        version=version,
        metadata=dict(texts),
        recorded_at=NOON,
        last_event=f"made:{account}:{version}",
        hash=GENESIS_HASH,
    )


def at(version: int) -> Point:
    """Where in its history a state of that version is, if it was made here or by
    `builders.state`: all of them say that their chain has not begun."""
    return Point(version, GENESIS_HASH)


def refusal_event(id: str) -> StoredEvent:
    """An event under `id` that makes no new version of anything."""
    event = CommandRejected(
        v=1,
        id=id,
        recorded_at=NOON,
        actor=ACTOR,
        reason="account_exists",
        retry="never",
        request=opening("x", id=id),
        causes=(),
    )
    return StoredEvent(id, encode_event(event), ())
