"""The one shape of a Lambda function: runtime, bundle, alias, log group, role."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as core
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.config import StageConfig
from cdk.patterns.encryption import EncryptionKey, removal_policy
from cdk.patterns.workloads import WORKLOADS

_RETENTIONS = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    5: logs.RetentionDays.FIVE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    120: logs.RetentionDays.FOUR_MONTHS,
    150: logs.RetentionDays.FIVE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    400: logs.RetentionDays.THIRTEEN_MONTHS,
    545: logs.RetentionDays.EIGHTEEN_MONTHS,
    731: logs.RetentionDays.TWO_YEARS,
    1096: logs.RetentionDays.THREE_YEARS,
    1827: logs.RetentionDays.FIVE_YEARS,
    3653: logs.RetentionDays.TEN_YEARS,
}


@dataclass(frozen=True)
class FunctionDefaults:
    """What every function of a stack has in common."""

    config: StageConfig
    key: EncryptionKey
    code: lambda_.Code


class PythonFunction(Construct):
    """A function that may only write its own log, until `may` or `may_statements` is called.

    Callers and event sources use `alias` (`live`), never the function: only published versions can
    be shifted to, rolled back and snapshotted. It has no dead-letter queue of its own: whatever
    invokes it is synchronous, or a queue or stream that has one, or a schedule, of which a call
    that fails is made up for by the next one.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        defaults: FunctionDefaults,
        handler: str,
        environment: Mapping[str, str],
        timeout: core.Duration,
    ) -> None:
        """`id` is the logical name: it names the function, its metrics and its logs."""
        super().__init__(scope, id)
        config = defaults.config
        self.logical_name = id
        self.function_name = config.name(id.lower())
        self.timeout = timeout
        workload = WORKLOADS[id]
        self.memory_mb = workload.memory_mb
        # Of the stage: two in one account would count, and ring, for each other.
        self.metrics_namespace = f"Ledger/{config.stage}"
        self.drains: list[str] = []  # the names of the queues that feed it, see queues.drain
        self.log_group_name = f"/aws/lambda/{self.function_name}"
        self.log_group = log_group(
            self, "Logs", config=config, key=defaults.key, name=self.log_group_name
        )
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=self.function_name,
            description=f"{id} of the ledger, {config.stage}: {handler}",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            code=defaults.code,
            handler=handler,
            role=self.role,
            memory_size=self.memory_mb,
            timeout=timeout,
            # A snapshot of each version is kept and paid for as long as the version is there, and
            # each worker that begins from it as well: worth it where somebody waits.
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS
            if workload.resumes(config.snap_start)
            else None,
            reserved_concurrent_executions=getattr(config.reserved_concurrency, id, None),
            # Else a deployment deletes the version before, and there is none to roll back to.
            current_version_options=lambda_.VersionOptions(
                removal_policy=core.RemovalPolicy.RETAIN
            ),
            # X-Ray costs 109 ms of every cold start; the ids in the logs tie a payment together.
            tracing=lambda_.Tracing.DISABLED,
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            # Lambda drops lines below this level, and takes metrics, which have none, for INFO.
            application_log_level_v2=lambda_.ApplicationLogLevel.DEBUG
            if config.log_level == "DEBUG"
            else lambda_.ApplicationLogLevel.INFO,
            # Start, end and report lines say what metrics say, and cost as much as ours.
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            environment={
                "POWERTOOLS_SERVICE_NAME": id,
                "POWERTOOLS_METRICS_NAMESPACE": self.metrics_namespace,
                "LOG_LEVEL": config.log_level,
                **environment,
            },
        )
        # The ARN of a log group ends in `:*`: it covers the streams, which Lambda names.
        self.may(["logs:CreateLogStream", "logs:PutLogEvents"], [self.log_group.log_group_arn])
        self.alias = lambda_.Alias(
            self, "Live", alias_name="live", version=self.function.current_version
        )

    def may(
        self,
        actions: Sequence[str],
        resources: Sequence[str],
        conditions: Mapping[str, object] | None = None,
    ) -> None:
        """Allow `actions` on `resources`, both written out."""
        self.may_statements(
            [
                iam.PolicyStatement(
                    actions=list(actions),
                    resources=list(resources),
                    conditions=dict(conditions) if conditions else None,
                )
            ]
        )

    def may_statements(self, statements: Sequence[iam.PolicyStatement]) -> None:
        """Allow what the statements say."""
        for statement in statements:
            self.role.add_to_policy(statement)


def log_group(
    scope: Construct, id: str, *, config: StageConfig, key: EncryptionKey, name: str
) -> logs.LogGroup:
    """A log group of ours: encrypted with `key`, kept as long as the stage says."""
    return logs.LogGroup(
        scope,
        id,
        log_group_name=name,
        encryption_key=key,
        retention=_RETENTIONS[config.log_retention_days],
        removal_policy=removal_policy(config),
    )
