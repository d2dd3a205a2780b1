"""What AWS limits in one account and Region, as far as the ledger's stack can meet it.

Values are the defaults of us-east-1. A quota that can be raised is raised on request, by as much as
AWS agrees to; one that cannot is a fact to build around. Looked up in November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct


class Quota(Struct, frozen=True):
    """At most so much of it, in `unit`; whether it `can_be_raised`, and where AWS says so."""

    limit: float
    unit: str
    can_be_raised: bool
    source: str


_DYNAMODB: Final = "Amazon DynamoDB developer guide, Quotas (Limits.html)"
_SQS: Final = "Amazon SQS developer guide, Message quotas (quotas-messages.html)"
_EVENTBRIDGE: Final = "Amazon EventBridge user guide, Quotas (eb-quota.html)"

#: Of what demand is measured in; see demand.py.
QUOTAS: Final[Mapping[str, Quota]] = {
    "api_requests": Quota(
        10_000,
        "requests/s",
        can_be_raised=True,
        source="Amazon API Gateway developer guide, Quotas (limits.html)",
    ),
    "table_writes": Quota(40_000, "write units/s of a table", can_be_raised=True, source=_DYNAMODB),
    "table_reads": Quota(40_000, "read units/s of a table", can_be_raised=True, source=_DYNAMODB),
    "partition_writes": Quota(
        1_000,
        "write units/s of a partition",
        can_be_raised=False,
        source="Amazon DynamoDB developer guide, Burst and adaptive capacity",
    ),
    "new_table_writes": Quota(
        4_000,
        "write units/s of a new on-demand table",
        can_be_raised=True,
        source="Amazon DynamoDB developer guide, On-demand capacity mode: warm throughput",
    ),
    "concurrency": Quota(
        1_000,
        "functions at work",
        can_be_raised=True,
        source="AWS Lambda developer guide, Quotas (gettingstarted-limits.html)",
    ),
    "queue_mapping": Quota(
        1_250,
        "functions at work for one queue",
        can_be_raised=True,
        source="AWS Lambda developer guide, Scaling of SQS mappings (services-sqs-scaling.html)",
    ),
    "bus_requests": Quota(10_000, "PutEvents/s", can_be_raised=True, source=_EVENTBRIDGE),
    "bus_invocations": Quota(18_750, "targets reached/s", can_be_raised=True, source=_EVENTBRIDGE),
    "fifo_requests": Quota(
        70_000, "calls/s of one operation on a FIFO queue", can_be_raised=True, source=_SQS
    ),
    "queue_in_flight": Quota(
        120_000, "messages being worked on, of a queue", can_be_raised=True, source=_SQS
    ),
}
