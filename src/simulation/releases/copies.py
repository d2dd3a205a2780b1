"""A second copy of our packages in one process, with some of its sources changed.

The copy of `ledger.bootstrap` is the module `simulated_<name>.ledger.bootstrap`. Its imports of our
packages, at its top or inside a function, lead into the same copy: every module of a copy runs with
an `__import__` of its own, which puts the copy's name in front. So nothing of a source need be
rewritten but what is patched, what is not is loaded from Python's own cache of byte code, and
whatever looks a class's module up by its name (msgspec, dataclasses) finds that of the copy.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import ExecutionLoader, MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location, spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from simulation.releases.patches import is_ours, source_path


class Copy(MetaPathFinder):
    """Finds the modules of one copy. `sources` are those that differ, by module."""

    def __init__(self, name: str, sources: Mapping[str, str]) -> None:
        self.prefix = "simulated_" + name.replace("-", "_")
        self._label = name
        self._sources = sources
        self._builtins = {**vars(builtins), "__import__": self._import}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - importlib's interface
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """See MetaPathFinder: what is of this copy, and nothing else."""
        if fullname == self.prefix:
            return spec_from_loader(fullname, None, is_package=True)
        ahead, _, module = fullname.partition(".")
        if ahead != self.prefix:
            return None
        file = source_path(module)
        loader = _Loader(file, self._builtins, self._sources.get(module), self._label)
        return spec_from_file_location(
            fullname,
            file,
            loader=loader,
            submodule_search_locations=[] if file.name == "__init__.py" else None,
        )

    def _import(
        self,
        name: str,
        globals_: Mapping[str, object] | None = None,
        locals_: Mapping[str, object] | None = None,
        names: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """What an import statement of a module of this copy calls."""
        if level or not is_ours(name):
            return __import__(name, globals_, locals_, names or (), level)
        whole = f"{self.prefix}.{name}"
        if names:
            return __import__(whole, globals_, locals_, names, 0)
        __import__(whole, globals_, locals_, (), 0)
        # `import a.b` binds `a`.
        return sys.modules[f"{self.prefix}.{name.partition('.')[0]}"]


class _Loader(ExecutionLoader):
    """Loads one module of a copy, changed or not.

    What is changed has a file name of its own, so that tracebacks show its lines and not those of
    today's source.
    """

    def __init__(
        self, file: Path, builtins_: Mapping[str, Any], source: str | None, label: str
    ) -> None:
        self._file = file
        self._builtins = builtins_
        self._source = source
        self._label = label

    def get_filename(self, fullname: str) -> str:  # noqa: ARG002 - importlib's interface
        """See ExecutionLoader."""
        return str(self._file)

    def get_source(self, fullname: str) -> str:  # noqa: ARG002 - importlib's interface
        """See ExecutionLoader."""
        return self._file.read_text("utf-8") if self._source is None else self._source

    def get_code(self, fullname: str) -> CodeType | None:
        """See ExecutionLoader."""
        if self._source is None:
            return SourceFileLoader(fullname, str(self._file)).get_code(fullname)
        return compile(self._source, f"{self._file} ({self._label})", "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        """See ExecutionLoader. A module's functions find their built-ins where the module does."""
        vars(module)["__builtins__"] = self._builtins
        execute: Callable[[ModuleType], None] = super().exec_module
        execute(module)
