"""Batches through the scorer: few requests, races decided again, failures kept to their events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import pytest
from typing_extensions import override

from consumers.fraud import batch
from consumers.fraud.batch import ATTEMPTS_MAX, FAILURES_IN_A_ROW_MAX, Screener, packed
from consumers.fraud.features import Features
from consumers.fraud.measures import Measures
from consumers.fraud.memory import MemoryFraudStore
from consumers.fraud.rules import RulesScorer
from consumers.fraud.scorer import Assessment
from consumers.fraud.screening import Screening
from consumers.fraud.store import ACTIONS_MAX, Remembered, UnknownItemVersionError
from ledger.consuming.batches import NOT_TRIED
from ledger.runtime.faults import BrokenItemError
from tests.support.fraud import MONDAY, WEEK, Ledger, customer
from tests.support.fraud_world import Crash, World


def pairs(count: int) -> Ledger:
    """That many payments, each between two customers of its own."""
    ledger = Ledger()
    for place in range(count):
        ledger.pay((f"from-{place}", f"to-{place}", 100), hour=MONDAY + place)
    return ledger


def test_a_burst_is_judged_by_what_came_before_each_payment() -> None:
    """Within a batch the order of recording counts, whatever the order of the messages."""
    ledger = Ledger()
    start = customer(ledger)
    burst = [ledger.pay(("ann", "eve", 60_000), hour=start + place) for place in range(4)]
    world = World()
    failed, counts = world.screen(ledger.events[::-1])
    assert failed == {}
    verdicts = [world.verdicts[event.id] for event in burst]
    codes = [{reason.code for reason in verdict.reasons} for verdict in verdicts]
    assert ["new_counterparty" in each for each in codes] == [True, False, False, False]
    scores = [verdict.score_permille for verdict in verdicts]
    assert scores == [750, 900, 1000, 1000]
    assert counts["ScreenedBlock"] == 3
    assert counts["ScreenedReview"] == 1
    assert counts["ScreenedClear"] == 10
    assert counts["Verdicts"] == 14


def test_a_batch_costs_few_requests() -> None:
    """A hundred payments between disjoint customers: four reads, four transactions of 100."""
    world = World()
    assert world.screen(pairs(100).events)[0] == {}
    assert world.store.calls == {"load": 4, "save": 4}
    assert len(world.verdicts) == 100


def test_a_hot_account_is_written_once_a_transaction() -> None:
    """Ninety-eight payments of one customer to another are one transaction."""
    ledger = Ledger()
    for place in range(98):
        ledger.pay(("ann", "bob", 100 + place), hour=MONDAY)
    world = World()
    assert world.screen(ledger.events)[0] == {}
    assert world.memory.saves == 1
    assert world.memory.load(["ann"])["ann"].revision == 1
    ledger.pay(("ann", "bob", 1), hour=MONDAY)
    assert [len(run) for run in packed(list(enumerate(ledger.events)))] == [98, 1]


def test_transactions_hold_what_fits_in_the_order_of_recording() -> None:
    """No run exceeds the actions of a transaction, though a payment may have 90 accounts."""
    ledger = pairs(60)
    widest = [(f"a{place}", f"b{place}", 1) for place in range(45)]
    for place in range(3):
        ledger.pay(*widest, hour=MONDAY + 20 * place)
    runs = list(packed(list(enumerate(ledger.events))))
    recorded = [event.recorded_at for run in runs for _, event in run]
    assert recorded == sorted(recorded)
    for run in runs:
        accounts = {entry.id for _, event in run for entry in event.accounts}
        assert len(accounts) + len(run) <= ACTIONS_MAX
    assert [place for run in runs for place, _ in run] != []
    assert sum(map(len, runs)) == len(ledger.events)
    world = World()
    assert world.screen(ledger.events)[0] == {}


def test_what_nobody_pays_for_gets_no_verdict_and_is_remembered() -> None:
    """A top-up from the bank, an opening, a payment among the bank's own: nothing to screen."""
    ledger = Ledger()
    ledger.open("ann")
    ledger.pay(("bank:cash", "ann", 500), hour=MONDAY)
    ledger.pay(("bank:cash", "bank:fees", 5), hour=MONDAY)
    world = World()
    assert world.screen(ledger.events)[0] == {}
    assert world.sent == []
    assert world.features("ann")["ann"].received == {MONDAY: 500}
    assert world.features("ann")["ann"].versions == ((1, 2),)


