"""What the keeper runs lives exactly as long as the keeper's standard input stays open."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sandbox.keeper
from tests.unit.sandbox.processes import all_end, is_running

KEEPER = Path(sandbox.keeper.__file__)
# Says its own process id and that of a child of its own, then waits for ever.
FAMILY = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(60)
"""


def keep(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(KEEPER), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def kept() -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A keeper with a family of two, and their process ids."""
    with keep(sys.executable, "-c", FAMILY) as keeper:
        assert keeper.stdout is not None
        yield keeper, [int(pid) for pid in keeper.stdout.readline().split()]
        if keeper.poll() is None:
            os.killpg(keeper.pid, signal.SIGKILL)


def test_everything_ends_with_the_starter(kept: tuple[subprocess.Popen[str], list[int]]) -> None:
    """The closed pipe is all that is left of a starter that was killed."""
    keeper, family = kept
    assert all(map(is_running, family))
    assert keeper.stdin is not None

    keeper.stdin.close()

    assert keeper.wait(timeout=5) == -signal.SIGKILL
    assert all_end(*family)


def test_everything_ends_with_the_command(kept: tuple[subprocess.Popen[str], list[int]]) -> None:
    """Grandchildren do not outlive a command that crashed."""
    keeper, family = kept

    os.kill(family[0], signal.SIGKILL)

    assert keeper.wait(timeout=5) == -signal.SIGKILL
    assert all_end(*family)


def test_exit_code_of_the_command_is_told() -> None:
    """The log of a start that failed ends with it."""
    with keep(sys.executable, "-c", "raise SystemExit(3)") as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.read() == "ended with exit code 3\n"


def test_keeper_refuses_to_run_in_a_group_it_does_not_lead() -> None:
    """Killing that group would kill whoever started it."""
    refused = subprocess.run(
        [sys.executable, str(KEEPER), "true"], capture_output=True, text=True, check=False
    )

    assert refused.returncode == 1
    assert "process group" in refused.stderr
