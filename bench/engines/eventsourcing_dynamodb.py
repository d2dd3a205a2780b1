"""`eventsourcing` with its DynamoDB extension (PyPI): an aggregate for each account and payment,
saved together.

It writes with BatchWriteItem, which knows no conditions: two writers of one account both succeed,
and what one of them wrote is gone. `races` counts that.
"""
# ruff: noqa: ARG002 - the library stores the arguments of an event's method

from __future__ import annotations

import json
import os
import sys
from typing import Any
from uuid import UUID, uuid4

import boto3
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from bench.engines.contest import contest

#: Of deposits that meet in pairs, each of which reads before the other has written.
_RACES = 20


class Account(Aggregate):
    """An account: its balance is folded from all its events."""

    @event("Opened")
    def __init__(self, account: str) -> None:
        self.account = account
        self.balance_minor = 0

    @staticmethod
    def create_id(account: str) -> UUID:
        """Accounts are named by their clients."""
        return UUID(account)

    @event("Debited")
    def debit(self, amount_minor: int, payment: str) -> None:
        """Money goes."""
        self.balance_minor -= amount_minor

    @event("Credited")
    def credit(self, amount_minor: int, payment: str) -> None:
        """Money comes."""
        self.balance_minor += amount_minor


class Payment(Aggregate):
    """What was asked for."""

    @event("Posted")
    def __init__(self, payment: str, source: str, destination: str, amount_minor: int) -> None:
        self.source, self.destination = source, destination
        self.amount_minor = amount_minor

    @staticmethod
    def create_id(payment: str) -> UUID:
        """Payments are named by their clients."""
        return UUID(payment)


def application() -> Application:
    """The application on a new table."""
    table = f"eventsourcing-{uuid4()}"
    boto3.client("dynamodb").create_table(
        TableName=table,
        AttributeDefinitions=[
            {"AttributeName": "originator_id", "AttributeType": "S"},
            {"AttributeName": "originator_version", "AttributeType": "N"},
        ],
        KeySchema=[
            {"AttributeName": "originator_id", "KeyType": "HASH"},
            {"AttributeName": "originator_version", "KeyType": "RANGE"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return Application(
        {
            "PERSISTENCE_MODULE": "eventsourcing_dynamodb",
            "DYNAMO_TABLE": table,
            "DYNAMO_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"],
        }
    )


class EventSourcing:
    """The library as its documentation shows it."""

    def __init__(self, workload: dict[str, Any]) -> None:
        self._application = application()
        self._least = -workload["overdraft_minor"]
        for account in workload["accounts"]:
            self._application.save(Account(account))

    def post(self, group: list[dict[str, Any]]) -> None:
        """Every account of the group read, and all that changed saved at once."""
        changed: list[Aggregate] = []
        for one in group:
            source = self._account(one["source"])
            destination = self._account(one["destination"])
            amount_minor = one["amount_minor"]
            source.debit(amount_minor, one["id"])
            destination.credit(amount_minor, one["id"])
            assert source.balance_minor >= self._least
            made = Payment(one["id"], one["source"], one["destination"], amount_minor)
            changed += [made, source, destination]
        self._application.save(*changed)

    def balances(self, accounts: list[str]) -> dict[str, int]:
        """What the accounts have now."""
        return {account: self._account(account).balance_minor for account in accounts}

    def _account(self, account: str) -> Account:
        found: Account = self._application.repository.get(UUID(account))
        return found


def lost_updates() -> dict[str, int]:
    """Two writers of an account, again and again: both read, then both save a deposit of 1.

    Both are told that it was saved; what is missing from the balance was lost.
    """
    app = application()
    account = str(uuid4())
    app.save(Account(account))
    refused = 0
    for number in range(_RACES):
        first, second = (app.repository.get(UUID(account)) for _ in range(2))
        for writer, one in (("first", first), ("second", second)):
            one.credit(1, f"{writer}-{number}")
            try:
                app.save(one)
            except Exception:  # noqa: BLE001 - whatever it would say, it would have said no
                refused += 1
    kept: Account = app.repository.get(UUID(account))
    told = 2 * _RACES - refused
    return {"deposits_confirmed": told, "balance": kept.balance_minor, "refused": refused}


if __name__ == "__main__":
    if sys.argv[1] == "races":
        sys.stdout.write(json.dumps(lost_updates()) + "\n")
    else:
        contest(EventSourcing)
