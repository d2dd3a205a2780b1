"""The payments that every contestant is asked for, made from a seed, and what must come of them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from bench.payments import id_of

#: What every account may owe: nothing is refused, and everyone has to look.
OVERDRAFT_MINOR = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment of one posting."""

    id: str
    source: str
    destination: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Workload:
    """Accounts with ids of 36 characters, groups of payments to warm up with, and those timed."""

    accounts: tuple[str, ...]
    warm_up: tuple[tuple[Payment, ...], ...]
    timed: tuple[tuple[Payment, ...], ...]

    @property
    def payments(self) -> int:
        """How many payments are timed."""
        return sum(map(len, self.timed))

    def balances(self) -> dict[str, int]:
        """What every account has in the end: what it got less what it gave."""
        balances = Counter(dict.fromkeys(self.accounts, 0))
        for group in (*self.warm_up, *self.timed):
            for payment in group:
                balances[payment.source] -= payment.amount_minor
                balances[payment.destination] += payment.amount_minor
        return dict(balances)

    def save(self, path: Path) -> None:
        """Writes it for the contestants."""
        path.write_text(json.dumps(asdict(self) | {"overdraft_minor": OVERDRAFT_MINOR}))


def load(path: str) -> dict[str, Any]:
    """A workload as contestants read it: plain JSON."""
    loaded: dict[str, Any] = json.loads(Path(path).read_text())
    return loaded


def make(seed: int, *, groups: int, size: int, accounts: int, warm_up: int) -> Workload:
    """`groups` groups of `size` payments, each between accounts that no other of its group has."""
    random = Random(seed)  # noqa: S311 - a workload that can be made again
    ids = tuple(id_of("account", seed, number) for number in range(accounts))

    def group(number: int) -> tuple[Payment, ...]:
        chosen = random.sample(ids, 2 * size)
        return tuple(
            Payment(
                id=id_of("payment", seed, number, place),
                source=chosen[2 * place],
                destination=chosen[2 * place + 1],
                amount_minor=random.randint(1, 100_000),
            )
            for place in range(size)
        )

    made = [group(number) for number in range(warm_up + groups)]
    return Workload(ids, tuple(made[:warm_up]), tuple(made[warm_up:]))
