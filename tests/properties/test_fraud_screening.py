"""Screening under duplicates, any order, races and crashes: one verdict a payment, nothing lost."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.fraud.features import movements
from ledger.contracts.events import (
    AccountEvent,
    LaterPaymentEvent,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentIncreased,
    PaymentPosted,
    PaymentReversed,
    PaymentVoided,
)
from tests.support.fraud import DAY, MONDAY, WEEK, Ledger, customer, learned
from tests.support.fraud_world import World

STORE_FAULTS = st.sampled_from([None, None, "before", "after", "crash", "crash_after"])
SENDING_FAULTS = st.sampled_from([None, None, "refused", "unknown", "crash", "crash_after"])
CUSTOMERS = ("ann", "bob", "eve", "joe")
LATER: tuple[type[LaterPaymentEvent], ...] = (
    *(PaymentCaptured, PaymentIncreased, PaymentVoided, PaymentReversed),
)


@st.composite
def ledgers(draw: st.DrawFn) -> Ledger:
    """Some accounts and payments of one to three legs among them and the bank, over weeks, some
    held and then captured, increased, released or given back; some begin before 1970."""
    ledger = Ledger()
    hour = draw(st.sampled_from([MONDAY, -1, -30 * DAY]))
    for name in CUSTOMERS:
        ledger.open(name, hour)
    for _ in range(draw(st.integers(1, 14))):
        hour += draw(st.sampled_from([0, 1, DAY, WEEK]))
        legs = draw(
            st.lists(
                st.tuples(
                    st.sampled_from([*CUSTOMERS, "bank:cash"]),
                    st.sampled_from([*CUSTOMERS, "bank:fees"]),
                    st.sampled_from([5, 2_000, 2_100, 90_000]),
                ).filter(lambda leg: leg[0] != leg[1]),
                min_size=1,
                max_size=3,
            )
        )
        if draw(st.booleans()):
            ledger.pay(*legs, hour=hour)
            continue
        hold = ledger.hold(*legs, hour=hour)
        for kind in draw(st.lists(st.sampled_from(LATER), max_size=2)):
            ledger.later(kind, hold.id, *legs, hour=hour + 1)
    return ledger


@settings(max_examples=120)
@given(st.data(), ledgers())
def test_whatever_fails_each_payment_gets_one_verdict_and_features_are_the_events(
    data: st.DataObject, ledger: Ledger
) -> None:
    """Duplicates, any order and batches, failures at any call before and after it took effect,
    lost answers, crashes: every payment that a customer pays has one verdict, and the features are
    those of the events."""
    world = World()
    again = data.draw(st.lists(st.sampled_from(ledger.events), max_size=6))
    order = data.draw(st.permutations([*ledger.events, *again]))
    world.store.faults = data.draw(st.lists(STORE_FAULTS, max_size=12))
    world.sending = data.draw(st.lists(SENDING_FAULTS, max_size=6))
    cuts = sorted({0, len(order), *data.draw(st.sets(st.integers(0, len(order)), max_size=4))})
    for start, end in pairwise(cuts):
        world.deliver(order[start:end])
    asked = {
        event.id
        for event in ledger.events
        if isinstance(event, PaymentPosted | PaymentAuthorized)
        and any(each.sent_minor for each in movements(event))
    }
    assert set(world.verdicts) == asked
    for name in CUSTOMERS:
        own = [each for event in ledger.events for each in movements(event) if each.account == name]
        assert world.features(name)[name] == learned(own)
    for payment, verdict in world.verdicts.items():
        # Whom an alert is about is known of every verdict that may give one.
        kept = world.memory.screening(payment)
        assert verdict.verdict == "clear" or (kept and kept.command == verdict)


@given(st.permutations(range(10)))
def test_a_verdict_stands_when_the_features_have_moved_on(order: list[int]) -> None:
    """A payment that comes again after others is known: it is not judged a second time."""
    ledger = Ledger()
    start = customer(ledger)
    burst: list[AccountEvent] = [
        ledger.pay(("ann", "eve", 50_000 + place), hour=start + place) for place in range(10)
    ]
    world = World()
    world.deliver(ledger.events)
    given = dict(world.verdicts)
    assert {given[event.id].verdict for event in burst} != {"clear"}
    for place in order:
        world.deliver([burst[place]])
    assert world.verdicts == given
    assert len(world.sent) == len(given)
