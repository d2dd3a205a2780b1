"""A message whose identification was used before, for something else, is refused as a whole."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any

import msgspec

from ledger.cli.feeding.lanes import Lanes
from ledger.cli.requests import answered
from ledger.client.answers import Refused
from ledger.client.rest import LedgerApi
from ledger.contracts import reasons
from ledger.importers.faults import DUPLICATE_MESSAGE_ID, Faults
from ledger.importers.instructions import Fault, Instruction
from ledger.importers.payment_file import Judged

_COMPARED = ("effective_at", "reference", "description")


def differing_from_before(
    api: LedgerApi, judged: Judged, *, threads: int, advance: Callable[[int], None]
) -> Faults:
    """The transactions that were decided before, with another content; none of a message that is
    new, or that was imported before as it is now, wholly or in part.

    Asks for every payment: it only reads. Raises RefusedError or UnreachableError.
    """
    faults, lock = Faults(), Lock()

    def look(instruction: Instruction) -> None:
        reply = api.payment(instruction.command_id)
        advance(1)
        if isinstance(reply, Refused) and reply.reason == reasons.PAYMENT_NOT_FOUND.code:
            return
        fields = differing_fields(instruction, answered(reply).body)
        if fields:
            why = f"this MsgId was imported before, and the transaction differs in {fields}"
            with lock:
                fault = Fault(instruction.origin, "GrpHdr/MsgId", DUPLICATE_MESSAGE_ID, why)
                faults.add(fault)

    Lanes(threads, look).run(judged.sendable(), key=lambda instruction: instruction.command_id)
    return faults


def differing_fields(instruction: Instruction, body: dict[str, Any]) -> str:
    """What of a payment differs from the one that the API answered under its id."""
    wanted = msgspec.json.decode(instruction.body)
    names = [name for name in _COMPARED if wanted.get(name) != body.get(name)]
    if wanted["postings"] != body["postings"]:
        names.insert(0, "accounts or amount")
    return ", ".join(names)
