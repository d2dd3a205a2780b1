"""What a commit weighs: a test that breaks when someone adds weight.

Sizes by DynamoDB's documented rules (tests/support/items.py).
"""

from __future__ import annotations

import msgspec
import pytest

from ledger.adapters.dynamodb.codec import event_item, state_item
from ledger.contracts.commands import Alert, PostPayment
from ledger.contracts.primitives import AMOUNT_MINOR_MAX, POSTINGS_MAX
from ledger.domain.chain import seal
from ledger.domain.decider import decide, rejected_event
from ledger.domain.rejections import Rejection
from ledger.domain.stamp import Stamp
from ledger.domain.states import States
from tests.support.builders import (
    NOON,
    accepted,
    advanced,
    opened,
    opening,
    paying,
    payment_of,
    state,
)
from tests.support.items import KIB, item_bytes, transactional_write_units

ITEM_BYTES_MAX = 400 * KIB
#: The caller of a REST request in a role of some length, as IAM names it: 103 characters.
ROLE = (
    "arn:aws:sts::123456789012:assumed-role/upstream-payments-service-role/"
    "upstream-payments-service-session"
)
QUEUE = "sqs:AROAEXAMPLEROLEID1234:upstream-payments-service-session"
BUS = "events:123456789012:com.example.core-banking"
LONGEST_ACTOR = "x" * 256


def name(kind: str, index: int, length: int) -> str:
    """An id of that many characters."""
    return f"{kind}{index:0>{length - len(kind)}}"


def weighed(
    length: int,
    *,
    legs: int = 1,
    actor: str,
    totals: int,
    version: int,
    command_of: dict[str, str] | None = None,
) -> tuple[int, list[int], int]:
    """The bytes of a payment's event and of its states, and its write units, for ids of `length`
    between accounts that have come to such totals and versions."""
    names = [name("a", index, length) for index in range(2 * legs)]
    states = States.of(
        msgspec.structs.replace(
            state(one, version=version, debits=totals, credits=totals),
            last_event=name("e", 1, length),
        )
        for one in names
    )
    amount = 12_345
    command: PostPayment = paying(
        name("p", 1, length),
        *[(names[2 * n], names[2 * n + 1], amount) for n in range(legs)],
        **(command_of or {}),  # type: ignore[arg-type]
    )
    event = accepted(states, command, Stamp(NOON, actor))
    after, stored = advanced(states, event)
    item, others = event_item(stored), [state_item(after.accounts[one]) for one in names]
    units = sum(map(transactional_write_units, (item, *others)))
    return item_bytes(item), [item_bytes(one) for one in others], units


@pytest.mark.parametrize("actor", [BUS, QUEUE, ROLE], ids=["bus", "queue", "role"])
def test_the_usual_payment_is_three_items_of_a_kib(actor: str) -> None:
    """36-character ids, no free text, totals up to ten billion euros after a million payments,
    whoever asked: 6 write units."""
    event, states, units = weighed(36, actor=actor, totals=10**12, version=10**6)
    assert event <= KIB
    assert max(states) <= KIB // 2 + 64
    assert units == 6


def test_totals_as_large_as_they_may_be() -> None:
    """With totals near 2^63 the usual payment still fits if the bus or a queue brought it; from a
    long role it takes a second unit pair for its event."""
    totals, version = AMOUNT_MINOR_MAX - 10**6, 10**9
    assert weighed(36, actor=BUS, totals=totals, version=version)[2] == 6
    assert weighed(36, actor=ROLE, totals=totals, version=version)[2] == 8


def test_at_the_limit_of_ids() -> None:
    """64-character ids cost the event a second pair of units, the states none; free text of the
    longest and the longest actor no more than that."""
    event, states, units = weighed(64, actor=BUS, totals=10**12, version=10**6)
    assert (KIB < event <= KIB + 256, max(states) <= KIB // 2 + 128, units) == (True, True, 8)
    text = {"reference": "r" * 64, "description": "d" * 140}
    event, _, units = weighed(
        64, actor=LONGEST_ACTOR, totals=AMOUNT_MINOR_MAX - 10**6, version=10**9, command_of=text
    )
    assert (event <= 2 * KIB, units) == (True, 8)


def test_the_longest_payment() -> None:
    """45 postings between 90 accounts, everything as long as it may be: an event of some 37 KiB,
    far from an item's 400 KiB, and a transaction far from 4 MiB."""
    event, states, units = weighed(
        64, legs=POSTINGS_MAX, actor=LONGEST_ACTOR, totals=AMOUNT_MINOR_MAX - 10**6, version=10**18
    )
    assert 30 * KIB < event < 40 * KIB < ITEM_BYTES_MAX
    assert max(states) < KIB
    assert units == 2 * 90 + 2 * -(-event // KIB)


def test_an_opening_and_a_refusal() -> None:
    """Opening an account writes two items of 1 KiB, recording a refusal one: 4 and 2 units."""
    ids = name("a", 1, 36), name("b", 1, 36)
    command = opening(ids[0], id=name("o", 1, 36))
    event = accepted(States(), command, Stamp(NOON, ROLE))
    after, stored = advanced(States(), event)
    items = [event_item(stored), state_item(after.accounts[ids[0]])]
    assert [transactional_write_units(item) for item in items] == [2, 2]
    payment = paying(name("p", 1, 36), (ids[0], ids[1], 12_345))
    states = opened([opening(one) for one in ids])
    refusal = decide(states, payment, Stamp(NOON, ROLE))
    assert isinstance(refusal, Rejection)
    refused = event_item(seal(rejected_event(payment, refusal, Stamp(NOON, ROLE)), states))
    assert transactional_write_units(refused) == 2


def test_alerts_cost_a_unit_only_when_they_are_crossed() -> None:
    """An account with all the alerts it may have, at the largest thresholds, is still one KiB; the
    rare event of a payment that crosses two of them is a little more."""
    ids = ("a" * 36, "b" * 36)
    watched = tuple(
        alert
        for threshold in (-AMOUNT_MINOR_MAX, -AMOUNT_MINOR_MAX + 1)
        for alert in (
            Alert(direction="below", threshold_minor=threshold),
            Alert(direction="above", threshold_minor=threshold),
        )
    )
    states = States.of(state(one, version=10**6, credits=10**12, watched=watched) for one in ids)
    assert max(item_bytes(state_item(one)) for one in states) < KIB
    near = tuple(Alert(direction="below", threshold_minor=10**12 - n) for n in (0, 1))
    states.put(state(ids[0], version=10**6, credits=10**12, watched=near))
    event = accepted(states, paying("p" * 36, (*ids, 5)), Stamp(NOON, ROLE))
    assert len(event.accounts[0].crossed) == 2
    assert KIB < item_bytes(event_item(seal(event, states))) < KIB + 128


def test_nothing_is_stored_twice() -> None:
    """The usual event's body holds each of its ids once for each thing it says of it."""
    states = States.of(state(one) for one in ("payer", "payee"))
    event = payment_of(accepted(states, paying("pay-1", ("payer", "payee", 5))))
    data = msgspec.json.encode(event)
    assert data.count(b'"pay-1"') == 1
    assert [data.count(b'"%s"' % one) for one in (b"payer", b"payee")] == [2, 2]
    assert b"null" not in data
    assert b"pending" not in data
