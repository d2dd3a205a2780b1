"""Histories of an account, as the API answers them, from what each version moved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ledger.contracts.primitives import AccountType, balance_minor


class Moved(NamedTuple):
    """What one version did: credits above zero, debits below; nothing is an event without legs.

    Times are in seconds after the beginning of 2026. `type` is that of the event, by default one
    that can move that; `pended` what it held, as debits and credits, or released, below zero.
    """

    amounts: tuple[int, ...]
    booked: int
    effective: int
    type: str = ""
    pended: tuple[int, int] = (0, 0)


def instant(seconds: int) -> str:
    """Seconds after the beginning of 2026 in the stored form; up to the end of January."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    return f"2026-01-{days + 1:02}T{hours:02}:{rest // 60:02}:{rest % 60:02}.000000Z"


def history(
    moves: Iterable[Moved], *, account_type: AccountType = "liability", currency: str = "EUR"
) -> list[dict[str, Any]]:
    """The entries, newest first."""
    entries: list[dict[str, Any]] = []
    debits = credits_ = pending_debits = pending_credits = 0
    for version, move in enumerate(moves, start=1):
        debited = -sum(amount for amount in move.amounts if amount < 0)
        credited = sum(amount for amount in move.amounts if amount > 0)
        debits, credits_ = debits + debited, credits_ + credited
        pending_debits += move.pended[0]
        pending_credits += move.pended[1]
        legs = [
            {
                "side": "credit" if amount > 0 else "debit",
                "amount_minor": abs(amount),
                "counterparty": f"other:{number}",
            }
            for number, amount in enumerate(move.amounts or (-move.pended[0], move.pended[1]))
            if amount
        ]
        entry = {
            "version": version,
            "event": f"event-{version}",
            "type": move.type or ("payment.posted" if legs else "account.alerts_set"),
            "payment": "hold" if move.type else f"event-{version}",
            "recorded_at": instant(move.booked),
            "effective_at": instant(move.effective),
            "currency": currency,
            "debited_minor": debited,
            "credited_minor": credited,
            "balance_minor": balance_minor(account_type, debits, credits_),
            "debits_posted_minor": debits,
            "credits_posted_minor": credits_,
            "debits_pended_minor": move.pended[0],
            "credits_pended_minor": move.pended[1],
            "debits_pending_minor": pending_debits,
            "credits_pending_minor": pending_credits,
            "legs": legs,
            "legs_count": len(legs),
        }
        entries.append(entry | ({"prev": f"event-{version - 1}"} if version > 1 else {}))
    return entries[::-1]
