"""Webhooks: notifications, signed, to whoever subscribed by URL."""

import aws_cdk as core
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from cdk.config import Batching
from cdk.patterns.acknowledgements import acknowledge
from cdk.patterns.encryption import use_of_key
from cdk.patterns.python_function import FunctionDefaults, PythonFunction
from cdk.patterns.queues import BufferedQueue, Delivery, drain
from cdk.stacks.data import DataStack
from ledger.contracts.notifications import NOTIFIED_EVENTS

_MANAGER_TIMEOUT = core.Duration.seconds(20)  # below API Gateway's 29 s, so that the answer is ours
_FANOUT_TIMEOUT = core.Duration.seconds(60)  # its reserve, and slow answers before it
# Ten deliveries to one endpoint that takes its time, 5 s each, and the reserve of delivery.py.
_DELIVERY_TIMEOUT = core.Duration.seconds(100)
_DELIVERY_BATCHING = Batching(size=10, window_s=0)
# Receives of a delivery before it is dead, with growing waits over 28 hours in between: as many as
# src/consumers/webhooks/schedule.py has, which a test holds this to.
_RECEIVES_MAX = 8
# A delivery waits for half an hour after its third attempt; only after that does CloudWatch leave
# it out of the age. Beyond an hour it is not an endpoint that is down, but we.
_DELIVERY_AGE_MAX_S = 3_600
# What the resolver of the C library takes: a name server that is silent costs 2 s, not 10.
_RESOLVER_OPTIONS = "timeout:1 attempts:2"
_OCTET = r"(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_CIDR_V4 = rf"({_OCTET}\.){{3}}{_OCTET}/(3[0-2]|[12]?[0-9])"
_GROUP = "[0-9a-fA-F]{1,4}"
_CIDR_V6 = rf"(({_GROUP}:){{1,7}}:|({_GROUP}:){{7}}{_GROUP})/(12[0-8]|1[01][0-9]|[1-9]?[0-9])"
_CIDR = rf"({_CIDR_V4}|{_CIDR_V6})"
_CIDRS = rf"^$|^{_CIDR}( *, *{_CIDR})*$"


