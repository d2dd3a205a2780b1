"""The balances, replayed: what is complete, and what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from projections.balances.apply import Account
from projections.balances.project import project
from projections.balances.store import BalancesStore
from projections.replay.differences import Difference, differing_fields
from projections.replay.replayable import Replayable, Versions

#: Of a part, each account is written once: the larger, the fewer writes of a busy account.
PART_EVENTS: Final = 5_000
#: Up to so many accounts are read one by one; for more, the table is read as a whole.
POINT_READS_MAX: Final = 200
#: A busy account is looked at so often to find both generations at one version.
_LOOKS_MAX: Final = 5


def lagging(store: BalancesStore, versions: Versions) -> set[str]:
    """The accounts that are not at their version yet, or lack their profile."""
    if len(versions) > POINT_READS_MAX:
        found = {one.totals.account: one for one in store.accounts()}
        # What was written during the scan may have been missed.
        versions = {name: n for name, n in versions.items() if _lags(found.get(name), n)}
        if len(versions) > POINT_READS_MAX:
            return set(versions)
    return {name for name, version in versions.items() if _lags(store.account(name), version)}


def settle(store: BalancesStore, versions: Versions) -> None:
    """Nothing: an account's item is all there is of it."""


def differences(
    live: BalancesStore,
    rebuilt: BalancesStore,
    versions: Versions,
    newest: Callable[[str], int],
) -> Iterator[Difference]:
    """Field by field, for every account whose two items differ at the same version."""
    there = {one.totals.account: one for one in live.accounts()}
    made = {one.totals.account: one for one in rebuilt.accounts()}
    for account in sorted(there.keys() | made.keys() | versions.keys()):
        if there.get(account) != made.get(account):
            yield from _of_account(account, live, rebuilt, versions.get(account, 0), newest)


def _of_account(
    account: str,
    live: BalancesStore,
    rebuilt: BalancesStore,
    known: int,
    newest: Callable[[str], int],
) -> Iterator[Difference]:
    was = now = None
    for _ in range(_LOOKS_MAX):  # one may have moved between the two looks
        was, now = live.account(account), rebuilt.account(account)
        if _version(was) == _version(now):
            break
    at_live, at_rebuilt = _version(was), _version(now)
    if at_live > at_rebuilt and at_live <= newest(account):
        return  # on its way into the rebuilt one
    if known <= at_live < at_rebuilt:
        return  # on its way into the live one
    if was is None:
        if now is not None:
            yield Difference(account=account, version=at_rebuilt, kind="missing")
    elif now is None:
        yield Difference(account=account, version=at_live, kind="extra")
    else:
        yield from differing_fields(account, at_rebuilt, _fields(was), _fields(now))


def _lags(account: Account | None, version: int) -> bool:
    return account is None or account.profile is None or account.totals.version < version


def _version(account: Account | None) -> int:
    return account.totals.version if account else 0


def _fields(account: Account) -> dict[str, object]:
    profile = msgspec.structs.asdict(account.profile) if account.profile else {}
    return profile | msgspec.structs.asdict(account.totals)


REPLAYABLE: Final = Replayable(
    name="balances",
    part=PART_EVENTS,
    project=project,
    lagging=lagging,
    settle=settle,
    differences=differences,
)
