"""The REST API: commands decided while the caller waits, and payments read back.

API Gateway calls `ledger.entrypoints.api.handler`. Nothing is created until it does so.
"""

from __future__ import annotations

from ledger import bootstrap
from ledger.entrypoints.api.routes import Handler, make_handler
from ledger.runtime.host import Host
from ledger.runtime.lazy import on_first_call


def build(host: Host) -> Handler:
    """The function. Raises SettingsError."""
    parts = bootstrap.command_parts(host)
    return make_handler(
        commands=parts.commands,
        group=parts.group,
        cache=parts.cache,
        store=parts.store,
        clock=host.clock,
        meter=parts.store.meter,
        telemetry=host.telemetry(),
    )


handler: Handler = on_first_call(build)
