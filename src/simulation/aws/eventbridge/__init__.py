"""Amazon EventBridge: buses with rules that bring events into queues."""

from simulation.aws.eventbridge.service import EventBridge

__all__ = ["EventBridge"]
