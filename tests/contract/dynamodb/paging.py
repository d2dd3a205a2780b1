"""Checks of orders and pages: where reading goes on, and that nothing is read twice or missed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.contract.dynamodb.bench import KEY, Bench, Item, check, item, outcome
from tests.contract.dynamodb.reading import INDEX_KEYS, indexed


def _pages(bench: Bench, **request: Any) -> Iterator[list[Item]]:
    """The items of each page of a query."""
    while True:
        answer: Any = bench.client.query(**request)
        yield answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _listed(bench: Bench, sorts: list[str]) -> dict[str, Any]:
    """A query of an index that has items of these sort values, with keys 0, 1, …"""
    table = indexed(bench)
    for place, sort in enumerate(sorts):
        listed = {INDEX_KEYS[0]: {"S": "x"}, INDEX_KEYS[1]: {"S": sort}}
        bench.client.put_item(TableName=table, Item=item(str(place), **listed))
    bench.settle()
    return {
        "TableName": table,
        "IndexName": "sparse",
        "KeyConditionExpression": f"{INDEX_KEYS[0]} = :x",
        "ExpressionAttributeValues": {":x": {"S": "x"}},
    }


def _sorts(pages: Iterator[list[Item]]) -> list[str]:
    return [each[INDEX_KEYS[1]]["S"] for page in pages for each in page]


@check(aws="by code point", matters="what is listed is sorted by instants and names in ASCII")
def texts_are_ordered_by_their_bytes(bench: Bench) -> str:
    """The order of texts of several scripts as sort keys of an index."""
    sorts = ["B", "a", "Ü", "\uf900", "🏠", "a b", "a/b"]
    found = _sorts(_pages(bench, **_listed(bench, sorts)))
    return "by code point" if found == sorted(sorts) else "another"


@check(aws="each once, both ways", matters="lists of reviews and payments are read page by page")
def an_index_is_read_page_by_page(bench: Bench) -> str:
    """What pages of two have of an index of seven items, some with the same sort value."""
    sorts = ["1", "2", "2", "2", "3", "3", "4"]
    asked = _listed(bench, sorts)
    for forward in (True, False):
        pages = list(_pages(bench, **asked, ScanIndexForward=forward, Limit=2))
        keys = sorted(each[KEY]["S"] for page in pages for each in page)
        found = _sorts(iter(pages))
        ordered = sorted(sorts, reverse=not forward)
        if found != ordered or keys != [str(place) for place in range(len(sorts))]:
            return "not each once"
    return "each once, both ways"


@check(
    aws="the keys of index and table",
    matters="a cursor of the list of reviews is made of them",
)
def a_page_of_an_index_ends_with_both_keys(bench: Bench) -> str:
    """What the last key of a page of an index has."""
    answer = bench.client.query(**_listed(bench, ["1", "2"]), Limit=1)
    names = sorted(answer.get("LastEvaluatedKey", {}))
    right = names == sorted((KEY, *INDEX_KEYS))
    return "the keys of index and table" if right else ", ".join(names)


@check(aws="behind where it lay", matters="what a cursor names may have gone")
def a_page_begins_behind_what_is_gone(bench: Bench) -> str:
    """Where a query goes on from an item that was deleted meanwhile."""
    table = bench.new_table(sort_key="sk")
    for number in "1234":
        bench.client.put_item(TableName=table, Item={**item("a"), "sk": {"N": number}})
    asked: Any = {
        "TableName": table,
        "KeyConditionExpression": f"{KEY} = :key",
        "ExpressionAttributeValues": {":key": {"S": "a"}},
        "ConsistentRead": True,
    }
    last = bench.client.query(**asked, Limit=2)["LastEvaluatedKey"]
    bench.client.delete_item(TableName=table, Key=last)
    found = bench.client.query(**asked, ExclusiveStartKey=last)["Items"]
    return "behind where it lay" if [each["sk"]["N"] for each in found] == ["3", "4"] else "else"


@check(aws="ValidationException", matters="the adapters do not ask for an empty range")
def a_range_has_a_beginning_before_its_end(bench: Bench) -> str:
    """A query between 2 and 1."""
    table = bench.new_table(sort_key="sk")
    return outcome(
        lambda: bench.client.query(
            TableName=table,
            KeyConditionExpression=f"{KEY} = :key AND sk BETWEEN :low AND :high",
            ExpressionAttributeValues={
                ":key": {"S": "a"},
                ":low": {"N": "2"},
                ":high": {"N": "1"},
            },
        )
    )


@check(aws="ValidationException", matters="nothing of ours asks an index to be consistent")
def an_index_is_never_consistent(bench: Bench) -> str:
    """A consistent read of an index."""
    asked = _listed(bench, [])
    return outcome(lambda: bench.client.query(**asked, ConsistentRead=True))


@check(aws="refused", matters="index keys are never empty, by contract")
def an_index_has_no_empty_key(bench: Bench) -> str:
    """An item with an empty text where an index has a key."""
    table = indexed(bench)
    empty = item("a", **{INDEX_KEYS[0]: {"S": ""}, INDEX_KEYS[1]: {"S": "x"}})
    answer = outcome(lambda: bench.client.put_item(TableName=table, Item=empty))
    return "accepted" if answer == "accepted" else "refused"


@check(aws="each once", matters="a sweep deletes what it scans, page by page")
def a_scan_goes_on_though_items_go(bench: Bench) -> str:
    """What a scan finds of items of which each page is deleted before the next is read."""
    for number in range(9):
        bench.put(str(number))
    found: list[str] = []
    asked: Any = {"TableName": bench.table, "ConsistentRead": True, "Limit": 2}
    while True:
        answer = bench.client.scan(**asked)
        found += [each[KEY]["S"] for each in answer["Items"]]
        for each in answer["Items"]:
            bench.client.delete_item(TableName=bench.table, Key={KEY: each[KEY]})
        if "LastEvaluatedKey" not in answer:
            break
        asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    return "each once" if sorted(found) == [str(number) for number in range(9)] else "not each"
