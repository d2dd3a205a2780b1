"""The balances in memory, for tests and simulations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from projections.balances.apply import Account, Metadata, Profile, Totals, lanes_of
from projections.balances.paths import bounds_under


class MemoryBalancesStore:
    """Like the table, without its errors. `writes` counts the requests that a table would get."""

    def __init__(self) -> None:
        self._totals: dict[str, Totals] = {}
        self._profiles: dict[str, Profile] = {}
        self._metadata: dict[str, Metadata] = {}
        self.writes = 0

    def write(self, totals: Totals, profile: Profile | None = None) -> int:
        newer = [self._write_totals(totals)]
        if profile is not None:
            newer.append(self._write_profile(profile))
        self.writes += 1 if len(newer) == 1 or all(newer) else 1 + len(newer)
        return sum(newer)

    def write_metadata(self, metadata: Metadata) -> bool:
        self.writes += 1
        known = self._metadata.get(metadata.account)
        if known is not None and known.metadata_version >= metadata.metadata_version:
            return False
        self._metadata[metadata.account] = metadata
        return True

    def account(self, account: str) -> Account | None:
        totals, profile = self._totals.get(account), self._profiles.get(account)
        if totals is None:
            return None
        others = (self._totals.get(lane) for lane in lanes_of(account, profile))
        return Account(totals, profile, tuple(one for one in others if one is not None))

    def some(self, accounts: Sequence[str]) -> Mapping[str, Account]:
        found = ((account, self.account(account)) for account in accounts)
        return {name: account for name, account in found if account is not None}

    def metadata(self, accounts: Sequence[str]) -> Mapping[str, Metadata]:
        return {name: self._metadata[name] for name in accounts if name in self._metadata}

    def under(self, path: str, above: str, limit: int) -> tuple[str, ...]:
        low, high = bounds_under(path, above)
        names = [one.account for one in list(self._totals.values()) if not one.stripe]
        return tuple(sorted(name for name in names if low <= name <= high)[:limit])

    def accounts(self) -> Iterator[Account]:
        yield from self.some([one.account for one in list(self._totals.values())]).values()

    def all_metadata(self) -> Iterator[Metadata]:
        yield from list(self._metadata.values())

    def _write_totals(self, totals: Totals) -> bool:
        known = self._totals.get(totals.lane)
        if known is not None and known.version >= totals.version:
            return False
        self._totals[totals.lane] = totals
        return True

    def _write_profile(self, profile: Profile) -> bool:
        known = self._profiles.get(profile.account)
        if known is not None and known.profile_version >= profile.profile_version:
            return False
        self._profiles[profile.account] = profile
        return True
