"""Where stories are written: chance, the bank's accounts, ids that none has twice, and time."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, Literal, NamedTuple

from ledger.contracts.commands import Command
from ledger.contracts.primitives import instant_of_microseconds
from simulation.kernel.hub import MILLISECOND, SECOND
from simulation.load.bank import Bank, Economy

MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

Style = Literal["alone", "fifo", "together", "scattered"]
"""How a story's steps are sent: by one caller who awaits each answer, in one group of the FIFO
queue, in one request for all that follow each other at once, or each by anybody in any way."""


class Step(NamedTuple):
    """A command of a story, so many microseconds after the step before it."""

    command: Command
    after: int = 0
    race: bool = False
    """Whether it is sent by somebody else than the step before, who does not wait for that."""


class Story(NamedTuple):
    """Steps about the same things. `style` None: any."""

    steps: list[Step]
    style: Style | None = None


class Desk:
    """What stories are made of. `at` is when the one that is being written begins."""

    def __init__(self, random: Random, bank: Bank, begins: int, ends: int) -> None:
        self.random = random
        self.bank = bank
        self.begins = begins
        self.ends = ends
        self.at = begins
        self._used: Counter[str] = Counter()

    def id(self, kind: str) -> str:
        """A new id that tells what it is of."""
        self._used[kind] += 1
        return f"{kind}-{self._used[kind]}"

    def instant(self, after: int) -> str:
        """The instant so many microseconds after the story's beginning, in the stored form."""
        return instant_of_microseconds(self.at + after)

    def day(self, days: int) -> str:
        """A day of UTC, counted from that on which the story begins."""
        today = datetime.fromisoformat(instant_of_microseconds(self.at)).date()
        return (today + timedelta(days=days)).isoformat()

    def midnight(self) -> int:
        """When the next day of UTC begins after the story does."""
        return (self.at // DAY + 1) * DAY

    def minute(self, after: int) -> int:
        """How long after the story's beginning a whole minute comes, `after` that at least: then
        the ledger sweeps."""
        earliest = self.at + after - self.begins
        return -(-earliest // MINUTE) * MINUTE + self.begins - self.at

    def amount(self, low: int = 100, high: int = 9_999) -> int:
        """An amount, mostly an odd one that leaves remainders when it is divided."""
        return self.random.randint(low, high)

    def soon(self) -> int:
        """A moment: up to some milliseconds, as those who do not wait for each other have it."""
        return self.random.randrange(20 * MILLISECOND)

    def later(self, low: int = SECOND, high: int = MINUTE) -> int:
        """A while."""
        return self.random.randint(low, high)

    def shop(self) -> str:
        """A shop that takes euros."""
        return self.bank.euro.shop(self.random)

    def wallet(self) -> str:
        """A customer's wallet in euros."""
        return self.random.choice(self.bank.euro.wallets)

    def clearing(self) -> str:
        """Where euros come from."""
        return self.random.choice(self.bank.euro.clearing)

    def fees(self) -> str:
        """Where fees in euros go."""
        return self.random.choice(self.bank.euro.fees)

    def economy(self) -> Economy:
        """Any with customers, the large ones often."""
        economy, _ = self.random.choice(self.bank.everyone)
        return economy

    def chance(self, of: float) -> bool:
        """Whether something happens that does so in such a part of all cases."""
        return self.random.random() < of

    def pick(self, *these: Any) -> Any:
        """One of these."""
        return self.random.choice(these)
