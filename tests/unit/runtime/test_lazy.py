"""Handlers are built at their first call."""

from __future__ import annotations

from collections.abc import Callable
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
