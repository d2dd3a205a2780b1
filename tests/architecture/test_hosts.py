"""Every function is made of its host: on another one, nothing of this machine is in it."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import boto3
import pytest

from ledger.runtime.telemetry import Telemetry

#: How often an SDK may try a call, by function: more hides conflicts from whoever decides again,
#: and takes longer than its time-out was reckoned for.
CLIENTS = {
    "ledger.entrypoints.api": {("dynamodb", 1)},
    "ledger.entrypoints.commands": {("dynamodb", 1), ("sqs", 3)},
    "ledger.entrypoints.expiry": {("dynamodb", 1)},
    "ledger.entrypoints.relay": {("events", 1)},
    "projections.balances.handler": {("dynamodb", 2), ("sqs", 3)},
    "projections.history.handler": {("dynamodb", 1), ("sqs", 3)},
    "projections.payments.handler": {("dynamodb", 2), ("sqs", 3)},
    "projections.query.handler": {("dynamodb", 2)},
    "consumers.notifications.handler": {("sns", 1), ("sqs", 3)},
    "consumers.webhooks.manager": {("dynamodb", 3), ("secretsmanager", 3), ("sqs", 3)},
    "consumers.webhooks.fanout": {("dynamodb", 2), ("sqs", 2)},
    "consumers.webhooks.deliverer": {("dynamodb", 1), ("secretsmanager", 1), ("sqs", 1)},
    "consumers.fraud.handler": {("dynamodb", 2), ("sns", 2), ("sqs", 3)},
    "consumers.fraud.reviews": {("dynamodb", 2)},
}
SOURCES = Path(__file__).parents[2] / "src"
#: What functions are made of. `runtime` has the host itself.
MADE_OF = (
    *("ledger/adapters", "ledger/application", "ledger/bootstrap.py", "ledger/consuming"),
    *("ledger/contracts", "ledger/domain", "ledger/entrypoints", "ledger/upkeep"),
    *("projections", "consumers"),
)
#: Variables that are numbers.
NUMBERS = frozenset({"LEDGER_STATE_CACHE"})
#: Clocks, waits, chance and the environment: all of these are the host's.
THE_HOSTS = frozenset({"os", "random", "secrets", "time", "uuid"})
#: An endpoint on the internet answers in real time or not at all.
REAL = frozenset({"consumers/webhooks/posting.py"})

_A = TypeVar("_A")
_R = TypeVar("_R")


class OtherHost:
    """A Host that is not this machine, and notes which clients it was asked for."""

    def __init__(self) -> None:
        self.environment: Mapping[str, str] = _Everything()
        self.clients: list[tuple[str, int]] = []

    def clock(self) -> int:
        return 1

    def monotonic(self) -> float:
        return 1.0

    def pause(self, seconds: float) -> None:
        raise AssertionError(f"waited for {seconds} s")

    def chance(self) -> float:
        return 0.5

    def random_bytes(self, size: int) -> bytes:
        return bytes(size)

    def side_by_side(self, at_most: int) -> Any:
        def one_by_one(do: Callable[[_A], _R], each: Iterable[_A], /) -> Iterator[_R]:
            return map(do, each)

        assert at_most > 1
        return one_by_one

    def telemetry(self) -> Telemetry:
        return Telemetry(lambda _: None)

    def dynamodb(self, *, attempts: int) -> Any:
        return self._client("dynamodb", attempts)

    def events(self, *, attempts: int) -> Any:
        return self._client("events", attempts)

    def sqs(self, *, attempts: int = 3) -> Any:
        return self._client("sqs", attempts)

    def sns(self, *, attempts: int) -> Any:
        return self._client("sns", attempts)

    def secretsmanager(self, *, attempts: int = 3) -> Any:
        return self._client("secretsmanager", attempts)

    def ssm(self, *, attempts: int) -> Any:
        return self._client("ssm", attempts)

    def _client(self, service: str, attempts: int) -> object:
        self.clients.append((service, attempts))
        return object()  # whoever calls it fails


class _Everything(Mapping[str, str]):
    """An environment in which every variable is set."""

    def __getitem__(self, name: str) -> str:
        return "100" if name in NUMBERS else f"the-{name.lower()}"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@pytest.mark.parametrize("module", CLIENTS)
def test_a_function_is_made_of_its_host(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its clients come from there, each with as many tries a call as it can wait for; to be built
    calls none of them."""

    def refuse(*_: object, **__: object) -> object:
        raise AssertionError("a client of its own")

    monkeypatch.setattr(boto3, "client", refuse)
    host = OtherHost()
    assert callable(importlib.import_module(module).build(host))
    assert set(host.clients) == CLIENTS[module]


def test_only_the_host_has_a_clock_and_chance() -> None:
    """Nothing that functions are made of imports the machine's clocks, chance or environment."""
    roots = [SOURCES / name for name in MADE_OF]
    files = [file for root in roots for file in (root.rglob("*.py") if root.is_dir() else [root])]
    assert len(files) > 100
    found = {str(file.relative_to(SOURCES)): imported(file) & THE_HOSTS for file in files}
    assert {name for name, modules in found.items() if modules} == REAL


def imported(file: Path) -> frozenset[str]:
    """The top-level modules that a file imports, wherever it does."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return frozenset(name.partition(".")[0] for name in names)
