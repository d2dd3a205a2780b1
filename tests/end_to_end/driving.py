"""What end-to-end tests do to a deployed stack, and how they wait for it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ledger.cli.app import app
from ledger.cli.watching.subscription import Subscription, subscribed
from ledger.client import aws
from ledger.client.answers import Accepted, Reply, UnreachableError
from ledger.client.config import Config, Credentials
from ledger.client.rest import LedgerApi
from projections.balances.store import generations as balances_generations
from projections.generations.keys import partition_of
from projections.history.store import generations as history_generations
from projections.payments.store import generations as payments_generations
from tests.support.command_line import CliRunner

WAIT_SECONDS_MAX = 90  # for workers to start on a busy machine
_CLIENTS: dict[tuple[str, Credentials | None, str], Any] = {}


def eventually(done: Callable[[], bool], seconds: float = WAIT_SECONDS_MAX) -> bool:
    """Whether `done` comes true in time."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def unique(name: str) -> str:
    """An id of a test's own: the stack is shared."""
    return f"{name}-{uuid4().hex[:12]}"


def opening(account: str, **fields: object) -> dict[str, Any]:
    """The command that opens `account`; EUR, a liability, no overdraft, unless `fields` say."""
    return {
        "type": "account.open",
        "v": 1,
        "id": f"open-{account}",
        "account": account,
        "currency": "EUR",
        "account_type": "liability",
        **fields,
    }


def paying(
    payment: str, source: str, destination: str, amount_minor: object, **fields: object
) -> dict[str, Any]:
    """The command that posts a payment of one posting in EUR."""
    posting = {
        "source": source,
        "destination": destination,
        "amount_minor": amount_minor,
        "currency": "EUR",
    }
    return {"type": "payment.post", "v": 1, "id": payment, "postings": [posting], **fields}


def posted(api: LedgerApi, command: dict[str, Any]) -> Reply:
    """The API's answer to a command."""
    return api.send(command["type"], json.dumps(command).encode())


def funded_pair(api: LedgerApi, amount_minor: int, **terms: object) -> tuple[str, str]:
    """Two new accounts, opened with `terms`; the first has `amount_minor`, out of a third that is
    unbounded."""
    payer, payee, bank = unique("payer"), unique("payee"), unique("bank")
    for command in (
        opening(bank, min_balance_minor=None, account_type="asset"),
        opening(payer, **terms),
        opening(payee, **terms),
        paying(unique("topup"), bank, payer, amount_minor),
    ):
        answer = posted(api, command)
        assert isinstance(answer, Accepted), answer
    return payer, payee


def projected(api: LedgerApi, account: str, version: int) -> dict[str, Any]:
    """The account's balances once both projections have reached `version`."""
    query = {"min_version": str(version)}
    found: dict[str, Any] = {}

    def both() -> bool:
        try:
            balances, history = api.account(account, query), api.history(account, query)
        except UnreachableError as error:
            # The client asks again for a while by itself, not for as long as a worker may start.
            if error.reason != "not_yet_projected":
                raise
            return False
        if isinstance(balances, Accepted) and isinstance(history, Accepted):
            found.update(balances.body, entries=history.body["entries"])
        return bool(found)

    assert eventually(both), f"{account} did not reach version {version}"
    return found


def client(config: Config, service: str) -> Any:
    """A boto3 client of the stack, made once, as each new session reads the description of its
    service anew; untyped, as the service is not known to the type checker."""
    whose = (config.api_url, config.credentials, service)
    if whose not in _CLIENTS:
        session = aws.session_of(config)
        _CLIENTS[whose] = session.client(service, **aws.client_arguments(config))  # type: ignore[call-overload]
    return _CLIENTS[whose]


@contextmanager
def listening(config: Config, policy: dict[str, list[str]]) -> Iterator[Subscription]:
    """A queue that is subscribed to the topic with a filter policy."""
    with subscribed(
        client(config, "sns"),
        client(config, "sqs"),
        topic_arn=config.outputs["NotificationsTopicArn"],
        queue_name=unique("listening"),
        policy=json.dumps(policy),
        note=pytest.fail,
    ) as subscription:
        yield subscription


def heard(subscription: Subscription, *ids: str) -> list[dict[str, Any]]:
    """Everything that came until all messages with these ids had, and what came with them."""
    found: list[dict[str, Any]] = []

    def complete() -> bool:
        found.extend(json.loads(message.body) for message in subscription.receive(1))
        return set(ids) <= {body["id"] for body in found}

    assert eventually(complete), found
    return found


def balance_at(config: Config, account: str) -> dict[str, Any]:
    """The table and the key of an account's item, in the generation of balances that is live."""
    table = config.outputs["BalancesTableName"]
    live = balances_generations(client(config, "dynamodb"), table).pointer().live
    return {"TableName": table, "Key": {"pk": {"S": partition_of(account, live)}}}


def row_at(config: Config, account: str, version: int) -> dict[str, Any]:
    """The table and the key of one of its rows, in the generation of the history that is live."""
    table = config.outputs["HistoryTableName"]
    live = history_generations(client(config, "dynamodb"), table).pointer().live
    key = {"pk": {"S": partition_of(account, live)}, "sk": {"N": str(version)}}
    return {"TableName": table, "Key": key}


def payment_at(config: Config, payment: str) -> dict[str, Any]:
    """The table and the key of a payment's item, in the generation of payments that is live."""
    table = config.outputs["PaymentsTableName"]
    live = payments_generations(client(config, "dynamodb"), table).pointer().live
    return {"TableName": table, "Key": {"pk": {"S": partition_of(payment, live)}}}


def ledger(config_file: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Runs the command; its exit code and its answer for programs."""
    result = CliRunner().invoke(app, [*arguments, "--json", "--config", str(config_file)])
    return result.exit_code, json.loads(result.stdout)
