"""What the projections have not seen: found from the states, the history and what is projected."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple, get_args

from msgspec.structs import replace

from ledger.application.publication import Published
from ledger.application.repair import (
    BrokenWalkError,
    Gap,
    Lost,
    lost_events,
    missing_events,
    outdated,
    tails,
)
from ledger.contracts.events import CorruptEventError, ProfileEvent, decode_event
from ledger.contracts.subjects import (
    Key,
    metadata_key,
    payment_key,
    stripe_key,
)
from ledger.domain.chain import StoredEvent
from ledger.upkeep.deployed import Deployed
from projections.balances.apply import Account
from projections.history.apply import Row
from projections.history.completeness import gaps
from projections.lanes import key_of_lane, stripe_of

_PROFILE_TYPES: Final = frozenset(str(one.__struct_config__.tag) for one in get_args(ProfileEvent))
_MAKING_TYPES: Final = frozenset({"payment.posted", "payment.authorized"})
_PUBLISHED_AT_A_TIME: Final = 500  # 500 events of 1 KiB: 50 requests


class Found(NamedTuple):
    """A gap of a projection: versions of an account, or the newest of something else."""

    projection: str
    gap: Gap | Lost


class Missing(NamedTuple):
    """The events that fill gaps, each once, and why some gaps cannot be filled."""

    events: list[StoredEvent]
    broken: list[str]


def all_gaps(ledger: Deployed) -> list[Found]:
    """Every gap of every projection, lost tails included."""
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for row in ledger.history().rows():
        rows[row.lane].append(row)
    for of_lane in rows.values():
        of_lane.sort(key=lambda row: row.version)
    return [
        *_of_history(ledger, rows),
        *_of_balances(ledger, rows),
        *_of_payments(ledger, rows),
    ]


def missing(ledger: Deployed, found: list[Found]) -> Missing:
    """One gap's trouble must not keep the others from being filled."""
    store = ledger.events()
    events: dict[str, StoredEvent] = {}
    broken: list[str] = []
    for _, gap in found:
        try:
            filling = (
                missing_events(store, [gap]) if isinstance(gap, Gap) else lost_events(store, [gap])
            )
            events.update((event.id, event) for event in filling)
        except (BrokenWalkError, CorruptEventError) as error:
            broken.append(str(error))
    return Missing(list(events.values()), broken)


def publish(ledger: Deployed, events: list[StoredEvent]) -> int:
    """Put events onto the bus again; how many it did not take."""
    publisher = ledger.publisher()
    to_publish = [
        Published(str(decode_event(event.data).__struct_config__.tag), event.data.decode())
        for event in events
    ]
    return sum(
        len(publisher.publish(to_publish[start : start + _PUBLISHED_AT_A_TIME]))
        for start in range(0, len(to_publish), _PUBLISHED_AT_A_TIME)
    )


def _of_history(ledger: Deployed, rows: dict[str, list[Row]]) -> Iterator[Found]:
    for lane, of_lane in rows.items():
        account, stripe = stripe_of(lane)
        for gap in gaps(lane, of_lane):
            yield Found("history", Gap(account, gap.first, gap.last, gap.event, stripe))
    newest = {key_of_lane(lane): of_lane[-1].version for lane, of_lane in rows.items()}
    for tail in tails(ledger.events(), newest):
        yield Found("history", tail)


def _of_balances(ledger: Deployed, rows: dict[str, list[Row]]) -> Iterator[Found]:
    accounts = {account.id: account for account in ledger.balances().accounts()}
    projected = {
        stripe_key(one.account, one.stripe): one.version
        for account in accounts.values()
        for one in account.stripes
    }
    # The balances keep the newest version only: what is missing below it is no gap of theirs.
    for gap in tails(ledger.events(), projected):
        yield Found("balances", replace(gap, first=gap.last))
    # An account's profile came with events of its own, which the history knows; or lacks, and then
    # that is a gap of its own. What its first stripe says of it, all say.
    for lane, of_lane in rows.items():
        account, stripe = stripe_of(lane)
        newest = [row for row in of_lane if row.type in _PROFILE_TYPES and not stripe][-1:]
        for row in newest:
            if row.version > _profile_version(accounts.get(account)):
                yield Found("balances", Gap(account, row.version, row.version, row.event))
    yield from _metadata(ledger, "account", "balances", _account_metadata(ledger))


def _of_payments(ledger: Deployed, rows: dict[str, list[Row]]) -> Iterator[Found]:
    payments = {payment.id: payment for payment in ledger.payments().payments()}
    made = {row.event for of_lane in rows.values() for row in of_lane if row.type in _MAKING_TYPES}
    for payment in sorted(made):
        if payment not in payments or payments[payment].origin is None:
            yield Found("payments", Lost(payment_key(payment), 1, payment))
    progress = {
        payment_key(name): payment.progress.version
        for name, payment in payments.items()
        if payment.progress
    }
    for lost in outdated(ledger.events(), "payment", progress):
        yield Found("payments", lost)
    metadata = {
        metadata_key("payment", name): payment.metadata.metadata_version
        for name, payment in payments.items()
        if payment.metadata
    }
    yield from _metadata(ledger, "payment", "payments", metadata)


def _metadata(
    ledger: Deployed, subject: str, projection: str, projected: dict[Key, int]
) -> Iterator[Found]:
    for lost in outdated(ledger.events(), "metadata", projected):
        if lost.key.id.startswith(f"{subject}/"):
            yield Found(projection, lost)


def _account_metadata(ledger: Deployed) -> dict[Key, int]:
    return {
        metadata_key("account", one.account): one.metadata_version
        for one in ledger.balances().all_metadata()
    }


def _profile_version(account: Account | None) -> int:
    return account.profile.profile_version if account and account.profile else 0
