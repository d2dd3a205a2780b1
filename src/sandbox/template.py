"""A CloudFormation template without the resources that the emulator lacks. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.errors import SandboxError

Json = Any
"""A parsed JSON value: templates are as deep as their authors like."""

# `${Name}` and `${Name.Attribute}`; `${!Literal}` is text, `${AWS::Region}` no resource
_SUBSTITUTED = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[^}]*)?\}")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One resource of the synthesised template that is not deployed, and why."""

    type: str
    logical_id: str
    reason: str


def without_unsupported(
    template: Mapping[str, Json], unsupported: Mapping[str, str]
) -> tuple[dict[str, Json], tuple[LeftOut, ...]]:
    """A copy of `template` without resources of the `unsupported` types, and what was left out.

    A `DependsOn` on such a resource goes with it: it orders creation and says nothing else. Any
    other reference cannot be kept honestly and raises SandboxError naming the place.
    """
    resources: Mapping[str, Json] = template.get("Resources", {})
    left_out = tuple(
        LeftOut(type=resource["Type"], logical_id=logical_id, reason=unsupported[resource["Type"]])
        for logical_id, resource in resources.items()
        if resource["Type"] in unsupported
    )
    removed = {each.logical_id: each.type for each in left_out}
    kept = {
        **template,
        "Resources": {
            logical_id: _without_dependencies(resource, removed)
            for logical_id, resource in resources.items()
            if logical_id not in removed
        },
    }
    for place, target in _references(kept, ""):
        if target in removed:
            raise SandboxError(
                f"{place} refers to {target}, an {removed[target]}, which the emulator lacks: only "
                "resources that nothing refers to can be left out (src/sandbox/unsupported.py)"
            )
    return kept, left_out


def _without_dependencies(
    resource: Mapping[str, Json], removed: Mapping[str, str]
) -> dict[str, Json]:
    if "DependsOn" not in resource:
        return dict(resource)
    stated = resource["DependsOn"]
    names = [stated] if isinstance(stated, str) else stated
    remaining = [name for name in names if name not in removed]
    rest = {key: value for key, value in resource.items() if key != "DependsOn"}
    return {**rest, "DependsOn": remaining} if remaining else rest


def _references(node: Json, place: str) -> Iterator[tuple[str, str]]:
    """Every (place, logical id) that `node` refers to with Ref, Fn::GetAtt or Fn::Sub."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _references(item, f"{place}[{index}]")
    elif isinstance(node, dict):
        for key, value in node.items():
            for target in _targets(key, value):
                yield place, target
            yield from _references(value, f"{place}.{key}" if place else key)


def _targets(function: str, argument: Json) -> list[str]:
    """The logical ids that one intrinsic function names."""
    match function, argument:
        case "Ref", str():
            return [argument]
        case "Fn::GetAtt", [str() as logical_id, *_]:
            return [logical_id]
        case "Fn::GetAtt", str():
            return [argument.split(".")[0]]
        case "Fn::Sub", str():
            return _SUBSTITUTED.findall(argument)
        case "Fn::Sub", [str() as text, dict() as variables]:
            return [name for name in _SUBSTITUTED.findall(text) if name not in variables]
        case _:
            return []
