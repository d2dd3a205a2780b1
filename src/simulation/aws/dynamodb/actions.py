"""One write or check of one item, prepared: what must hold, and what then comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from simulation.aws.dynamodb.conditions import Condition, condition
from simulation.aws.dynamodb.expressions import Update, update
from simulation.aws.dynamodb.grammar import names_of, refuse_unmatched
from simulation.aws.dynamodb.items import (
    ITEM_BYTES_MAX,
    Item,
    Key,
    Value,
    invalid,
    taken,
)
from simulation.aws.dynamodb.requests import all_old, refuse_unknown, values_of
from simulation.aws.dynamodb.table import Change, Table

_NOTHING: Final[Item] = {}
_NO_PLACEHOLDERS: Final[frozenset[str]] = frozenset()


class Action(Struct):
    """A put, an update, a deletion or nothing but a check. `size` is that of `item`, which a put
    writes."""

    table: Table
    key: Key
    writes: bool
    all_old: bool
    condition: Condition | None
    values: Mapping[str, Value]
    item: Item | None = None
    size: int = 0
    update: Update | None = None

    def holds(self) -> bool:
        """Whether its condition is met now."""
        if self.condition is None:
            return True
        return self.condition.holds(self.table.items.get(self.key, _NOTHING), self.values)

    def met(self) -> Item | None:
        """The item that it found, if it was to tell of it and there is one."""
        return self.table.items.get(self.key) if self.all_old else None

    def becomes(self) -> tuple[Item | None, int]:
        """What it would make of the item, and the size of that. Raises ServiceError."""
        if self.update is None:
            return self.item, self.size
        old = self.table.items.get(self.key)
        new = dict(old) if old is not None else self.table.key_item(self.key)
        for name, place in self.update.sets:
            new[name] = self.values[place]
        for name in self.update.removes:
            new.pop(name, None)
        for index in self.table.indexes.values():
            index.refuse_keys(new)
        size = self._size_of(new, old)
        if size > ITEM_BYTES_MAX:
            raise invalid("Item size to update has exceeded the maximum allowed size")
        return new, size

    def _size_of(self, new: Item, old: Item | None) -> int:
        """What an update makes an item's size; what it leaves as it was is not looked at again."""
        if old is None or self.update is None:
            return taken(new)[1]
        touched = (*(name for name, _ in self.update.sets), *self.update.removes)
        lost = taken({name: old[name] for name in touched if name in old})[1]
        won = taken({name: new[name] for name in touched if name in new})[1]
        return self.table.sizes[self.key] - lost + won

    def apply(self) -> Change:
        """It takes effect now. Raises ServiceError."""
        item, size = self.becomes()
        return self.table.write(self.key, item, size)


Prepare = Callable[[Table, Mapping[str, Any]], Action]


def prepared_put(table: Table, request: Mapping[str, Any]) -> Action:
    """Of a Put. Raises ServiceError."""
    key, item, size = table.taken(request["Item"])
    held, values = _condition_of(request)
    return Action(table, key, True, all_old(request), held, values, item, size)


def prepared_update(table: Table, request: Mapping[str, Any]) -> Action:
    """Of an Update. Raises ServiceError."""
    key = table.key_of(request["Key"])
    changes = update(request["UpdateExpression"], names_of(request))
    held, values = _condition_of(request, changes)
    for name in (*(name for name, _ in changes.sets), *changes.removes):
        if name in table.key_names:
            raise invalid(f"Cannot update attribute {name}. This attribute is part of the key")
    return Action(table, key, True, all_old(request), held, values, None, 0, changes)


def prepared_delete(table: Table, request: Mapping[str, Any]) -> Action:
    """Of a Delete. Raises ServiceError."""
    held, values = _condition_of(request)
    return Action(table, table.key_of(request["Key"]), True, all_old(request), held, values)


def prepared_check(table: Table, request: Mapping[str, Any]) -> Action:
    """Of a ConditionCheck. Raises ServiceError."""
    held, values = _condition_of(request)
    if held is None:
        raise invalid("The ConditionExpression of a ConditionCheck must not be empty")
    return Action(table, table.key_of(request["Key"]), False, all_old(request), held, values)


#: By the name of a transaction's action.
PREPARED: Final[Mapping[str, Prepare]] = {
    "Put": prepared_put,
    "Update": prepared_update,
    "Delete": prepared_delete,
    "ConditionCheck": prepared_check,
}


def prepared_action(
    tables: Callable[[str], Table], action: Mapping[str, Mapping[str, Any]]
) -> Action:
    """Of one action of a transaction. Raises ServiceError."""
    if len(action) != 1:
        raise invalid("TransactItems can only contain one of Check, Put, Update or Delete")
    (kind,) = action
    request = action[kind]
    refuse_unknown(kind, request)
    return PREPARED[kind](tables(request["TableName"]), request)


def _condition_of(
    request: Mapping[str, Any], changes: Update | None = None
) -> tuple[Condition | None, Mapping[str, Value]]:
    values = values_of(request)
    text = request.get("ConditionExpression")
    if text is None:
        held, names, used = None, _NO_PLACEHOLDERS, _NO_PLACEHOLDERS
    else:
        held = condition("ConditionExpression", text, names_of(request))
        names, used = held.names, held.values
    if changes is not None:
        names, used = names | changes.names, used | changes.values
    refuse_unmatched(request, values, names, used)
    return held, values
