"""Payments that would be refused for ever, since their accounts are opened with them, but now.

A row of --accounts that says no `effective_at` opens its account at the time at which it is first
sent. What is effective before that cannot be posted then, and its id would be used up.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import msgspec
from msgspec import Struct

from ledger.cli.requests import answered
from ledger.client.answers import Refused
from ledger.client.rest import LedgerApi
from ledger.contracts import reasons
from ledger.contracts.postings import Posting
from ledger.contracts.primitives import instant_of_microseconds
from ledger.importers.faults import Faults
from ledger.importers.instructions import Fault
from ledger.importers.payment_file import Judged


class _Payment(Struct):
    """What of a payment is looked at."""

    postings: tuple[Posting, ...]
    effective_at: str = ""


class _Earliest(NamedTuple):
    """The payment of an account that is effective first, and where it stands."""

    effective_at: str
    place: str


_PAYMENT = msgspec.json.Decoder(_Payment)


def before_their_openings(
    api: LedgerApi, payments: Judged, undated: Collection[str], now: int
) -> Faults:
    """A fault for each account of `undated` that is not there or opened later than the first of
    its payments, of those that are effective before `now` (microseconds since 1970, UTC).

    An account that was opened by an earlier import is asked for, and may well be early enough.
    Raises RefusedError or UnreachableError.
    """
    faults = Faults()
    for account, first in _earliest(payments, undated, instant_of_microseconds(now)).items():
        reply = api.account(account)
        if isinstance(reply, Refused) and reply.reason == reasons.ACCOUNT_UNKNOWN.code:
            opened_at = "now"
        else:
            opened_at = answered(reply).body.get("opened_at", "")
        if opened_at == "now" or first.effective_at < opened_at:
            why = (
                f"{first.effective_at} lies before the opening of {account}, at {opened_at}: "
                "give its row in --accounts an effective_at"
            )
            code = reasons.EFFECTIVE_BEFORE_OPENING.code
            faults.add(Fault(first.place, "effective_at", code, why))
    return faults


def _earliest(payments: Judged, undated: Collection[str], now: str) -> dict[str, _Earliest]:
    found: dict[str, _Earliest] = {}
    for instruction in payments.sendable() if undated else ():
        payment = _PAYMENT.decode(instruction.body)
        if not payment.effective_at or payment.effective_at >= now:
            continue
        this = _Earliest(payment.effective_at, instruction.origin)
        for posting in payment.postings:
            for account in (posting.source, posting.destination):
                if account in undated:
                    found[account] = min(found.get(account, this), this)
    return found
