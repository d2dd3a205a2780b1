"""Checks of single items: what is kept exactly, and what an expression means."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from tests.contract.dynamodb.bench import KEY, Bench, check, item, outcome, refused_or_accepted

FULL = 2**63 - 1


@check(aws="every digit", matters="totals and versions go up to 2^63-1")
def numbers_are_exact(bench: Bench) -> str:
    """What is read of a number of 38 digits."""
    number = "9" * 38
    bench.put("a", version={"N": number})
    found = (bench.stored("a") or {})["version"]["N"]
    return "every digit" if found == number else "another number"


@check(aws="by every digit", matters="a version would be taken for the one before it")
def numbers_are_compared_exactly(bench: Bench) -> str:
    """How a condition compares 2^63-2 with 2^63-1."""
    bench.put("a", version={"N": str(FULL - 1)})

    def met(condition: str) -> bool:
        return (
            outcome(
                lambda: bench.client.put_item(
                    TableName=bench.table,
                    Item=item("a", version={"N": str(FULL - 1)}),
                    ConditionExpression=condition,
                    ExpressionAttributeValues={":v": {"N": str(FULL)}},
                )
            )
            == "accepted"
        )

    exact = met("version < :v") and not met("version = :v") and not met("version >= :v")
    return "by every digit" if exact else "as a float"


@check(aws="byte for byte", matters="the hashes of the chain are binary")
def binaries_and_text_are_kept(bench: Bench) -> str:
    """What is read of all 256 bytes, and of text in any script."""
    written = item("a", hash={"B": bytes(range(256))}, data={"S": "Ü 部屋 🏠 \u0000 \\u0041"})
    bench.client.put_item(TableName=bench.table, Item=written)
    return "byte for byte" if bench.stored("a") == written else "something else"


@check(
    aws="each member once; an empty one refused",
    matters="a hold names its accounts in a set, two at least",
)
def sets_have_members(bench: Bench) -> str:
    """What is read of a set of texts, and of an empty one."""
    bench.put("a", members={"SS": ["b", "c", "a"]})
    found = (bench.stored("a") or {})["members"]["SS"]
    kept = "each member once" if sorted(found) == ["a", "b", "c"] else "something else"
    return f"{kept}; an empty one {refused_or_accepted(lambda: bench.put('b', members={'SS': []}))}"


@check(
    aws="an attribute accepted, a key refused",
    matters="ids and account names have a character at least, by contract",
)
def empty_texts_are_no_keys(bench: Bench) -> str:
    """An empty text as an attribute, and as a key."""
    attribute = refused_or_accepted(lambda: bench.put("a", data={"S": ""}))
    key = refused_or_accepted(lambda: bench.put("", data={"S": "x"}))
    return f"an attribute {attribute}, a key {key}"


@check(
    aws="AND binds closer than OR, NOT closer than AND",
    matters="`restore` guards the states table with such a condition",
)
def conditions_mean_what_they_say(bench: Bench) -> str:
    """Which operator of a condition binds closest."""
    bench.put("a", v={"N": "1"}, version={"N": "5"})

    def met(condition: str) -> bool:
        return (
            outcome(
                lambda: bench.client.put_item(
                    TableName=bench.table,
                    Item=item("a", v={"N": "1"}, version={"N": "5"}),
                    ConditionExpression=condition,
                    ExpressionAttributeValues={":one": {"N": "1"}, ":six": {"N": "6"}},
                )
            )
            == "accepted"
        )

    and_first = met("v = :one OR v = :one AND version = :six")
    grouped = not met("(v = :one OR v = :one) AND version = :six")
    not_first = not met("NOT v = :one AND version < :six")
    right = and_first and grouped and not_first
    return "AND binds closer than OR, NOT closer than AND" if right else "another"


@check(
    aws="the item that stood in the way",
    matters="`restore` tells by it a state that is newer from one it does not know",
)
def a_failed_put_brings_the_item(bench: Bench) -> str:
    """What a failed conditional put answers when asked for ALL_OLD."""
    bench.put("a", data={"S": "old"})
    try:
        bench.client.put_item(
            TableName=bench.table,
            Item=item("a"),
            ConditionExpression=f"attribute_not_exists({KEY})",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        response: Any = error.response
        found = response.get("Item") == item("a", data={"S": "old"})
        return "the item that stood in the way" if found else "no item"
    return "accepted"


@check(
    aws="ValidationException",
    matters="wrong expressions pass there; the oracle refuses them",
)
def reserved_words_are_refused(bench: Bench) -> str:
    """A condition that names an attribute by a reserved word (`hash`) without a placeholder."""
    return outcome(
        lambda: bench.client.put_item(
            TableName=bench.table,
            Item=item("a"),
            ConditionExpression="attribute_not_exists(hash)",
        )
    )


@check(aws="ValidationException", matters="wrong expressions pass there; the oracle refuses them")
def unused_values_are_refused(bench: Bench) -> str:
    """A value that the expression does not use."""
    return outcome(
        lambda: bench.client.put_item(
            TableName=bench.table,
            Item=item("a"),
            ConditionExpression=f"attribute_not_exists({KEY})",
            ExpressionAttributeValues={":unused": {"N": "1"}},
        )
    )


@check(aws="ValidationException", matters="wrong expressions pass there; the oracle refuses them")
def undefined_values_are_refused(bench: Bench) -> str:
    """An expression whose value is not given."""
    return outcome(
        lambda: bench.client.put_item(
            TableName=bench.table,
            Item=item("a"),
            ConditionExpression=f"attribute_not_exists({KEY}) OR version < :version",
        )
    )


@check(aws="refused", matters="no update of ours names a field twice")
def a_path_is_set_once(bench: Bench) -> str:
    """An update that sets one attribute twice."""
    return refused_or_accepted(
        lambda: bench.client.update_item(
            TableName=bench.table,
            Key={KEY: {"S": "a"}},
            UpdateExpression="SET version = :one, version = :two",
            ExpressionAttributeValues={":one": {"N": "1"}, ":two": {"N": "2"}},
        )
    )
