"""The fraud scorer's memory: a function of the set of events, bounded, and what it says it is."""

from __future__ import annotations

import json
import math
import statistics
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from consumers.fraud.codec import decoded, encoded
from consumers.fraud.features import (
    HOURS_KEPT,
    PAID_MAX,
    PAYEE_DAYS_KEPT,
    PAYEE_HASH_BITS,
    PAYEES_MAX,
    RUNS_MAX,
    WEEKS_KEPT,
    Features,
    Movement,
    TooManyGapsError,
    movements,
    observed,
    payee_hash,
)
from consumers.fraud.measures import WEEK_WEIGHTS, measured
from ledger.contracts import examples
from ledger.contracts.events import (
    ACCOUNT_EVENT_TYPES,
    AccountEvent,
    LaterPaymentEvent,
    PaymentCaptured,
    PaymentExpired,
    PaymentIncreased,
    PaymentReversed,
    PaymentVoided,
    decode_event,
    entries_of,
)
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.runtime.faults import BrokenItemError
from tests.support.fraud import DAY, MONDAY, WEEK, Ledger, histories, learned


@given(st.data(), histories())
def test_duplicates_and_any_order_give_the_same_features(
    data: st.DataObject, history: list[Movement]
) -> None:
    """Whatever order events come in, and however often each, what is remembered is the same."""
    again = data.draw(st.lists(st.sampled_from(history), max_size=10))
    order = data.draw(st.permutations([*history, *again]))
    expected = learned(history)
    assert learned(order) == expected
    assert encoded(learned(order)) == encoded(expected)


