"""The adapters on AWS: what they write, and what they make of errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from consumers.webhooks.directory import (
    Directory,
    DirectoryStore,
    DynamoDirectory,
    MemoryDirectory,
)
from consumers.webhooks.records import (
    KEPT_SECONDS,
    Delivered,
    DynamoDelivered,
    MemoryDelivered,
)
from consumers.webhooks.secrets import (
    CACHE_SECONDS,
    CachedSecrets,
    MemorySecrets,
    SecretMissingError,
    SecretsManager,
)
from consumers.webhooks.settings import BROKEN_NETWORKS, TrustedNetworks
from consumers.webhooks.settings import CACHE_SECONDS as NETWORKS_CACHE_SECONDS
from consumers.webhooks.subscribers import Filters, Key
from ledger.runtime.faults import BrokenItemError, StoreError
from tests.support.webhooks import NOW, subscribed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REGION = "eu-central-1"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/of-the-ledger"
DAY_S = 86_400


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS in memory."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with mock_aws():
        yield


@pytest.fixture
def dynamodb(request: pytest.FixtureRequest) -> DynamoDBClient:
    """DynamoDB with the two tables."""
    request.getfixturevalue("aws")
    client = boto3.client("dynamodb", region_name=REGION)
    for table in ("webhooks", "deliveries"):
        client.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        )
    return client


@pytest.fixture(params=["memory", "dynamodb"])
def directories(request: pytest.FixtureRequest) -> DirectoryStore:
    """Each implementation in turn."""
    if request.param == "memory":
        return MemoryDirectory()
    return DynamoDirectory(request.getfixturevalue("dynamodb"), "webhooks")


@pytest.fixture(params=["memory", "dynamodb"])
def delivered(request: pytest.FixtureRequest) -> Delivered:
    """Each implementation in turn."""
    if request.param == "memory":
        return MemoryDelivered()
    return DynamoDelivered(request.getfixturevalue("dynamodb"), "deliveries")


@pytest.fixture(params=["memory", "aws"])
def secrets(request: pytest.FixtureRequest) -> MemorySecrets | SecretsManager:
    """Each implementation in turn."""
    if request.param == "memory":
        return MemorySecrets()
    request.getfixturevalue("aws")
    client = boto3.client("secretsmanager", region_name=REGION)
    return SecretsManager(client, "ledger-dev/webhooks/", KEY)


def test_a_directory_is_what_was_written_last(directories: DirectoryStore) -> None:
    """Empty at first; every field comes back."""
    assert directories.read() == Directory(0, {})
    full = subscribed(
        "a",
        filters=Filters(types=("t",), accounts=("a*",), currencies=("EUR",), reasons=("r",)),
        keys=(Key("2"), Key("1", "2026-11-18T10:00:00.000000Z")),
        disabled_by="gone",
    )
    first = directories.read().with_(full).with_(subscribed("b"))
    assert directories.write(Directory(1, first.subscribers))
    assert directories.read() == Directory(1, {"a": full, "b": subscribed("b")})
    assert directories.write(directories.read().without("a"))
    assert directories.read() == Directory(2, {"b": subscribed("b")})


def test_of_two_changes_of_one_version_the_second_fails(directories: DirectoryStore) -> None:
    """Neither overwrites the other, the first ever included."""
    ours = theirs = directories.read()
    assert directories.write(theirs.with_(subscribed("theirs")))
    assert not directories.write(ours.with_(subscribed("ours")))
    assert set(directories.read().subscribers) == {"theirs"}
    ours = theirs = directories.read()
    assert directories.write(theirs.without("theirs"))
    assert not directories.write(ours.with_(subscribed("ours")))
    assert directories.read().subscribers == {}


def test_a_delivery_is_remembered(delivered: Delivered) -> None:
    """Twice is once."""
    assert not delivered.has("msg_1")
    delivered.add("msg_1", "shop", 204, NOW)
    delivered.add("msg_1", "shop", 200, NOW + 5_000_000)
    assert delivered.has("msg_1")
    assert not delivered.has("msg_2")


def test_a_record_outlives_what_could_bring_its_message_back(dynamodb: DynamoDBClient) -> None:
    """Four days in the queue and fourteen among dead letters are over before it expires; the first
    delivery's time stands."""
    records = DynamoDelivered(dynamodb, "deliveries")
    records.add("msg_1", "shop", 204, NOW)
    records.add("msg_1", "shop", 200, NOW + 5_000_000)
    item = dynamodb.get_item(TableName="deliveries", Key={"pk": {"S": "msg_1"}})["Item"]
    assert item == {
        "pk": {"S": "msg_1"},
        "subscriber": {"S": "shop"},
        "status": {"N": "204"},
        "delivered_at": {"N": str(NOW // 1_000_000)},
        "expires_at": {"N": str(NOW // 1_000_000 + KEPT_SECONDS)},
    }
    assert KEPT_SECONDS > (4 + 14) * DAY_S


def test_a_secret_has_versions_of_which_two_can_be_read(
    secrets: MemorySecrets | SecretsManager,
) -> None:
    """The newest and the one before, by their ids; removed, none; put again, anew."""
    first = secrets.put("shop", "one")
    assert secrets.get("shop", first) == "one"
    second = secrets.put("shop", "two")
    assert [secrets.get("shop", version) for version in (first, second)] == ["one", "two"]
    third = secrets.put("shop", "three")
    assert [secrets.get("shop", version) for version in (second, third)] == ["two", "three"]
    for subscriber, version in (("shop", "0" * 36), ("bank", first)):
        with pytest.raises(SecretMissingError):
            secrets.get(subscriber, version)
    secrets.remove("shop")
    secrets.remove("shop")
    with pytest.raises(SecretMissingError):
        secrets.get("shop", third)
    assert secrets.get("shop", secrets.put("shop", "four")) == "four"


@pytest.mark.usefixtures("aws")
def test_a_secret_is_encrypted_with_the_ledgers_key() -> None:
    """And its name says whose it is."""
    client = boto3.client("secretsmanager", region_name=REGION)
    SecretsManager(client, "ledger-dev/webhooks/", KEY).put("shop", "whsec_x")
    [secret] = client.list_secrets()["SecretList"]
    assert (secret["Name"], secret["KmsKeyId"]) == ("ledger-dev/webhooks/shop", KEY)
    assert "whsec_x" not in repr(secret)


class Failing:
    """A client whose every call fails so."""

    def __init__(self, code: str) -> None:
        self._code = code

    def __getattr__(self, name: str) -> Any:
        def call(**_: object) -> None:
            if self._code == "no connection":
                raise EndpointConnectionError(endpoint_url="https://aws")
            raise ClientError({"Error": {"Code": self._code, "Message": "whsec_x"}}, name)

        return call


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "no connection"])
def test_errors_of_aws_are_named_and_nothing_of_theirs_is_quoted(code: str) -> None:
    """Every adapter says that it did not do what it was asked, by the code alone."""
    client: Any = Failing(code)
    directory = DynamoDirectory(client, "t")
    records, secrets = DynamoDelivered(client, "t"), SecretsManager(client, "p/", KEY)
    calls = (
        directory.read,
        lambda: directory.write(Directory(1, {})),
        lambda: records.has("m"),
        lambda: records.add("m", "s", 200, NOW),
        lambda: secrets.put("s", "x"),
        lambda: secrets.remove("s"),
        lambda: secrets.get("s", "v"),
    )
    for call in calls:
        with pytest.raises(StoreError) as raised:
            call()
        expected = "EndpointConnectionError" if code == "no connection" else code
        assert str(raised.value) == expected


@pytest.mark.parametrize(
    "item", [{}, {"version": {"N": "1"}}, {"version": {"N": "1"}, "data": {"S": "[{}]"}}]
)
def test_an_item_that_nobody_of_ours_wrote_is_said_so(
    dynamodb: DynamoDBClient, item: dict[str, Any]
) -> None:
    """It is not taken for an empty directory: all subscribers would be silent."""
    dynamodb.put_item(TableName="webhooks", Item={"pk": {"S": "subscribers"}, **item})
    with pytest.raises(BrokenItemError):
        DynamoDirectory(dynamodb, "webhooks").read()


def test_secrets_are_read_once_in_a_while() -> None:
    """A version never changes, so it is kept for minutes; that there is none is not."""
    source, now, reads = MemorySecrets(), 0.0, []

    class Counting:
        def get(self, subscriber: str, version: str) -> str:
            reads.append(version)
            return source.get(subscriber, version)

    cached = CachedSecrets(Counting(), lambda: now)
    with pytest.raises(SecretMissingError):
        cached.get("shop", "made-1")
    version = source.put("shop", "one")
    assert [cached.get("shop", version) for _ in range(3)] == ["one"] * 3
    assert len(reads) == 2
    now = CACHE_SECONDS
    source.remove("shop")
    with pytest.raises(SecretMissingError):
        cached.get("shop", version)


def test_memory_for_secrets_is_bounded() -> None:
    """However many there are, all are right."""
    source = MemorySecrets()
    cached = CachedSecrets(source, lambda: 0.0)
    versions = {f"s{place}": source.put(f"s{place}", str(place)) for place in range(500)}
    for id, version in versions.items():
        assert cached.get(id, version) == id[1:]


@mock_aws
def test_trusted_networks_are_those_of_the_parameter_by_now() -> None:
    """One read a minute; a change and a withdrawal are in force after that."""
    client, now, made = boto3.client("ssm", region_name=REGION), 0.0, []

    def write(value: str) -> None:
        client.put_parameter(Name="/nets", Value=value, Type="String", Overwrite=True)

    def make() -> Any:
        made.append(client)
        return client

    trusted = TrustedNetworks(make, "/nets", lambda: now)
    assert made == []
    write(",")
    assert trusted() == ()
    write(",127.0.0.0/8, 10.20.0.1/16")
    assert trusted() == ()
    now = NETWORKS_CACHE_SECONDS
    assert [str(each) for each in trusted()] == ["127.0.0.0/8", "10.20.0.0/16"]
    write(",")
    now *= 2
    assert trusted() == ()
    assert len(made) == 1


@mock_aws
@pytest.mark.parametrize(("value", "code"), [(",all", BROKEN_NETWORKS), ("", "ParameterNotFound")])
def test_trust_that_cannot_be_read_is_neither_given_nor_kept(value: str, code: str) -> None:
    """A list that is none and one that is not there are said so, also after a good one."""
    client, now = boto3.client("ssm", region_name=REGION), 0.0
    client.put_parameter(Name="/nets", Value=",10.0.0.0/8", Type="String")
    trusted = TrustedNetworks(lambda: client, "/nets", lambda: now)
    assert len(trusted()) == 1
    if value:
        client.put_parameter(Name="/nets", Value=value, Type="String", Overwrite=True)
    else:
        client.delete_parameter(Name="/nets")
    now = NETWORKS_CACHE_SECONDS
    with pytest.raises(StoreError) as raised:
        trusted()
    assert raised.value.code == code
