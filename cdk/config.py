"""The settings of one stage, read from the context in cdk.json and validated once.

Every field says what it decides; a value that is missing, unknown or out of range stops the
synthesis with the path of the offending setting.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cdk.patterns.workloads import SnapStart

RetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653
]
"""What CloudWatch Logs accepts as a retention, as far as one would want it."""

MappingConcurrency = Annotated[int, Meta(ge=2, le=1000)]
"""Lambda's own bounds for the maximum concurrency of an SQS mapping."""


_UNGATHERED_MAX = 10


class InvalidConfigError(ValueError):
    """The context of cdk.json does not describe a stage; the message says where and why."""


class QueueConcurrency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many batches of each queue are handled at once, at most."""

    commands: MappingConcurrency
    commands_fifo: MappingConcurrency
    system_commands: MappingConcurrency
    balances: MappingConcurrency
    history: MappingConcurrency
    payments: MappingConcurrency
    notifications: MappingConcurrency
    fraud: MappingConcurrency
    webhooks: MappingConcurrency
    webhook_deliveries: MappingConcurrency


class Batching(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How messages of a queue are handed to a function: at most `size` at once, gathered for
    `window_s` seconds. Up to ten need no window, and from a FIFO queue there is none. With one, a
    message waits for half of it on average; but where there is very little traffic, Lambda may wait
    20 s, however short the window is."""

    size: Annotated[int, Meta(ge=1, le=10_000)]
    window_s: Annotated[int, Meta(ge=0, le=300)]

    def __post_init__(self) -> None:
        """Lambda's own rule."""
        if self.size > _UNGATHERED_MAX and not self.window_s:
            raise ValueError(f"a batch of more than {_UNGATHERED_MAX} needs a window of a second")


class QueueBatching(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the standard queues that much arrives in are handed over."""

    commands: Batching
    projections: Batching
    notifications: Batching
    fraud: Batching
    webhooks: Batching


class ReservedConcurrency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Workers set aside for a function, its ceiling as well; absent: it shares the account's."""

    Api: Annotated[int, Meta(ge=1)] | None = None
    Commands: Annotated[int, Meta(ge=1)] | None = None
    Expiry: Annotated[int, Meta(ge=1)] | None = None
    Relay: Annotated[int, Meta(ge=1)] | None = None
    Balances: Annotated[int, Meta(ge=1)] | None = None
    History: Annotated[int, Meta(ge=1)] | None = None
    Payments: Annotated[int, Meta(ge=1)] | None = None
    Query: Annotated[int, Meta(ge=1)] | None = None
    Notifications: Annotated[int, Meta(ge=1)] | None = None
    Fraud: Annotated[int, Meta(ge=1)] | None = None
    Reviews: Annotated[int, Meta(ge=1)] | None = None


class StageConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stage's settings: `stage` is its key in the context's `stages`, the rest stands there."""

    stage: Annotated[str, Meta(pattern="^[a-z][a-z0-9]{0,11}$")]
    # What happens to tables, bucket and keys when a stack is deleted or a resource replaced.
    removal: Literal["retain", "destroy"]
    # Tables refuse to be deleted, the data stack to be destroyed.
    deletion_protection: bool
    # Days of point-in-time recovery of every table; 0 switches it off.
    point_in_time_recovery_days: Annotated[int, Meta(ge=0, le=35)]
    log_retention_days: RetentionDays
    # How far back published events can be replayed from the archive.
    archive_retention_days: Annotated[int, Meta(ge=1)]
    # How long payloads that the relay could not publish are kept.
    relay_failures_retention_days: Annotated[int, Meta(ge=1)]
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"]
    # States that each worker which decides commands remembers, some 2 KB each; 0 switches it off.
    cached_states: Annotated[int, Meta(ge=0, le=50_000)]
    api_requests_per_second: Annotated[int, Meta(ge=1, le=10_000)]
    api_burst: Annotated[int, Meta(ge=1, le=5_000)]
    queue_concurrency: QueueConcurrency
    # Of commands that keep no order: what is handed over at once is committed together, and the
    # window is what a command may wait for others (a FIFO queue has none, and ten at most).
    queue_batching: QueueBatching
    reserved_concurrency: ReservedConcurrency
    # For how long the relay gathers events, so that more of them share an entry of the bus and a
    # message of each queue, which are paid for by number: what a projection may lag for that, half
    # of it on average. 0: what there is goes at once.
    relay_window_s: Annotated[int, Meta(ge=0, le=300)]
    # Which functions begin from a snapshot of their start, instead of starting (workloads.py).
    snap_start: SnapStart
    # Subscribed to the alarm topic when given.
    alarm_email: Annotated[str, Meta(pattern="^[^@\\s]+@[^@\\s]+$")] | None = None

    def __post_init__(self) -> None:
        """Check what spans fields: queues may not start more workers than a function may have."""
        needs = {
            "Commands": self.queue_concurrency.commands
            + self.queue_concurrency.commands_fifo
            + self.queue_concurrency.system_commands,
            "Balances": self.queue_concurrency.balances,
            "History": self.queue_concurrency.history,
            "Payments": self.queue_concurrency.payments,
            "Notifications": self.queue_concurrency.notifications,
            "Fraud": self.queue_concurrency.fraud,
        }
        for function, needed in needs.items():
            reserved: int | None = getattr(self.reserved_concurrency, function)
            if reserved is not None and reserved < needed:
                # Throttled polls raise the receive count: healthy messages would end in the DLQ.
                raise ValueError(
                    f"reserved_concurrency.{function} is {reserved}, "
                    f"but its queues may start {needed} workers at once"
                )

    @property
    def prefix(self) -> str:
        """The beginning of every physical name of this stage."""
        return f"ledger-{self.stage}"

    def name(self, suffix: str) -> str:
        """The physical name of a resource of this stage."""
        return f"{self.prefix}-{suffix}"


def stage_config(stage: object, stages: object) -> StageConfig:
    """The settings of `stage` among `stages`, both as the CDK context holds them.

    Raises InvalidConfigError with the place and the reason.
    """
    if not isinstance(stages, dict) or not stages:
        raise InvalidConfigError(
            "cdk.json: context key `stages` must be an object with one entry a stage"
        )
    if not isinstance(stage, str) or stage not in stages:
        raise InvalidConfigError(
            f"stage {stage!r} is not in cdk.json; known stages: {', '.join(stages)}"
        )
    settings = stages[stage]
    if not isinstance(settings, dict):
        raise InvalidConfigError(f"cdk.json: stages.{stage} must be an object")
    try:
        return msgspec.convert({**settings, "stage": stage}, StageConfig)
    except msgspec.ValidationError as error:
        raise InvalidConfigError(f"cdk.json: stages.{stage}: {error}") from error
