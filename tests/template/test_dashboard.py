"""The dashboard shows everything on a payment's path, and only what is really measured."""

import ast
import json
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.template.templates import Json, Resource, Templates

ROOT = Path(__file__).resolve().parents[2]
# What AWS measures (documentation of each service), by the dimensions under which it does.
AWS_METRICS: dict[tuple[str, tuple[str, ...]], set[str]] = {
    ("AWS/ApiGateway", ("ApiName",)): {"Count", "4XXError", "5XXError", "Latency"},
    ("AWS/SQS", ("QueueName",)): {
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesVisible",
        "NumberOfMessagesSent",
    },
    ("AWS/Lambda", ("FunctionName",)): {
        *("Duration", "Errors", "Invocations", "IteratorAge", "Throttles"),
    },
    # Only with MetricsConfig EventCount, which another test asserts.
    ("AWS/Lambda", ("EventSourceMappingUUID",)): {
        *("DroppedEventCount", "OnFailureDestinationDeliveredEventCount"),
    },
    ("AWS/Events", ("EventBusName", "RuleName")): {
        *("FailedInvocations", "Invocations"),
        *("InvocationsFailedToBeSentToDlq", "InvocationsSentToDlq"),
    },
    ("AWS/SNS", ("TopicName",)): {
        *("NumberOfMessagesPublished", "NumberOfNotificationsDelivered"),
        *("NumberOfNotificationsFailed", "NumberOfNotificationsFailedToRedriveToDlq"),
    },
    ("AWS/DynamoDB", ("TableName",)): {"ConsumedWriteCapacityUnits"},
    ("AWS/Logs", ("LogGroupName",)): {"IncomingBytes"},
}
# The type whose physical names a dimension holds.
NAMED_BY = {
    "ApiName": "AWS::ApiGateway::RestApi",
    "EventBusName": "AWS::Events::EventBus",
    "FunctionName": "AWS::Lambda::Function",
    "LogGroupName": "AWS::Logs::LogGroup",
    "QueueName": "AWS::SQS::Queue",
    "RuleName": "AWS::Events::Rule",
    "TableName": "AWS::DynamoDB::GlobalTable",
    "TopicName": "AWS::SNS::Topic",
}


