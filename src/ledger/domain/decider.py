"""The decider: `decide(states, command, stamp) -> event or Rejection`, for every command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ledger.contracts.commands import (
    AuthorizePayment,
    BaseCommand,
    CapturePayment,
    CloseAccount,
    CloseBook,
    Command,
    DefineTemplate,
    ExpirePayment,
    FreezeAccount,
    IncreasePayment,
    OpenAccount,
    OpenBook,
    PostPayment,
    PostTemplate,
    ReopenBook,
    ReversePayment,
    ScreenPayment,
    SetAlerts,
    SetLimits,
    SetMetadata,
    SetStripes,
    UnfreezeAccount,
    VoidPayment,
)
from ledger.contracts.events import Accepted, CommandRejected
from ledger.domain.account_life import (
    decide_alerts,
    decide_closing,
    decide_freeze,
    decide_limits,
    decide_metadata,
    decide_stripes,
    decide_unfreeze,
)
from ledger.domain.authorize_payment import decide_authorization, decide_increase
from ledger.domain.books import (
    decide_book_closing,
    decide_book_opening,
    decide_book_reopening,
    decide_template,
)
from ledger.domain.capture_payment import decide_capture, decide_expiry, decide_void
from ledger.domain.open_account import decide_opening
from ledger.domain.post_payment import decide_payment, decide_template_payment
from ledger.domain.rejections import Rejection
from ledger.domain.reverse_payment import decide_reversal
from ledger.domain.screen_payment import decide_screening
from ledger.domain.stamp import Stamp
from ledger.domain.states import States

Decision = Accepted | Rejection

_DECIDERS: Final[dict[type[BaseCommand], Callable[[States, Any, Stamp], Decision]]] = {
    AuthorizePayment: decide_authorization,
    CapturePayment: decide_capture,
    CloseAccount: decide_closing,
    CloseBook: decide_book_closing,
    DefineTemplate: decide_template,
    ExpirePayment: decide_expiry,
    FreezeAccount: decide_freeze,
    IncreasePayment: decide_increase,
    OpenAccount: decide_opening,
    OpenBook: decide_book_opening,
    PostPayment: decide_payment,
    PostTemplate: decide_template_payment,
    ReopenBook: decide_book_reopening,
    ReversePayment: decide_reversal,
    ScreenPayment: decide_screening,
    SetAlerts: decide_alerts,
    SetLimits: decide_limits,
    SetMetadata: decide_metadata,
    SetStripes: decide_stripes,
    UnfreezeAccount: decide_unfreeze,
    VoidPayment: decide_void,
}


def decide(states: States, command: BaseCommand, stamp: Stamp) -> Decision:
    """What `command` does to `states`, which have all that `needed` names (absent: not there).

    Pure: the same arguments give the same decision. The command is well-formed (`checked`) and no
    batch: that is decided command by command.
    """
    return _DECIDERS[type(command)](states, command, stamp)


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
