"""The one shape of a table: on demand, encrypted with our key, protected as the stage says."""

from typing import cast

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.config import StageConfig
from cdk.patterns.encryption import EncryptionKey, removal_policy


class LedgerTable(dynamodb.TableV2):
    """A table with the text key `pk`, and the numeric sort key `sk` if asked for. Items of one that
    `expires` go some time after `expires_at`, in seconds since 1970.

    TableV2 from birth: turning a `Table` into it later may delete the table.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        key: EncryptionKey,
        name: str,
        numeric_sort_key: bool = False,
        expires: bool = False,
        stream: dynamodb.StreamViewType | None = None,
        resource_policy: iam.PolicyDocument | None = None,
    ) -> None:
        self.fixed_name = config.name(name)
        days = config.point_in_time_recovery_days
        super().__init__(
            scope,
            id,
            table_name=self.fixed_name,
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.NUMBER)
            if numeric_sort_key
            else None,
            time_to_live_attribute="expires_at" if expires else None,
            billing=dynamodb.Billing.on_demand(),
            dynamo_stream=stream,
            resource_policy=resource_policy,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=days > 0,
                recovery_period_in_days=days or None,
            ),
            deletion_protection=config.deletion_protection,
            removal_policy=removal_policy(config),
        )
        self._encrypt_with(key)

    def _encrypt_with(self, key: EncryptionKey) -> None:
        """TableV2 takes a key only for a fixed Region; our templates deploy to any."""
        table = cast(dynamodb.CfnGlobalTable, self.node.default_child)
        table.add_property_override("SSESpecification", {"SSEEnabled": True, "SSEType": "KMS"})
        table.add_property_override("Replicas.0.SSESpecification", {"KMSMasterKeyId": key.key_arn})
