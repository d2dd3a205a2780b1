"""Metrics by the physical names that the stage fixes.

Named so, the observability stack does not hold on to exports of the others and block their changes.
"""

from collections.abc import Mapping

import aws_cdk as core
from aws_cdk import aws_cloudwatch as cloudwatch

from cdk.patterns.python_function import PythonFunction

_MB_MS_IN_A_GB_S = 1024 * 1000


def metric(
    namespace: str,
    name: str,
    dimensions: Mapping[str, str],
    statistic: str = cloudwatch.Stats.SUM,
    *,
    label: str | None = None,
) -> cloudwatch.Metric:
    """A metric of one minute's periods; `label` is what a graph calls it."""
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map=dict(dimensions),
        statistic=statistic,
        period=core.Duration.minutes(1),
        label=label,
    )


def function_metric(
    name: str,
    function: PythonFunction,
    statistic: str = cloudwatch.Stats.SUM,
    *,
    label: str | None = None,
) -> cloudwatch.Metric:
    """What Lambda measures of a function, all its versions together."""
    dimensions = {"FunctionName": function.function_name}
    return metric("AWS/Lambda", name, dimensions, statistic, label=label)


def ledger_metric(
    name: str,
    function: PythonFunction,
    statistic: str = cloudwatch.Stats.SUM,
    *,
    label: str | None = None,
) -> cloudwatch.Metric:
    """A metric of our own, which the function writes into its log lines."""
    dimensions = {"service": function.logical_name}
    return metric(function.metrics_namespace, name, dimensions, statistic, label=label)


def queue_metric(
    name: str,
    queue_name: str,
    statistic: str = cloudwatch.Stats.MAXIMUM,
    *,
    label: str | None = None,
) -> cloudwatch.Metric:
    """What SQS measures of a queue."""
    return metric("AWS/SQS", name, {"QueueName": queue_name}, statistic, label=label)


def topic_metric(name: str, topic_name: str, *, label: str | None = None) -> cloudwatch.Metric:
    """What SNS counts of a topic, all its subscriptions together."""
    return metric("AWS/SNS", name, {"TopicName": topic_name}, label=label)


def rule_metric(
    name: str, bus_name: str, rule_name: str, *, label: str | None = None
) -> cloudwatch.Metric:
    """What EventBridge counts of a rule; one of a bus of our own is measured under both names."""
    dimensions = {"EventBusName": bus_name, "RuleName": rule_name}
    return metric("AWS/Events", name, dimensions, label=label)


def write_units_metric(table_name: str, *, label: str | None = None) -> cloudwatch.Metric:
    """What writing to a table took."""
    dimensions = {"TableName": table_name}
    return metric("AWS/DynamoDB", "ConsumedWriteCapacityUnits", dimensions, label=label)


def quotient_metric(over: str, under: str, function: PythonFunction) -> cloudwatch.IMetric:
    """One of our metrics by another; a minute without the other has none."""
    short = function.logical_name.lower()
    metrics = {
        f"{place}_{short}": ledger_metric(name, function)
        for place, name in (("over", over), ("under", under))
    }
    return cloudwatch.MathExpression(
        expression=" / ".join(metrics),
        using_metrics=metrics,
        label=short,
        period=core.Duration.minutes(1),
    )


def gigabyte_seconds_metric(function: PythonFunction) -> cloudwatch.IMetric:
    """What Lambda charges for a function, but for starting up."""
    short = function.logical_name.lower()
    duration = f"duration_{short}"
    return cloudwatch.MathExpression(
        expression=f"{duration} * {function.memory_mb} / {_MB_MS_IN_A_GB_S}",
        using_metrics={duration: function_metric("Duration", function)},
        label=short,
        period=core.Duration.minutes(1),
    )
