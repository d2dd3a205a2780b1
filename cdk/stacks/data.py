"""What may not be lost: event store, projections, published events, unpublished payloads."""

import aws_cdk as core
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.config import StageConfig
from cdk.patterns.acknowledgements import acknowledge
from cdk.patterns.bus import Bus
from cdk.patterns.encryption import EncryptionKey, removal_policy
from cdk.patterns.event_store import EventStore
from cdk.patterns.queues import dead_letter_queue
from cdk.patterns.relay import relay_failures_name
from cdk.patterns.table import LedgerTable

# Indexes, of the tables `fraud`, `balances` and `payments`; their adapters ask for them by name.
REVIEWS_INDEX = "reviews"
BY_PATH_INDEX = "by_path"
BY_STATUS_INDEX = "by_status"


class DataStack(core.Stack):
    """Tables, the ledger bus and its archive, the relay's failure bucket, the key of them all."""

    def __init__(self, scope: Construct, id: str, *, config: StageConfig) -> None:
        super().__init__(
            scope,
            id,
            description=f"Ledger {config.stage}: what may not be lost",
            termination_protection=config.deletion_protection,
        )
        self.key = EncryptionKey(
            self,
            "Key",
            config=config,
            name="data",
            description=f"Events, projections and archives of the ledger, {config.stage}",
        )
        self.key.allow_eventbridge()
        self.store = EventStore(self, "Store", config=config, key=self.key)
        self.balances = self._balances(config)
        self.history = LedgerTable(
            self, "History", config=config, key=self.key, name="history", numeric_sort_key=True
        )
        self.payments = self._payments(config)
        self.fraud = self._fraud(config)
        self.webhooks = LedgerTable(self, "Webhooks", config=config, key=self.key, name="webhooks")
        self.webhook_deliveries = LedgerTable(
            self,
            "WebhookDeliveries",
            config=config,
            key=self.key,
            name="webhook-deliveries",
            expires=True,
        )
        self.bus_dead_letter_name = config.name("bus-dlq")
        self.bus_dead_letters = dead_letter_queue(
            self, "BusDeadLetters", key=self.key, queue_name=self.bus_dead_letter_name
        )
        acknowledge(
            self.bus_dead_letters,
            "SQS3",
            "It is a dead-letter queue: the ledger bus's, which the rule misses.",
        )
        self.ledger_bus = Bus(
            self,
            "LedgerBus",
            config=config,
            key=self.key,
            name="bus",
            description="Every event of the ledger, as published",
            dead_letters=self.bus_dead_letters,
        )
        self.ledger_bus.archive(config=config, key=self.key, pattern={"source": ["ledger"]})
        self.relay_failures = self._relay_failures(config)

    def _balances(self, config: StageConfig) -> LedgerTable:
        table = LedgerTable(self, "Balances", config=config, key=self.key, name="balances")
        # Keys alone: no payment changes them, so that none costs a write to the index.
        table.add_global_secondary_index(
            index_name=BY_PATH_INDEX,
            partition_key=dynamodb.Attribute(name="root", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="account", type=dynamodb.AttributeType.STRING),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        return table

    def _payments(self, config: StageConfig) -> LedgerTable:
        table = LedgerTable(self, "Payments", config=config, key=self.key, name="payments")
        table.add_global_secondary_index(
            index_name=BY_STATUS_INDEX,
            partition_key=dynamodb.Attribute(name="listed", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="created", type=dynamodb.AttributeType.STRING),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY,
        )
        return table

    def _fraud(self, config: StageConfig) -> LedgerTable:
        table = LedgerTable(self, "Fraud", config=config, key=self.key, name="fraud")
        # Sparse: only recorded verdicts that are not clear have these attributes.
        table.add_global_secondary_index(
            index_name=REVIEWS_INDEX,
            partition_key=dynamodb.Attribute(name="listed", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="recorded_at", type=dynamodb.AttributeType.STRING),
        )
        return table

    def _relay_failures(self, config: StageConfig) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "RelayFailures",
            bucket_name=relay_failures_name(config),
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=core.Duration.days(config.relay_failures_retention_days),
                    noncurrent_version_expiration=core.Duration.days(7),
                    abort_incomplete_multipart_upload_after=core.Duration.days(1),
                )
            ],
            # Emptying it on deletion would take a custom resource: what is in it stays.
            removal_policy=removal_policy(config),
        )
        acknowledge(
            bucket,
            "S1",
            "Only the relay's mapping writes here, some objects a year. A log bucket could not be "
            "encrypted with our key (log delivery supports SSE-S3 only).",
        )
        return bucket
