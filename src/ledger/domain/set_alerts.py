"""Setting the balance alerts of an account: all of them at once, whatever they were."""

from __future__ import annotations

from collections.abc import Mapping

from ledger.contracts import reasons
from ledger.contracts.commands import SetAlerts
from ledger.contracts.events import AlertsSet
from ledger.domain.accounts import AccountState, next_entry
from ledger.domain.rejections import Rejection, rejection
from ledger.domain.stamp import Stamp


def decide_alerts(
    states: Mapping[str, AccountState], command: SetAlerts, stamp: Stamp
) -> AlertsSet | Rejection:
    """The alerts set as the account's next version; refused if there is no such account, or not
    any more. A frozen account may be watched."""
    state = states.get(command.account)
    if state is None:
        return rejection(reasons.ACCOUNT_NOT_FOUND, "account", command.account, None)
    if state.status == "closed":
        return rejection(reasons.ACCOUNT_CLOSED, "account", command.account, state)
    return AlertsSet(
        v=1,
        id=command.id,
        recorded_at=stamp.recorded_at,
        effective_at=stamp.recorded_at,
        actor=stamp.actor,
        account=command.account,
        currency=state.currency,
        alerts=command.alerts,
        accounts=(next_entry(state, 0, 0),),
    )
