"""Adding, changing, rotating and removing subscribers: what is done in which order, and why.

Of a new subscriber the record comes first, then the secret: whoever writes the record first makes
the secret, and if the work ends in between, the same request again finds a record without a secret
and makes one. When a secret is rotated, the secret comes first: a record never names a version that
is not there. Secrets are made here and never read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, cast

from botocore.exceptions import BotoCoreError, ClientError

from consumers.webhooks.answers import (
    WebhookAnswer,
    WebhookRemovedAnswer,
    WebhooksAnswer,
    WebhookSecretAnswer,
    WebhookTestAnswer,
    webhook_answer,
)
from consumers.webhooks.directory import Directory, DirectoryStore, change_directory
from consumers.webhooks.messages import delivery_of, encode_delivery
from consumers.webhooks.posting import Resolve
from consumers.webhooks.requests import RefusedRequestError, Wanted
from consumers.webhooks.secrets import SecretWriter
from consumers.webhooks.settings import Trusted
from consumers.webhooks.signatures import new_secret
from consumers.webhooks.subscribers import SUBSCRIBERS_MAX, Key, Subscriber
from consumers.webhooks.urls import refusal_of
from ledger.contracts import reasons
from ledger.contracts.primitives import instant_of_microseconds
from ledger.runtime.faults import StoreError, code_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

#: For how long the secret before signs beside a new one: a working day and a night to deploy it.
OVERLAP_SECONDS: Final = 24 * 3_600
TEST_TYPE: Final = "webhook.test"
_MICROSECONDS_PER_SECOND: Final = 1_000_000


class Management:
    """What people do with subscribers.

    `clock` is microseconds since 1970 in UTC, `random_bytes` draws that many, from a source fit for
    keys. Every method may raise RefusedRequestError, StoreError, BrokenItemError or ConflictError.
    """

    def __init__(
        self,
        *,
        store: DirectoryStore,
        secrets: SecretWriter,
        sqs: SQSClient,
        deliveries_queue_url: str,
        trusted: Trusted,
        resolve: Resolve,
        clock: Callable[[], int],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._secrets = secrets
        self._sqs = sqs
        self._deliveries_queue_url = deliveries_queue_url
        self._trusted = trusted
        self._resolve = resolve
        self._clock = clock
        self._random_bytes = random_bytes

    def every(self) -> WebhooksAnswer:
        """Every subscriber, by id."""
        found = self._store.read().subscribers
        return WebhooksAnswer(webhooks=tuple(self._shown(found[id]) for id in sorted(found)))

    def one(self, id: str) -> WebhookAnswer:
        """The subscriber of that id."""
        return self._shown(_existing(self._store.read(), id))

    def put(
        self, id: str, wanted: Wanted
    ) -> tuple[HTTPStatus, WebhookAnswer | WebhookSecretAnswer]:
        """Make the subscriber be as wanted: 201 and its secret if it had none before, else 200."""
        self._judge(wanted)
        subscriber = _existing(
            change_directory(self._store, lambda directory: self._with(directory, id, wanted)), id
        )
        if subscriber.keys:
            return HTTPStatus.OK, self._shown(subscriber)
        secret = new_secret(self._random_bytes)
        key = Key(self._secrets.put(id, secret))

        def keyed(directory: Directory) -> Directory | None:
            found = _existing(directory, id)
            return None if found.keys else directory.with_(found.changed(keys=(key,)))

        subscriber = _existing(change_directory(self._store, keyed), id)
        if subscriber.keys != (key,):  # another request like this one was faster
            return HTTPStatus.OK, self._shown(subscriber)
        return HTTPStatus.CREATED, self._shown_with(secret, subscriber)

    def rotate(self, id: str, *, now: bool) -> WebhookSecretAnswer:
        """Give the subscriber a new secret. The one before signs beside it for OVERLAP_SECONDS, or
        with `now` no more."""
        _refuse_rotation(_existing(self._store.read(), id), self._now(), now)
        secret = new_secret(self._random_bytes)
        version = self._secrets.put(id, secret)

        def rotated(directory: Directory) -> Directory:
            found, at = _existing(directory, id), self._now()
            _refuse_rotation(found, at, now)
            kept = () if now else tuple(Key(key.version, self._end()) for key in found.keys[:1])
            return directory.with_(found.changed(keys=(Key(version), *kept), updated_at=at))

        return self._shown_with(secret, _existing(change_directory(self._store, rotated), id))

    def remove(self, id: str) -> WebhookRemovedAnswer:
        """Remove the subscriber, then its secret; a secret that was left behind goes as well."""
        was_there = False

        def removed(directory: Directory) -> Directory | None:
            nonlocal was_there
            was_there = id in directory.subscribers
            return directory.without(id) if was_there else None

        change_directory(self._store, removed)
        self._secrets.remove(id)
        if not was_there:
            raise RefusedRequestError(reasons.WEBHOOK_UNKNOWN, "id")
        return WebhookRemovedAnswer(id=id, status="removed")

    def test(self, id: str) -> WebhookTestAnswer:
        """Send it a notification of type `webhook.test`, by the path that all take."""
        if not _existing(self._store.read(), id).enabled:
            raise RefusedRequestError(reasons.WEBHOOK_DISABLED, "id")
        at = self._now()
        notification = {"type": TEST_TYPE, "v": 1, "id": self._random_bytes(16).hex()}
        body = json.dumps({**notification, "recorded_at": at}, separators=(",", ":"))
        delivery = delivery_of(id, TEST_TYPE, cast("str", notification["id"]), body)
        try:
            self._sqs.send_message(
                QueueUrl=self._deliveries_queue_url,
                MessageBody=encode_delivery(delivery),
                MessageGroupId=id,
            )
        except (BotoCoreError, ClientError) as error:
            raise StoreError(code_of(error)) from error
        return WebhookTestAnswer(id=id, status="queued", webhook_id=delivery.message)

    def _judge(self, wanted: Wanted) -> None:
        """Refuse what can be seen to be wrong now. Every delivery judges again: names move."""
        target = wanted.target
        try:
            addresses = self._resolve(target.host, target.port)
        except (OSError, UnicodeError):
            addresses = ()  # no name yet, perhaps
        refusal = refusal_of(target, addresses, self._trusted)
        if refusal is not None:
            raise RefusedRequestError(refusal, "url")

    def _with(self, directory: Directory, id: str, wanted: Wanted) -> Directory | None:
        found = directory.subscribers.get(id)
        if found is None and len(directory.subscribers) >= SUBSCRIBERS_MAX:
            raise RefusedRequestError(reasons.WEBHOOK_LIMIT)
        now = self._now()
        before = found or Subscriber(
            id=id, url="", filters=wanted.filters, created_at=now, updated_at=now
        )
        disabled_by = None if wanted.enabled else before.disabled_by or "request"
        after = before.changed(url=wanted.url, filters=wanted.filters, disabled_by=disabled_by)
        if after == found:
            return None
        return directory.with_(after.changed(updated_at=now))

    def _shown(self, subscriber: Subscriber) -> WebhookAnswer:
        return webhook_answer(subscriber, self._now())

    def _shown_with(self, secret: str, subscriber: Subscriber) -> WebhookSecretAnswer:
        return WebhookSecretAnswer(secret=secret, webhook=self._shown(subscriber))

    def _now(self) -> str:
        return instant_of_microseconds(self._clock())

    def _end(self) -> str:
        return instant_of_microseconds(self._clock() + OVERLAP_SECONDS * _MICROSECONDS_PER_SECOND)


def _existing(directory: Directory, id: str) -> Subscriber:
    try:
        return directory.subscribers[id]
    except KeyError:
        raise RefusedRequestError(reasons.WEBHOOK_UNKNOWN, "id") from None


def _refuse_rotation(subscriber: Subscriber, at: str, now: bool) -> None:
    """Two overlaps at once would need a third signature, and Secrets Manager keeps two versions:
    the one that receivers have would be the one that is lost."""
    if not now and len(subscriber.keys_at(at)) > 1:
        raise RefusedRequestError(reasons.WEBHOOK_ROTATING, "id")
