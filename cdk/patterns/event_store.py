"""The event store: the append-only table of events and the derived table of states."""

from typing import cast

import aws_cdk as core
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.config import StageConfig
from cdk.patterns.encryption import EncryptionKey, use_of_key
from cdk.patterns.python_function import PythonFunction
from cdk.patterns.table import LedgerTable
from ledger.contracts.storage import DUE_ACCOUNTS, DUE_AT, DUE_INDEX, DUE_SHARD

# The key as a set, as DynamoDB documents it, and each condition the exact complement of the other:
# an absent key, as in a bare PutItem, is in no transaction.
_TRANSACTION = {"dynamodb:EnclosingOperation": "TransactWriteItems"}
_IN_A_TRANSACTION = {"ForAnyValue:StringEquals": _TRANSACTION}
_IN_NO_TRANSACTION = {"ForAllValues:StringNotEquals": _TRANSACTION}


class EventStore(Construct):
    """`events`, the truth, which nobody may change; `states`, a snapshot that can be recomputed."""

    def __init__(
        self, scope: Construct, id: str, *, config: StageConfig, key: EncryptionKey
    ) -> None:
        super().__init__(scope, id)
        self._key = key
        self._cached_states = config.cached_states
        self.events = LedgerTable(
            self,
            "Events",
            config=config,
            key=key,
            name="events",
            # Old images too: the relay names what a forbidden change has overwritten.
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            resource_policy=_append_only(self, config.name("events")),
        )
        self.states = LedgerTable(self, "States", config=config, key=key, name="states")
        # Sparse: only payments that are held have these attributes, by when the hold expires.
        # Spread over shards, so that holds that expire at one time do not meet at one partition.
        self.states.add_global_secondary_index(
            index_name=DUE_INDEX,
            partition_key=dynamodb.Attribute(name=DUE_SHARD, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=DUE_AT, type=dynamodb.AttributeType.STRING),
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=[DUE_ACCOUNTS],
        )

    @property
    def environment(self) -> dict[str, str]:
        """What a function that commits is told."""
        return {
            "EVENTS_TABLE": self.events.table_name,
            "STATES_TABLE": self.states.table_name,
            "LEDGER_STATE_CACHE": str(self._cached_states),
        }

    @property
    def stream_arn(self) -> str:
        """The stream of `events`."""
        return cast(str, self.events.table_stream_arn)  # optional for tables without one

    def let_commit(self, function: PythonFunction) -> None:
        """Allow what deciding and committing commands needs, and no more."""
        function.may_statements(self._commit_statements())
        function.may_statements([use_of_key(self._key, "dynamodb", write=True)])

    def _commit_statements(self) -> list[iam.PolicyStatement]:
        """A transaction is authorised by its underlying actions: Put needs PutItem, ConditionCheck
        needs ConditionCheckItem. Reading items of `events` is how recorded outcomes are found, and
        a condition is how ids are known to be free; the index is how holds are found that have
        expired.
        """
        return [
            iam.PolicyStatement(
                actions=["dynamodb:PutItem"],
                resources=[self.events.table_arn],
                conditions=_IN_A_TRANSACTION,
            ),
            iam.PolicyStatement(
                actions=[
                    "dynamodb:BatchGetItem",
                    "dynamodb:ConditionCheckItem",
                    "dynamodb:GetItem",
                ],
                resources=[self.events.table_arn],
            ),
            iam.PolicyStatement(
                actions=[
                    "dynamodb:BatchGetItem",
                    "dynamodb:ConditionCheckItem",
                    "dynamodb:PutItem",
                ],
                resources=[self.states.table_arn],
            ),
            iam.PolicyStatement(
                actions=["dynamodb:Query"],
                resources=[f"{self.states.table_arn}/index/{DUE_INDEX}"],
            ),
        ]


def _append_only(scope: Construct, table_name: str) -> iam.PolicyDocument:
    """Denies every principal to change or remove an event, or to write one outside a transaction.

    Whoever may write can still overwrite inside a transaction: the hash chain and the relay detect
    it.
    """
    table = core.Stack.of(scope).format_arn(
        # By name: a policy that refers to its own table's attributes would be circular.
        service="dynamodb",
        resource="table",
        resource_name=table_name,
    )
    return iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                sid="NoChangeNoRemoval",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=[
                    "dynamodb:UpdateItem",
                    "dynamodb:DeleteItem",
                    "dynamodb:BatchWriteItem",
                    "dynamodb:PartiQLInsert",
                    "dynamodb:PartiQLUpdate",
                    "dynamodb:PartiQLDelete",
                ],
                resources=[table],
            ),
            iam.PolicyStatement(
                sid="AppendInTransactionsOnly",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["dynamodb:PutItem"],
                resources=[table],
                conditions=_IN_NO_TRANSACTION,
            ),
        ]
    )
