"""Every invocation leaves one line, which carries its metrics."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ledger.runtime.telemetry import Line, Telemetry, named, powertools_telemetry

CONTEXT = SimpleNamespace(aws_request_id="request-1")


def test_one_line_is_written_when_the_invocation_ends() -> None:
    """Not before, and with everything that was said until then."""
    lines: list[Line] = []
    with Telemetry(lines.append).invocation(CONTEXT) as line:
        line.count("Messages", 3)
        line.milliseconds("LagMilliseconds", 250)
        line.seconds("OldestDueSeconds", 90)
        line.note("failures", {"unknown_event": 1})
        line.warn()
        assert lines == []
    assert lines == [
        Line(
            level="warning",
            metrics={
                "Messages": ("Count", 3),
                "LagMilliseconds": ("Milliseconds", 250),
                "OldestDueSeconds": ("Seconds", 90),
            },
            notes={
                "request_id": "request-1",
                "cold_start": True,
                "failures": {"unknown_event": 1},
            },
        )
    ]


def test_only_the_first_invocation_is_a_cold_start() -> None:
    """A worker starts once."""
    lines: list[Line] = []
    telemetry = Telemetry(lines.append)
    for _ in range(2):
        with telemetry.invocation(CONTEXT):
            pass
    assert ["cold_start" in line.notes for line in lines] == [True, False]


def test_an_exception_is_named_without_its_text_and_goes_on() -> None:
    """The text may quote a body, which must reach no log."""
    lines: list[Line] = []
    telemetry = Telemetry(lines.append)

    def fail() -> None:
        with telemetry.invocation(None) as line:
            line.count("Messages", 1)
            raise ValueError("IBAN DE02120300000000202051")

    with pytest.raises(ValueError, match="IBAN"):
        fail()
    assert lines[0].level == "error"
    assert lines[0].notes["exception"] == "ValueError"
    assert lines[0].metrics == {"Messages": ("Count", 1)}
    assert "IBAN" not in repr(lines)


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """The environment of a function, and its name: loggers of one name share their stream."""
    name = str(request.node.name)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", name)
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Ledger")
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    return name


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines on standard output since the last call."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_line_is_json_with_the_metrics_embedded(
    function: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """CloudWatch finds every metric by its name in the same line, under service and namespace;
    and a high LOG_LEVEL does not silence it."""
    telemetry = powertools_telemetry()
    with telemetry.invocation(CONTEXT) as line:
        line.count("Messages", 3)
        line.milliseconds("LagMilliseconds", 250)
        line.note("failures", {"unknown_event": 1})
    (shown,) = written(capsys)
    assert shown["level"] == "INFO"
    assert shown["service"] == function
    assert shown["request_id"] == "request-1"
    assert shown["failures"] == {"unknown_event": 1}
    assert shown["Messages"] == [3]
    assert shown["LagMilliseconds"] == [250]
    assert isinstance(shown["_aws"]["Timestamp"], int)
    assert shown["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Ledger",
            "Dimensions": [["service"]],
            "Metrics": [
                {"Name": "Messages", "Unit": "Count"},
                {"Name": "LagMilliseconds", "Unit": "Milliseconds"},
            ],
        }
    ]


@pytest.mark.usefixtures("function")
def test_metrics_of_one_invocation_do_not_reach_the_next(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A worker handles many events; each line has its own figures only."""
    telemetry = powertools_telemetry()
    with telemetry.invocation(CONTEXT) as line:
        line.count("Messages", 3)
        line.note("reason", "contention")
    with telemetry.invocation(CONTEXT) as line:
        line.count("Writes", 2)
    with telemetry.invocation(CONTEXT):
        pass
    first, second, third = written(capsys)
    assert first["Messages"] == [3]
    assert second["Writes"] == [2]
    assert "Messages" not in second
    assert "reason" not in second
    assert "_aws" not in third


@pytest.mark.usefixtures("function")
def test_a_usual_line_is_short(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Log bytes are paid for at every invocation: a projection's line stays below 700."""
    telemetry = powertools_telemetry()
    with telemetry.invocation(CONTEXT):
        pass
    with telemetry.invocation(SimpleNamespace(aws_request_id="x" * 36)) as line:
        for name in ("Messages", "MessagesFailed", "Writes", "WritesOutdated"):
            line.count(name, 100)
        line.milliseconds("LagMilliseconds", 12_345)
    assert len(json.dumps(written(capsys)[1])) < 700


def test_an_aws_error_is_named_by_code_and_call_and_nothing_else() -> None:
    """A missing grant shows in the log; what the error's text quotes does not."""
    response: Any = {"Error": {"Code": "AccessDeniedException", "Message": "on arn:secret"}}
    assert named(ClientError(response, "PutItem")) == "ClientError:AccessDeniedException:PutItem"
    assert named(ValueError("4111 1111 1111 1111")) == "ValueError"
