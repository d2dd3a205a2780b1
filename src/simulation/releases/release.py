"""A release: the code that a deployment brings, as modules."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Final

from simulation.releases.copies import Copy
from simulation.releases.patches import Patch, patched_sources


class Release:
    """A release by its name. Modules are imported when they are first asked for."""

    def __init__(self, name: str, prefix: str = "") -> None:
        self.name = name
        self._prefix = prefix

    def module(self, dotted: str) -> ModuleType:
        """A module by the name that it has in the source. Raises ImportError."""
        return import_module(f"{self._prefix}.{dotted}" if self._prefix else dotted)


_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PATCHED: Final[dict[str, tuple[tuple[Patch, ...], Release]]] = {}


@cache
def current() -> Release:
    """The release that is installed."""
    return Release("current")


def patched(name: str, patches: Sequence[Patch]) -> Release:
    """The installed release with `patches`, as a copy of all our packages beside it.

    One copy for each name (lower case and dashes) in a process. Raises PatchError if a patch does
    not fit the source, and ValueError for a name that was given to other patches.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name of a release: {name!r}")
    if name not in _PATCHED:
        copy = Copy(name, patched_sources(patches))
        sys.meta_path.insert(0, copy)
        _PATCHED[name] = tuple(patches), Release(name, copy.prefix)
    known, release = _PATCHED[name]
    if known != tuple(patches):
        raise ValueError(f"{name!r} is another release")
    return release
