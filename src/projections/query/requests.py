"""What a request asks for, checked; anything unknown or ill-formed is refused by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, get_args
from urllib.parse import unquote

from msgspec import Struct

from ledger.contracts.events import PaymentStatus
from ledger.contracts.primitives import STRIPES_MAX, canonical_instant, is_id
from ledger.contracts.violations import shown_name
from projections.balances.paths import is_listed_path
from projections.lanes import lane_of
from projections.payments.apply import REJECTED, Status, just_before
from projections.query.cursor import ACCOUNTS, PAYMENTS, SUMS, place_of

LIMIT_DEFAULT: Final = 50
#: Answers stay below Lambda's 6 MB: an account with its metadata is up to 18 KiB, an entry of a
#: history 3 KiB, and a page of payments, which may be 35 KiB each, ends by its length too.
LIMIT_MAX: Final = 100
STATUSES: Final[frozenset[Status]] = frozenset({*get_args(PaymentStatus), REJECTED})
_VERSION_MAX: Final = 2**63 - 1
#: Below and above everything that says when a payment was made.
_FIRST: Final = "0"
_LAST: Final = "~"

_T = TypeVar("_T")


class InvalidQueryError(ValueError):
    """A parameter is unknown, repeated, missing or not of its form; `field` names it."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(field)


class AccountQuery(Struct, frozen=True):
    """An account, as of at least `min_version` of a stripe of it, the first as a rule (0: as far as
    it is projected)."""

    account: str
    min_version: int
    stripe: int = 0


class HistoryQuery(Struct, frozen=True):
    """Up to `limit` rows of a stripe of an account below version `below` (None: from the newest),
    of that generation of the projection (None: of the one that answers now)."""

    account: str
    stripe: int
    min_version: int
    limit: int
    below: int | None
    generation: int | None


class AccountsQuery(Struct, frozen=True):
    """The accounts under a path, above the id `above` in text order: up to `limit` of them if
    `listing`, their sums if `summing`. `generation` as in HistoryQuery."""

    path: str
    limit: int
    listing: bool = True
    summing: bool = True
    above: str = ""
    generation: int | None = None


class PaymentsQuery(Struct, frozen=True):
    """Up to `limit` payments of a status, made between two places in their order (inclusive).

    `scope` names the list that they are a page of; `generation` as in HistoryQuery.
    """

    status: Status
    low: str
    high: str
    limit: int
    scope: str
    generation: int | None


def account_query(event: Mapping[str, Any]) -> AccountQuery:
    """What `GET /accounts/{id}` asks for. Raises InvalidQueryError."""
    account = _account(event)
    given = _parameters(event, "min_version", "stripe")
    return AccountQuery(
        account,
        _optional(given, "min_version", _version, 0),
        _optional(given, "stripe", _stripe, 0),
    )


def history_query(event: Mapping[str, Any]) -> HistoryQuery:
    """What `GET /accounts/{id}/history` asks for. Raises InvalidQueryError."""
    account = _account(event)
    given = _parameters(event, "limit", "cursor", "min_version", "stripe")
    stripe = _optional(given, "stripe", _stripe, 0)
    lane = lane_of(account, stripe)
    place = _optional(given, "cursor", lambda text: place_of(lane, text), None)
    generation, below = place or (None, None)
    return HistoryQuery(
        account=account,
        stripe=stripe,
        min_version=_optional(given, "min_version", _version, 0),
        limit=_optional(given, "limit", _limit, LIMIT_DEFAULT),
        below=below,
        generation=generation,
    )


def accounts_query(event: Mapping[str, Any]) -> AccountsQuery:
    """What `GET /accounts` asks for. Raises InvalidQueryError.

    Without a cursor both the sums and the first page; a cursor goes on with the one that it is of.
    """
    given = _parameters(event, "under", "limit", "cursor")
    path = _required(given, "under", _path)
    limit = _optional(given, "limit", _limit, LIMIT_DEFAULT)
    if "cursor" not in given:
        return AccountsQuery(path, limit)
    for cursors in (ACCOUNTS, SUMS):
        try:
            generation, above = cursors.place_of(path, given["cursor"])
        except ValueError:
            continue
        return AccountsQuery(
            path,
            limit,
            listing=cursors is ACCOUNTS,
            summing=cursors is SUMS,
            above=above.decode(),
            generation=generation,
        )
    raise InvalidQueryError("cursor")


def payments_query(event: Mapping[str, Any]) -> PaymentsQuery:
    """What `GET /payments` asks for. Raises InvalidQueryError."""
    given = _parameters(event, "status", "from", "to", "limit", "cursor")
    status = _required(given, "status", _status)
    low = _optional(given, "from", canonical_instant, _FIRST)
    # Whatever was made at that instant is above it: the instant is the beginning of its place.
    high = _optional(given, "to", canonical_instant, _LAST)
    if low >= high:
        raise InvalidQueryError("to")
    scope = f"{status} {low} {high}"
    generation: int | None = None
    if "cursor" in given:
        try:
            generation, place = PAYMENTS.place_of(scope, given["cursor"])
        except ValueError:
            raise InvalidQueryError("cursor") from None
        high = just_before(place.decode())
    return PaymentsQuery(
        status=status,
        low=low,
        high=high,
        limit=_optional(given, "limit", _limit, LIMIT_DEFAULT),
        scope=scope,
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


def _required(given: Mapping[str, str], name: str, parse: Callable[[str], _T]) -> _T:
    if name not in given:
        raise InvalidQueryError(name)
    try:
        return parse(given[name])
    except ValueError:
        raise InvalidQueryError(name) from None


def _optional(given: Mapping[str, str], name: str, parse: Callable[[str], _T], default: _T) -> _T:
    return _required(given, name, parse) if name in given else default


def _version(text: str) -> int:
    return _integer(text, _VERSION_MAX)


def _stripe(text: str) -> int:
    """The number of a stripe: digits as they are written in answers."""
    return 0 if text == "0" else _integer(text, STRIPES_MAX - 1)


def _limit(text: str) -> int:
    return _integer(text, LIMIT_MAX)


def _path(text: str) -> str:
    """A path whose accounts are listed: accounts lie under paths of one segment, too, but not in
    one place, and to answer with some of them would be wrong."""
    if not is_id(text) or not is_listed_path(text):
        raise ValueError("not a path of two segments or more")
    return text


def _status(text: str) -> Status:
    for status in STATUSES:
        if text == status:
            return status
    raise ValueError("not a status")


def _integer(text: str, highest: int) -> int:
    """A decimal integer from 1, in ASCII digits alone (int() takes blanks, signs, underscores)."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError("not digits")
    value = int(text)
    if not 1 <= value <= highest:
        raise ValueError("out of range")
    return value
