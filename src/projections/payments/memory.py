"""The payments in memory, for tests and simulations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from projections.payments.apply import Payment, Status, payment_of_created


class MemoryPaymentsStore:
    """Like the table, without its errors. `writes` counts the requests that a table would get."""

    def __init__(self) -> None:
        self._payments: dict[str, Payment] = {}
        self._listed: set[str] = set()
        self.writes = 0

    def write(self, payment: Payment, *, listed: bool = True) -> int:
        known = self._payments.get(payment.id, Payment(payment.id))
        newer: dict[str, object] = {}
        if payment.origin and not known.origin:
            newer["origin"] = payment.origin
        if payment.progress and (
            not known.progress or known.progress.version < payment.progress.version
        ):
            newer["progress"] = payment.progress
            if listed:
                self._listed.add(payment.id)
        if payment.metadata and (
            not known.metadata
            or known.metadata.metadata_version < payment.metadata.metadata_version
        ):
            newer["metadata"] = payment.metadata
        self.writes += 1 if payment.parts in (1, len(newer)) else 1 + payment.parts
        if newer:
            self._payments[payment.id] = replace(known, **newer)
        return len(newer)

    def list_together(self, created: Sequence[str]) -> None:
        self.writes += 1
        self._listed.update(map(payment_of_created, created))

    def some(self, payments: Sequence[str]) -> Mapping[str, Payment]:
        return {name: self._payments[name] for name in payments if name in self._payments}

    def listed(self, status: Status, low: str, high: str, limit: int) -> tuple[str, ...]:
        found = [
            payment.origin.created
            for payment in list(self._payments.values())
            if payment.id in self._listed
            and payment.origin
            and payment.progress
            and payment.progress.status == status
        ]
        return tuple(sorted((one for one in found if low <= one <= high), reverse=True)[:limit])

    def payments(self) -> Iterator[Payment]:
        yield from list(self._payments.values())
