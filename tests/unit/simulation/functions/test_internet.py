"""The endpoints of webhooks, as a worker meets them."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from consumers.webhooks.addresses import is_public
from consumers.webhooks.faults import AttemptError
from simulation.faults.kinds import Fault
from simulation.functions.internet import Internet
from simulation.functions.worker import Worker
from simulation.releases.release import current
from simulation.wiring.model import Function
from tests.unit.simulation.functions.small_world import SmallWorld

URL = "https://shop.example/hook"


class Net:
    """An internet with those rates of faults, and what was seen of it."""

    def __init__(self, rates: Mapping[Fault, float] | None = None) -> None:
        self.world = SmallWorld(rates)
        self.internet = Internet(self.world.hub, Random(1), self.world.injector)
        self.taken: list[tuple[str, bytes]] = []
        self.internet.observers.append(lambda url, body, _headers: self.taken.append((url, body)))

    def worker(self) -> Worker:
        """A new one."""
        spec = Function("F", "consumers.webhooks.deliverer.handler", 100, {})
        return Worker("F#1", self.world.platform, spec, current())

    def post(self) -> Any:
        """The status, the error of the attempt, or what killed the worker."""
        worker = self.worker()
        endpoints = self.internet.arguments["consumers.webhooks.deliverer"](worker)["endpoints"]
        task = self.world.hub.spawn("F#1", lambda: endpoints(None).post(URL, b"{}", {}))
        worker.task = task
        self.world.hub.run()
        try:
            return task.done.result()
        except AttemptError as error:
            return error


def test_an_endpoint_takes_what_is_posted() -> None:
    """Once, and says so."""
    net = Net()
    assert net.post() == 200
    assert net.taken == [(URL, b"{}")]


def test_a_failing_endpoint_takes_nothing() -> None:
    """Whatever way it fails."""
    net = Net({Fault.ENDPOINT_FAILED: 1.0})
    failures = {(error.fault.value, error.status) for error in (net.post() for _ in range(40))}
    assert failures == {("failed", 500), ("failed", 503), ("refused", 429), ("not_connected", 0)}
    assert net.taken == []


def test_an_answer_may_be_lost() -> None:
    """It was taken all the same."""
    net = Net({Fault.ENDPOINT_ANSWER_LOST: 1.0})
    assert {net.post().fault.value for _ in range(20)} == {"timed_out", "no_answer"}
    assert net.internet.taken == 20


def test_an_endpoint_that_is_gone_says_so() -> None:
    """410, which disables it."""
    net = Net()
    net.internet.gone.add(URL)
    assert net.post().status == 410
    assert net.taken == []


def test_a_worker_may_die_posting() -> None:
    """What it sent arrives."""
    net = Net({Fault.CRASH_DURING_CALL: 1.0})
    with pytest.raises(BaseException, match=r"Runtime\.ExitError"):
        net.post()
    assert net.taken == [(URL, b"{}")]


def test_names_lead_to_public_addresses() -> None:
    """Each to the same one always."""
    net = Net()
    resolve = net.internet.arguments["consumers.webhooks.manager"](net.worker())["resolve"]
    [address] = resolve("shop.example", 443)
    assert is_public(address)
    assert resolve("shop.example", 443) == (address,)
    assert resolve("bank.example", 443) != (address,)
