"""Notifications: published events and balance alerts, on a topic for whoever subscribes."""

import aws_cdk as core
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.patterns.bus import Bus
from cdk.patterns.consumer import Consumer
from cdk.patterns.encryption import use_of_key
from cdk.patterns.python_function import FunctionDefaults
from ledger.contracts.notifications import NOTIFIED_EVENTS

_TIMEOUT = core.Duration.seconds(30)
# Packs of up to 100 events, each a message of the topic: 100 requests of ten, some two seconds.


class Notifications(Construct):
    """The topic, and the one function that may publish to it. A Part."""

    def __init__(
        self, scope: Construct, id: str, *, defaults: FunctionDefaults, ledger_bus: Bus
    ) -> None:
        super().__init__(scope, id)
        config = defaults.config
        self.topic_name = config.name("notifications")
        self.topic = sns.Topic(
            self,
            "Topic",
            topic_name=self.topic_name,
            display_name=f"Events of the ledger, {config.stage}",
            master_key=defaults.key,
            enforce_ssl=True,
        )
        consumer = Consumer(
            self,
            "Notifications",
            defaults=defaults,
            bus=ledger_bus,
            event_types=NOTIFIED_EVENTS,
            handler="consumers.notifications.handler.handler",
            environment={"TOPIC_ARN": self.topic.topic_arn},
            timeout=_TIMEOUT,
            batching=config.queue_batching.notifications,
            concurrency_max=config.queue_concurrency.notifications,
        )
        consumer.function.may(["sns:Publish"], [self.topic.topic_arn])
        consumer.function.may_statements([use_of_key(defaults.key, "sns", write=True)])
        self._only(consumer.function.role)
        self.functions = [consumer.function]
        self.queues = [consumer.queue]
        self.deliveries = [consumer.delivery]
        self.outputs = {
            "NotificationsTopicArn": self.topic.topic_arn,
            "NotificationsQueueUrl": consumer.queue.queue.queue_url,
            "NotificationsDlqUrl": consumer.queue.dead_letters.queue_url,
        }

    def _only(self, role: iam.Role) -> None:
        """Deny publishing to everybody but `role`.

        Whoever is subscribed takes what comes for the ledger's word, so nobody else speaks here:
        not even who administrates the account, unless this is lifted first.
        """
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"ArnNotEquals": {"aws:PrincipalArn": role.role_arn}},
            )
        )
