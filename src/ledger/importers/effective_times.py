"""What is wrong with the effective times of a file, told before anything of it is sent.

The ledger refuses a payment that is effective too far ahead, or before its accounts were open, and
the payment's id stays refused for ever. So what can be known of that before, is a fault of the row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec import UNSET

from ledger.contracts import reasons
from ledger.contracts.commands import OpenAccount, PostPayment, accounts_of
from ledger.contracts.primitives import instant_of_microseconds
from ledger.importers.instructions import Fault

#: How far ahead the ledger takes an effective time; beside it, this machine's clock is the judge.
AHEAD_MICROSECONDS_MAX: Final = 300_000_000
_FIELD: Final = "effective_at"


@dataclass(frozen=True, slots=True)
class Times:
    """What is known of time when a file is judged: now (microseconds since 1970, UTC), and from
    when on the accounts are open that are opened with it; None if their rows do not say so."""

    now: int
    opened_at: Mapping[str, str | None] = field(default_factory=dict)

    def faults_of(
        self, command: OpenAccount | PostPayment, *, place: str, columns: Mapping[str, str]
    ) -> tuple[Fault, ...]:
        """What the ledger would refuse the command for; `columns` is as in `requests.payment`."""
        column = columns.get(_FIELD, _FIELD)
        return tuple(
            Fault(place, column, reason.code, why) for reason, why in self._objections(command)
        )

    def _objections(
        self, command: OpenAccount | PostPayment
    ) -> Iterator[tuple[reasons.Reason, str]]:
        effective_at = command.effective_at
        if effective_at is UNSET:
            return
        if effective_at > instant_of_microseconds(self.now + AHEAD_MICROSECONDS_MAX):
            yield reasons.EFFECTIVE_IN_FUTURE, f"{effective_at} is to come: import it then"
        if isinstance(command, OpenAccount):
            return
        for account in accounts_of(command):
            opened_at = self.opened_at.get(account)
            if opened_at is not None and effective_at < opened_at:
                why = f"{effective_at} lies before the opening of {account}, at {opened_at}"
                yield reasons.EFFECTIVE_BEFORE_OPENING, why
