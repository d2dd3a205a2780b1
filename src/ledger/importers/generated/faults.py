"""Payments that must be refused, and messages that only pretend to be payments.

Each is refused whatever came before it, so that the number of refusals is known beforehand.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

import msgspec

from ledger.contracts import reasons
from ledger.contracts.commands import Posting, PostPayment, encode_command
from ledger.contracts.primitives import AMOUNT_MINOR_MAX, POSTINGS_MAX
from ledger.importers.generated.payments import Draft
from ledger.importers.generated.world import GIFT_CARD_MAX, Economy

Fault = tuple[str, tuple[Posting, ...]]
"""The reason for which the postings are refused, and the postings."""


def refused(chance: Random, draft: Draft, credits_minor: int) -> Fault:
    """Postings in the place of `draft`'s that the ledger must refuse, and why.

    `credits_minor` is all that the draft's customer ever receives.
    """
    economy, wallet = draft.economy, draft.customer.wallet
    shop = chance.choice(economy.merchants).account
    kind = chance.choices(_REFUSALS, weights=_REFUSAL_WEIGHTS)[0]
    if kind is reasons.INSUFFICIENT_FUNDS:
        beyond_minor = credits_minor + chance.randint(1, economy.price(1_000_000))
        return kind.code, (_posting(economy.currency, wallet, shop, beyond_minor),)
    if kind is reasons.ACCOUNT_NOT_FOUND:
        mistyped = f"{shop}{chance.randint(0, 9)}"
        return kind.code, (_posting(economy.currency, wallet, mistyped, 1_000),)
    if kind is reasons.CURRENCY_MISMATCH:
        return kind.code, (_posting(_other_than(economy), wallet, shop, 1_000),)
    above_minor = economy.price(GIFT_CARD_MAX) + chance.randint(1, 5_000)
    return kind.code, (
        _posting(economy.currency, economy.clearing, economy.gift_card, above_minor),
    )


def malformed(number: int, payment: PostPayment) -> tuple[str, bytes]:
    """The `number`-th way to spoil a payment: the reason it is refused for, and its text."""
    reason, spoil = _SPOILERS[number % len(_SPOILERS)]
    command: dict[str, Any] = msgspec.json.decode(encode_command(payment))
    spoilt = spoil(command)
    body = spoilt if isinstance(spoilt, bytes) else json.dumps(command).encode()
    return reason.code, body


def _posting(currency: str, source: str, destination: str, amount_minor: int) -> Posting:
    return Posting(
        source=source, destination=destination, amount_minor=amount_minor, currency=currency
    )


def _other_than(economy: Economy) -> str:
    return "USD" if economy.currency != "USD" else "EUR"


_REFUSALS: Final = (
    reasons.INSUFFICIENT_FUNDS,
    reasons.ACCOUNT_NOT_FOUND,
    reasons.CURRENCY_MISMATCH,
    reasons.BALANCE_LIMIT_EXCEEDED,
)
_REFUSAL_WEIGHTS: Final = (5, 2, 2, 1)


def _set(name: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda command: command.__setitem__(name, value)


def _set_posting(name: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda command: command["postings"][0].__setitem__(name, value)


def _to_itself(command: dict[str, Any]) -> None:
    posting = command["postings"][0]
    posting["destination"] = posting["source"]


def _too_many(command: dict[str, Any]) -> None:
    command["postings"] = command["postings"][:1] * (POSTINGS_MAX + 1)


def _without_version(command: dict[str, Any]) -> None:
    del command["v"]


def _truncated(command: dict[str, Any]) -> bytes:
    return json.dumps(command).encode()[:-7]


_SPOILERS: Final = (
    (reasons.INVALID_AMOUNT, _set_posting("amount_minor", 0)),
    (reasons.MALFORMED_JSON, _truncated),
    (reasons.INVALID_AMOUNT, _set_posting("amount_minor", 12.5)),
    (reasons.UNKNOWN_CURRENCY, _set_posting("currency", "EUX")),
    (reasons.CARD_NUMBER, _set("description", "card 4111 1111 1111 1111")),
    (reasons.UNKNOWN_FIELD, _set("colour", "red")),
    (reasons.INVALID_AMOUNT, _set_posting("amount_minor", "100")),
    (reasons.SAME_ACCOUNT, _to_itself),
    (reasons.UNSUPPORTED_VERSION, _set("v", 2)),
    (reasons.INVALID_ID, _set("id", "payment/1")),
    (reasons.INVALID_AMOUNT, _set_posting("amount_minor", -100)),
    (reasons.INVALID_POSTINGS, _too_many),
    (reasons.MISSING_FIELD, _without_version),
    (reasons.INVALID_TIME, _set("effective_at", "yesterday")),
    (reasons.INVALID_AMOUNT, _set_posting("amount_minor", AMOUNT_MINOR_MAX + 1)),
    (reasons.INVALID_TEXT, _set("reference", "x" * 65)),
)
