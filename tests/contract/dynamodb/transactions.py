"""Checks of transactions, on which everything rests: all or nothing, and told why not."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

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

KIB = 1024
ITEM_BYTES_MAX = 400 * KIB
WORKERS = 4
ROUNDS = 10


@check(
    aws="ConditionalCheckFailed with its item, None, ConditionalCheckFailed without one",
    matters="the commit reads from them which state was stale, and takes the fresh one from there",
)
def reasons_are_positional_and_bring_the_item(bench: Bench) -> str:
    """Reasons of a cancelled transaction: a put that meets an item, one that may pass, a check of
    what is missing.
    """
    bench.put("taken", data={"S": "old"})
    missing = {
        "ConditionCheck": {
            "TableName": bench.table,
            "Key": {KEY: {"S": "missing"}},
            "ConditionExpression": f"attribute_exists({KEY})",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }
    try:
        bench.transact(bench.put_if_absent("taken"), bench.put_if_absent("free"), missing)
    except ClientError as error:
        if code_of(error) != "TransactionCanceledException":
            return code_of(error)
        response: Any = error.response
        first, second, third = response["CancellationReasons"]
        of_first = "its item" if first.get("Item", {}).get("data") == {"S": "old"} else "no item"
        of_third = "with one" if third.get("Item") else "without one"
        return (
            f"{first.get('Code')} with {of_first}, {second.get('Code')}, "
            f"{third.get('Code')} {of_third}"
        )
    return "accepted"


@check(
    aws="the item that stood in the way",
    matters="a command that needs an id to be free learns of the event that took it",
)
def a_failed_check_of_absence_brings_the_item(bench: Bench) -> str:
    """What a failed check that there is no such item brings."""
    bench.put("taken", data={"S": "old"})
    try:
        bench.transact(bench.put_if_absent("free"), bench.check_absent("taken"))
    except ClientError as error:
        response: Any = error.response
        *_, last = response["CancellationReasons"]
        found = last.get("Item") == item("taken", data={"S": "old"})
        return "the item that stood in the way" if found else "no item"
    return "accepted"


@check(aws="nothing", matters="half a payment would be recorded")
def a_cancelled_transaction_leaves_nothing(bench: Bench) -> str:
    """What a transaction writes of which the last condition fails."""
    bench.put("taken")
    outcome(lambda: bench.transact(bench.put_if_absent("free"), bench.check_absent("taken")))
    return "nothing" if bench.stored("free") is None else "its first item"


@check(
    aws="accepted, not written again",
    matters="no answer of ours rests on the token: ids do this, for ever",
)
def a_repeated_token_is_answered_again(bench: Bench) -> str:
    """The same transaction with the same client token, later."""
    action, token = bench.put_if_absent("a", data={"S": "first"}), str(uuid4())
    bench.transact(action, ClientRequestToken=token)
    bench.put("a", data={"S": "second"})
    answer = outcome(lambda: bench.transact(action, ClientRequestToken=token))
    kept = (bench.stored("a") or {}).get("data") == {"S": "second"}
    return f"{answer}, {'not written again' if kept else 'written again'}"


@check(
    aws="IdempotentParameterMismatchException",
    matters="no answer of ours rests on the token",
)
def a_token_belongs_to_its_request(bench: Bench) -> str:
    """Another transaction with a client token that was used."""
    token = str(uuid4())
    bench.transact(bench.put_action("a"), ClientRequestToken=token)
    return outcome(lambda: bench.transact(bench.put_action("b"), ClientRequestToken=token))


@check(aws="accepted", matters="a payment of 45 postings takes 91 actions")
def a_hundred_actions_are_taken(bench: Bench) -> str:
    """A transaction of 100 actions."""
    actions = [bench.put_if_absent(f"a{number}") for number in range(100)]
    return outcome(lambda: bench.transact(*actions))


@check(aws="ValidationException", matters="the port refuses it before DynamoDB is asked")
def more_actions_are_refused(bench: Bench) -> str:
    """A transaction of 101 actions."""
    actions = [bench.put_if_absent(f"a{number}") for number in range(101)]
    return outcome(lambda: bench.transact(*actions))


@check(
    aws="refused",
    matters="a group has 2 MB of events at most, held by a test; what is refused is halved",
)
def four_megabytes_are_the_limit(bench: Bench) -> str:
    """A transaction of more than 4 MB."""
    body = {"S": "x" * (380 * KIB)}
    actions = [bench.put_if_absent(f"a{number}", data=body) for number in range(12)]
    return refused_or_accepted(lambda: bench.transact(*actions))


@check(aws="ValidationException", matters="the port refuses it before DynamoDB is asked")
def an_item_is_named_once(bench: Bench) -> str:
    """A transaction of a put and a condition on one item."""
    return outcome(lambda: bench.transact(bench.put_action("a"), bench.check_absent("a")))


@check(aws="accepted", matters="the largest event is under 40 KiB, held by a test")
def an_item_may_have_400_kib(bench: Bench) -> str:
    """An item of 400 KiB, names included."""
    return outcome(lambda: bench.transact(_sized(bench, ITEM_BYTES_MAX)))


@check(aws="refused", matters="the largest event is under 40 KiB, held by a test")
def a_larger_item_is_refused(bench: Bench) -> str:
    """An item of 400 KiB and a byte."""
    return refused_or_accepted(lambda: bench.transact(_sized(bench, ITEM_BYTES_MAX + 1)))


def _sized(bench: Bench, size: int) -> Any:
    names_and_key = len(KEY) + len("a") + len("data")
    return bench.put_action("a", data={"S": "x" * (size - names_and_key)})


@check(
    aws="6",
    matters="sizes are tested by DynamoDB's documented rules instead",
)
def units_of_a_transaction_are_reported(bench: Bench) -> str:
    """Write units reported for a transaction of three small puts."""
    answer = bench.transact(
        *(bench.put_if_absent(key) for key in "abc"), ReturnConsumedCapacity="TOTAL"
    )
    consumed = answer.get("ConsumedCapacity")
    if not consumed:
        return "none"
    return f"{sum(each.get('CapacityUnits', 0) for each in consumed):g}"


@check(
    aws="none is lost",
    matters="races are run on the others",
    unasked={"moto": "not made for threads"},
)
def racing_transactions_are_serialised(bench: Bench) -> str:
    """Updates of racing workers, each expecting the version it read."""
    bench.put("a", version={"N": "0"})

    def raise_once() -> bool:
        version = int((bench.stored("a") or {})["version"]["N"])
        action = bench.put_action("a", version={"N": str(version + 1)})
        action["Put"] |= {
            "ConditionExpression": "version = :version",
            "ExpressionAttributeValues": {":version": {"N": str(version)}},
        }
        try:
            bench.transact(action)
        except ClientError as error:
            if code_of(error) != "TransactionCanceledException":
                raise
            return False
        return True

    def work(_: int) -> int:
        return sum(raise_once() for _ in range(ROUNDS))

    raised = sum(bench.at_once(work, range(WORKERS)))
    final = int((bench.stored("a") or {})["version"]["N"])
    return "none is lost" if raised == final else "some are lost"


@check(
    aws="refused",
    matters="no expression of ours sets a key",
)
def a_key_is_never_updated(bench: Bench) -> str:
    """A transaction that sets the key attribute of an item."""
    bench.put("a", data={"S": "x"})
    action = {
        "Update": {
            "TableName": bench.table,
            "Key": {KEY: {"S": "a"}},
            "UpdateExpression": f"SET {KEY} = :other",
            "ExpressionAttributeValues": {":other": {"S": "b"}},
        }
    }
    answer = refused_or_accepted(lambda: bench.transact(action))
    if answer == "accepted" and bench.stored("a") != item("a", data={"S": "x"}):
        return "accepted, and the item is lost"
    return answer
