"""One write or check of one item, prepared: what must hold, and what then comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from simulation.aws.dynamodb.conditions import Condition, condition
from simulation.aws.dynamodb.expressions import Update, update
from simulation.aws.dynamodb.grammar import Names, names_of, refuse_unmatched
from simulation.aws.dynamodb.items import (
    ITEM_BYTES_MAX,
    Item,
    Key,
    Value,
    bytes_of,
    invalid,
    taken,
)
from simulation.aws.dynamodb.requests import all_old, refuse_unknown, values_of
from simulation.aws.dynamodb.table import Change, Table

_NOTHING: Final[Item] = {}
_NONE: Final[frozenset[str]] = frozenset()
_KEPT: Final = 4096  # as of conditions


class _Asked(Struct, frozen=True):
    """What a write's expressions ask for, and the placeholders that they use."""

    condition: Condition | None
    update: Update | None
    names: frozenset[str]
    values: frozenset[str]


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
        touched = self.update.touched
        return self.table.sizes[self.key] - bytes_of(old, touched) + bytes_of(new, touched)

    def apply(self) -> Change:
        """It takes effect now. Raises ServiceError."""
        item, size = self.becomes()
        return self.table.write(self.key, item, size)


Prepare = Callable[[Table, Mapping[str, Any]], Action]


def prepared_put(table: Table, request: Mapping[str, Any]) -> Action:
    """Of a Put. Raises ServiceError."""
    key, item, size = table.taken(request["Item"])
    asked, values = _asked_of(request)
    return Action(table, key, True, all_old(request), asked.condition, values, item, size)


def prepared_update(table: Table, request: Mapping[str, Any]) -> Action:
    """Of an Update. Raises ServiceError."""
    key = table.key_of(request["Key"])
    asked, values = _asked_of(request)
    changes = asked.update
    assert changes is not None, "an update has an expression"
    for name in table.key_names:
        if name in changes.touched:
            raise invalid(f"Cannot update attribute {name}. This attribute is part of the key")
    return Action(table, key, True, all_old(request), asked.condition, values, None, 0, changes)


def prepared_delete(table: Table, request: Mapping[str, Any]) -> Action:
    """Of a Delete. Raises ServiceError."""
    asked, values = _asked_of(request)
    key = table.key_of(request["Key"])
    return Action(table, key, True, all_old(request), asked.condition, values)


def prepared_check(table: Table, request: Mapping[str, Any]) -> Action:
    """Of a ConditionCheck. Raises ServiceError."""
    asked, values = _asked_of(request)
    if asked.condition is None:
        raise invalid("The ConditionExpression of a ConditionCheck must not be empty")
    key = table.key_of(request["Key"])
    return Action(table, key, False, all_old(request), asked.condition, values)


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


def _asked_of(request: Mapping[str, Any]) -> tuple[_Asked, Mapping[str, Value]]:
    """What the expressions of a request ask for, and its values. Raises ServiceError."""
    asked = _asked(
        request.get("UpdateExpression"), request.get("ConditionExpression"), names_of(request)
    )
    values = values_of(request)
    refuse_unmatched(request, values, asked.names, asked.values)
    return asked, values


@lru_cache(_KEPT)
def _asked(update_text: str | None, condition_text: str | None, names: Names) -> _Asked:
    """What the texts of a write ask for. Raises ServiceError."""
    changes = update(update_text, names) if update_text is not None else None
    held = (
        condition("ConditionExpression", condition_text, names)
        if condition_text is not None
        else None
    )
    used = [one for one in (changes, held) if one is not None]
    return _Asked(
        held,
        changes,
        _NONE.union(*(one.names for one in used)),
        _NONE.union(*(one.values for one in used)),
    )
