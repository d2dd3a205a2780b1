"""What a caller is told, in the model's words, and what a command asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from ledger.contracts.commands import AtomicBatch, BaseCommand

Verdict = Literal["accepted", "rejected", "mismatch", "malformed"]

#: The first that holds is the one that is said.
PRECEDENCE = (
    "screened_payment_unknown",
    "hold_not_due",
    "member_id_used",
    "account_exists",
    "payment_unknown",
    "template_unknown",
    "unknown_parameter",
    "missing_parameter",
    "invalid_parameter",
    "template_amounts",
    "template_limit",
    "book_exists",
    "book_unknown",
    "already_closed",
    "not_closed",
    "period_too_recent",
    "account_not_found",
    "account_closed",
    "account_not_empty",
    "limits_conflict",
    "stripes_conflict",
    "hold_not_open",
    "hold_expired",
    "expiry_out_of_range",
    "effective_in_future",
    "effective_before_opening",
    "period_closed",
    "capture_exceeds_hold",
    "reversal_exceeds_payment",
    "account_frozen",
    "currency_mismatch",
    "balance_overflow",
    "insufficient_funds",
    "balance_limit_exceeded",
    "velocity_limit_exceeded",
)
#: Nothing is recorded for these: the id stays free.
UNRECORDED = ("screened_payment_unknown", "hold_not_due")

#: What a field left out stands for; the others have no default but None.
DEFAULTS: dict[tuple[str, str], object] = {
    ("account.open", "min_balance_minor"): 0,
    ("account.open", "book"): "main",
    ("account.open", "stripes"): 1,
    ("payment.authorize", "over_capture_bps"): 0,
    ("payment.capture", "final"): False,
    ("book.close", "book"): "main",
    ("book.reopen", "book"): "main",
}
#: Fields of which null, sent, is not the same as left out.
NULL_IS_A_VALUE = (
    ("account.set_limits", "min_balance_minor"),
    ("account.set_limits", "max_balance_minor"),
)


@dataclass(frozen=True)
class Reply:
    """What a caller is told: the verdict, whether it is a repeat, and its details.

    `detail` is what became of each subject (by kind and id), the reason, or the fields that differ.
    """

    verdict: Verdict
    repeat: bool
    detail: Any


class Refusal(Exception):
    """The reasons that hold against a command."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = sorted(set(reasons), key=PRECEDENCE.index)
        super().__init__(", ".join(self.reasons))


def refuse_for(reasons: set[str]) -> None:
    """Raises the Refusal if any reason holds."""
    if reasons:
        raise Refusal(*reasons)


def as_asked(command: BaseCommand) -> dict[str, Any]:
    """A command's fields, those left out at their default (None where they have no other)."""
    kind = str(command.__struct_config__.tag)
    asked: dict[str, Any] = {"type": kind}
    given: dict[str, Any] = msgspec.to_builtins(command)
    for name in command.__struct_fields__:
        if name not in ("v", "id"):
            left_out = "left out" if (kind, name) in NULL_IS_A_VALUE else None
            asked[name] = given.get(name, DEFAULTS.get((kind, name), left_out))
    if asked.get("metadata") == {} and kind != "metadata.set":
        asked["metadata"] = None  # none are the same as none given
    if isinstance(command, AtomicBatch):
        asked["commands"] = [(one.id, as_asked(one)) for one in command.commands]
    return asked


def differing(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """The fields in which two requests differ; the type alone, if that does."""
    if before["type"] != after["type"]:
        return {"type"}
    return {name for name in before if before[name] != after[name]}
