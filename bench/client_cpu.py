"""Bench 1: what a payment costs the client, next to the bare boto3 calls with the very same bytes.

Ours is all that a worker does with a command: JSON read and checked, states read, decided, sealed,
packed, committed, answer read. The floor is what nobody gets below who uses the SDK: `boto3`
with its defaults, asked for the same requests. Both against a server that answers at once
(`bench.loopback`), turn by turn in one process, so that what the machine does meanwhile hits both.

    python -m bench.client_cpu [--rounds 15] [--write]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from time import process_time
from typing import Any, Final, TextIO

import boto3

from bench import results
from bench.loopback import Loopback, loopback
from bench.payments import ACTOR, Case, group_cases, single_case, state_item_of_every_account
from ledger import bootstrap
from ledger.application.commit import Decided
from ledger.application.group_commit import Asked
from ledger.contracts.commands import decode_command
from ledger.contracts.events import CommandRejected
from ledger.entrypoints import commands
from ledger.runtime.host import AwsHost

ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "POWERTOOLS_SERVICE_NAME": "Commands",
    "POWERTOOLS_METRICS_NAMESPACE": "Ledger/bench",
}
_CACHED_STATES: Final = "1024"
_QUEUES: Final = [field.name.upper() for field in fields(commands.QueueSettings)]
#: Payments of one turn, of ours and of the floor: some 100 ms of each.
_PAYMENTS_A_TURN: Final = 100

Call = tuple[str, dict[str, Any]]


class _Host(AwsHost):
    """A worker's host, with the bench's tables and the loopback server for DynamoDB."""

    def __init__(self, cached_states: str, log: TextIO) -> None:
        super().__init__()
        self.log = log
        self._environment = {
            "EVENTS_TABLE": "ledger-prod-events",
            "STATES_TABLE": "ledger-prod-states",
            "LEDGER_STATE_CACHE": cached_states,
            **{name: f"https://sqs.invalid/1/{name}" for name in _QUEUES},
        }
        self.client = super().dynamodb(attempts=1)

    @property
    def environment(self) -> dict[str, str]:
        return self._environment

    def dynamodb(self, *, attempts: int) -> Any:
        assert attempts == 1
        return self.client


def _ours(host: _Host, case: Case) -> Callable[[Sequence[bytes]], None]:
    if case.queued:
        return _queue_handler(host)
    parts = bootstrap.command_parts(host)

    def single(bodies: Sequence[bytes]) -> None:
        for body in bodies:
            outcome = parts.commands.handle(decode_command(body), ACTOR)
            assert isinstance(outcome, Decided)
            assert not isinstance(outcome.event, CommandRejected)

    def group(bodies: Sequence[bytes]) -> None:
        asked = [Asked(decode_command(body), ACTOR) for body in bodies]
        for answer in parts.group.handle(asked, lambda: True):
            assert isinstance(answer, Decided), answer
            assert not isinstance(answer.event, CommandRejected)

    return single if case.group == 1 else group


def _queue_handler(host: _Host) -> Callable[[Sequence[bytes]], None]:
    """The whole function, its line of log included: a bulk message is all that comes."""
    with contextlib.redirect_stdout(host.log):
        handler = commands.build(host)
    record = {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:COMMANDS_FIFO_QUEUE_URL",
        "attributes": {
            "ApproximateReceiveCount": "1",
            "MessageGroupId": "payer",
            "SenderId": "AROAEXAMPLEROLEID1234:upstream-payments",
        },
    }

    def handle(bodies: Sequence[bytes]) -> None:
        body = b'{"commands":[' + b",".join(bodies) + b"]}"
        answer = handler({"Records": [record | {"body": body.decode()}]}, None)
        assert answer == {"batchItemFailures": []}

    return handle


def _recorded(host: _Host, run: Callable[[], None]) -> list[Call]:
    """The calls of the SDK that `run` makes."""
    calls: list[Call] = []

    def note(params: dict[str, Any], model: Any, **_: object) -> None:
        calls.append((model.name, params))

    events = host.client.meta.events
    events.register("provide-client-params.dynamodb.*", note)
    run()
    events.unregister("provide-client-params.dynamodb.*", note)
    return calls


def _replay(client: Any, calls: Sequence[Call]) -> Callable[[], None]:
    methods = {
        "BatchGetItem": client.batch_get_item,
        "TransactWriteItems": client.transact_write_items,
    }
    bound = [(methods[name], params) for name, params in calls]

    def run() -> None:
        for method, params in bound:
            method(**params)

    return run


def _refuse_others(ours: dict[str, int], bare: dict[str, int]) -> None:
    """Raises AssertionError unless both made the same requests. A cached state has a version more
    each time, so a digit here and there may differ."""
    ours, bare = dict(ours), dict(bare)
    bytes_ours, bytes_bare = ours.pop("bytes"), bare.pop("bytes")
    assert ours == bare, "not the same requests"
    assert abs(bytes_ours / bytes_bare - 1) < 0.01, "not the same bytes"


def measure(case: Case, server: Loopback, rounds: int, log: TextIO) -> dict[str, Any]:
    """CPU milliseconds and requests a payment of one case, ours and the floor's."""
    host = _Host(_CACHED_STATES if case.cached else "0", log)
    handle = _ours(host, case)
    groups = max(1, _PAYMENTS_A_TURN // case.group)
    bodies = [case.bodies(number) for number in range(groups)]
    payments = groups * case.group

    def run() -> None:
        for group in bodies:
            handle(group)

    run()  # connects, builds what is built once, and fills the cache
    calls = _recorded(host, run)
    turns = {
        "ours": run,
        "bare": _replay(boto3.client("dynamodb"), calls),
        "bare, our options": _replay(_Host("0", log).client, calls),
    }
    for turn in turns.values():
        turn()
    asked: dict[str, dict[str, int]] = {}
    for name, turn in turns.items():
        server.tally()
        turn()
        asked[name] = server.tally()
    _refuse_others(asked["ours"], asked["bare"])
    spent: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(rounds):
        for name, turn in turns.items():
            start = process_time()
            turn()
            spent[name].append((process_time() - start) * 1000 / payments)
    requests = sum(asked["ours"].get(name, 0) for name in ("BatchGetItem", "TransactWriteItems"))
    ratios = [ours / bare for ours, bare in zip(spent["ours"], spent["bare"], strict=True)]
    return {
        "case": case.name,
        "payments_a_group": case.group,
        "cpu_ms_a_payment": {
            name: results.median_and_spread(values) for name, values in spent.items()
        },
        "ratio_to_bare": results.median_and_spread(ratios),
        "requests_a_payment": round(requests / payments, 4),
        "write_units_a_payment": round(asked["ours"]["write_units"] / payments, 3),
        "request_bytes_a_payment": round(asked["ours"]["bytes"] / payments),
    }


def main() -> None:
    """Prints the cases; writes bench/results/client_cpu.json if asked to."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--only", default="")
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    os.environ.update(ENVIRONMENT)
    rows = []
    with (
        Path(os.devnull).open("w", encoding="utf-8") as log,
        loopback(state_item_of_every_account()) as server,
    ):
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = server.endpoint_url
        for case in (single_case(cached=False), single_case(cached=True), *group_cases()):
            if given.only and given.only not in case.name:
                continue
            row = measure(case, server, given.rounds, log)
            rows.append(row)
            cpu = row["cpu_ms_a_payment"]
            sys.stdout.write(
                f"{case.name:34}"
                + "".join(f" {name} {figure['median']:.3f}" for name, figure in cpu.items())
                + f" ratio {row['ratio_to_bare']['median']:.2f}"
                + f" requests {row['requests_a_payment']} units {row['write_units_a_payment']}\n"
            )
    if given.write:
        results.write("client_cpu", rows)


if __name__ == "__main__":
    main()
