"""The directory that one emulator lives in, and what an earlier one may have left there.

One run at a time may use it: a lock says so, which the kernel releases however its holder ends. So
whoever holds the lock knows that an emulator still running from here belongs to nobody.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sandbox.errors import SandboxError

_END_SECONDS_MAX = 5.0  # a killed process is gone in milliseconds, on a busy machine too
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Workspace:
    """The paths of one emulator. `scratch` is empty at the start, and emptied at the end."""

    directory: Path

    @property
    def pid_file(self) -> Path:
        """Written by the emulator itself; its path is part of the emulator's command line."""
        return self.directory / "engine.pid"

    @property
    def log_file(self) -> Path:
        """What the emulator and all functions print, since the last start."""
        return self.directory / "engine.log"

    @property
    def scratch(self) -> Path:
        """The emulator's temporary files: each worker of a function unpacks its bundle there."""
        return self.directory / "tmp"

    @property
    def assembly(self) -> Path:
        """The cloud assembly that is deployed."""
        return self.directory / "assembly"


@contextmanager
def claimed(directory: Path) -> Iterator[Workspace]:
    """The workspace in `directory`, ours alone until the block is left, with nothing running in it.

    Raises SandboxError when another run holds it.
    """
    workspace = Workspace(directory.resolve())
    workspace.directory.mkdir(parents=True, exist_ok=True)
    with (workspace.directory / "lock").open("a+", encoding="ascii") as lock:
        _hold(lock, workspace)
        _end_leftover(workspace)
        _empty(workspace.scratch)
        try:
            yield workspace
        finally:
            shutil.rmtree(workspace.scratch, ignore_errors=True)
            workspace.pid_file.unlink(missing_ok=True)


def _hold(lock: IO[str], workspace: Workspace) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        raise SandboxError(
            f"another run (process {lock.read().strip() or 'unknown'}) uses {workspace.directory}: "
            "end it first"
        ) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()


def _empty(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(exist_ok=True)


def _end_leftover(workspace: Workspace) -> None:
    """Kill the emulator of an earlier run, if it still runs and is one of this workspace.

    A number in a file proves nothing, numbers are used again: the process must have been started
    with the path of this very file.
    """
    pid = _recorded_pid(workspace.pid_file)
    if pid is None or str(workspace.pid_file) not in _command_line(pid):
        return
    with suppress(ProcessLookupError):
        os.killpg(os.getpgid(pid), signal.SIGKILL)
    deadline = time.monotonic() + _END_SECONDS_MAX
    while _command_line(pid):
        if time.monotonic() > deadline:
            raise SandboxError(f"the emulator of an earlier run (process {pid}) cannot be ended")
        time.sleep(_POLL_SECONDS)


def _recorded_pid(file: Path) -> int | None:
    try:
        pid = int(file.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
    return pid if pid > 1 else None


def _command_line(pid: int) -> str:
    """The command line of a running process; empty once it has ended, even if not yet reaped."""
    if Path("/proc/self").exists():
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        return arguments.replace(b"\0", b" ").decode(errors="replace").strip()
    listed = subprocess.run(
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return listed.stdout.strip()
