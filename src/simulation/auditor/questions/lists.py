"""Pages of the lists of accounts, payments and reviews: in order, and nothing is left out.

Lists are read from indexes, which follow a moment later, and of a generation that was filled just
now, if a replay has swapped them: so a page is held to what was there minutes before only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from msgspec import Struct

from ledger.contracts.primitives import canonical_instant
from simulation.asks import Ask
from simulation.auditor.findings import Findings
from simulation.auditor.questions.projected import Projected, lies_under

_LIMIT: Final = 50  # of a page if nobody said how long it is to be
_LOWEST: Final = ""
_HIGHEST: Final = "~"  # above all that ids and instants have
Body = Mapping[str, Any]


class _Start(Struct, frozen=True):
    """Where a page begins: behind the last that was shown before it. What was there when that was
    asked for is on that page or on this."""

    behind: str
    asked_at: int


class _Page(Struct, frozen=True):
    """A page: what is on it, by its place in the list, from the first place on."""

    places: Sequence[str]
    follows: str | None
    falling: bool
    fits: Callable[[str], bool]
    """Whether something at that place is in the list."""
    surely: Callable[[int], Iterator[str]]
    """The places of what was surely listed at an instant, and still is."""

    def is_behind(self, place: str, other: str) -> bool:
        """Whether a place comes after another one."""
        return place < other if self.falling else place > other


class Lists:
    """Looks at every page of a list."""

    def __init__(self, tables: Mapping[str, str], projected: Projected, findings: Findings) -> None:
        self._tables = tables
        self._projected = projected
        self._findings = findings
        self._starts: dict[str, _Start] = {}
        """By the cursor to the next page."""

    def accounts(self, ask: Ask, body: Body) -> None:
        """A page of the accounts under a path, in the order of their ids."""
        if "sums" in body and "cursor" in ask.query:
            return  # it is no page, but the rest of the sums
        under = ask.query["under"]
        page = _Page(
            [one["id"] for one in body["accounts"]],
            body.get("next_cursor"),
            falling=False,
            fits=lambda name: lies_under(name, under),
            surely=lambda at: self._projected.listed_accounts(under, at),
        )
        self._check(ask, "balances", page)

    def payments(self, ask: Ask, body: Body) -> None:
        """A page of the payments of a status, the newest first."""
        query = ask.query
        low = canonical_instant(query["from"]) if "from" in query else _LOWEST
        high = canonical_instant(query["to"]) if "to" in query else _HIGHEST
        status = query["status"]
        page = _Page(
            [f"{one['recorded_at']}#{one['id']}" for one in body["payments"]],
            body.get("next_cursor"),
            falling=True,
            fits=lambda place: low <= place <= high,
            surely=lambda at: self._projected.listed_payments(status, at),
        )
        self._check(ask, "payments", page)

    def reviews(self, ask: Ask, body: Body) -> None:
        """A page of the verdicts that are not clear, the newest first."""
        page = _Page(
            [f"{one['recorded_at']}#{one['id']}" for one in body["reviews"]],
            body.get("next_cursor"),
            falling=True,
            fits=lambda _: True,
            surely=self._projected.listed_reviews,
        )
        self._check(ask, "fraud", page)

    def _check(self, ask: Ask, projection: str, page: _Page) -> None:
        places = page.places
        if len(places) > int(ask.query.get("limit", _LIMIT)):
            self._report(ask, "A page has more than was asked for.")
        start = self._start(ask, page)
        behind = [] if start is None else [start.behind]
        if not all(map(page.fits, places)) or any(
            not page.is_behind(place, before) for before, place in pairwise([*behind, *places])
        ):
            self._report(ask, f"A page has what does not belong there: {list(places)}.", *places)
        if start is None:
            return
        end = None
        if page.follows is not None:
            end = places[-1] if places else start.behind
            asked_at = ask.at if places else start.asked_at
            self._starts[page.follows] = _Start(end, asked_at)
        if not self._projected.has_settled(self._tables.get(projection, ""), start.asked_at):
            return
        for place in page.surely(start.asked_at):
            if (
                page.fits(place)
                and place not in places
                and page.is_behind(place, start.behind)
                and (end is None or not page.is_behind(place, end))
            ):
                name = place.rpartition("#")[2]
                self._report(ask, f"{name} was listed long before, and is on no page.", name)

    def _start(self, ask: Ask, page: _Page) -> _Start | None:
        """Where a page begins; None if nobody knows."""
        cursor = ask.query.get("cursor")
        if cursor is not None:
            return self._starts.get(cursor)
        return _Start(_HIGHEST if page.falling else _LOWEST, ask.at)

    def _report(self, ask: Ask, message: str, *about: str) -> None:
        names = (place.rpartition("#")[2] for place in about)
        self._findings.report(
            "pages_are_complete", f"{ask.path} with {dict(ask.query)}: {message}", *names, ask.id
        )
