"""Which notifications an event gives: itself, and an alert for each crossing it tells of.

Whoever tells of them, on a topic or by webhooks, makes them of the published event by himself.
"""

from __future__ import annotations

from typing import NamedTuple

from ledger.consuming.events import checked_event
from ledger.contracts.events import Event
from ledger.contracts.notifications import (
    NOTIFIED_EVENTS,
    Attributes,
    alerts_of,
    attributes_of,
    encode_alert,
)


class Notification(NamedTuple):
    """What is told: its body, its attributes, which subscribers filter by, and its id. With its
    type, which is one of the attributes, the id names it for ever."""

    body: str
    attributes: Attributes
    id: str

    @property
    def type(self) -> str:
        """What it tells of."""
        return str(self.attributes["type"])


class Told(NamedTuple):
    """What is to be told of one event, and when that was recorded."""

    recorded_at: str
    notifications: tuple[Notification, ...]


def told_of(text: str) -> Told:
    """What an event that was published as `text` gives to tell.

    Raises CorruptEventError or UnknownEventError.
    """
    event = checked_event(text)
    return Told(event.recorded_at, notifications_of(event, text))


def notifications_of(event: Event, text: str) -> tuple[Notification, ...]:
    """The notifications of an event that was published as `text`; none of one nobody is told of.

    Raises UnknownEventError for what only a newer release can tell.
    """
    if event.__struct_config__.tag not in NOTIFIED_EVENTS:
        return ()
    return (
        Notification(text, attributes_of(event), event.id),
        *(
            Notification(encode_alert(alert), attributes_of(alert), alert.id)
            for alert in alerts_of(event)
        ),
    )
