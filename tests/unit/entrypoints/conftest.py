"""Handlers as Lambda imports them: from a fresh module, with nothing of another test in it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec, module_from_spec
from typing import Any

import pytest

Handler = Callable[[dict[str, Any], object], Any]
FunctionModule = Callable[[str], tuple[Handler, Callable[..., None]]]
"""By a module's name its handler, and what sets environment variables to some value."""


@pytest.fixture
def function_module(monkeypatch: pytest.MonkeyPatch) -> FunctionModule:
    """Imports an entry point anew, in an environment that only names a region and telemetry."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "Tested")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Ledger")
    for name in ("EVENTS_TABLE", "STATES_TABLE", "LEDGER_BUS"):
        monkeypatch.delenv(name, raising=False)

    def set_environment(*names: str) -> None:
        for name in names:
            monkeypatch.setenv(name, "x")

    def load(name: str) -> tuple[Handler, Callable[..., None]]:
        spec = find_spec(f"ledger.entrypoints.{name}")
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.handler, set_environment

    return load
