"""Building a handler at its first call, so that importing its module creates nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ledger.runtime.host import AwsHost, Host

Event = dict[str, Any]
_Answer = TypeVar("_Answer")


def on_first_call(
    build: Callable[[Host], Callable[[Event, object], _Answer]],
) -> Callable[[Event, object], _Answer]:
    """A handler that has `build` make one for AWS at its first call, and calls that.

    A `build` that raises (a setting is missing) is tried again at the next call. Not thread-safe:
    a worker of AWS Lambda handles one event at a time.
    """
    built: list[Callable[[Event, object], _Answer]] = []

    def handler(event: Event, context: object) -> _Answer:
        if not built:
            built.append(build(AwsHost()))
        return built[0](event, context)

    return handler
