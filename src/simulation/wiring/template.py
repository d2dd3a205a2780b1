"""From the synthesised templates to the parts of the stack.

Whatever the world is built of is read here and nowhere else; a type of resource that carries events
and is not read (a new kind of target, say) is refused rather than left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from simulation.wiring.model import (
    Function,
    Index,
    Queue,
    QueueMapping,
    Route,
    Rule,
    Schedule,
    StreamMapping,
    Subscription,
    Table,
    Wiring,
)
from simulation.wiring.values import UnknownValueError, Values

_PARTIAL: Final = "ReportBatchItemFailures"
_SECONDS: Final = {"minute": 60, "minutes": 60, "hour": 3600, "hours": 3600}
_RATE: Final = re.compile(r"rate\((\d+) (\w+)\)")
_FUNCTION: Final = re.compile(r"(?:^|:function:)([^:]+)(?::live)?$")
# What SQS keeps to where a template leaves it open.
_VISIBILITY_SECONDS: Final = 30
_RETENTION_SECONDS: Final = 345_600

Properties = Mapping[str, Any]


def wiring_of(templates: Sequence[Mapping[str, Any]], *, account: str, region: str) -> Wiring:
    """The stack that `templates` describe together. Raises UnknownValueError."""
    return _Reader(templates, account, region).wiring()


class _Reader:
    def __init__(self, templates: Sequence[Mapping[str, Any]], account: str, region: str) -> None:
        self._templates = templates
        self._account = account
        self._region = region
        self._values = [
            Values(template, account=account, region=region, exported=self._exported)
            for template in templates
        ]
        self._function_names: dict[str, str] = {}

    def wiring(self) -> Wiring:
        functions = tuple(self._functions())
        return Wiring(
            tables=tuple(self._tables()),
            queues=tuple(self._queues()),
            buses=tuple(one["Name"] for _, one in self._all("AWS::Events::EventBus")),
            rules=tuple(self._rules()),
            topics=tuple(
                self._arn("sns", one["TopicName"]) for _, one in self._all("AWS::SNS::Topic")
            ),
            subscriptions=tuple(self._subscriptions()),
            functions=functions,
            queue_mappings=tuple(self._queue_mappings()),
            stream_mappings=tuple(self._stream_mappings()),
            schedules=tuple(self._schedules()),
            routes=tuple(self._routes()),
            parameters={one["Name"]: one["Value"] for _, one in self._all("AWS::SSM::Parameter")},
            buckets=tuple(one["BucketName"] for _, one in self._all("AWS::S3::Bucket")),
            resources=self._counts(),
            outputs=dict(self._outputs()),
            account=self._account,
            region=self._region,
        )

    def _counts(self) -> Mapping[str, int]:
        counts: Counter[str] = Counter()
        for template in self._templates:
            counts.update(one["Type"] for one in template["Resources"].values())
        return dict(sorted(counts.items()))

    def _outputs(self) -> Iterator[tuple[str, str]]:
        """What the stacks tell people; what they tell each other is resolved where it is used."""
        for template, values in zip(self._templates, self._values, strict=True):
            for key, output in template.get("Outputs", {}).items():
                if "Export" not in output:
                    yield key, str(values.of(output["Value"]))

    def _all(self, kind: str) -> Iterator[tuple[str, Properties]]:
        """The resources of a type: name (the given one, else the logical id) and properties."""
        for template, values in zip(self._templates, self._values, strict=True):
            for logical_id, resource in template["Resources"].items():
                if resource["Type"] == kind:
                    yield values.name(logical_id), values.of(resource.get("Properties", {}))

    def _exported(self, name: str) -> Any:
        for template, values in zip(self._templates, self._values, strict=True):
            for output in template.get("Outputs", {}).values():
                if output.get("Export", {}).get("Name") == name:
                    return values.of(output["Value"])
        raise UnknownValueError(f"nobody exports {name}")

    def _arn(self, service: str, name: str) -> str:
        return f"arn:aws:{service}:{self._region}:{self._account}:{name}"

    def _tables(self) -> Iterator[Table]:
        for name, table in self._all("AWS::DynamoDB::GlobalTable"):
            expiry = table.get("TimeToLiveSpecification", {})
            yield Table(
                name=name,
                hash_key=_key(table, "HASH") or "",
                range_key=_key(table, "RANGE"),
                indexes=tuple(map(_index, table.get("GlobalSecondaryIndexes", ()))),
                streamed="StreamSpecification" in table,
                expires_by=expiry["AttributeName"] if expiry.get("Enabled") else None,
            )

    def _queues(self) -> Iterator[Queue]:
        for name, queue in self._all("AWS::SQS::Queue"):
            redrive = queue.get("RedrivePolicy", {})
            yield Queue(
                name=name,
                url=f"https://sqs.{self._region}.amazonaws.com/{self._account}/{name}",
                arn=self._arn("sqs", name),
                fifo=bool(queue.get("FifoQueue")),
                visibility_seconds=int(queue.get("VisibilityTimeout", _VISIBILITY_SECONDS)),
                retention_seconds=int(queue.get("MessageRetentionPeriod", _RETENTION_SECONDS)),
                max_receives=redrive.get("maxReceiveCount"),
                dead_letters=_last(redrive["deadLetterTargetArn"]) if redrive else None,
            )

    def _rules(self) -> Iterator[Rule]:
        for name, rule in self._all("AWS::Events::Rule"):
            if rule.get("State") != "ENABLED" or len(rule["Targets"]) != 1:
                raise UnknownValueError(f"rule {name}: not one target, or not enabled")
            (target,) = rule["Targets"]
            if ":sqs:" not in target["Arn"]:
                raise UnknownValueError(f"rule {name}: its target is no queue")
            retry = target["RetryPolicy"]
            yield Rule(
                name=name,
                bus=rule["EventBusName"],
                pattern=rule["EventPattern"],
                queue=_last(target["Arn"]),
                dead_letters=_last(target["DeadLetterConfig"]["Arn"]),
                retries=retry["MaximumRetryAttempts"],
                age_seconds=retry["MaximumEventAgeInSeconds"],
            )

    def _subscriptions(self) -> Iterator[Subscription]:
        for name, one in self._all("AWS::SNS::Subscription"):
            if one["Protocol"] != "sqs" or not one.get("RawMessageDelivery"):
                raise UnknownValueError(f"subscription {name}: no queue, or not raw")
            dead_letters = one.get("RedrivePolicy", {}).get("deadLetterTargetArn")
            yield Subscription(
                topic_arn=one["TopicArn"],
                queue=_last(one["Endpoint"]),
                dead_letters=_last(dead_letters) if dead_letters else None,
            )

    def _functions(self) -> Iterator[Function]:
        for physical, one in self._all("AWS::Lambda::Function"):
            environment = one["Environment"]["Variables"]
            name = environment["POWERTOOLS_SERVICE_NAME"]
            self._function_names[physical] = name
            yield Function(
                name=name,
                handler=one["Handler"],
                timeout_seconds=one["Timeout"],
                environment=environment,
                memory_mb=one.get("MemorySize", 128),
                snapped="SnapStart" in one,
            )

    def _queue_mappings(self) -> Iterator[QueueMapping]:
        for _, one in self._all("AWS::Lambda::EventSourceMapping"):
            if ":sqs:" in one["EventSourceArn"]:
                yield QueueMapping(
                    function=self._function(one["FunctionName"]),
                    queue=_last(one["EventSourceArn"]),
                    batch=one["BatchSize"],
                    window_seconds=one.get("MaximumBatchingWindowInSeconds", 0),
                    concurrency=one.get("ScalingConfig", {}).get("MaximumConcurrency"),
                    partial=_PARTIAL in one.get("FunctionResponseTypes", ()),
                )

    def _stream_mappings(self) -> Iterator[StreamMapping]:
        for _, one in self._all("AWS::Lambda::EventSourceMapping"):
            if ":dynamodb:" in one["EventSourceArn"]:
                yield StreamMapping(
                    function=self._function(one["FunctionName"]),
                    table=one["EventSourceArn"].split("/")[1],
                    batch=one["BatchSize"],
                    window_seconds=one.get("MaximumBatchingWindowInSeconds", 0),
                    parallel=one.get("ParallelizationFactor", 1),
                    bisect=bool(one.get("BisectBatchOnFunctionError")),
                    partial=_PARTIAL in one.get("FunctionResponseTypes", ()),
                    retries=one["MaximumRetryAttempts"],
                    age_seconds=one["MaximumRecordAgeInSeconds"],
                    failures=_last(one["DestinationConfig"]["OnFailure"]["Destination"]),
                )

    def _schedules(self) -> Iterator[Schedule]:
        for name, one in self._all("AWS::Scheduler::Schedule"):
            rate = _RATE.fullmatch(one["ScheduleExpression"])
            if rate is None:
                raise UnknownValueError(f"schedule {name}: {one['ScheduleExpression']}")
            yield Schedule(
                function=self._function(one["Target"]["Arn"]),
                every_seconds=int(rate[1]) * _SECONDS[rate[2]],
                retries=one["Target"]["RetryPolicy"]["MaximumRetryAttempts"],
            )

    def _routes(self) -> Iterator[Route]:
        for template, values in zip(self._templates, self._values, strict=True):
            resources: Mapping[str, Any] = template["Resources"]
            for resource in resources.values():
                if resource["Type"] != "AWS::ApiGateway::Method":
                    continue
                method = resource["Properties"]
                # arn:…:apigateway:region:lambda:path/…/functions/<ARN of the function>/invocations
                uri = values.of(method["Integration"]["Uri"])
                function = uri.split("/functions/")[1].removesuffix("/invocations")
                yield Route(
                    method=method["HttpMethod"],
                    resource=_path(resources, method["ResourceId"]),
                    function=self._function(function),
                )

    def _function(self, name_or_arn: str) -> str:
        """The function that a mapping, schedule or route means, always by its alias."""
        found = _FUNCTION.search(name_or_arn)
        if found is None or found[1] not in self._function_names:
            raise UnknownValueError(f"no function of ours: {name_or_arn}")
        return self._function_names[found[1]]


def _path(resources: Mapping[str, Any], reference: Mapping[str, Any]) -> str:
    """The path of a REST resource, from the root down."""
    if "Ref" not in reference:
        return ""  # the API's root
    resource = resources[reference["Ref"]]["Properties"]
    return f"{_path(resources, resource['ParentId'])}/{resource['PathPart']}"


def _index(given: Properties) -> Index:
    projection = given["Projection"]
    match projection["ProjectionType"]:
        case "ALL":
            projected = None
        case "KEYS_ONLY":
            projected = ()
        case _:
            projected = tuple(projection["NonKeyAttributes"])
    return Index(
        name=given["IndexName"],
        hash_key=_key(given, "HASH") or "",
        range_key=_key(given, "RANGE"),
        projected=projected,
    )


def _key(given: Properties, kind: str) -> str | None:
    names = [one["AttributeName"] for one in given["KeySchema"] if one["KeyType"] == kind]
    return str(names[0]) if names else None


def _last(arn: str) -> str:
    return arn.rsplit(":", maxsplit=1)[-1]
