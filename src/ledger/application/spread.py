"""Which stripe of a striped account a worker uses: one and the same, as long as that goes well."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ledger.application.ports import Chance
from ledger.domain.accounts import AccountState
from ledger.domain.states import State

_VALUES: Final = 1 << 16  # many times the stripes that an account may have


class Spread:
    """The number by which a worker's movements are spread over stripes.

    Workers draw theirs, and draw again when another was in their way on a striped account: so each
    comes to a stripe that it has nearly for itself, and remembers its state. Nothing that is
    recorded depends on it: a hold remembers the stripe that it was made on.
    """

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._value: int | None = None

    @property
    def value(self) -> int:
        """The number. It is drawn when it is first asked for: workers that begin as copies of one
        snapshot must not all have the same."""
        if self._value is None:
            self._value = int(self._chance() * _VALUES)
        return self._value

    def met_others(self, states: Iterable[State | None]) -> bool:
        """Takes note that another worker was in the way of a transaction on these states; whether
        it was on a striped account.

        If its transaction was refused as stale, the states as they are came with that, and it is
        best tried again at once: on other stripes there is nobody to make room for, and whoever
        needs leases of a stripe that another worker uses without pause would never come in time.
        """
        striped = any(isinstance(one, AccountState) and one.is_striped for one in states)
        if striped:
            self._value = None
        return striped
