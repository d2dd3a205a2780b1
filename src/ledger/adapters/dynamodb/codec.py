"""Events and states as DynamoDB items, and back, checked both ways.

An event's body is the string `data`, the exact bytes that were hashed, readable in the console;
`type` stands beside it for filters, `hashes` has the chain hash of everything that it made a new
version of, one behind the other. A state keeps what conditions need (`version`, and the binary
`hash` of its chain), what must not be trusted to an old worker (`v`), and the rest as JSON in
`data`. A payment that is held has beside them what the index `due` needs, and loses it when the
hold ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from ledger.adapters.dynamodb.bodies import Frame, schema_of
from ledger.adapters.dynamodb.keys import due_shard, event_key, state_key, subject_of_key
from ledger.application.ports import Due, UnknownStoredStateError
from ledger.contracts.commands import accounts_in
from ledger.contracts.events import EVENT_TYPES
from ledger.contracts.storage import DUE_ACCOUNTS, DUE_AT, DUE_SHARD
from ledger.contracts.subjects import Key
from ledger.domain.accounts import HASH_BYTES, BrokenStateError
from ledger.domain.chain import StoredEvent
from ledger.domain.states import PaymentState, State, check_state

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]

_DUE: Final = (DUE_SHARD, DUE_AT, DUE_ACCOUNTS)


class _Written(Struct):
    """What an item needs to know of an event's bytes, and no more: they were encoded a moment ago,
    and to read them whole would take as long as to decide the payment.

    An event makes a new version of each of its `accounts`, and of what its `entry` is of, if it has
    one (`changed_by`).
    """

    type: str
    id: str
    accounts: tuple[Raw, ...] = ()
    entry: Raw | UnsetType = UNSET


_WRITTEN: Final = msgspec.json.Decoder(_Written)


def newest_schema(subject: Key) -> int:
    """The highest schema version of such a subject's state that this release reads."""
    return schema_of(subject.kind).newest


def event_item(event: StoredEvent) -> Item:
    """The item of an event. Raises BrokenStateError if id or hashes do not fit its body."""
    try:
        written = _WRITTEN.decode(event.data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BrokenStateError(f"event {event.id} has no body") from error
    if written.id != event.id or written.type not in EVENT_TYPES:
        raise BrokenStateError(f"event {event.id} holds another id, or is of no known type")
    _refuse_other_hash_count(
        event.id, len(written.accounts) + (written.entry is not UNSET), len(event.hashes)
    )
    item: Item = {
        "pk": {"S": event_key(event.id)},
        "type": {"S": written.type},
        "data": {"S": event.data.decode()},
    }
    if event.hashes:
        item["hashes"] = {"B": b"".join(event.hashes)}
    return item


def event_of_item(item: Item) -> StoredEvent:
    """The event of an item, its body not yet decoded."""
    try:
        hashes = bytes(item["hashes"]["B"]) if "hashes" in item else b""
        return StoredEvent(
            id=item["pk"]["S"],
            data=item["data"]["S"].encode(),
            hashes=tuple(
                hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenStateError(f"item {_shown_key(item)} is not an event") from error


def state_item(state: State) -> Item:
    """The item of a state. Raises BrokenStateError if it cannot be one."""
    check_state(state)
    subject = state.key
    schema, data = schema_of(subject.kind).encode(state)
    return {
        "pk": {"S": state_key(subject)},
        "v": {"N": str(schema)},
        "version": {"N": str(state.version)},
        "hash": {"B": state.hash},
        "data": {"S": data},
        **_due_attributes(state),
    }


def state_of_item(item: Item) -> State:
    """The state of an item.

    Raises UnknownStoredStateError for a kind or a schema version that a newer release wrote, and
    BrokenStateError for what no release wrote.
    """
    try:
        subject = subject_of_key(item["pk"]["S"])
        kept = schema_of(subject.kind)
        written = int(item["v"]["N"])
        if not 1 <= written <= kept.newest:
            raise UnknownStoredStateError(f"{_shown_key(item)} has schema {written}")
        frame = Frame(subject, int(item["version"]["N"]), bytes(item["hash"]["B"]))
        schema, state = kept.decode(item["data"]["S"], frame)
        indexed = {name: _comparable(item[name]) for name in _DUE if name in item}
    except (KeyError, TypeError, ValueError) as error:  # msgspec's errors are ValueErrors
        raise BrokenStateError(f"item {_shown_key(item)} is not a state") from error
    if written != schema:
        raise BrokenStateError(f"item {_shown_key(item)} is not of the schema that it claims")
    check_state(state)
    if indexed != {name: _comparable(value) for name, value in _due_attributes(state).items()}:
        raise BrokenStateError(f"item {_shown_key(item)} is not indexed as what it is")
    return state


def due_of_item(item: Item) -> Due:
    """The hold of an item of the index `due`."""
    try:
        return Due(subject_of_key(item["pk"]["S"]).id, item[DUE_AT]["S"])
    except (KeyError, TypeError, ValueError) as error:
        raise BrokenStateError(f"item {_shown_key(item)} is not a payment that is held") from error


def _due_attributes(state: State) -> Item:
    """What puts a payment that is held into the index `due`; nothing for any other state."""
    if not isinstance(state, PaymentState) or state.expires_at is None or not state.open:
        return {}
    return {
        DUE_SHARD: {"S": due_shard(state.id)},
        DUE_AT: {"S": state.expires_at},
        DUE_ACCOUNTS: {"SS": sorted(accounts_in(state.postings))},
    }


def _comparable(value: AttributeValueTypeDef) -> str | frozenset[str]:
    """An attribute of the index: DynamoDB keeps no order in a set."""
    return frozenset(value["SS"]) if "SS" in value else value["S"]


def _shown_key(item: Item) -> str:
    """The key of an item for an error's message: ids may be logged, nothing else of an item."""
    return repr(item.get("pk", {}).get("S", "without a key"))


def _refuse_other_hash_count(event_id: str, changed: int, hashes: int) -> None:
    if changed != hashes:
        raise BrokenStateError(f"event {event_id} changes {changed} subjects, has {hashes} hashes")
