"""Balance alerts: set as a whole, crossed once per crossing, in the event that crosses them."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.contracts import reasons
from ledger.contracts.commands import Alert
from ledger.contracts.events import AlertsSet
from ledger.contracts.primitives import ACCOUNT_TYPES, AccountType
from ledger.domain.accounts import next_entry
from ledger.domain.states import States
from tests.support.builders import (
    ACTOR,
    NOON,
    accepted,
    advanced,
    alerting,
    by_id,
    opened,
    opening,
    paying,
    refused,
    state,
)
from tests.support.strategies import alert_settings, worlds

Crossed = list[tuple[str, int]]


def crossings(balances: list[int], *alerts: tuple[str, int]) -> list[Crossed]:
    """What each payment crosses that moves a wallet with `alerts` from one balance to the next."""
    states = opened([opening(one, min_balance_minor=None) for one in ("wallet", "bank")])
    states, _ = advanced(states, accepted(states, alerting("wallet", *alerts)))
    found: list[Crossed] = []
    for number, balance in enumerate(balances):
        change = balance - states.accounts["wallet"].balance_minor
        leg = ("bank", "wallet", change) if change > 0 else ("wallet", "bank", -change)
        event = accepted(states, paying(f"p{number}", leg))
        states, _ = advanced(states, event)
        [entry] = [one for one in event.accounts if one.id == "wallet"]
        found.append([(alert.direction, alert.threshold_minor) for alert in entry.crossed])
    return found


def test_an_alert_is_crossed_by_passing_its_threshold_and_not_by_reaching_it() -> None:
    """Each way counts for its own direction; staying beyond is no second crossing."""
    assert crossings([10, 20, 19, 5, 20, 21, 30, 19], ("below", 20), ("above", 20)) == [
        [],
        [],
        [("below", 20)],
        [],
        [],
        [("above", 20)],
        [],
        [("below", 20)],
    ]


def test_one_payment_may_cross_several_alerts() -> None:
    """All of them are in its event, in the order in which they were set."""
    assert crossings([100, -100], ("below", 0), ("below", 50), ("above", 7), ("below", -100)) == [
        [("above", 7)],
        [("below", 0), ("below", 50)],
    ]


def test_setting_alerts_crosses_none() -> None:
    """Of an account that is beyond them already; its version rises, its totals stay."""
    states = by_id([state("a", credits=5, watched=(Alert(direction="above", threshold_minor=1),))])
    event = accepted(states, alerting("a", ("below", 100)))
    assert isinstance(event, AlertsSet)
    assert (event.currency, event.recorded_at, event.effective_at) == ("EUR", NOON, NOON)
    assert (event.actor, event.accounts) == (ACTOR, (next_entry(states.accounts["a"]),))
    assert "crossed" not in msgspec.to_builtins(event.accounts[0])
    after, _ = advanced(states, event)
    assert after.accounts["a"].alerts == (Alert(direction="below", threshold_minor=100),)
    assert after.accounts["a"].version == states.accounts["a"].version + 1


def test_alerts_are_switched_off_by_setting_none() -> None:
    """The new set replaces the old one as a whole."""
    states = by_id([state("a", watched=(Alert(direction="above", threshold_minor=1),))])
    after, _ = advanced(states, accepted(states, alerting("a")))
    assert after.accounts["a"].alerts == ()


@pytest.mark.parametrize("direction", ["below", "above"])
@pytest.mark.parametrize("account_type", ACCOUNT_TYPES)
def test_thresholds_are_on_the_normal_side(account_type: AccountType, direction: str) -> None:
    """An asset rises by debits, a liability by credits, and the alert follows the balance."""
    alert = msgspec.convert({"direction": direction, "threshold_minor": 0}, Alert)
    here = state("a", type=account_type, watched=(alert,))
    raised = account_type in ("asset", "expense")
    debited, credited = next_entry(here, 1, 0), next_entry(here, 0, 1)
    assert bool(debited.crossed) == (raised == (direction == "above"))
    assert bool(credited.crossed) == (raised != (direction == "above"))


def test_there_must_be_an_account_to_watch() -> None:
    """One never opened or closed is refused; a frozen one may be watched."""
    command = alerting("a", ("below", 0))
    assert refused(States(), command).reason is reasons.ACCOUNT_NOT_FOUND
    assert refused(States(), command).causes[0].version == 0
    closed = refused(by_id([state("a", status="closed")]), command)
    assert (closed.reason, closed.field) == (reasons.ACCOUNT_CLOSED, "account")
    assert accepted(by_id([state("a", status="frozen")]), command).accounts[0].version == 8


@given(worlds(), alert_settings(), st.lists(st.integers(-100, 100), min_size=1, max_size=6))
def test_crossings_follow_from_the_balances_alone(
    world: States, command: object, changes: list[int]
) -> None:
    """Whatever the account was: an alert fires exactly when the balance was on its near side or on
    it, and is beyond it now; so between two crossings of one alert the balance came back."""
    here = next(iter(world.accounts.values()))
    alerts = getattr(command, "alerts", ())
    here = msgspec.structs.replace(
        here, alerts=alerts, debits_posted_minor=10_000, credits_posted_minor=10_000
    )
    beyond = {alert: _is_beyond(alert, here.balance_minor) for alert in alerts}
    for change in changes:
        entry = next_entry(here, max(0, -change), max(0, change))
        for alert in alerts:
            now = _is_beyond(alert, entry.balance_minor)
            assert (alert in entry.crossed) == (now and not beyond[alert])
            beyond[alert] = now
        here = msgspec.structs.replace(
            here,
            version=entry.version,
            debits_posted_minor=entry.debits_posted_minor,
            credits_posted_minor=entry.credits_posted_minor,
        )


def _is_beyond(alert: Alert, balance: int) -> bool:
    sign = 1 if alert.direction == "above" else -1
    return sign * (balance - alert.threshold_minor) > 0
