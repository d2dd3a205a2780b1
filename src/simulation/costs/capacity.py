"""Read and write units of DynamoDB requests, from what was asked and what was answered.

Writes are paid for by each KB begun of the larger of the item before and after, twice in a
transaction, whether or not its conditions hold. Each index pays for itself where what it shows of
the item changes. Reads are paid for by 4 KB begun, half of it unless consistent; a batched read
rounds item by item, a query all items together. An item that is not there costs as one of 1 KB.
Source: Amazon DynamoDB developer guide, "Read and write operations" and "Global secondary indexes".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from simulation.aws.dynamodb.items import taken
from simulation.wiring.model import Index, Table

_KB: Final = 1024
_READ: Final = 4 * _KB
_IN_TRANSACTION: Final = 2

Item = Mapping[str, Mapping[str, Any]]
Look = Callable[[str, Item], Item | None]
"""The item of a table under that key (or with it among its attributes), as it is now."""


def size(item: Item | None) -> int:
    """The bytes that an item is counted with; 0 if there is none."""
    return taken(item)[1] if item else 0


def write_units(
    operation: str, request: Mapping[str, Any], look: Look
) -> Iterator[tuple[str, int]]:
    """The units that a request takes of each table, without those of indexes."""
    if operation == "transact_write_items":
        for action in request["TransactItems"]:
            ((_, one),) = action.items()
            yield one["TableName"], _IN_TRANSACTION * _written(one, look)
    elif operation in ("put_item", "update_item", "delete_item"):
        yield request["TableName"], _written(request, look)
    elif operation == "batch_write_item":
        for table, requests in request["RequestItems"].items():
            for one in requests:
                kept = one.get("PutRequest", {}).get("Item")
                yield table, _units(size(kept), _KB)


def index_units(table: Table, old: Item | None, new: Item | None) -> int:
    """The write units of a change that the indexes of its table take."""
    return sum(_of_index(index, table, old, new) for index in table.indexes)


def read_units(
    operation: str, request: Mapping[str, Any], answer: Mapping[str, Any]
) -> Iterator[tuple[str, float]]:
    """The units that a request took of each table, by what it was answered."""
    if operation == "get_item":
        whole = _units(size(answer.get("Item")), _READ)
        yield request["TableName"], whole * _share(request)
    elif operation == "batch_get_item":
        for table, asked in request["RequestItems"].items():
            items: Sequence[Item] = answer["Responses"].get(table, ())
            left = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", ())
            missing = len(asked["Keys"]) - len(left) - len(items)
            whole = missing + sum(_units(size(item), _READ) for item in items)
            yield table, whole * _share(asked)
    elif operation in ("query", "scan"):
        whole = _units(sum(map(size, answer.get("Items", ()))), _READ)
        yield request["TableName"], whole * _share(request)


def _written(request: Mapping[str, Any], look: Look) -> int:
    table = request["TableName"]
    item = request.get("Item")
    if item is not None:
        return _units(max(size(item), size(look(table, item))), _KB)
    return _units(size(look(table, request["Key"])), _KB)


def _of_index(index: Index, table: Table, old: Item | None, new: Item | None) -> int:
    before, after = _shown(index, table, old), _shown(index, table, new)
    if before == after:
        return 0
    if before is None or after is None:
        return _units(size(before or after), _KB)
    keys = (index.hash_key, index.range_key)
    if any(before.get(name or "") != after.get(name or "") for name in keys):
        return _units(size(before), _KB) + _units(size(after), _KB)
    return _units(max(size(before), size(after)), _KB)


def _shown(index: Index, table: Table, item: Item | None) -> Item | None:
    """What an index has of an item; None if it is not in it."""
    keys = [name for name in (index.hash_key, index.range_key) if name]
    if item is None or any(name not in item for name in keys):
        return None
    if index.projected is None:
        return item
    own = [name for name in (table.hash_key, table.range_key) if name]
    names = dict.fromkeys((*keys, *own, *index.projected))
    return {name: item[name] for name in names if name in item}


def _share(request: Mapping[str, Any]) -> float:
    return 1.0 if request.get("ConsistentRead") else 0.5


def _units(size_: int, of: int) -> int:
    return max(1, -(-size_ // of))
