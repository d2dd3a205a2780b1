"""What tells people: alarms, on an encrypted topic."""

import aws_cdk as core
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cdk.config import StageConfig
from cdk.patterns.alarms import Alarms
from cdk.stacks.data import DataStack
from cdk.stacks.service import ServiceStack


class ObservabilityStack(core.Stack):
    """Alarms on everything that the data and service stacks list."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        data: DataStack,
        service: ServiceStack,
    ) -> None:
        super().__init__(scope, id, description=f"Ledger {config.stage}: alarms")
        self.topic = sns.Topic(
            self,
            "Alarms",
            topic_name=config.name("alarms"),
            display_name=f"Alarms of the ledger, {config.stage}",
            master_key=service.key,
            enforce_ssl=True,
        )
        self.topic.add_to_resource_policy(
            # The policy that enforces TLS takes the place of the default one, which let alarms in.
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        if config.alarm_email is not None:
            self.topic.add_subscription(subscriptions.EmailSubscription(config.alarm_email))
        alarms = Alarms(self, "On", config=config, topic=self.topic)
        alarms.on_dead_letters(data.bus_dead_letter_name)
        for queue in service.queues:
            alarms.on_queue(queue)
        for function in service.functions:
            alarms.on_function(function)
        for delivery in service.deliveries:
            alarms.on_delivery(delivery)
        alarms.on_relay(service.relay)
        for function in (service.api_function, service.commands):
            alarms.on_commits(function)
        alarms.on_api(service.api)
