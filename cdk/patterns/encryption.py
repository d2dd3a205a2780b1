"""Customer managed keys, and the narrow statements with which services and functions use them.

The actions are written out: what AWS documents as `kms:ReEncrypt*` or `kms:GenerateDataKey*` is the
pair behind each wildcard. Every statement is bound to this account or to one service.
"""

from collections.abc import Mapping, Sequence

import aws_cdk as core
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk.config import StageConfig

_READ = ("kms:Decrypt", "kms:DescribeKey")
_ENCRYPT = (
    *("kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"),
    *("kms:ReEncryptFrom", "kms:ReEncryptTo"),
)
# What each service wants of the principal that writes through it.
_WRITE: Mapping[str, tuple[str, ...]] = {
    "dynamodb": _ENCRYPT,
    "s3": ("kms:GenerateDataKey",),
    "secretsmanager": ("kms:GenerateDataKey",),
    "sns": ("kms:GenerateDataKey",),
    "sqs": ("kms:GenerateDataKey",),
}


class EncryptionKey(kms.Key):
    """A rotated key of our own; what may use it is added by the `allow_…` methods."""

    def __init__(
        self, scope: Construct, id: str, *, config: StageConfig, name: str, description: str
    ) -> None:
        super().__init__(
            scope,
            id,
            alias=f"alias/{config.name(name)}",
            description=description,
            enable_key_rotation=True,
            removal_policy=removal_policy(config),
        )

    def allow_eventbridge(self) -> None:
        """Let this account's EventBridge encrypt buses, archives and what it sends to queues."""
        self._allow(
            "events.amazonaws.com",
            [
                *("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"),
                *("kms:ReEncryptFrom", "kms:ReEncryptTo"),  # archives
            ],
            {"StringEquals": {"aws:SourceAccount": core.Aws.ACCOUNT_ID}},
        )

    def allow_alarms(self) -> None:
        """Let CloudWatch alarms publish to encrypted topics, in this account."""
        self._allow(
            "cloudwatch.amazonaws.com",
            ["kms:Decrypt", "kms:GenerateDataKey"],
            {"StringEquals": {"aws:SourceAccount": core.Aws.ACCOUNT_ID}},
        )

    def allow_log_groups(self) -> None:
        """Let CloudWatch Logs encrypt this account's log groups."""
        groups = (
            f"arn:{core.Aws.PARTITION}:logs:{core.Aws.REGION}:{core.Aws.ACCOUNT_ID}:log-group:*"
        )
        self._allow(
            f"logs.{core.Aws.REGION}.amazonaws.com",
            [*_READ, *_ENCRYPT],
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        )

    def _allow(
        self, service: str, actions: Sequence[str], conditions: dict[str, dict[str, str]]
    ) -> None:
        self.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(service)],
                actions=list(actions),
                resources=["*"],  # in a key policy: this key
                conditions=conditions,
            )
        )


def use_of_key(key: kms.IKey, service: str, *, write: bool) -> iam.PolicyStatement:
    """What a role needs to reach what `key` encrypts of `service` (see `_WRITE` for their names).

    Only through that service: the role can do nothing with the key directly.
    """
    return iam.PolicyStatement(
        actions=[*_READ, *(_WRITE[service] if write else ())],
        resources=[key.key_arn],
        conditions={
            "StringEquals": {"kms:ViaService": f"{service}.{core.Aws.REGION}.amazonaws.com"}
        },
    )


def removal_policy(config: StageConfig) -> core.RemovalPolicy:
    """What the stage says becomes of data when its resource goes."""
    return core.RemovalPolicy.RETAIN if config.removal == "retain" else core.RemovalPolicy.DESTROY
