"""The balances in memory, for tests and simulations."""

from __future__ import annotations

from collections.abc import Iterator

from projections.balances.apply import Account, Profile, Totals


class MemoryBalancesStore:
    """Like the table, without its errors. `writes` counts the requests that a table would get."""

    def __init__(self) -> None:
        self._totals: dict[str, Totals] = {}
        self._profiles: dict[str, Profile] = {}
        self.writes = 0

    def write_totals(self, totals: Totals) -> bool:
        self.writes += 1
        known = self._totals.get(totals.account)
        if known is not None and known.version >= totals.version:
            return False
        self._totals[totals.account] = totals
        return True

    def write_profile(self, profile: Profile) -> bool:
        self.writes += 1
        known = self._profiles.get(profile.account)
        if known is not None and known.profile_version >= profile.profile_version:
            return False
        self._profiles[profile.account] = profile
        return True

    def account(self, account: str) -> Account | None:
        totals = self._totals.get(account)
        return None if totals is None else Account(totals, self._profiles.get(account))

    def accounts(self) -> Iterator[Account]:
        for account, totals in list(self._totals.items()):
            yield Account(totals, self._profiles.get(account))
