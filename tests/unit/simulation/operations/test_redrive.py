"""Redrives: nothing that can go back is left, and nothing is lost on the way."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest

from simulation.faults.kinds import Fault
from simulation.kernel.hub import SECOND
from simulation.operations.redrive import Interrupted, redrive, redrive_now_and_then
from tests.unit.simulation.operations.bank import CONSUMERS, Bank

DAY = 86_400 * SECOND
#: What nobody has died of in these tests: letters of them are made up.
_MADE_UP = ("system-commands-dlq", "webhook-deliveries-dlq")
_PAYMENTS = frozenset({"not-relayed", "not-consumed", "not-delivered", "sent", "sent-in-order"})


def buried(seed: int = 1) -> Bank:
    """A bank with dead letters in every place that it has; nothing is in the way any more."""
    bank = Bank(seed=seed)
    bank.limit(("Webhooks",), 0)
    bank.opened("a", "b").rest()
    bank.limit((*CONSUMERS, "Commands", "Relay"), 0)
    bank.paid("not-relayed").rest()
    bank.limit(("Relay",), None)
    bank.paid("not-consumed")
    bank.send("sent")
    bank.send_in_order("sent-in-order")
    bank.rest()
    bank.world.injector.change({Fault.BUS_DELIVERY_DEAD: 1.0})
    bank.paid("not-delivered").rest()
    bank.world.injector.quieten()
    bank.limit((*CONSUMERS, "Commands"), None)
    sqs = bank.world.sqs
    event = sqs.peek(bank.named("balances-dlq"))[0].body
    sqs.deliver(bank.named("bus-dlq"), event, sender_id="nobody")
    for queue in _MADE_UP:
        sqs.deliver(bank.named(queue), "nonsense", sender_id="nobody")
    return bank


def test_a_redrive_takes_every_place() -> None:
    """Of each place that the stack has it sends back everything, which then takes effect."""
    bank = buried()
    wiring = bank.world.wiring
    places = [one.name for one in wiring.queues if "-dlq" in one.name] + list(wiring.buckets)
    lying = bank.lying()
    assert {bank.named(name) for name in lying} == set(places)
    assert bank.played(lambda: redrive(bank.world)) == sum(lying.values())
    bank.rest()
    assert bank.lying() == dict.fromkeys(_MADE_UP, 1)  # buried again, as nonsense
    assert bank.payments() == _PAYMENTS
    assert bank.shown("/accounts/a")["debits_posted_minor"] == 5 * len(_PAYMENTS)
    entries = bank.shown("/accounts/a/history")["entries"]
    assert {one["event"] for one in entries} == {"open-a", *_PAYMENTS}
    assert all(bank.shown(f"/payments/{one}")["status"] == "posted" for one in _PAYMENTS)


def test_what_can_never_succeed_stays_where_it_is() -> None:
    """A handler has said so: its letter is not sent."""
    bank = Bank()
    bank.world.sqs.deliver(bank.named("commands"), "nonsense", sender_id="nobody")
    bank.rest()
    assert bank.lying() == {"commands-dlq": 1}
    assert bank.played(lambda: redrive(bank.world)) == 0
    assert bank.rest().lying() == {"commands-dlq": 1}
    assert bank.times("dead letters of") == []


@pytest.mark.parametrize("service", ["dynamodb", "events", "sqs"])
def test_a_redrive_that_is_stopped_is_given_again(service: str) -> None:
    """When what was out is there again all that was left goes, and each letter is counted once."""
    bank = buried()
    lying, begins = sum(bank.lying().values()), bank.hub.now
    bank.limit((*CONSUMERS, "Commands"), 0)  # or what has gone would die again while it is out
    task = bank.hub.spawn("operator", lambda: redrive(bank.world))
    bank.hub.after(SECOND // 10, lambda: bank.world.network.out(service, 60 * SECOND))
    bank.until(task)
    assert bank.hub.now - begins > 60 * SECOND
    assert task.done.result() == lying
    bank.limit((*CONSUMERS, "Commands"), None)
    assert bank.rest().lying() == dict.fromkeys(_MADE_UP, 1)


def test_letters_in_the_hands_of_another_are_waited_for() -> None:
    """Of a redrive that was interrupted between receiving and sending: they show again later."""
    bank, queue = of_one_place(3)
    task = bank.hub.spawn("operator", lambda: redrive(bank.world))
    while not bank.world.sqs.depth(queue)[1]:
        bank.hub.run(until=bank.hub.now + 100)
    bank.hub.kill(task, Interrupted())
    bank.until(task)
    assert len(bank.world.sqs.peek(queue)) == 3
    assert bank.played(lambda: redrive(bank.world)) == 3


def of_one_place(letters: int) -> tuple[Bank, str]:
    """A bank with so many letters in one place, the name of which comes with it."""
    bank = Bank()
    queue = bank.named("fraud-dlq")
    for _ in range(letters):
        bank.world.sqs.deliver(queue, "nonsense", sender_id="")
    return bank, queue


def test_letters_of_all_tries_are_counted() -> None:
    """Those, too, that went before the redrive was stopped in the middle of a place."""
    bank, queue = of_one_place(40)
    task = bank.hub.spawn("operator", lambda: redrive(bank.world))
    while len(bank.world.sqs.peek(queue)) == 40:
        bank.hub.run(until=bank.hub.now + 100)
    bank.limit(("Fraud",), 0)
    bank.world.network.out("sqs", SECOND * 60)
    assert 0 < len(bank.world.sqs.peek(queue)) < 40
    bank.until(task)
    assert task.done.result() == 40


def test_a_redrive_that_never_succeeds_is_told_of() -> None:
    """An operator does not try for ever, and does not take it for done."""
    bank = buried()
    bank.world.network.out("events", 30 * DAY)
    with pytest.raises(AssertionError, match="bus could not be redriven"):
        bank.played(lambda: redrive(bank.world))


def test_who_redrives_now_and_then_ends_with_the_run() -> None:
    """Again and again what has died since, some of the times interrupted; and not once after."""
    bank = buried()
    begins, hour = bank.hub.now, 3_600 * SECOND
    queue = bank.named("bus-dlq")
    event = bank.world.sqs.peek(queue)[0].body
    for number in range(30):
        bank.hub.after(number * hour, lambda: bank.world.sqs.deliver(queue, event, sender_id=""))
    task = bank.hub.spawn("operator", lambda: redrive_now_and_then(bank.world, begins + DAY))
    bank.rest()
    assert task.done.done
    times = [0, *(at - begins for at in bank.times("dead letters of bus"))]
    assert max(times) < DAY
    pauses = [after - before for before, after in pairwise(times)]
    assert 600 * SECOND < min(pauses) < 3 * hour < max(pauses)
    assert bank.times("has not sent back all")
    assert bank.lying()["bus-dlq"] >= 6


def test_a_redrive_that_is_interrupted_loses_nothing() -> None:
    """Wherever it ends: what it did till then stays done, and another one does the rest."""
    interrupted = 0
    for seed in range(5):
        bank = buried(seed)
        lying = sum(bank.lying().values())
        task = bank.hub.spawn("operator", partial(redrive, bank.world))
        moment = bank.world.chance.stream("moment").randrange(5 * SECOND)
        bank.hub.after(moment, partial(bank.hub.kill, task, Interrupted()))
        bank.until(task)
        interrupted += 0 < sum(bank.lying().values()) < lying
        bank.played(partial(redrive, bank.world))
        bank.rest()
        assert bank.lying() == dict.fromkeys(_MADE_UP, 1)
        assert bank.payments() == _PAYMENTS
    assert interrupted > 2
