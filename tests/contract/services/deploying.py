"""Checks of what CloudFormation makes of a template."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from tests.contract.services.bench import NOT_DEPLOYED, Services, check, new_name


@check(
    aws="created",
    matters="the one type that is left out here (`src/sandbox/unsupported.py`)",
    unasked=NOT_DEPLOYED,
)
def an_archive_is_created(services: Services) -> str:
    """A stack with an archive of events."""
    bus = {"Type": "AWS::Events::EventBus", "Properties": {"Name": new_name()}}
    archive = {
        "Type": "AWS::Events::Archive",
        "Properties": {"SourceArn": {"Fn::GetAtt": ["Bus", "Arn"]}},
    }
    try:
        status, _ = services.stack({"Bus": bus, "Archive": archive})
    except ClientError as error:
        return "unrecognized type" if "Unrecognized" in str(error) else str(error)
    return "created" if status == "CREATE_COMPLETE" else status


@check(
    aws="recovery, deletion protection, encryption, policy",
    matters="what guards the tables is asserted on the template (`tests/template`)",
    unasked=NOT_DEPLOYED,
)
def a_table_is_made_as_the_template_says(services: Services) -> str:
    """What a table of CloudFormation has of four protections."""
    name = new_name()
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "dynamodb:DeleteItem",
        "Resource": "*",
    }
    table = {
        "Type": "AWS::DynamoDB::GlobalTable",
        "Properties": {
            "TableName": name,
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS"},
            "Replicas": [
                {
                    "Region": "eu-central-1",
                    "DeletionProtectionEnabled": True,
                    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                    "ResourcePolicy": {
                        "PolicyDocument": {"Version": "2012-10-17", "Statement": [deny]}
                    },
                }
            ],
        },
    }
    status, _ = services.stack({"Table": table})
    if status != "CREATE_COMPLETE":
        return status
    dynamodb = services.client("dynamodb")
    described = dynamodb.describe_table(TableName=name)["Table"]
    kept = {
        "recovery": _recovers(dynamodb, name),
        "deletion protection": bool(described.get("DeletionProtectionEnabled")),
        "encryption": described.get("SSEDescription", {}).get("Status") == "ENABLED",
        "policy": _has_policy(dynamodb, described["TableArn"]),
    }
    return ", ".join(each for each, is_kept in kept.items() if is_kept) or "none"


def _recovers(dynamodb: Any, name: str) -> bool:
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    status = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    return bool(status == "ENABLED")


def _has_policy(dynamodb: Any, arn: str) -> bool:
    try:
        return bool(dynamodb.get_resource_policy(ResourceArn=arn).get("Policy"))
    except dynamodb.exceptions.PolicyNotFoundException:
        return False
