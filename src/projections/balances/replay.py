"""The balances, replayed: what is complete, and what differs. Its subjects are lanes: accounts, and
further stripes of striped ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Literal

import msgspec

from ledger.contracts.events import Event, entries_of
from ledger.contracts.subjects import Key, metadata_key
from projections.balances.apply import (
    Account,
    Metadata,
    Totals,
    metadata_of,
    profile_of,
    reach,
)
from projections.balances.project import project
from projections.balances.store import BalancesStore
from projections.generations.views import Reach
from projections.lanes import (
    key_of_lane,
    lane_of,
    lane_of_entry,
    lane_of_key,
    stripe_of,
)
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
    """How far the lanes that the event is about have come by it: the versions of their totals and,
    of a first stripe's lane, of the account's profile and metadata."""
    profile = profile_of(event)
    for entry in entries_of(event):
        described = profile.profile_version if profile and not entry.stripe_number else 0
        yield lane_of_entry(entry), (entry.version, described, 0)
    metadata = metadata_of(event)
    if metadata is not None:
        yield metadata.account, reach(None, metadata)


def required(key: Key, version: int) -> tuple[str, Reach] | None:
    """How far a lane must have come if a state is at a version."""
    lane = lane_of_key(key)
    if lane is not None:
        return lane, (version, 0, 0)
    if key.kind == "metadata" and key.id.startswith(_OF_AN_ACCOUNT):
        return key.id.removeprefix(_OF_AN_ACCOUNT), (0, 0, version)
    return None


def possible(version_of: VersionOf, lane: str) -> Reach:
    """The furthest that a lane can have come: any of its events may be of the profile."""
    version = version_of(key_of_lane(lane))
    account, stripe = stripe_of(lane)
    return version, version, 0 if stripe else version_of(metadata_key("account", account))


def lagging(store: BalancesStore, reaches: Reaches) -> set[str]:
    """The lanes that are not as far yet."""
    if len(reaches) > POINT_READS_MAX:
        metadata = {one.account: one for one in store.all_metadata()}
        accounts = {one.id: one for one in store.accounts()}
        # What was written during the scans may have been missed.
        reaches = {
            lane: one
            for lane, one in reaches.items()
            if is_behind(_reached(lane, accounts, metadata), one)
        }
        if len(reaches) > POINT_READS_MAX:
            return set(reaches)
    names = list({stripe_of(lane)[0]: None for lane in reaches})
    there, given = store.some(names), store.metadata(names)
    return {lane for lane, one in reaches.items() if is_behind(_reached(lane, there, given), one)}


def _reached(lane: str, accounts: Mapping[str, Account], metadata: Mapping[str, Metadata]) -> Reach:
    """How far a lane is projected."""
    name, stripe = stripe_of(lane)
    account = accounts.get(name)
    if not stripe:
        return reach(account, metadata.get(name))[:_PARTS]
    found = (one.version for one in account.others if one.stripe == stripe) if account else iter(())
    return next(found, 0), 0, 0


def settle(store: BalancesStore, reaches: Reaches) -> None:
    """Nothing: an account's items are all there is of it."""


def differences(
    live: BalancesStore,
    rebuilt: BalancesStore,
    reaches: Reaches,
    furthest: Callable[[str], Reach],
) -> Iterator[Difference]:
    """Field by field, for every account that the two say something else of."""
    there = {one.id: one for one in live.accounts()}
    made = {one.id: one for one in rebuilt.accounts()}
    given_there = {one.account: one for one in live.all_metadata()}
    given_made = {one.account: one for one in rebuilt.all_metadata()}
    known = {stripe_of(lane)[0] for lane in reaches}
    names = there.keys() | made.keys() | given_there.keys() | given_made.keys() | known
    for account in sorted(names):
        if (there.get(account), given_there.get(account)) != (
            made.get(account),
            given_made.get(account),
        ):
            yield from _of_account(account, live, rebuilt, reaches, furthest)


def _of_account(
    account: str,
    live: BalancesStore,
    rebuilt: BalancesStore,
    reaches: Reaches,
    furthest: Callable[[str], Reach],
) -> Iterator[Difference]:
    was = now = _Nothing
    for _ in range(_LOOKS_MAX):  # one may have moved between the two looks
        was, now = _seen(live, account), _seen(rebuilt, account)
        if reach(*was) == reach(*now):
            break
    at_live, at_rebuilt, most = reach(*was), reach(*now), furthest(account)
    known = reaches.get(account, (0, 0, 0))
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
    yield from _of_stripes(account, was[0], now[0], reaches, furthest)


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


def _of_stripes(
    account: str,
    was: Account | None,
    now: Account | None,
    reaches: Reaches,
    furthest: Callable[[str], Reach],
) -> Iterator[Difference]:
    """Of the further stripes of a striped account, each by itself."""
    there, made = _others(was), _others(now)
    for stripe in sorted(there.keys() | made.keys()):
        lane = lane_of(account, stripe)
        here, then = there.get(stripe), made.get(stripe)
        versions = here.version if here else 0, then.version if then else 0
        known, most = reaches.get(lane, (0, 0, 0))[_TOTALS], furthest(lane)[_TOTALS]
        if here == then or is_under_way(*versions, known=known, possible=most):
            continue
        if here is None or then is None:
            kind: Literal["missing", "extra"] = "missing" if here is None else "extra"
            yield Difference(subject=lane, version=max(versions), kind=kind)
        else:
            yield from differing_fields(
                lane, then.version, msgspec.structs.asdict(here), msgspec.structs.asdict(then)
            )


def _others(account: Account | None) -> dict[int, Totals]:
    return {one.stripe: one for one in account.others} if account else {}


_TOTALS, _PROFILE, _METADATA = range(3)  # in a reach
_PARTS: Final = 3
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
