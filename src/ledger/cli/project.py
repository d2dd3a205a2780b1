"""Where the project is, for verbs that work on its sources and need no stack."""

from __future__ import annotations

from pathlib import Path

from ledger.cli.failures import UsageError


def project_root() -> Path:
    """The project's directory, which must be the current one. Raises UsageError."""
    here = Path.cwd()
    if not (here / "cdk.json").is_file():
        raise UsageError(f"{here} is not the project's directory: it has no cdk.json")
    return here
