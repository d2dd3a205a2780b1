"""Payments of every size, and the accounts that they are between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from ledger.contracts.commands import Command, OpenAccount, Posting, PostPayment

ACTOR: Final = "arn:aws:sts::123456789012:assumed-role/upstream-payments/upstream-payments-7c9d"
_ID_LENGTH: Final = 36  # of the ids that most systems make

Between = Literal["disjoint accounts", "one payer", "two accounts"]
"""Whom the payments of a group are between; it decides how many fit into one transaction."""
BETWEEN: Final[tuple[Between, ...]] = ("disjoint accounts", "one payer", "two accounts")


def id_of(name: str) -> str:
    """An id of the usual length that begins so."""
    return f"{name}-".ljust(_ID_LENGTH, "0")


def account(number: int) -> str:
    """The account of that number."""
    return id_of(f"account:{number}")


def opening(number: int) -> OpenAccount:
    """Opens an account without bounds."""
    return OpenAccount(
        v=1,
        id=id_of(f"open:{number}"),
        account=account(number),
        currency="EUR",
        account_type="liability",
        min_balance_minor=None,
    )


def payment(name: str, source: int, destinations: Sequence[int]) -> PostPayment:
    """A payment from one account to others, a posting each."""
    return PostPayment(
        v=1,
        id=id_of(name),
        postings=tuple(
            Posting(
                source=account(source),
                destination=account(destination),
                amount_minor=1_000 + place,
                currency="EUR",
            )
            for place, destination in enumerate(destinations)
        ),
        reference=f"INV-{name[-8:]}",
    )


def group(name: str, size: int, between: Between, accounts: int, first: int) -> list[Command]:
    """Payments that are asked for together, between accounts from `first` on, of so many."""
    made: list[Command] = []
    for place in range(size):
        source = first + (2 * place if between == "disjoint accounts" else 0)
        destination = {
            "disjoint accounts": first + 2 * place + 1,
            "one payer": first + place + 1,
            "two accounts": first + 1,
        }[between]
        made.append(payment(f"{name}:{place}", source % accounts, [destination % accounts]))
    return made


def openings(begin: int, end: int, at_once: int) -> Iterator[list[Command]]:
    """The openings of accounts of these numbers, some at once."""
    for first in range(begin, end, at_once):
        yield [opening(number) for number in range(first, min(first + at_once, end))]
