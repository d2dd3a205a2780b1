"""One attempt to bring one notification to its subscriber."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from consumers.webhooks.directory import (
    CachedDirectory,
    ConflictError,
    Directory,
    DirectoryStore,
    change_directory,
)
from consumers.webhooks.faults import AttemptError, Fault
from consumers.webhooks.messages import Delivery
from consumers.webhooks.posting import Endpoints
from consumers.webhooks.records import Delivered
from consumers.webhooks.secrets import SecretMissingError, SecretReader
from consumers.webhooks.signatures import signed_headers
from consumers.webhooks.subscribers import Subscriber
from ledger.contracts.primitives import instant_of_microseconds
from ledger.runtime.faults import BrokenItemError, StoreError

Outcome = Literal["delivered", "delivered_unrecorded", "delivered_before"]
"""`delivered_unrecorded`: it was, and cannot be remembered; a duplicate would be sent again."""


class Attempts:
    """Makes attempts, with all that they need. Safe to share by threads.

    `clock` is microseconds since 1970 in UTC.
    """

    def __init__(
        self,
        *,
        store: DirectoryStore,
        cached: CachedDirectory,
        secrets: SecretReader,
        delivered: Delivered,
        endpoints: Endpoints,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._cached = cached
        self._secrets = secrets
        self._delivered = delivered
        self._endpoints = endpoints
        self._clock = clock

    def make(self, delivery: Delivery) -> Outcome:
        """Deliver it, unless it was. Raises AttemptError."""
        try:
            subscriber = self._subscriber(delivery.subscriber)
            if self._delivered.has(delivery.message):
                return "delivered_before"
        except (StoreError, BrokenItemError):
            raise AttemptError(Fault.STORE_UNAVAILABLE) from None
        body = bytes(delivery.notification)
        secrets = self._secrets_of(subscriber)
        headers = signed_headers(delivery.message, body.decode(), secrets, self._clock())
        try:
            status = self._endpoints.post(subscriber.url, body, headers)
        except AttemptError as error:
            if error.fault is Fault.GONE:
                self._disable(subscriber)
            raise
        try:
            self._delivered.add(delivery.message, subscriber.id, status, self._clock())
        except StoreError:
            return "delivered_unrecorded"
        return "delivered"

    def _subscriber(self, id: str) -> Subscriber:
        """The subscriber, ready to be sent to. What the cache denies is looked up again: it may
        have been added, enabled or given its secret a moment ago."""
        found = self._cached.directory().subscribers.get(id)
        if found is None or not found.enabled or not found.keys:
            found = self._cached.directory(anew=True).subscribers.get(id)
        if found is None:
            raise AttemptError(Fault.SUBSCRIBER_UNKNOWN)
        if not found.enabled:
            raise AttemptError(Fault.SUBSCRIBER_DISABLED)
        return found

    def _secrets_of(self, subscriber: Subscriber) -> Sequence[str]:
        """The secrets that sign now, the newest first. Without the newest nothing is sent: it may
        be the only one that the receiver still has."""
        secrets: list[str] = []
        try:
            for key in subscriber.keys_at(instant_of_microseconds(self._clock())):
                try:
                    secrets.append(self._secrets.get(subscriber.id, key.version))
                except SecretMissingError:
                    if not secrets:
                        raise
        except SecretMissingError:
            raise AttemptError(Fault.SECRET_MISSING) from None
        except StoreError:
            raise AttemptError(Fault.SECRET_UNAVAILABLE) from None
        if not secrets:
            raise AttemptError(Fault.SECRET_MISSING)
        return secrets

    def _disable(self, subscriber: Subscriber) -> None:
        """Send it nothing more, unless someone has changed where it leads meanwhile."""
        now = instant_of_microseconds(self._clock())

        def disabled(directory: Directory) -> Directory | None:
            found = directory.subscribers.get(subscriber.id)
            if found is None or not found.enabled or found.url != subscriber.url:
                return None
            return directory.with_(found.changed(disabled_by="gone", updated_at=now))

        try:
            change_directory(self._store, disabled, attempts=1)  # time is short
        except (StoreError, BrokenItemError, ConflictError):
            return  # the next answer of 410 disables it
