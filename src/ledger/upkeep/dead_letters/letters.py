"""One dead letter: what it is, how it came here, and whether sending it back can help."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import msgspec
from msgspec import Struct

from ledger.contracts.commands import COMMAND_TYPES
from ledger.contracts.events import EVENT_TYPES
from ledger.contracts.primitives import ID_ALPHABET
from ledger.contracts.reasons import Retry

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageAttributeValueOutputTypeDef, MessageTypeDef

#: What every handler that buries a message says of it: which it was in its queue. Its other
#: attributes are the handler's too, none of the sender's: `reason` always, `field` and `retry` if
#: they are known (`ledger.entrypoints.commands`), whatever else helps (`consumers.webhooks`).
SOURCE_MESSAGE_ID: Final = "source_message_id"
_BURIAL_ATTRIBUTES: Final = ("reason", "field", "retry", SOURCE_MESSAGE_ID)
#: What EventBridge writes into those of an event that it could not deliver (its user guide, "Using
#: dead-letter queues to process undelivered events").
_ERROR_CODE: Final = "ERROR_CODE"
_EVENTBRIDGE_ATTRIBUTES: Final = frozenset(
    {
        *(_ERROR_CODE, "ERROR_MESSAGE", "EXHAUSTED_RETRY_CONDITION", "RETRY_ATTEMPTS"),
        *("RULE_ARN", "TARGET_ARN", "EVENT_BUS_ARN"),
    }
)
#: Codes of ours, where nobody else gave one.
GIVEN_UP: Final = "given_up"  # received as often as the queue allows, and not once handled
NOT_SAID: Final = "not_said"  # put here by something that left no reason

_TYPE: Final = re.compile(r"[a-z][a-z_]*(\.[a-z][a-z_]*)+")
_TYPE_LENGTH_MAX: Final = 64
#: That of an alert is made of those of its event and its account, a direction and a threshold.
_ID: Final = re.compile(rf"[{ID_ALPHABET}]{{1,160}}")
_MICROSECONDS_PER_MILLISECOND: Final = 1_000

Kind = Literal["event", "command", "delivery", "message", "records"]


class Contents(Struct, frozen=True):
    """What a body holds, as far as it can be told: the type and id of an event or a command.

    Of several events, or commands, in one message: the first's, and how many they are. Nothing else
    of a body is ever shown unless it is asked for.
    """

    kind: Kind = "message"
    type: str = ""
    id: str = ""
    count: int = 1


class Letter(Struct, frozen=True, kw_only=True):
    """One dead letter. `id` names it in its place; `since` is when it was first sent, in
    microseconds since 1970.

    `retry` is None where nobody can tell. `receives` is how often its queue tried before it gave
    up, None if that is not why it is here. `group` is what it is kept in order with, empty if no
    order is kept; `count` is above 1 for events, commands or records that died together.
    """

    id: str
    since: int
    reason: str
    detail: str = ""
    field: str = ""
    retry: Retry | None
    receives: int | None = None
    source_message_id: str = ""
    contents: Contents
    count: int = 1
    group: str = ""
    size: int
    body: str

    @property
    def hopeless(self) -> bool:
        """Whether a handler has said that this very message can never succeed."""
        return self.retry in {"never", "new_id"}


def letter_of(message: MessageTypeDef, *, receives_max: int | None, ordered: bool) -> Letter:
    """The letter that a message of a dead-letter queue is.

    `receives_max` is how often its source queue lets a message be received: the message's own count
    goes on in the dead-letter queue, and so says nothing once somebody has looked.
    """
    attributes = message.get("MessageAttributes", {})
    system = {str(name): value for name, value in message.get("Attributes", {}).items()}
    said = {name: value.get("StringValue", "") for name, value in attributes.items()}
    body = message.get("Body", "")
    contents = contents_of(body)
    receives: int | None = None
    retry: Retry | None = "same_request"
    field = detail = ""
    if SOURCE_MESSAGE_ID in said:
        reason, field, retry = said.get("reason", NOT_SAID), said.get("field", ""), _retry(said)
        others = sorted(name for name in said if name not in _BURIAL_ATTRIBUTES)
        detail = ", ".join(f"{name} {said[name]}" for name in others)
    elif _ERROR_CODE in said:
        reason, detail = said[_ERROR_CODE], said.get("ERROR_MESSAGE", "")
    elif "DeadLetterQueueSourceArn" in system:
        reason, receives = GIVEN_UP, receives_max
    else:
        reason, retry = NOT_SAID, None
    return Letter(
        id=message.get("MessageId", ""),
        since=int(system.get("SentTimestamp", 0)) * _MICROSECONDS_PER_MILLISECOND,
        reason=reason,
        detail=detail,
        field=field,
        retry=retry,
        receives=receives,
        source_message_id=said.get(SOURCE_MESSAGE_ID, ""),
        contents=contents,
        count=contents.count,
        group=system.get("MessageGroupId", "") if ordered else "",
        size=len(body.encode(errors="replace")) + _size_of(attributes),
        body=body,
    )


def attributes_to_keep(message: MessageTypeDef) -> dict[str, Any]:
    """A message's attributes without those that its burial added, as sending takes them."""
    attributes: Mapping[str, Mapping[str, Any]] = message.get("MessageAttributes", {})
    if SOURCE_MESSAGE_ID in attributes:
        return {}
    added = _EVENTBRIDGE_ATTRIBUTES if _ERROR_CODE in attributes else frozenset()
    values = ("StringValue", "BinaryValue")
    return {
        name: {"DataType": value["DataType"], **{k: value[k] for k in values if k in value}}
        for name, value in attributes.items()
        if name not in added
    }


def contents_of(body: str) -> Contents:
    """What is in a body: commands or a notification as they are, a command or events in
    EventBridge's envelope, or a notification on its way to a subscriber of webhooks."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return Contents()
    kind: Kind = "message"
    if isinstance(found, dict) and "detail-type" in found:
        found = found.get("detail")
    elif isinstance(found, dict) and "subscriber" in found:
        found, kind = found.get("notification"), "delivery"
    count, found = _first_of(found)
    if not isinstance(found, dict):
        return Contents()
    type_, id_ = found.get("type"), found.get("id")
    # Only what has the form of a type or an id: a body may hold anything in their place.
    type_ = type_ if isinstance(type_, str) and _is_type(type_) else ""
    id_ = id_ if isinstance(id_, str) and _ID.fullmatch(id_) else ""
    if kind == "message" and type_ in EVENT_TYPES:
        kind = "event"
    elif kind == "message" and type_ in COMMAND_TYPES:
        kind = "command"
    return Contents(kind, type_, id_, count)


def _first_of(found: Any) -> tuple[int, Any]:
    """Of a pack of events, or of commands sent together: how many, and the first. An atomic batch
    is one: it has commands, and an id."""
    if isinstance(found, dict) and "id" not in found:
        for several in (found.get("events"), found.get("commands")):
            if isinstance(several, list) and several:
                return len(several), several[0]
    return 1, found


def _is_type(text: str) -> bool:
    return len(text) <= _TYPE_LENGTH_MAX and _TYPE.fullmatch(text) is not None


def _retry(said: Mapping[str, str]) -> Retry:
    """What a handler said of a retry; who says nothing means that it may help."""
    retry = said.get("retry")
    return next((each for each in get_args(Retry) if each == retry), "same_request")


def _size_of(attributes: Mapping[str, MessageAttributeValueOutputTypeDef]) -> int:
    return sum(
        len(name)
        + len(value["DataType"])
        + len(value.get("StringValue", "").encode())
        + len(value.get("BinaryValue", b""))
        for name, value in attributes.items()
    )
