"""Commands, answers and events in words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import UNSET

from ledger.contracts.commands import (
    AtomicBatch,
    AuthorizePayment,
    BaseCommand,
    CapturePayment,
    CloseAccount,
    CloseBook,
    DefineTemplate,
    ExpirePayment,
    FreezeAccount,
    IncreasePayment,
    OpenAccount,
    OpenBook,
    PostPayment,
    PostTemplate,
    ReopenBook,
    ReversePayment,
    ScreenPayment,
    SetAlerts,
    SetLimits,
    SetMetadata,
    UnfreezeAccount,
    VoidPayment,
    book_of,
)
from ledger.contracts.currencies import MINOR_DIGITS, decimal_text
from ledger.contracts.postings import Posting

_NAMED_MAX = 3  # of several postings, members or accounts: more do not fit a line


def money(amount_minor: int, currency: str) -> str:
    """An amount as people write it, with its currency."""
    if currency not in MINOR_DIGITS:
        return f"{amount_minor} {currency}"
    return f"{decimal_text(amount_minor, currency)} {currency}"


def command_in_words(command: BaseCommand) -> str:
    """What a command wants, without its id: `pay 4.20 EUR from a to b`."""
    in_words = _PAYMENTS.get(type(command)) or _OTHERS.get(type(command))
    return in_words(command) if in_words is not None else type(command).__name__


def answer_in_words(status: int, body: bytes) -> str:
    """What an answer of the REST API says: `refused, insufficient_funds (422)`."""
    said = _json_of(body)
    reason = str(said.get("reason", "")) if isinstance(said, dict) else ""
    if isinstance(said, dict) and isinstance(said.get("answers"), list):
        return f"{len(said['answers'])} answers, one for each command ({status})"
    if status == 201:
        return f"done ({status})"
    if status < 300:
        return f"done before, or only asked ({status})"
    verdict = "not now" if status in {429, 500, 502, 503, 504} else "refused"
    return f"{verdict}, {reason or 'without a reason'} ({status})"


def event_in_words(text: str) -> tuple[str, tuple[str, ...]]:
    """What an event's body records, and the ids that it names. Of any version, even a later one."""
    event = _json_of(text.encode())
    if not isinstance(event, dict):
        return "what is no event", ()
    entries = [one for one in event.get("accounts", ()) if isinstance(one, dict)]
    made = [f"{one.get('id')} to version {one.get('version')}" for one in entries]
    payment = event.get("payment")
    causes = [one for one in event.get("causes", ()) if isinstance(one, dict)]
    named = (one.get("id") for one in (*entries, *causes))
    ids = (event.get("id"), payment, event.get("account"), *named)
    of_payment = f" of {payment}" if isinstance(payment, str) else ""
    reason = f", {event['reason']}" if isinstance(event.get("reason"), str) else ""
    words = f"{event.get('type')}{of_payment} under id {event.get('id')}{reason}"
    return (
        words + (f": {listed(made)}" if made else ""),
        tuple(dict.fromkeys(one for one in ids if isinstance(one, str))),
    )


def listed(words: Iterable[str]) -> str:
    """The first few, and how many more there are."""
    every = list(words)
    more = len(every) - _NAMED_MAX
    return ", ".join(every[:_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


def _json_of(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _moves(postings: Iterable[Posting]) -> str:
    return listed(
        f"{money(one.amount_minor, one.currency)} from {one.source} to {one.destination}"
        for one in postings
    )


def _limits(command: SetLimits) -> Iterator[str]:
    for name, bound in (
        ("lowest", command.min_balance_minor),
        ("highest", command.max_balance_minor),
    ):
        if bound is not UNSET:
            yield f"no {name} balance" if bound is None else f"{name} balance {bound:,} minor units"
    for limit in () if command.velocity is UNSET else command.velocity:
        most = [
            *([] if limit.max_count is UNSET else [f"{limit.max_count} times"]),
            *(
                []
                if limit.max_amount_minor is UNSET
                else [money(limit.max_amount_minor, limit.currency)]
            ),
        ]
        window = f"{limit.hours} h" if limit.window == "rolling" else f"a {limit.window}"
        yield f"{limit.direction} at most {' and '.join(most)} in {window}"


def _amount(command: Any, otherwise: str) -> str:
    """Of a command about a payment, which names no currency."""
    amount = command.amount_minor
    return otherwise if amount is UNSET else f"{amount:,} minor units"


_PAYMENTS: dict[type, Any] = {
    PostPayment: lambda one: f"pay {_moves(one.postings)}",
    AuthorizePayment: lambda one: f"hold {_moves(one.postings)}",
    CapturePayment: lambda one: (
        f"capture {_amount(one, 'all')} of {one.payment}"
        + (" and release the rest" if one.final is True else "")
    ),
    IncreasePayment: lambda one: f"hold {_amount(one, 'nothing')} more for {one.payment}",
    VoidPayment: lambda one: f"void {one.payment}",
    ExpirePayment: lambda one: f"let {one.payment} expire at its version {one.version}",
    ReversePayment: lambda one: f"give back {_amount(one, 'all')} of {one.payment}",
    PostTemplate: lambda one: f"pay by template {one.template}",
    ScreenPayment: lambda one: f"record the verdict {one.verdict} on {one.payment}",
    AtomicBatch: lambda one: (
        f"do all or none of {len(one.commands)}: {listed(map(command_in_words, one.commands))}"
    ),
}
_OTHERS: dict[type, Any] = {
    OpenAccount: lambda one: f"open account {one.account} in {one.currency}",
    CloseAccount: lambda one: f"close account {one.account}",
    FreezeAccount: lambda one: f"freeze {one.sides} of {one.account}",
    UnfreezeAccount: lambda one: f"unfreeze {one.sides} of {one.account}",
    SetAlerts: lambda one: f"set {len(one.alerts)} alerts of {one.account}",
    SetLimits: lambda one: f"set the limits of {one.account}: {listed(_limits(one))}",
    SetMetadata: lambda one: f"set the metadata of {one.subject} {one.subject_id}",
    DefineTemplate: lambda one: f"define template {one.template}",
    OpenBook: lambda one: f"open book {book_of(one)}",
    CloseBook: lambda one: f"close book {book_of(one)} through {one.through}",
    ReopenBook: lambda one: f"reopen book {book_of(one)} after {one.through or 'the beginning'}",
}
