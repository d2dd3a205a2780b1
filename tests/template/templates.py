"""Reading synthesised templates: resources by type, references by the names people use."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]

# The property that names a resource of a type, where it has one.
_NAMES = {
    "AWS::DynamoDB::GlobalTable": "TableName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::Events::EventBus": "Name",
    "AWS::Events::Rule": "Name",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::KMS::Key": "Description",
    "AWS::SNS::Topic": "TopicName",
    "AWS::Scheduler::Schedule": "Name",
    "AWS::CloudWatch::Alarm": "AlarmName",
}


@dataclass(frozen=True)
class Resource:
    """One resource of a stage: where it is, what it is, what it says."""

    stack: str
    logical_id: str
    type: str
    properties: Json
    body: Json = field(repr=False)


@dataclass(frozen=True)
class Templates:
    """The three templates of one stage, and what its synthesis reported."""

    stage: str
    assembly: Path
    stacks: dict[str, Json]

    @classmethod
    def read(cls, stage: str, assembly: Path) -> "Templates":
        """The templates in the cloud assembly, by the last word of their stack's name."""
        stacks = {
            path.name.removesuffix(".template.json").rpartition("-")[2]: json.loads(
                path.read_text(encoding="utf-8")
            )
            for path in assembly.glob("*.template.json")
        }
        return cls(stage, assembly, stacks)

    @property
    def prefix(self) -> str:
        """What physical names begin with."""
        return f"ledger-{self.stage}-"

    def all(self, type: str) -> list[Resource]:
        """The resources of a type in all stacks; at least one, so that no test passes in vain."""
        found = [resource for resource in self.resources() if resource.type == type]
        assert found, f"no {type} in any stack"
        return found

    def resources(self) -> Iterator[Resource]:
        """Every resource of the stage."""
        for stack, template in self.stacks.items():
            for logical_id, body in template["Resources"].items():
                properties = body.get("Properties", {})
                yield Resource(stack, logical_id, body["Type"], properties, body)

    def named(self, type: str) -> dict[str, Resource]:
        """The resources of a type by their physical names without the stage's prefix."""
        return {self.name(resource): resource for resource in self.all(type)}

    def name(self, resource: Resource) -> str:
        """What people call the resource: its physical name, else its logical id."""
        name = resource.properties.get(_NAMES.get(resource.type, ""), resource.logical_id)
        return self.text(resource.stack, name).removeprefix(self.prefix)

    def find(self, stack: str, logical_id: str) -> Resource:
        """The resource with that logical id."""
        body = self.stacks[stack]["Resources"][logical_id]
        return Resource(stack, logical_id, body["Type"], body.get("Properties", {}), body)

    def text(self, stack: str, value: Any) -> str:
        """A property as one line: references become the names of what they refer to."""
        match value:
            case str() | int() | bool():
                return str(value)
            case {"Ref": str(name)} if name.startswith("AWS::"):
                return f"<{name.removeprefix('AWS::')}>"
            case {"Ref": str(name)} if name in self.stacks[stack].get("Parameters", {}):
                return f"<parameter {name}>"
            case {"Ref": str(logical_id)}:
                return self.name(self.find(stack, logical_id))
            case {"Fn::GetAtt": [str(logical_id), str(attribute)]}:
                return f"{self.name(self.find(stack, logical_id))}.{attribute}"
            case {"Fn::ImportValue": str(export)}:
                return self._exported(export)
            case {"Fn::Join": [separator, list(parts)]}:
                return str(separator).join(self.text(stack, part) for part in parts)
            case {"Fn::Select": [index, {"Fn::Split": [separator, inner]}]}:
                return f"{self.text(stack, inner)}[{index} by {separator}]"
        raise AssertionError(f"a value of a form no template of ours should have: {value}")

    def _exported(self, export: str) -> str:
        for stack, template in self.stacks.items():
            for output in template.get("Outputs", {}).values():
                if output.get("Export", {}).get("Name") == export:
                    return self.text(stack, output["Value"])
        raise AssertionError(f"{export} is imported and exported by no stack")


def statements(document: Json) -> list[Json]:
    """The statements of a policy document, their actions and resources always as lists."""
    return [
        {
            **statement,
            "Action": listed(statement["Action"]),
            "Resource": listed(statement["Resource"]),
        }
        for statement in document["Statement"]
    ]


def listed(value: Any) -> list[Any]:
    """IAM's and CloudFormation's one-or-many, always as a list."""
    return value if isinstance(value, list) else [value]
