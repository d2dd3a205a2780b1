"""The one shape of a function, what each one is told, and what the outside is told of them."""

from pathlib import Path

from cdk.bundling import RUNTIME_VERSION
from cdk.patterns.workloads import ONE_CPU_MB
from tests.template.templates import Templates

WRITERS = ("api", "commands", "expiry")  # of events
# handler, time-out, environment besides what all have; tables, buses and queues by name
FUNCTIONS: dict[str, tuple[str, int, dict[str, str]]] = {
    "api": (
        "ledger.entrypoints.api.handler",
        28,
        {"EVENTS_TABLE": "events", "STATES_TABLE": "states", "LEDGER_STATE_CACHE": "10000"},
    ),
    "commands": (
        "ledger.entrypoints.commands.handler",
        60,
        {
            "EVENTS_TABLE": "events",
            "STATES_TABLE": "states",
            "LEDGER_STATE_CACHE": "10000",
            "COMMANDS_QUEUE_URL": "commands",
            "COMMANDS_FIFO_QUEUE_URL": "commands.fifo",
            "SYSTEM_COMMANDS_QUEUE_URL": "system-commands",
            "SYSTEM_COMMANDS_DLQ_URL": "system-commands-dlq",
            "COMMANDS_DLQ_URL": "commands-dlq",
            "COMMANDS_FIFO_DLQ_URL": "commands-dlq.fifo",
        },
    ),
    "expiry": (
        "ledger.entrypoints.expiry.handler",
        50,
        {"EVENTS_TABLE": "events", "STATES_TABLE": "states", "LEDGER_STATE_CACHE": "10000"},
    ),
    "relay": ("ledger.entrypoints.relay.handler", 60, {"LEDGER_BUS": "bus"}),
    "balances": (
        "projections.balances.handler.handler",
        30,
        {"BALANCES_TABLE": "balances", "QUEUE_URL": "balances"},
    ),
    "history": (
        "projections.history.handler.handler",
        30,
        {"HISTORY_TABLE": "history", "QUEUE_URL": "history"},
    ),
    "payments": (
        "projections.payments.handler.handler",
        30,
        {"PAYMENTS_TABLE": "payments", "QUEUE_URL": "payments"},
    ),
    "notifications": (
        "consumers.notifications.handler.handler",
        30,
        {"TOPIC_ARN": "notifications", "QUEUE_URL": "notifications"},
    ),
    "webhookmanager": (
        "consumers.webhooks.manager.handler",
        20,
        {
            "WEBHOOKS_TABLE": "webhooks",
            "WEBHOOK_SECRETS_PREFIX": "ledger-{stage}/webhooks/",
            "WEBHOOK_SECRETS_KEY": ("Events, projections and archives of the ledger, {stage}.Arn"),
            "WEBHOOK_NETWORKS_PARAMETER": "ledger-{stage}-webhook-trusted-networks",
            "DELIVERIES_QUEUE_URL": "webhook-deliveries",
            "RES_OPTIONS": "timeout:1 attempts:2",
        },
    ),
    "webhooks": (
        "consumers.webhooks.fanout.handler",
        60,
        {
            "WEBHOOKS_TABLE": "webhooks",
            "QUEUE_URL": "webhooks",
            "DELIVERIES_QUEUE_URL": "webhook-deliveries",
        },
    ),
    "webhookdelivery": (
        "consumers.webhooks.deliverer.handler",
        100,
        {
            "WEBHOOKS_TABLE": "webhooks",
            "WEBHOOK_DELIVERIES_TABLE": "webhook-deliveries",
            "WEBHOOK_SECRETS_PREFIX": "ledger-{stage}/webhooks/",
            "WEBHOOK_NETWORKS_PARAMETER": "ledger-{stage}-webhook-trusted-networks",
            "QUEUE_URL": "webhook-deliveries",
            "DLQ_URL": "webhook-deliveries-dlq",
            "RES_OPTIONS": "timeout:1 attempts:2",
        },
    ),
    "fraud": (
        "consumers.fraud.handler.handler",
        30,
        {
            "FRAUD_TABLE": "fraud",
            "FRAUD_ALERTS_TOPIC_ARN": "fraud-alerts",
            "SYSTEM_COMMANDS_QUEUE_URL": "system-commands",
            "QUEUE_URL": "fraud",
        },
    ),
    "reviews": ("consumers.fraud.reviews.handler", 20, {"FRAUD_TABLE": "fraud"}),
    "query": (
        "projections.query.handler.handler",
        20,
        {"BALANCES_TABLE": "balances", "HISTORY_TABLE": "history", "PAYMENTS_TABLE": "payments"},
    ),
}
OUTPUTS = {
    "ApiStage": "v1",
    "IngressBusName": "ledger-{stage}-ingress",
    "LedgerBusName": "ledger-{stage}-bus",
    "CommandsQueueUrl": "commands",
    "CommandsFifoQueueUrl": "commands.fifo",
    "CommandsDlqUrl": "commands-dlq",
    "CommandsFifoDlqUrl": "commands-dlq.fifo",
    "BalancesQueueUrl": "balances",
    "BalancesDlqUrl": "balances-dlq",
    "HistoryQueueUrl": "history",
    "HistoryDlqUrl": "history-dlq",
    "PaymentsQueueUrl": "payments",
    "PaymentsDlqUrl": "payments-dlq",
    "SystemCommandsQueueUrl": "system-commands",
    "SystemCommandsDlqUrl": "system-commands-dlq",
    "NotificationsTopicArn": "notifications",
    "NotificationsQueueUrl": "notifications",
    "NotificationsDlqUrl": "notifications-dlq",
    "FraudQueueUrl": "fraud",
    "FraudDlqUrl": "fraud-dlq",
    "FraudTableName": "ledger-{stage}-fraud",
    "FraudAlertsTopicArn": "fraud-alerts",
    "BusDlqUrl": "bus-dlq",
    "RelayFailuresBucketName": "ledger-{stage}-relay-failures-<AccountId>-<Region>",
    "WebhooksQueueUrl": "webhooks",
    "WebhooksDlqUrl": "webhooks-dlq",
    "WebhookDeliveriesQueueUrl": "webhook-deliveries",
    "WebhookDeliveriesDlqUrl": "webhook-deliveries-dlq",
    "WebhooksTableName": "ledger-{stage}-webhooks",
    "WebhookDeliveriesTableName": "ledger-{stage}-webhook-deliveries",
    "EventsTableName": "ledger-{stage}-events",
    "StatesTableName": "ledger-{stage}-states",
    "BalancesTableName": "ledger-{stage}-balances",
    "HistoryTableName": "ledger-{stage}-history",
    "PaymentsTableName": "ledger-{stage}-payments",
}