class Metric(NamedTuple):
    """A metric on a graph or behind an alarm."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


def test_every_metric_is_one_that_aws_or_our_code_emits(templates: Templates) -> None:
    """AWS's under dimensions that it has, of resources that exist; ours where the function's own
    code names them. A graph or alarm of a misspelt metric would be silent for ever."""
    shown = {*_metrics(templates), *_alarmed(templates)}
    assert len(shown) > 80
    functions = _functions_by_service(templates)
    for metric in shown:
        if metric.namespace == f"Ledger/{templates.stage}":
            ((dimension, service),) = metric.dimensions
            assert dimension == "service"
            handler = functions[service].properties["Handler"]
            assert metric.name in emitted(handler.rpartition(".")[0]), metric
            continue
        names = tuple(name for name, _ in metric.dimensions)
        assert metric.name in AWS_METRICS[metric.namespace, names], metric
        for name, value in metric.dimensions:
            if name in NAMED_BY:
                assert value.removeprefix(templates.prefix) in _names(templates, name), metric


def test_every_queue_is_shown_with_its_age_and_depth(templates: Templates) -> None:
    """Dead-letter queues with their depth alone: nobody takes from them."""
    queues = set(templates.named("AWS::SQS::Queue"))
    living = {name for name in queues if "-dlq" not in name}
    assert _shown(templates, "AWS/SQS", "ApproximateAgeOfOldestMessage") == living
    assert _shown(templates, "AWS/SQS", "ApproximateNumberOfMessagesVisible") == queues


def test_every_function_is_shown_with_its_failures_and_its_cost(templates: Templates) -> None:
    """A new function appears on the dashboard by itself."""
    functions = set(templates.named("AWS::Lambda::Function"))
    for metric in ("Errors", "Throttles", "Invocations", "Duration"):
        assert _shown(templates, "AWS/Lambda", metric) == functions, metric
    logs = {
        name.rpartition(templates.prefix)[2]
        for name in _shown(templates, "AWS/Logs", "IncomingBytes")
    }
    assert logs == functions


def test_every_rule_is_shown_with_what_it_failed_to_deliver(templates: Templates) -> None:
    """Failed, dead-lettered and lost deliveries, and how many there were."""
    rules = set(templates.named("AWS::Events::Rule"))
    for metric in AWS_METRICS["AWS/Events", ("EventBusName", "RuleName")]:
        assert _shown(templates, "AWS/Events", metric) == rules, metric


def test_every_table_is_shown_with_what_writing_to_it_costs(templates: Templates) -> None:
    """Write units are the largest part of the bill."""
    assert _shown(templates, "AWS/DynamoDB", "ConsumedWriteCapacityUnits") == set(
        templates.named("AWS::DynamoDB::GlobalTable")
    )


def test_every_consumer_is_shown_with_its_lag_and_its_failures(templates: Templates) -> None:
    """Whoever takes messages and says how many failed, or how far behind the ledger it is, is
    shown with that."""
    for metric, least in (
        ("LagMilliseconds", {"Balances", "Fraud", "History", "Notifications", "Payments"}),
        ("MessagesFailed", {"Balances", "Webhookdelivery"}),
    ):
        measuring = {
            service
            for service, function in _functions_by_service(templates).items()
            if "QUEUE_URL" in function.properties["Environment"]["Variables"]
            if metric in emitted(function.properties["Handler"].rpartition(".")[0])
        }
        assert measuring >= least
        assert _shown(templates, f"Ledger/{templates.stage}", metric) == measuring


def test_sweeps_are_shown_with_what_they_released(templates: Templates) -> None:
    """How many holds, how many that stay, how late, and whether there are sweeps at all."""
    for metric in ("HoldsExpired", "HoldsNotExpired", "OldestDueSeconds"):
        assert _shown(templates, f"Ledger/{templates.stage}", metric) == {"Expiry"}
    sampled = {
        row[1]
        for widget in _widgets(templates)
        for row in widget["properties"].get("metrics", [])
        if row[-1].get("stat") == "SampleCount"
    }
    assert sampled == {"HoldsExpired"}


def test_every_topic_is_shown_with_what_it_failed_to_deliver(templates: Templates) -> None:
    """But for the alarms' own: what fails there could not be told there."""
    topics = set(templates.named("AWS::SNS::Topic")) - {"alarms"}
    for metric in AWS_METRICS["AWS/SNS", ("TopicName",)]:
        assert _shown(templates, "AWS/SNS", metric) == topics, metric


def test_every_alarm_is_on_it(templates: Templates) -> None:
    """At the top, so that red is seen first."""
    [first, second, *_] = _widgets(templates)
    assert first["type"] == "text"
    assert second["type"] == "alarm"
    alarms = templates.all("AWS::CloudWatch::Alarm")
    assert sorted(second["properties"]["alarms"]) == sorted(
        f"{templates.name(alarm)}.Arn" for alarm in alarms
    )
    assert len(alarms) <= 100  # as many as one widget takes


def test_widgets_follow_each_other_without_overlap(templates: Templates) -> None:
    """Row by row on a grid of 24 columns."""
    taken: set[tuple[int, int]] = set()
    for widget in _widgets(templates):
        place = {
            (widget["x"] + column, widget["y"] + row)
            for column in range(widget["width"])
            for row in range(widget["height"])
        }
        assert max(column for column, _ in place) < 24
        assert not taken & place
        taken |= place


def test_words_point_to_sections_that_exist(templates: Templates) -> None:
    """Each part says what is normal, and names pages and sections by their titles."""
    words = [
        widget["properties"]["markdown"]
        for widget in _widgets(templates)
        if widget["type"] == "text"
    ]
    assert len(words) == 9
    for text in words:
        assert "**Normal:**" in text
        for page, section in re.findall(r"(docs/\w+\.md)(?:, \*([^*]+)\*)?", text):
            titles = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
            assert not section or section in titles, (page, section)
    assert any("docs/operations.md" in text for text in words)


