"""Projections are rebuilt and swapped on the deployed stack, while payments flow and people ask."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from ledger.client import config as configuration
from ledger.client.answers import Accepted, UnreachableError
from ledger.client.config import Config
from ledger.client.rest import LedgerApi
from projections.history.store import generations as history_generations
from tests.end_to_end.driving import (
    balance_at,
    client,
    eventually,
    funded_pair,
    paying,
    payment_at,
    posted,
    projected,
    row_at,
    unique,
)

_MAIN = "from ledger.cli.app import main; main()"
# Without it whoever pays and asks would take the cores that the replays need.
PAUSE_SECONDS = 0.25


def started(config_file: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command in a process of its own, as an engineer runs it."""
    return subprocess.Popen(
        [sys.executable, "-c", _MAIN, *arguments, "--json", "--config", str(config_file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any]]:
    """Its exit code, and its answer for programs."""
    out, err = process.communicate(timeout=240)
    assert out, err
    return process.returncode, json.loads(out)


@contextmanager
def repeatedly(*works: Callable[[], None]) -> Iterator[None]:
    """Each done again and again, in a thread of its own; an error in one is raised at the end."""
    stop = Event()

    def work(once: Callable[[], None]) -> None:
        while not stop.wait(PAUSE_SECONDS):
            once()

    with ThreadPoolExecutor(len(works)) as threads:
        running = [threads.submit(work, once) for once in works]
        try:
            yield
        finally:
            stop.set()
        for each in running:
            each.result()


class Payments:
    """One payment after the other between two accounts, and how many there were."""

    def __init__(self, config: Config, payer: str, payee: str) -> None:
        self.api = LedgerApi(config)
        self.payer, self.payee = payer, payee
        self.count = 0

    def __call__(self) -> None:
        command = paying(unique("payment"), self.payer, self.payee, 1)
        assert isinstance(posted(self.api, command), Accepted)
        self.count += 1


class Reader:
    """Asks for accounts, and remembers how far each answer reached, and what went backwards; and
    for a list of payments, which is always to be the same."""

    def __init__(self, config: Config, accounts: list[str], query: dict[str, str]) -> None:
        self.api = LedgerApi(config)
        self.accounts = accounts
        self.query = query
        self.lists: set[tuple[str, ...]] = set()
        self.reached: dict[tuple[str, str], int] = {}
        self.backwards: list[tuple[str, str, int, int]] = []
        self.answers = self.not_now = 0

    def __call__(self) -> None:
        try:
            self.lists.add(listed(self.api, self.query))
        except UnreachableError:
            self.not_now += 1
        for account in self.accounts:
            try:
                balances, history = self.api.account(account), self.api.history(account)
            except UnreachableError:
                self.not_now += 1
                continue
            assert isinstance(balances, Accepted)
            assert isinstance(history, Accepted)
            self.answers += 1
            self._saw(account, "balances", balances.body["version"])
            self._saw(account, "history", history.body["version"])
            self._saw(account, "complete_to", history.body["complete_to"])

    def _saw(self, account: str, what: str, reach: int) -> None:
        known = self.reached.get((account, what), 0)
        if reach < known:
            self.backwards.append((account, what, known, reach))
        self.reached[account, what] = max(known, reach)


def listed(api: LedgerApi, query: dict[str, str]) -> tuple[str, ...]:
    """The payments that a query finds."""
    found = api.payments(query)
    assert isinstance(found, Accepted), found
    return tuple(payment["id"] for payment in found.body["payments"])


def movements(api: LedgerApi, account: str, version: int) -> tuple[Any, Any]:
    """The balance and the whole history of an account, once it has that version."""
    found = projected(api, account, version)
    return found["balance_minor"], found["entries"]


def corrupted(config: Config, payer: str, payee: str, payments: list[str]) -> None:
    """A wrong balance, two lost rows and a wrong one, a wrong and a lost payment, by hand."""
    dynamodb = client(config, "dynamodb")
    dynamodb.update_item(
        **payment_at(config, payments[0]),
        UpdateExpression="SET #field = :wrong",
        ExpressionAttributeNames={"#field": "reference"},
        ExpressionAttributeValues={":wrong": {"S": "made up"}},
    )
    dynamodb.delete_item(**payment_at(config, payments[1]))
    for place, field in (
        (balance_at(config, payee), "credits_posted_minor"),
        (row_at(config, payer, 2), "debited_minor"),
    ):
        dynamodb.update_item(
            **place,
            UpdateExpression="SET #field = :wrong",
            ExpressionAttributeNames={"#field": field},
            ExpressionAttributeValues={":wrong": {"N": "999"}},
        )
    for version in (2, 3):
        dynamodb.delete_item(**row_at(config, payee, version))


def generations_in(config: Config) -> set[tuple[str, str]]:
    """The generations that items of the projections are of, `1` for the bare keys."""
    dynamodb = client(config, "dynamodb")
    found = set()
    for name in ("Balances", "History", "Payments"):
        pages = dynamodb.get_paginator("scan").paginate(
            TableName=config.outputs[f"{name}TableName"]
        )
        for item in (item for page in pages for item in page["Items"]):
            front, separator, _ = item["pk"]["S"].rpartition("/")
            if not item["pk"]["S"].startswith("#"):
                found.add((name, front if separator else "1"))
    return found


def test_what_was_wrong_is_named_and_mended_while_payments_flow(
    config: Config, api: LedgerApi, tmp_path: Path
) -> None:
    """All projections are tampered with and replayed at once, one of them killed on its way and
    resumed. The reports name what was tampered with and nothing else, the ledger then verifies, the
    old generations are gone, and no answer went backwards meanwhile."""
    config_file = tmp_path / "config.json"
    configuration.save(config, config_file)
    payer, payee = funded_pair(api, 1_000)
    payments = [unique("payment") for _ in range(3)]
    times: list[str] = []
    for amount, payment in enumerate(payments, start=1):
        answer = posted(api, paying(payment, payer, payee, amount))
        assert isinstance(answer, Accepted), answer
        times.append(answer.body["recorded_at"])
    kept = {"status": "posted", "from": times[0], "to": times[1]}
    of_these = {"status": "posted", "from": times[0]}
    assert eventually(lambda: set(payments) <= set(listed(api, of_these)))
    right = movements(api, payer, 5), movements(api, payee, 4)
    pay = Payments(config, *funded_pair(api, 1_000_000))
    projected(api, pay.payer, 2)
    projected(api, pay.payee, 1)
    before = generations_in(config)
    corrupted(config, payer, payee, payments)
    read = Reader(config, [payer, payee, pay.payer, pay.payee], kept)

    with repeatedly(pay, read):
        began = time.monotonic()
        balances = started(config_file, "replay", "balances", "--wait", "5")
        history = started(config_file, "replay", "history", "--wait", "5")
        replayed_payments = started(config_file, "replay", "payments", "--wait", "5")
        generations = history_generations(
            client(config, "dynamodb"), config.outputs["HistoryTableName"]
        )
        assert eventually(lambda: generations.pointer().phase == "building")
        history.kill()
        history.communicate()
        assert ended(started(config_file, "replay", "history"))[1]["reason"] == "replay"
        history = started(config_file, "replay", "history", "--resume", "--wait", "5")
        ends = [ended(each) for each in (balances, history, replayed_payments)]
        took = time.monotonic() - began

    of_balances, of_history, of_payments = (report for _, report in ends)
    assert [code for code, _ in ends] == [0, 0, 0], (ends, took)
    assert all(report["swapped"] for _, report in ends)
    assert of_balances["differing"] == [
        {
            "subject": payee,
            "version": 4,
            "kind": "differs",
            "field": "credits_posted_minor",
            "live": 999,
            "rebuilt": 6,
        }
    ]
    assert sorted(map(json.dumps, of_history["differing"])) == sorted(
        json.dumps(each)
        for each in (
            {
                "subject": payer,
                "version": 2,
                "kind": "differs",
                "field": "debited_minor",
                "live": 999,
                "rebuilt": None,
            },
            {"subject": payee, "version": 2, "kind": "missing"},
            {"subject": payee, "version": 3, "kind": "missing"},
        )
    )
    assert sorted(map(json.dumps, of_payments["differing"])) == sorted(
        json.dumps(each)
        for each in (
            {
                "subject": payments[0],
                "version": 1,
                "kind": "differs",
                "field": "reference",
                "live": "made up",
                "rebuilt": None,
            },
            {"subject": payments[1], "version": 1, "kind": "missing"},
        )
    )
    assert read.lists == {(payments[0],)}
    assert read.backwards == []
    assert read.answers > 20
    assert pay.count > 20
    now = generations_in(config)
    assert len(now) == 3
    assert before.isdisjoint(now)
    assert (movements(api, payer, 5), movements(api, payee, 4)) == right
    code, report = ended(started(config_file, "verify", "--wait", "20"))
    assert (code, report["findings"]) == (0, []), took
