"""What the function of a consumer finds around itself."""

from __future__ import annotations

from ledger.consuming.batches import World
from ledger.runtime.host import Host


def deployed_world(host: Host, queue_url: str, *, sqs_attempts: int = 3) -> World:
    """The clients, clock and chance of a function that consumes the queue at `queue_url`."""
    return {
        "sqs": host.sqs(attempts=sqs_attempts),
        "queue_url": queue_url,
        "random": host.chance,
        "clock": host.clock,
        "telemetry": host.telemetry(),
    }
