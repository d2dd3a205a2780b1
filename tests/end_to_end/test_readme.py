"""The README's first ten minutes, run to the letter against the deployed template.

What stands in a fence of `sh` is run, one command after the other in one shell, as a reader would
paste it. A command must succeed, unless a comment behind it says `# refused: …`: then it must fail
and say that. Other fences (those that start the stack, or deploy to AWS) are for reading.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.client.config import ENVIRONMENT_VARIABLE, Config, save
from tests.end_to_end.conftest import PROJECT_ROOT

README = PROJECT_ROOT / "README.md"
_FENCE = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_REFUSED = re.compile(r"# refused: (.+)$", re.MULTILINE)
SECONDS_MAX = 480  # a process for each command; 60 s where nothing else runs


@dataclass(frozen=True)
class Ran:
    """A command of the README: its text, its exit code, and all that it printed."""

    command: str
    code: int
    output: str


def commands_in(page: str) -> list[str]:
    """The commands of a page's `sh` fences, in order; one may span lines."""
    found: list[str] = []
    for fence in _FENCE.findall(page):
        pending = ""
        for line in fence.splitlines():
            pending += f"{line}\n"
            if _is_whole(pending):
                found.append(pending)
                pending = ""
        assert not pending, f"an unfinished command: {pending}"
    return [command for command in found if command.strip()]


def _is_whole(text: str) -> bool:
    """Whether a shell has nothing left to wait for."""
    if text.endswith("\\\n"):
        return False
    checked = subprocess.run(
        ["/bin/bash", "-n", "-c", text], capture_output=True, text=True, check=False
    )
    # bash warns, and no more, of a here-document that has no end yet.
    return checked.returncode == 0 and "here-document" not in checked.stderr


def run(commands: list[str], directory: Path, environment: dict[str, str]) -> list[Ran]:
    """Runs the commands in one shell, so that what one exports the next one has."""
    script = "".join(
        f"{{ {command} }} >{directory}/{number}.out 2>&1; echo $? >{directory}/{number}.code\n"
        for number, command in enumerate(commands)
    )
    subprocess.run(
        ["/bin/bash", "-c", script],
        cwd=PROJECT_ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        timeout=SECONDS_MAX,
        check=True,
    )
    return [
        Ran(
            command,
            int((directory / f"{number}.code").read_text()),
            (directory / f"{number}.out").read_text(),
        )
        for number, command in enumerate(commands)
    ]


def test_the_first_ten_minutes_are_as_written(config: Config, tmp_path: Path) -> None:
    """Every command of the README does what the README says, in its order, from the start."""
    path = tmp_path / "config.json"
    save(config, path)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LEDGER"))
    }
    commands = commands_in(README.read_text(encoding="utf-8"))
    assert len(commands) > 20
    wrong = []
    for ran in run(commands, tmp_path, environment | {ENVIRONMENT_VARIABLE: str(path)}):
        refusal = _REFUSED.search(ran.command)
        if refusal is None:
            as_written = ran.code == 0
        else:
            as_written = ran.code != 0 and refusal[1].strip() in ran.output
        if not as_written:
            wrong.append(f"{ran.command}exit {ran.code}\n{ran.output[-2_000:]}")
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def test_commands_are_found_whole() -> None:
    """Continued lines, quotes over lines and here-documents are one command; other fences none."""
    page = (
        "```sh\na \\\n  b\nc 'd\ne'\n\ncat <<'EOF'\nf\nEOF\n```\n"
        "```\nmake run\n```\n```json\n{}\n```\n```sh\ng  # refused: h i\n```\n"
    )
    assert commands_in(page) == [
        "a \\\n  b\n",
        "c 'd\ne'\n",
        "cat <<'EOF'\nf\nEOF\n",
        "g  # refused: h i\n",
    ]
