"""Queues: each with its dead-letter queue, filled by EventBridge rules, drained by functions."""

from collections.abc import Mapping

import aws_cdk as core
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.config import Batching, StageConfig
from cdk.patterns.bus import Bus
from cdk.patterns.encryption import EncryptionKey, use_of_key
from cdk.patterns.python_function import PythonFunction

# Receives before a message is dead. Failing handlers shorten its visibility with backoff, so that
# this takes from seconds to some minutes, not five times the visibility time-out.
RECEIVES_MAX = 5
_AGE_MAX_S = 300  # five minutes behind: consumers are down, or too slow for the load
# Age counts from the first queue: four days to be handled leave ten to look at a dead letter.
_RETENTION = core.Duration.days(4)
_DEAD_LETTER_RETENTION = core.Duration.days(14)
_VISIBILITY_FACTOR = 6  # of the function's time-out, as Lambda asks for


class BufferedQueue(Construct):
    """A queue with its dead-letter queue, both encrypted, TLS only.

    The dead-letter queue holds whatever the queue's consumer did not get or could not handle: dead
    messages, those its handler gave up, and those EventBridge could not deliver.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        key: EncryptionKey,
        name: str,
        handled_within: core.Duration,
        fifo: bool = False,
        receives_max: int = RECEIVES_MAX,
        age_max_s: int = _AGE_MAX_S,
    ) -> None:
        """`handled_within` is the time-out of the function that will drain it; `age_max_s` how old
        a message may become before someone is told."""
        super().__init__(scope, id)
        suffix = ".fifo" if fifo else ""
        self.key = key
        self.age_max_s = age_max_s
        self.queue_name = config.name(f"{name}{suffix}")
        self.dead_letter_name = config.name(f"{name}-dlq{suffix}")
        self.dead_letters = dead_letter_queue(
            self, "DeadLetters", key=key, queue_name=self.dead_letter_name, fifo=fifo
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=self.queue_name,
            fifo=fifo or None,
            # Senders give the deduplication id: it is the command's id, not the text's hash.
            content_based_deduplication=False if fifo else None,
            # High throughput: order and quota hold per message group.
            deduplication_scope=sqs.DeduplicationScope.MESSAGE_GROUP if fifo else None,
            fifo_throughput_limit=sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID if fifo else None,
            visibility_timeout=core.Duration.seconds(
                _VISIBILITY_FACTOR * int(handled_within.to_seconds())
            ),
            retention_period=_RETENTION,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=receives_max
            ),
        )


def dead_letter_queue(
    scope: Construct, id: str, *, key: EncryptionKey, queue_name: str, fifo: bool = False
) -> sqs.Queue:
    """A queue where messages wait for a person: encrypted, TLS only, kept for fourteen days."""
    return sqs.Queue(
        scope,
        id,
        queue_name=queue_name,
        fifo=fifo or None,
        retention_period=_DEAD_LETTER_RETENTION,
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        enforce_ssl=True,
    )


class Delivery(Construct):
    """A rule that brings events of a bus, whole, into a queue or else into that queue's DLQ."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        bus: Bus,
        name: str,
        description: str,
        pattern: Mapping[str, object],
        to: BufferedQueue,
    ) -> None:
        super().__init__(scope, id)
        self.rule_name = config.name(name)
        self.bus_name = bus.bus_name
        self.rule = rule = events.CfnRule(
            self,
            "Rule",
            name=self.rule_name,
            description=description,
            event_bus_name=bus.bus.event_bus_name,
            event_pattern=dict(pattern),
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="queue",
                    arn=to.queue.queue_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                        arn=to.dead_letters.queue_arn
                    ),
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        # The most there is: a day.
                        maximum_event_age_in_seconds=86_400,
                        maximum_retry_attempts=185,
                    ),
                )
            ],
        )
        for queue in (to.queue, to.dead_letters):
            queue.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal("events.amazonaws.com")],
                    actions=["sqs:SendMessage"],
                    resources=[queue.queue_arn],
                    conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
                )
            )


def drain(
    function: PythonFunction,
    id: str,
    queue: BufferedQueue,
    *,
    batching: Batching,
    concurrency_max: int,
) -> lambda_.EventSourceMapping:
    """Feed `queue` to the function's alias, and allow what that needs.

    Messages are acknowledged one by one (partial batch failures), and the function may shorten the
    visibility of those it failed.
    """
    function.may(
        [
            *("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),  # the mapping
            "sqs:ChangeMessageVisibility",  # the handler
        ],
        [queue.queue.queue_arn],
    )
    function.may_statements([use_of_key(queue.key, "sqs", write=False)])
    function.drains.append(queue.queue_name)
    return lambda_.EventSourceMapping(
        function,
        id,
        target=function.alias,
        event_source_arn=queue.queue.queue_arn,
        batch_size=batching.size,
        max_batching_window=core.Duration.seconds(batching.window_s) if batching.window_s else None,
        max_concurrency=concurrency_max,
        report_batch_item_failures=True,
    )
