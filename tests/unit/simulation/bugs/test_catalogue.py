"""The planted bugs: each is one change of today's source, and promises are what they break."""

from __future__ import annotations

from collections import Counter

import pytest

from simulation.auditor.findings import PROPERTIES
from simulation.bugs.catalogue import BUGS, planted
from simulation.bugs.planted import PlantedBug
from simulation.releases.next import NEXT
from simulation.releases.patches import patched_sources

each_bug = pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)


def test_every_bug_has_a_name_of_its_own() -> None:
    """By which it is asked for."""
    assert max(Counter(bug.name for bug in BUGS).values()) == 1
    assert planted(BUGS[0].name) is BUGS[0]
    with pytest.raises(KeyError):
        planted("none of them")


def test_there_are_as_many_as_were_promised() -> None:
    """20 at least, all over the system."""
    assert len(BUGS) >= 26
    modules = {patch.module.rpartition(".")[0] for bug in BUGS for patch in bug.patches}
    assert {"ledger.application", "ledger.domain", "ledger.entrypoints"} <= modules
    assert len([name for name in modules if name.startswith(("projections", "consumers"))]) >= 5


@each_bug
def test_a_bug_fits_today_s_source_and_the_next_release(bug: PlantedBug) -> None:
    """Each patch at exactly one place, and what comes of it is Python."""
    for patches in (bug.patches, (*NEXT, *bug.patches)):
        for module, source in patched_sources(patches).items():
            compile(source, module, "exec")


@pytest.mark.parametrize("promise", PROPERTIES)
def test_every_promise_is_broken_by_a_bug(promise: str) -> None:
    """What no bug breaks may be a promise that the auditor does not look at."""
    assert any(promise in bug.expected for bug in BUGS)


@each_bug
def test_a_bug_breaks_a_promise(bug: PlantedBug) -> None:
    """It says which, of those that the auditor knows; and says so in sentences."""
    assert bug.expected
    assert set(bug.expected) <= set(PROPERTIES)
    assert bug.what.endswith(".")
    assert bug.shows.endswith(".")
