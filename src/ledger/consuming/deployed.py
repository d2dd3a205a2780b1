"""What the function of a consumer finds around itself on AWS."""

from __future__ import annotations

from random import SystemRandom

from ledger.consuming.batches import World
from ledger.runtime.clients import sqs_client
from ledger.runtime.clock import wall_clock
from ledger.runtime.telemetry import powertools_telemetry


def deployed_world(queue_url: str) -> World:
    """The clients, clock and chance of a function that consumes the queue at `queue_url`."""
    return {
        "sqs": sqs_client(),
        "queue_url": queue_url,
        "random": SystemRandom().random,
        "clock": wall_clock,
        "telemetry": powertools_telemetry(),
    }
