"""What the service stack wants to know of each of its parts."""

from typing import Protocol

from cdk.patterns.python_function import PythonFunction
from cdk.patterns.queues import BufferedQueue, Delivery


class Part(Protocol):
    """A construct that brings functions and queues of its own.

    What it lists is watched: each has its alarms. `outputs` are the service stack's, by key; every
    queue has a `<Name>QueueUrl` and a `<Name>DlqUrl`, by which `ledger dead-letters` finds it.
    """

    functions: list[PythonFunction]
    queues: list[BufferedQueue]
    deliveries: list[Delivery]
    outputs: dict[str, str]