@given(histories())
def test_features_are_the_sums_of_what_lies_within_the_horizons(history: list[Movement]) -> None:
    """Buckets, payees and versions equal a plain recomputation from all events at once."""
    features = learned(history)
    moving = [each for each in history if each.sent_minor or each.received_minor]
    newest = max([0, *(each.hour for each in moving)])
    sending = [each for each in moving if each.sent_minor]
    hours = {each.hour for each in sending if each.hour > newest - HOURS_KEPT}
    assert features.sent == {
        hour: _sums([each.sent_minor for each in sending if each.hour == hour]) for hour in hours
    }
    weeks = {each.hour // WEEK for each in sending}
    assert features.sent_weeks == {
        week: _sums([each.sent_minor for each in sending if each.hour // WEEK == week])
        for week in weeks
        if week > newest // WEEK - WEEKS_KEPT
    }
    received: Counter[int] = Counter()
    for each in moving:
        if each.received_minor and each.hour > newest - HOURS_KEPT:
            received[each.hour] += each.received_minor
    assert features.received == received
    days = [
        (each.hour // DAY, payee)
        for each in sending
        for payee in each.payees
        if each.hour // DAY > newest // DAY - PAYEE_DAYS_KEPT
    ]
    last = sorted({(max(day for day, other in days if other == who), who) for _, who in days})
    assert features.payees == {payee: day for day, payee in last[-PAYEES_MAX:]}
    assert features.paid == {key: days.count(key) for key in sorted(set(days))[-PAID_MAX:]}
    assert features.versions == ((1, len(history)),)
    assert features.opened_hour == max(0, history[0].hour)


@pytest.mark.parametrize("late", [False, True], ids=["in order", "late"])
def test_what_is_beyond_a_horizon_is_dropped_and_what_is_within_stays(late: bool) -> None:
    """Hour, week and day at the very edge, whether they come early or late."""
    newest = MONDAY + 30 * WEEK + 5
    edges = {
        newest - HOURS_KEPT: "hour out",
        newest - HOURS_KEPT + 1: "hour in",
        (newest // WEEK - WEEKS_KEPT) * WEEK + WEEK - 1: "week out",
        (newest // WEEK - WEEKS_KEPT + 1) * WEEK: "week in",
        (newest // DAY - PAYEE_DAYS_KEPT) * DAY + DAY - 1: "payee out",
        (newest // DAY - PAYEE_DAYS_KEPT + 1) * DAY: "payee in",
    }
    ledger = Ledger()
    for hour, name in edges.items():
        ledger.pay(("ann", name, 7), hour=hour)
        ledger.pay(("bob", "ann", 9), hour=hour)
    ledger.pay(("ann", "now", 7), hour=newest)
    own = [each for event in ledger.events for each in movements(event) if each.account == "ann"]
    features = learned(own[::-1] if late else own)
    assert set(features.sent) == {newest, newest - HOURS_KEPT + 1}
    assert set(features.received) == {newest - HOURS_KEPT + 1}
    week = newest // WEEK
    assert min(features.sent_weeks) == week - WEEKS_KEPT + 1
    oldest = newest // DAY - PAYEE_DAYS_KEPT
    kept = [name for hour, name in edges.items() if hour // DAY > oldest]
    assert "payee in" in kept
    assert "payee out" not in kept
    assert set(features.payees) == set(map(payee_hash, [*kept, "now"]))


@given(histories(12), st.integers(0, 60))
def test_what_is_stored_is_read_back(history: list[Movement], gap: int) -> None:
    """Bytes give the features that they were made of; fewer or more bytes are refused."""
    features = learned(history[gap % len(history) :])
    data = encoded(features)
    assert decoded(data) == features
    for broken in (data[:-1], data + b"\0", b"", b"\xff"):
        with pytest.raises(BrokenItemError):
            decoded(broken)


def test_features_have_one_form_in_bytes() -> None:
    """The same numbers written otherwise are nobody's work, and refused."""
    data = encoded(Features())
    assert data[:1] == b"\0"
    with pytest.raises(BrokenItemError):
        decoded(b"\x80\0" + data[1:])


def test_the_fullest_features_stay_far_below_an_item() -> None:
    """Every hour, week and payee in use, with the largest amounts: 4 KB; with all gaps, 7."""
    most = (10**9, 10**9 * AMOUNT_MINOR_MAX, 10**9 * AMOUNT_MINOR_MAX**2)
    hours = range(MONDAY, MONDAY + HOURS_KEPT)
    widest = 1 << (PAYEE_HASH_BITS - 1)
    full = Features(
        versions=((1, 2**40),),
        opened_hour=MONDAY,
        newest_hour=hours[-1],
        sent=dict.fromkeys(hours, most),
        received=dict.fromkeys(hours, most[1]),
        sent_weeks=dict.fromkeys(range(MONDAY // WEEK - WEEKS_KEPT, MONDAY // WEEK), most),
        payees={widest + place: MONDAY // DAY - 90 for place in range(PAYEES_MAX)},
        paid={(MONDAY // DAY - 90, widest + place): 10**6 for place in range(PAID_MAX)},
    )
    assert decoded(encoded(full)) == full
    assert len(encoded(full)) <= 4 * 1024
    gaps = tuple((first, first) for first in range(2**40, 2**40 + 200 * RUNS_MAX, 200))
    worst = Features(versions=gaps)
    assert len(gaps) == RUNS_MAX
    assert len(encoded(full)) + len(encoded(worst)) <= 7 * 1024


def test_a_usual_customer_fits_one_write_unit() -> None:
    """A payment a day to twelve people, for a quarter: half a kilobyte."""
    ledger = Ledger()
    for day in range(91):
        ledger.pay(("ann", f"payee-{day % 12}", 1_000 + 37 * day), hour=MONDAY + day * DAY)
    features = learned([each for event in ledger.events for each in movements(event)][::2])
    assert features.payees
    assert len(encoded(features)) <= 512


def test_versions_that_are_too_scattered_are_refused_until_gaps_close() -> None:
    """The bound on gaps refuses, it never forgets; what is known or closes a gap still counts."""
    scattered = Features(versions=tuple((2 * n, 2 * n) for n in range(1, RUNS_MAX + 1)))
    with pytest.raises(TooManyGapsError):
        observed(scattered, Movement(account="ann", version=5_000, hour=1))
    closing = observed(scattered, Movement(account="ann", version=3, hour=1))
    assert len(closing.versions) == RUNS_MAX - 1
    assert observed(scattered, Movement(account="ann", version=2, hour=9)) is scattered


def test_time_is_the_effective_time_but_never_later_than_the_recorded_one() -> None:
    """An imported past counts as past; a date slipped into the future does not age the rest."""
    ledger = Ledger()
    past = ledger.pay(("ann", "bob", 1), hour=MONDAY, effective=MONDAY - 5 * WEEK)
    future = ledger.pay(("ann", "bob", 1), hour=MONDAY, effective=MONDAY + 500 * WEEK)
    assert {each.hour for each in movements(past)} == {MONDAY - 5 * WEEK}
    assert {each.hour for each in movements(future)} == {MONDAY}


@given(st.integers(1, 10**7), st.integers(1, 10**7), st.integers(0, 60))
def test_a_hold_is_a_payment_once_and_income_when_it_is_captured(
    held: int, captured: int, hours: int
) -> None:
    """To its payer it is what a payment posted in that hour is, whatever part of it is captured
    then, and in how many parts; to its payee, what was captured, when it was."""
    leg = ("ann", "bob", held)
    ledger, posted = Ledger(), Ledger()
    hold = ledger.hold(leg, hour=MONDAY)
    posted.pay(leg, hour=MONDAY)
    for amount in (captured, 1):
        ledger.later(PaymentCaptured, hold.id, ("ann", "bob", amount), hour=MONDAY + hours)
    plain, of_hold = features_of(posted, "ann"), features_of(ledger, "ann")
    assert of_hold == structs.replace(plain, versions=((1, 3),))
    found = features_of(ledger, "bob")
    assert found.received == {MONDAY + hours: captured + 1}
    assert (found.sent, found.versions) == ({}, ((1, 3),))


@pytest.mark.parametrize("kind", [PaymentVoided, PaymentExpired, PaymentReversed])
@given(st.integers(1, 10**7), st.integers(0, 60))
def test_what_is_released_or_given_back_undoes_nothing_and_is_no_income(
    kind: type[LaterPaymentEvent], minor: int, hours: int
) -> None:
    """Only a version more was seen: of the payer, and of who gives back."""
    ledger = Ledger()
    payment = ledger.pay(("ann", "bob", 10**7), hour=MONDAY)
    before = {name: features_of(ledger, name) for name in ("ann", "bob")}
    ledger.later(kind, payment.id, ("bob", "ann", minor), hour=MONDAY + hours)
    for name, features in before.items():
        assert features_of(ledger, name) == structs.replace(features, versions=((1, 2),))


def test_what_is_added_to_a_hold_is_one_more_payment_to_nobody_else() -> None:
    """It counts as sent, and no payee is paid once more; an increase of time alone is nothing."""
    ledger = Ledger()
    hold = ledger.hold(("ann", "bob", 500), hour=MONDAY)
    ledger.later(PaymentIncreased, hold.id, ("ann", "bob", 70), hour=MONDAY + 1)
    longer = ledger.later(PaymentIncreased, hold.id, hour=MONDAY + 2)
    assert movements(longer) == ()
    found = features_of(ledger, "ann")
    assert found.sent == {MONDAY: (1, 500, 500**2), MONDAY + 1: (1, 70, 70**2)}
    assert set(found.paid.values()) == {1}


@pytest.mark.parametrize("name", ACCOUNT_EVENT_TYPES)
def test_every_event_of_accounts_is_observed_and_those_without_money_change_nothing(
    name: str,
) -> None:
    """Each type that the ledger records: a version is seen; sums only of payments and captures."""
    event = decode_event(json.dumps(examples.EVENTS[name, 1]))
    assert isinstance(event, AccountEvent)
    found = movements(event)
    assert [each.account for each in found] == [
        entry.id for entry in entries_of(event) if entry.type == "liability"
    ]
    sends = {"payment.posted", "payment.authorized", "payment.increased"}
    assert any(each.sent_minor for each in found) == (name in sends)
    receives = {"payment.posted", "payment.captured"}
    assert any(each.received_minor for each in found) == (name in receives)


def test_only_customers_are_remembered_and_only_they_are_payees() -> None:
    """The bank's own accounts have no features, and a fee is a payment to nobody new."""
    ledger = Ledger()
    event = ledger.pay(("ann", "bob", 500), ("ann", "bank:fees", 5), hour=MONDAY)
    by_account = {each.account: each for each in movements(event)}
    assert set(by_account) == {"ann", "bob"}
    assert by_account["ann"].sent_minor == 505
    assert by_account["ann"].payees == {payee_hash("bob")}
    assert (by_account["bob"].received_minor, by_account["bob"].payees) == (500, frozenset())


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=8), st.integers(0, 12))
def test_mean_and_deviation_are_those_of_the_payments(amounts: list[int], age: int) -> None:
    """Within one week weights cancel: mean and deviation are the population's, rounded down."""
    features = Features(sent_weeks={MONDAY // WEEK - age: _sums(amounts)}, newest_hour=MONDAY)
    found = measured(features, _payment(MONDAY))
    mean = Fraction(sum(amounts), len(amounts))
    assert found.mean_minor == math.floor(mean)
    assert abs(found.deviation_minor - statistics.pstdev(amounts)) <= 1
    assert found.history == len(amounts)


def test_older_weeks_count_less_and_those_beyond_a_quarter_not_at_all() -> None:
    """The weight of a week halves every four; what is older than a quarter is no history."""
    assert [round(1_000 * 2 ** (-age / 4)) for age in range(13)] == list(WEEK_WEIGHTS)
    week = MONDAY // WEEK
    features = Features(sent_weeks={week: (1, 100, 100**2), week - 4: (1, 400, 400**2)})
    assert measured(features, _payment(MONDAY)).mean_minor == (1000 * 100 + 500 * 400) // 1500
    old = Features(sent_weeks={week - len(WEEK_WEIGHTS): (9, 9, 9)})
    assert measured(old, _payment(MONDAY)).history == 0


@given(histories(20), st.integers(0, 26 * WEEK))
def test_later_hours_do_not_count(history: list[Movement], hour: int) -> None:
    """Measures are as of the payment: sums of later hours, which came too early, are left out."""
    at = MONDAY + hour
    later = [each for each in history if each.hour // WEEK > at // WEEK]
    features = learned(history)
    horizon = Features(
        sent={hour: sums for hour, sums in features.sent.items() if hour <= at},
        received={hour: total for hour, total in features.received.items() if hour <= at},
        sent_weeks={week: sums for week, sums in features.sent_weeks.items() if week <= at // WEEK},
        payees=features.payees,
        paid={key: times for key, times in features.paid.items() if key[0] <= at // DAY},
        opened_hour=features.opened_hour,
    )
    found = measured(features, _payment(at))
    assert found == measured(horizon, _payment(at))
    assert found.history <= len(history) - len(later)


def test_a_burst_is_measured_against_what_was_usual_before_it() -> None:
    """The last 24 hours are not part of the norm, so that a burst does not become usual."""
    ledger = Ledger()
    for week in range(4):
        ledger.pay(("ann", "bob", 1_000), hour=MONDAY + week * WEEK)
    start = MONDAY + 4 * WEEK
    for hour in range(5):
        ledger.pay(("ann", "eve", 90_000), hour=start + hour)
    last = ledger.pay(("ann", "eve", 90_000), hour=start + 23)
    features = learned([movements(event)[0] for event in ledger.events[:-1]])
    found = measured(features, movements(last)[0])
    assert (found.history, found.mean_minor, found.deviation_minor) == (4, 1_000, 0)
    assert (found.payments_day, found.usual_payments_day) == (6, 1)
    assert (found.payee_times_day, found.usual_payee_times) == (6, 1)
    assert (found.payees_new, found.payees_known) == (0, 2)
    assert found.sent_day_minor == 6 * 90_000
    tomorrow = measured(features, _payment(start + 24))
    assert (tomorrow.history, tomorrow.payments_day) == (5, 5)


def test_how_often_a_payee_is_usually_paid_stays_known() -> None:
    """Who paid bob three times on a day may do so again: today's payments do not hide it."""
    ledger = Ledger()
    for _ in range(3):
        ledger.pay(("ann", "bob", 5), hour=MONDAY)
    ledger.pay(("ann", "joe", 5), hour=MONDAY)
    for again in range(1, 5):
        ledger.pay(("ann", "bob", 5), hour=MONDAY + WEEK + again)
        own = [movements(event)[0] for event in ledger.events]
        found = measured(learned(own[:-1]), own[-1])
        assert (found.payee_times_day, found.usual_payee_times) == (again, 3)


@pytest.mark.parametrize(("weeks", "usual"), [(0, 5), (1, 3), (4, 2), (12, 1), (30, 1)])
def test_the_usual_number_of_payments_counts_from_the_opening(weeks: int, usual: int) -> None:
    """Payments a day are averaged over the weeks that the account is open, rounded up."""
    week = MONDAY // WEEK
    features = Features(
        opened_hour=MONDAY - weeks * WEEK, sent_weeks={week: (31, 31, 31)}, newest_hour=MONDAY
    )
    assert measured(features, _payment(MONDAY)).usual_payments_day == usual


def features_of(ledger: Ledger, name: str) -> Features:
    """What all events of an account come to."""
    every = [each for event in ledger.events for each in movements(event)]
    return learned([each for each in every if each.account == name])


def _payment(hour: int) -> Movement:
    return Movement(account="ann", version=10**6, hour=hour, sent_minor=1)


def _sums(amounts: list[int]) -> tuple[int, int, int]:
    return len(amounts), sum(amounts), sum(amount * amount for amount in amounts)
