"""What an IAM action means for a diagram: who does what to whom, in which direction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Final

from publishing.diagram.templates import Json


class Verb(StrEnum):
    """What an arrow says of its two ends; it points where the data goes, or the call."""

    FEEDS = "feeds"  # a queue or stream a function, which takes from it
    MATCHES = "is matched by"  # a bus a rule
    DELIVERS = "delivers to"  # a rule a target, a topic a subscriber
    INVOKES = "invokes"
    SENDS = "sends to"
    PUBLISHES = "publishes to"
    WRITES = "writes"
    READS = "is read by"  # so that it points where the data goes
    KEEPS = "is kept in"  # a bus in an archive
    DEAD_LETTERS = "leaves what failed in"
    NOTIFIES = "notifies"
    SHOWS = "shows"
    WATCHES = "watches"
    ENCRYPTS = "encrypts"
    USES = "may use"


class UnknownActionError(ValueError):
    """A policy allows an action of which this module does not know what it does."""


_VERBS: Final[Mapping[Verb, frozenset[str]]] = {
    Verb.FEEDS: frozenset(
        {
            *("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
            *("sqs:ChangeMessageVisibility", "sqs:DeleteMessage"),
            *("sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
        }
    ),
    Verb.INVOKES: frozenset({"lambda:InvokeFunction"}),
    Verb.SENDS: frozenset({"sqs:SendMessage"}),
    Verb.PUBLISHES: frozenset({"events:PutEvents", "sns:Publish"}),
    Verb.WRITES: frozenset(
        {
            *("dynamodb:BatchWriteItem", "dynamodb:DeleteItem"),
            *("dynamodb:PutItem", "dynamodb:UpdateItem"),
            "s3:PutObject",
            "s3:ListBucket",  # what Lambda asks for to keep what failed there, beside PutObject
            *("secretsmanager:CreateSecret", "secretsmanager:DeleteSecret"),
            *("secretsmanager:PutSecretValue", "secretsmanager:TagResource"),
            *("secretsmanager:UpdateSecret", "secretsmanager:UpdateSecretVersionStage"),
            *("logs:CreateLogStream", "logs:PutLogEvents"),
        }
    ),
    Verb.READS: frozenset(
        {
            *("dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:GetItem"),
            *("dynamodb:Query", "dynamodb:Scan"),
            "s3:GetObject",
            *("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"),
            "secretsmanager:BatchGetSecretValue",
            "ssm:GetParameter",
        }
    ),
    Verb.USES: frozenset(
        {
            *("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"),
            *("kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
        }
    ),
}
_OF_ACTION: Final = {action: verb for verb, actions in _VERBS.items() for action in actions}
#: Where the data, or the call, does not go from who is allowed to what it is allowed on.
TOWARDS_THE_GRANTED: Final = frozenset({Verb.FEEDS, Verb.READS})


def verbs_of(statement: Mapping[str, Json]) -> Iterator[Verb]:
    """What the actions of a statement come to, each verb once. Raises UnknownActionError."""
    actions = statement["Action"]
    found = set()
    for action in [actions] if isinstance(actions, str) else actions:
        if action not in _OF_ACTION:
            raise UnknownActionError(
                f"{action} is granted: say in {__name__} what it does, so that it can be drawn"
            )
        found.add(_OF_ACTION[action])
    yield from sorted(found)
