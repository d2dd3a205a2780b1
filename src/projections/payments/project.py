"""One batch of events into the payments; used by the handler, by repair and by replay alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from ledger.consuming.batches import Handled
from ledger.consuming.writing import Failed, one_by_one, written
from ledger.contracts.events import Event
from ledger.runtime.host import SideBySide
from projections.payments.apply import (
    FIRST_VERSION,
    Payment,
    coalesce,
    payment_in,
    payment_of_created,
)
from projections.payments.store import (
    TOGETHER_MAX,
    TOGETHER_MIN,
    PaymentsStore,
    listing_minute,
)


def project(
    store: PaymentsStore, events: Sequence[Event], *, side_by_side: SideBySide = one_by_one
) -> Handled:
    """Write what is newer. An event failed if its payment was not written, or not listed; to
    project it again is harmless.

    What is listed with others is listed before it is written. Lists may be ahead of the payments,
    but never behind: what comes again may come without those that it was to be listed with, and
    would be in no list then, as a payment that is there already is not written again.
    """
    payments = list(coalesce(events).values())
    lists = list(listed_together(payments))
    together: set[str] = set()
    code_by_payment: dict[str, str] = {}
    for some, done in zip(lists, written(side_by_side, store.list_together, lists), strict=True):
        members = list(map(payment_of_created, some))
        together.update(members)
        if isinstance(done, Failed):
            code_by_payment |= dict.fromkeys(members, done.code)
    to_write = [payment for payment in payments if payment.id not in code_by_payment]
    newer = outdated = 0
    answers = written(
        side_by_side, lambda one: store.write(one, listed=one.id not in together), to_write
    )
    for payment, answer in zip(to_write, answers, strict=True):
        if isinstance(answer, Failed):
            code_by_payment[payment.id] = answer.code
        else:
            newer += answer
            outdated += payment.parts - answer
    return Handled(
        failed={
            place: code_by_payment[part.id]
            for place, event in enumerate(events)
            if (part := payment_in(event)) is not None and part.id in code_by_payment
        },
        counts={"Writes": newer, "WritesOutdated": outdated, "Lists": len(lists)},
    )


def listed_together(payments: Iterable[Payment]) -> Iterator[Sequence[str]]:
    """When and as what those of the payments were made that are listed with others: those posted
    at once, by the minute."""
    by_minute: defaultdict[str, list[str]] = defaultdict(list)
    for payment in payments:
        origin, progress = payment.origin, payment.progress
        if origin and progress and (progress.status, progress.version) == ("posted", FIRST_VERSION):
            by_minute[listing_minute(origin.created)].append(origin.created)
    for created in by_minute.values():
        for start in range(0, len(created), TOGETHER_MAX):
            some = created[start : start + TOGETHER_MAX]
            if len(some) >= TOGETHER_MIN:
                yield some
