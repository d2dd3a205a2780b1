"""Data is encrypted with keys of our own, at rest everywhere, and in transit."""

from collections.abc import Callable

import pytest

from tests.template.templates import Json, Templates, statements

# Where each type that holds data says its key.
KEY_OF: dict[str, Callable[[Json], object]] = {
    "AWS::DynamoDB::GlobalTable": lambda table: table["Replicas"][0]["SSESpecification"][
        "KMSMasterKeyId"
    ],
    "AWS::SQS::Queue": lambda queue: queue["KmsMasterKeyId"],
    "AWS::S3::Bucket": lambda bucket: bucket["BucketEncryption"][
        "ServerSideEncryptionConfiguration"
    ][0]["ServerSideEncryptionByDefault"]["KMSMasterKeyID"],
    "AWS::Events::EventBus": lambda bus: bus["KmsKeyIdentifier"],
    "AWS::Events::Archive": lambda archive: archive["KmsKeyIdentifier"],
    "AWS::Logs::LogGroup": lambda group: group["KmsKeyId"],
    "AWS::SNS::Topic": lambda topic: topic["KmsMasterKeyId"],
}


@pytest.mark.parametrize("type", KEY_OF)
def test_every_resource_that_holds_data_has_a_key_of_ours(templates: Templates, type: str) -> None:
    """The key is always one of the two that the stage makes, never AWS's."""
    keys = {f"{templates.name(key)}.Arn" for key in templates.all("AWS::KMS::Key")}
    for resource in templates.all(type):
        key = templates.text(resource.stack, KEY_OF[type](resource.properties))
        assert key in keys, resource.logical_id


def test_tables_are_encrypted_with_kms(templates: Templates) -> None:
    """A replica's key counts only where the table as a whole asks for KMS."""
    for table in templates.all("AWS::DynamoDB::GlobalTable"):
        assert table.properties["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}


def test_keys_rotate(templates: Templates) -> None:
    """Every key gets new material each year."""
    for key in templates.all("AWS::KMS::Key"):
        assert key.properties["EnableKeyRotation"] is True


def test_eventbridge_may_use_the_keys_of_its_buses_targets_and_dead_letter_queues(
    templates: Templates,
) -> None:
    """Without Decrypt and GenerateDataKey, events for encrypted queues would vanish silently."""
    for key in templates.all("AWS::KMS::Key"):
        assert _actions_of(key.properties, "events.amazonaws.com") >= {
            "kms:Decrypt",
            "kms:GenerateDataKey",
        }


def test_alarms_and_logs_may_use_the_service_key(templates: Templates) -> None:
    """The alarm topic and the log groups are encrypted with it: their services must be let in."""
    [key] = [key for key in templates.all("AWS::KMS::Key") if key.stack == "service"]
    assert _actions_of(key.properties, "cloudwatch.amazonaws.com") == {
        "kms:Decrypt",
        "kms:GenerateDataKey",
    }
    assert "kms:GenerateDataKey" in _actions_of(key.properties, "logs.<Region>.amazonaws.com")


@pytest.mark.parametrize(
    ("holder", "policy", "target", "publish"),
    [
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues", "sqs:*"),
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket", "s3:*"),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics", "sns:Publish"),
    ],
)
def test_nothing_is_taken_or_given_without_tls(
    templates: Templates, holder: str, policy: str, target: str, publish: str
) -> None:
    """Every queue, bucket and topic has a policy that denies unencrypted transport to all."""
    protected = set()
    for document in templates.all(policy):
        for statement in statements(document.properties["PolicyDocument"]):
            insecure = {"Bool": {"aws:SecureTransport": "false"}}
            if statement["Effect"] == "Deny" and statement.get("Condition") == insecure:
                assert publish in statement["Action"]
                assert statement["Principal"] in ({"AWS": "*"}, "*")
                references = document.properties[target]
                for reference in references if isinstance(references, list) else [references]:
                    protected.add(reference["Ref"])
    assert protected == {resource.logical_id for resource in templates.all(holder)}


def test_the_bucket_is_closed_to_the_public(templates: Templates) -> None:
    """No access control list and no policy can open it."""
    [bucket] = templates.all("AWS::S3::Bucket")
    assert set(bucket.properties["PublicAccessBlockConfiguration"].values()) == {True}


def _actions_of(key: Json, service: str) -> set[str]:
    found: set[str] = set()
    for statement in statements(key["KeyPolicy"]):
        principal = statement["Principal"].get("Service", "")
        if isinstance(principal, dict):
            principal = "".join(
                part if isinstance(part, str) else f"<{part['Ref'].removeprefix('AWS::')}>"
                for part in principal["Fn::Join"][1]
            )
        if principal == service:
            found |= set(statement["Action"])
    return found
