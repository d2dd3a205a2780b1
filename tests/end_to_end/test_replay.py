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
    posted,
    projected,
    row_at,
    unique,
)

_MAIN = "from ledger.cli.app import main; main()"


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
        while not stop.wait(0.05):
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
    """Asks for accounts, and remembers how far each answer reached, and what went backwards."""

    def __init__(self, config: Config, *accounts: str) -> None:
        self.api = LedgerApi(config)
        self.accounts = accounts
        self.reached: dict[tuple[str, str], int] = {}
        self.backwards: list[tuple[str, str, int, int]] = []
        self.answers = self.not_now = 0

    def __call__(self) -> None:
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


def movements(api: LedgerApi, account: str, version: int) -> tuple[Any, Any]:
    """The balance and the whole history of an account, once it has that version."""
    found = projected(api, account, version)
    return found["balance_minor"], found["entries"]


def corrupted(config: Config, payer: str, payee: str) -> None:
    """A wrong balance, two lost rows and a wrong one, by hand."""
    dynamodb = client(config, "dynamodb")
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
    """The generations that items of both projections are of, `1` for the bare keys."""
    dynamodb = client(config, "dynamodb")
    found = set()
    for name in ("Balances", "History"):
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
    """Both projections are tampered with and replayed at once, one of them killed on its way and
    resumed. The reports name what was tampered with and nothing else, the ledger then verifies, the
    old generations are gone, and no answer went backwards meanwhile."""
    config_file = tmp_path / "config.json"
    configuration.save(config, config_file)
    payer, payee = funded_pair(api, 1_000)
    for amount in (1, 2, 3):
        assert isinstance(posted(api, paying(unique("payment"), payer, payee, amount)), Accepted)
    right = movements(api, payer, 5), movements(api, payee, 4)
    pay = Payments(config, *funded_pair(api, 1_000_000))
    projected(api, pay.payer, 2)
    projected(api, pay.payee, 1)
    before = generations_in(config)
    corrupted(config, payer, payee)
    read = Reader(config, payer, payee, pay.payer, pay.payee)

    with repeatedly(pay, read):
        began = time.monotonic()
        balances = started(config_file, "replay", "balances", "--wait", "5")
        history = started(config_file, "replay", "history", "--wait", "5")
        generations = history_generations(
            client(config, "dynamodb"), config.outputs["HistoryTableName"]
        )
        assert eventually(lambda: generations.pointer().phase == "building")
        history.kill()
        history.communicate()
        assert ended(started(config_file, "replay", "history"))[1]["reason"] == "replay"
        history = started(config_file, "replay", "history", "--resume", "--wait", "5")
        (balances_code, of_balances), (history_code, of_history) = ended(balances), ended(history)
        took = time.monotonic() - began

    assert (balances_code, history_code) == (0, 0), (of_balances, of_history, took)
    assert of_balances["swapped"]
    assert of_history["swapped"]
    assert of_balances["differing"] == [
        {
            "account": payee,
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
                "account": payer,
                "version": 2,
                "kind": "differs",
                "field": "debited_minor",
                "live": 999,
                "rebuilt": None,
            },
            {"account": payee, "version": 2, "kind": "missing"},
            {"account": payee, "version": 3, "kind": "missing"},
        )
    )
    assert read.backwards == []
    assert read.answers > 20
    assert pay.count > 20
    now = generations_in(config)
    assert len(now) == 2
    assert before.isdisjoint(now)
    assert (movements(api, payer, 5), movements(api, payee, 4)) == right
    code, report = ended(started(config_file, "verify", "--wait", "20"))
    assert (code, report["findings"]) == (0, []), took
