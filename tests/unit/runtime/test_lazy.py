"""Handlers are built at their first call, or before where Lambda initialises workers ahead."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from ledger.runtime.host import Host
from ledger.runtime.lazy import on_first_call


def test_it_builds_once_and_only_when_called() -> None:
    """Making the handler builds nothing; of all its calls the first one builds."""
    built: list[str] = []

    def build(_: Host) -> Callable[[dict[str, Any], object], object]:
        built.append("built")
        return lambda event, context: (event, context)

    handler = on_first_call(build)
    assert built == []
    assert handler({"n": 1}, "context") == ({"n": 1}, "context")
    assert handler({"n": 2}, None) == ({"n": 2}, None)
    assert built == ["built"]


def test_a_failed_build_is_tried_again() -> None:
    """A worker whose configuration was broken at its first call recovers at a later one."""
    faults = [RuntimeError("no settings")]

    def build(_: Host) -> Callable[[dict[str, Any], object], str]:
        if faults:
            raise faults.pop()
        return lambda _event, _context: "answered"

    handler = on_first_call(build)
    with pytest.raises(RuntimeError, match="no settings"):
        handler({}, None)
    assert handler({}, None) == "answered"


@pytest.mark.parametrize("initialization", ["snap-start", "provisioned-concurrency"])
def test_a_worker_that_is_initialised_ahead_is_built_then(
    initialization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first call, for which somebody waits, builds nothing; a build that fails is seen when
    the version is published."""
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", initialization)
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", _Hooks())
    built: list[str] = []

    def build(_: Host) -> Callable[[dict[str, Any], object], str]:
        built.append("built")
        return lambda _event, _context: "answered"

    handler = on_first_call(build)
    assert built == ["built"]
    assert handler({}, None) == "answered"
    assert built == ["built"]

    def failing(_: Host) -> Callable[[dict[str, Any], object], str]:
        raise RuntimeError("no settings")

    with pytest.raises(RuntimeError, match="no settings"):
        on_first_call(failing)


def test_workers_of_one_snapshot_draw_different_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's generator is the same in all of them until Lambda's hook has run; the ledger's own
    chance never is."""
    hooks = _Hooks()
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", hooks)
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
    hosts: list[Host] = []

    def build(host: Host) -> Callable[[dict[str, Any], object], float]:
        hosts.append(host)
        return lambda _event, _context: host.chance()

    handler = on_first_call(build)
    snapshot = random.getstate()
    restored = []
    for _ in range(2):
        random.setstate(snapshot)
        for hook in hooks.after_restore:
            hook()
        restored.append((random.random(), handler({}, None)))
    (first, our_first), (second, our_second) = restored
    assert first != second
    assert our_first != our_second


@pytest.mark.parametrize("initialization", ["on-demand", None])
def test_no_snapshot_no_hook(initialization: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere the module of Lambda's hooks need not be there."""
    if initialization is None:
        monkeypatch.delenv("AWS_LAMBDA_INITIALIZATION_TYPE", raising=False)
    else:
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", initialization)
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", None)  # an import of it raises
    assert on_first_call(lambda _: lambda _event, _context: "answered")({}, None) == "answered"


class _Hooks(ModuleType):
    """Lambda's module of hooks, as far as it is used: what is to run after a restore."""

    def __init__(self) -> None:
        super().__init__("snapshot_restore_py")
        self.after_restore: list[Callable[[], object]] = []

    def register_after_restore(self, hook: Callable[[], object]) -> None:
        """As the module's own function of that name."""
        self.after_restore.append(hook)
