"""What tells people: alarms, on an encrypted topic, and the dashboard."""

import aws_cdk as core
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cdk.config import StageConfig
from cdk.patterns.alarms import Alarms
from cdk.patterns.consumer import Consumer
from cdk.patterns.dashboard import PathDashboard, Watched
from cdk.patterns.table import LedgerTable
from cdk.stacks.data import DataStack
from cdk.stacks.service import ServiceStack


class ObservabilityStack(core.Stack):
    """Alarms on everything that the data and service stacks list, and a dashboard of it all."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        data: DataStack,
        service: ServiceStack,
    ) -> None:
        super().__init__(scope, id, description=f"Ledger {config.stage}: alarms, dashboard")
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
        alarms.on_waiting(service.webhooks.waiting)
        for function in service.functions:
            alarms.on_function(function)
        for delivery in service.deliveries:
            alarms.on_delivery(delivery)
        # Not on its own topic: what fails there cannot be told there.
        topics = (service.notifications.topic_name, service.fraud.topic_name)
        for topic_name in topics:
            alarms.on_topic(topic_name)
        alarms.on_relay(service.relay)
        for function in service.deciders:
            alarms.on_commits(function)
        alarms.on_expiry(service.expiry)
        alarms.on_api(service.api)
        dashboard = PathDashboard(
            self,
            "Path",
            config=config,
            watched=Watched(
                api=service.api,
                deciders=service.deciders,
                api_function=service.api_function,
                commands=service.commands,
                expiry=service.expiry,
                store=data.store,
                relay=service.relay,
                consumers=[
                    *(one.function for one in service.node.find_all() if isinstance(one, Consumer)),
                    service.webhooks.fanout,
                ],
                functions=service.functions,
                topics=topics,
                fanout=service.webhooks.fanout,
                deliverer=service.webhooks.deliverer,
                entrances=(
                    *(service.commands_queue, service.commands_fifo_queue),
                    service.system_commands_queue,
                ),
                queues=service.queues,
                dead_letters=(data.bus_dead_letter_name,),
                deliveries=service.deliveries,
                tables=[each for each in data.node.find_all() if isinstance(each, LedgerTable)],
                alarms=alarms.made,
            ),
        )
        core.CfnOutput(self, "DashboardName", value=dashboard.dashboard_name)
        core.CfnOutput(self, "DashboardUrl", value=dashboard.url)
