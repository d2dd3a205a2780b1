"""What one would write with boto3 alone: an event and two balances with versions, in one
transaction; no hash chain, no repeats answered, no history, no refusals recorded."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import boto3

from bench.engines.contest import contest

_ABSENT = "attribute_not_exists(pk)"


class Bare:
    """A table of events, and one of balances."""

    def __init__(self, workload: dict[str, Any]) -> None:
        self._client: Any = boto3.client("dynamodb")
        self._least = -workload["overdraft_minor"]
        self._events, self._balances = (f"bare-{kind}-{uuid4()}" for kind in ("events", "balances"))
        for name in (self._events, self._balances):
            self._client.create_table(
                TableName=name,
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                BillingMode="PAY_PER_REQUEST",
            )
        for account in workload["accounts"]:
            self._client.put_item(
                TableName=self._balances,
                Item={"pk": {"S": account}, "version": {"N": "1"}, "balance": {"N": "0"}},
            )

    def post(self, group: list[dict[str, Any]]) -> None:
        """One read and one transaction."""
        accounts = [one[side] for one in group for side in ("source", "destination")]
        states = self._load(accounts)
        puts: list[dict[str, Any]] = []
        for one in group:
            source, destination = states[one["source"]], states[one["destination"]]
            source[1] -= one["amount_minor"]
            destination[1] += one["amount_minor"]
            assert source[1] >= self._least
            event = {"type": "payment.posted", **one}
            puts.append(
                {
                    "TableName": self._events,
                    "Item": {"pk": {"S": one["id"]}, "data": {"S": json.dumps(event)}},
                    "ConditionExpression": _ABSENT,
                }
            )
        puts += [
            {
                "TableName": self._balances,
                "Item": {
                    "pk": {"S": account},
                    "version": {"N": str(version + 1)},
                    "balance": {"N": str(balance)},
                },
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": {":version": {"N": str(version)}},
            }
            for account, (version, balance) in states.items()
        ]
        self._client.transact_write_items(TransactItems=[{"Put": put} for put in puts])

    def balances(self, accounts: list[str]) -> dict[str, int]:
        """What the accounts have now."""
        return {account: self._load([account])[account][1] for account in accounts}

    def _load(self, accounts: list[str]) -> dict[str, list[int]]:
        answer = self._client.batch_get_item(
            RequestItems={
                self._balances: {
                    "Keys": [{"pk": {"S": account}} for account in accounts],
                    "ConsistentRead": True,
                }
            }
        )
        return {
            item["pk"]["S"]: [int(item["version"]["N"]), int(item["balance"]["N"])]
            for item in answer["Responses"][self._balances]
        }


if __name__ == "__main__":
    contest(Bare)
