"""Alarms: what is measured, from which value on, for how long; one method a kind of resource."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.config import StageConfig
from cdk.patterns.api import LedgerApi
from cdk.patterns.expiry import Expiry
from cdk.patterns.metrics import (
    function_metric,
    ledger_metric,
    metric,
    queue_metric,
    rule_metric,
    topic_metric,
)
from cdk.patterns.python_function import PythonFunction
from cdk.patterns.queues import BufferedQueue, Delivery
from cdk.patterns.relay import Relay

_RELAY_AGE_MAX_MS = 60_000  # published events lag a minute behind the ledger
_IN_FLIGHT_MAX = 60_000  # half of SQS's quota of a standard queue, about 120,000
_DUE_AGE_MAX_S = 300  # a hold is released within a minute or two of its expiry
_SILENT_MINUTES = 5  # without a single sweep, of which there is one a minute
_SKEW_REFUSALS_MAX = 5  # a minute: a worker's clock is wrong, not one request's luck


class Alarms(Construct):
    """Makes alarms that notify `topic` when they start and when they end."""

    def __init__(
        self, scope: Construct, id: str, *, config: StageConfig, topic: sns.ITopic
    ) -> None:
        super().__init__(scope, id)
        self._config = config
        self._action = actions.SnsAction(topic)
        self.made: list[cloudwatch.Alarm] = []
        """Every alarm, in the order in which it was asked for."""

    def on_queue(self, queue: BufferedQueue) -> None:
        """A message is dead, or messages wait for long."""
        self.on_dead_letters(queue.dead_letter_name)
        self._alarm(
            f"{queue.queue_name}-age",
            "Messages wait: the consumer is down or too slow",
            queue_metric("ApproximateAgeOfOldestMessage", queue.queue_name),
            above=queue.age_max_s,
            minutes=3,
        )

    def on_waiting(self, queue: BufferedQueue) -> None:
        """Deliveries that wait for their next attempt come near to what SQS lets be in flight."""
        self._alarm(
            f"{queue.queue_name}-in-flight",
            "Half of what SQS lets wait at once waits: at all of it nothing more is delivered",
            queue_metric("ApproximateNumberOfMessagesNotVisible", queue.queue_name),
            above=_IN_FLIGHT_MAX,
        )

    def on_dead_letters(self, queue_name: str) -> None:
        """A single dead letter needs a person."""
        self._alarm(
            f"{queue_name}-depth",
            "Messages that could not be handled wait in this dead-letter queue",
            queue_metric("ApproximateNumberOfMessagesVisible", queue_name),
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
                function_metric(name, function),
                above=0,
                minutes=2,
            )

    def on_delivery(self, delivery: Delivery) -> None:
        """Events did not reach their queue."""
        for name, suffix, description in (
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
                rule_metric(name, delivery.bus_name, delivery.rule_name),
                above=0,
            )

    def on_topic(self, topic_name: str) -> None:
        """A subscriber did not get messages."""
        for name, suffix, description in (
            ("NumberOfNotificationsFailed", "failed", "SNS gave up delivering to a subscriber"),
            (
                "NumberOfNotificationsFailedToRedriveToDlq",
                "lost",
                "Messages reached neither a subscriber nor its dead-letter queue",
            ),
        ):
            self._alarm(
                f"{topic_name}-topic-{suffix}",
                description,
                topic_metric(name, topic_name),
                above=0,
            )

    def on_relay(self, relay: Relay) -> None:
        """Published events lag, are missing, or somebody has changed the past."""
        name = relay.function.function_name
        self._alarm(
            f"{name}-iterator-age",
            "Events are committed, and published late",
            function_metric("IteratorAge", relay.function, cloudwatch.Stats.MAXIMUM),
            above=_RELAY_AGE_MAX_MS,
            minutes=3,
        )
        for lost, suffix, description in (
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
                metric("AWS/Lambda", lost, {"EventSourceMappingUUID": relay.mapping.ref}),
                above=0,
            )
        self._alarm(
            f"{name}-security",
            "A record of the append-only table was changed or removed",
            ledger_metric("SecurityAlarm", relay.function),
            above=0,
        )

    def on_commits(self, function: PythonFunction) -> None:
        """A worker's clock is wrong."""
        self._alarm(
            f"{function.function_name}-clock-skew",
            "Commands are refused because a worker's clock is behind the ledger's",
            ledger_metric("ClockSkewRefused", function),
            above=_SKEW_REFUSALS_MAX,
        )

    def on_expiry(self, expiry: Expiry) -> None:
        """Holds that have expired are not released, or nobody looks."""
        name = expiry.function.function_name
        self._alarm(
            f"{name}-late",
            "Holds are released long after they expired, or not at all",
            ledger_metric("OldestDueSeconds", expiry.function, cloudwatch.Stats.MAXIMUM),
            above=_DUE_AGE_MAX_S,
            minutes=3,
        )
        self._add(
            f"{name}-silent",
            "Nobody looks for holds that have expired",
            ledger_metric("HoldsExpired", expiry.function, cloudwatch.Stats.SAMPLE_COUNT),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=_SILENT_MINUTES,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )

    def on_api(self, api: LedgerApi) -> None:
        """Callers get answers that are our fault."""
        self._alarm(
            f"{api.api_name}-5xx",
            "The API answers with server errors",
            metric("AWS/ApiGateway", "5XXError", {"ApiName": api.api_name}),
            above=0,
            minutes=2,
        )

    def _alarm(
        self,
        name: str,
        description: str,
        measured: cloudwatch.Metric,
        *,
        above: float,
        minutes: int = 1,
    ) -> None:
        """Rings when something is measured that is too much; silence is no alarm."""
        self._add(
            name,
            description,
            measured,
            threshold=above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=minutes,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _add(
        self,
        name: str,
        description: str,
        measured: cloudwatch.Metric,
        *,
        threshold: float,
        comparison_operator: cloudwatch.ComparisonOperator,
        evaluation_periods: int,
        treat_missing_data: cloudwatch.TreatMissingData,
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name.removeprefix(f"{self._config.prefix}-"),
            alarm_name=name,
            alarm_description=description,
            metric=measured,
            threshold=threshold,
            comparison_operator=comparison_operator,
            evaluation_periods=evaluation_periods,
            treat_missing_data=treat_missing_data,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
        self.made.append(alarm)
