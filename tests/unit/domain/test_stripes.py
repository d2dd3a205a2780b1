"""Striped accounts: which stripes a command touches, and what is said when all are asked."""

from __future__ import annotations

import msgspec
import pytest
from msgspec import UNSET
from msgspec.structs import replace

from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.packing import transaction_of
from ledger.application.proposals import Proposal
from ledger.contracts.commands import Command
from ledger.contracts.events import (
    CommandRejected,
    Event,
    PaymentPosted,
    PaymentVoided,
    entries_of,
    entry_moved_minor,
    entry_pended_minor,
    moving_entries,
)
from ledger.contracts.primitives import STRIPE_TOTAL_MAX
from ledger.contracts.subjects import Key, account_key, stripe_key
from ledger.domain.accounts import AccountState, BrokenStateError
from ledger.domain.states import PaymentState, States
from ledger.domain.striped import stripes_of, whole
from tests.support.builders import (
    alerting,
    capturing,
    closing,
    freezing,
    holding,
    increasing,
    limit,
    limiting,
    opening,
    paying,
    reversing,
    striping,
    voiding,
)
from tests.support.spreading import proposed, spread


@pytest.fixture
def store() -> MemoryEventStore:
    """A bank without limits, and `s` with four stripes and 100 on each of them, none of which may
    be overdrawn: 400 in all."""
    made = MemoryEventStore()
    spread(made, opening("bank", account_type="asset", min_balance_minor=None))
    spread(made, replace(opening("s"), stripes=4))
    for stripe in range(4):
        spread(made, paying(f"fund{stripe}", ("bank", "s", 100)), stripe)
    return made


def states(store: MemoryEventStore) -> States:
    """All of them."""
    return States.of(store.states())


def stripes(store: MemoryEventStore, account: str = "s") -> tuple[AccountState, ...]:
    """The stripes of an account, in their order."""
    return stripes_of(states(store), account)


def actions(store: MemoryEventStore, command: Command, number: int) -> tuple[int, set[Key]]:
    """How many actions the transaction of a command has, and the states that it writes."""
    known, proposal = proposed(store, command, number)
    assert isinstance(proposal, Proposal)
    transaction = transaction_of(known, proposal)
    return transaction.actions, {write.key for write in transaction.writes}


def entries(event: Event) -> list[tuple[str, int, int, int | object | None]]:
    """Account, stripe, balance and floor of each entry."""
    return [
        (one.id, one.stripe_number, one.balance_minor, one.floor_minor)
        for one in entries_of(event)
        if one.id == "s"
    ]


def test_a_payment_writes_one_stripe_of_each_account(store: MemoryEventStore) -> None:
    """Three actions for two postings, 6 write units: no more than between accounts that are not
    striped. Which stripe it is, the spread says."""
    spread(store, replace(opening("t", min_balance_minor=None), stripes=3))
    for number in range(12):
        made = actions(store, paying("p", ("s", "t", 25)), number)
        assert made == (3, {stripe_key("s", number % 4), stripe_key("t", number % 3)})


def test_only_what_is_used_is_read(store: MemoryEventStore) -> None:
    """The account, which says how many stripes it has, and the one used."""
    known, _ = proposed(store, paying("p", ("s", "bank", 25)), 3)
    assert known.keys == {account_key("bank"), account_key("s"), stripe_key("s", 3)}


def test_a_stripe_that_lacks_room_takes_leases_of_the_richest(store: MemoryEventStore) -> None:
    """In the payment's own transaction; the balance of the giver stays as it is. Taker and giver
    share what is left."""
    spread(store, paying("more", ("bank", "s", 200)), 2)
    event = spread(store, paying("p", ("s", "bank", 150)), 1)
    assert isinstance(event, PaymentPosted)
    # Stripe 2 had 300 above its floor of 0, stripe 1 had 100: 250 are left.
    assert entries(event) == [("s", 1, -50, -175), ("s", 2, 300, 175)]
    assert [one.floor_minor for one in stripes(store)] == [0, -175, 175, 0]
    assert entry_moved_minor(event, event.accounts[0]) == (150, 0)
    assert entry_moved_minor(event, event.accounts[1]) == (0, 0)
    assert [one.key for one in moving_entries(event)] == [stripe_key("s", 1), account_key("bank")]


