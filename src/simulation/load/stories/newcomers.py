"""Accounts of a story's own, so that it knows what is on them."""

from __future__ import annotations

from typing import Any

from simulation.load.desk import Desk, Step
from simulation.load.words import batch, limiting, opening, paying


def newcomer(desk: Desk, deposit_minor: int = 0, **bounds: Any) -> tuple[str, Step]:
    """A new account in euros with so much on it, and the step that opens it.

    `bounds` are of the opening; but `velocity` and the bases of balances are set behind it.
    """
    id_ = desk.id("guest")
    account = f"guests:{id_}:wallet"
    set_later = {
        name: bounds.pop(name)
        for name in ("velocity", "min_balance_basis", "max_balance_basis")
        if name in bounds
    }
    members: list[Any] = [opening(account, **bounds)]
    if deposit_minor:
        members.append(paying(f"{id_}:deposit", (desk.clearing(), account, deposit_minor)))
    if set_later:
        limits = set_later.pop("velocity", ())
        members.append(limiting(f"{id_}:limits", account, *limits, **set_later))
    return account, Step(members[0] if len(members) == 1 else batch(f"{id_}:join", *members))
