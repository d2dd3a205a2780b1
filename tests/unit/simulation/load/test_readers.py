"""Analysts: they ask for what replies told of, and read on as far as there is something."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

from simulation.asks import Ask, HttpAnswer
from simulation.faults.injector import Injector
from simulation.kernel.chance import Chance
from simulation.kernel.hub import SECOND, Future, Hub
from simulation.kernel.trace import Trace
from simulation.load.elements import Planned
from simulation.load.readers import read
from simulation.load.versions import Versions
from simulation.load.wire import ATTEMPTS_MAX, Wire

NOON = 1_800_000_000_000_000


class Asking:
    """A reader at a world that answers with these, one after the other."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self._answers: Iterator[tuple[int, Any]] = iter(answers)
        self.asks: list[Ask] = []
        self.statuses: list[int] = []
        hub = Hub(NOON)
        trace = Trace(hub)
        self.world = SimpleNamespace(
            hub=hub,
            chance=Chance(1),
            trace=trace,
            injector=Injector(Chance(1).stream("faults"), {}, trace),
            gateway=self,
            wiring=SimpleNamespace(account="000000000000"),
        )
        self.wire = Wire(cast("Any", self.world), cast("Any", self))

    def request(self, method: str, _path: str, **_: Any) -> Future[HttpAnswer]:
        assert method == "GET"
        status, body = next(self._answers)
        answered: Future[HttpAnswer] = Future()
        answer = HttpAnswer(status, {}, json.dumps(body).encode())
        self.world.hub.after(1, partial(answered.resolve, answer))
        return answered

    def asked(self, ask: Ask) -> None:
        self.asks.append(ask)

    def read(self, ask: Ask, answer: HttpAnswer) -> None:
        assert ask is self.asks[-1]
        self.statuses.append(answer.status)

    def play(self, path: str, **more: Any) -> list[dict[str, str]]:
        """The queries with which a question was asked."""
        element = Planned(
            place=more.pop("place", 1), at=NOON, client="a", route="query", path=path, **more
        )
        task = self.world.hub.spawn("analyst", lambda: read(self.wire, "analyst-1", element))
        self.world.hub.run(until=NOON + 900 * SECOND)
        task.done.result()
        assert next(self._answers, None) is None
        return [dict(ask.query) for ask in self.asks]


def test_a_fresh_question_is_for_the_version_that_was_told() -> None:
    """The highest that any reply told of the account, and none if none did."""
    asking = Asking((200, {}))
    asking.wire.versions.learn(b'{"accounts":[{"id":"a","version":7},{"id":"b","version":2}]}')
    asking.wire.versions.learn(b'{"accounts":[{"id":"a","version":5}]}')
    assert asking.play("/accounts/a", fresh=True) == [{"min_version": "7"}]
    assert Asking((200, {})).play("/accounts/a", fresh=True) == [{}]
    assert Asking((200, {})).play("/accounts/a/history", query={"limit": "2"}) == [{"limit": "2"}]


def test_a_reader_waits_for_the_projection() -> None:
    """As long as clients do, and then no longer."""
    asking = Asking((503, {}), (503, {}), (200, {}))
    assert len(asking.play("/accounts/a")) == 3
    assert asking.statuses == [503, 503, 200]
    assert len(Asking(*[(503, {})] * ATTEMPTS_MAX).play("/accounts/a")) == ATTEMPTS_MAX


def test_a_reader_follows_the_cursor() -> None:
    """To the last page, or as many as it wants; each page is an ask of its own."""
    pages = [(200, {"next_cursor": "x"}), (200, {"next_cursor": "y"}), (200, {})]
    asking = Asking(*pages)
    queries = asking.play("/accounts/a/history", query={"limit": "1"}, pages=9)
    assert [query.get("cursor") for query in queries] == [None, "x", "y"]
    assert [ask.id for ask in asking.asks] == ["1.1.1", "1.2.1", "1.3.1"]
    assert len(Asking(*pages[:2]).play("/payments", pages=2)) == 2


def test_sums_have_a_cursor_of_their_own() -> None:
    """Every other analyst goes on with them instead of the list."""
    first = (200, {"next_cursor": "list", "sums": {"next_cursor": "sums"}})
    for place, wanted in ((1, "list"), (2, "sums")):
        queries = Asking(first, (200, {})).play("/accounts", pages=3, place=place)
        assert [query.get("cursor") for query in queries] == [None, wanted]


def test_an_error_ends_a_question() -> None:
    """There is no next page of what is not there."""
    assert len(Asking((404, {"next_cursor": "x"})).play("/accounts/a", pages=5)) == 1


def test_versions_are_learned_from_what_took_effect() -> None:
    """From members of batches and from several answers, never from a dry run."""
    versions = Versions()
    account = {"id": "a", "version": 3}
    versions.learn(json.dumps({"dry_run": True, "accounts": [account]}).encode())
    assert versions.of("a") is None
    versions.learn(json.dumps({"answers": [{"accounts": [account]}]}).encode())
    assert versions.of("a") == 3
    several = [{"status": 201, "body": {"accounts": [{"id": "a", "version": 4}]}}]
    versions.learn(json.dumps({"answers": several}).encode())
    assert versions.of("a") == 4
