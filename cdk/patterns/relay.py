"""The relay: a function between the events table's stream and the ledger bus."""

import aws_cdk as core
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.config import StageConfig
from cdk.patterns.acknowledgements import acknowledge
from cdk.patterns.encryption import EncryptionKey, use_of_key
from cdk.patterns.event_store import EventStore
from cdk.patterns.python_function import FunctionDefaults, PythonFunction

_TIMEOUT = core.Duration.seconds(60)
_BATCH = 500  # five packs or more of a hundred events: a PutEvents request or two
_PARALLEL_BATCHES = 4  # a shard; order holds an item, and an item is one event
# The handler retries entries by itself. What still fails is tried this often, for this long: an
# outage of hours loses nothing. A batch is split at the record that the handler names, and halved
# only when the handler ends in an error. So a record that always fails is handed over again with
# all behind it in its batch, and ends in the bucket with them. They were published each time, and
# are once more by a redrive: harmless, and nothing is lost.
_RETRIES_MAX = 100
_AGE_MAX_S = 12 * 3600  # half of the stream's 24 hours: the rest is for people


def relay_failures_name(config: StageConfig) -> str:
    """The bucket for what the relay could not publish; such names are unique in all of AWS."""
    return f"{config.name('relay-failures')}-{core.Aws.ACCOUNT_ID}-{core.Aws.REGION}"


class Relay(Construct):
    """Publishes every new record of the event store; what it cannot, ends whole in a bucket."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        defaults: FunctionDefaults,
        store: EventStore,
        bus: events.IEventBus,
        failures: s3.IBucket,
        data_key: EncryptionKey,
    ) -> None:
        super().__init__(scope, f"{id}Stream")
        stream_arn = store.stream_arn
        self.function = PythonFunction(
            self,
            id,
            defaults=defaults,
            handler="ledger.entrypoints.relay.handler",
            environment={"LEDGER_BUS": bus.event_bus_name},
            timeout=_TIMEOUT,
        )
        self.function.may(["events:PutEvents"], [bus.event_bus_arn])
        self.function.may(
            ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
            [stream_arn],
        )
        self.function.may_statements([use_of_key(data_key, "dynamodb", write=False)])
        self._may_keep_failures(defaults.config, failures, data_key)
        self.mapping = lambda_.CfnEventSourceMapping(
            # The L2 construct would grant reading and deleting in the whole bucket.
            self,
            "Mapping",
            function_name=self.function.alias.function_arn,
            event_source_arn=stream_arn,
            # LATEST may miss records while the mapping is being made.
            starting_position="TRIM_HORIZON",
            batch_size=_BATCH,
            maximum_batching_window_in_seconds=defaults.config.relay_window_s,
            parallelization_factor=_PARALLEL_BATCHES,
            bisect_batch_on_function_error=True,
            maximum_retry_attempts=_RETRIES_MAX,
            maximum_record_age_in_seconds=_AGE_MAX_S,
            function_response_types=["ReportBatchItemFailures"],
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                # Only S3 keeps the records themselves; queues and topics get their positions.
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(
                    destination=failures.bucket_arn
                )
            ),
            metrics_config=lambda_.CfnEventSourceMapping.MetricsConfigProperty(
                metrics=["EventCount"]  # counts what went to the destination, and what was dropped
            ),
        )

    def _may_keep_failures(
        self, config: StageConfig, bucket: s3.IBucket, key: EncryptionKey
    ) -> None:
        self.function.may(["s3:ListBucket"], [bucket.bucket_arn])
        # By name: cdk-nag reports an object path of an imported ARN by an id that nobody can read.
        objects = f"arn:{core.Aws.PARTITION}:s3:::{relay_failures_name(config)}/aws/lambda/*"
        self.function.may(["s3:PutObject"], [objects])
        acknowledge(
            self.function.role,
            "IAM5",
            "Lambda names the objects below this prefix; the role can write, not read or delete.",
            finding=f"Resource::{objects}",
        )
        self.function.may_statements([use_of_key(key, "s3", write=True)])
