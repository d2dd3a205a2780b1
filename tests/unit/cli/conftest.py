"""The `ledger` command as a user runs it, against a ledger on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest

from ledger.cli.app import app
from ledger.client.config import ENVIRONMENT_VARIABLE, save
from tests.support.command_line import CliRunner
from tests.unit.cli.local_ledger import LocalLedger


class Ran(NamedTuple):
    """What a run of the command came to."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """The one JSON value on standard output."""
        return json.loads(self.out)

    @property
    def said(self) -> str:
        """What the block on standard error says, without its frame and its line breaks."""
        return " ".join(self.err.replace("│", " ").split())


Run = Callable[..., Ran]


@pytest.fixture
def local() -> Iterator[LocalLedger]:
    """A ledger of its own, empty."""
    with LocalLedger() as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def run(local: LocalLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command with arguments, configured for `local`."""
    path = tmp_path / "config.json"
    save(local.config, path)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(path))
    monkeypatch.setattr("ledger.client.retries.WAIT_CAP_SECONDS", 0.001)
    monkeypatch.setattr("ledger.cli.importing.command.wall_clock", lambda: local.now)

    def invoke(*arguments: object) -> Ran:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    return invoke
