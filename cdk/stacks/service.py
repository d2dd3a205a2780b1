"""What can be made again: functions, queues, the ingress bus, the REST API."""

from types import UnionType
from typing import cast

import aws_cdk as core
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk.bundling import Bundle
from cdk.config import Batching, StageConfig
from cdk.parts.fraud import Fraud
from cdk.parts.notifications import Notifications
from cdk.parts.part import Part
from cdk.parts.webhooks import Webhooks
from cdk.patterns.api import LedgerApi
from cdk.patterns.bus import Bus
from cdk.patterns.consumer import Consumer, types_of
from cdk.patterns.encryption import EncryptionKey, use_of_key
from cdk.patterns.expiry import Expiry
from cdk.patterns.python_function import FunctionDefaults, PythonFunction
from cdk.patterns.queues import BufferedQueue, Delivery, drain
from cdk.patterns.relay import Relay, relay_failures_name
from cdk.patterns.table import LedgerTable
from cdk.stacks.data import BY_PATH_INDEX, BY_STATUS_INDEX, DataStack
from ledger.contracts.events import AccountEvent, CommandRejected, MetadataSet, PaymentEvent

_API_TIMEOUT = core.Duration.seconds(20)  # below API Gateway's 29 s, so that the answer is ours
# As far below as must be: of many commands in one request none is begun in the last 18 s.
_DECIDING_TIMEOUT = core.Duration.seconds(28)
# Commands are begun until 18 s are left, and a batch of bulk messages has up to 15,000 of them.
_COMMANDS_TIMEOUT = core.Duration.seconds(60)
# What there was no time for comes back, and each receive counts: a message that brings hundreds of
# commands to an account that is fought over must not die untried.
_COMMANDS_RECEIVES_MAX = 20
_PROJECTION_TIMEOUT = core.Duration.seconds(30)
_FIFO_BATCHING = Batching(size=10, window_s=0)  # the most there is; each may be a bulk message


