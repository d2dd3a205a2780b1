"""The REST API: commands decided while the caller waits, and payments read back.

API Gateway calls `ledger.entrypoints.api.handler`. Nothing is created until it does so.
"""

from __future__ import annotations

from ledger import bootstrap
from ledger.entrypoints.api.routes import Handler, make_handler
from ledger.runtime.clock import wall_clock
from ledger.runtime.lazy import on_first_call
from ledger.runtime.telemetry import powertools_telemetry


def _build() -> Handler:
    parts = bootstrap.command_parts()
    return make_handler(
        commands=parts.commands,
        store=parts.store,
        clock=wall_clock,
        meter=parts.store.meter,
        telemetry=powertools_telemetry(),
    )


handler: Handler = on_first_call(_build)
