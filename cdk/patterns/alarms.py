"""Alarms: what is measured, from which value on, and for how long, one method a kind of resource.

Metrics are named by the physical names that the stage fixes, so that their stack does not
hold on to exports of the others and block their changes.
"""

from collections.abc import Mapping

import aws_cdk as core
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.config import StageConfig
from cdk.patterns.api import LedgerApi
from cdk.patterns.python_function import PythonFunction
from cdk.patterns.queues import BufferedQueue, Delivery
from cdk.patterns.relay import Relay

_QUEUE_AGE_MAX_S = 300  # five minutes behind: consumers are down, or too slow for the load
_RELAY_AGE_MAX_MS = 60_000  # published events lag a minute behind the ledger
_SKEW_REFUSALS_MAX = 5  # a minute: a worker's clock is wrong, not one request's luck


class Alarms(Construct):
    """Makes alarms that notify `topic` when they start and when they end."""

    def __init__(
        self, scope: Construct, id: str, *, config: StageConfig, topic: sns.ITopic
    ) -> None:
        super().__init__(scope, id)
        self._config = config
        self._action = actions.SnsAction(topic)

    def on_queue(self, queue: BufferedQueue) -> None:
        """A message is dead, or messages wait for long."""
        self.on_dead_letters(queue.dead_letter_name)
        self._alarm(
            f"{queue.queue_name}-age",
            "Messages wait: the consumer is down or too slow",
            _metric(
                "AWS/SQS",
                "ApproximateAgeOfOldestMessage",
                {"QueueName": queue.queue_name},
                cloudwatch.Stats.MAXIMUM,
            ),
            above=_QUEUE_AGE_MAX_S,
            minutes=3,
        )

    def on_dead_letters(self, queue_name: str) -> None:
        """A single dead letter needs a person."""
        self._alarm(
            f"{queue_name}-depth",
            "Messages that could not be handled wait in this dead-letter queue",
            _metric(
                "AWS/SQS",
                "ApproximateNumberOfMessagesVisible",
                {"QueueName": queue_name},
                cloudwatch.Stats.MAXIMUM,
            ),
            above=0,
        )

    def on_function(self, function: PythonFunction) -> None:
        """It raised, timed out, or was not allowed to run."""
        for name, description in (
            ("Errors", "Invocations raised or timed out"),
            ("Throttles", "Invocations were refused for want of concurrency"),
        ):
            self._alarm(
                f"{function.function_name}-{name.lower()}",
                description,
                _function_metric(name, function),
                above=0,
                minutes=2,
            )

    def on_delivery(self, delivery: Delivery) -> None:
        """Events did not reach their queue."""
        for metric, suffix, description in (
            ("FailedInvocations", "failed", "EventBridge gave up delivering events to the queue"),
            (
                "InvocationsFailedToBeSentToDlq",
                "lost",
                "Events reached neither the queue nor its dead-letter queue: replay them",
            ),
        ):
            self._alarm(
                f"{delivery.rule_name}-rule-{suffix}",
                description,
                _metric(
                    "AWS/Events",
                    metric,
                    {"EventBusName": delivery.bus_name, "RuleName": delivery.rule_name},
                ),
                above=0,
            )

    def on_relay(self, relay: Relay) -> None:
        """Published events lag, are missing, or somebody has changed the past."""
        name = relay.function.function_name
        self._alarm(
            f"{name}-iterator-age",
            "Events are committed, and published late",
            _function_metric("IteratorAge", relay.function, cloudwatch.Stats.MAXIMUM),
            above=_RELAY_AGE_MAX_MS,
            minutes=3,
        )
        for metric, suffix, description in (
            (
                "OnFailureDestinationDeliveredEventCount",
                "given-up",
                "Events were given up by the relay: they lie in the failure bucket, unpublished",
            ),
            ("DroppedEventCount", "dropped", "Events were dropped by the relay, unpublished"),
        ):
            self._alarm(
                f"{name}-{suffix}",
                description,
                _metric("AWS/Lambda", metric, {"EventSourceMappingUUID": relay.mapping.ref}),
                above=0,
            )
        self._alarm(
            f"{name}-security",
            "A record of the append-only table was changed or removed",
            _ledger_metric("SecurityAlarm", relay.function),
            above=0,
        )

    def on_commits(self, function: PythonFunction) -> None:
        """A worker's clock is wrong."""
        self._alarm(
            f"{function.function_name}-clock-skew",
            "Commands are refused because a worker's clock is behind the ledger's",
            _ledger_metric("ClockSkewRefused", function),
            above=_SKEW_REFUSALS_MAX,
        )

    def on_api(self, api: LedgerApi) -> None:
        """Callers get answers that are our fault."""
        self._alarm(
            f"{api.api_name}-5xx",
            "The API answers with server errors",
            _metric("AWS/ApiGateway", "5XXError", {"ApiName": api.api_name}),
            above=0,
            minutes=2,
        )

    def _alarm(
        self,
        name: str,
        description: str,
        metric: cloudwatch.Metric,
        *,
        above: float,
        minutes: int = 1,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name.removeprefix(f"{self._config.prefix}-"),
            alarm_name=name,
            alarm_description=description,
            metric=metric,
            threshold=above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=minutes,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)


def _metric(
    namespace: str,
    name: str,
    dimensions: Mapping[str, str],
    statistic: str = cloudwatch.Stats.SUM,
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dict(dimensions),
        statistic=statistic,
        period=core.Duration.minutes(1),
    )


def _function_metric(
    name: str, function: PythonFunction, statistic: str = cloudwatch.Stats.SUM
) -> cloudwatch.Metric:
    return _metric("AWS/Lambda", name, {"FunctionName": function.function_name}, statistic)


def _ledger_metric(name: str, function: PythonFunction) -> cloudwatch.Metric:
    """A metric of our own, which handlers write into their logs."""
    return _metric("Ledger", name, {"service": function.logical_name})
