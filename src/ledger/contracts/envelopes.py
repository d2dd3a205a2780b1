"""EventBridge's envelope, in which commands come in and events go out."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct

SOURCE: Final = "ledger"  # `source` of every event the ledger publishes


class Envelope(Struct, frozen=True, rename={"detail_type": "detail-type"}):
    """What EventBridge delivers; `detail` is left as the bytes it came in."""

    id: str
    source: str
    account: str
    detail_type: str
    detail: Raw


class MalformedEnvelopeError(ValueError):
    """A message that is not an EventBridge event."""


_ENVELOPE = msgspec.json.Decoder(Envelope)


def open_envelope(body: bytes | str) -> Envelope:
    """The envelope in a queue message's body. Raises MalformedEnvelopeError."""
    try:
        return _ENVELOPE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # `from None`: the cause may quote the body, and no body may reach a log.
        raise MalformedEnvelopeError("not an EventBridge event") from None
