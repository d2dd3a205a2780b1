"""What functions printed is found again, in order, without what Lambda says around it."""

import time
from pathlib import Path

import pytest

from sandbox.endpoint import Endpoint
from sandbox.engine import EngineOptions, running_engine
from sandbox.logs import function_output
from sandbox.stack import EMULATOR_ENVIRONMENT
from sandbox.workspace import claimed

pytestmark = pytest.mark.emulator

ENVIRONMENT = Path(__file__).resolve().parents[3] / EMULATOR_ENVIRONMENT


def write(endpoint: Endpoint, group: str, lines: list[tuple[int, str]]) -> None:
    logs = endpoint.session().client("logs", **endpoint.client_arguments())
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="worker")
    logs.put_log_events(
        logGroupName=group,
        logStreamName="worker",
        logEvents=[{"timestamp": at, "message": message} for at, message in lines],
    )


def test_lines_of_all_functions_come_in_the_order_of_printing(tmp_path: Path) -> None:
    """Only functions', only recent ones, each after the name of its function."""
    now_ms = int(time.time() * 1000)
    api = [(now_ms - 120_000, "old"), (now_ms - 30, "START x"), (now_ms - 20, "first\n")]
    with (
        claimed(tmp_path) as workspace,
        running_engine(workspace, ENVIRONMENT, EngineOptions(region="eu-central-1")) as endpoint,
    ):
        write(endpoint, "/aws/lambda/api", [*api, (now_ms, "third"), (now_ms, "fourth")])
        write(endpoint, "/aws/lambda/relay", [(now_ms - 10, "second")])
        write(endpoint, "/access", [(now_ms, "of no function")])

        printed = function_output(endpoint, seconds=60)

    assert printed == ["api: first", "relay: second", "api: third", "api: fourth"]
