"""The event store: the append-only table of events and the derived table of states."""

from typing import cast

import aws_cdk as core
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.config import StageConfig
from cdk.patterns.encryption import EncryptionKey
from cdk.patterns.table import LedgerTable

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

    @property
    def stream_arn(self) -> str:
        """The stream of `events`."""
        return cast(str, self.events.table_stream_arn)  # optional for tables without one

    def commit_statements(self) -> list[iam.PolicyStatement]:
        """What deciding and committing commands needs, and no more.

        A transaction is authorised by its underlying actions: Put needs PutItem, ConditionCheck
        needs ConditionCheckItem. Reading an item of `events` is how a recorded outcome is found.
        """
        return [
            iam.PolicyStatement(
                actions=["dynamodb:PutItem"],
                resources=[self.events.table_arn],
                conditions=_IN_A_TRANSACTION,
            ),
            iam.PolicyStatement(
                actions=["dynamodb:GetItem"],
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
