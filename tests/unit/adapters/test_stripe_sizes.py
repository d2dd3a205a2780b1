"""What striped accounts weigh: a test that breaks when someone adds weight."""

from __future__ import annotations

from msgspec.structs import replace

from ledger.adapters.dynamodb.codec import event_item, state_item
from ledger.contracts.primitives import STRIPES_MAX
from ledger.domain.chain import seal
from ledger.domain.stamp import Stamp
from ledger.domain.states import States
from tests.support.builders import NOON, advanced, opening, paying, state, striping
from tests.support.builders import accepted as accepted_event
from tests.support.items import KIB, item_bytes, transactional_write_units

ACTOR = "sqs:AROAEXAMPLEROLEID1234:upstream-payments-service-session"
TOTAL = 10**12
LAST = "e" * 36


def world(*ids: str) -> States:
    """Accounts of 16 stripes that have come far, each with limits and leases."""
    return States.of(
        replace(
            state(
                one,
                version=10**6,
                debits=TOTAL,
                credits=TOTAL,
                lowest=-(10**9),
                highest=10**12,
                stripe=stripe,
                stripes=16,
                stripes_made=16,
                floor_minor=-(10**8),
                ceiling_minor=10**11,
            ),
            last_event=LAST,
        )
        for one in ids
        for stripe in range(16)
    )


def test_a_payment_between_striped_accounts_costs_what_any_payment_does() -> None:
    """Three items of one KiB each, with ids of 36 characters, on the stripes with the longest
    numbers: 6 write units."""
    states = world("a" * 36, "b" * 36)
    command = paying("p" * 36, ("a" * 36, "b" * 36, 12_345))
    event = accepted_event(states, command, Stamp(NOON, ACTOR, 15))
    after, stored = advanced(states, event)
    items = [event_item(stored), *(state_item(after.stripes[f"{one * 36}/15"]) for one in "ab")]
    assert max(map(item_bytes, items)) <= KIB
    assert sum(map(transactional_write_units, items)) == 6


def test_one_that_moves_a_lease_costs_two_more() -> None:
    """Two of the stripe that gives it up, and the event is one KiB still."""
    states = world("a" * 36, "b" * 36)
    command = paying("p" * 36, ("a" * 36, "b" * 36, 10**8 + 1))
    event = accepted_event(states, command, Stamp(NOON, ACTOR, 15))
    assert [entry.stripe for entry in event.accounts] == [15, 0, 15]
    _, stored = advanced(states, event)
    assert transactional_write_units(event_item(stored)) in {2, 4}


def test_changes_of_the_whole_account_are_small_events() -> None:
    """An opening with all the stripes there may be: some 8 KiB."""
    command = replace(
        opening("a" * 36, id="o" * 36, min_balance_minor=-(10**9), max_balance_minor=10**12),
        stripes=STRIPES_MAX,
    )
    event = accepted_event(States(), command, Stamp(NOON, ACTOR))
    assert item_bytes(event_item(seal(event, States()))) < 8 * KIB
    states, _ = advanced(States(), event)
    changed = accepted_event(states, striping("a" * 36, STRIPES_MAX, id="s" * 36))
    assert item_bytes(event_item(seal(changed, states))) < 10 * KIB
