"""The CDK app, synthesised in this process, for this machine."""

import importlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from sandbox.assembly import Assembly, read_assembly
from sandbox.endpoint import ACCOUNT
from sandbox.errors import SandboxError

# Where the stacks live when they leave it open.
_DEFAULT_REGION = "eu-central-1"


def synthesise(
    project_root: Path,
    into: Path,
    *,
    stage: str | None = None,
    bundling: Literal["host", "none"] = "host",
) -> Assembly:
    """The app of `project_root`, with functions bundled for this interpreter and machine, or
    without what they depend on, for whoever reads the templates only.

    `into` is emptied first. `stage` defaults to the one in cdk.json. Raises SandboxError when the
    app cannot be synthesised.
    """
    shutil.rmtree(into, ignore_errors=True)
    with _importable(project_root):
        # The app is no package of ours that could be installed: it is found where the project is.
        app = importlib.import_module("cdk.app")
    try:
        # The rules of cdk-nag judge the template, the same everywhere: tests do that.
        app.build_app(bundling=bundling, stage=stage, outdir=into, checked=False).synth()
    except (RuntimeError, ValueError) as error:
        raise SandboxError(f"the CDK app cannot be synthesised: {error}") from error
    return read_assembly(into, account=ACCOUNT, default_region=_DEFAULT_REGION)


@contextmanager
def _importable(directory: Path) -> Iterator[None]:
    sys.path.insert(0, str(directory))
    try:
        yield
    finally:
        sys.path.remove(str(directory))
