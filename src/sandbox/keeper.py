"""Runs a command for exactly as long as the process that started this script lives.

    python -I keeper.py COMMAND...

Its standard input is a pipe that the starter holds open and never writes to. Whatever ends the
starter, a return, Ctrl-C, SIGTERM or kill -9, the kernel closes the pipe, and the whole process
group is killed: the emulator and the functions that run below it. Nothing is lost by killing: the
emulator's state is gone with it in any case.

It must be started as the leader of a process group of its own. Standard library only: it runs with
any interpreter, and without this project installed.
"""

import os
import signal
import subprocess
import sys
import threading


def main(command: list[str]) -> None:
    """Run `command` until it ends or standard input does; then kill the process group."""
    if os.getpgrp() != os.getpid():
        sys.exit("keeper.py must lead its own process group: it kills the group it is in")
    threading.Thread(target=_end_with_starter, daemon=True).start()
    # Runs what it was given: that is its purpose.
    finished = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
    sys.stdout.write(f"ended with exit code {finished.returncode}\n")
    sys.stdout.flush()
    _kill_group()


def _end_with_starter() -> None:
    sys.stdin.buffer.read()
    _kill_group()


def _kill_group() -> None:
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
