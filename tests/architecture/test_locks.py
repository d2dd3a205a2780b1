"""The lock files: whole, verifiable, and telling nothing of the machine that made them."""

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
LOCKS = sorted(REQUIREMENTS.glob("*.lock"))
PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9-]*)==(?P<version>\S+)(?: ; (?P<marker>[^\\]+))? \\$")


def entries(lock: Path) -> list[str]:
    """The requirements of `lock`, each with the hashes that follow it; comments left out."""
    lines = [line for line in lock.read_text().splitlines() if not line.lstrip().startswith("#")]
    return re.split(r"\n(?=\S)", "\n".join(lines))


def versions(lock: Path) -> set[tuple[str, str]]:
    """The name and version of everything in `lock`."""
    pins = [PIN.match(entry.splitlines()[0]) for entry in entries(lock)]
    return {(pin["name"], pin["version"]) for pin in pins if pin}


def test_there_are_the_five_locks_that_make_installs() -> None:
    """Each lock has its purpose; one more would be maintained by nobody."""
    assert [lock.name for lock in LOCKS] == [
        "bench.lock",
        "dev.lock",
        "emulator.lock",
        "installer.lock",
        "lambda.lock",
    ]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_is_exact_versions_with_hashes_and_nothing_else(lock: Path) -> None:
    """So it names no index, no path, no option: any mirror serves it, and none can alter it."""
    for entry in entries(lock):
        first, *rest = entry.splitlines()
        assert PIN.match(first), f"not an exact version: {first}"
        assert rest, f"no hashes: {first}"
        for line in rest:
            assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line), line


def test_functions_run_with_the_versions_the_tests_ran_with() -> None:
    """What is bundled for Lambda is a part of the development lock, version by version."""
    bundled = versions(REQUIREMENTS / "lambda.lock")
    assert bundled
    assert bundled <= versions(REQUIREMENTS / "dev.lock")


def test_functions_are_bundled_by_the_pip_that_installs_here() -> None:
    """The installer's lock is a part of the development lock, so neither undoes the other."""
    assert versions(REQUIREMENTS / "installer.lock") <= versions(REQUIREMENTS / "dev.lock")


def test_functions_carry_no_tool_of_ours() -> None:
    """Neither the command line nor the CDK nor a test library is paid for at every cold start."""
    bundled = {name for name, _ in versions(REQUIREMENTS / "lambda.lock")}
    assert bundled & {"typer", "rich", "aws-cdk-lib", "moto", "pytest", "hypothesis"} == set()
