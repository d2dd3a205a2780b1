"""The decider: `decide(states, command, stamp) -> event or Rejection`, for every command."""

from __future__ import annotations

from collections.abc import Mapping

from ledger.contracts.commands import Command, OpenAccount, ScreenPayment, SetAlerts
from ledger.contracts.events import Accepted, CommandRejected
from ledger.domain.accounts import AccountState
from ledger.domain.open_account import decide_opening
from ledger.domain.post_payment import decide_payment
from ledger.domain.rejections import Rejection
from ledger.domain.screen_payment import decide_screening
from ledger.domain.set_alerts import decide_alerts
from ledger.domain.stamp import Stamp

Decision = Accepted | Rejection


def decide(states: Mapping[str, AccountState], command: Command, stamp: Stamp) -> Decision:
    """What `command` does to `states`, the accounts it touches (absent: never opened).

    Pure: the same arguments give the same decision. The command is well-formed (`checked`).
    """
    if isinstance(command, OpenAccount):
        return decide_opening(states, command, stamp)
    if isinstance(command, SetAlerts):
        return decide_alerts(states, command, stamp)
    if isinstance(command, ScreenPayment):
        return decide_screening(command, stamp)
    return decide_payment(states, command, stamp)


def rejected_event(command: Command, refusal: Rejection, stamp: Stamp) -> CommandRejected:
    """The event that records a refusal under the command's own id."""
    return CommandRejected(
        v=1,
        id=command.id,
        recorded_at=stamp.recorded_at,
        actor=stamp.actor,
        reason=refusal.reason.code,
        retry=refusal.reason.retry,
        field=refusal.field,
        request=command,
        causes=refusal.causes,
    )
