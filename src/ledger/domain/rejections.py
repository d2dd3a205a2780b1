"""A refusal as a value: the reason, the field that asked for it, the states that caused it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from ledger.contracts.events import Cause
from ledger.contracts.reasons import Reason
from ledger.domain.accounts import AccountState


class Rejection(Struct, frozen=True):
    """A decision against a command. Permanent, so its causes are checked again as it is written."""

    reason: Reason
    field: str
    causes: tuple[Cause, ...]


def rejection(
    reason: Reason,
    field: str,
    account: str,
    state: AccountState | None,
    values: Mapping[str, int | str | None] | None = None,
) -> Rejection:
    """The rejection for one account's state (None: it does not exist), with the values at fault."""
    version = state.version if state else 0
    return Rejection(
        reason, field, (Cause(id=account, version=version, values=dict(values or {})),)
    )
