"""What lies in the queue of deliveries: one notification for one subscriber."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

_ID_PREFIX: Final = "msg_"
_ID_HEX_DIGITS: Final = 40  # 160 bits: no two deliveries of a ledger ever share one


class Delivery(Struct, frozen=True, kw_only=True):
    """One notification on its way to one subscriber. Field names are stored in queues.

    `message` is the header `webhook-id`; `notification` is the body, byte for byte.
    """

    v: Literal[1]
    subscriber: str
    message: str
    notification: Raw


class MalformedDeliveryError(ValueError):
    """A queue message that is no delivery."""


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Delivery)


def delivery_of(subscriber: str, type: str, id: str, notification: str) -> Delivery:
    """The delivery of a notification, which its `type` and `id` name, to a subscriber."""
    return Delivery(
        v=1,
        subscriber=subscriber,
        message=webhook_id(subscriber, type, id),
        notification=Raw(notification.encode()),
    )


def webhook_id(subscriber: str, type: str, id: str) -> str:
    """The header `webhook-id`: the same for every attempt to bring this to this subscriber.

    Derived, so that a fan-out that is repeated makes no second message; without the dots that a
    signature's parts are joined by.
    """
    named = json.dumps([subscriber, type, id]).encode()
    return _ID_PREFIX + sha256(named).hexdigest()[:_ID_HEX_DIGITS]


def encode_delivery(delivery: Delivery) -> str:
    """The body of a queue message."""
    return _ENCODER.encode(delivery).decode()


def decode_delivery(body: str) -> Delivery:
    """The delivery in a queue message. Raises MalformedDeliveryError."""
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        # `from None`: the cause may quote the body.
        raise MalformedDeliveryError("not a delivery") from None
