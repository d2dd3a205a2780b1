"""Checks of updates, of what is kept of values, and of expressions that are refused."""

from __future__ import annotations

from typing import Any

from tests.contract.dynamodb.bench import KEY, Bench, check, item, outcome, refused_or_accepted


def _updated(bench: Bench, key: str, update: str, **options: Any) -> None:
    bench.client.update_item(
        TableName=bench.table, Key={KEY: {"S": key}}, UpdateExpression=update, **options
    )


@check(
    aws="what is set and removed, nothing else; of a missing item, key and what is set",
    matters="projections write parts of an item, each by itself",
)
def an_update_changes_what_it_names(bench: Bench) -> str:
    """What an update makes of an item that is there, and of one that is not."""
    bench.put("a", stays={"S": "x"}, goes={"S": "y"}, changes={"N": "1"})
    for key in ("a", "b"):
        _updated(
            bench,
            key,
            "SET #c = :c REMOVE goes, absent",
            ExpressionAttributeNames={"#c": "changes"},
            ExpressionAttributeValues={":c": {"N": "2"}},
        )
    right = bench.stored("a") == item("a", stays={"S": "x"}, changes={"N": "2"})
    made = bench.stored("b") == item("b", changes={"N": "2"})
    if right and made:
        return "what is set and removed, nothing else; of a missing item, key and what is set"
    return "something else"


@check(aws="7, 1.5, 0", matters="versions and amounts are written without leading zeros")
def numbers_have_one_form(bench: Bench) -> str:
    """What is read of the numbers 007, 1.50 and -0."""
    bench.put("a", x={"N": "007"}, y={"N": "1.50"}, z={"N": "-0"})
    found = bench.stored("a") or {}
    return ", ".join(found[name]["N"] for name in "xyz")


@check(aws="refused", matters="the accounts of a hold are named once each, by the adapter")
def a_set_has_no_member_twice(bench: Bench) -> str:
    """A set that names a member twice."""
    return refused_or_accepted(lambda: bench.put("a", members={"SS": ["x", "x"]}))


@check(aws="ValidationException", matters="wrong expressions pass there; the oracle refuses them")
def unused_names_are_refused(bench: Bench) -> str:
    """A placeholder of a name that the expression does not use."""
    return outcome(
        lambda: bench.client.put_item(
            TableName=bench.table,
            Item=item("a"),
            ConditionExpression=f"attribute_not_exists({KEY})",
            ExpressionAttributeNames={"#unused": "unused"},
        )
    )


@check(aws="ValidationException", matters="wrong expressions pass there; the oracle refuses them")
def undefined_names_are_refused(bench: Bench) -> str:
    """An expression with the placeholder of a name that is not given."""
    return outcome(
        lambda: bench.client.put_item(
            TableName=bench.table,
            Item=item("a"),
            ConditionExpression="attribute_not_exists(#absent)",
        )
    )


@check(aws="not met", matters="a version is a number in every item, held by tests")
def values_of_two_types_are_never_equal(bench: Bench) -> str:
    """Whether the text 5 is the number 5, or less than 6, to a condition."""
    bench.put("a", version={"S": "5"})
    for condition in ("version = :five", "version < :six"):
        value = {":five": {"N": "5"}} if "five" in condition else {":six": {"N": "6"}}
        met = outcome(
            lambda condition=condition, value=value: bench.client.put_item(  # type: ignore[misc]
                TableName=bench.table,
                Item=item("a", version={"S": "5"}),
                ConditionExpression=condition,
                ExpressionAttributeValues=value,
            )
        )
        if met != "ConditionalCheckFailedException":
            return f"met: {condition}"
    return "not met"


@check(aws="the key alone", matters="what was delivered is looked up by its key")
def a_projection_brings_what_it_names(bench: Bench) -> str:
    """What is read of an item of which only the key is asked for."""
    bench.put("a", data={"S": "x"})
    found = bench.client.get_item(
        TableName=bench.table,
        Key={KEY: {"S": "a"}},
        ConsistentRead=True,
        ProjectionExpression=KEY,
    )
    return "the key alone" if found.get("Item") == item("a") else "something else"


@check(aws="accepted", matters="a sweep deletes again what it may have deleted already")
def what_is_gone_is_deleted_again(bench: Bench) -> str:
    """A batch that deletes what is not there."""
    deletion: Any = {"DeleteRequest": {"Key": {KEY: {"S": "missing"}}}}
    return outcome(lambda: bench.client.batch_write_item(RequestItems={bench.table: [deletion]}))
