"""What becomes of a payment in a book, and what can be refused there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from ledger.contracts.commands import (
    AuthorizePayment,
    CapturePayment,
    Command,
    OpenAccount,
    PostPayment,
    PostTemplate,
)
from ledger.contracts.events import PaymentStatus
from ledger.contracts.postings import Posting

BEFORE = "2025-01-01T00:00:00.000000Z"  # recorded and effective time differ, as they do in life
CURRENCY = "EUR"

Amounts = tuple[int, ...]


@dataclass
class Life:
    """A payment: its postings, what of each was held, posted and given back, and its events."""

    postings: tuple[Posting, ...]
    status: PaymentStatus
    held: Amounts
    captured: Amounts
    given_back: Amounts
    events: list[str]
    is_open: bool = False

    @property
    def left(self) -> Amounts:
        """What is still held of each posting."""
        return tuple(
            max(held - taken, 0) if self.is_open else 0
            for held, taken in zip(self.held, self.captured, strict=True)
        )

    @property
    def reversible(self) -> Amounts:
        """What was posted of each posting and not given back."""
        return tuple(
            taken - back for taken, back in zip(self.captured, self.given_back, strict=True)
        )

    @property
    def version(self) -> int:
        """How many events it has had."""
        return len(self.events)


def refusable(command: str) -> dict[str, Command]:
    """Commands of this id that can be refused: three are payments."""
    postings = made([("a", "nobody", 3)])
    return {
        "post": PostPayment(v=1, id=command, postings=postings, effective_at=BEFORE),
        "authorize": AuthorizePayment(
            v=1, id=command, postings=postings, over_capture_bps=5, reference="r"
        ),
        "template": PostTemplate(v=1, id=command, template="sale", parameters={"amount": 5}),
        "account": OpenAccount(
            v=1, id=command, account="a", currency=CURRENCY, account_type="asset"
        ),
        "capture": CapturePayment(v=1, id=command, payment="nothing"),
    }


def sides(postings: Iterable[Posting], account: str) -> tuple[int, int]:
    """What postings debit and credit an account by."""
    debits = credits_ = 0
    for posting in postings:
        debits += posting.amount_minor * (posting.source == account)
        credits_ += posting.amount_minor * (posting.destination == account)
    return debits, credits_


def made(postings: Iterable[tuple[str, str, int]]) -> tuple[Posting, ...]:
    """The postings of (source, destination, amount)."""
    return tuple(
        Posting(source=source, destination=destination, amount_minor=amount, currency=CURRENCY)
        for source, destination, amount in postings
    )


def amounts_of(postings: Iterable[Posting]) -> Amounts:
    """What each moves."""
    return tuple(posting.amount_minor for posting in postings)


def parts(postings: Iterable[Posting], amounts: Amounts) -> tuple[Posting, ...]:
    """The postings with other amounts; none of 0."""
    return tuple(
        replace(posting, amount_minor=amount)
        for posting, amount in zip(postings, amounts, strict=True)
        if amount
    )


def sums(amounts: Amounts, more: Amounts) -> Amounts:
    """The sums, one for each posting."""
    return tuple(map(sum, zip(amounts, more, strict=True)))
