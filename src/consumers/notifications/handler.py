"""The Lambda function behind the queue `notifications`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from consumers.notifications.topic import AWS_ATTEMPTS, OUT_OF_REACH_SECONDS, Publish, Topic
from ledger.consuming.batches import RESERVED_MS, Consumer, Handled, World, make_reader
from ledger.consuming.deployed import deployed_world
from ledger.consuming.notifications import Told, told_of
from ledger.contracts.notifications import ALERT_TYPE
from ledger.runtime.host import Host
from ledger.runtime.lazy import on_first_call
from ledger.runtime.settings import read_settings

if TYPE_CHECKING:
    from typing import Unpack


#: No part is begun with less time left: the topic may be out of reach all along.
PART_RESERVED_MS: Final = round(1_000 * OUT_OF_REACH_SECONDS) + RESERVED_MS


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of the function."""

    topic_arn: str
    queue_url: str


def make_handler(*, publish: Publish, **world: Unpack[World]) -> Consumer:
    """A handler of batches of queue messages; see `make_reader`."""
    return make_reader(
        partial(tell, publish),
        read=told_of,
        entries=lambda told: len(told.notifications),
        reserved_ms=PART_RESERVED_MS,
        **world,
    )


def tell(publish: Publish, batch: Sequence[Told]) -> Handled:
    """Publish all that a batch of events gives to tell. An event failed if any message of it did;
    to tell it again is harmless, as subscribers know each message by its id."""
    places, messages = [], []
    for place, told in enumerate(batch):
        for notification in told.notifications:
            places.append(place)
            messages.append(notification)
    failed = publish(messages)
    published = [message for at, message in enumerate(messages) if at not in failed]
    alerts = sum(message.type == ALERT_TYPE for message in published)
    return Handled(
        failed={places[at]: code for at, code in failed.items()},
        counts={"Notifications": len(published), "BalanceAlerts": alerts},
    )


def build(host: Host) -> Consumer:
    """The function. Raises SettingsError."""
    settings = read_settings(Settings, host.environment)
    topic = Topic(host.sns(attempts=AWS_ATTEMPTS), settings.topic_arn)
    return make_handler(publish=topic.publish, **deployed_world(host, settings.queue_url))


handler = on_first_call(build)
