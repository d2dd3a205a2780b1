"""What every store of payments does, wherever it keeps them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ledger.contracts.postings import Posting
from ledger.contracts.primitives import AMOUNT_MINOR_MAX, POSTINGS_MAX
from ledger.contracts.rates import DeclaredRate
from projections.payments.apply import (
    Metadata,
    Origin,
    Payment,
    Progress,
    Status,
    Template,
    created_text,
    just_before,
)
from projections.payments.reading import read_page
from projections.payments.store import PaymentsStore

AT = "2026-11-21T23:10:05.123456Z"
ORIGIN = Origin(
    payment="booking-77",
    created=created_text(AT, "booking-77"),
    type="payment.authorized",
    effective_at="2026-11-20T00:00:00.000000Z",
    postings=(
        Posting(source="a", destination="b", amount_minor=100, currency="EUR"),
        Posting(source="b", destination="c", amount_minor=3, currency="EUR"),
    ),
)
PROGRESS = Progress(
    payment="booking-77",
    version=1,
    status="held",
    event="booking-77",
    changed_at=AT,
    authorized_minor=(100, 3),
    expires_at="2026-11-28T23:10:05.123456Z",
)
CAPTURED = Progress(
    payment="booking-77",
    version=2,
    status="captured",
    event="capture-1",
    changed_at="2026-11-22T00:00:00.000000Z",
    authorized_minor=(100, 3),
    captured_minor=(AMOUNT_MINOR_MAX, 0),
)
METADATA = Metadata(payment="booking-77", metadata_version=1, metadata={"room": "7"})
HELD = Payment("booking-77", origin=ORIGIN, progress=PROGRESS)
ID = HELD.id


def held_at(version: int) -> Payment:
    """HELD, some events later."""
    return msgspec.structs.replace(HELD, progress=progress_at(version))


def progress_at(version: int, **changes: Any) -> Progress:
    """PROGRESS in another version."""
    return msgspec.structs.replace(PROGRESS, version=version, **changes)


def created(payment: Payment) -> str:
    """Where a payment is listed."""
    assert payment.origin is not None
    return payment.origin.created


def another(payment: str, at: str = AT, status: Status = "held") -> Payment:
    """HELD as another payment."""
    return Payment(
        payment,
        origin=msgspec.structs.replace(ORIGIN, payment=payment, created=created_text(at, payment)),
        progress=progress_at(1, payment=payment, status=status),
    )


def test_a_payment_nobody_wrote_is_not_there(payments: PaymentsStore) -> None:
    """Not by its id, not in a list, not in a scan."""
    assert payments.some(["nobody"]) == {}
    assert payments.some([]) == {}
    assert payments.listed("held", "0", "~", 10) == ()
    assert list(payments.payments()) == []


def test_a_payment_reads_back_as_written(payments: PaymentsStore) -> None:
    """Every part, field by field."""
    whole = msgspec.structs.replace(HELD, metadata=METADATA)
    assert payments.write(whole) == 3
    assert payments.some([ID, "nobody"]) == {ID: whole}
    assert list(payments.payments()) == [whole]


@pytest.mark.parametrize(
    "changes",
    [
        {
            "type": "payment.posted",
            "rates": (
                DeclaredRate(from_posting=0, to_posting=1, rate="0.03", rounding="half_even"),
            ),
            "reference": "r",
            "description": "d",
            "first_metadata": {"room": "7"},
            "template": Template(name="sale", version=3, arguments='{"amount":5,"to":"b"}'),
        },
        {
            "type": "command.rejected",
            "reason": "account_not_found",
            "retry": "new_id",
            "field": "postings[0].source",
            "effective_at": msgspec.UNSET,
            "over_capture_bps": 500,
        },
        {
            "type": "command.rejected",
            "reason": "template_unknown",
            "retry": "new_id",
            "postings": (),
            "template": Template(name="sale", arguments=f'{{"amount":{"9" * 50}}}'),
        },
        {
            "postings": tuple(
                Posting(
                    source="a" * 64, destination="b" * 64, amount_minor=2**63 - 1, currency="EUR"
                )
                for _ in range(POSTINGS_MAX)
            ),
            "first_metadata": {f"key-{number}": "\U0001f4b6" * 256 for number in range(16)},
        },
    ],
    ids=["posted", "refused", "refused-template", "largest"],
)
def test_whatever_a_payment_is_reads_back_as_written(
    payments: PaymentsStore, changes: dict[str, Any]
) -> None:
    """Made in any way, or refused."""
    payment = Payment(ID, origin=msgspec.structs.replace(ORIGIN, **changes))
    assert payments.write(payment) == 1
    assert payments.some([ID]) == {ID: payment}


def test_parts_come_in_any_order(payments: PaymentsStore) -> None:
    """Metadata before progress before origin; each shows as it comes, and is listed when both that
    are needed are there."""
    assert payments.write(Payment(ID, metadata=METADATA)) == 1
    assert payments.write(Payment(ID, progress=CAPTURED)) == 1
    assert payments.some([ID]) == {ID: Payment(ID, progress=CAPTURED, metadata=METADATA)}
    assert payments.listed("captured", "0", "~", 10) == ()
    assert payments.write(HELD) == 1
    assert payments.some([ID]) == {
        ID: Payment(ID, origin=ORIGIN, progress=CAPTURED, metadata=METADATA)
    }
    assert payments.listed("held", "0", "~", 10) == ()
    assert payments.listed("captured", "0", "~", 10) == (created(HELD),)


def test_what_is_not_newer_changes_nothing(payments: PaymentsStore) -> None:
    """A repetition, an older version, another origin: 0, and no trace."""
    newest = Payment(ID, origin=ORIGIN, progress=CAPTURED, metadata=METADATA)
    payments.write(newest)
    assert payments.write(newest) == 0
    assert payments.write(HELD) == 0
    assert payments.write(Payment(ID, progress=PROGRESS)) == 0
    assert payments.write(Payment(ID, metadata=METADATA)) == 0
    assert payments.some([ID]) == {ID: newest}


def test_newer_progress_leaves_nothing_of_an_older_one(payments: PaymentsStore) -> None:
    """Amounts and expiry go when they are no longer; 10 is above 2 as a number."""
    payments.write(Payment(ID, origin=ORIGIN, progress=CAPTURED))
    bare = progress_at(10, status="voided", authorized_minor=(), expires_at=msgspec.UNSET)
    assert payments.write(Payment(ID, progress=bare)) == 1
    assert payments.some([ID]) == {ID: Payment(ID, origin=ORIGIN, progress=bare)}
    newer = Metadata(payment=ID, metadata_version=2, metadata={})
    payments.write(Payment(ID, metadata=METADATA))
    assert payments.write(Payment(ID, metadata=newer)) == 1
    assert payments.some([ID])[ID].metadata == newer


def test_a_payment_is_listed_under_the_status_that_it_has(payments: PaymentsStore) -> None:
    """And no longer under the one that it had."""
    payments.write(HELD)
    assert payments.listed("held", "0", "~", 10) == (created(HELD),)
    payments.write(Payment(ID, progress=CAPTURED))
    assert payments.listed("held", "0", "~", 10) == ()
    assert payments.listed("captured", "0", "~", 10) == (created(HELD),)


def test_a_list_is_of_all_shards_newest_first(payments: PaymentsStore) -> None:
    """By the time that they were made, then by id; from and to any time; so many and no more."""
    made = [
        another(f"p-{number}", f"2026-11-21T23:10:{number // 2:02}.000000Z") for number in range(24)
    ]
    for payment in made:
        payments.write(payment)
    payments.write(another("other", status="voided"))
    newest_first = sorted(map(created, made), reverse=True)
    assert payments.listed("held", "0", "~", 100) == tuple(newest_first)
    assert payments.listed("held", "0", "~", 7) == tuple(newest_first[:7])
    low, high = "2026-11-21T23:10:05.000000Z", "2026-11-21T23:10:08.000000Z"
    between = [one for one in newest_first if low <= one < high]
    assert len(between) == 6
    assert payments.listed("held", low, high, 100) == tuple(between)
    assert payments.listed("held", low, just_before(between[2]), 100) == tuple(between[3:])
    assert payments.listed("held", high, low, 100) == ()


def posted(number: int, second: int) -> Payment:
    """A payment that was posted at once."""
    return another(
        f"p-{number}", f"2026-11-21T23:{second // 60:02}:{second % 60:02}.000000Z", "posted"
    )


def write_together(payments: PaymentsStore, made: list[Payment]) -> None:
    """Write payments of one minute, and list them together."""
    for payment in made:
        payments.write(payment, listed=False)
    payments.list_together([created(payment) for payment in made])


def test_what_is_listed_together_is_listed_like_all_others(payments: PaymentsStore) -> None:
    """In the order of all, whichever lie between those of an item; each once, in however many
    items it is; from and to anywhere, the middle of an item included; so many and no more."""
    made = [posted(number, number * 7) for number in range(24)]
    alone = [one for number, one in enumerate(made) if number % 3 == 0]
    rest = [one for number, one in enumerate(made) if number % 3]
    for payment in alone:
        payments.write(payment)
    minutes = sorted({created(payment)[:16] for payment in rest})
    assert len(minutes) == 3
    for minute in minutes:
        some = [payment for payment in rest if created(payment)[:16] == minute]
        write_together(payments, some[::2])
        write_together(payments, some)  # the half again, as after a failure
    newest_first = sorted(map(created, made), reverse=True)
    assert payments.listed("posted", "0", "~", 100) == tuple(newest_first)
    for limit in (1, 5, 23):
        assert payments.listed("posted", "0", "~", limit) == tuple(newest_first[:limit])
    for place in newest_first:
        assert payments.listed("posted", place, "~", 100) == tuple(
            one for one in newest_first if one >= place
        )
        assert payments.listed("posted", "0", just_before(place), 100) == tuple(
            one for one in newest_first if one < place
        )
    assert {payment.id: payment for payment in payments.payments()} == {
        payment.id: payment for payment in made
    }


def test_what_moves_on_is_listed_where_it_stands(payments: PaymentsStore) -> None:
    """A payment that was listed together with others is listed by itself once it is reversed."""
    made = [posted(number, number) for number in range(3)]
    write_together(payments, made)
    reversed_ = progress_at(2, payment=made[1].id, status="reversed")
    payments.write(Payment(made[1].id, progress=reversed_))
    assert payments.listed("reversed", "0", "~", 9) == (created(made[1]),)
    page = read_page(payments, "posted", "0", "~", limit=9)
    assert [payment.id for payment in page.payments] == ["p-2", "p-0"]


def test_many_payments_are_read_at_once(payments: PaymentsStore) -> None:
    """More than one request takes; and a scan shows every one."""
    made = {f"p-{number}": another(f"p-{number}") for number in range(102)}
    for payment in made.values():
        payments.write(payment)
    assert payments.some(list(made)) == made
    assert {payment.id: payment for payment in payments.payments()} == made