class ServiceStack(core.Stack):
    """The path of a command, from the three ways in to the projections."""

    def __init__(
        self, scope: Construct, id: str, *, config: StageConfig, data: DataStack, bundle: Bundle
    ) -> None:
        super().__init__(scope, id, description=f"Ledger {config.stage}: functions, queues and API")
        self._config, self._data = config, data
        self.key = EncryptionKey(
            self,
            "Key",
            config=config,
            name="service",
            description=f"Queues, ingress, logs and alarms of the ledger, {config.stage}",
        )
        self.key.allow_eventbridge()
        self.key.allow_log_groups()
        self.key.allow_alarms()
        self._defaults = FunctionDefaults(
            config=config,
            key=self.key,
            code=lambda_.Code.from_asset(str(bundle.path), asset_hash=bundle.digest),
        )
        self.commands_queue = self._queue_of_commands("CommandsQueue", "commands")
        self.commands_fifo_queue = self._queue_of_commands(
            "CommandsFifoQueue", "commands", fifo=True
        )
        # Whoever may send there may issue system commands: functions of the ledger, each granted.
        self.system_commands_queue = self._queue_of_commands(
            "SystemCommandsQueue", "system-commands"
        )
        self.ingress = self._ingress()
        self.commands = self._commands()
        self.api_function = self._api_function()
        self.expiry = Expiry(self, "Expiry", defaults=self._defaults, store=data.store)
        self.relay = Relay(
            self,
            "Relay",
            defaults=self._defaults,
            store=data.store,
            bus=data.ledger_bus.bus,
            failures=data.relay_failures,
            data_key=data.key,
        )
        limits = config.queue_concurrency
        self.balances = self._latest(
            "Balances", data.balances, AccountEvent | MetadataSet, limits.balances
        )
        self.history = self._history()
        self.payments = self._latest(
            "Payments",
            data.payments,
            PaymentEvent | MetadataSet | CommandRejected,
            limits.payments,
        )
        self.query = self._query()
        self.api = LedgerApi(
            self,
            "Api",
            config=config,
            key=self.key,
            commands=self.api_function.alias,
            queries=self.query.alias,
        )
        self.notifications = Notifications(
            self, "Notifications", defaults=self._defaults, ledger_bus=data.ledger_bus
        )
        self.webhooks = Webhooks(
            self,
            "Webhooks",
            defaults=self._defaults,
            data=data,
        )
        self.api.serve_webhooks(self.webhooks.manager.alias)
        self.fraud = Fraud(
            self,
            "Fraud",
            defaults=self._defaults,
            data=data,
            system_commands=self.system_commands_queue,
            api=self.api,
        )
        self.parts: list[Part] = [self.notifications, self.webhooks, self.fraud]
        self._decide_last()
        self._outputs()

    def _decide_last(self) -> None:
        """Whoever reads events is deployed before whoever writes them.

        Else what a new release decides first would reach rules that do not name its type yet, and
        functions that do not know it.
        """
        readers = [function for function in self.functions if function not in self.deciders]
        before = [
            *(cast(core.CfnResource, reader.alias.node.default_child) for reader in readers),
            *(delivery.rule for delivery in self.deliveries),
        ]
        for writer in self.deciders:
            alias = cast(core.CfnResource, writer.alias.node.default_child)
            for resource in before:
                alias.add_resource_dependency(resource)

    @property
    def deciders(self) -> list[PythonFunction]:
        """The functions that commit commands."""
        return [self.api_function, self.commands, self.expiry.function]

    @property
    def projections(self) -> list[Consumer]:
        """What keeps the answers to analysts' questions."""
        return [self.balances, self.history, self.payments]

    @property
    def functions(self) -> list[PythonFunction]:
        """Every function, for those who watch them."""
        return [
            *(*self.deciders, self.relay.function),
            *(projection.function for projection in self.projections),
            self.query,
            *(function for part in self.parts for function in part.functions),
        ]

    @property
    def queues(self) -> list[BufferedQueue]:
        """Every queue, for those who watch them."""
        return [
            *(self.commands_queue, self.commands_fifo_queue, self.system_commands_queue),
            *(projection.queue for projection in self.projections),
            *(queue for part in self.parts for queue in part.queues),
        ]

    @property
    def deliveries(self) -> list[Delivery]:
        """Every rule, for those who watch them."""
        return [
            self.ingress_delivery,
            *(projection.delivery for projection in self.projections),
            *(delivery for part in self.parts for delivery in part.deliveries),
        ]

    def _queue_of_commands(self, id: str, name: str, *, fifo: bool = False) -> BufferedQueue:
        return BufferedQueue(
            self,
            id,
            config=self._config,
            key=self.key,
            name=name,
            handled_within=_COMMANDS_TIMEOUT,
            fifo=fifo,
            receives_max=_COMMANDS_RECEIVES_MAX,
        )

    def _ingress(self) -> Bus:
        ingress = Bus(
            self,
            "IngressBus",
            config=self._config,
            key=self.key,
            name="ingress",
            description="Commands as events: the detail is the command, the detail type its type",
            dead_letters=self.commands_queue.dead_letters,
        )
        self.ingress_delivery = Delivery(
            self,
            "IngressDelivery",
            config=self._config,
            bus=ingress,
            name="ingress",
            description="Everything sent to the ingress bus, to the command handler",
            # Of any detail type: what is no command is dead-lettered by the handler with its
            # reason, where a rule that names types would let it vanish.
            pattern={"account": [self.account]},
            to=self.commands_queue,
        )
        return ingress

    def _commands(self) -> PythonFunction:
        standard, ordered = self.commands_queue, self.commands_fifo_queue
        system = self.system_commands_queue
        function = PythonFunction(
            self,
            "Commands",
            defaults=self._defaults,
            handler="ledger.entrypoints.commands.handler",
            environment={
                **self._data.store.environment,
                "COMMANDS_QUEUE_URL": standard.queue.queue_url,
                "COMMANDS_FIFO_QUEUE_URL": ordered.queue.queue_url,
                "SYSTEM_COMMANDS_QUEUE_URL": system.queue.queue_url,
                "COMMANDS_DLQ_URL": standard.dead_letters.queue_url,
                "COMMANDS_FIFO_DLQ_URL": ordered.dead_letters.queue_url,
                "SYSTEM_COMMANDS_DLQ_URL": system.dead_letters.queue_url,
            },
            timeout=_COMMANDS_TIMEOUT,
        )
        self._data.store.let_commit(function)
        function.may(
            ["sqs:SendMessage"],
            [queue.dead_letters.queue_arn for queue in (standard, ordered, system)],
        )
        function.may_statements([use_of_key(self.key, "sqs", write=True)])
        limits, batching = self._config.queue_concurrency, self._config.queue_batching.commands
        drain(
            function,
            "StandardMapping",
            standard,
            batching=batching,
            concurrency_max=limits.commands,
        )
        drain(
            function,
            "FifoMapping",
            ordered,
            batching=_FIFO_BATCHING,
            concurrency_max=limits.commands_fifo,
        )
        drain(
            function,
            "SystemMapping",
            system,
            batching=batching,
            concurrency_max=limits.system_commands,
        )
        return function

    def _api_function(self) -> PythonFunction:
        function = PythonFunction(
            self,
            "Api",
            defaults=self._defaults,
            handler="ledger.entrypoints.api.handler",
            environment=self._data.store.environment,
            timeout=_DECIDING_TIMEOUT,
        )
        self._data.store.let_commit(function)
        return function

    def _latest(
        self, id: str, table: LedgerTable, events: UnionType, concurrency_max: int
    ) -> Consumer:
        """A projection that keeps the latest version of each subject in a table of its own."""
        name = id.lower()
        consumer = Consumer(
            self,
            id,
            defaults=self._defaults,
            bus=self._data.ledger_bus,
            event_types=types_of(events),
            handler=f"projections.{name}.handler.handler",
            environment={f"{id.upper()}_TABLE": table.table_name},
            timeout=_PROJECTION_TIMEOUT,
            batching=self._config.queue_batching.projections,
            concurrency_max=concurrency_max,
        )
        consumer.function.may(["dynamodb:UpdateItem"], [table.table_arn])
        # Of what it writes it reads nothing; which generations to write, it must know.
        consumer.function.may(
            ["dynamodb:GetItem"],
            [table.table_arn],
            {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": "#generations"}},
        )
        consumer.function.may_statements([use_of_key(self._data.key, "dynamodb", write=True)])
        return consumer

    def _history(self) -> Consumer:
        table = self._data.history
        consumer = Consumer(
            self,
            "History",
            defaults=self._defaults,
            bus=self._data.ledger_bus,
            event_types=types_of(AccountEvent),
            handler="projections.history.handler.handler",
            environment={"HISTORY_TABLE": table.table_name},
            timeout=_PROJECTION_TIMEOUT,
            batching=self._config.queue_batching.projections,
            concurrency_max=self._config.queue_concurrency.history,
        )
        consumer.function.may(
            [
                *("dynamodb:BatchWriteItem", "dynamodb:UpdateItem"),
                *("dynamodb:Query", "dynamodb:GetItem"),
            ],
            [table.table_arn],
        )
        consumer.function.may_statements([use_of_key(self._data.key, "dynamodb", write=True)])
        return consumer

    def _query(self) -> PythonFunction:
        data = self._data
        balances, history, payments = data.balances, data.history, data.payments
        function = PythonFunction(
            self,
            "Query",
            defaults=self._defaults,
            handler="projections.query.handler.handler",
            environment={
                "BALANCES_TABLE": balances.table_name,
                "HISTORY_TABLE": history.table_name,
                "PAYMENTS_TABLE": payments.table_name,
            },
            timeout=_API_TIMEOUT,
        )
        # Indexes have the keys of what is listed, and no more: it is read by them.
        for table, index in ((balances, BY_PATH_INDEX), (payments, BY_STATUS_INDEX)):
            function.may(["dynamodb:BatchGetItem", "dynamodb:GetItem"], [table.table_arn])
            function.may(["dynamodb:Query"], [f"{table.table_arn}/index/{index}"])
        function.may(["dynamodb:GetItem", "dynamodb:Query"], [history.table_arn])
        function.may_statements([use_of_key(self._data.key, "dynamodb", write=False)])
        return function

    def _outputs(self) -> None:
        """What the `ledger` command reads, here and on AWS alike: these keys are its contract."""
        store = self._data.store
        values = {
            "ApiUrl": self.api.url,
            "ApiId": self.api.api_id,
            "ApiStage": self.api.stage_name,
            "IngressBusName": self.ingress.bus_name,
            "LedgerBusName": self._data.ledger_bus.bus_name,
            "CommandsQueueUrl": self.commands_queue.queue.queue_url,
            "CommandsFifoQueueUrl": self.commands_fifo_queue.queue.queue_url,
            "SystemCommandsQueueUrl": self.system_commands_queue.queue.queue_url,
            "SystemCommandsDlqUrl": self.system_commands_queue.dead_letters.queue_url,
            "CommandsDlqUrl": self.commands_queue.dead_letters.queue_url,
            "CommandsFifoDlqUrl": self.commands_fifo_queue.dead_letters.queue_url,
            "BalancesQueueUrl": self.balances.queue.queue.queue_url,
            "BalancesDlqUrl": self.balances.queue.dead_letters.queue_url,
            "HistoryQueueUrl": self.history.queue.queue.queue_url,
            "HistoryDlqUrl": self.history.queue.dead_letters.queue_url,
            "PaymentsQueueUrl": self.payments.queue.queue.queue_url,
            "PaymentsDlqUrl": self.payments.queue.dead_letters.queue_url,
            "BusDlqUrl": self._data.bus_dead_letters.queue_url,
            "RelayFailuresBucketName": relay_failures_name(self._config),
            "EventsTableName": store.events.fixed_name,
            "StatesTableName": store.states.fixed_name,
            "BalancesTableName": self._data.balances.fixed_name,
            "HistoryTableName": self._data.history.fixed_name,
            "PaymentsTableName": self._data.payments.fixed_name,
        }
        for part in self.parts:
            values.update(part.outputs)
        for key, value in values.items():
            core.CfnOutput(self, key, value=value)
