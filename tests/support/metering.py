"""A DynamoDB client that counts the write units of what passes through it.

Source: DynamoDB developer guide, "Read and write operations" and "Using global secondary indexes":
a write costs a unit for each KiB, or part of one, of the larger of the item before and after; one
that its condition refuses costs as much; in an index of keys an entry that comes or goes costs one,
and one whose key changes two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from tests.unit.projections.sizes import item_bytes

KIB = 1024


class MeteredDynamo:
    """Passes every call on. `units` has what tables and their indexes would bill."""

    def __init__(self, client: Any, indexes: Mapping[str, tuple[str, str]] = {}) -> None:
        self._client = client
        self._indexes = indexes  # of a table: the keys of its one index
        self.units: Counter[str] = Counter()
        self.requests = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def update_item(self, **request: Any) -> Any:
        """As the client does."""
        return self._one(self._client.update_item, request["TableName"], request["Key"], request)

    def put_item(self, **request: Any) -> Any:
        """As the client does, of a table with the key `pk`."""
        key = {"pk": request["Item"]["pk"]}
        return self._one(self._client.put_item, request["TableName"], key, request)

    def batch_write_item(self, **request: Any) -> Any:
        """As the client does, of puts of items that are not there."""
        self.requests += 1
        for table, puts in request["RequestItems"].items():
            self.units[table] += sum(_units(put["PutRequest"]["Item"]) for put in puts)
        return self._client.batch_write_item(**request)

    def _one(self, call: Any, table: str, key: Any, request: Any) -> Any:
        self.requests += 1
        before = self._item(table, key)
        try:
            return call(**request)
        except ClientError:
            self.units[table] += _units(before)
            raise
        finally:
            after = self._item(table, key)
            if after != before:
                self.units[table] += max(_units(before), _units(after))
                self.units[f"{table} index"] += self._index_units(table, before, after)

    def _item(self, table: str, key: Any) -> Mapping[str, Any]:
        answer = self._client.get_item(TableName=table, Key=key, ConsistentRead=True)
        item: Mapping[str, Any] = answer.get("Item", {})
        return item

    def _index_units(self, table: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> int:
        keys = self._indexes.get(table, ())
        was, now = (
            tuple(item[key]["S"] for key in keys) if keys and all(map(item.get, keys)) else None
            for item in (before, after)
        )
        return 0 if was == now else (was is not None) + (now is not None)


def _units(item: Mapping[str, Any]) -> int:
    return -(-item_bytes(item) // KIB) if item else 0
