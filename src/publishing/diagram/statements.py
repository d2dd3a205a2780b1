"""What the resources of the templates state of each other, one fact at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

from publishing.diagram.grants import TOWARDS_THE_GRANTED, Verb, verbs_of
from publishing.diagram.templates import ARN, Address, Json, Resource, Stacks

Step = str | int
Path = tuple[Step, ...]


class Fact(NamedTuple):
    """A place in a template: a resource, and the way to one of its properties."""

    resource: Address
    path: Path


class Statement(NamedTuple):
    """One resource does something to another, because of one fact."""

    source: Address
    verb: Verb
    target: Address
    fact: Fact


class Pattern(NamedTuple):
    """What a policy grants by a pattern of names that is no resource of any template.

    Its logical id is made up: the pattern without account, Region and stage.
    """

    address: Address
    service: str


#: Type, property (`*` stands for every item of a list), what it says, and of whom: the resource
#: does it `to` what the property names, or has it done `by` that.
_STATED: Final[tuple[tuple[str, Path, Verb, Literal["to", "by"]], ...]] = (
    ("AWS::ApiGateway::Method", ("Integration", "Uri"), Verb.INVOKES, "to"),
    ("AWS::CloudWatch::Alarm", ("AlarmActions", "*"), Verb.NOTIFIES, "to"),
    ("AWS::CloudWatch::Dashboard", ("DashboardBody",), Verb.SHOWS, "to"),
    ("AWS::Events::Archive", ("SourceArn",), Verb.KEEPS, "by"),
    ("AWS::Events::EventBus", ("DeadLetterConfig", "Arn"), Verb.DEAD_LETTERS, "to"),
    ("AWS::Events::Rule", ("EventBusName",), Verb.MATCHES, "by"),
    ("AWS::Events::Rule", ("Targets", "*", "Arn"), Verb.DELIVERS, "to"),
    ("AWS::Events::Rule", ("Targets", "*", "DeadLetterConfig", "Arn"), Verb.DEAD_LETTERS, "to"),
    ("AWS::Lambda::EventSourceMapping", ("EventSourceArn",), Verb.FEEDS, "by"),
    (
        "AWS::Lambda::EventSourceMapping",
        ("DestinationConfig", "OnFailure", "Destination"),
        *(Verb.DEAD_LETTERS, "to"),
    ),
    ("AWS::Lambda::Function", ("DeadLetterConfig", "TargetArn"), Verb.DEAD_LETTERS, "to"),
    ("AWS::SNS::Subscription", ("Endpoint",), Verb.DELIVERS, "to"),
    (
        "AWS::SNS::Subscription",
        ("RedrivePolicy", "deadLetterTargetArn"),
        *(Verb.DEAD_LETTERS, "to"),
    ),
    ("AWS::SQS::Queue", ("RedrivePolicy", "deadLetterTargetArn"), Verb.DEAD_LETTERS, "to"),
    ("AWS::Scheduler::Schedule", ("Target", "Arn"), Verb.INVOKES, "to"),
    (
        "AWS::Scheduler::Schedule",
        ("Target", "DeadLetterConfig", "Arn"),
        *(Verb.DEAD_LETTERS, "to"),
    ),
)
#: The type of what an alarm's dimension names; the last one that an alarm has is what it watches.
_DIMENSIONS: Final[Mapping[str, str]] = {
    "ApiName": "AWS::ApiGateway::RestApi",
    "FunctionName": "AWS::Lambda::Function",
    "QueueName": "AWS::SQS::Queue",
    "RuleName": "AWS::Events::Rule",
    "TopicName": "AWS::SNS::Topic",
}
_SERVICE_NAME: Final = ("Environment", "Variables", "POWERTOOLS_SERVICE_NAME")
_ALARM: Final = "AWS::CloudWatch::Alarm"
_KEY: Final = "AWS::KMS::Key"


def statements(stacks: Stacks) -> Iterator[Statement]:
    """Everything that the templates state. Raises what `verbs_of` and `Stacks.references` do."""
    for resource in stacks.resources.values():
        yield from _stated_by_properties(stacks, resource)
        if resource.type == "AWS::IAM::Policy":
            yield from _granted(stacks, resource)
        elif resource.type == _ALARM:
            yield from _watched(stacks, resource)
        else:
            yield from _encrypted(stacks, resource)


def patterns(stacks: Stacks) -> Iterator[Pattern]:
    """What policies grant that is in no template: it is made at run time."""
    for resource in stacks.resources.values():
        if resource.type == "AWS::IAM::Policy":
            for _, _, value in _grants(resource):
                if not list(stacks.references(resource.address.stack, value)):
                    yield _pattern(stacks, resource, value)


def at(value: Json, path: Path) -> Iterator[tuple[Path, Json]]:
    """What stands at a path below `value`, with the way there; nothing if the way ends."""
    if not path:
        yield (), value
        return
    step, rest = path[0], path[1:]
    if step == "*":
        ways: list[tuple[Step, Json]] = list(enumerate(value)) if isinstance(value, list) else []
    elif isinstance(value, dict):
        ways = [(step, value[step])] if step in value else []
    elif isinstance(value, list) and isinstance(step, int):
        ways = [(step, value[step])] if step < len(value) else []
    else:
        ways = []
    for taken, inner in ways:
        for way, found in at(inner, rest):
            yield (taken, *way), found


def _stated_by_properties(stacks: Stacks, resource: Resource) -> Iterator[Statement]:
    here = resource.address
    for type, path, verb, direction in _STATED:
        if type != resource.type:
            continue
        for way, value in at(resource.properties, path):
            for other in stacks.references(here.stack, value):
                if verb is Verb.SHOWS and stacks.resources[other].type != _ALARM:
                    continue  # graphs name their metrics by words: one that needs a reference
                source, target = (here, other) if direction == "to" else (other, here)
                yield Statement(source, verb, target, Fact(here, way))


def _grants(policy: Resource) -> Iterator[tuple[Path, Mapping[str, Json], Json]]:
    """Each statement that allows something, with each of its resources, and where that stands."""
    for place, statement in enumerate(policy.properties["PolicyDocument"]["Statement"]):
        if statement["Effect"] != "Allow":
            continue
        way: Path = ("PolicyDocument", "Statement", place, "Resource")
        resources = statement["Resource"]
        if isinstance(resources, list):
            for number, each in enumerate(resources):
                yield (*way, number), statement, each
        else:
            yield way, statement, resources


def _granted(stacks: Stacks, policy: Resource) -> Iterator[Statement]:
    """A policy stands for its role, and so for the function that works under it."""
    here = policy.address
    for way, statement, value in _grants(policy):
        targets = list(stacks.references(here.stack, value))
        for target in targets or [_pattern(stacks, policy, value).address]:
            for verb in verbs_of(statement):
                ends = (target, here) if verb in TOWARDS_THE_GRANTED else (here, target)
                yield Statement(ends[0], verb, ends[1], Fact(here, way))


def _pattern(stacks: Stacks, policy: Resource, value: Json) -> Pattern:
    stack = policy.address.stack
    text = stacks.text(stack, value)
    arn = ARN.fullmatch(text)
    if arn is None:  # `*`
        return Pattern(Address(stack, text), "anything")
    name = arn["rest"].partition(":")[2] or arn["rest"]
    application_and_stage = stacks.prefix.rstrip("-")
    name = name.removeprefix(application_and_stage).lstrip("/-")
    return Pattern(Address(stack, name), arn["service"])


def _watched(stacks: Stacks, alarm: Resource) -> Iterator[Statement]:
    here = alarm.address
    dimensions = alarm.properties["Dimensions"]
    last = len(dimensions) - 1
    name, value = dimensions[last]["Name"], dimensions[last]["Value"]
    for target in _dimension(stacks, here.stack, name, value):
        yield Statement(here, Verb.WATCHES, target, Fact(here, ("Dimensions", last, "Value")))


def _dimension(stacks: Stacks, stack: str, name: str, value: Json) -> Iterator[Address]:
    if name == "service":
        yield from (
            resource.address
            for resource in stacks.resources.values()
            if [value] == [found for _, found in at(resource.properties, _SERVICE_NAME)]
        )
    elif name in _DIMENSIONS:
        found = stacks.named(_DIMENSIONS[name], stacks.text(stack, value))
        yield from [found] if found else []
    else:
        yield from stacks.references(stack, value)


def _encrypted(stacks: Stacks, resource: Resource) -> Iterator[Statement]:
    """Wherever a property names a key, but in the key's own policy, its alias, and what a function
    is told."""
    here = resource.address
    if resource.type in {_KEY, "AWS::KMS::Alias"}:
        return
    for way, value in _leaves(resource.properties):
        if way[0] == "Environment":
            continue
        for key in stacks.references(here.stack, value):
            if stacks.resources[key].type == _KEY:
                yield Statement(key, Verb.ENCRYPTS, here, Fact(here, way))


def _leaves(value: Json, way: Path = ()) -> Iterator[tuple[Path, Json]]:
    """Every reference below a value, with the way there."""
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)) in {"Ref", "Fn::GetAtt", "Fn::ImportValue"}:
            yield way, value
            return
        for key, inner in value.items():
            yield from _leaves(inner, (*way, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _leaves(inner, (*way, place))