def test_the_dashboard_is_found_by_the_outputs(templates: Templates) -> None:
    """One dashboard a stage, named like the stage, with a link for the browser."""
    [dashboard] = templates.all("AWS::CloudWatch::Dashboard")
    name = f"ledger-{templates.stage}"
    assert dashboard.properties["DashboardName"] == name
    outputs = templates.stacks["observability"]["Outputs"]
    assert outputs["DashboardName"]["Value"] == name
    url = templates.text("observability", outputs["DashboardUrl"]["Value"])
    assert url == (
        "https://<Region>.console.aws.amazon.com/cloudwatch/home?region=<Region>"
        f"#dashboards/dashboard/{name}"
    )


@cache
def emitted(module: str) -> frozenset[str]:
    """The metrics that the code of a module, and what it imports of ours, counts or times."""
    found: set[str] = set()
    seen: set[Path] = set()
    waiting = [module]
    while waiting:
        path = _file(waiting.pop())
        if path is not None and path not in seen:
            seen.add(path)
            metrics, imported = _read(path)
            found |= metrics
            waiting += imported
    return frozenset(found)


@cache
def _read(path: Path) -> tuple[frozenset[str], tuple[str, ...]]:
    """The metrics that a file names, and what it imports.

    A metric's name is a CamelCase text in a call of `count`, `milliseconds` or `seconds`, the first
    of a pair, or a key of a dict.
    """
    metrics: set[str] = set()
    imported: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="count" | "milliseconds" | "seconds"), args=[name, _]
            ):
                metrics |= _camel_case(name)
            case ast.Tuple(elts=[name, _]):
                metrics |= _camel_case(name)
            case ast.Dict(keys=keys):
                metrics |= {name for key in keys if key for name in _camel_case(key)}
            case ast.Import(names=names):
                imported += [alias.name for alias in names]
            case ast.ImportFrom(module=str(module), names=names):
                imported += [module, *(f"{module}.{alias.name}" for alias in names)]
    return frozenset(metrics), tuple(imported)


def _camel_case(node: ast.expr) -> set[str]:
    text = node.value if isinstance(node, ast.Constant) else None
    return {text} if isinstance(text, str) and re.fullmatch(r"([A-Z][a-z]+)+", text) else set()


def _file(module: str) -> Path | None:
    base = ROOT / "src" / Path(*module.split("."))
    candidates = (base.with_suffix(".py"), base / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def _functions_by_service(templates: Templates) -> dict[str, Resource]:
    """The functions by the name under which their metrics appear."""
    return {
        function.properties["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]: function
        for function in templates.all("AWS::Lambda::Function")
    }


def _widgets(templates: Templates) -> list[Json]:
    [dashboard] = templates.all("AWS::CloudWatch::Dashboard")
    body = templates.text(dashboard.stack, dashboard.properties["DashboardBody"])
    widgets: list[Json] = json.loads(body)["widgets"]
    return widgets


def _metrics(templates: Templates) -> list[Metric]:
    """Every metric on a graph, also those that only an expression uses."""
    return [
        _metric(row)
        for widget in _widgets(templates)
        for row in widget["properties"].get("metrics", [])
        if isinstance(row[0], str)  # an expression has no name of its own
    ]


def _metric(row: list[str]) -> Metric:
    namespace, name, *rest = row[:-1]
    return Metric(namespace, name, tuple(zip(rest[::2], rest[1::2], strict=True)))


def _alarmed(templates: Templates) -> list[Metric]:
    return [
        Metric(
            alarm.properties["Namespace"],
            alarm.properties["MetricName"],
            tuple(
                (each["Name"], templates.text(alarm.stack, each["Value"]))
                for each in alarm.properties["Dimensions"]
            ),
        )
        for alarm in templates.all("AWS::CloudWatch::Alarm")
    ]


def _shown(templates: Templates, namespace: str, name: str) -> set[str]:
    """What a metric is shown of: the last of its dimensions, without the stage's prefix."""
    return {
        metric.dimensions[-1][1].removeprefix(templates.prefix)
        for metric in _metrics(templates)
        if (metric.namespace, metric.name) == (namespace, name)
    }


def _names(templates: Templates, dimension: str) -> set[str]:
    resources = templates.all(NAMED_BY[dimension])
    if dimension == "ApiName":
        return {api.properties["Name"].removeprefix(templates.prefix) for api in resources}
    return {templates.name(resource) for resource in resources}
