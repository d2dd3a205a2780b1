"""A cloud assembly is read: stacks after those they depend on, placeholders filled."""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.assembly import Assembly, Asset, Location, read_assembly
from sandbox.errors import SandboxError


def stack(name: str, *dependencies: str, environment: str = "unknown-region") -> dict[str, Any]:
    return {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://unknown-account/{environment}",
        "properties": {
            "templateFile": f"{name}.template.json",
            "stackTemplateAssetObjectUrl": "s3://assets-${AWS::AccountId}-${AWS::Region}/t.json",
        },
        "dependencies": [f"{name}.assets", *dependencies],
    }


def write(directory: Path, artifacts: dict[str, Any], assets: dict[str, Any] | None = None) -> Path:
    """An assembly of `artifacts`, with one asset manifest if `assets` are given."""
    if assets is not None:
        artifacts["service.assets"] = {
            "type": "cdk:asset-manifest",
            "properties": {"file": "service.assets.json"},
        }
        (directory / "service.assets.json").write_text(json.dumps(assets))
    (directory / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return directory


def read(directory: Path) -> Any:
    return read_assembly(directory, account="000000000000", default_region="eu-central-1")


def test_stacks_come_after_those_they_depend_on(tmp_path: Path) -> None:
    """Whatever order the manifest has; dependencies on assets and the like count for nothing."""
    artifacts = {
        "observability": stack("observability", "service"),
        "service": stack("service", "data"),
        "data": stack("data"),
        "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}},
    }

    names = [each.name for each in read(write(tmp_path, artifacts)).stacks]

    assert names == ["data", "service", "observability"]


def test_circular_dependencies_are_refused(tmp_path: Path) -> None:
    """With the circle in the message."""
    artifacts = {"a": stack("a", "b"), "b": stack("b", "a")}

    with pytest.raises(SandboxError, match="depend on each other"):
        read(write(tmp_path, artifacts))


def test_stack_says_where_its_template_is_and_goes(tmp_path: Path) -> None:
    """The name is the one given, else the artifact's; tags are there if they are given."""
    artifacts = {"Service": stack("Service")}
    (untagged,) = read(write(tmp_path, artifacts)).stacks
    assert (untagged.name, untagged.tags) == ("Service", {})
    artifacts["Service"]["properties"] |= {
        "stackName": "ledger-dev-service",
        "tags": {"application": "ledger"},
    }

    (only,) = read(write(tmp_path, artifacts)).stacks

    assert only.name == "ledger-dev-service"
    assert only.tags == {"application": "ledger"}
    assert only.template == tmp_path / "Service.template.json"
    assert only.destination == Location("assets-000000000000-eu-central-1", "t.json")


def test_stacks_that_leave_their_region_open_get_the_default(tmp_path: Path) -> None:
    """And those that name one get that."""
    assert read(write(tmp_path, {"a": stack("a")})).region == "eu-central-1"
    named = {"a": stack("a", environment="us-east-1"), "b": stack("b")}
    assert read(write(tmp_path, named)).region == "us-east-1"


def test_stacks_in_several_regions_are_refused(tmp_path: Path) -> None:
    """One emulator is one Region."""
    artifacts = {
        "a": stack("a", environment="us-east-1"),
        "b": stack("b", environment="eu-west-1"),
    }

    with pytest.raises(SandboxError, match="eu-west-1, us-east-1"):
        read(write(tmp_path, artifacts))


def test_assets_are_found_with_their_destinations(tmp_path: Path) -> None:
    """Bucket and key come with the account and Region filled in."""
    assets = {
        "files": {
            "abc": {
                "source": {"path": "asset.abc", "packaging": "zip"},
                "destinations": {
                    "here": {
                        "bucketName": "assets-${AWS::AccountId}-${AWS::Region}",
                        "objectKey": "abc.zip",
                    }
                },
            }
        },
        "dockerImages": {},
    }

    (asset,) = read(write(tmp_path, {"a": stack("a")}, assets)).assets

    assert asset == Asset(
        source=tmp_path / "asset.abc",
        packaging="zip",
        destination=Location("assets-000000000000-eu-central-1", "abc.zip"),
    )


def test_functions_share_one_directory_of_code(tmp_path: Path) -> None:
    """Other assets count for nothing; two directories would have to be told apart."""
    one = Asset(tmp_path / "one", "zip", Location("assets", "one.zip"))
    again = Asset(tmp_path / "one", "zip", Location("elsewhere", "one.zip"))
    other = Asset(tmp_path / "other", "zip", Location("assets", "other.zip"))
    file = Asset(tmp_path / "file", "file", Location("assets", "file"))

    assert Assembly("eu-central-1", (), (one, again, file)).code() == tmp_path / "one"
    assert Assembly("eu-central-1", (), (file,)).code() is None
    with pytest.raises(SandboxError, match="one, other"):
        Assembly("eu-central-1", (), (one, other)).code()


def test_container_images_are_refused(tmp_path: Path) -> None:
    """There is nothing that could run them."""
    assets: dict[str, Any] = {"files": {}, "dockerImages": {"abc": {}}}

    with pytest.raises(SandboxError, match="container images"):
        read(write(tmp_path, {"a": stack("a")}, assets))
