"""A change of the product's source: a piece of text, and what stands in its place."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from msgspec import Struct

#: The packages of the product. Whatever a release runs is of its own copy of these.
PACKAGES: Final = ("consumers", "ledger", "projections")


class PatchError(Exception):
    """A patch that does not fit the source: what it replaces is not there, or more than once."""


class Patch(Struct, frozen=True):
    """In the source of `module` (dotted), `after` stands in the place of `before`.

    `before` must occur exactly once: where the source has moved on, the patch fails, and does not
    quietly change nothing.
    """

    module: str
    before: str
    after: str


def is_ours(module: str) -> bool:
    """Whether a module is one of the product."""
    return module.partition(".")[0] in PACKAGES


def source_path(module: str) -> Path:
    """The file of one of our modules or packages. Raises ModuleNotFoundError."""
    top, *rest = module.split(".")
    spec = find_spec(top) if is_ours(module) else None
    if spec is not None:
        for place in spec.submodule_search_locations or ():
            path = Path(place, *rest)
            for file in (path / "__init__.py", path.with_suffix(".py")):
                if file.is_file():
                    return file
    raise ModuleNotFoundError(f"no module of ours: {module}", name=module)


def patched_sources(patches: Iterable[Patch]) -> dict[str, str]:
    """The source of every module that is patched, by its name. Each patch finds the source as
    those before it left it. Raises PatchError."""
    sources: dict[str, str] = {}
    for patch in patches:
        try:
            source = sources.get(patch.module) or source_path(patch.module).read_text("utf-8")
        except ModuleNotFoundError as error:
            raise PatchError(f"{patch.module}: no such module") from error
        found = source.count(patch.before)
        if found != 1:
            raise PatchError(f"{patch.module}: occurs {found} times, not once: {patch.before!r}")
        sources[patch.module] = source.replace(patch.before, patch.after)
    return sources
