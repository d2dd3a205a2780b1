"""Simulated secrets, parameters and objects: what the SDK adds, what others write, and limits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from simulation.aws.errors import ServiceError
from tests.support.simulated import SimulatedMessaging


def test_a_secret_that_the_sdk_writes_again_has_one_version() -> None:
    """A lost answer makes the SDK send the same token: the same version comes of it. With another
    secret the token is refused."""
    secrets = SimulatedMessaging().secretsmanager
    create = secrets.prepared("create_secret", {"Name": "s", "SecretString": "one"})
    first = secrets.operations["create_secret"](create)
    assert secrets.operations["create_secret"](create) == first
    put = secrets.prepared("put_secret_value", {"SecretId": "s", "SecretString": "two"})
    second = secrets.operations["put_secret_value"](put)
    assert secrets.operations["put_secret_value"](put) == second != first
    with pytest.raises(ServiceError, match="ResourceExists"):
        secrets.operations["put_secret_value"]({**put, "SecretString": "three"})


def test_a_parameter_can_be_given_another_value() -> None:
    """As an operator does; its version goes up."""
    world = SimulatedMessaging()
    world.ssm.put("p", "one")
    world.ssm.put("p", "two")
    found = world.client(world.ssm).get_parameter(Name="p")["Parameter"]
    assert (found["Value"], found["Version"]) == ("two", 2)


def test_objects_are_listed_page_by_page() -> None:
    """A thousand keys a page, in their order, each once; with when they were written."""
    world = SimulatedMessaging()
    world.s3.add("b")
    for each in range(1_500):
        world.s3.put("b", f"k/{each:04}", b"x")
    world.s3.put("b", "other", b"y")
    s3 = world.client(world.s3)
    first = s3.list_objects_v2(Bucket="b", Prefix="k/")
    assert (first["KeyCount"], first["IsTruncated"]) == (1_000, True)
    token = first["NextContinuationToken"]
    second = s3.list_objects_v2(Bucket="b", Prefix="k/", ContinuationToken=token)
    assert (second["KeyCount"], second["IsTruncated"]) == (500, False)
    keys = [entry["Key"] for page in (first, second) for entry in page["Contents"]]
    assert keys == [f"k/{each:04}" for each in range(1_500)]
    assert first["Contents"][0]["LastModified"] == datetime(2025, 11, 24, 16, 0, tzinfo=UTC)
    assert world.s3.peek("b")["other"] == b"y"


@pytest.mark.parametrize(
    ("service", "operation", "request_"),
    [
        ("secretsmanager", "create_secret", {"Name": "s", "Tags": []}),
        ("secretsmanager", "get_secret_value", {"SecretId": "s"}),
        ("secretsmanager", "delete_secret", {"SecretId": "s"}),
        ("secretsmanager", "list_secrets", {}),
        ("ssm", "get_parameter", {"Name": "p", "WithDecryption": True}),
        ("s3", "get_object", {"Bucket": "b", "Key": "k", "Range": "bytes=0-1"}),
        ("s3", "put_object", {"Bucket": "b", "Key": "k"}),
    ],
)
def test_what_is_not_simulated_says_so(
    service: str, operation: str, request_: dict[str, Any]
) -> None:
    """An operation or a parameter that the ledger does not use is never ignored."""
    world = SimulatedMessaging()
    with pytest.raises(NotImplementedError):
        getattr(world.client(getattr(world, service)), operation)(**request_)
