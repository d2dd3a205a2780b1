"""Bench 5: a payment's whole way on the deployed local stack, from the command to its balance.

The very template that AWS gets, deployed to the embedded emulator, as `ledger up` does. Payments
go over REST, or in bulk messages of the FIFO queue, one, ten or a hundred at a time; a payment is
there when the balances projection shows its payee at the version that it made. Two courses of each:

- *at rest*: one batch, and the next when the one before is there; the latency when nothing waits;
- *at full rate*: as many senders as are asked for, as fast as they are answered; how many a second.

    python -m bench.end_to_end [--payments 600] [--rounds 12] [--senders 2] [--write]

The emulator, the functions and this process share the machine, so a rate is this machine's, and one
of an emulator: its engine takes a hundred times as long for a transaction as DynamoDB does.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, Final

from bench import results
from ledger.cli.connection import Connection
from ledger.cli.up.local import config_of
from ledger.client.answers import Accepted
from ledger.client.bulk import bulked
from ledger.client.messages import Message
from ledger.contracts.commands import Command, OpenAccount, Posting, PostPayment, encode_command
from projections.balances.store import DynamoBalancesStore
from sandbox.stack import running_stack

BATCHES: Final = (1, 10, 100)
_WAYS: Final = {"rest": "REST", "queue": "FIFO queue"}
_ROOT: Final = Path(__file__).resolve().parents[1]
_LOOK_SECONDS: Final = 0.02
_KEYS_A_READ: Final = 100
_GIVE_UP_SECONDS: Final = 180.0

Send = Callable[[Sequence[PostPayment]], None]


class Watcher:
    """Looks at the balances projection again and again; knows since when each payee shows a
    version."""

    def __init__(self, balances: DynamoBalancesStore) -> None:
        self._balances = balances
        self._waiting: dict[str, tuple[int, float]] = {}  # by payee: its version, when it was sent
        self._seconds: list[float] = []
        self._lock = Lock()
        self._end = Event()
        self.seen_at = 0.0

    def expect(self, versions: Mapping[str, int]) -> None:
        """From now on waits until these accounts are at these versions."""
        now = time.monotonic()
        with self._lock:
            self._waiting.update((name, (version, now)) for name, version in versions.items())

    def wait(self) -> list[float]:
        """The seconds that each of what was expected took, once all of it is there."""
        began = time.monotonic()
        while time.monotonic() - began < _GIVE_UP_SECONDS:
            with self._lock:
                if not self._waiting:
                    taken, self._seconds = self._seconds, []
                    return taken
            time.sleep(_LOOK_SECONDS)
        raise TimeoutError(f"{len(self._waiting)} payments never reached the balances")

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Looks until the block is left."""
        thread = Thread(target=self._look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            thread.join()

    def _look(self) -> None:
        while not self._end.is_set():
            with self._lock:
                names = list(self._waiting)
            for start in range(0, len(names), _KEYS_A_READ):
                some = self._balances.some(names[start : start + _KEYS_A_READ])
                now = time.monotonic()
                with self._lock:
                    for name, account in some.items():
                        version, sent_at = self._waiting.get(name, (0, 0.0))
                        if version and account.totals.version >= version:
                            del self._waiting[name]
                            self._seconds.append(now - sent_at)
                            self.seen_at = now
            self._end.wait(_LOOK_SECONDS)


class Bench:
    """One deployed stack, with accounts of its own; a course pays each payee once at most."""

    def __init__(self, ledger: Connection, payees: int, senders: int) -> None:
        self._ledger = ledger
        self._senders = senders
        self._payees = [f"bench:payee:{number}" for number in range(payees)]
        self._payers = [f"bench:payer:{number}" for number in range(senders)]
        self._ids = count()
        self._versions = dict.fromkeys((*self._payees, *self._payers), 1)
        self.watcher = Watcher(ledger.balances())

    def open(self) -> None:
        """Opens the accounts, in bulk; waits until they are projected."""
        openings = [_opening(one, None) for one in self._payers]
        openings += [_opening(one, 0) for one in self._payees]
        self.watcher.expect(self._versions)
        _all_accepted(self._ledger, openings)
        self.watcher.wait()

    def at_rest(self, way: str, batch: int, rounds: int) -> dict[str, Any]:
        """One batch after the other, each when the one before is there."""
        send = self._by(way, batch, self._ledger)
        latencies, answered = [], []
        for payments in self._batches(batch, batch * rounds, payer=0):
            self.watcher.expect(self._next_versions(payments))
            began = time.monotonic()
            send(payments)
            answered.append(time.monotonic() - began)
            latencies += self.watcher.wait()
        return {
            "payments": len(latencies),
            "answered_ms": _percentiles(answered),
            "visible_ms": _percentiles(latencies),
        }

    def at_full_rate(self, way: str, batch: int, payments: int) -> dict[str, Any]:
        """All batches, by several senders at once, each as fast as it is answered."""
        share = payments // self._senders // batch * batch
        sends = [self._by(way, batch, self._ledger) for _ in range(self._senders)]
        began = time.monotonic()

        def work(sender: int) -> None:
            given = self._batches(batch, share, payer=sender, skip=sender * share)
            for some in given:
                self.watcher.expect(self._next_versions(some))
                sends[sender](some)

        with ThreadPoolExecutor(self._senders) as pool:
            list(pool.map(work, range(self._senders)))
        answered = time.monotonic() - began
        latencies = self.watcher.wait()
        visible = self.watcher.seen_at - began
        return {
            "payments": len(latencies),
            "answered_per_second": round(len(latencies) / answered, 1),
            "visible_per_second": round(len(latencies) / visible, 1),
            "visible_ms": _percentiles(latencies),
        }

    def _batches(
        self, batch: int, payments: int, *, payer: int, skip: int = 0
    ) -> Iterator[list[PostPayment]]:
        for start in range(skip, skip + payments, batch):
            yield [
                self._payment(self._payers[payer], payee)
                for payee in self._payees[start : start + batch]
            ]

    def _payment(self, payer: str, payee: str) -> PostPayment:
        leg = Posting(source=payer, destination=payee, amount_minor=100, currency="EUR")
        return PostPayment(v=1, id=f"bench-{next(self._ids)}", postings=(leg,))

    def _next_versions(self, payments: Sequence[PostPayment]) -> dict[str, int]:
        """The payees, each at the version that it is about to have."""
        payees = [payment.postings[0].destination for payment in payments]
        for payee in payees:
            self._versions[payee] += 1
        return {payee: self._versions[payee] for payee in payees}

    def _by(self, way: str, batch: int, ledger: Connection) -> Send:
        if way == "rest":
            api = ledger.api()

            def over_rest(payments: Sequence[PostPayment]) -> None:
                replies = [api.submit(payments[0])] if batch == 1 else api.submit_each(payments)
                assert all(isinstance(reply, Accepted) for reply in replies)

            return over_rest
        fifo = ledger.fifo()

        def by_queue(payments: Sequence[PostPayment]) -> None:
            group = payments[0].postings[0].source
            fifo.send(
                bulked(Message("payment.post", encode_command(one), group) for one in payments)
            )

        return by_queue


def _opening(account: str, min_balance_minor: int | None) -> OpenAccount:
    return OpenAccount(
        v=1,
        id=f"open-{account}",
        account=account,
        currency="EUR",
        account_type="liability",
        min_balance_minor=min_balance_minor,
    )


def _all_accepted(ledger: Connection, commands: Sequence[Command]) -> None:
    replies = ledger.api().submit_each(commands)
    assert all(isinstance(reply, Accepted) for reply in replies)


def _percentiles(seconds: Sequence[float]) -> dict[str, int]:
    """In milliseconds: half are no longer, 99 of 100 are not, and none is."""
    ascending = sorted(seconds)
    places = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    last = len(ascending) - 1
    return {name: round(1000 * ascending[round(last * part)]) for name, part in places.items()}


def measure(payments: int, rounds: int, senders: int) -> list[dict[str, Any]]:
    """Every course: a row for each way in and each size of a batch."""
    rows: list[dict[str, Any]] = []
    with running_stack(_ROOT, _say) as deployment:
        payees = max(payments, max(BATCHES) * rounds)
        bench = Bench(Connection(config_of(deployment)), payees, senders)
        with bench.watcher.looking():
            bench.open()
            for way in _WAYS:
                bench.at_rest(way, 1, 3)  # the functions of this way have started
                for batch in BATCHES:
                    row = {
                        "way": way,
                        "batch": batch,
                        "at_rest": bench.at_rest(way, batch, rounds),
                        "at_full_rate": bench.at_full_rate(way, batch, payments),
                    }
                    _say(str(row))
                    rows.append(row)
    return rows


def table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The figures as a table of Markdown."""
    heads = (
        *("way in, batch", "answered, ms: p50, p99", "in the balances, ms: p50, p99"),
        *("at full rate: taken/s", "in the balances/s", "p50, p99, ms"),
    )
    lines = [heads, ("---", *["---:"] * (len(heads) - 1))]
    for row in rows:
        rest, full = row["at_rest"], row["at_full_rate"]
        lines.append(
            (
                f"{_WAYS[row['way']]}, {row['batch']}",
                _both(rest["answered_ms"]),
                _both(rest["visible_ms"]),
                f"{full['answered_per_second']:,}",
                f"{full['visible_per_second']:,}",
                _both(full["visible_ms"]),
            )
        )
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _both(milliseconds: Mapping[str, int]) -> str:
    return f"{milliseconds['p50']:,}, {milliseconds['p99']:,}"


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> None:
    """Runs all of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--payments", type=int, default=600, help="of each course at full rate")
    parser.add_argument("--rounds", type=int, default=12, help="batches of each course at rest")
    parser.add_argument("--senders", type=int, default=2, help="at full rate")
    parser.add_argument("--write", action="store_true", help="keeps the figures in bench/results")
    asked = parser.parse_args()
    rows = measure(asked.payments, asked.rounds, asked.senders)
    if asked.write:
        _say(f"written to {results.write('end_to_end', rows).name}")


if __name__ == "__main__":
    main()
