"""Which messages an event gives: itself, and an alert for each crossing it tells of."""

from __future__ import annotations

from typing import NamedTuple

from ledger.contracts.events import Event
from ledger.contracts.notifications import (
    NOTIFIED_EVENTS,
    Attributes,
    alerts_of,
    attributes_of,
    encode_alert,
)


class Notification(NamedTuple):
    """One message of the topic: its body, and what subscribers filter it by."""

    body: str
    attributes: Attributes


def decide(event: Event, text: str) -> tuple[Notification, ...]:
    """The messages of an event that was published as `text`; none for one nobody is told of.

    Raises UnknownEventError for what only a newer release can tell.
    """
    if event.__struct_config__.tag not in NOTIFIED_EVENTS:
        return ()
    return (
        Notification(text, attributes_of(event)),
        *(Notification(encode_alert(alert), attributes_of(alert)) for alert in alerts_of(event)),
    )
