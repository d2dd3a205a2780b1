"""Nodes and arrows of the stack, each with the facts of the templates that it rests on.

Minor resources (roles, policies, log groups, versions, …) are folded into the node they belong to:
every resource is in exactly one node.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from publishing.diagram.grants import Verb
from publishing.diagram.statements import Fact, Path, at, patterns, statements
from publishing.diagram.templates import Address, Resource, Stacks

#: What a type that is a node of its own is called. Others than these and those that are folded are
#: nodes as well, called as their type is.
_KINDS: Final[Mapping[str, str]] = {
    "AWS::ApiGateway::RestApi": "REST API",
    "AWS::CloudWatch::Alarm": "alarms",
    "AWS::CloudWatch::Dashboard": "dashboard",
    "AWS::DynamoDB::GlobalTable": "table",
    "AWS::Events::Archive": "archive",
    "AWS::Events::EventBus": "event bus",
    "AWS::Events::Rule": "rule",
    "AWS::KMS::Key": "key",
    "AWS::Lambda::Function": "function",
    "AWS::S3::Bucket": "bucket",
    "AWS::SNS::Topic": "topic",
    "AWS::SQS::Queue": "queue",
    "AWS::SSM::Parameter": "parameter",
    "AWS::Scheduler::Schedule": "schedule",
    "AWS::SecretsManager::Secret": "secret",
}
#: What is not in the templates, by service: policies grant it by a pattern of its names.
_KINDS_AT_RUN_TIME: Final[Mapping[str, str]] = {
    "secretsmanager": "secrets",
}
#: The property by which a minor resource names what it belongs to.
_BELONGS_BY: Final[Mapping[str, str]] = {
    "AWS::ApiGateway::Deployment": "RestApiId",
    "AWS::ApiGateway::GatewayResponse": "RestApiId",
    "AWS::ApiGateway::Method": "RestApiId",
    "AWS::ApiGateway::Model": "RestApiId",
    "AWS::ApiGateway::RequestValidator": "RestApiId",
    "AWS::ApiGateway::Resource": "RestApiId",
    "AWS::ApiGateway::Stage": "RestApiId",
    "AWS::IAM::Policy": "Roles",
    "AWS::KMS::Alias": "TargetKeyId",
    "AWS::Lambda::Alias": "FunctionName",
    "AWS::Lambda::EventInvokeConfig": "FunctionName",
    "AWS::Lambda::EventSourceMapping": "FunctionName",
    "AWS::Lambda::Permission": "FunctionName",
    "AWS::Lambda::Version": "FunctionName",
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::SNS::Subscription": "TopicArn",
    "AWS::SNS::TopicPolicy": "Topics",
    "AWS::SQS::QueuePolicy": "Queues",
    "AWS::SecretsManager::ResourcePolicy": "SecretId",
}
#: Minor resources that are named by those they belong to, and the properties that do it.
_NAMED_BY_OWNERS: Final = frozenset({"AWS::IAM::Role", "AWS::Logs::LogGroup"})
_NAMING: Final[tuple[Path, ...]] = (
    *(("AccessLogSetting",), ("CloudWatchRoleArn",), ("LoggingConfig",)),
    *(("Role",), ("RoleArn",), ("Target", "RoleArn")),
)
_ALARM: Final = "AWS::CloudWatch::Alarm"
#: Only says with which role API Gateway writes logs; the CDK hangs it on the API it came with.
_ACCOUNT: Final = "AWS::ApiGateway::Account"


@dataclass(frozen=True, slots=True)
class Node:
    """A box of the diagram: a resource, and all that is folded into it."""

    address: Address
    kind: str
    name: str
    parts: tuple[Resource, ...]  # itself first

    @property
    def stack(self) -> str:
        """The stack that it belongs to."""
        return self.address.stack


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one node to another, with every fact it rests on: without them it would not be."""

    source: Address
    target: Address
    verb: Verb
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """All nodes in the order of the templates, and all arrows between them."""

    nodes: Mapping[Address, Node]
    arrows: tuple[Arrow, ...]

    def arrows_of(self, *verbs: Verb) -> list[Arrow]:
        """The arrows that say one of these."""
        return [arrow for arrow in self.arrows if arrow.verb in verbs]


class UnplacedResourceError(ValueError):
    """A minor resource belongs to nothing, or to more than one thing."""


