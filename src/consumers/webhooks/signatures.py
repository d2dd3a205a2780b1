"""Secrets and signatures as Standard Webhooks has them (its library makes the signatures)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from standardwebhooks import Webhook

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what every secret begins with, and no secret
SECRET_BYTES: Final = 32  # the convention asks for 24 to 64
_MICROSECONDS_PER_SECOND: Final = 1_000_000


def new_secret(random_bytes: Callable[[int], bytes]) -> str:
    """A secret, in the form that receivers' libraries take."""
    return SECRET_PREFIX + b64encode(random_bytes(SECRET_BYTES)).decode()


def signed_headers(
    message: str, body: str, secrets: Sequence[str], now_microseconds: int
) -> Mapping[str, str]:
    """The headers of an attempt made now: one signature a secret, any of which will do."""
    moment = datetime.fromtimestamp(now_microseconds // _MICROSECONDS_PER_SECOND, UTC)
    signatures = (Webhook(secret).sign(message, moment, body) for secret in secrets)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
