"""The emulator's process: started, waited for, ended.

It is `ministack`, run by an interpreter of its own environment, which runs the functions too,
whatever their template says: bundles are made for that very Python. It listens on 127.0.0.1 only,
gets nothing of our environment, and keeps nothing from one start to the next.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sandbox.certificate import Certificate, make_certificate
from sandbox.endpoint import ACCOUNT, SECRET_ACCESS_KEY, Endpoint
from sandbox.errors import SandboxError
from sandbox.workspace import Workspace

_HOST = "127.0.0.1"
_KEEPER = Path(__file__).with_name("keeper.py")
_UP_SECONDS_MAX = 30.0  # 0.5 s on an idle machine; a test run shares two cores
_END_SECONDS_MAX = 10.0
_POLL_SECONDS = 0.05
_LOG_TAIL_LINES = 25
# Seconds that an idle connection stays open: longer than our clients keep theirs, so that none is
# closed while a request is under way.
_KEEP_ALIVE_SECONDS = 75

# What an environment must answer before it may run the functions.
_ABOUT = "import sys, ministack; print(sys.implementation.cache_tag)"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """`port` None: a free one. `enforce_iam`: over TLS, every request judged by IAM policies.

    `code` is what functions import from, as if it were the archive they were created with. The
    emulator would unpack that archive anew for every worker: 1,700 files are half a second of an
    idle machine, and half a minute where a dozen workers start at once on two busy cores.
    """

    region: str
    code: Path | None = None
    port: int | None = None
    enforce_iam: bool = False


@contextmanager
def running_engine(
    workspace: Workspace, environment: Path, options: EngineOptions
) -> Iterator[Endpoint]:
    """An empty emulator, healthy, until the block is left or this process ends in any way.

    `environment` is the virtual environment that ministack is installed in. Raises SandboxError
    when it is not, or made for another Python, when the port is taken, or when the emulator does
    not come up.
    """
    python = _checked_python(environment)
    port = options.port if options.port is not None else _free_port()
    _check_free(port)
    certificate = make_certificate(workspace.scratch) if options.enforce_iam else None
    endpoint = Endpoint(
        endpoint_url=f"{'https' if certificate else 'http'}://{_HOST}:{port}",
        region=options.region,
        ca_bundle=certificate.certificate if certificate else None,
        log_file=workspace.log_file,
    )
    with workspace.log_file.open("wb") as log:
        process = subprocess.Popen(
            [
                *(str(python), "-I", "-S", str(_KEEPER)),
                *_command(python, workspace, port, certificate),
            ],
            stdin=subprocess.PIPE,  # closed by the kernel when we end: see keeper.py
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=workspace.scratch,
            env=_environment(workspace, options, port, certificate),
            start_new_session=True,  # Ctrl-C is for us: we end the group in order
        )
    try:
        _wait_until_healthy(endpoint, process)
        yield endpoint
    finally:
        _end(process)


def _checked_python(environment: Path) -> Path:
    python = environment.absolute() / "bin" / "python"  # it starts in another directory
    hint = f"remove {environment} and run make again"
    if not python.exists():
        raise SandboxError(f"the emulator is not installed in {environment}: run it through make")
    asked = subprocess.run(
        [str(python), "-I", "-c", _ABOUT], capture_output=True, text=True, check=False
    )
    if asked.returncode != 0:
        raise SandboxError(f"the emulator does not run, {hint}:\n{asked.stderr.strip()}")
    theirs, ours = asked.stdout.strip(), sys.implementation.cache_tag
    if theirs != ours:
        raise SandboxError(
            f"the emulator has {theirs}, but the functions are bundled for {ours}: {hint}"
        )
    return python


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        # As servers do, or a port that was in use a minute ago would seem taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise SandboxError(
                f"port {port} of {_HOST} cannot be used ({error.strerror}): give another one"
            ) from error


def _command(
    python: Path, workspace: Workspace, port: int, certificate: Certificate | None
) -> list[str]:
    """ministack as the application it is: its own command would open port 443 as well under TLS."""
    tls = (
        ["--certfile", str(certificate.certificate), "--keyfile", str(certificate.key)]
        if certificate
        else []
    )
    return [
        *(str(python), "-I", "-m", "hypercorn", "ministack.app:app"),
        *("--bind", f"{_HOST}:{port}", "--workers", "0", "--keep-alive", str(_KEEP_ALIVE_SECONDS)),
        *("--pid", str(workspace.pid_file)),
        *tls,
    ]


def _environment(
    workspace: Workspace, options: EngineOptions, port: int, certificate: Certificate | None
) -> Mapping[str, str]:
    """All of the emulator's environment; functions inherit it, so it is nothing of ours."""
    scratch = str(workspace.scratch)
    plain = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "HOME": scratch,  # no ~/.aws
        "TMPDIR": scratch,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": _HOST,  # the host of queue URLs; a name could resolve to IPv6
        "MINISTACK_REGION": options.region,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "IOT_MTLS_ENABLED": "0",  # both would listen on ports of their own
        "SFTP_ENABLED": "0",
    }
    if options.code is not None:
        # First on the path of functions, but for the (empty) archive; the emulator, run with -I,
        # does not see it.
        plain["PYTHONPATH"] = str(options.code.resolve())
    if certificate is None:
        return plain
    trusted = str(certificate.certificate)
    return {
        **plain,
        "AUTH": "true",
        "USE_SSL": "1",  # functions are then told an https endpoint
        "MINISTACK_SSL_CERT": trusted,
        "MINISTACK_SSL_KEY": str(certificate.key),
        "AWS_CA_BUNDLE": trusted,
    }


def _wait_until_healthy(endpoint: Endpoint, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _UP_SECONDS_MAX
    while not endpoint.is_healthy():
        if process.poll() is not None:
            raise SandboxError(
                f"the emulator ended while starting:\n{_log_tail(endpoint.log_file)}"
            )
        if time.monotonic() > deadline:
            raise SandboxError(
                f"the emulator did not come up within {_UP_SECONDS_MAX:.0f} s:\n"
                f"{_log_tail(endpoint.log_file)}"
            )
        time.sleep(_POLL_SECONDS)


def _log_tail(log_file: Path) -> str:
    lines = log_file.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-_LOG_TAIL_LINES:])


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the keeper's whole group: the emulator and its functions."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdin is not None:
        process.stdin.close()
    process.wait(timeout=_END_SECONDS_MAX)
