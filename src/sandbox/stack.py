"""The embedded stack as one context manager: synthesised, started, deployed, ended."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sandbox.assembly import Assembly
from sandbox.deploy import Report, deploy
from sandbox.endpoint import Deployment
from sandbox.engine import EngineOptions, running_engine
from sandbox.synthesis import synthesise
from sandbox.workspace import Workspace, claimed

EMULATOR_ENVIRONMENT = ".venv-emulator"
"""The emulator's virtual environment, made by make; relative to the project."""
WORKSPACE = ".build/sandbox"
"""Where `running_stack` keeps what it needs while it runs; relative to the project."""


@contextmanager
def running_stack(
    project_root: Path,
    report: Report,
    *,
    port: int | None = None,
    stage: str | None = None,
) -> Iterator[Deployment]:
    """The whole stack of the project on this machine, until the block is left.

    `port` None takes a free one. `report` gets each line of progress. The stack is empty at each
    start. However this process ends, the emulator ends with it. Raises SandboxError when it cannot
    run.
    """
    with claimed(project_root / WORKSPACE) as workspace:
        report("synthesising the CDK app")
        assembly = synthesise(project_root, workspace.assembly, stage=stage)
        options = EngineOptions(region=assembly.region, port=port)
        with deployed(assembly, workspace, project_root, options, report) as deployment:
            yield deployment


@contextmanager
def deployed(
    assembly: Assembly,
    workspace: Workspace,
    project_root: Path,
    options: EngineOptions,
    report: Report,
) -> Iterator[Deployment]:
    """A synthesised `assembly` in an emulator of its own, until the block is left.

    Functions import from the assembly's directory, which must stay as it is for as long.
    """
    options = replace(options, code=assembly.code())
    environment = project_root / EMULATOR_ENVIRONMENT
    with running_engine(workspace, environment, options) as endpoint:
        report(f"the emulator is up at {endpoint.endpoint_url}, and empty: no run keeps anything")
        yield deploy(assembly, endpoint, report)
