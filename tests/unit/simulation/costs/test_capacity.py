"""Units of DynamoDB as its developer guide has them."""

from __future__ import annotations

from typing import Any

import pytest

from simulation.costs.capacity import index_units, read_units, write_units
from simulation.costs.usage import Usage, chunks
from simulation.wiring.model import Index, Table


def _item(size: int, key: str = "a") -> dict[str, Any]:
    """An item of so many bytes: `pk` and `data` are six of them."""
    return {"pk": {"S": key}, "data": {"S": "x" * (size - 6 - len(key))}}


def _nothing(table: str, item: object) -> None:
    del table, item


@pytest.mark.parametrize(("size", "units"), [(1024, 1), (1025, 2), (2048, 2), (2049, 3)])
def test_a_put_takes_a_unit_for_each_kb_begun(size: int, units: int) -> None:
    """Exactly at a KB it is still the one below."""
    request = {"TableName": "t", "Item": _item(size)}
    assert list(write_units("put_item", request, _nothing)) == [("t", units)]


def test_a_transaction_takes_twice_as_much_for_every_action() -> None:
    """Puts, updates and checks alike; a check of what is not there as for one KB."""
    request = {
        "TransactItems": [
            {"Put": {"TableName": "events", "Item": _item(1025)}},
            {"ConditionCheck": {"TableName": "states", "Key": {"pk": {"S": "b"}}}},
        ]
    }
    taken = list(write_units("transact_write_items", request, _nothing))
    assert taken == [("events", 4), ("states", 2)]


def test_a_put_is_paid_for_by_what_was_there_if_that_is_larger() -> None:
    """The larger of both counts."""
    request = {"TableName": "t", "Item": _item(100)}
    assert list(write_units("put_item", request, lambda *_: _item(3000))) == [("t", 3)]


def test_reads_are_paid_for_by_4_kb_begun_and_half_unless_consistent() -> None:
    """A batched read rounds item by item, a query all together; what is missing counts as small."""
    get = {"TableName": "t", "ConsistentRead": True}
    assert list(read_units("get_item", get, {"Item": _item(4097)})) == [("t", 2.0)]
    assert list(read_units("get_item", {"TableName": "t"}, {})) == [("t", 0.5)]
    batch = {"RequestItems": {"t": {"Keys": [1, 2, 3], "ConsistentRead": True}}}
    answer = {"Responses": {"t": [_item(10), _item(5000)]}}
    assert list(read_units("batch_get_item", batch, answer)) == [("t", 4.0)]
    query = {"TableName": "t", "ConsistentRead": True}
    assert list(read_units("query", query, {"Items": [_item(2000)] * 3})) == [("t", 2.0)]


def test_an_index_takes_units_only_where_what_it_shows_changes() -> None:
    """Another attribute costs nothing; a new sort key takes one entry out and puts one in."""
    index = Index(name="i", hash_key="root", range_key="due", projected=())
    table = Table(name="t", hash_key="pk", indexes=(index,))
    held = {"pk": {"S": "a"}, "root": {"S": "r"}, "due": {"S": "1"}, "more": {"S": "x"}}
    assert index_units(table, None, held) == 1
    assert index_units(table, held, {**held, "more": {"S": "y"}}) == 0
    assert index_units(table, held, {**held, "due": {"S": "2"}}) == 2
    assert index_units(table, held, {"pk": {"S": "a"}}) == 1
    assert index_units(table, None, {"pk": {"S": "a"}}) == 0


def test_what_is_sent_is_counted_by_64_kb_begun() -> None:
    """Nothing at all is one request, too."""
    assert [chunks(size) for size in (0, 1, 65_536, 65_537, 200_000)] == [1, 1, 1, 2, 4]


def test_usage_adds_up_by_what_and_where() -> None:
    """Each place by itself, and all together."""
    usage = Usage()
    usage.add("write_unit", "events", 2)
    usage.add("write_unit", "events", 2)
    usage.add("write_unit", "states", 4)
    assert usage.of("write_unit") == 8
    assert usage.of("write_unit", "events") == 4
    assert [(one.where, one.amount) for one in usage] == [("events", 4), ("states", 4)]
