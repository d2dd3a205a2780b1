"""What analysts ask: balances, histories, lists, and single things; also what is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from random import Random
from typing import Any, Final, NamedTuple

from ledger.contracts.commands import (
    AtomicBatch,
    AuthorizePayment,
    Command,
    PostPayment,
    PostTemplate,
    accounts_of,
)
from ledger.contracts.primitives import instant_of_microseconds
from simulation.kernel.hub import MILLISECOND, SECOND
from simulation.load.bank import Bank
from simulation.load.clients import Clients
from simulation.load.desk import HOUR, MINUTE
from simulation.load.elements import Planned
from simulation.load.sending import UNPLACED
from simulation.load.stories.templates import SALE

#: All that a payment can be listed as.
STATUSES: Final = (
    *("held", "partially_captured", "captured", "voided", "expired", "posted"),
    *("partially_reversed", "reversed", "rejected"),
)
_PAYMENT = PostPayment | AuthorizePayment | PostTemplate
_PAGES_MAX: Final = 6
#: How often an analyst looks again at once.
_TWICE: Final = 0.3


class _About(NamedTuple):
    """What a question can be about: taken from something that was asked shortly before."""

    random: Random
    bank: Bank
    at: int
    command: Command

    @property
    def account(self) -> str:
        named = accounts_of(self.command)
        return self.random.choice(named or self.bank.euro.wallets)

    @property
    def payment(self) -> str:
        command = self.command
        if isinstance(command, AtomicBatch):
            command = self.random.choice(command.commands)
        if isinstance(command, _PAYMENT):
            return command.id
        return str(getattr(command, "payment", command.id))


def questions(
    random: Random,
    clients: Clients,
    bank: Bank,
    elements: Sequence[Planned],
    count: int,
) -> Iterator[Planned]:
    """So many questions, some asked twice, about what `elements` do; mostly shortly after they do
    it."""
    telling = [
        (one.at, tuple(command for command in one.commands if command is not None))
        for one in elements
        if any(one.commands)
    ]
    kinds = list(_KINDS)
    random.shuffle(kinds)
    for number in range(count):
        sent_at, commands = random.choice(telling)
        command = random.choice(commands)
        delay = random.choice((random.randrange(SECOND), random.randint(0, MINUTE)))
        about = _About(random, bank, sent_at + delay + 30 * MILLISECOND, command)
        # Each kind once, so that every route is asked, then as often as analysts ask it.
        every = number < len(kinds)
        ask = kinds[number] if every else random.choices(_KINDS, cum_weights=_WEIGHTS)[0]
        path, more = ask(about)
        client = random.choice(clients.readers)
        yield _asked(client, about.at, path, more)
        if random.random() < _TWICE:  # nothing may be older than what they saw
            yield _asked(client, about.at + random.randrange(SECOND), path, more)


def _asked(client: str, at: int, path: str, more: dict[str, Any]) -> Planned:
    return Planned(
        place=UNPLACED, at=at, client=client, route="query", method="GET", path=path, **more
    )


_Question = tuple[str, dict[str, Any]]


def _balance(about: _About) -> _Question:
    return f"/accounts/{about.account}", {"fresh": about.random.random() < 0.7}


def _stripe(about: _About) -> _Question:
    """One stripe, mostly of an account that has several."""
    striped = about.random.random() < 0.7
    account = about.random.choice(about.bank.striped) if striped else about.account
    query = {"stripe": str(about.random.choice((0, 1, 1, 2, 3, 31)))}
    what = about.random.choice(("", "/history"))
    return f"/accounts/{account}{what}", {"query": query, "fresh": about.random.random() < 0.8}


def _history(about: _About) -> _Question:
    query = {"limit": str(about.random.choice((1, 2, 5, 20)))}
    fresh = about.random.random() < 0.5
    return f"/accounts/{about.account}/history", {
        "query": query if about.random.random() < 0.8 else {},
        "fresh": fresh,
        "pages": about.random.randint(1, _PAGES_MAX),
    }


def _payments(about: _About) -> _Question:
    query = {"status": about.random.choice(STATUSES)}
    if about.random.random() < 0.5:
        query["from"] = instant_of_microseconds(about.at - about.random.randint(MINUTE, 3 * HOUR))
    if about.random.random() < 0.3:
        query["to"] = instant_of_microseconds(about.at - about.random.randint(0, MINUTE))
    if about.random.random() < 0.7:
        query["limit"] = str(about.random.choice((1, 3, 10)))
    return "/payments", {"query": query, "pages": about.random.randint(1, _PAGES_MAX)}


def _accounts(about: _About) -> _Question:
    under = ":".join(about.account.split(":")[:2])
    if about.random.random() < 0.4:
        under = about.random.choice(("bank:EUR", "shops:EUR", "bank:JPY"))
    query = {"under": under}
    if about.random.random() < 0.7:
        query["limit"] = str(about.random.choice((1, 2, 5)))
    return "/accounts", {"query": query, "pages": about.random.randint(1, _PAGES_MAX)}


def _payment(about: _About) -> _Question:
    return f"/payments/{about.payment}", {}


def _screening(about: _About) -> _Question:
    return f"/payments/{about.payment}/screening", {}


def _payment_metadata(about: _About) -> _Question:
    return f"/payments/{about.payment}/metadata", {}


def _account_metadata(about: _About) -> _Question:
    return f"/accounts/{about.account}/metadata", {}


def _alerts(about: _About) -> _Question:
    return f"/accounts/{about.account}/alerts", {}


def _limits(about: _About) -> _Question:
    return f"/accounts/{about.account}/limits", {}


def _template(about: _About) -> _Question:
    version = about.random.choice((None, "1", "2", "77"))
    return f"/templates/{SALE}", {"query": {"version": version} if version else {}}


def _book(about: _About) -> _Question:
    book = getattr(about.command, "book", "main")
    return f"/books/{book if isinstance(book, str) else 'main'}", {}


def _health(_: _About) -> _Question:
    return "/health", {}


def _reviews(about: _About) -> _Question:
    return "/reviews", {"query": {"limit": "2"}, "pages": about.random.randint(1, _PAGES_MAX)}


def _wrong(about: _About) -> _Question:
    """What no route takes, or nobody has."""
    return about.random.choice(
        (
            ("/accounts", {"query": {"under": "customers"}}),
            ("/accounts/nobody", {}),
            (f"/accounts/{about.account}", {"query": {"min_version": "0"}}),
            (f"/accounts/{about.account}/history", {"query": {"cursor": "no-cursor"}}),
            ("/payments", {"query": {"status": "lost"}}),
            ("/payments/nothing", {}),
            ("/payments/nothing/screening", {}),
            ("/templates/nothing", {}),
            ("/books/nothing", {}),
        )
    )


_MIX: Final[dict[Callable[[_About], _Question], int]] = {
    _balance: 38,
    _stripe: 5,
    _history: 18,
    _payments: 8,
    _accounts: 8,
    _payment: 12,
    _limits: 5,
    _screening: 3,
    _payment_metadata: 2,
    _account_metadata: 2,
    _alerts: 2,
    _template: 2,
    _book: 2,
    _reviews: 2,
    _health: 1,
    _wrong: 2,
}
_KINDS: Final = tuple(_MIX)
_WEIGHTS: Final = tuple(accumulate(_MIX.values()))