def test_a_message_twice_in_one_batch_is_one_verdict_sent_twice() -> None:
    """The second copy finds the verdict of the first, in the same transaction."""
    [event] = pairs(1).events
    world = World()
    failed, counts = world.screen([event, event])
    assert failed == {}
    assert len(world.sent) == 2
    assert len(world.verdicts) == 1
    assert counts["Known"] == 1
    assert world.memory.saves == 1


def test_who_was_overtaken_reads_and_judges_again() -> None:
    """Another worker's payment in between is seen, and nothing of it is lost."""
    ledger = Ledger()
    customer(ledger)
    first, second = (
        ledger.pay(("ann", "eve", 60_000), hour=MONDAY + 900, id=f"p{place}") for place in range(2)
    )
    world, rival = World(), World()
    rival.memory = world.memory
    rival.__post_init__()
    world.deliver(ledger.events[:-2])
    world.store.faults = [None, "behind"]
    world.store.meanwhile = lambda: rival.deliver([first])
    failed, counts = world.screen([second])
    assert failed == {}
    assert counts["ScreeningConflicts"] == 1
    [reason] = [r for r in world.verdicts["p1"].reasons if r.code == "counterparty_repeated"]
    assert reason.value == 2
    assert len(world.pauses) == 1


def test_two_workers_with_the_same_message_send_one_verdict() -> None:
    """The slower one finds the event known and sends what the faster one stored."""
    ledger = Ledger()
    customer(ledger)
    event = ledger.pay(("ann", "eve", 60_000), hour=MONDAY + 900)
    world, rival = World(), World()
    rival.memory = world.memory
    rival.__post_init__()
    world.deliver(ledger.events[:-1])
    world.store.faults = [None, "behind"]
    world.store.meanwhile = lambda: rival.deliver([event])
    assert world.screen([event])[0] == {}
    assert world.verdicts[event.id] == rival.verdicts[event.id]


def test_who_is_overtaken_again_and_again_gives_up_for_now() -> None:
    """After so many attempts the messages come back later; pauses grow, and stay short."""
    ledger = Ledger()
    ledger.open("ann")
    target = ledger.pay(("ann", "eve", 100), hour=MONDAY)
    world, rival = World(), World()
    rival.memory = world.memory
    rival.__post_init__()
    world.store.faults = [None, "behind"] * ATTEMPTS_MAX
    world.store.meanwhile = lambda: rival.deliver([ledger.pay(("ann", "joe", 1), hour=MONDAY)])
    failed, counts = world.screen([target])
    assert failed == {0: batch.CONTENDED}
    assert counts["ScreeningConflicts"] == ATTEMPTS_MAX
    assert len(world.pauses) == ATTEMPTS_MAX - 1
    assert sum(world.pauses) < 1
    assert target.id not in world.verdicts


def test_an_outage_is_not_asked_again_and_again() -> None:
    """After a few failures in a row the rest of the batch is left for another time."""
    world = World()
    world.store.faults = ["before"] * 99
    failed, _ = world.screen(pairs(100).events)
    assert len(failed) == 100
    assert sorted(set(failed.values())) == [NOT_TRIED, "outage"]
    assert world.store.calls.total() == FAILURES_IN_A_ROW_MAX
    assert world.sent == []


def test_one_failed_transaction_fails_its_own_events_only() -> None:
    """The neighbours are screened, and their verdicts sent."""
    world = World()
    world.store.faults = [None, "before"]
    failed, _ = world.screen(pairs(66).events)
    assert sorted(failed) == list(range(33))
    assert len(world.verdicts) == 33


def test_a_broken_item_fails_the_events_of_its_account_only() -> None:
    """What no release wrote is never overwritten, and holds up nobody else."""

    class Broken(MemoryFraudStore):
        def load(self, accounts: Iterable[str]) -> Mapping[str, Remembered]:
            names = list(accounts)
            if "to-1" in names:
                raise BrokenItemError("not features")
            return super().load(names)

    world = World(memory=Broken())
    failed, _ = world.screen(pairs(3).events)
    assert failed == {1: batch.BROKEN_ITEM}
    assert set(world.verdicts) == {"payment-0", "payment-2"}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (BrokenItemError("no verdict"), batch.BROKEN_ITEM),
        (UnknownItemVersionError(), "unknown_item_version"),
    ],
)
def test_a_verdict_that_cannot_be_read_fails_its_payment_only(fault: Exception, code: str) -> None:
    """The payment that came again waits; new neighbours in its very transaction are screened."""

    class Broken(MemoryFraudStore):
        @override
        def screening(self, payment: str) -> Screening | None:
            raise fault

    world = World(memory=Broken())
    events = pairs(3).events
    world.deliver(events[:1])
    failed, _ = world.screen(events)
    assert failed == {0: code}
    assert set(world.verdicts) == {event.id for event in events}


