"""Batches through the scorer: few requests, races decided again, failures kept to their events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import pytest
from typing_extensions import override

from consumers.fraud import batch
from consumers.fraud.batch import ATTEMPTS_MAX, Screener
from consumers.fraud.features import Features
from consumers.fraud.measures import Measures
from consumers.fraud.memory import MemoryFraudStore
from consumers.fraud.rules import RulesScorer
from consumers.fraud.scorer import Assessment
from consumers.fraud.screening import Screening
from consumers.fraud.store import LOADED_AT_ONCE, Remembered, UnknownItemVersionError
from ledger.consuming.batches import NOT_TRIED
from ledger.consuming.writing import FAILURES_IN_A_ROW_MAX
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
    """A hundred payments between disjoint customers: two reads, a write for each account."""
    world = World()
    assert world.screen(pairs(100).events)[0] == {}
    assert world.store.calls == {"load": 2, "save": 200}
    assert len(world.verdicts) == 100


def test_a_hot_account_is_written_once_a_batch() -> None:
    """Whatever number of payments of one customer to another: a write for each of the two."""
    ledger = Ledger()
    for place in range(98):
        ledger.pay(("ann", "bob", 100 + place), hour=MONDAY)
    world = World()
    assert world.screen(ledger.events)[0] == {}
    assert world.memory.saves == 2
    assert world.memory.load(["ann"])["ann"].revision == 1


def test_no_read_asks_for_more_than_one_may() -> None:
    """A payment may have 90 accounts, and a batch more than one request can name."""
    ledger = Ledger()
    for batch_ in range(3):
        widest = [(f"a{batch_}-{place}", f"b{batch_}-{place}", 1) for place in range(45)]
        ledger.pay(*widest, hour=MONDAY)
    world = World()
    assert world.screen(ledger.events)[0] == {}
    assert world.store.calls["load"] == -(-270 // LOADED_AT_ONCE)


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


def test_an_event_twice_in_one_batch_is_judged_once() -> None:
    """And both come again if its verdict is not sent: the copy is not taken for known."""
    [event] = pairs(1).events
    world = World(sending=["refused"])
    assert world.screen([event, event])[0] == {0: "unsent", 1: "unsent"}
    assert world.memory.saves == 0
    failed, counts = world.screen([event, event])
    assert failed == {}
    assert len(world.sent) == 1
    assert counts["Known"] == 1
    assert world.memory.saves == 2


def overtaken(ledger: Ledger, *rivals: Any) -> World:
    """A world whose account ann is changed by somebody else between each read and write of it: by
    these events, one each time."""
    world, rival = World(), World()
    rival.memory = world.memory
    rival.__post_init__()
    world.deliver(ledger.events)
    waiting = list(rivals)
    world.store.faults = [None, "behind"] * len(rivals)
    world.store.meanwhile = lambda: rival.deliver([waiting.pop(0)])
    return world


def test_who_was_overtaken_reads_and_observes_again() -> None:
    """Another worker's payment in between stays observed; the verdict is by what was there when the
    batch was read, and is sent once."""
    ledger = Ledger()
    customer(ledger)
    known = list(ledger.events)
    first, second = (
        ledger.pay(("ann", "bank:cash", 60_000), hour=MONDAY + 900, id=f"p{at}") for at in range(2)
    )
    events, ledger.events = ledger.events, known
    world = overtaken(ledger, first)
    sent = len(world.sent)
    failed, counts = world.screen([second])
    assert failed == {}
    assert counts["ScreeningConflicts"] == 1
    assert [command.payment for command in world.sent[sent:]] == ["p1"]
    assert len(world.pauses) == 1
    calm = World()
    calm.deliver(events)
    assert world.features("ann") == calm.features("ann")


def test_of_two_workers_with_the_same_event_both_may_send_a_verdict() -> None:
    """The slower one had judged it when the faster one observed it: the ledger keeps the first, and
    the event is observed once."""
    ledger = Ledger()
    customer(ledger)
    known = list(ledger.events)
    event = ledger.pay(("ann", "bank:cash", 60_000), hour=MONDAY + 900)
    ledger.events = known
    world = overtaken(ledger, event)
    sent = len(world.sent)
    assert world.screen([event])[0] == {}
    assert [command.payment for command in world.sent[sent:]] == [event.id]
    assert world.features("ann")["ann"].versions == ((1, event.accounts[0].version),)


def test_who_is_overtaken_again_and_again_gives_up_for_now() -> None:
    """After so many attempts the messages come back later; pauses grow, and stay short. The verdict
    is sent, and will be again."""
    ledger = Ledger()
    ledger.open("ann")
    target = ledger.pay(("ann", "bank:cash", 100), hour=MONDAY)
    rivals = [ledger.pay(("ann", "bank:cash", 1), hour=MONDAY) for _ in range(ATTEMPTS_MAX)]
    ledger.events = ledger.events[:1]
    world = overtaken(ledger, *rivals)
    failed, counts = world.screen([target])
    assert failed == {0: batch.CONTENDED}
    assert counts["ScreeningConflicts"] == ATTEMPTS_MAX
    assert len(world.pauses) == ATTEMPTS_MAX - 1
    assert sum(world.pauses) < 1
    assert target.id in world.verdicts
    world.deliver([target])
    assert world.features("ann")["ann"].versions == ((1, 2 + ATTEMPTS_MAX),)


def test_an_outage_is_not_asked_again_and_again() -> None:
    """After a few failures in a row the rest of the batch is left for another time."""
    world = World()
    world.store.faults = ["before"] * 999
    failed, _ = world.screen(pairs(400).events)
    assert len(failed) == 400
    assert sorted(set(failed.values())) == [NOT_TRIED, "outage"]
    assert world.store.calls.total() == FAILURES_IN_A_ROW_MAX
    assert world.sent == []


def test_an_account_that_cannot_be_written_fails_its_own_events_only() -> None:
    """The neighbours are observed. Its verdict is sent: it will be judged again, and the ledger
    keeps the first."""
    world = World()
    world.store.faults = [None, None, "before"]
    failed, _ = world.screen(pairs(3).events)
    assert failed == {0: "outage"}
    assert len(world.verdicts) == 3
    world.deliver(pairs(3).events)
    assert world.features("to-0")["to-0"].versions == ((1, 1),)


def test_a_read_that_failed_fails_the_events_that_need_it() -> None:
    """The neighbours are judged and observed."""
    world = World()
    world.store.faults = ["before"]
    failed, _ = world.screen(pairs(60).events)
    assert sorted(failed) == list(range(50))
    assert len(world.verdicts) == 10


def test_a_broken_item_fails_the_events_of_its_account_only() -> None:
    """What no release wrote is never overwritten, and holds up nobody else."""

    class Broken(MemoryFraudStore):
        def load(self, accounts: Sequence[str]) -> Mapping[str, Remembered]:
            if "to-1" in accounts:
                raise BrokenItemError("not features")
            return super().load(accounts)

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
def test_a_verdict_that_cannot_be_kept_fails_its_payment_only(fault: Exception, code: str) -> None:
    """It is not sent, and its payment not observed: it comes again. Its neighbours go on, in the
    very account."""

    class Broken(MemoryFraudStore):
        @override
        def keep(self, screening: Screening) -> Screening:
            raise fault

    ledger = Ledger()
    start = customer(ledger)
    odd = ledger.pay(("ann", "eve", 60_000), hour=start)
    ledger.pay(("ann", "bob", 2_000), hour=start + 48)
    world = World(memory=Broken())
    failed, counts = world.screen(ledger.events)
    assert failed == {ledger.events.index(odd): code}
    assert odd.id not in world.verdicts
    assert counts["ScreenedReview"] == 0
    version = odd.accounts[0].version
    assert world.features("ann")["ann"].versions == ((1, version - 1), (version + 1, version + 1))


def test_a_verdict_that_is_not_clear_is_sent_as_it_was_kept_first() -> None:
    """So that the alert of the recorded one knows whom it is about."""
    ledger = Ledger()
    start = customer(ledger)
    odd = ledger.pay(("ann", "eve", 60_000), hour=start)
    world = World(sending=["refused"])
    failed, _ = world.screen(ledger.events)
    assert failed
    kept = world.memory.screening(odd.id)
    assert kept
    ledger.pay(("ann", "eve", 60_000), hour=start)
    world.deliver(ledger.events[-1:])  # what comes between may change the second judgement
    world.deliver(ledger.events)
    assert world.verdicts[odd.id] == kept.command


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
    world.memory.save("from-0", Remembered(), scattered)
    failed, _ = world.screen(ledger.events)
    assert failed == {0: batch.TOO_MANY_GAPS}
    assert set(world.verdicts) == {"payment-1"}


@pytest.mark.parametrize("fault", ["refused", "unknown"])
def test_a_verdict_that_may_not_have_been_sent_is_sent_again(fault: str) -> None:
    """Sending fails the message, and nothing is observed: it comes back, and is judged anew."""
    [event] = pairs(1).events
    world = World(sending=[fault])
    failed, counts = world.screen([event])
    assert failed == {0: "unsent"}
    assert counts["Verdicts"] == 0
    assert world.memory.saves == 0
    world.deliver([event])
    assert set(world.verdicts) == {event.id}
    assert world.memory.saves == 2


@pytest.mark.parametrize("call", range(6))
@pytest.mark.parametrize("fault", ["before", "after", "crash", "crash_after"])
def test_a_failure_at_any_call_loses_nothing_and_decides_nothing_twice(
    call: int, fault: str
) -> None:
    """Reading, keeping each of three verdicts, writing, sending: whichever fails, before or after
    it took effect, each payment has one verdict, and what is remembered is what happened. What
    could not be kept is judged later than what followed it; else verdicts are as in a world in
    which nothing failed."""
    ledger = Ledger()
    start = customer(ledger)
    burst: list[Any] = [ledger.pay(("ann", "eve", 60_000), hour=start) for _ in range(3)]
    calm, world = World(), World()
    for each in (calm, world):
        each.deliver(ledger.events[:-3])
    calm.deliver(burst)
    if call < 5:
        world.store.faults = [None] * call + [fault]
    else:
        sending: dict[str, str] = {"before": "refused", "after": "unknown"}
        world.sending = [sending.get(fault, fault)]
    with pytest.raises(Crash) if "crash" in fault else nullcontext():
        failed, _ = world.screen(burst)
        assert failed
    world.deliver(burst)
    assert set(world.verdicts) == set(calm.verdicts)
    if not (call in {1, 2, 3} and fault == "before"):
        assert world.verdicts == calm.verdicts
    assert world.features("ann", "eve") == calm.features("ann", "eve")