def test_functions_are_told_what_their_handlers_read(templates: Templates) -> None:
    """Handler, time-out and environment of each function are the ones agreed on."""
    found = {}
    for name, function in templates.named("AWS::Lambda::Function").items():
        environment = {
            key: templates.text(function.stack, value)
            for key, value in function.properties["Environment"]["Variables"].items()
        }
        assert environment.pop("POWERTOOLS_SERVICE_NAME") == name.capitalize()
        assert environment.pop("POWERTOOLS_METRICS_NAMESPACE") == f"Ledger/{templates.stage}"
        assert environment.pop("LOG_LEVEL") == "INFO"
        found[name] = function.properties["Handler"], function.properties["Timeout"], environment
    assert found == {
        name: (
            handler,
            timeout,
            {key: text.format(stage=templates.stage) for key, text in environment.items()},
        )
        for name, (handler, timeout, environment) in FUNCTIONS.items()
    }


def test_every_handler_is_in_the_bundle(templates: Templates) -> None:
    """The module a function names is a file of the asset it runs from."""
    [asset] = templates.assembly.glob("asset.*")
    for function in templates.all("AWS::Lambda::Function"):
        module = Path(*function.properties["Handler"].split(".")[:-1])
        assert any(
            (asset / path).is_file() for path in (module.with_suffix(".py"), module / "__init__.py")
        ), function.properties["Handler"]


