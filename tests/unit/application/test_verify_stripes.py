"""`ledger verify` of striped accounts: what is forged of a stripe or of its leases is found."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from ledger.application.rebuild import rebuild_states
from ledger.application.verification import Check, Report
from ledger.application.verify import verify_store
from ledger.application.verify_projections import verify_projection
from ledger.contracts.subjects import stripe_key
from ledger.domain.accounts import AccountState
from tests.support.builders import (
    alerting,
    freezing,
    holding,
    limiting,
    opening,
    paying,
    striping,
    voiding,
)
from tests.support.spreading import spread
from tests.support.stores import OpenStore
from tests.support.tampering import Body, balance_rows, edit_event, forge_event, history_rows


@pytest.fixture
def store() -> OpenStore:
    """An account of four stripes whose leases moved, of which two are in use by now."""
    made = OpenStore()
    spread(made, opening("bank", account_type="asset", min_balance_minor=None))
    spread(made, replace(opening("s", max_balance_minor=1_000), stripes=4))
    for stripe in range(4):
        spread(made, paying(f"fund{stripe}", ("bank", "s", 100)), stripe)
    spread(made, paying("moved", ("s", "bank", 150)), 1)
    spread(made, holding("h", ("s", "bank", 20)), 2)
    spread(made, striping("s", 2))
    spread(made, freezing("s"))
    spread(made, voiding("h"))
    return made


def found(store: OpenStore) -> set[tuple[Check, str]]:
    """What verification finds: checks and their subjects."""
    report = Report()
    verify_store(store, report)
    return {(finding.check, finding.subject) for finding in report.findings}


def entry(body: Body, stripe: int) -> Body:
    """The entry of a stripe of `s` in an event's body."""
    (one,) = [one for one in body["accounts"] if one["id"] == "s" and one["stripe"] == stripe]
    return one  # type: ignore[no-any-return]


def test_a_sound_ledger_verifies(store: OpenStore) -> None:
    """Its stripes, their leases, and what projections have of them."""
    report = Report()
    captured = verify_store(store, report)
    verify_projection("balances_equal", balance_rows(store), captured, report)
    verify_projection("history_equal", history_rows(store), captured, report)
    assert (report.ok, report.findings) == (True, [])
    assert report.examined["leases_add_up"] == 10
    assert report.examined["balances_equal"] == 5


@pytest.mark.parametrize(
    ("event", "stripe", "change"),
    [
        ("moved", 1, -5),  # takes more than is given up
        ("moved", 0, -5),  # gives up less than is taken
        ("stripes:s", 3, -1),  # deals more than there is
        ("open:s", 2, -1),
    ],
)
def test_leases_that_do_not_add_up_are_found(
    store: OpenStore, event: str, stripe: int, change: int
) -> None:
    """Though every later hash and every state is made to fit."""

    def forge(body: Body) -> None:
        entry(body, stripe)["floor_minor"] += change

    forge_event(store, event, forge)
    assert ("leases_add_up", "s") in found(store)


def test_a_stripe_beyond_its_lease_is_found(store: OpenStore) -> None:
    """It paid more than it had, and nobody gave up anything for it."""

    def forge(body: Body) -> None:
        for stripe in (0, 1):
            del entry(body, stripe)["floor_minor"]

    forge_event(store, "moved", forge)
    assert ("leases_add_up", "s/1") in found(store)


def test_a_lease_that_was_dropped_is_found(store: OpenStore) -> None:
    """A payment that says it has none any more, and others that say nothing."""
    forge_event(store, "moved", lambda body: entry(body, 1).update(floor_minor=None))
    assert ("leases_add_up", "s") in found(store)


def test_a_hold_that_ends_elsewhere_is_found(store: OpenStore) -> None:
    """It was not on that stripe."""
    forge_event(store, "void:h", lambda body: entry(body, 2).update(stripe=1))
    assert ("subjects_follow", "payment h") in found(store)


def test_a_change_of_some_stripes_alone_is_found(store: OpenStore) -> None:
    """What changes an account changes all of it."""
    drop = msgspec.json.decode(store.stored("freeze:s").data)["accounts"][3]
    forge_event(store, "freeze:s", lambda body: body["accounts"].remove(drop))
    assert {("leases_add_up", "s"), ("leases_add_up", "s/1")} <= found(store)


@pytest.mark.parametrize("name", ["floor_minor", "ceiling_minor", "stripes", "frozen"])
def test_an_altered_state_of_a_stripe_is_named(store: OpenStore, name: str) -> None:
    """By the stripe."""
    state = store.snapshot().states[stripe_key("s", 3)]
    changes: dict[str, object] = {"floor_minor": 3, "ceiling_minor": 7, "stripes": 3}
    store.put_state(replace(state, **{name: changes.get(name)}))
    assert found(store) == {("states_equal", "s/3")}


def test_altered_bytes_break_the_chains_of_all_stripes_touched(store: OpenStore) -> None:
    """Of the one that paid and of the one that gave up a lease."""
    edit_event(store, "moved", lambda body: body.update(actor="another"))
    assert found(store) == {
        ("chain_links", "s/1"),
        ("chain_links", "s"),
        ("chain_links", "bank"),
    }


def test_lost_stripes_are_rebuilt_from_the_events(store: OpenStore) -> None:
    """As they were, with their leases; none of them counts as an account."""
    before = store.snapshot().states
    for stripe in range(4):
        store.drop_state(stripe_key("s", stripe))
    rebuilt = rebuild_states(store)
    assert (rebuilt.accounts, rebuilt.restored) == (2, 4)
    assert store.snapshot().states == before


def test_a_tightened_limit_is_no_fault(store: OpenStore) -> None:
    """Below it stripes have no leases, and may be paid into."""
    spread(store, limiting("s", min_balance_minor=900))
    spread(store, alerting("s"))  # none: that is the first stripe's alone
    state = store.snapshot().states[stripe_key("s", 3)]
    assert isinstance(state, AccountState)
    assert state.floor_minor is None
    assert found(store) == set()
