"""What a stack used while it was watched: counts, by what is paid for and where it was used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

#: What AWS counts as one request, entry or publish: the next chunk is another.
CHUNK_BYTES = 64 * 1024


def chunks(size: int) -> int:
    """How many of them so many bytes are: one at least."""
    return max(1, -(-size // CHUNK_BYTES))


class Used(Struct, frozen=True):
    """So much of `price` (a name in the price table) was used at `where`, a part of the stack."""

    price: str
    where: str
    amount: float


class Usage:
    """Counts of what is paid for."""

    def __init__(self) -> None:
        self._amounts: Counter[tuple[str, str]] = Counter()

    def add(self, price: str, where: str, amount: float = 1) -> None:
        """Takes note of so much more."""
        self._amounts[price, where] += amount  # type: ignore[assignment]

    def of(self, price: str, where: str | None = None) -> float:
        """So much of it was used, there or anywhere."""
        return sum(
            amount
            for (name, place), amount in self._amounts.items()
            if name == price and where in (None, place)
        )

    def __iter__(self) -> Iterator[Used]:
        """Everything that was used, by name."""
        for (price, where), amount in sorted(self._amounts.items()):
            yield Used(price, where, amount)

    def clear(self) -> None:
        """Counting starts anew."""
        self._amounts.clear()
