"""What each function is given: memory, and with it a share of a CPU, and how it starts.

A function has a whole CPU from 1,769 MB on, and less in proportion. What it computes takes longer
on a smaller share and costs the same; what it waits costs more with more memory. So memory is
chosen by who waits for what, from `python -m bench.memory_sizes` (docs/performance.md): cost and
latency of each function for each size, of its measured CPU time and what DynamoDB takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

ONE_CPU_MB: Final = 1769
"""The memory with which Lambda gives a function one CPU (developer guide, "Configure memory")."""

SnapStart = Literal["none", "waited_for", "all"]
"""Which functions begin from a snapshot: none, those that a client waits for, or all."""


@dataclass(frozen=True, slots=True)
class Workload:
    """`waited_for`: a client has the connection open, and sees every cold start. The others are
    behind a queue, a stream or a schedule."""

    memory_mb: int
    waited_for: bool = False

    def resumes(self, snap_start: SnapStart) -> bool:
        """Whether it begins from a snapshot, in a stage that has it so."""
        return snap_start == "all" or (snap_start == "waited_for" and self.waited_for)


#: A client waits for one payment: 512 MB more take off 5 ms of 30, for $0.13 a million.
_DECIDES = Workload(1024, waited_for=True)
#: Decides hundreds at once, one transaction after the other where they share an account: what it
#: computes between two of them is what keeps a hot account waiting.
_DECIDES_MANY = Workload(ONE_CPU_MB)
_ANSWERS = Workload(512, waited_for=True)
#: Mostly waits, and nobody for it.
_FOLLOWS = Workload(512)

WORKLOADS: Final[Mapping[str, Workload]] = {
    "Api": _DECIDES,
    "Balances": _FOLLOWS,
    "Commands": _DECIDES_MANY,
    "Expiry": _FOLLOWS,
    "Fraud": _FOLLOWS,
    "History": _FOLLOWS,
    "Notifications": _FOLLOWS,
    "Payments": _FOLLOWS,
    "Query": _ANSWERS,
    "Relay": _FOLLOWS,
    "Reviews": _ANSWERS,
    "Webhookdelivery": _FOLLOWS,
    "Webhookmanager": _ANSWERS,
    "Webhooks": _FOLLOWS,
}
"""By logical name. A function without a workload is not synthesised: think of it first."""
