"""Signatures of webhooks, as the convention Standard Webhooks has receivers check them."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final

_PREFIX: Final = "whsec_"
_VERSION: Final = "v1,"
#: Receivers refuse what says that it was sent longer ago, or that much later.
_TOLERANCE_SECONDS: Final = 300


def is_signed(headers: Mapping[str, str], body: bytes, secrets: Iterable[str], at: int) -> bool:
    """Whether a request that arrived at an instant (microseconds since 1970) is signed with one of
    these secrets."""
    id, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id or not sent.isdigit() or abs(int(sent) - at // 1_000_000) > _TOLERANCE_SECONDS:
        return False
    signed = f"{id}.{sent}.".encode() + body
    given = headers.get("webhook-signature", "").split(" ")
    return any(_VERSION + _signature(secret, signed) in given for secret in secrets)


def _signature(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(_PREFIX))
    return b64encode(hmac.digest(key, signed, sha256)).decode()
