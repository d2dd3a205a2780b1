"""The emulator comes up empty and alone, says why it does not, and ends however its user ends."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from sandbox.endpoint import Endpoint
from sandbox.engine import EngineOptions, running_engine
from sandbox.errors import SandboxError
from sandbox.stack import EMULATOR_ENVIRONMENT
from sandbox.workspace import claimed
from tests.unit.sandbox.processes import all_end

pytestmark = pytest.mark.emulator

PROJECT_ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = PROJECT_ROOT / EMULATOR_ENVIRONMENT
OPTIONS = EngineOptions(region="eu-central-1")

# A run of its own, as `ledger up` is one: says where the emulator is, then waits for ever.
RUN = f"""
import sys, time
from pathlib import Path
from sandbox.engine import EngineOptions, running_engine
from sandbox.workspace import claimed
from tests.unit.sandbox.processes import all_end
with claimed(Path(sys.argv[1])) as workspace, running_engine(
    workspace, Path({str(ENVIRONMENT)!r}), EngineOptions(region="eu-central-1")
) as endpoint:
    print(endpoint.endpoint_url, flush=True)
    time.sleep(60)
"""


def answers(endpoint_url: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(endpoint_url).netloc, timeout=10)
    try:
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def stops_answering(endpoint_url: str) -> bool:
    """Whether the emulator is gone within 5 seconds."""
    deadline = time.monotonic() + 5
    while answers(endpoint_url):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def start_run(workspace: Path) -> tuple[subprocess.Popen[str], str]:
    """A run in a process of its own, and its endpoint once the emulator is up."""
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(workspace)], stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    return run, run.stdout.readline().strip()


def bus_names(endpoint: Endpoint) -> list[str]:
    events = endpoint.session().client("events", **endpoint.client_arguments())
    return [bus["Name"] for bus in events.list_event_buses()["EventBuses"]]


def test_emulator_is_up_inside_the_block_and_gone_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes calls of its own account, on a port of its own, on loopback."""
    monkeypatch.chdir(PROJECT_ROOT)  # paths may be relative
    environment = Path(EMULATOR_ENVIRONMENT)
    with (
        claimed(tmp_path) as workspace,
        running_engine(workspace, environment, OPTIONS) as endpoint,
    ):
        assert endpoint.is_healthy()
        assert endpoint.endpoint_url.startswith("http://127.0.0.1:")
        sts = endpoint.session().client("sts", **endpoint.client_arguments())
        assert sts.get_caller_identity()["Account"] == endpoint.account

    assert not endpoint.is_healthy()


def test_nothing_is_kept_between_starts(tmp_path: Path) -> None:
    """What one run made, the next does not find."""
    with (
        claimed(tmp_path) as workspace,
        running_engine(workspace, ENVIRONMENT, OPTIONS) as endpoint,
    ):
        events = endpoint.session().client("events", **endpoint.client_arguments())
        events.create_event_bus(Name="left-behind")
        assert "left-behind" in bus_names(endpoint)

    with (
        claimed(tmp_path) as workspace,
        running_engine(workspace, ENVIRONMENT, OPTIONS) as endpoint,
    ):
        assert bus_names(endpoint) == ["default"]


def test_environment_of_the_user_does_not_reach_the_emulator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Functions inherit the emulator's environment: ours would change what they do."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.setenv(name, "leaked")
    with claimed(tmp_path) as workspace, running_engine(workspace, ENVIRONMENT, OPTIONS):
        environment = Path(f"/proc/{workspace.pid_file.read_text()}/environ")
        if not environment.exists():
            pytest.skip("the environment of a process cannot be read here")
        assert b"leaked" not in environment.read_bytes()


def test_taken_port_is_refused_by_name(tmp_path: Path) -> None:
    """Before anything is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        options = EngineOptions(region="eu-central-1", port=port)

        with (
            claimed(tmp_path) as workspace,
            pytest.raises(SandboxError, match=f"port {port} of 127.0.0.1"),
            running_engine(workspace, ENVIRONMENT, options),
        ):
            pass


def test_missing_environment_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """The emulator is installed by make."""
    with (
        claimed(tmp_path) as workspace,
        pytest.raises(SandboxError, match="make"),
        running_engine(workspace, tmp_path / "nowhere", OPTIONS),
    ):
        pass


def test_environment_without_the_emulator_is_refused(tmp_path: Path) -> None:
    """With what its interpreter said."""
    without = Path(sys.executable).parent.parent

    with (
        claimed(tmp_path) as workspace,
        pytest.raises(SandboxError, match="No module named 'ministack'"),
        running_engine(workspace, without, OPTIONS),
    ):
        pass


def test_emulator_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    """Here its temporary files cannot be made."""
    with claimed(tmp_path) as workspace:
        workspace.pid_file.mkdir()  # in the place of a file that it writes at start
        try:
            with (
                pytest.raises(SandboxError, match=r"ended while starting(.|\n)*IsADirectoryError"),
                running_engine(workspace, ENVIRONMENT, OPTIONS),
            ):
                pass
        finally:
            workspace.pid_file.rmdir()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_emulator_ends_with_its_user_however_that_ends(tmp_path: Path, how: signal.Signals) -> None:
    """Ctrl-C, a polite and an impolite kill; a second start then works at once."""
    run, endpoint_url = start_run(tmp_path)
    with run:
        assert answers(endpoint_url)
        run.send_signal(how)
    assert stops_answering(endpoint_url)

    with (
        claimed(tmp_path) as workspace,
        running_engine(workspace, ENVIRONMENT, OPTIONS) as endpoint,
    ):
        assert endpoint.is_healthy()


def test_emulator_that_outlived_its_user_is_replaced(tmp_path: Path) -> None:
    """The worst case: its keeper was killed before the run was."""
    run, endpoint_url = start_run(tmp_path)
    engine = int((tmp_path / "engine.pid").read_text())
    keeper = os.getpgid(engine)
    with run:
        os.kill(keeper, signal.SIGKILL)
        assert all_end(keeper)
        run.kill()
    assert answers(endpoint_url)

    with (
        claimed(tmp_path) as workspace,
        running_engine(workspace, ENVIRONMENT, OPTIONS) as endpoint,
    ):
        assert endpoint.is_healthy()
        assert all_end(engine)


def test_enforcing_emulator_speaks_tls_and_knows_its_callers(tmp_path: Path) -> None:
    """The account's root may do anything; a key that nobody issued nothing."""
    options = EngineOptions(region="eu-central-1", enforce_iam=True)
    with (
        claimed(tmp_path) as workspace,
        running_engine(workspace, ENVIRONMENT, options) as endpoint,
    ):
        assert endpoint.endpoint_url.startswith("https://")
        assert endpoint.is_healthy()
        arguments = endpoint.client_arguments()
        dynamodb = endpoint.session().client("dynamodb", **arguments)
        assert dynamodb.list_tables()["TableNames"] == []

        stranger = endpoint.session().client(
            "dynamodb", **arguments, aws_access_key_id="AKIASTRANGER", aws_secret_access_key="key"
        )
        with pytest.raises(stranger.exceptions.ClientError, match="UnrecognizedClientException"):
            stranger.list_tables()
