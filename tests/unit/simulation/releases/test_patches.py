"""Patches: each fits the source at one place, or is an error."""

from __future__ import annotations

import pytest

from simulation.releases.patches import Patch, PatchError, patched_sources, source_path

MODULE = "ledger.contracts.storage"


def test_a_module_is_found_where_its_source_is() -> None:
    """A module by its file, a package by its `__init__.py`, and nothing that is not ours."""
    assert source_path("ledger.bootstrap").name == "bootstrap.py"
    assert source_path("projections").parts[-2:] == ("projections", "__init__.py")
    for other in ("simulation.kernel.hub", "json", "ledger.nowhere"):
        with pytest.raises(ModuleNotFoundError, match=other):
            source_path(other)


def test_a_patch_changes_what_it_names_and_nothing_else() -> None:
    """All other text of the module stays."""
    before = source_path(MODULE).read_text()
    assert before.count("DUE_INDEX: Final = ") == 1
    changed = patched_sources([Patch(MODULE, "DUE_INDEX: Final = ", "DUE_INDEX: Final[str] = ")])
    assert changed == {MODULE: before.replace("DUE_INDEX: Final", "DUE_INDEX: Final[str]")}


def test_patches_of_one_module_follow_each_other() -> None:
    """The second finds what the first made."""
    first = Patch(MODULE, "DUE_INDEX: Final = ", "DUE_INDEX: Final[str] = ")
    second = Patch(MODULE, "DUE_INDEX: Final[str] = ", "DUE_INDEX: str = ")
    assert "DUE_INDEX: str = " in patched_sources([first, second])[MODULE]


@pytest.mark.parametrize(
    "patch",
    [
        Patch(MODULE, "this is not there", ""),
        Patch(MODULE, "Final", ""),
        Patch("ledger.nowhere", "a", "b"),
        Patch("json", "a", "b"),
    ],
    ids=["absent", "often", "no such module", "not ours"],
)
def test_a_patch_that_does_not_fit_is_an_error(patch: Patch) -> None:
    """It says which module, so that whoever changed the source finds the patch."""
    with pytest.raises(PatchError, match=patch.module):
        patched_sources([patch])
