"""The ids of system commands, derived from what they are about: each is decided once, for ever."""

from __future__ import annotations

from hashlib import sha256

from ledger.contracts.primitives import ID_LENGTH_MAX


def screening_id(payment: str, model: str) -> str:
    """The id of the command with a model's verdict on a payment: readable, or hashed if too long.

    Two payments never share one: what follows `screening` tells the two forms apart.
    """
    return _derived("screening", payment, model)


def expiry_id(payment: str, version: int) -> str:
    """The id of the command that expires a payment which is at that version."""
    return _derived("expire", payment, str(version))


def _derived(kind: str, payment: str, what: str) -> str:
    readable = f"{kind}:{payment}:{what}"
    if len(readable) <= ID_LENGTH_MAX:
        return readable
    room = ID_LENGTH_MAX - len(f"{kind}.:{what}")
    return f"{kind}.{sha256(payment.encode()).hexdigest()[:room]}:{what}"
