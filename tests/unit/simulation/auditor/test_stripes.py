"""Striped accounts: each stripe has a line of its own, and all of them are one account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ledger.contracts.commands import Command
from tests.support.builders import (
    alerting,
    batching,
    capturing,
    closing,
    expiring,
    freezing,
    holding,
    increasing,
    limit,
    limiting,
    opening,
    paying,
    reversing,
    striping,
    unfreezing,
    voiding,
)
from tests.unit.simulation.auditor.test_states import on_event, on_states
from tests.unit.simulation.auditor.witness import Change, Story, event_with, state_with

DAYS = 8 * 86_400 * 1_000_000

#: A life of an account of 900.00 on up to five stripes: everything that can be done to it.
LIFE: tuple[Command, ...] = (
    paying("small", ("fees", "bank", 100)),
    paying("large", ("fees", "bank", 70_000)),  # no stripe has as much
    paying("too-large", ("fees", "bank", 50_000)),
    holding("hold", ("fees", "bank", 9_000)),
    holding("kept", ("fees", "bank", 500)),
    holding("left", ("fees", "bank", 300)),
    increasing("hold", 1_000, id="hold:more"),
    freezing("fees", "debits"),
    paying("stopped", ("fees", "bank", 1)),
    unfreezing("fees", "debits"),
    alerting("fees", ("below", 10)),
    limiting("fees", velocity=(limit(max_count=5),), id="velocity"),
    limiting("fees", max_balance_minor=30_000, min_balance_basis="posted", id="bounds"),
    paying("over", ("bank", "fees", 20_000)),
    striping("fees", 5, id="more"),
    limiting("fees", min_balance_minor=25_000, max_balance_minor=None, id="tightened"),
    paying("beyond", ("fees", "bank", 1)),
    paying("back", ("bank", "fees", 10_000)),
    paying("within", ("fees", "bank", 4_000)),
    striping("fees", 1, id="fewer"),
    capturing("hold", 4_000, id="hold:some", final=False),
    capturing("hold", id="hold:rest"),
    voiding("kept", id="kept:void"),
    reversing("small", id="small:back"),
    batching("both", paying("b1", ("bank", "fees", 7)), paying("b2", ("fees", "bank", 7))),
    batching("neither", paying("n1", ("bank", "fees", 7)), paying("n2", ("fees", "bank", 90_000))),
    closing("fees", id="not-yet"),
)


def bank(*more: Command, seed: int = 0) -> Story:
    """Money on an account that is on three stripes."""
    story = Story()
    story.seed = seed
    story.does(
        opening("bank", min_balance_minor=None, account_type="asset"),
        opening("fees"),
        paying("first", ("bank", "fees", 90_000)),
        striping("fees", 3),
        *more,
    )
    return story


@pytest.mark.parametrize("seed", range(6))
def test_a_true_story_of_a_striped_account_breaks_no_promise(seed: int) -> None:
    """Wherever workers come to: each decision by one that comes to another stripe."""
    story = bank(seed=seed)
    for command in LIFE:
        story.seed += 1
        story.does(command)
    story.sweeps("left", at=story.now + DAYS)
    assert story.auditor.findings == []


def test_a_striped_account_can_be_closed() -> None:
    """Once nothing is left on it, on whichever stripe."""
    story = bank(paying("all", ("fees", "bank", 90_000)), closing("fees"))
    story.does(paying("late", ("bank", "fees", 1)))
    assert story.auditor.findings == []
    assert b"account.closed" in story.record("close:fees")


def with_entry(place: int, **fields: Any) -> Callable[[Change], Change]:
    """The event with something else in the entry at that place."""

    def changed(change: Change) -> Change:
        assert change.new is not None
        entries = msgspec.json.decode(change.new["data"]["S"])["accounts"]
        entries[place] |= fields
        return event_with(change, accounts=entries)

    return changed


@pytest.mark.parametrize(
    ("place", "fields"),
    [
        (0, {"floor_minor": -52_499}),
        (1, {"floor_minor": -52_500}),
        (1, {"floor_minor": None}),
        (0, {"ceiling_minor": 5}),
    ],
)
def test_leases_that_do_not_add_up_are_found(place: int, fields: dict[str, Any]) -> None:
    """Or of which one is missing, or of a limit that there is not."""
    story = bank()
    story.tampering = on_event(with_entry(place, **fields))
    story.does(paying("large", ("fees", "bank", 70_000)))
    assert "leases_add_up" in story.broken


def test_a_stripe_that_goes_beyond_its_lease_is_found() -> None:
    """Though the account has what it takes."""
    story = bank()
    story.tampering = on_event(with_entry(0, debits_posted_minor=59_000))
    story.does(paying("small", ("fees", "bank", 100)))
    assert "leases_add_up" in story.broken


def test_a_stripe_that_is_left_out_of_a_change_is_found() -> None:
    """A frozen account is frozen on every stripe."""
    story = bank()

    def shortened(change: Change) -> Change:
        assert change.new is not None
        entries = msgspec.json.decode(change.new["data"]["S"])["accounts"]
        return event_with(change, accounts=entries[:2])

    story.tampering = on_event(shortened)
    story.does(freezing("fees"))
    assert {"leases_add_up", "events_are_foretold"} <= story.broken


def test_a_stripe_that_has_a_new_version_for_nothing_is_found() -> None:
    """A payment that one stripe has room for is on that stripe alone."""
    story = bank()
    story.does(paying("large", ("fees", "bank", 70_000)))
    before = msgspec.json.decode(story.record("large"))["accounts"]
    giver = [one for one in before if one["id"] == "fees"][-1]
    extra = {**giver, "version": giver["version"] + 1, "prev": "large"}
    extra.pop("floor_minor")

    def widened(change: Change) -> Change:
        assert change.new is not None
        entries = msgspec.json.decode(change.new["data"]["S"])["accounts"]
        return event_with(change, accounts=[entries[0], extra, *entries[1:]])

    story.tampering = on_event(widened)
    story.does(paying("tiny", ("fees", "bank", 1)))
    assert "leases_add_up" in story.broken


def test_money_on_a_stripe_that_is_not_in_use_is_found() -> None:
    """What a stripe that was given up has is not added to."""
    story = bank(striping("fees", 1, id="fewer"), seed=3)
    story.tampering = on_event(with_entry(1, stripe=2, version=3))
    story.does(paying("more", ("bank", "fees", 5)))
    assert "events_are_foretold" in story.broken


@pytest.mark.parametrize(
    "fields", [{"floor_minor": 1}, {"stripes": 2}, {"stripes_made": 4}, {"last_event": "first"}]
)
def test_a_stripe_whose_state_says_something_else_is_found(fields: dict[str, Any]) -> None:
    """Of every stripe, and not of the first alone."""
    story = bank()
    story.tampering = on_states(lambda one: state_with(one, **fields), "stripe#fees/1")
    story.does(striping("fees", 3, id="again"))
    assert story.broken == {"states_follow_events"}


@pytest.mark.parametrize("left_out", [True, False])
def test_a_refusal_that_does_not_name_every_stripe_as_it_is_is_found(left_out: bool) -> None:
    """All of them were looked at, and none may have changed since."""
    story = bank()

    def outdated(change: Change) -> Change:
        assert change.new is not None
        causes = msgspec.json.decode(change.new["data"]["S"])["causes"]
        last = causes.pop()
        if not left_out:
            causes.append(last | {"version": last["version"] - 1})
        return event_with(change, causes=causes)

    story.does(striping("fees", 3, id="again"))
    story.tampering = on_event(outdated)
    story.does(paying("too-large", ("fees", "bank", 90_001)))
    assert "causes_are_current" in story.broken


def test_a_hold_that_ends_on_another_stripe_is_found() -> None:
    """It is taken from the one that has it."""
    story = bank(holding("hold", ("fees", "bank", 50)), seed=1)
    held = msgspec.json.decode(story.record("hold"))["accounts"][0]["stripe"]
    story.tampering = on_event(with_entry(0, stripe=(held + 1) % 3))
    story.does(voiding("hold", id="void"))
    assert "events_are_foretold" in story.broken


def test_the_ledger_releases_what_a_stripe_holds() -> None:
    """A hold on another stripe is over all the same."""
    story = bank(holding("hold", ("fees", "bank", 50)), seed=2)
    story.sweeps("hold", at=story.now + DAYS)
    assert story.auditor.findings == []
    assert expiring("hold").id in story.auditor.facts.events
