"""The internet: names that all resolve, and the endpoints of webhooks behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from ipaddress import IPv4Address
from random import Random
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from msgspec import Struct

from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.functions.platform import Arguments
from simulation.kernel.hub import MILLISECOND, SECOND, Hub

if TYPE_CHECKING:
    from simulation.functions.worker import Worker

_CALL: Final = "webhook.post"
_LATENCY_MIN: Final = 5 * MILLISECOND
_LATENCY_SPREAD: Final = 50 * MILLISECOND
#: As long as `consumers.webhooks.posting` waits in all.
_TIMEOUT: Final = 5 * SECOND
#: 1.0.0.0/8 is public, and so fit for webhooks.
_NETWORK: Final = int(IPv4Address("1.0.0.0"))
_HOSTS: Final = 1 << 24
#: How an endpoint fails that takes nothing: the name of the fault, and the status if it answers.
_FAILURES: Final = (("FAILED", 500), ("FAILED", 503), ("REFUSED", 429), ("NOT_CONNECTED", 0))


class Posted(Struct, frozen=True):
    """What an endpoint took. `at` is microseconds since 1970."""

    at: int
    url: str
    body: bytes
    headers: Mapping[str, str]


WebhookObserver = Callable[[str, bytes, Mapping[str, str]], object]
"""Is told of each request that an endpoint took: its URL, body and headers."""


class Internet:
    """All endpoints, whatever their URL; `gone` are the URLs of those that answer 410."""

    def __init__(self, hub: Hub, random: Random, injector: Injector) -> None:
        self.hub = hub
        self.random = random
        self.injector = injector
        self.observers: list[WebhookObserver] = []
        self.gone: set[str] = set()
        self.taken = 0

    @property
    def arguments(self) -> Mapping[str, Arguments]:
        """What the functions that use the internet are built with, by their handlers' modules."""
        return {
            "consumers.webhooks.deliverer": self._for_deliverer,
            "consumers.webhooks.manager": self._for_manager,
        }

    def took(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """An endpoint has it now."""
        self.taken += 1
        for observer in self.observers:
            observer(url, body, headers)

    def _for_deliverer(self, worker: Worker) -> Mapping[str, Any]:
        return {"endpoints": lambda _trusted: Endpoint(self, worker)}

    def _for_manager(self, _worker: Worker) -> Mapping[str, Any]:
        return {"resolve": _addresses_of}


class Endpoint:
    """What `consumers.webhooks.posting.Endpoints` is to one worker, which may crash meanwhile."""

    def __init__(self, internet: Internet, worker: Worker) -> None:
        self._internet = internet
        self._worker = worker
        self._faults = worker.release.module("consumers.webhooks.faults")

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """See Endpoints."""
        internet, worker = self._internet, self._worker
        hub, random, strikes = internet.hub, internet.random, internet.injector.strikes
        worker.before_call(_CALL)
        there = _LATENCY_MIN + int(random.random() * _LATENCY_SPREAD)
        status, fault = 200, ""
        if url in internet.gone:
            status, fault = 410, "GONE"
        elif strikes(Fault.ENDPOINT_FAILED, worker.name, url):
            fault, status = _FAILURES[int(random.random() * len(_FAILURES))]
        else:
            hub.after(there, partial(internet.took, url, body, headers))
        worker.during_call(_CALL)
        hub.sleep(there)
        if not fault and strikes(Fault.ENDPOINT_ANSWER_LOST, worker.name, url):
            if random.random() < 0.5:
                hub.sleep(_TIMEOUT - there)
                fault, status = "TIMED_OUT", 0
            else:
                fault, status = "NO_ANSWER", 0
        hub.sleep(_LATENCY_MIN + int(random.random() * _LATENCY_SPREAD))
        worker.after_call(_CALL)
        if fault:
            raise self._faults.AttemptError(self._faults.Fault[fault], status=status)
        return status


def _addresses_of(host: str, _port: int) -> Sequence[IPv4Address]:
    """Every name has an address of its own."""
    return (IPv4Address(_NETWORK + crc32(host.encode()) % _HOSTS),)
