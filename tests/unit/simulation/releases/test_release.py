"""Releases side by side: each runs its own copy of everything, and shows its own lines."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from types import ModuleType

import pytest

from simulation.releases.patches import PACKAGES, Patch, PatchError
from simulation.releases.release import Release, current, patched

HANDLERS = (
    "consumers.fraud.handler",
    "consumers.fraud.reviews",
    "consumers.notifications.handler",
    "consumers.webhooks.deliverer",
    "consumers.webhooks.fanout",
    "consumers.webhooks.manager",
    "ledger.entrypoints.api",
    "ledger.entrypoints.commands",
    "ledger.entrypoints.expiry",
    "ledger.entrypoints.relay",
    "projections.balances.handler",
    "projections.history.handler",
    "projections.payments.handler",
    "projections.query.handler",
)
CHANGES = (
    Patch(
        "ledger.runtime.backoff", '"""How long', '"""Longer,\nso that all lines move.\n\nHow long'
    ),
    Patch("ledger.runtime.backoff", "    return ", "    assert base < 7\n    return "),
)


@pytest.fixture(scope="module")
def copy() -> Release:
    """Today's release once more, with all handlers."""
    release = patched("test-copy", ())
    for handler in HANDLERS:
        release.module(handler)
    return release


def _modules(prefix: str) -> Iterator[tuple[str, ModuleType]]:
    for name, module in sorted(sys.modules.items()):
        if name.startswith(prefix):
            yield name.removeprefix(prefix), module


def test_today_s_release_is_what_is_installed() -> None:
    """No copy is made of it."""
    module = current().module("ledger.bootstrap")
    assert module is sys.modules["ledger.bootstrap"]


def test_nothing_of_a_copy_is_from_another_release(copy: Release) -> None:
    """Not a class, not a function, not a module: of our packages it has only its own."""
    assert copy.module("ledger.bootstrap").__name__ == "simulated_test_copy.ledger.bootstrap"
    seen = dict(_modules("simulated_test_copy."))
    assert len(seen) > 150
    strangers = [
        (name, attribute)
        for name, module in seen.items()
        for attribute, value in vars(module).items()
        if (getattr(value, "__module__", None) or "").partition(".")[0] in PACKAGES
        or (isinstance(value, ModuleType) and value.__name__.partition(".")[0] in PACKAGES)
    ]
    assert not strangers


def test_imports_inside_functions_lead_into_the_copy(copy: Release) -> None:
    """They happen long after the module was imported; so do those that only read types."""
    module = copy.module("ledger.contracts.storage")
    scope = vars(module)
    exec(  # noqa: S102 - the shapes of an import that the source does not have today
        "def made():\n"
        "    import ledger.runtime.clock\n"
        "    import ledger.runtime.clock as clock\n"
        "    from ledger.runtime import clock as again\n"
        "    from ledger import runtime\n"
        "    import json.decoder\n"
        "    return ledger, clock, again, runtime, json\n",
        scope,
    )
    names = [found.__name__ for found in scope["made"]()]
    own = "simulated_test_copy.ledger"
    clock = f"{own}.runtime.clock"
    assert names == [own, clock, clock, f"{own}.runtime", "json"]


def test_a_module_that_is_not_there_cannot_be_imported(copy: Release) -> None:
    """As anywhere."""
    with pytest.raises(ModuleNotFoundError):
        copy.module("ledger.nowhere")


def test_each_release_has_its_own_behaviour() -> None:
    """A patch is seen by the release that has it, through whatever imports it, and by no other."""
    release = patched("test-changed", CHANGES)
    name = "ledger.runtime.backoff"
    for one, is_changed in ((current(), False), (release, True)):
        call = one.module(name).full_jitter_seconds
        if is_changed:
            with pytest.raises(AssertionError) as raised:
                call(1, base=9.0, cap=1.0, random=lambda: 0.5)
            shown = traceback.format_exception(raised.value)
            assert any("backoff.py (test-changed)" in line for line in shown)
            assert any("assert base < 7" in line for line in shown)
        else:
            assert call(1, base=9.0, cap=1.0, random=lambda: 0.5) == 0.5
    user = release.module("ledger.application.commit")
    assert user.full_jitter_seconds is release.module("ledger.runtime.backoff").full_jitter_seconds


def test_a_release_is_made_once() -> None:
    """The same name gives the same copy; a name is not given to two."""
    assert patched("test-changed", CHANGES) is patched("test-changed", CHANGES)
    with pytest.raises(ValueError, match="test-changed"):
        patched("test-changed", CHANGES[:1])
    with pytest.raises(ValueError, match="not a name"):
        patched("test_changed", CHANGES)


def test_a_release_whose_patches_do_not_fit_is_not_made() -> None:
    """And its name is still free."""
    with pytest.raises(PatchError):
        patched("test-unfit", [Patch("ledger.bootstrap", "this is not there", "")])
    assert patched("test-unfit", ()).name == "test-unfit"
