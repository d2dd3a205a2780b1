"""`python -m publishing [--check]`, run in the root of the repository."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from publishing.diagram.stack import drawn_stack
from publishing.documents import Drawings, outdated, write

_USAGE: Final = "usage: python -m publishing [--check]"


def main(arguments: list[str], draw: Callable[[], Drawings] = drawn_stack) -> int:
    """Writes the generated documents; with `--check` only says which are outdated: exit code 1."""
    docs = Path("docs")
    if arguments not in ([], ["--check"]) or not docs.is_dir():
        sys.stderr.write(f"{_USAGE}, in the folder that has docs/\n")
        return 2
    if arguments:
        stale = outdated(docs, draw())
        sys.stdout.writelines(f"outdated: docs/{path}\n" for path in stale)
        return 1 if stale else 0
    sys.stdout.writelines(f"wrote docs/{path}\n" for path in write(docs, draw()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