def test_a_bug_over_one_event_fails_that_one_alone() -> None:
    """Its neighbours are screened each by itself; the code names the exception."""

    class Buggy(RulesScorer):
        def assess(self, payers: Sequence[Measures]) -> Assessment:
            if payers[0].account == "from-1":
                raise ZeroDivisionError
            return super().assess(payers)

    world = World()
    screener = Screener(
        world.store, Buggy(), world.send, random=lambda: 0.5, pause=world.pauses.append
    )
    failed, counts = screener.screen(list(enumerate(pairs(40).events)))
    assert failed == {1: "exception:ZeroDivisionError"}
    assert counts["Verdicts"] == len(world.verdicts) == 39


@pytest.mark.parametrize("hour", [-1, -2, -30 * WEEK])
def test_an_account_opened_before_1970_is_screened(hour: int) -> None:
    """Nothing of an imported past is too old to be remembered, or holds up its neighbours."""
    ledger = Ledger()
    ledger.open("ann", hour)
    ledger.pay(("ann", "bob", 5), hour=hour)
    ledger.pay(("ann", "bob", 5), hour=MONDAY)
    world = World()
    assert world.screen(ledger.events)[0] == {}
    assert world.features("ann")["ann"].opened_hour == 0


def test_an_event_beyond_the_gaps_waits_and_its_neighbours_do_not() -> None:
    """An account with too many gaps is refused; the other payments of the batch go on."""
    ledger = pairs(2)
    world = World()
    scattered = Features(versions=tuple((10 * n, 10 * n) for n in range(1, 1_001)))
    world.memory.save({"from-0": Remembered()}, {"from-0": scattered}, [])
    failed, _ = world.screen(ledger.events)
    assert failed == {0: batch.TOO_MANY_GAPS}
    assert set(world.verdicts) == {"payment-1"}


def test_a_known_payment_without_a_verdict_is_not_passed_over() -> None:
    """A table that lost a verdict is seen: the message fails and ends among the dead letters."""
    [event] = pairs(1).events
    world = World()
    world.deliver([event])
    world.memory._screenings.clear()  # noqa: SLF001 - a table that somebody meddled with
    assert world.screen([event])[0] == {0: batch.NO_VERDICT}


@pytest.mark.parametrize("fault", ["refused", "unknown"])
def test_a_verdict_that_may_not_have_been_sent_is_sent_again(fault: str) -> None:
    """Sending fails the message; it comes back, is known, and the same verdict goes out."""
    [event] = pairs(1).events
    world = World(sending=[fault])
    failed, counts = world.screen([event])
    assert failed == {0: "unsent"}
    assert counts["Verdicts"] == 0
    world.deliver([event])
    assert set(world.verdicts) == {event.id}
    assert world.memory.saves == 1


@pytest.mark.parametrize("call", range(3))
@pytest.mark.parametrize("fault", ["before", "after", "crash", "crash_after"])
def test_a_failure_at_any_call_loses_nothing_and_decides_nothing_twice(
    call: int, fault: str
) -> None:
    """Read, write, send: whichever fails, before or after it took effect, the outcome is that of
    a world in which nothing did."""
    ledger = Ledger()
    start = customer(ledger)
    burst: list[Any] = [ledger.pay(("ann", "eve", 60_000), hour=start) for _ in range(3)]
    calm, world = World(), World()
    for each in (calm, world):
        each.deliver(ledger.events[:-3])
    calm.deliver(burst)
    if call < 2:
        world.store.faults = [None] * call + [fault]
    else:
        sending: dict[str, str] = {"before": "refused", "after": "unknown"}
        world.sending = [sending.get(fault, fault)]
    with pytest.raises(Crash) if "crash" in fault else nullcontext():
        failed, _ = world.screen(burst)
        assert len(failed) == 3
    world.deliver(burst)
    assert world.verdicts == calm.verdicts
    assert world.features("ann", "eve") == calm.features("ann", "eve")