class Webhooks(Construct):
    """A function that manages subscribers, one that finds who wants what, one that delivers. A
    Part; `manager` is what the API calls, in `waiting` messages wait for hours between attempts."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        defaults: FunctionDefaults,
        data: DataStack,
    ) -> None:
        super().__init__(scope, f"{id}Part")
        self._defaults, self._data = defaults, data
        self._secrets_prefix = f"{defaults.config.prefix}/webhooks/"
        self._networks_name = f"{defaults.config.prefix}-webhook-trusted-networks"
        self._trusted_networks()
        self._queue = BufferedQueue(
            self,
            "Queue",
            config=defaults.config,
            key=defaults.key,
            name="webhooks",
            handled_within=_FANOUT_TIMEOUT,
        )
        self._to_deliver = BufferedQueue(
            self,
            "DeliveriesQueue",
            config=defaults.config,
            key=defaults.key,
            name="webhook-deliveries",
            handled_within=_DELIVERY_TIMEOUT,
            receives_max=_RECEIVES_MAX,
            age_max_s=_DELIVERY_AGE_MAX_S,
        )
        # The events themselves, in packs, and not the topic's messages, which come one by one.
        self._delivery = Delivery(
            self,
            "Delivery",
            config=defaults.config,
            bus=data.ledger_bus,
            name="webhooks",
            description="Published events for webhooks",
            pattern={"source": ["ledger"], "detail-type": list(NOTIFIED_EVENTS)},
            to=self._queue,
        )
        self.manager = self._manager()
        self.fanout, self.deliverer = self._fanout(), self._deliverer()
        self.functions = [self.manager, self.fanout, self.deliverer]
        self.queues = [self._queue, self._to_deliver]
        self.waiting = self._to_deliver
        self.deliveries = [self._delivery]
        self.outputs = {
            "WebhooksQueueUrl": self._queue.queue.queue_url,
            "WebhooksDlqUrl": self._queue.dead_letters.queue_url,
            "WebhookDeliveriesQueueUrl": self._to_deliver.queue.queue_url,
            "WebhookDeliveriesDlqUrl": self._to_deliver.dead_letters.queue_url,
            "WebhooksTableName": data.webhooks.fixed_name,
            "WebhookDeliveriesTableName": data.webhook_deliveries.fixed_name,
        }

    def _trusted_networks(self) -> None:
        parameter = core.CfnParameter(
            core.Stack.of(self),
            "WebhookTrustedNetworks",
            type="String",
            default="",
            allowed_pattern=_CIDRS,
            constraint_description="CIDR blocks, separated by commas",
            description=(
                "CIDR blocks, separated by commas, whose addresses webhooks may be sent to though "
                "they are not public, also by plain http. Empty: public addresses, https only."
            ),
        )
        ssm.StringParameter(
            self,
            "TrustedNetworks",
            # Not in the functions' environment: a version that is published keeps its own, and the
            # alias would go on with the value of the day on which the code last changed.
            parameter_name=self._networks_name,
            description="The stack's parameter WebhookTrustedNetworks, behind a comma",
            # No parameter is empty, and an empty part of the list says nothing.
            string_value=f",{parameter.value_as_string}",
        )

    def _manager(self) -> PythonFunction:
        function = PythonFunction(
            self,
            "Webhookmanager",
            defaults=self._defaults,
            handler="consumers.webhooks.manager.handler",
            environment={
                "WEBHOOKS_TABLE": self._data.webhooks.table_name,
                "WEBHOOK_SECRETS_PREFIX": self._secrets_prefix,
                "WEBHOOK_SECRETS_KEY": self._data.key.key_arn,
                "WEBHOOK_NETWORKS_PARAMETER": self._networks_name,
                "DELIVERIES_QUEUE_URL": self._to_deliver.queue.queue_url,
                "RES_OPTIONS": _RESOLVER_OPTIONS,
            },
            timeout=_MANAGER_TIMEOUT,
        )
        self._may_change_subscribers(function)
        self._may_with_secrets(
            function,
            # Makes them and takes them away; what is in them is none of its business.
            [
                *("secretsmanager:CreateSecret", "secretsmanager:PutSecretValue"),
                "secretsmanager:DeleteSecret",
            ],
            write=True,
        )
        self._may_send(function, self._to_deliver.queue.queue_arn)
        self._may_read_networks(function)
        return function

    def _fanout(self) -> PythonFunction:
        function = PythonFunction(
            self,
            "Webhooks",
            defaults=self._defaults,
            handler="consumers.webhooks.fanout.handler",
            environment={
                "WEBHOOKS_TABLE": self._data.webhooks.table_name,
                "QUEUE_URL": self._queue.queue.queue_url,
                "DELIVERIES_QUEUE_URL": self._to_deliver.queue.queue_url,
            },
            timeout=_FANOUT_TIMEOUT,
        )
        function.may(["dynamodb:GetItem"], [self._data.webhooks.table_arn])
        function.may_statements([use_of_key(self._data.key, "dynamodb", write=False)])
        self._may_send(function, self._to_deliver.queue.queue_arn)
        drain(
            function,
            "Mapping",
            self._queue,
            batching=self._defaults.config.queue_batching.webhooks,
            concurrency_max=self._defaults.config.queue_concurrency.webhooks,
        )
        return function

    def _deliverer(self) -> PythonFunction:
        function = PythonFunction(
            self,
            "Webhookdelivery",
            defaults=self._defaults,
            handler="consumers.webhooks.deliverer.handler",
            environment={
                "WEBHOOKS_TABLE": self._data.webhooks.table_name,
                "WEBHOOK_DELIVERIES_TABLE": self._data.webhook_deliveries.table_name,
                "WEBHOOK_SECRETS_PREFIX": self._secrets_prefix,
                "WEBHOOK_NETWORKS_PARAMETER": self._networks_name,
                "QUEUE_URL": self._to_deliver.queue.queue_url,
                "DLQ_URL": self._to_deliver.dead_letters.queue_url,
                "RES_OPTIONS": _RESOLVER_OPTIONS,
            },
            timeout=_DELIVERY_TIMEOUT,
        )
        self._may_change_subscribers(function)  # an endpoint that answers 410 is disabled
        function.may(
            ["dynamodb:GetItem", "dynamodb:PutItem"], [self._data.webhook_deliveries.table_arn]
        )
        self._may_with_secrets(function, ["secretsmanager:GetSecretValue"], write=False)
        self._may_send(function, self._to_deliver.dead_letters.queue_arn)
        self._may_read_networks(function)
        drain(
            function,
            "Mapping",
            self._to_deliver,
            batching=_DELIVERY_BATCHING,
            concurrency_max=self._defaults.config.queue_concurrency.webhook_deliveries,
        )
        return function

    def _may_change_subscribers(self, function: PythonFunction) -> None:
        function.may(["dynamodb:GetItem", "dynamodb:PutItem"], [self._data.webhooks.table_arn])
        function.may_statements([use_of_key(self._data.key, "dynamodb", write=True)])

    def _may_send(self, function: PythonFunction, queue_arn: str) -> None:
        function.may(["sqs:SendMessage"], [queue_arn])
        function.may_statements([use_of_key(self._defaults.key, "sqs", write=True)])

    def _may_read_networks(self, function: PythonFunction) -> None:
        parameter = (
            f"arn:{core.Aws.PARTITION}:ssm:{core.Aws.REGION}:{core.Aws.ACCOUNT_ID}:"
            f"parameter/{self._networks_name}"
        )
        function.may(["ssm:GetParameter"], [parameter])

    def _may_with_secrets(
        self, function: PythonFunction, actions: list[str], *, write: bool
    ) -> None:
        secrets = (
            f"arn:{core.Aws.PARTITION}:secretsmanager:{core.Aws.REGION}:{core.Aws.ACCOUNT_ID}:"
            f"secret:{self._secrets_prefix}*"
        )
        function.may(actions, [secrets])
        acknowledge(
            function.role,
            "IAM5",
            "Each subscriber has a secret of its own, made while the ledger runs, and Secrets "
            "Manager adds six characters to its name: only the prefix is known here.",
            finding=f"Resource::{secrets}",
        )
        function.may_statements([use_of_key(self._data.key, "secretsmanager", write=write)])
