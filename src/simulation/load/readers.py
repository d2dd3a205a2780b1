"""Analysts: they ask for no less than what some reply told of, and read page after page."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from simulation.asks import Ask, HttpAnswer
from simulation.kernel.hub import SECOND
from simulation.load.asking import STATUSES
from simulation.load.elements import Planned
from simulation.load.wire import RETRYABLE, Wire

_OK: Final = 200
_ACCOUNTS: Final = "accounts"
#: Indexes have followed by then.
_ARRIVED: Final = 300 * SECOND
#: What is asked for at rest: pages of a list, as long as they can be, and so many of each kind.
_LIMIT: Final = "100"
_PAGES_AT_REST: Final = 100
_SAMPLE: Final = 30


class _Sums(Struct, frozen=True):
    next_cursor: str | None = None


class _Page(Struct, frozen=True):
    """What an answer says of where it goes on."""

    next_cursor: str | None = None
    sums: _Sums = _Sums()


_PAGE: Final = msgspec.json.Decoder(_Page)


def read(wire: Wire, name: str, element: Planned) -> bool:
    """Asks a question until it is answered, or for as long as an analyst does, page after page.
    Whether all pages were answered."""
    query = dict(element.query)
    version = None
    if element.fresh:
        stripe = int(element.query.get("stripe", 0))
        version = wire.versions.of(_account_in(element.path), stripe)
    if version is not None:
        query["min_version"] = str(version)
    for page in range(1, element.pages + 1):
        answer = _page(wire, name, element, page, query)
        if answer is None or answer.status != _OK:
            return answer is not None
        cursor = _cursor_in(answer, sums=page == 1 and element.place % 2 == 0)
        if cursor is None:
            return True
        query["cursor"] = cursor
    return True


def read_at_rest(wire: Wire, name: str, place: int) -> list[str]:
    """Once everything has arrived: every list of payments and the reviews from the first page to
    the last, what lies under some paths, and some accounts and their histories, none older than
    anybody was told. The paths to which there was no answer."""
    wire.hub.sleep(_ARRIVED)
    accounts = wire.versions.accounts()
    roots = dict.fromkeys(":".join(one.split(":")[:2]) for one in accounts if ":" in one)
    asked: list[tuple[str, dict[str, str]]] = [
        ("/payments", {"status": status, "limit": _LIMIT}) for status in STATUSES
    ]
    asked += [("/accounts", {"under": root, "limit": _LIMIT}) for root in _some(list(roots))]
    asked.append(("/reviews", {"limit": _LIMIT}))
    for one in _some(accounts):
        asked += [(f"/accounts/{one}", {}), (f"/accounts/{one}/history", {})]
    unheard = []
    for number, (path, query) in enumerate(asked, place):
        element = Planned(
            place=number,
            at=wire.hub.now,
            client=name,
            route="query",
            method="GET",
            path=path,
            query=query,
            fresh=True,
            pages=1 if "history" in path else _PAGES_AT_REST,
        )
        if not read(wire, name, element):
            unheard.append(path)
    return unheard


def _some(names: list[str]) -> list[str]:
    return names[:: len(names) // _SAMPLE + 1]


def _page(
    wire: Wire, name: str, element: Planned, page: int, query: dict[str, str]
) -> HttpAnswer | None:
    for attempt in wire.attempts(element.place):
        ask = Ask(
            id=f"{element.place}.{page}.{attempt}",
            at=wire.hub.now,
            route="query",
            path=element.path,
            query=dict(query),
            actor=wire.arn("analysts", name),
            attempt=attempt,
        )
        answer = wire.request(name, "GET", ask)
        if answer is None:
            wire.listener.unanswered(ask)
            continue
        wire.listener.read(ask, answer)
        if answer.status not in RETRYABLE:
            return answer
    return None


def _cursor_in(answer: HttpAnswer, *, sums: bool) -> str | None:
    """Where the answer goes on: with the sums, if `sums` and they do, else with the list."""
    page = _PAGE.decode(answer.body)
    return (page.sums.next_cursor if sums else None) or page.next_cursor


def _account_in(path: str) -> str:
    """The account that a path is about; nobody's id if it is about none."""
    _, collection, *rest = path.split("/")
    return rest[0] if collection == _ACCOUNTS and rest else ""
