"""Checks of what is kept for functions and people: secrets, parameters, objects."""

from __future__ import annotations

from typing import Any

from tests.contract.services.bench import Services, check, new_name, refusal


@check(
    aws="ResourceExistsException",
    matters="a subscriber that is changed gets a new version of its secret",
)
def a_secret_is_made_once(services: Services) -> str:
    """A secret of a name that another has."""
    secrets, name = services.client("secretsmanager"), new_name()
    secrets.create_secret(Name=name, SecretString="one")
    return refusal(lambda: secrets.create_secret(Name=name, SecretString="two"))


@check(
    aws="one, two",
    matters="what was signed with a secret until now can be for a while",
)
def the_version_before_stays_readable(services: Services) -> str:
    """What is read of both versions of a secret, by their ids."""
    secrets, name = services.client("secretsmanager"), new_name()
    versions = [
        secrets.create_secret(Name=name, SecretString="one")["VersionId"],
        secrets.put_secret_value(SecretId=name, SecretString="two")["VersionId"],
    ]
    return ", ".join(
        secrets.get_secret_value(SecretId=name, VersionId=version)["SecretString"]
        for version in versions
    )


@check(
    aws="ResourceNotFoundException",
    matters="a delivery without its secret is put aside, and not sent unsigned",
)
def a_secret_that_is_missing_is_noticed(services: Services) -> str:
    """A version of a secret that does not exist."""
    return _reading(services, new_name(), "0" * 32)


@check(
    aws="ResourceNotFoundException",
    matters="the name must be free for another subscriber of that id",
)
def a_secret_is_removed_at_once(services: Services) -> str:
    """A version of a secret that was removed without recovery, and made anew."""
    secrets, name = services.client("secretsmanager"), new_name()
    version = secrets.create_secret(Name=name, SecretString="one")["VersionId"]
    secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    secrets.create_secret(Name=name, SecretString="two")
    return _reading(services, name, version)


@check(aws="accepted", matters="to remove a subscriber twice is harmless")
def a_secret_can_be_removed_twice(services: Services) -> str:
    """The removal without recovery of a secret that does not exist."""
    secrets, name = services.client("secretsmanager"), new_name()
    return refusal(lambda: secrets.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True))


@check(aws="ParameterNotFound", matters="webhooks then trust no network, and say so")
def a_parameter_that_is_missing_is_noticed(services: Services) -> str:
    """A parameter that does not exist."""
    return refusal(lambda: services.client("ssm").get_parameter(Name=new_name()))


@check(
    aws="k-1, k-2",
    matters="only what Lambda wrote is taken for a dead letter",
)
def objects_are_listed_by_prefix(services: Services) -> str:
    """The keys of a bucket that begin with a prefix, in the order in which they are listed."""
    bucket = services.bucket(**{"k-2": b"", "other": b"", "k-1": b""})
    found = services.client("s3").list_objects_v2(Bucket=bucket, Prefix="k-")
    return ", ".join(entry["Key"] for entry in found["Contents"])


@check(aws="no Contents", matters="an empty listing is read as one")
def an_empty_listing_has_no_contents(services: Services) -> str:
    """What is listed of an empty bucket."""
    found = services.client("s3").list_objects_v2(Bucket=services.bucket(), Prefix="k-")
    return "Contents" if "Contents" in found else "no Contents"


@check(aws="NoSuchKey", matters="who reads dead letters knows that another has removed one")
def an_object_that_is_missing_is_noticed(services: Services) -> str:
    """An object that does not exist."""
    bucket, s3 = services.bucket(), services.client("s3")
    return refusal(lambda: s3.get_object(Bucket=bucket, Key="k"))


@check(aws="te, removed twice", matters="to remove a dead letter twice is harmless")
def an_object_is_read_and_removed(services: Services) -> str:
    """The first two bytes of an object, and two removals of it."""
    bucket, s3 = services.bucket(k=b"text"), services.client("s3")
    body: Any = s3.get_object(Bucket=bucket, Key="k")["Body"]
    start = body.read(2).decode()
    removals = [refusal(lambda: s3.delete_object(Bucket=bucket, Key="k")) for _ in range(2)]
    return f"{start}, removed twice" if removals == ["accepted"] * 2 else f"{start}, {removals}"


def _reading(services: Services, name: str, version: str) -> str:
    secrets = services.client("secretsmanager")
    return refusal(lambda: secrets.get_secret_value(SecretId=name, VersionId=version))
