"""A CDK cloud assembly, read: which stacks there are, in which order, and which files they need.

The format is the CDK's `cloud-assembly-schema`: `manifest.json` lists artifacts, of which two kinds
matter here, stacks and asset manifests.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Literal

from sandbox.errors import SandboxError

_STACK = "aws:cloudformation:stack"
_ASSETS = "cdk:asset-manifest"
_UNKNOWN_REGION = "unknown-region"


@dataclass(frozen=True, slots=True)
class Location:
    """An object in S3."""

    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class Asset:
    """A file, or a directory to be zipped, and where the templates expect it."""

    source: Path
    packaging: Literal["file", "zip"]
    destination: Location


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack, its synthesised template, and where the template is published."""

    name: str
    template: Path
    destination: Location
    tags: Mapping[str, str] = field(default_factory=dict)
    """The stack's own, which CloudFormation hands on to its resources."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """A cloud assembly: `stacks` come after those they depend on."""

    region: str
    stacks: tuple[Stack, ...]
    assets: tuple[Asset, ...]

    def code(self) -> Path | None:
        """The directory that all functions are made of; None without functions.

        Raises SandboxError when there are several: one directory is all that functions here share.
        """
        directories = {each.source for each in self.assets if each.packaging == "zip"}
        if len(directories) > 1:
            names = ", ".join(sorted(each.name for each in directories))
            raise SandboxError(f"the functions have several bundles, where one is shared: {names}")
        return directories.pop() if directories else None


def read_assembly(directory: Path, *, account: str, default_region: str) -> Assembly:
    """The assembly in `directory`, its placeholders filled for `account`.

    `default_region` is used when the stacks leave theirs open. Raises SandboxError for what cannot
    be deployed here: container images, stacks in several regions, circular dependencies.
    """
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    artifacts: Mapping[str, Mapping[str, Any]] = manifest["artifacts"]
    stacks = {name: each for name, each in artifacts.items() if each["type"] == _STACK}
    region = _region(stacks, default_region)
    values = {"AWS::AccountId": account, "AWS::Region": region, "AWS::Partition": "aws"}
    return Assembly(
        region=region,
        stacks=tuple(_stack(directory, name, stacks[name], values) for name in _ordered(stacks)),
        assets=tuple(
            asset
            for artifact in artifacts.values()
            if artifact["type"] == _ASSETS
            for asset in _assets(directory, artifact["properties"]["file"], values)
        ),
    )


def _region(stacks: Mapping[str, Mapping[str, Any]], default: str) -> str:
    named = {each["environment"].rpartition("/")[2] for each in stacks.values()} - {_UNKNOWN_REGION}
    if len(named) > 1:
        raise SandboxError(f"the stacks are in several regions: {', '.join(sorted(named))}")
    return named.pop() if named else default


def _ordered(stacks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The stacks' names, each after those it depends on."""
    graph = {
        name: [each for each in artifact.get("dependencies", ()) if each in stacks]
        for name, artifact in stacks.items()
    }
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise SandboxError(
            f"the stacks depend on each other: {' -> '.join(error.args[1])}"
        ) from error


def _stack(
    directory: Path, artifact_id: str, artifact: Mapping[str, Any], values: Mapping[str, str]
) -> Stack:
    properties = artifact["properties"]
    url = _filled(properties["stackTemplateAssetObjectUrl"], values)
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return Stack(
        name=properties.get("stackName", artifact_id),
        template=directory / properties["templateFile"],
        destination=Location(bucket=bucket, key=key),
        tags=properties.get("tags", {}),
    )


def _assets(directory: Path, manifest_file: str, values: Mapping[str, str]) -> list[Asset]:
    manifest = json.loads((directory / manifest_file).read_text(encoding="utf-8"))
    if manifest.get("dockerImages"):
        raise SandboxError(f"{manifest_file}: container images cannot be published to the emulator")
    return [
        Asset(
            source=directory / file["source"]["path"],
            packaging=file["source"]["packaging"],
            destination=Location(
                bucket=_filled(destination["bucketName"], values),
                key=_filled(destination["objectKey"], values),
            ),
        )
        for file in manifest["files"].values()
        for destination in file["destinations"].values()
    ]


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    return text
