"""Event source mappings: what brings messages and stream records to functions."""

from __future__ import annotations

from simulation.functions.mappings.queue import QueueMapping
from simulation.functions.mappings.stream import StreamMapping

__all__ = ["QueueMapping", "StreamMapping"]
