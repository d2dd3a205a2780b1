"""What a request asks for, checked; anything unknown or ill-formed is refused by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import unquote

from msgspec import Struct

from ledger.contracts.primitives import is_id
from ledger.contracts.violations import shown_name
from projections.query.cursor import place_of

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 100  # entries of up to 4 KiB: answers stay far below Lambda's 6 MB
_VERSION_MAX: Final = 2**63 - 1

_T = TypeVar("_T")


class InvalidQueryError(ValueError):
    """A parameter is unknown, repeated or not of its form; `field` names it."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(field)


class AccountQuery(Struct, frozen=True):
    """An account, as of at least `min_version` (0: as far as it is projected)."""

    account: str
    min_version: int


class HistoryQuery(Struct, frozen=True):
    """Up to `limit` rows of an account below version `below` (None: from the newest), of that
    generation of the projection (None: of the one that answers now)."""

    account: str
    min_version: int
    limit: int
    below: int | None
    generation: int | None


def account_query(event: Mapping[str, Any]) -> AccountQuery:
    """What `GET /accounts/{id}` asks for. Raises InvalidQueryError."""
    account = _account(event)
    given = _parameters(event, "min_version")
    return AccountQuery(account, _optional(given, "min_version", _version, 0))


def history_query(event: Mapping[str, Any]) -> HistoryQuery:
    """What `GET /accounts/{id}/history` asks for. Raises InvalidQueryError."""
    account = _account(event)
    given = _parameters(event, "limit", "cursor", "min_version")
    place = _optional(given, "cursor", lambda text: place_of(account, text), None)
    generation, below = place or (None, None)
    return HistoryQuery(
        account=account,
        min_version=_optional(given, "min_version", _version, 0),
        limit=_optional(given, "limit", _limit, LIMIT_DEFAULT),
        below=below,
        generation=generation,
    )


def _account(event: Mapping[str, Any]) -> str:
    # Gateways differ in whether they decode path parameters; an id has no percent sign, so that
    # decoding one twice does no harm.
    account = unquote((event.get("pathParameters") or {}).get("id", ""), errors="replace")
    if not is_id(account):
        raise InvalidQueryError("id")
    return account


def _parameters(event: Mapping[str, Any], *known: str) -> dict[str, str]:
    given = event.get("multiValueQueryStringParameters") or {
        name: [value] for name, value in (event.get("queryStringParameters") or {}).items()
    }
    for name, values in given.items():
        if name not in known or len(values) != 1:
            raise InvalidQueryError(shown_name(name))
    return {name: values[0] for name, values in given.items()}


def _optional(given: Mapping[str, str], name: str, parse: Callable[[str], _T], default: _T) -> _T:
    if name not in given:
        return default
    try:
        return parse(given[name])
    except ValueError:
        raise InvalidQueryError(name) from None


def _version(text: str) -> int:
    return _integer(text, _VERSION_MAX)


def _limit(text: str) -> int:
    return _integer(text, LIMIT_MAX)


def _integer(text: str, highest: int) -> int:
    """A decimal integer from 1, in ASCII digits alone (int() takes blanks, signs, underscores)."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError("not digits")
    value = int(text)
    if not 1 <= value <= highest:
        raise ValueError("out of range")
    return value
