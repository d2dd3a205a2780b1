"""The balances, replayed: what is complete, and what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from ledger.contracts.events import Event, entries_of
from ledger.contracts.subjects import Key, account_key, metadata_key
from projections.balances.apply import Account, Metadata, metadata_of, profile_of, reach
from projections.balances.project import project
from projections.balances.store import BalancesStore
from projections.generations.views import Reach
from projections.replay.differences import Difference, differing_fields, is_under_way
from projections.replay.reaching import Reaches, is_behind
from projections.replay.replayable import Replayable, VersionOf

#: Of a part, each account is written once: the larger, the fewer writes of a busy account.
PART_EVENTS: Final = 5_000
#: Up to so many accounts are read one by one; for more, the table is read as a whole.
POINT_READS_MAX: Final = 200
#: A busy account is looked at so often to find both generations equally far.
_LOOKS_MAX: Final = 5
_OF_AN_ACCOUNT: Final = "account/"  # begins the ids of the metadata of accounts

_Seen = tuple[Account | None, Metadata | None]


def reach_of(event: Event) -> Iterator[tuple[str, Reach]]:
    """How far the accounts that the event is about have come by it; see `apply.reach`."""
    profile = profile_of(event)
    for entry in entries_of(event):
        yield entry.id, (entry.version, profile.profile_version if profile else 0, 0)
    metadata = metadata_of(event)
    if metadata is not None:
        yield metadata.account, reach(None, metadata)


def required(key: Key, version: int) -> tuple[str, Reach] | None:
    """How far an account must have come if a state is at a version."""
    if key.kind == "account":
        return key.id, (version, 0, 0)
    if key.kind == "metadata" and key.id.startswith(_OF_AN_ACCOUNT):
        return key.id.removeprefix(_OF_AN_ACCOUNT), (0, 0, version)
    return None


def possible(version_of: VersionOf, account: str) -> Reach:
    """The furthest that an account can have come: any of its events may be of its profile."""
    version = version_of(account_key(account))
    return version, version, version_of(metadata_key("account", account))


def lagging(store: BalancesStore, reaches: Reaches) -> set[str]:
    """The accounts that are not as far yet."""
    if len(reaches) > POINT_READS_MAX:
        metadata = {one.account: one for one in store.all_metadata()}
        accounts = {one.totals.account: one for one in store.accounts()}
        # What was written during the scans may have been missed.
        reaches = {
            name: one
            for name, one in reaches.items()
            if is_behind(reach(accounts.get(name), metadata.get(name)), one)
        }
        if len(reaches) > POINT_READS_MAX:
            return set(reaches)
    names = list(reaches)
    there, given = store.some(names), store.metadata(names)
    return {
        name
        for name, one in reaches.items()
        if is_behind(reach(there.get(name), given.get(name)), one)
    }


def settle(store: BalancesStore, reaches: Reaches) -> None:
    """Nothing: an account's items are all there is of it."""


def differences(
    live: BalancesStore,
    rebuilt: BalancesStore,
    reaches: Reaches,
    furthest: Callable[[str], Reach],
) -> Iterator[Difference]:
    """Field by field, for every account that the two say something else of."""
    there = {one.totals.account: one for one in live.accounts()}
    made = {one.totals.account: one for one in rebuilt.accounts()}
    given_there = {one.account: one for one in live.all_metadata()}
    given_made = {one.account: one for one in rebuilt.all_metadata()}
    names = there.keys() | made.keys() | given_there.keys() | given_made.keys() | reaches.keys()
    for account in sorted(names):
        if (there.get(account), given_there.get(account)) != (
            made.get(account),
            given_made.get(account),
        ):
            yield from _of_account(
                account, live, rebuilt, reaches.get(account, (0, 0, 0)), furthest
            )


def _of_account(
    account: str,
    live: BalancesStore,
    rebuilt: BalancesStore,
    known: Reach,
    furthest: Callable[[str], Reach],
) -> Iterator[Difference]:
    was = now = _Nothing
    for _ in range(_LOOKS_MAX):  # one may have moved between the two looks
        was, now = _seen(live, account), _seen(rebuilt, account)
        if reach(*was) == reach(*now):
            break
    at_live, at_rebuilt, most = reach(*was), reach(*now), furthest(account)
    # The versions of profiles are not dense: a newer one would be in what is known of the totals.
    under_way = [
        is_under_way(
            at_live[part],
            at_rebuilt[part],
            known=known[part],
            possible=most[part],
            covered=max(known[0], known[1]) if part == _PROFILE else None,
        )
        for part in (_TOTALS, _PROFILE, _METADATA)
    ]
    yield from _of_totals_and_profile(account, was[0], now[0], under_way)
    if not under_way[_METADATA]:
        version = at_rebuilt[_METADATA] or at_live[_METADATA]
        yield from differing_fields(account, version, _metadata_fields(was), _metadata_fields(now))


def _of_totals_and_profile(
    account: str, was: Account | None, now: Account | None, under_way: list[bool]
) -> Iterator[Difference]:
    if was is None or now is None:
        there = was or now
        if there is not None and not under_way[_TOTALS]:
            version = there.totals.version
            yield Difference(
                subject=account, version=version, kind="missing" if was is None else "extra"
            )
        return
    version = now.totals.version
    if not under_way[_TOTALS]:
        yield from differing_fields(
            account,
            version,
            msgspec.structs.asdict(was.totals),
            msgspec.structs.asdict(now.totals),
        )
    if not under_way[_PROFILE]:
        yield from differing_fields(account, version, _profile_fields(was), _profile_fields(now))


_TOTALS, _PROFILE, _METADATA = range(3)  # in a reach
_Nothing: Final[_Seen] = (None, None)


def _seen(store: BalancesStore, account: str) -> _Seen:
    return store.account(account), store.metadata([account]).get(account)


def _profile_fields(account: Account) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(account.profile) if account.profile else {}
    return fields


def _metadata_fields(seen: _Seen) -> dict[str, object]:
    _, metadata = seen
    return msgspec.structs.asdict(metadata) if metadata else {}


REPLAYABLE: Final = Replayable(
    name="balances",
    part=PART_EVENTS,
    project=project,
    reach_of=reach_of,
    required=required,
    possible=possible,
    lagging=lagging,
    settle=settle,
    differences=differences,
)
