"""The stack that end-to-end tests drive: deployed once for all in one process.

A test that fails shows what the functions and the emulator printed last.
"""

import fcntl
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from ledger.cli.up.local import config_of
from ledger.client import config as configuration
from ledger.client.config import Config
from ledger.client.rest import LedgerApi
from sandbox.assembly import Assembly, read_assembly
from sandbox.endpoint import ACCOUNT, Deployment
from sandbox.engine import EngineOptions
from sandbox.logs import function_output
from sandbox.stack import deployed
from sandbox.synthesis import synthesise
from sandbox.workspace import claimed

PROJECT_ROOT = Path(__file__).resolve().parents[2]
TAIL_LINES = 40
LONGEST = ("test_readme", "test_dead_letters", "test_replay")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, or one worker would be at it when the others are done."""
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The CDK app as it is, its functions bundled for this machine; made by the first worker of
    this run that asks. Synthesising takes ten seconds, and installing what functions import more.
    """
    ours = tmp_path_factory.getbasetemp()
    directory = (ours.parent if os.environ.get("PYTEST_XDIST_WORKER") else ours) / "synthesis"
    directory.mkdir(exist_ok=True)
    into, region = directory / "assembly", directory / "region"
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not region.exists():
            region.write_text(synthesise(PROJECT_ROOT, into).region, encoding="utf-8")
    return read_assembly(into, account=ACCOUNT, default_region=region.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def deployment(
    assembly: Assembly, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """The stack that the tests share: each brings accounts and payments with ids of its own."""
    yield from _deployed(assembly, tmp_path_factory.mktemp("stack"), enforce_iam=False)


@pytest.fixture(scope="session")
def enforcing_deployment(
    assembly: Assembly, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """A stack whose every call, of clients and functions, is judged by IAM policies. Over TLS."""
    yield from _deployed(assembly, tmp_path_factory.mktemp("enforcing-stack"), enforce_iam=True)


def _deployed(assembly: Assembly, directory: Path, *, enforce_iam: bool) -> Iterator[Deployment]:
    options = EngineOptions(region=assembly.region, enforce_iam=enforce_iam)
    with (
        claimed(directory) as workspace,
        deployed(assembly, workspace, PROJECT_ROOT, options, _quietly) as deployment,
    ):
        yield deployment


def _quietly(line: str) -> None:
    """Progress is for people."""


@pytest.fixture(scope="session")
def config(deployment: Deployment) -> Config:
    """What the `ledger` command and other clients are configured with."""
    return config_of(deployment)


@pytest.fixture
def config_file(config: Config, tmp_path: Path) -> Path:
    """The configuration as the command finds it."""
    path = tmp_path / "config.json"
    configuration.save(config, path)
    return path


@pytest.fixture(scope="session")
def api(config: Config) -> LedgerApi:
    """The REST API, with signed requests."""
    return LedgerApi(config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the latest output of functions and emulator to the report of a failed test."""
    report = yield
    values = getattr(item, "funcargs", {}).values()
    for deployment in (value for value in values if isinstance(value, Deployment)):
        if report.failed:
            report.sections.append(("functions", _tail(_function_output(deployment))))
            lines = deployment.log_file.read_text(errors="replace").splitlines()
            report.sections.append(("emulator", _tail(lines)))
    return report


def _function_output(deployment: Deployment) -> list[str]:
    try:
        return function_output(deployment, seconds=60)
    except (BotoCoreError, ClientError) as error:
        return [f"the emulator does not say: {error}"]


def _tail(lines: list[str]) -> str:
    return "\n".join(lines[-TAIL_LINES:])
