"""The fraud scorer: its function, the topic of its alerts, and the list of reviews."""

import aws_cdk as core
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.patterns.api import LedgerApi
from cdk.patterns.consumer import Consumer, types_of
from cdk.patterns.encryption import use_of_key
from cdk.patterns.python_function import FunctionDefaults, PythonFunction
from cdk.patterns.queues import BufferedQueue, Delivery
from cdk.stacks.data import REVIEWS_INDEX, DataStack
from ledger.contracts.events import AccountEvent

_TIMEOUT = core.Duration.seconds(30)
_REVIEWS_TIMEOUT = core.Duration.seconds(20)  # below API Gateway's 29 s, so that the answer is ours
# Packs of up to 100 events.
# An account that everybody pays is in nearly every batch, and of those that write it at once one
# wins. Few at once (`queue_concurrency.fraud`) and more receives than elsewhere: who loses against
# three others six times over, in one of five batches at the worst, does so eight times in one of a
# million.
_RECEIVES_MAX = 8


class Fraud(Construct):
    """Scores posted payments, sends verdicts to the ledger, and tells of those not clear. A Part.

    One queue brings both the events that are scored and, by a rule of its own, the recorded
    verdicts that are not clear: those are few, and a second consumer would be idle.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        defaults: FunctionDefaults,
        data: DataStack,
        system_commands: BufferedQueue,
        api: LedgerApi,
    ) -> None:
        """`system_commands` is the queue that verdicts are sent to."""
        super().__init__(scope, id)
        self._defaults, self._data = defaults, data
        config = defaults.config
        self.topic_name = config.name("fraud-alerts")
        self.topic = sns.Topic(
            self,
            "Alerts",
            topic_name=self.topic_name,
            display_name=f"Fraud alerts of the ledger, {config.stage}",
            master_key=defaults.key,
            enforce_ssl=True,
        )
        self.consumer = self._consumer(system_commands)
        self.recorded = Delivery(
            self,
            "Recorded",
            config=config,
            bus=data.ledger_bus,
            name="fraud-reviews",
            description="Recorded verdicts that are not clear, for fraud",
            pattern={
                "source": ["ledger"],
                "detail-type": ["payment.screened"],
                # Matches a pack if one of its events does: the scorer gets the others as well.
                "detail": {"events": {"verdict": ["review", "block"]}},
            },
            to=self.consumer.queue,
        )
        self._let_in_alone(self.consumer.function)
        self.reviews = self._reviews()
        api.serve_reviews(self.reviews.alias)
        self.functions = [self.consumer.function, self.reviews]
        self.queues = [self.consumer.queue]
        self.deliveries = [self.consumer.delivery, self.recorded]
        self.outputs = {
            "FraudQueueUrl": self.consumer.queue.queue.queue_url,
            "FraudDlqUrl": self.consumer.queue.dead_letters.queue_url,
            "FraudTableName": data.fraud.fixed_name,
            "FraudAlertsTopicArn": self.topic.topic_arn,
        }

    def _consumer(self, system_commands: BufferedQueue) -> Consumer:
        table, key = self._data.fraud, self._defaults.key
        consumer = Consumer(
            self,
            "Fraud",
            defaults=self._defaults,
            bus=self._data.ledger_bus,
            # Not only what is scored: to the scorer a version left out is one lost.
            event_types=types_of(AccountEvent),
            handler="consumers.fraud.handler.handler",
            environment={
                "FRAUD_TABLE": table.table_name,
                "FRAUD_ALERTS_TOPIC_ARN": self.topic.topic_arn,
                "SYSTEM_COMMANDS_QUEUE_URL": system_commands.queue.queue_url,
            },
            timeout=_TIMEOUT,
            batching=self._defaults.config.queue_batching.fraud,
            concurrency_max=self._defaults.config.queue_concurrency.fraud,
            receives_max=_RECEIVES_MAX,
        )
        function = consumer.function
        function.may(
            ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem"], [table.table_arn]
        )
        function.may_statements([use_of_key(self._data.key, "dynamodb", write=True)])
        # Whoever may send there may say what the ledger records of a payment.
        function.may(["sqs:SendMessage"], [system_commands.queue.queue_arn])
        function.may_statements([use_of_key(key, "sqs", write=True)])
        function.may(["sns:Publish"], [self.topic.topic_arn])
        function.may_statements([use_of_key(key, "sns", write=True)])
        return consumer

    def _let_in_alone(self, function: PythonFunction) -> None:
        """An alert is taken for the ledger's word: nobody but `function` publishes here."""
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"ArnNotEquals": {"aws:PrincipalArn": function.role.role_arn}},
            )
        )

    def _reviews(self) -> PythonFunction:
        table = self._data.fraud
        function = PythonFunction(
            self,
            "Reviews",
            defaults=self._defaults,
            handler="consumers.fraud.reviews.handler",
            environment={"FRAUD_TABLE": table.table_name},
            timeout=_REVIEWS_TIMEOUT,
        )
        function.may(["dynamodb:Query"], [f"{table.table_arn}/index/{REVIEWS_INDEX}"])
        function.may_statements([use_of_key(self._data.key, "dynamodb", write=False)])
        return function