def test_everything_can_be_paid_from_one_stripe_and_no_more(store: MemoryEventStore) -> None:
    """400 and not 401, whichever stripe is asked; the refusal names the sum, and all stripes at
    their versions stand behind it."""
    refused = spread(store, paying("too-much", ("s", "bank", 401)), 2)
    assert isinstance(refused, CommandRejected)
    assert refused.reason == "insufficient_funds"
    assert [(one.kind, one.id, one.version) for one in refused.causes] == [
        ("account", "s", 2),
        ("stripe", "s/1", 2),
        ("stripe", "s/2", 2),
        ("stripe", "s/3", 2),
    ]
    assert refused.causes[0].values == {
        "available_minor": 400,
        "change_minor": -401,
        "min_balance_minor": 0,
    }
    assert [one.values for one in refused.causes[1:]] == [{}] * 3
    event = spread(store, paying("all", ("s", "bank", 400)), 2)
    assert entries(event)[0] == ("s", 2, -300, -300)
    account = whole(states(store), "s")
    assert account is not None
    assert account.balance_minor == 0


def test_a_refusal_rests_on_every_stripe(store: MemoryEventStore) -> None:
    """Its transaction checks each: if any moved on meanwhile, it does not stand."""
    known, proposal = proposed(store, paying("p", ("s", "bank", 401)), 0)
    assert isinstance(proposal, Proposal)
    checked = {check.key for check in transaction_of(known, proposal).checks}
    assert checked == {stripe_key("s", stripe) for stripe in range(4)}


def test_a_hold_ends_where_it_is(store: MemoryEventStore) -> None:
    """Whichever stripe the spread leads to by then, and however few are in use: what is pending on
    a stripe is captured, increased and released there."""
    spread(store, holding("h", ("s", "bank", 90)), 3)
    payment = states(store).payments["h"]
    assert payment.stripes == {"s": 3}
    spread(store, striping("s", 2))
    later: tuple[Command, ...] = (increasing("h", 5), capturing("h", 40), voiding("h"))
    for number, command in enumerate(later):
        event = spread(store, command, number)
        assert [entry.stripe_number for entry in moving_entries(event) if entry.id == "s"] == [3]
    assert stripes(store)[3].debits_pending_minor == 0
    assert stripes(store)[3].debits_posted_minor == 40


def test_a_hold_from_before_there_were_stripes_is_on_the_first(store: MemoryEventStore) -> None:
    """And ends there."""
    spread(store, opening("t"))
    spread(store, paying("fund-t", ("bank", "t", 50)))
    spread(store, holding("h", ("t", "bank", 30)))
    spread(store, striping("t", 4))
    event = spread(store, voiding("h"), 3)
    assert isinstance(event, PaymentVoided)
    assert entry_pended_minor(event, event.accounts[0]) == (-30, 0)
    assert stripes(store, "t")[0].debits_pending_minor == 0


def test_a_reversal_goes_anywhere(store: MemoryEventStore) -> None:
    """It is posted anew: only what is held has a place."""
    spread(store, paying("p", ("s", "bank", 50)), 1)
    event = spread(store, reversing("p"), 2)
    assert entries(event) == [("s", 2, 150, UNSET)]


def test_stripes_that_are_given_up_keep_their_balance_and_no_room(store: MemoryEventStore) -> None:
    """They count in the sum, take nothing new, and what comes free on them can be used at once."""
    spread(store, holding("h", ("s", "bank", 60)), 3)
    event = spread(store, striping("s", 2))
    assert [one.stripe_number for one in entries_of(event)] == [0, 1, 2, 3]
    # 340 are available: 170 of room for each that is in use.
    assert [one.floor_minor for one in stripes(store)] == [-70, -70, 100, 40]
    assert {one.stripes for one in stripes(store)} == {2}
    for number in range(8):
        _, written = actions(store, paying("p", ("bank", "s", 1)), number)
        assert written == {account_key("bank"), stripe_key("s", number % 2)}
    spread(store, voiding("h"))
    event = spread(store, paying("all", ("s", "bank", 400)), 1)
    assert not isinstance(event, CommandRejected)
    assert {one.stripe_number for one in entries_of(event) if one.id == "s"} == {0, 1, 3}


def test_what_changes_an_account_changes_every_stripe(store: MemoryEventStore) -> None:
    """Those given up included: each says all that is decided on."""
    spread(store, striping("s", 2))
    event = spread(store, freezing("s", "debits"))
    assert [one.stripe_number for one in entries_of(event)] == [0, 1, 2, 3]
    assert {one.frozen for one in stripes(store)} == {"debits"}
    refused = spread(store, paying("p", ("s", "bank", 1)), 1)
    assert isinstance(refused, CommandRejected)
    assert [(one.kind, one.id) for one in refused.causes] == [("stripe", "s/1")]


