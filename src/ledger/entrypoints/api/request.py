"""A request as the routes take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from ledger.entrypoints.api.tally import Tally
from ledger.runtime.telemetry import Line


class Request(Struct, frozen=True):
    """A proxy event of API Gateway, its Lambda context, the line of its invocation, and what has
    become of its commands."""

    event: Mapping[str, Any]
    context: object
    line: Line
    tally: Tally
