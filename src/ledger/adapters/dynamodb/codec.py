"""Events and states as DynamoDB items, and back, checked both ways.

An event's body is the string `data`, the exact bytes that were hashed, readable in the console;
`type` stands beside it for filters, `hashes` has the chain hash of each account, one behind the
other. A state keeps what conditions need (`version`), what must not be trusted to an old worker
(`v`), its binary `hash`, and the rest as JSON in `data`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta, Struct

from ledger.adapters.dynamodb.keys import account_key, account_of_key, event_key
from ledger.application.ports import UnknownStoredStateError
from ledger.contracts.commands import Alert
from ledger.contracts.events import decode_event, entries_of
from ledger.contracts.primitives import AccountType
from ledger.domain.accounts import (
    HASH_BYTES,
    AccountState,
    BrokenStateError,
    Status,
    check_state,
)
from ledger.domain.chain import StoredEvent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]

#: The schemas of a stored state that this release reads; stored as `v`. Version 2 has alerts. A
#: state is written in the lowest version that holds it: while old and new workers run side by side,
#: the old ones can go on with every account that uses nothing new.
STATE_V_MAX: Final = 2
_KNOWN_VERSIONS: Final = frozenset(map(str, range(1, STATE_V_MAX + 1)))


_StoredInstant = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z$")]


class _StateBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The JSON in a state's `data`. Field names are stored: never rename one."""

    currency: str
    type: AccountType
    status: Status
    debits_posted_minor: int
    credits_posted_minor: int
    debits_pending_minor: int
    credits_pending_minor: int
    min_balance_minor: int | None
    max_balance_minor: int | None
    opened_at: _StoredInstant
    recorded_at: _StoredInstant
    last_event: str
    alerts: tuple[Alert, ...] = ()


_BODY_FIELDS = _StateBody.__struct_fields__
_ENCODE = msgspec.json.Encoder().encode
_BODY = msgspec.json.Decoder(_StateBody)


def event_item(event: StoredEvent) -> Item:
    """The item of an event. Raises BrokenStateError if its hashes do not fit its body."""
    decoded = decode_event(event.data)
    if decoded.id != event.id:
        raise BrokenStateError(f"event {event.id} holds another id")
    _refuse_other_hash_count(event.id, len(entries_of(decoded)), len(event.hashes))
    item: Item = {
        "pk": {"S": event_key(event.id)},
        "type": {"S": decoded.__struct_config__.tag},  # type: ignore[typeddict-item]
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


def state_item(state: AccountState) -> Item:
    """The item of an account's state. Raises BrokenStateError if it cannot be one."""
    check_state(state)
    body = _StateBody(**{name: getattr(state, name) for name in _BODY_FIELDS})
    return {
        "pk": {"S": account_key(state.id)},
        "v": {"N": str(_lowest_version(body))},
        "version": {"N": str(state.version)},
        "hash": {"B": state.hash},
        "data": {"S": _ENCODE(body).decode()},
    }


def state_of_item(item: Item) -> AccountState:
    """The state of an item.

    Raises UnknownStoredStateError for a schema version that a newer release wrote, and
    BrokenStateError for what no release wrote.
    """
    try:
        version = item["v"]["N"]
        if version not in _KNOWN_VERSIONS:
            raise UnknownStoredStateError(f"{_shown_key(item)} has schema {version}")
        body = _BODY.decode(item["data"]["S"])
        state = AccountState(
            id=account_of_key(item["pk"]["S"]),
            version=int(item["version"]["N"]),
            hash=bytes(item["hash"]["B"]),
            **{name: getattr(body, name) for name in _BODY_FIELDS},
        )
    except (KeyError, TypeError, ValueError) as error:  # msgspec's errors are ValueErrors
        raise BrokenStateError(f"item {_shown_key(item)} is not a state") from error
    if version != str(_lowest_version(body)):
        raise BrokenStateError(f"item {_shown_key(item)} is not of the schema that it claims")
    check_state(state)
    return state


def _lowest_version(body: _StateBody) -> int:
    return 2 if body.alerts else 1


def _shown_key(item: Item) -> str:
    """The key of an item for an error's message: ids may be logged, nothing else of an item."""
    return repr(item.get("pk", {}).get("S", "without a key"))


def _refuse_other_hash_count(event_id: str, accounts: int, hashes: int) -> None:
    if accounts != hashes:
        raise BrokenStateError(f"event {event_id} touches {accounts} accounts, has {hashes} hashes")
