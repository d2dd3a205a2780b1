"""Checks of streams and of what guards a table: policies, deletion protection, recovery."""

from __future__ import annotations

import json
import time
from typing import Any

from botocore.exceptions import ClientError

from tests.contract.dynamodb.bench import (
    KEY,
    Bench,
    check,
    code_of,
    item,
    outcome,
    refused_or_accepted,
)

STREAM_SECONDS_MAX = 30.0  # on a machine that is busy testing
STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


def _records(bench: Bench, table: str, last: str) -> list[dict[str, Any]]:
    """The records of a table's stream, once there is one of the item `last`."""
    stream = bench.client.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    shards = bench.streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]
    deadline = time.monotonic() + STREAM_SECONDS_MAX
    found: list[dict[str, Any]] = []
    while last not in map(_key, found) and time.monotonic() < deadline:
        found = []
        for shard in shards:
            iterator = bench.streams.get_shard_iterator(
                StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            found += bench.streams.get_records(ShardIterator=iterator)["Records"]
    return found


def _key(record: dict[str, Any]) -> str:
    return str(record["dynamodb"]["Keys"][KEY]["S"])


def _told(record: dict[str, Any]) -> str:
    images = [name[:3].lower() for name in ("OldImage", "NewImage") if name in record["dynamodb"]]
    return f"{record['eventName']} {'+'.join(images) or 'no image'}"


@check(
    aws="INSERT new, MODIFY old+new, REMOVE old",
    matters="the relay publishes an INSERT, and alarms at anything else: unit tests make them up",
)
def a_stream_tells_what_happened(bench: Bench) -> str:
    """The records and images of a put, an overwrite and a delete."""
    table = bench.new_table(StreamSpecification=STREAM)
    bench.client.put_item(TableName=table, Item=item("a", data={"S": "1"}))
    bench.client.put_item(TableName=table, Item=item("a", data={"S": "2"}))
    bench.client.delete_item(TableName=table, Key={KEY: {"S": "a"}})
    bench.client.put_item(TableName=table, Item=item("last"))
    found = _records(bench, table, "last")
    return ", ".join(_told(record) for record in found if _key(record) == "a")


@check(
    aws="one record each, with its image",
    matters="the relay is tested on the emulator, end to end",
)
def a_stream_tells_a_transaction(bench: Bench) -> str:
    """The records of a transaction of two puts, and of a cancelled one."""
    table = bench.new_table(StreamSpecification=STREAM)

    def put(key: str) -> Any:
        return {
            "Put": {
                "TableName": table,
                "Item": item(key),
                "ConditionExpression": f"attribute_not_exists({KEY})",
            }
        }

    bench.transact(put("a"), put("b"))
    outcome(lambda: bench.transact(put("c"), put("a")))
    bench.transact(put("last"))
    found = sorted(
        f"{_told(record)} {record['dynamodb']['NewImage'][KEY]['S']}"
        for record in _records(bench, table, "last")
    )
    told = found == ["INSERT new a", "INSERT new b", "INSERT new last"]
    return "one record each, with its image" if told else ", ".join(found)


@check(
    aws="none",
    matters="an overwrite by equal bytes changes nothing, and need not alarm",
)
def an_equal_overwrite_is_no_change(bench: Bench) -> str:
    """The records of a put that writes what is there already."""
    table = bench.new_table(StreamSpecification=STREAM)
    for key in ("a", "a", "last"):
        bench.client.put_item(TableName=table, Item=item(key))
    told = [_told(record) for record in _records(bench, table, "last") if _key(record) == "a"]
    return "none" if told == ["INSERT new"] else ", ".join(told[1:])


@check(
    aws="none",
    matters="the relay would alarm at it",
)
def a_delete_of_nothing_is_no_change(bench: Bench) -> str:
    """The records of a delete of what is not there."""
    table = bench.new_table(StreamSpecification=STREAM)
    bench.client.delete_item(TableName=table, Key={KEY: {"S": "a"}})
    bench.client.put_item(TableName=table, Item=item("last"))
    told = [_told(record) for record in _records(bench, table, "last") if _key(record) == "a"]
    return "none" if not told else ", ".join(told)


@check(
    aws="INSERT 1, MODIFY 2, MODIFY 3",
    matters="a stream brings an item's changes in their order",
)
def a_stream_is_in_the_order_of_an_item(bench: Bench) -> str:
    """The records of an item that is put, updated and written by a transaction."""
    table = bench.new_table(StreamSpecification=STREAM)
    bench.client.put_item(TableName=table, Item=item("a", n={"N": "1"}))
    bench.client.update_item(
        TableName=table,
        Key={KEY: {"S": "a"}},
        UpdateExpression="SET n = :n",
        ExpressionAttributeValues={":n": {"N": "2"}},
    )
    bench.transact({"Put": {"TableName": table, "Item": item("a", n={"N": "3"})}})
    bench.client.put_item(TableName=table, Item=item("last"))
    return ", ".join(
        f"{record['eventName']} {record['dynamodb']['NewImage']['n']['N']}"
        for record in _records(bench, table, "last")
        if _key(record) == "a"
    )


@check(
    aws="refused",
    matters="append-only is asserted on the template",
    unasked={"simulation": "a world without operators' rights"},
)
def a_table_policy_is_enforced(bench: Bench) -> str:
    """A delete that the table's own policy denies."""
    bench.put("a")
    arn = bench.client.describe_table(TableName=bench.table)["Table"]["TableArn"]
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "dynamodb:DeleteItem",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    try:
        bench.client.put_resource_policy(ResourceArn=arn, Policy=policy)
    except ClientError as error:
        return f"no policies: {code_of(error)}"
    return refused_or_accepted(
        lambda: bench.client.delete_item(TableName=bench.table, Key={KEY: {"S": "a"}})
    )


@check(
    aws="ValidationException",
    matters="deletion protection of `prod` is asserted on the template",
    unasked={"simulation": "a world without operators' rights"},
)
def a_protected_table_is_not_deleted(bench: Bench) -> str:
    """The deletion of a table that has deletion protection."""
    table = bench.new_table(DeletionProtectionEnabled=True)
    return outcome(lambda: bench.client.delete_table(TableName=table), done="deleted")


@check(
    aws="ENABLED, for 35 days",
    matters="recovery is asserted on the template",
    unasked={"simulation": "a world without operators' rights"},
)
def recovery_is_kept(bench: Bench) -> str:
    """Point-in-time recovery, once switched on."""
    try:
        bench.client.update_continuous_backups(
            TableName=bench.table,
            PointInTimeRecoverySpecification={
                "PointInTimeRecoveryEnabled": True,
                "RecoveryPeriodInDays": 35,
            },
        )
        described = bench.client.describe_continuous_backups(TableName=bench.table)
    except ClientError as error:
        return f"no recovery: {code_of(error)}"
    recovery: Any = described["ContinuousBackupsDescription"].get(
        "PointInTimeRecoveryDescription", {}
    )
    days = recovery.get("RecoveryPeriodInDays")
    period = f"for {days} days" if days else "no period"
    return f"{recovery.get('PointInTimeRecoveryStatus')}, {period}"
