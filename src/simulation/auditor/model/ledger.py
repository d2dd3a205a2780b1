"""The plainest ledger: what every reply and every total must be, in the fewest words.

Written from the rules and not from the code: no store, no clock (when a command is recorded is
told), and nothing that could conflict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ledger.contracts.commands import (
    AtomicBatch,
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
from simulation.auditor.model import account_commands as accounts
from simulation.auditor.model import book_commands as books
from simulation.auditor.model import payment_commands as payments
from simulation.auditor.model.known import Detail, Known, Told
from simulation.auditor.model.replies import (
    UNRECORDED,
    Refusal,
    Reply,
    as_asked,
    differing,
    refuse_for,
)


class Trial(NamedTuple):
    """The reasons against a command or, if there are none, what would become of each subject."""

    reasons: list[str]
    detail: Detail


class Model(Known):
    """What every reply must be."""

    def handle(
        self, command: Command, at: str, heard: Reply | None = None, told: Told | None = None
    ) -> Reply:
        """The reply to `command`, recorded `at` (if it was not before), which is then decided.

        A refusal is for the first reason in precedence; or, if `heard` is given, as where another
        worker may have moved the other subjects meanwhile, for that of `heard`, if it holds. Which
        stripes are used is for `told` to say.
        """
        request = as_asked(command)
        if command.id in self.decided:
            before, reply = self.decided[command.id]
            fields = differing(before, request)
            if fields:
                return Reply("mismatch", False, fields)
            return Reply(reply.verdict, True, reply.detail)
        tried = self.copy()
        tried.told = told or {}
        try:
            reply = Reply("accepted", False, _decided(tried, command, at))
        except Refusal as refusal:
            first = refusal.reasons[0]
            if heard is not None and heard.detail in refusal.reasons:
                first = heard.detail
            reply = Reply("malformed" if first in UNRECORDED else "rejected", False, first)
        else:
            tried.keep()
        if reply.verdict != "malformed":
            self.decided[command.id] = (request, reply)
        return reply

    def refused_member(self, batch: AtomicBatch, at: str) -> tuple[int, list[str]]:
        """The place of the first command of a batch that cannot take effect behind those before
        it, and the reasons against it; the number of commands if there is none."""
        world = self.copy()
        for place, member in enumerate(batch.commands):
            try:
                _decided(world, member, at)
            except Refusal as refusal:
                return place, refusal.reasons
        return len(batch.commands), []

    def was_asked(self, command: Command) -> None:
        """A command was decided as another one that means the same: this is what was asked."""
        self.decided[command.id] = (as_asked(command), self.decided[command.id][1])
        for member in command.commands if isinstance(command, AtomicBatch) else ():
            if member.id in self.decided:
                self.decided[member.id] = (as_asked(member), self.decided[member.id][1])

    def try_out(self, command: Command, at: str, told: Told | None = None) -> Trial:
        """What would become of a command; nothing happens."""
        world = self.copy()
        world.told = told or {}
        try:
            return Trial([], _decided(world, command, at))
        except Refusal as refusal:
            return Trial(refusal.reasons, {})

    def against(self, command: Command, at: str) -> list[str]:
        """The reasons against a command; nothing happens."""
        return self.try_out(command, at).reasons


def _decided(known: Known, command: BaseCommand, at: str) -> Detail:
    """What becomes of each subject that a command changes. Raises Refusal, half done."""
    known.here = known.told.get(command.id, {})
    return _DECIDING[type(command)](known, command, at)


def _batch(known: Known, batch: AtomicBatch, at: str) -> Detail:
    """Every command on the effects of those before it."""
    refuse_for({"member_id_used" for one in batch.commands if one.id in known.decided})
    detail: Detail = {}
    for member in batch.commands:
        mine = _decided(known, member, at)
        known.decided[member.id] = (as_asked(member), Reply("accepted", False, mine))
        detail["member", member.id] = mine
    return detail


_DECIDING: dict[type[BaseCommand], Callable[[Known, Any, str], Detail]] = {
    AtomicBatch: _batch,
    AuthorizePayment: payments.authorize,
    CapturePayment: payments.capture,
    CloseAccount: accounts.close,
    CloseBook: books.close_book,
    DefineTemplate: books.define_template,
    ExpirePayment: payments.expire,
    FreezeAccount: accounts.freeze,
    IncreasePayment: payments.increase,
    OpenAccount: accounts.open_account,
    OpenBook: books.open_book,
    PostPayment: payments.post,
    PostTemplate: payments.post_template,
    ReopenBook: books.reopen_book,
    ReversePayment: payments.reverse,
    ScreenPayment: payments.screen,
    SetAlerts: accounts.set_alerts,
    SetLimits: accounts.set_limits,
    SetMetadata: accounts.set_metadata,
    SetStripes: accounts.set_stripes,
    UnfreezeAccount: accounts.unfreeze,
    VoidPayment: payments.void,
}
