"""Building a handler at its first call, so that importing its module creates nothing.

Unless Lambda initialises a worker before anybody calls it: then it is built while nobody waits. A
worker that begins from a snapshot was initialised when its version was published.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, TypeVar

from ledger.runtime.host import AwsHost, Host

Event = dict[str, Any]
_Answer = TypeVar("_Answer")

#: Lambda's own variable, and its values for workers that are initialised before they are called.
_INITIALIZATION: Final = "AWS_LAMBDA_INITIALIZATION_TYPE"
_FROM_SNAPSHOT: Final = "snap-start"
_AHEAD: Final = frozenset({_FROM_SNAPSHOT, "provisioned-concurrency"})


def on_first_call(
    build: Callable[[Host], Callable[[Event, object], _Answer]],
) -> Callable[[Event, object], _Answer]:
    """A handler that has `build` make one for AWS at its first call, and calls that.

    A `build` that raises (a setting is missing) is tried again at the next call. Not thread-safe:
    a worker of AWS Lambda handles one event at a time.

    Where workers are initialised ahead, it is made now, and a `build` that raises fails the
    deployment. It connects to nothing yet: what is frozen in a snapshot are clients without a
    connection, which ask for credentials when they need them.
    """
    built: list[Callable[[Event, object], _Answer]] = []

    def handler(event: Event, context: object) -> _Answer:
        if not built:
            built.append(build(AwsHost()))
        return built[0](event, context)

    initialization = os.environ.get(_INITIALIZATION)
    if initialization in _AHEAD:
        built.append(build(AwsHost()))
    if initialization == _FROM_SNAPSHOT:
        _draw_anew_after_restore()
    return handler


def _draw_anew_after_restore() -> None:
    """Workers of one snapshot must not draw the same numbers.

    Ours come from the operating system, which is fresh in each of them (`AwsHost.chance`); the SDK
    draws the pauses before its retries from Python's own generator, which is not.
    """
    hooks = import_module("snapshot_restore_py")  # of Lambda's own Python runtimes
    hooks.register_after_restore(random.seed)
