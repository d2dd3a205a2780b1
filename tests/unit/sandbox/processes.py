"""Whether processes end, for tests that end them."""

import time
from pathlib import Path

_SECONDS_MAX = 5.0


def is_running(pid: int) -> bool:
    """Whether the process runs; one that is dead and not yet reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def all_end(*pids: int) -> bool:
    """Whether all of the processes end within 5 seconds."""
    deadline = time.monotonic() + _SECONDS_MAX
    while any(map(is_running, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
