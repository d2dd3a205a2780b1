"""Checks of what happens side by side: who is told of whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tests.contract.dynamodb.bench import KEY, Bench, check, code_of, item, outcome

WORKERS = 4
ROUNDS = 10
_NO_THREADS = {"moto": "not made for threads"}


def _told(bench: Bench, do: Callable[[int], object]) -> set[str]:
    """All the codes that workers are told who do something at once, again and again."""

    def work(worker: int) -> set[str]:
        return {outcome(lambda: do(worker)) for _ in range(ROUNDS)}

    return set().union(*bench.at_once(work, range(WORKERS)))


@check(
    aws="TransactionConflict at its place, or done",
    matters="the commit tries again at a conflict: unit tests and the simulation make them up",
    unasked=_NO_THREADS,
)
def a_transaction_in_hand_is_a_conflict(bench: Bench) -> str:
    """What transactions of two items are told of which all write the first, at the same time."""
    told = _told(
        bench,
        lambda worker: bench.transact(bench.put_action("a"), bench.put_action(f"b{worker}")),
    )
    if told == {"accepted"}:
        return "done, one after the other"
    conflict = "TransactionCanceledException [TransactionConflict, None]"
    return "TransactionConflict at its place, or done" if told == {"accepted", conflict} else "more"


@check(
    aws="TransactionConflictException, or done",
    matters="the same: unit tests and the simulation make them up",
    unasked=_NO_THREADS,
)
def a_single_write_meets_a_transaction(bench: Bench) -> str:
    """What a put is told while transactions write the same item."""

    def write(worker: int) -> None:
        if worker:
            outcome(lambda: bench.transact(bench.put_action("a")))
        else:
            bench.put("a")

    told = _told(bench, write)
    if told == {"accepted"}:
        return "done, one after the other"
    expected = {"accepted", "TransactionConflictException"}
    return "TransactionConflictException, or done" if told == expected else "more"


@check(
    aws="before or after, never between",
    matters="the states that a payment reads would not fit each other",
    unasked=_NO_THREADS,
)
def a_read_is_never_held_up(bench: Bench) -> str:
    """What single reads see of an item while transactions write it."""
    versions = [str(number) for number in range(ROUNDS)]
    bench.put("a", first={"N": "0"}, second={"N": "0"})

    def work(worker: int) -> list[Any]:
        if worker:
            return [bench.stored("a") for _ in versions]
        for version in versions:
            numbers = {"first": {"N": version}, "second": {"N": version}}
            bench.transact(bench.put_action("a", **numbers))
        return []

    seen = [found for each in bench.at_once(work, range(2)) for found in each]
    whole = all(found is not None and found["first"] == found["second"] for found in seen)
    return "before or after, never between" if whole else "something between"


@check(
    aws="once at most",
    matters="one id would name two events",
    unasked=_NO_THREADS,
)
def only_one_may_be_first(bench: Bench) -> str:
    """How often puts succeed that all expect that there is no such item."""

    def work(worker: int) -> list[str]:
        return [
            outcome(lambda key=key: bench.transact(bench.put_if_absent(key, by={"N": str(worker)})))  # type: ignore[misc]
            for key in "abcde"
        ]

    answers = bench.at_once(work, range(WORKERS))
    firsts = [answer.count("accepted") for answer in zip(*answers, strict=True)]
    # One that met a conflict did not write; then nobody may have been first, until asked again.
    return "once at most" if max(firsts) <= 1 else f"up to {max(firsts)} times"


@check(
    aws="ConditionalCheckFailedException, no item",
    matters="projections take it for news that is older than what is there",
)
def a_failed_update_tells_no_more_than_it_is_asked(bench: Bench) -> str:
    """What a failed conditional update answers that is not asked for the item."""
    bench.put("a", version={"N": "5"})
    try:
        bench.client.update_item(
            TableName=bench.table,
            Key={KEY: {"S": "a"}},
            UpdateExpression="SET version = :v",
            ConditionExpression="(attribute_not_exists(version) OR version < :v)",
            ExpressionAttributeValues={":v": {"N": "5"}},
        )
    except ClientError as error:
        response: Any = error.response
        return f"{code_of(error)}, {'an item' if response.get('Item') else 'no item'}"
    return "accepted"


@check(
    aws="the failed condition, with the item as it is",
    matters="a stale worker would write over what it never saw",
)
def a_check_counts_as_a_write_does(bench: Bench) -> str:
    """What a transaction is told that only checks an item, at a version that has passed."""
    bench.put("a", version={"N": "2"})
    checked = {
        "ConditionCheck": {
            "TableName": bench.table,
            "Key": {KEY: {"S": "a"}},
            "ConditionExpression": "version = :v",
            "ExpressionAttributeValues": {":v": {"N": "1"}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }
    try:
        bench.transact(bench.put_if_absent("b"), checked)
    except ClientError as error:
        response: Any = error.response
        _, last = response["CancellationReasons"]
        found = last.get("Item") == item("a", version={"N": "2"})
        told = last.get("Code") == "ConditionalCheckFailed" and found
        return "the failed condition, with the item as it is" if told else "something else"
    return "accepted"
