"""TransactWriteItems: all or nothing, at one instant, and told why not.

From its arrival until it is done a transaction has its items in hand: another over one of them is
cancelled, and so is a single write. Reads go on and see what was there before.

Source: API reference, "TransactWriteItems"; developer guide, "Managing complex workflows with
DynamoDB transactions".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

from msgspec import Struct

from simulation.aws.calls import Doing, Request
from simulation.aws.dynamodb.actions import Action, prepared_action
from simulation.aws.dynamodb.errors import (
    CONFLICT,
    EXCEEDED,
    FAILED,
    INVALID,
    NO_REASON,
    THROTTLED,
    cancelled,
    reason,
)
from simulation.aws.dynamodb.items import KIB, MIB, Item, invalid
from simulation.aws.dynamodb.requests import refuse_unknown, wants_units
from simulation.aws.dynamodb.table import Table
from simulation.aws.dynamodb.writes import Announce
from simulation.aws.errors import ServiceError
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.hub import MILLISECOND, SECOND, Hub

ACTIONS_MAX: Final = 100
BYTES_MAX: Final = 4 * MIB
#: How long a client's token is remembered after its transaction took effect.
REMEMBERED: Final = 600 * SECOND
_DURATION_MIN: Final = 1 * MILLISECOND
_DURATION_SPREAD: Final = 9 * MILLISECOND
#: Of the few that take long: longer than a client waits for its answer, or not.
_SLOW_MIN: Final = 1 * SECOND
_SLOW_SPREAD: Final = 4 * SECOND
_MIXED: Final = 0.5  # of the conflicts, those whose other reasons are told as well


class _Remembered(Struct):
    """A transaction by its token."""

    items: Sequence[Any]
    done: bool = False


class Transactions:
    """The transactions over all tables."""

    def __init__(
        self,
        hub: Hub,
        random: Random,
        injector: Injector,
        tables: Callable[[str], Table],
        announce: Announce,
    ) -> None:
        self._hub = hub
        self._random = random
        self._injector = injector
        self._tables = tables
        self._announce = announce
        self._tokens: dict[str, _Remembered] = {}
        self._forgotten_at: deque[tuple[int, str]] = deque()

    def transact_write_items(self, request: Request) -> Doing:
        """See AWS."""
        refuse_unknown("transact_write_items", request)
        told = wants_units(request)
        items = request["TransactItems"]
        actions = self._prepared(items)
        token = request.get("ClientRequestToken")
        if self._took_effect(token, items):
            return {"ConsumedCapacity": _read_units(actions)} if told else {}
        self._refuse_throttled(actions)
        self._refuse_conflicts(actions)
        remembered = _Remembered(items)
        if token is not None:
            self._tokens[token] = remembered
        for action in actions:
            action.table.locked.add(action.key)
        yield self._duration(actions)
        for action in actions:
            action.table.locked.remove(action.key)
        try:
            units = self._commit(actions)
        except ServiceError:
            self._tokens.pop(token or "", None)
            raise
        if token is not None:
            remembered.done = True
            self._forgotten_at.append((self._hub.now + REMEMBERED, token))
        return {"ConsumedCapacity": units} if told else {}

    def _duration(self, actions: Sequence[Action]) -> int:
        drawn, first = self._random.random(), actions[0]
        if self._injector.strikes(Fault.TRANSACTION_SLOW, first.table.name, *first.key):
            return _SLOW_MIN + int(drawn * _SLOW_SPREAD)
        return _DURATION_MIN + int(drawn * _DURATION_SPREAD)

    def _prepared(self, items: Sequence[Any]) -> list[Action]:
        """The actions of a request. Raises ServiceError if they cannot be a transaction."""
        if not 0 < len(items) <= ACTIONS_MAX:
            raise invalid(f"Member must have length of 1 to {ACTIONS_MAX}: transactItems")
        tables = self._tables
        actions = [prepared_action(tables, one) for one in items]
        if len({(action.table.name, action.key) for action in actions}) != len(actions):
            raise invalid("Transaction request cannot include multiple operations on one item")
        if sum(action.size for action in actions) > BYTES_MAX:
            raise invalid("Collection size of all items in the transaction exceeds 4 MB")
        return actions

    def _took_effect(self, token: str | None, items: Sequence[Any]) -> bool:
        """Whether the transaction of that token took effect before. Raises ServiceError if it is
        under way, or another one."""
        forgotten = self._forgotten_at
        while forgotten and forgotten[0][0] <= self._hub.now:
            self._tokens.pop(forgotten.popleft()[1], None)
        known = self._tokens.get(token) if token is not None else None
        if known is None:
            return False
        if known.items != items:
            raise ServiceError("IdempotentParameterMismatchException")
        if not known.done:
            raise ServiceError("TransactionInProgressException")
        return True

    def _refuse_throttled(self, actions: Sequence[Action]) -> None:
        """Too much for a table: the request as a whole is refused, or its actions there are. Too
        much for a partition: one action is."""
        strikes, draw = self._injector.strikes, self._random.random
        table = actions[0].table.name
        if strikes(Fault.TABLE_THROTTLED, table, "transact_write_items"):
            if draw() < 0.5:
                raise ServiceError("ThrottlingException")
            raise cancelled(
                [reason(THROTTLED) if one.table.name == table else NO_REASON for one in actions]
            )
        place = int(draw() * len(actions))
        met = actions[place]
        if strikes(Fault.PARTITION_THROTTLED, met.table.name, *met.key):
            code = THROTTLED if draw() < 0.5 else EXCEEDED
            raise cancelled(_reasons(actions, place, code))

    def _refuse_conflicts(self, actions: Sequence[Action]) -> None:
        met = [action.key in action.table.locked for action in actions]
        if any(met):
            for action, conflicts in zip(actions, met, strict=True):
                if conflicts:
                    self._injector.note(Fault.TRANSACTION_CONFLICT, action.table.name, *action.key)
            # The others were asked at the same time, and may have been heard as well.
            mixed = self._random.random() < _MIXED
            raise cancelled(
                [
                    reason(CONFLICT) if conflicts else _failed(action) if mixed else NO_REASON
                    for action, conflicts in zip(actions, met, strict=True)
                ]
            )
        place = int(self._random.random() * len(actions))
        other = actions[place]
        if self._injector.strikes(Fault.TRANSACTION_CONFLICT, other.table.name, *other.key):
            raise cancelled(_reasons(actions, place, CONFLICT))

    def _commit(self, actions: Sequence[Action]) -> list[dict[str, Any]]:
        """All of it takes effect now, or nothing. Answers the write units. Raises ServiceError."""
        for action in actions:
            if not action.holds():
                raise cancelled([_failed(one) for one in actions])
        becoming = _becoming(actions)
        units: dict[str, int] = {}
        changes = []
        for action, (item, size) in zip(actions, becoming, strict=True):
            table = action.table
            larger = max(size, table.sizes.get(action.key, 0))
            # Twice what the write costs by itself: it is prepared, then made.
            units[table.name] = units.get(table.name, 0) + 2 * (-(-larger // KIB) or 1)
            if action.writes:
                changes.append(table.write(action.key, item, size))
        self._announce(changes)
        return [
            {"TableName": name, "CapacityUnits": float(count), "WriteCapacityUnits": float(count)}
            for name, count in units.items()
        ]


def _becoming(actions: Sequence[Action]) -> list[tuple[Item | None, int]]:
    """What all of them would make of their items. Raises ServiceError."""
    becoming = []
    for place, action in enumerate(actions):
        try:
            becoming.append(action.becomes())
        except ServiceError:
            raise cancelled(_reasons(actions, place, INVALID)) from None
    return becoming


def _reasons(actions: Sequence[Action], place: int, code: str) -> list[dict[str, Any]]:
    """That code for one of the actions."""
    reasons: list[dict[str, Any]] = [NO_REASON] * len(actions)
    reasons[place] = reason(code)
    return reasons


def _failed(action: Action) -> dict[str, Any]:
    return NO_REASON if action.holds() else reason(FAILED, action.met())


def _read_units(actions: Sequence[Action]) -> list[dict[str, Any]]:
    """What it costs to be told again that a transaction took effect."""
    units: dict[str, int] = {}
    for action in actions:
        blocks = max(1, -(-action.table.sizes.get(action.key, 0) // (4 * KIB)))
        units[action.table.name] = units.get(action.table.name, 0) + 2 * blocks
    return [
        {"TableName": name, "CapacityUnits": float(count), "ReadCapacityUnits": float(count)}
        for name, count in units.items()
    ]
