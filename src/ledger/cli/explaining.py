"""Why the ledger said no, in words: what stood in the way, and the values that it had."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from ledger.cli.output import money
from ledger.contracts.reasons import BY_CODE, Kind

Currencies = Mapping[str, str]
"""The currency of each account that a command names."""

_RETRY_ADVICE: Final = {
    "same_request": "run it again: the same, a command with --id and the id it had; that is safe",
    "new_id": "under a new id, once the cause is gone; under this one it is decided for ever",
    "never": "no: correct the request",
}
_UNKNOWN_ADVICE: Final = "if it was made this very moment, ask again; else look at the name"
_DRY_RUN: Final = "nothing was recorded, the id is free"
#: Members of a problem that are told in words of their own, or that the block has as its head.
_TOLD: Final = frozenset(
    {
        *("type", "status", "title", "reason", "field", "retry", "errors", "causes", "dry_run"),
        "repeat",
    }
)
_WINDOWS: Final = {"day": "a day", "week": "a week", "month": "a month"}


def lines_of(
    problem: Mapping[str, Any], currencies: Currencies | None = None
) -> Iterator[tuple[str, str]]:
    """What a problem says beside its reason and title, one matter a line, each with its name."""
    if problem.get("field"):
        yield "field", str(problem["field"])
    for cause in causes_in_words(problem, currencies or {}):
        yield "because", cause
    if problem.get("retry"):
        yield "retry", _retry_advice(problem)
    for error in problem.get("errors", [])[1:]:
        yield "also", f"{error['reason']} at {error['field'] or 'body'}"
    if problem.get("dry_run"):
        yield "dry run", _DRY_RUN
    elif problem.get("repeat"):
        yield "decided", "before: this is what was answered then"
    for name, value in problem.items():
        if name not in _TOLD:
            yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def causes_in_words(problem: Mapping[str, Any], currencies: Currencies) -> Iterator[str]:
    """Each cause of a refusal: what it is, at which version, and what of it stood in the way."""
    for cause in problem.get("causes", ()):
        values = cause.get("values", {})
        if cause.get("kind") == "stripe" and not values:
            continue  # its part is in the sums, which are the account's
        currency = values.get("currency") or currencies.get(cause["id"], "")
        words = _values_in_words(values, currency)
        subject = _subject(cause)
        yield f"{subject}: {words}" if words else subject


def currencies_in(postings: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The currencies of the accounts of postings."""
    return {
        posting[side]: posting["currency"]
        for posting in postings
        for side in ("source", "destination")
    }


def _retry_advice(problem: Mapping[str, Any]) -> str:
    retry = str(problem["retry"])
    if problem.get("dry_run") and retry != "never":
        return "once the cause is gone"
    # Of what was not found, another run finds nothing unless it came into being just now.
    reason = BY_CODE.get(str(problem.get("reason")))
    unknown = (
        reason is not None and reason.kind is Kind.LOOKUP and reason.status is HTTPStatus.NOT_FOUND
    )
    return _UNKNOWN_ADVICE if unknown else _RETRY_ADVICE.get(retry, retry)


def _subject(cause: Mapping[str, Any]) -> str:
    kind = cause.get("kind", "account")
    if kind == "clock":
        return "the time"
    if kind == "event":
        return f"id {cause['id']}"
    version = cause["version"]
    return f"{kind} {cause['id']} " + (f"at version {version}" if version else "is not there")


def _values_in_words(values: Mapping[str, Any], currency: str) -> str:
    if "limit" in values:
        return _velocity(values, currency)
    return ", ".join(_named(name, value, currency) for name, value in values.items())


def _velocity(values: Mapping[str, Any], currency: str) -> str:
    """Of a velocity limit: which, its bounds, what is used and left of them, and until when."""
    every = _WINDOWS.get(values["window"]) or f"in {values['hours']} hours"
    uses = [
        f"{_text(f'used_{what}', values, currency)} of {_text(f'max_{what}', values, currency)} "
        f"{unit}used, {_text(f'remaining_{what}', values, currency)} left"
        for what, unit in (("amount_minor", ""), ("count", "payments "))
        if f"max_{what}" in values
    ]
    limit = f"limit {values['limit']} ({values['direction']} {every})"
    return f"{limit}: {'; '.join(uses)}; less is used from {values['resets_at']}"


def _text(name: str, values: Mapping[str, Any], currency: str) -> str:
    value = values[name]
    return _amount(value, currency) if name.endswith("_minor") else str(value)


def _named(name: str, value: object, currency: str) -> str:
    words = name.removesuffix("_minor").removesuffix("_bps").replace("_", " ")
    if value is None:
        return f"{words} none"
    if name.endswith("_minor") and isinstance(value, int):
        return f"{words} {_amount(value, currency)}"
    if name.endswith("_bps") and isinstance(value, int):
        return f"{words} {value / 100:g} %"
    return f"{words} {value}"


def _amount(minor: int, currency: str) -> str:
    return money(minor, currency) if currency else f"{minor} minor units"