def model_of(stacks: Stacks) -> Model:
    """The diagram of a stage.

    Raises UnplacedResourceError, UnknownActionError or UnknownReferenceError when the templates
    have something that it does not know how to draw.
    """
    folding = _Folding(stacks)
    stated = list(statements(stacks))
    dead_letters = {folding.home(each.target) for each in stated if each.verb is Verb.DEAD_LETTERS}
    members: dict[Address, list[Resource]] = {}
    for resource in stacks.resources.values():
        members.setdefault(folding.home(resource.address), []).append(resource)
    nodes = {
        address: _node(stacks, address, parts, dead_letters)
        for address, parts in sorted(members.items(), key=lambda item: folding.place(item[0]))
    }
    for address, service in patterns(stacks):
        kind = _KINDS_AT_RUN_TIME.get(service, service)
        nodes[address] = Node(address, kind, address.logical_id, ())
    found: dict[tuple[Address, Address, Verb], list[Fact]] = {}
    for source, verb, target, fact in stated:
        ends = folding.home(source), folding.home(target)
        if ends[0] != ends[1]:
            found.setdefault((*ends, verb), []).append(fact)
    return Model(
        nodes,
        tuple(Arrow(*ends, tuple(dict.fromkeys(facts))) for ends, facts in found.items()),
    )


def _node(
    stacks: Stacks, address: Address, members: Sequence[Resource], dead_letters: set[Address]
) -> Node:
    itself = stacks.resources[address]
    kind = _KINDS.get(itself.type, itself.type.rpartition("::")[2])
    name = stacks.name(itself)
    if kind == "queue" and address in dead_letters:
        kind = "dead letters"
    elif kind == "alarms":
        name = f"{sum(each.type == itself.type for each in members)} alarms"
    elif kind == "dashboard":
        name = stacks.prefix.partition("-")[0]  # it is called like the stage, which varies
    elif kind == "key":
        name = f"{address.stack} key"
    elif kind == "bucket":
        name = name.partition("-<")[0]  # account and Region follow
    others = (each for each in members if each is not itself)
    return Node(address, kind, name, (itself, *others))


class _Folding:
    """Which resource belongs to which node."""

    def __init__(self, stacks: Stacks) -> None:
        self._stacks = stacks
        self._homes: dict[Address, Address] = {}
        self._places = {address: place for place, address in enumerate(stacks.resources)}

    def place(self, address: Address) -> int:
        """Where it stands in the templates."""
        return self._places[address]

    def home(self, address: Address) -> Address:
        """The resource into whose node this one is folded: often itself."""
        if address not in self._homes:
            self._homes[address] = self._found_home(address)
        return self._homes[address]

    def _found_home(self, address: Address) -> Address:
        resource = self._stacks.resources.get(address)
        if resource is None:
            return address  # a pattern
        if resource.type == _ALARM:  # all of a stack are one node
            return self._first_alarms[address.stack]
        owners = self._owners(resource)
        if owners is None:
            return address
        homes = {self.home(owner) for owner in owners}
        if len(homes) != 1:
            raise UnplacedResourceError(
                f"{address} ({resource.type}) must belong to one node, and belongs to "
                f"{[str(home) for home in sorted(homes)]}"
            )
        return homes.pop()

    def _owners(self, resource: Resource) -> Sequence[Address] | None:
        """What a minor resource belongs to, directly; None for one that stands for itself."""
        stack, properties = resource.address.stack, resource.properties
        if resource.type in _BELONGS_BY:
            return list(self._stacks.references(stack, properties[_BELONGS_BY[resource.type]]))
        if resource.type == _ACCOUNT:
            return [Address(stack, name) for name in resource.body.get("DependsOn", [])]
        if resource.type in _NAMED_BY_OWNERS:
            named = self._named_by.get(resource.address)
            # API Gateway finds the log of its executions by a name that has the API's id in it.
            name = properties.get("LogGroupName", "")
            return named or list(self._stacks.references(stack, name))
        return None

    @cached_property
    def _named_by(self) -> Mapping[Address, Sequence[Address]]:
        """By role and log group: those that name it as theirs."""
        found: dict[Address, list[Address]] = {}
        for resource in self._stacks.resources.values():
            naming = [value for way in _NAMING for _, value in at(resource.properties, way)]
            for target in self._stacks.references(resource.address.stack, naming):
                if self._stacks.resources[target].type in _NAMED_BY_OWNERS:
                    found.setdefault(target, []).append(resource.address)
        return found

    @cached_property
    def _first_alarms(self) -> Mapping[str, Address]:
        alarms = [each.address for each in self._stacks.resources.values() if each.type == _ALARM]
        return {address.stack: address for address in reversed(alarms)}
