"""One structured line per invocation, which carries the invocation's metrics as well.

The line is a Powertools log line with CloudWatch's embedded metric format in it: every line written
is paid for by the byte, so the metrics do not get one of their own. Only ids, codes and counts go
into it, never a body, a name or a reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Literal

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import (
    AmazonCloudWatchEMFProvider,
)
from botocore.exceptions import ClientError
from msgspec import Struct

Level = Literal["info", "warning", "error"]
Unit = Literal["Count", "Milliseconds", "Seconds"]
Note = str | int | bool | None | list[str] | dict[str, int]


class Line(Struct):
    """What one invocation has to say; written once, when it ends."""

    level: Level = "info"
    metrics: dict[str, tuple[Unit, int]] = {}
    notes: dict[str, Note] = {}

    def count(self, name: str, value: int) -> None:
        """A metric (its name is the one to alarm on, in CamelCase) that counts something."""
        self.metrics[name] = ("Count", value)

    def milliseconds(self, name: str, value: int) -> None:
        """A metric that is a duration."""
        self.metrics[name] = ("Milliseconds", value)

    def seconds(self, name: str, value: int) -> None:
        """A metric that is a duration of seconds to days."""
        self.metrics[name] = ("Seconds", value)

    def note(self, name: str, value: Note) -> None:
        """A field of the line alone: an id, a code, counts by code."""
        self.notes[name] = value

    def warn(self) -> None:
        """Something went wrong that retries may mend; what was worse stays worse."""
        self.level = "warning" if self.level == "info" else self.level


class Telemetry:
    """Writes one line per invocation to `write`, whatever becomes of it."""

    def __init__(self, write: Callable[[Line], None]) -> None:
        self._write = write
        self._cold = True

    @contextmanager
    def invocation(self, context: object) -> Iterator[Line]:
        """The line of one invocation. An exception is `named` in it and goes on."""
        line = Line()
        line.note("request_id", getattr(context, "aws_request_id", None))
        if self._cold:
            line.note("cold_start", True)
            self._cold = False
        try:
            yield line
        except BaseException as error:
            line.level = "error"
            line.note("exception", named(error))
            raise
        finally:
            self._write(line)


def named(error: BaseException) -> str:
    """An exception as a log may show it: its type, and of AWS's what it is and at which call, so
    that a missing grant is seen. Never its text, which may quote a body."""
    name = type(error).__name__
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        return f"{name}:{code}:{error.operation_name}"
    return name


_MESSAGE: Final = "invocation"


def powertools_telemetry() -> Telemetry:
    """Telemetry on standard output, under POWERTOOLS_SERVICE_NAME and POWERTOOLS_METRICS_NAMESPACE.

    The level is fixed: metrics ride on the line, so LOG_LEVEL must not silence it.
    """
    logger = Logger(level="INFO", location=None, utc=True, use_rfc3339=True)
    write = {"info": logger.info, "warning": logger.warning, "error": logger.error}

    def write_line(line: Line) -> None:
        write[line.level](_MESSAGE, extra={**line.notes, **_embedded(line)})

    return Telemetry(write_line)


def _embedded(line: Line) -> dict[str, object]:
    """The line's metrics in CloudWatch's embedded metric format, as members of the line."""
    if not line.metrics:
        return {}
    provider = AmazonCloudWatchEMFProvider()
    for name, (unit, value) in line.metrics.items():
        provider.add_metric(name=name, unit=unit, value=value)
    return dict(provider.serialize_metric_set())
