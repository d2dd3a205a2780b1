"""When remembering states pays: what payments ask for, by how often accounts meet one worker.

Workers take turns with payments between accounts of their own, but for a share of payments that
come to any worker, and with or without a payee that all share. Every request is counted on the
store in memory, and priced as DynamoDB bills it. No time is measured: the figures are the same on
every machine.

    python -m bench.cache [--write]
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any, Final

from bench import results
from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.commit import Commands, Decided
from ledger.application.ports import Appended, Refused, Transaction
from ledger.application.state_cache import StateCache
from ledger.contracts.commands import OpenAccount, Posting, PostPayment
from ledger.contracts.subjects import Key
from ledger.domain.states import States

WORKERS: Final = 8
ACCOUNTS: Final = 200  # payers and payees each
PAYMENTS: Final = 8_000
WARM_UP: Final = 4_000  # payments before any is counted
#: Of payments, the share that comes to the worker that has the payer's others.
AFFINITIES: Final = (1.0, 0.99, 0.97, 0.95, 0.9, 0.75, 0.5, 0.125)
#: us-east-1, on demand, a million units; a transaction of six units is billed when it is refused.
WRITE_USD: Final = 0.625
READ_USD: Final = 0.125
UNITS_OF_A_PAYMENT: Final = 6


class _Counted(MemoryEventStore):
    """Counts what the workers ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def load(self, keys: Sequence[Key]) -> States:
        self.asked["requests"] += 1
        self.asked["states_read"] += len(keys)
        return super().load(keys)

    def append(self, transaction: Transaction) -> Appended | Refused:
        result = super().append(transaction)
        self.asked["requests"] += 1
        self.asked["refused"] += isinstance(result, Refused)
        return result


def measured(affinity: float, states_max: int, *, shared: bool) -> dict[str, Any]:
    """What a payment asks for, once the workers are warm."""
    store, draw = _Counted(), Random(1)  # noqa: S311 - the same payments every time
    ticks = iter(range(1_795_262_400_000_000, 2**62, 1_000))
    caches = [StateCache(states_max) for _ in range(WORKERS)]
    workers = [
        Commands(
            store,
            clock=lambda: next(ticks),
            pause=lambda _: None,
            chance=draw.random,
            cache=cache,
        )
        for cache in caches
    ]
    for name in ("fees", *(f"{side}{n}" for side in ("from", "to") for n in range(ACCOUNTS))):
        opened = OpenAccount(
            v=1,
            id=f"open:{name}",
            account=name,
            currency="EUR",
            account_type="liability",
            min_balance_minor=None,
        )
        workers[0].handle(opened, "bench")
    for number in range(WARM_UP + PAYMENTS):
        if number == WARM_UP:
            store.asked.clear()
        account = draw.randrange(ACCOUNTS)
        at_home = draw.random() < affinity
        worker = workers[account % WORKERS if at_home else draw.randrange(WORKERS)]
        payee = "fees" if shared else f"to{account}"
        leg = Posting(source=f"from{account}", destination=payee, amount_minor=1, currency="EUR")
        answer = worker.handle(PostPayment(v=1, id=f"p{number}", postings=(leg,)), "bench")
        assert isinstance(answer, Decided)
    asked = {name: count / PAYMENTS for name, count in store.asked.items()}
    units = UNITS_OF_A_PAYMENT * (1 + asked.get("refused", 0.0))
    return {
        "requests": round(asked["requests"], 3),
        "states_read": round(asked.get("states_read", 0.0), 3),
        "refused": round(asked.get("refused", 0.0), 4),
        "usd_a_million": round(units * WRITE_USD + asked.get("states_read", 0.0) * READ_USD, 3),
    }


def main() -> None:
    """Prints the table; writes bench/results/cache.json if asked to."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", action="store_true")
    given = options.parse_args()
    cases = [(affinity, False, 10_000) for affinity in AFFINITIES]
    cases += [(1.0, True, 10_000), (1.0, False, 0)]
    rows = []
    for affinity, shared, states_max in cases:
        row = {"affinity": affinity, "shared_payee": shared, "states_max": states_max}
        rows.append(row | measured(affinity, states_max, shared=shared))
        sys.stdout.write(f"{rows[-1]}\n")
    if given.write:
        results.write("cache", rows)


if __name__ == "__main__":
    main()
