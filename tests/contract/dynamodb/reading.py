"""Checks of batches, queries and scans: limits, pages, order."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.contract.dynamodb.bench import KEY, Bench, check, item, outcome

KIB = 1024


def _keys(count: int) -> list[dict[str, dict[str, str]]]:
    return [{KEY: {"S": f"a{number}"}} for number in range(count)]


@check(aws="accepted", matters="a payment touches up to 90 accounts, loaded by one request")
def a_hundred_keys_are_read(bench: Bench) -> str:
    """A batch read of 100 keys."""
    return outcome(lambda: _read(bench, _keys(100)))


@check(aws="ValidationException", matters="the port refuses it before DynamoDB is asked")
def more_keys_are_refused(bench: Bench) -> str:
    """A batch read of 101 keys."""
    return outcome(lambda: _read(bench, _keys(101)))


@check(aws="ValidationException", matters="the port refuses it before DynamoDB is asked")
def a_key_is_read_once(bench: Bench) -> str:
    """A batch read that names one key twice."""
    return outcome(lambda: _read(bench, _keys(1) * 2))


@check(
    aws="a part, and unprocessed keys",
    matters="to us, unprocessed keys are a throttle: unit tests make them up",
)
def sixteen_megabytes_are_read_at_once(bench: Bench) -> str:
    """What comes of a batch read of more than 16 MB."""
    for key in _keys(45):
        bench.put(key[KEY]["S"], data={"S": "x" * (380 * KIB)})
    answer = _read(bench, _keys(45))
    found = len(answer["Responses"][bench.table])
    left = len(answer["UnprocessedKeys"].get(bench.table, {}).get("Keys", ()))
    if left and found + left == 45:
        return "a part, and unprocessed keys"
    return "all" if found == 45 else f"{found} items and {left} unprocessed keys"


@check(aws="2", matters="no figure of ours rests on reported units")
def units_of_a_batch_read_are_reported(bench: Bench) -> str:
    """Read units reported for two small items, read consistently."""
    for key in _keys(2):
        bench.put(key[KEY]["S"])
    consumed = _read(bench, _keys(2)).get("ConsumedCapacity")
    return f"{sum(each['CapacityUnits'] for each in consumed):g}" if consumed else "none"


@check(aws="accepted", matters="the history projection writes in batches of 25")
def a_batch_of_25_is_written(bench: Bench) -> str:
    """A batch write of 25 items."""
    return outcome(lambda: _write(bench, _keys(25)))


@check(aws="ValidationException", matters="no batch of ours is larger, held by a test")
def a_larger_batch_is_refused(bench: Bench) -> str:
    """A batch write of 26 items."""
    return outcome(lambda: _write(bench, _keys(26)))


@check(aws="ValidationException", matters="the history projection writes a row once a batch")
def an_item_is_written_once_a_batch(bench: Bench) -> str:
    """A batch write of one item twice."""
    return outcome(lambda: _write(bench, _keys(1) * 2))


@check(
    aws="several, with each item once",
    matters="scans follow the pages, and the suites scan more than one",
)
def scans_have_pages(bench: Bench) -> str:
    """The pages in which 1.5 MB are scanned."""
    for key in _keys(5):
        bench.put(key[KEY]["S"], data={"S": "x" * 300_000})
    pages = [
        [each[KEY]["S"] for each in page["Items"]]
        for page in bench.client.get_paginator("scan").paginate(TableName=bench.table)
    ]
    found = sorted(key for page in pages for key in page)
    if found != [f"a{number}" for number in range(5)]:
        return "not each item once"
    return f"{'several' if len(pages) > 1 else 'one'}, with each item once"


@check(aws="by number, both ways", matters="versions 9 and 10 would change places")
def sort_keys_are_ordered(bench: Bench) -> str:
    """The order of 9, 10 and 100 as sort keys."""
    upwards, downwards = (_numbers(_query(bench, forward=forward)) for forward in (True, False))
    ordered = (upwards, downwards) == (["9", "10", "100"], ["100", "10", "9"])
    return "by number, both ways" if ordered else "another"


@check(
    aws="that there may be more",
    matters="the history projection asks again before it says that this is all",
)
def a_full_page_does_not_say_that_it_is_the_last(bench: Bench) -> str:
    """What a query says after as many items as its limit, and no more."""
    more = "LastEvaluatedKey" in _query(bench, forward=True)
    return "that there may be more" if more else "that it is the last"


@check(
    aws="only the item that has both",
    matters="open reviews are listed by such an index, and holds that will expire",
)
def an_index_is_sparse(bench: Bench) -> str:
    """What an index has of items with both of its keys, with one, and with none."""
    table = indexed(bench)
    for place in range(len(INDEX_KEYS) + 1):
        written = item(str(place), **{key: {"S": "x"} for key in INDEX_KEYS[:place]})
        bench.client.put_item(TableName=table, Item=written)
    listed = [each[KEY]["S"] for each in _listed(bench, table)["Items"]]
    return "only the item that has both" if listed == ["2"] else f"{len(listed)} of three"


@check(
    aws="sooner or later",
    matters="what is due is a hint: whether to release it is decided on the payment's own state",
)
def an_index_follows_its_table(bench: Bench) -> str:
    """When an index has what was written."""
    table = indexed(bench)
    for count in range(1, 21):
        key = str(count)
        bench.client.put_item(TableName=table, Item=_member(key, key, ["a"]))
        if len(_listed_now(bench, table)["Items"]) < count:
            return "sooner or later"
    return "at once"


@check(aws="nothing", matters="a hold leaves the index with the write that ends it")
def what_loses_its_keys_leaves_the_index(bench: Bench) -> str:
    """What an index has of an item that a transaction put again without its keys."""
    table = indexed(bench)
    for keys in (INDEX_KEYS, ()):
        put = {"TableName": table, "Item": item("a", **{key: {"S": "x"} for key in keys})}
        bench.transact({"Put": put})
    return "nothing" if not _listed(bench, table)["Items"] else "the item still"


@check(
    aws="the item that has it, not one with a longer text",
    matters="the holds of an account are found by such a filter",
)
def a_filter_finds_a_member_of_a_set(bench: Bench) -> str:
    """What a filter of an index finds that asks for a text in a set of texts."""
    table = indexed(bench)
    for key, members in (("1", ["a", "b"]), ("2", ["ab", "c"]), ("3", ["b"])):
        bench.client.put_item(TableName=table, Item=_member(key, "x", members))
    found = _listed(bench, table, member="a")["Items"]
    right = [each[KEY]["S"] for each in found] == ["1"]
    return "the item that has it, not one with a longer text" if right else f"{len(found)} items"


@check(
    aws="what was read: nothing found, and more to come",
    matters="where holds are filtered by account, no limit is sent",
)
def a_limit_counts_before_the_filter(bench: Bench) -> str:
    """What a limit of one item finds of two, of which the filter leaves the second."""
    table = indexed(bench)
    for key, members in (("1", ["b"]), ("2", ["a"])):
        bench.client.put_item(TableName=table, Item=_member(key, key, members))
    answer = _listed(bench, table, member="a", Limit=1)
    if answer["Items"]:
        return "what it leaves: the second"
    more = "LastEvaluatedKey" in answer
    return f"what was read: nothing found, and {'more' if more else 'nothing more'} to come"


@check(
    aws="the key, what is projected, and nothing else",
    matters="the sweeper needs no more than the index has",
)
def an_index_has_what_is_projected(bench: Bench) -> str:
    """What is read of an item in an index."""
    table = indexed(bench)
    written = {**_member("1", "x", ["a"]), "data": {"S": "long"}}
    bench.client.put_item(TableName=table, Item=written)
    (found,) = _listed(bench, table)["Items"]
    right = found.keys() == {KEY, *INDEX_KEYS, "members"}
    return "the key, what is projected, and nothing else" if right else f"{len(found)} attributes"


INDEX_KEYS = ("listed", "recorded_at")


def indexed(bench: Bench) -> str:
    """A table with an index by INDEX_KEYS, which has the attribute `members` besides."""
    name = f"check-{uuid4()}"
    bench.client.create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": "S"} for key in (KEY, *INDEX_KEYS)
        ],
        KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "sparse",
                "KeySchema": [
                    {"AttributeName": INDEX_KEYS[0], "KeyType": "HASH"},
                    {"AttributeName": INDEX_KEYS[1], "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["members"]},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def _member(key: str, recorded_at: str, members: list[str]) -> dict[str, Any]:
    """An item of the index with a set."""
    listed = {"listed": {"S": "x"}, "recorded_at": {"S": recorded_at}}
    return item(key, **listed, members={"SS": members})


def _listed(bench: Bench, table: str, **options: Any) -> Any:
    """What the index has under `x`, once it has followed."""
    bench.settle()
    return _listed_now(bench, table, **options)


def _listed_now(bench: Bench, table: str, *, member: str | None = None, **options: Any) -> Any:
    """What the index has under `x` by now, with that member if one is given."""
    values: Any = {":listed": {"S": "x"}}
    if member is not None:
        values[":member"] = {"S": member}
        options["FilterExpression"] = "contains(members, :member)"
    return bench.client.query(
        TableName=table,
        IndexName="sparse",
        KeyConditionExpression="listed = :listed",
        ExpressionAttributeValues=values,
        **options,
    )


def _query(bench: Bench, *, forward: bool) -> Any:
    """A query for three versions, of which there are three."""
    table = bench.new_table(sort_key="sk")
    for number in ("10", "9", "100"):
        bench.client.put_item(TableName=table, Item={**item("a"), "sk": {"N": number}})
    return bench.client.query(
        TableName=table,
        KeyConditionExpression=f"{KEY} = :key AND sk BETWEEN :low AND :high",
        ExpressionAttributeValues={
            ":key": {"S": "a"},
            ":low": {"N": "1"},
            ":high": {"N": str(2**63 - 1)},
        },
        ScanIndexForward=forward,
        Limit=3,
    )


def _numbers(answer: Any) -> list[str]:
    return [each["sk"]["N"] for each in answer["Items"]]


def _read(bench: Bench, keys: list[dict[str, dict[str, str]]]) -> Any:
    """One consistent batch read."""
    asked: Any = {bench.table: {"Keys": keys, "ConsistentRead": True}}
    return bench.client.batch_get_item(RequestItems=asked, ReturnConsumedCapacity="TOTAL")


def _write(bench: Bench, keys: list[dict[str, dict[str, str]]]) -> Any:
    """One batch write."""
    asked: Any = {bench.table: [{"PutRequest": {"Item": key}} for key in keys]}
    return bench.client.batch_write_item(RequestItems=asked)
