"""The payments, replayed: what is complete, and what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

import msgspec
from msgspec import Struct

from ledger.contracts.events import Event
from ledger.contracts.subjects import Key, metadata_key, payment_key
from projections.generations.views import Reach
from projections.payments.apply import Payment, payment_in, reach
from projections.payments.project import project
from projections.payments.store import PaymentsStore
from projections.replay.differences import Difference, differing_fields, is_under_way
from projections.replay.reaching import Reaches, is_behind
from projections.replay.replayable import Replayable, VersionOf

#: Of a part, each payment is written once. Few have several events in one.
PART_EVENTS: Final = 1_000
#: Up to so many payments are read one by one; for more, the table is read as a whole.
POINT_READS_MAX: Final = 1_000
_COMPARED_AT_ONCE: Final = 100  # of one store's scan with as many of the other's: a batched read
#: A busy payment is looked at so often to find both generations equally far.
_LOOKS_MAX: Final = 5
_OF_A_PAYMENT: Final = "payment/"  # begins the ids of the metadata of payments


def reach_of(event: Event) -> Iterator[tuple[str, Reach]]:
    """How far the payment that the event is about has come by it; see `apply.reach`."""
    payment = payment_in(event)
    if payment is not None:
        yield payment.id, reach(payment)


def required(key: Key, version: int) -> tuple[str, Reach] | None:
    """How far a payment must have come if a state is at a version."""
    if key.kind == "payment":
        return key.id, (1, version, 0)
    if key.kind == "metadata" and key.id.startswith(_OF_A_PAYMENT):
        return key.id.removeprefix(_OF_A_PAYMENT), (1, 1, version)
    return None


def possible(version_of: VersionOf, payment: str) -> Reach:
    """The furthest that a payment can have come."""
    version = version_of(payment_key(payment))
    return min(version, 1), version, version_of(metadata_key("payment", payment))


def lagging(store: PaymentsStore, reaches: Reaches) -> set[str]:
    """The payments that are not as far yet."""
    behind = set(reaches)
    if len(behind) > POINT_READS_MAX:
        for payment in store.payments():
            if payment.id in behind and not is_behind(reach(payment), reaches[payment.id]):
                behind.discard(payment.id)
        if len(behind) > POINT_READS_MAX:
            return behind
    # What was written during the scan may have been missed.
    there = store.some([name for name in reaches if name in behind])
    return {name for name in behind if is_behind(reach(there.get(name)), reaches[name])}


def settle(store: PaymentsStore, reaches: Reaches) -> None:
    """Nothing: a payment's item is all there is of it."""


def differences(
    live: PaymentsStore, rebuilt: PaymentsStore, reaches: Reaches, furthest: Callable[[str], Reach]
) -> Iterator[Difference]:
    """Part by part and field by field, of every payment that the two say something else of.

    Neither is held in memory: each is read as a whole, and a hundred at a time are looked up in the
    other.
    """
    for made in _in_parts(rebuilt.payments()):
        there = live.some([payment.id for payment in made])
        for payment in made:
            if there.get(payment.id) != payment:
                yield from _of_payment(payment.id, live, rebuilt, reaches, furthest)
    for found in _in_parts(live.payments()):
        known = rebuilt.some([payment.id for payment in found])
        for payment in found:
            if payment.id not in known:
                yield from _of_payment(payment.id, live, rebuilt, reaches, furthest)


def _of_payment(
    payment: str,
    live: PaymentsStore,
    rebuilt: PaymentsStore,
    reaches: Reaches,
    furthest: Callable[[str], Reach],
) -> Iterator[Difference]:
    was = now = Payment(payment)
    for _ in range(_LOOKS_MAX):  # one may have moved between the two looks
        was = live.some([payment]).get(payment, Payment(payment))
        now = rebuilt.some([payment]).get(payment, Payment(payment))
        if reach(was) == reach(now):
            break
    at_live, at_rebuilt, most = reach(was), reach(now), furthest(payment)
    known = reaches.get(payment, (0, 0, 0))
    wrong = [
        part
        for part in range(len(known))
        if _PARTS[part](was) != _PARTS[part](now)
        and not is_under_way(
            at_live[part], at_rebuilt[part], known=known[part], possible=most[part]
        )
    ]
    version = (at_rebuilt if any(at_rebuilt) else at_live)[1]
    if wrong and not any(at_live):
        yield Difference(subject=payment, version=version, kind="missing")
    elif wrong and not any(at_rebuilt):
        yield Difference(subject=payment, version=version, kind="extra")
    else:
        for part in wrong:
            here, there = _PARTS[part](was), _PARTS[part](now)
            yield from differing_fields(payment, version, _fields(here), _fields(there))


#: In the order of a reach.
_PARTS: Final[tuple[Callable[[Payment], Struct | None], ...]] = (
    lambda payment: payment.origin,
    lambda payment: payment.progress,
    lambda payment: payment.metadata,
)


def _in_parts(payments: Iterable[Payment]) -> Iterator[list[Payment]]:
    remaining = iter(payments)
    while part := list(islice(remaining, _COMPARED_AT_ONCE)):
        yield part


def _fields(part: Struct | None) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(part) if part else {}
    return fields


REPLAYABLE: Final = Replayable(
    name="payments",
    part=PART_EVENTS,
    project=project,
    reach_of=reach_of,
    required=required,
    possible=possible,
    lagging=lagging,
    settle=settle,
    differences=differences,
)