def test_an_account_is_closed_at_a_sum_of_0(store: MemoryEventStore) -> None:
    """Whatever its stripes have; and not before."""
    refused = spread(store, closing("s", id="early"))
    assert isinstance(refused, CommandRejected)
    assert (refused.reason, refused.causes[0].values["balance_minor"]) == (
        "account_not_empty",
        400,
    )
    assert len(refused.causes) == 4
    spread(store, paying("all", ("s", "bank", 400)), 1)
    assert [one.balance_minor for one in stripes(store)] == [100, -300, 100, 100]
    spread(store, closing("s"))
    assert {one.status for one in stripes(store)} == {"closed"}


def test_below_a_limit_that_was_tightened_nothing_is_leased(store: MemoryEventStore) -> None:
    """Then every payment that would go further looks at all, and is refused; what brings money is
    not. The first that may go again deals leases anew."""
    spread(store, limiting("s", min_balance_minor=500))
    assert {one.floor_minor for one in stripes(store)} == {None}
    refused = spread(store, paying("p", ("s", "bank", 1)), 1)
    assert isinstance(refused, CommandRejected)
    event = spread(store, paying("in", ("bank", "s", 300)), 1)
    assert len(entries(event)) == 1
    event = spread(store, paying("out", ("s", "bank", 20)), 2)
    assert [one.floor_minor for one in stripes(store)] == [55, 355, 35, 55]
    assert len(entries(event)) == 4


def test_alerts_and_velocity_limits_are_not_for_striped_accounts(store: MemoryEventStore) -> None:
    """Nor stripes for an account that has some; that it once was striped is enough."""
    spread(store, striping("s", 1))
    spread(store, opening("w"))
    spread(store, alerting("w", ("below", 5)))
    for command in (
        replace(alerting("s", ("below", 5)), id="1"),
        limiting("s", velocity=(limit(max_count=1),), id="2"),
        striping("w", 2, id="3"),
    ):
        event = spread(store, command)
        assert isinstance(event, CommandRejected)
        assert event.reason == "stripes_conflict"
    for harmless in (alerting("s", id="4"), limiting("s", velocity=(), id="5")):
        assert not isinstance(spread(store, harmless), CommandRejected)
    assert not isinstance(spread(store, striping("w", 1, id="6")), CommandRejected)


def test_totals_of_all_stripes_together_stay_within_64_bits(store: MemoryEventStore) -> None:
    """So each stops at a 32nd of what an account may have; and one that has more cannot be
    striped."""
    spread(store, opening("t", min_balance_minor=None))
    fits = paying("p", ("bank", "t", STRIPE_TOTAL_MAX))
    assert not isinstance(spread(store, fits), CommandRejected)
    spread(store, striping("t", 2, id="1"))
    event = spread(store, paying("q", ("bank", "t", 1)))
    assert isinstance(event, CommandRejected)
    assert event.reason == "balance_overflow"
    spread(store, opening("u", min_balance_minor=None))
    spread(store, paying("r", ("bank", "u", STRIPE_TOTAL_MAX + 1)))
    event = spread(store, striping("u", 2, id="2"))
    assert isinstance(event, CommandRejected)
    assert (event.reason, event.field) == ("balance_overflow", "stripes")


def test_stripes_are_never_looked_for_in_vain(store: MemoryEventStore) -> None:
    """A stripe that is not there, or says something else of the account than the first: they were
    not read together, and nothing is decided."""
    world = states(store)
    world.drop(stripe_key("s", 2))
    with pytest.raises(BrokenStateError, match="no stripe 2"):
        stripes_of(world, "s")
    world = states(store)
    world.put(replace(world.stripes["s/2"], min_balance_minor=-5, floor_minor=-1))
    with pytest.raises(BrokenStateError, match="not read together"):
        whole(world, "s")


def test_an_account_that_is_not_striped_has_nothing_new(store: MemoryEventStore) -> None:
    """Neither in its events nor in its state."""
    event = spread(store, paying("p", ("bank", "s", 1)), 2)
    (bank,) = [one for one in entries_of(event) if one.id == "bank"]
    assert b'"stripe"' not in msgspec.json.encode(bank)
    assert states(store).accounts["bank"].stripes_made == 1
    payment = spread(store, holding("h", ("s", "bank", 1)), 0)
    state = states(store).payments[payment.id]
    assert isinstance(state, PaymentState)
    assert state.stripes == {}
