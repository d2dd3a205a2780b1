"""One batch of events into the payments; used by the handler, by repair and by replay alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ledger.consuming.batches import NOT_TRIED, Handled
from ledger.contracts.events import Event
from ledger.runtime.faults import StoreError
from projections.payments.apply import coalesce, payment_in
from projections.payments.store import PaymentsStore

#: After this many writes that failed one behind the other the table is taken to be out of reach:
#: at 2 tries of 3 s each that is 18 s of a function's 30, and its answer still goes out.
FAILURES_IN_A_ROW_MAX: Final = 3


def project(store: PaymentsStore, events: Sequence[Event]) -> Handled:
    """Write what is newer. An event failed if the write to its payment failed; to project it again
    is harmless."""
    code_by_payment: dict[str, str] = {}
    written = outdated = in_a_row = 0
    for payment in coalesce(events).values():
        if in_a_row >= FAILURES_IN_A_ROW_MAX:
            code_by_payment[payment.id] = NOT_TRIED
            continue
        try:
            newer = store.write(payment)
        except StoreError as error:
            code_by_payment[payment.id] = error.code
            in_a_row += 1
        else:
            in_a_row = 0
            written += newer
            outdated += payment.parts - newer
    return Handled(
        failed={
            place: code_by_payment[part.id]
            for place, event in enumerate(events)
            if (part := payment_in(event)) is not None and part.id in code_by_payment
        },
        counts={"Writes": written, "WritesOutdated": outdated},
    )
