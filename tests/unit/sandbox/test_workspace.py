"""A workspace belongs to one run at a time, and starts empty whatever the last one left."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.workspace import claimed

SLEEP = "import time; print('up', flush=True); time.sleep(60)"


@contextmanager
def sleeping(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process with a group and a command line of its own, which has begun to run."""
    with subprocess.Popen(
        [sys.executable, "-c", SLEEP, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_workspace_is_empty_at_start_and_end(tmp_path: Path) -> None:
    """What an earlier run left in its temporary files is gone, and so is what this one makes."""
    left = tmp_path / "tmp" / "worker" / "code.zip"
    left.parent.mkdir(parents=True)
    left.touch()

    with claimed(tmp_path) as workspace:
        assert list(workspace.scratch.iterdir()) == []
        (workspace.scratch / "file").touch()

    assert not workspace.scratch.exists()


def test_second_run_is_refused_while_the_first_goes_on(tmp_path: Path) -> None:
    """The error says which process holds the workspace; afterwards it is free again."""
    with (
        claimed(tmp_path),
        pytest.raises(SandboxError, match=r"another run \(process \d+\)"),
        claimed(tmp_path),
    ):
        pass
    with claimed(tmp_path):
        pass


def test_emulator_of_a_killed_run_is_ended(tmp_path: Path) -> None:
    """It is known by the path of its pid file on its command line."""
    pid_file = tmp_path.resolve() / "engine.pid"
    with sleeping("--pid", str(pid_file)) as leftover:
        pid_file.write_text(str(leftover.pid))

        with claimed(tmp_path):
            assert leftover.wait(timeout=5) < 0


def test_process_that_only_got_the_number_is_left_alone(tmp_path: Path) -> None:
    """Process ids are used again: a number in a file proves nothing."""
    with sleeping() as stranger:
        (tmp_path / "engine.pid").write_text(str(stranger.pid))

        with claimed(tmp_path):
            assert stranger.poll() is None


@pytest.mark.parametrize("content", ["", "no number", "0", "-1", "1", "4194304999"])
def test_pid_file_that_names_no_process_is_harmless(tmp_path: Path, content: str) -> None:
    """Cut short by a crash, or of a process long gone."""
    (tmp_path / "engine.pid").write_text(content)

    with claimed(tmp_path):
        pass
