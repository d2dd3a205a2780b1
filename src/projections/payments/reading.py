"""A page of the payments that are in one status."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from projections.payments.apply import Payment, Status, payment_of_created
from projections.payments.store import PaymentsStore

#: A page ends before it is longer, if it has anything: the answer must stay below Lambda's 6 MB.
#: A hundred of the longest payments are 2 MB, but what was refused may be 64 KiB each.
PAGE_BYTES_MAX: Final = 4_000_000
_ENCODE: Final = msgspec.json.Encoder().encode


class Page(Struct, frozen=True):
    """Payments, the newest first, all of which are in the status that was asked for; `more_before`
    is where the page ends in the list, if it goes on."""

    payments: tuple[Payment, ...]
    more_before: str | None


def read_page(store: PaymentsStore, status: Status, low: str, high: str, *, limit: int) -> Page:
    """Up to `limit` payments whose `created` lies between `low` and `high`, inclusive.

    There may be fewer though the list goes on: who has moved on since the index was written is left
    out, and a page is not longer than PAGE_BYTES_MAX. Raises StoreError.
    """
    created = store.listed(status, low, high, limit + 1)
    found = store.some([payment_of_created(place) for place in created[:limit]])
    payments: list[Payment] = []
    length, end = 0, None
    for place in created[:limit]:
        payment = found.get(payment_of_created(place))
        if payment is not None and payment.status == status:
            length += len(_ENCODE(payment))
            if payments and length > PAGE_BYTES_MAX:
                return Page(tuple(payments), end)
            payments.append(payment)
        end = place
    return Page(tuple(payments), end if len(created) > limit else None)
