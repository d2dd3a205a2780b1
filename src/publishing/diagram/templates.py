"""The templates of one stage: resources, and what a value in them refers to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

Json = Any
"""A parsed JSON value: templates are as deep as their authors like."""

_SUFFIX: Final = ".template.json"
#: The property that names a resource of a type, where it has one.
_NAME_PROPERTIES: Final[Mapping[str, str]] = {
    "AWS::ApiGateway::RestApi": "Name",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::DynamoDB::GlobalTable": "TableName",
    "AWS::Events::Archive": "ArchiveName",
    "AWS::Events::EventBus": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::KMS::Key": "Description",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SSM::Parameter": "Name",
    "AWS::Scheduler::Schedule": "Name",
    "AWS::SecretsManager::Secret": "Name",
}
#: What the ARNs of a service name, as far as ours are put together from words.
_TYPE_OF_ARN: Final[Mapping[str, str]] = {
    "dynamodb": "AWS::DynamoDB::GlobalTable",
    "lambda": "AWS::Lambda::Function",
    "s3": "AWS::S3::Bucket",
    "secretsmanager": "AWS::SecretsManager::Secret",
    "sns": "AWS::SNS::Topic",
    "sqs": "AWS::SQS::Queue",
    "ssm": "AWS::SSM::Parameter",
}
#: What Ref may name in every template beside its own.
_PSEUDO: Final = dict.fromkeys(
    f"AWS::{name}"
    for name in ("AccountId", "NoValue", "Partition", "Region", "StackId", "URLSuffix")
)
ARN: Final = re.compile(r"arn:[^:]*:(?P<service>[a-z0-9-]+):[^:]*:[^:]*:(?P<rest>.+)")


class Address(NamedTuple):
    """Where a resource stands: the last word of its stack's name, and its logical id there."""

    stack: str
    logical_id: str

    def __str__(self) -> str:
        return f"{self.stack}/{self.logical_id}"


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a template."""

    address: Address
    type: str
    body: Mapping[str, Json]

    @property
    def properties(self) -> Mapping[str, Json]:
        """What the template says of it."""
        properties: Mapping[str, Json] = self.body.get("Properties", {})
        return properties


class UnknownReferenceError(ValueError):
    """A template refers to something that no template of the stage has."""


class Stacks:
    """The templates of one stage, by the last word of their stacks' names."""

    def __init__(self, prefix: str, templates: Mapping[str, Mapping[str, Json]]) -> None:
        """`prefix` is what physical names begin with: `ledger-<stage>-`."""
        self.prefix = prefix
        self.templates = templates
        self.resources: Mapping[Address, Resource] = {
            Address(stack, logical_id): Resource(Address(stack, logical_id), body["Type"], body)
            for stack, template in templates.items()
            for logical_id, body in template["Resources"].items()
        }
        self._exports: Mapping[str, tuple[str, Json]] = {
            output["Export"]["Name"]: (stack, output["Value"])
            for stack, template in templates.items()
            for output in template.get("Outputs", {}).values()
            if "Export" in output
        }
        self._named: Mapping[tuple[str, str], Address] = {
            (resource.type, self.name(resource)): resource.address
            for resource in self.resources.values()
            if resource.type in _NAME_PROPERTIES
        }

    @classmethod
    def read(cls, assembly: Path) -> Stacks:
        """The templates in a cloud assembly."""
        texts = {
            path.name.removesuffix(_SUFFIX): path.read_text(encoding="utf-8")
            for path in sorted(assembly.glob(f"*{_SUFFIX}"))
        }
        [prefix] = {name.rpartition("-")[0] for name in texts}
        by_stack = {name.rpartition("-")[2]: json.loads(text) for name, text in texts.items()}
        return cls(f"{prefix}-", by_stack)

    def name(self, resource: Resource) -> str:
        """The physical name of a resource without the stage's prefix, else its logical id."""
        value = resource.properties.get(_NAME_PROPERTIES.get(resource.type, ""))
        if value is None:
            return resource.address.logical_id
        return self.text(resource.address.stack, value).removeprefix(self.prefix)

    def named(self, type: str, name: str) -> Address | None:
        """The resource of a type with that physical name."""
        return self._named.get((type, name.removeprefix(self.prefix)))

    def references(self, stack: str, value: Json) -> Iterator[Address]:
        """Every resource that a value refers to: by Ref, Fn::GetAtt, import or an ARN's text."""
        match value:
            case {"Ref": str(name)}:
                if name not in self.templates[stack].get("Parameters", {}) | _PSEUDO:
                    yield self._existing(Address(stack, name))
            case {"Fn::GetAtt": [str(name), *_]}:
                yield self._existing(Address(stack, name))
            case {"Fn::ImportValue": str(export)}:
                if export not in self._exports:
                    raise UnknownReferenceError(f"{stack} imports {export}, which none exports")
                yield from self.references(*self._exports[export])
            case dict():
                found = [each for inner in value.values() for each in self.references(stack, inner)]
                yield from found or self._by_text(stack, value)
            case list():
                for inner in value:
                    yield from self.references(stack, inner)
            case str():
                yield from self._by_text(stack, value)

    def text(self, stack: str, value: Json) -> str:
        """A value as one line; pseudo parameters and references as `<…>`."""
        match value:
            case {"Ref": str(name)}:
                return f"<{name.removeprefix('AWS::')}>"
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return f"<{name}.{attribute}>"
            case {"Fn::ImportValue": str(export)}:
                return self.text(*self._exports[export])
            case {"Fn::Join": [str(separator), list(parts)]}:
                return separator.join(self.text(stack, part) for part in parts)
            case dict() | list():
                return json.dumps(value)
        return str(value)

    def _existing(self, address: Address) -> Address:
        if address not in self.resources:
            raise UnknownReferenceError(f"{address} is referred to, and is in no template")
        return address

    def _by_text(self, stack: str, value: Json) -> Iterator[Address]:
        """What an ARN names that was put together from words: `arn:…:s3:::<bucket>/<path>`."""
        arn = ARN.fullmatch(self.text(stack, value))
        if arn and arn["service"] in _TYPE_OF_ARN:
            parts = (part for word in arn["rest"].split(":") for part in word.split("/"))
            found = (self.named(_TYPE_OF_ARN[arn["service"]], part) for part in parts)
            yield from dict.fromkeys(address for address in found if address)
