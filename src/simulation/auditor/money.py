"""Money is conserved: summed over the states that are in the table, after every transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ledger.contracts.subjects import Key
from simulation.auditor.findings import Findings
from simulation.auditor.stored import StoredState


class Money:
    """The sums of each currency, kept up with what is written."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._known: dict[Key, tuple[str, int, int]] = {}
        self._sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])

    def take(self, written: Iterable[StoredState]) -> None:
        """The states that a transaction wrote."""
        touched: dict[str, list[str]] = {}
        for state in written:
            now = state.money
            if now is None:
                continue
            for (currency, posted, pending), sign in (
                (self._known.get(state.key, (now[0], 0, 0)), -1),
                (now, 1),
            ):
                self._sums[currency][0] += sign * posted
                self._sums[currency][1] += sign * pending
                touched.setdefault(currency, []).append(state.key.id)
            self._known[state.key] = now
        for currency, accounts in touched.items():
            posted, pending = self._sums[currency]
            if posted or pending:
                self._findings.report(
                    "money_is_conserved",
                    f"Of {currency} there are {posted} more debited than credited, and {pending} "
                    "more pending.",
                    *dict.fromkeys(accounts),
                )

    def restored(self, there: Iterable[StoredState]) -> None:
        """The whole table, made anew."""
        self._known.clear()
        self._sums.clear()
        self.take(there)