def test_functions_have_one_shape(templates: Templates) -> None:
    """One runtime, architecture and bundle; own encrypted log group; no tracing, no network."""
    functions = templates.all("AWS::Lambda::Function")
    groups = templates.named("AWS::Logs::LogGroup")
    for function in functions:
        shape = function.properties
        assert shape["Runtime"] == f"python{RUNTIME_VERSION[0]}.{RUNTIME_VERSION[1]}"
        assert shape["Architectures"] == ["arm64"]
        assert shape["LoggingConfig"]["LogFormat"] == "JSON"
        assert shape["LoggingConfig"]["ApplicationLogLevel"] == "INFO"  # metrics count as INFO
        assert templates.text(function.stack, shape["LoggingConfig"]["LogGroup"]) in groups
        assert not {"TracingConfig", "VpcConfig", "DeadLetterConfig", "Layers"} & set(shape)
    assert len({function.properties["Code"]["S3Key"] for function in functions}) == 1


def test_memory_is_given_by_what_waits(templates: Templates) -> None:
    """A whole CPU for the lanes of commands, more than half of one where a client waits for a
    decision, and little where a function waits itself (docs/performance.md)."""
    found = {
        name: function.properties["MemorySize"]
        for name, function in templates.named("AWS::Lambda::Function").items()
    }
    assert found == dict.fromkeys(FUNCTIONS, 512) | {"commands": ONE_CPU_MB, "api": 1024}


def test_every_function_is_reached_by_its_alias_only(templates: Templates) -> None:
    """Each function has the alias `live` on a published version, and nothing invokes another."""
    aliases = templates.all("AWS::Lambda::Alias")
    aliased = {templates.text(alias.stack, alias.properties["FunctionName"]) for alias in aliases}
    assert aliased == set(FUNCTIONS)
    assert {alias.properties["Name"] for alias in aliases} == {"live"}
    versions = {version.logical_id for version in templates.all("AWS::Lambda::Version")}
    for alias in aliases:
        assert alias.properties["FunctionVersion"]["Fn::GetAtt"][0] in versions
    invocable = {alias.logical_id for alias in aliases}
    for permission in templates.all("AWS::Lambda::Permission"):
        assert permission.properties["FunctionName"]["Ref"] in invocable


def test_a_deployment_keeps_the_version_before(templates: Templates) -> None:
    """In every stage: CloudFormation would delete it, and a roll-back is moving the alias to it."""
    versions = templates.all("AWS::Lambda::Version")
    assert len(versions) == len(FUNCTIONS)
    assert {version.body.get("DeletionPolicy") for version in versions} == {"Retain"}


def test_readers_of_events_are_deployed_before_their_writers(templates: Templates) -> None:
    """During a deployment no event of a new type meets a rule or a function of the release before:
    all that decide are switched over once everything that reads has been."""
    aliases = {
        templates.text(alias.stack, alias.properties["FunctionName"]): alias
        for alias in templates.all("AWS::Lambda::Alias")
    }
    rules = {rule.logical_id for rule in templates.all("AWS::Events::Rule")}
    readers = {alias.logical_id for name, alias in aliases.items() if name not in WRITERS}
    for writer in WRITERS:
        assert set(aliases[writer].body["DependsOn"]) == readers | rules


def test_outputs_are_what_the_command_line_reads(templates: Templates) -> None:
    """The service stack's outputs have these keys and name these resources."""
    outputs = {
        key: templates.text("service", output["Value"])
        for key, output in templates.stacks["service"]["Outputs"].items()
        if not key.startswith("ExportsOutput")
    }
    api = outputs.pop("ApiId")
    assert templates.find("service", api).type == "AWS::ApiGateway::RestApi"
    url = outputs.pop("ApiUrl")
    assert url == f"https://{api}.execute-api.<Region>.<URLSuffix>/v1/".replace(
        "v1", _stage_id(url)
    )
    assert outputs == {key: text.format(stage=templates.stage) for key, text in OUTPUTS.items()}


def _stage_id(url: str) -> str:
    """The stage is named by reference: what the template calls it."""
    return url.rstrip("/").rpartition("/")[2]
