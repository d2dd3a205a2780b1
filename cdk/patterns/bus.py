"""Event buses: encrypted with our key, with a dead-letter queue for what cannot be encrypted.

The one place that knows which kind of bus we use (classic, unordered).
"""

from collections.abc import Mapping

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.config import StageConfig
from cdk.patterns.encryption import EncryptionKey


class Bus(Construct):
    """A bus of this account; `dead_letters` takes events it could not encrypt or decrypt."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        key: EncryptionKey,
        name: str,
        description: str,
        dead_letters: sqs.Queue,
    ) -> None:
        super().__init__(scope, id)
        self.bus_name = config.name(name)
        self.bus = events.EventBus(
            self,
            "Bus",
            event_bus_name=self.bus_name,
            description=description,
            kms_key=key,
            dead_letter_queue=dead_letters,
        )
        dead_letters.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("events.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[dead_letters.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": self.bus.event_bus_arn}},
            )
        )

    def archive(
        self, *, config: StageConfig, key: EncryptionKey, pattern: Mapping[str, object]
    ) -> events.CfnArchive:
        """Keep what matches `pattern` for as long as the stage says, so that it can be replayed."""
        return events.CfnArchive(
            self,
            "Archive",
            archive_name=config.name("archive"),
            source_arn=self.bus.event_bus_arn,
            description="Published events, for replays",
            event_pattern=dict(pattern),
            retention_days=config.archive_retention_days,
            kms_key_identifier=key.key_arn,
        )
