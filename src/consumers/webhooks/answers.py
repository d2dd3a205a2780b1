"""The bodies that the API answers about webhooks. `docs/openapi.json` is generated from them."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from consumers.webhooks.subscribers import DisabledBy, Filters, Subscriber


class WebhookAnswer(Struct, frozen=True, kw_only=True):
    """A subscriber. A filter that is absent filters nothing.

    `disabled_by` says who disabled it: a request, or the endpoint's answer 410. Until
    `previous_secret_until` the secret before the present one signs beside it.
    """

    id: str
    url: str
    filters: Filters
    enabled: bool
    disabled_by: DisabledBy | UnsetType = UNSET
    created_at: str
    updated_at: str
    previous_secret_until: str | UnsetType = UNSET


class WebhookSecretAnswer(Struct, frozen=True, kw_only=True):
    """A subscriber with its new secret, which is shown this once."""

    secret: str
    webhook: WebhookAnswer


class WebhooksAnswer(Struct, frozen=True, kw_only=True):
    """Every subscriber, by id."""

    webhooks: tuple[WebhookAnswer, ...]


class WebhookRemovedAnswer(Struct, frozen=True, kw_only=True):
    """The subscriber is removed, and its secret with it."""

    id: str
    status: Literal["removed"]


class WebhookTestAnswer(Struct, frozen=True, kw_only=True):
    """A notification of type `webhook.test` is on its way, under this `webhook-id`."""

    id: str
    status: Literal["queued"]
    webhook_id: str


def webhook_answer(subscriber: Subscriber, now: str) -> WebhookAnswer:
    """The subscriber as it is at the instant `now`."""
    ends = [key.until for key in subscriber.keys_at(now) if key.until is not None]
    return WebhookAnswer(
        id=subscriber.id,
        url=subscriber.url,
        filters=subscriber.filters,
        enabled=subscriber.enabled,
        disabled_by=subscriber.disabled_by or UNSET,
        created_at=subscriber.created_at,
        updated_at=subscriber.updated_at,
        previous_secret_until=max(ends) if ends else UNSET,
    )
