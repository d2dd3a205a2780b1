"""The routes about subscribers of webhooks."""

from __future__ import annotations

from typing import Final

from consumers.webhooks.answers import (
    WebhookAnswer,
    WebhookRemovedAnswer,
    WebhooksAnswer,
    WebhookSecretAnswer,
    WebhookTestAnswer,
)
from consumers.webhooks.requests import RotationRequest, WebhookRequest
from ledger.contracts import reasons
from publishing.operations.base import READ, Operation

_WEBHOOK: Final = (*READ, reasons.WEBHOOK_INVALID, reasons.WEBHOOK_UNKNOWN)
_BODY: Final = (
    reasons.UNSUPPORTED_MEDIA_TYPE,
    reasons.PAYLOAD_TOO_LARGE,
    reasons.MALFORMED_JSON,
    reasons.UNKNOWN_FIELD,
    reasons.CONTENTION,
)

OF_WEBHOOKS: Final[dict[tuple[str, str], Operation]] = {
    ("GET", "/webhooks"): Operation(
        "listWebhooks",
        "List webhooks",
        "Every subscriber of webhooks, by id, without secrets.",
        {200: (WebhooksAnswer,)},
        READ,
    ),
    ("GET", "/webhooks/{id}"): Operation(
        "getWebhook",
        "Read a webhook",
        "A subscriber of webhooks, without its secret.",
        {200: (WebhookAnswer,)},
        _WEBHOOK,
        parameters=("webhook",),
    ),
    ("PUT", "/webhooks/{id}"): Operation(
        "putWebhook",
        "Add or change a webhook",
        "Makes the subscriber of that id what the body says. The first time, 201 shows the secret "
        "that signs what it is sent, this once; after that 200, without it. docs/webhooks.md says "
        "what is sent, and how to verify it.",
        {201: (WebhookSecretAnswer,), 200: (WebhookAnswer,)},
        (
            *READ,
            *_BODY,
            reasons.MISSING_FIELD,
            reasons.WEBHOOK_INVALID,
            reasons.WEBHOOK_URL_INSECURE,
            reasons.WEBHOOK_URL_CREDENTIALS,
            reasons.WEBHOOK_ADDRESS_REFUSED,
            reasons.WEBHOOK_LIMIT,
        ),
        body=WebhookRequest,
        parameters=("webhook",),
    ),
    ("DELETE", "/webhooks/{id}"): Operation(
        "removeWebhook",
        "Remove a webhook",
        "Removes the subscriber and its secret. What is on its way to it ends in the dead letters.",
        {200: (WebhookRemovedAnswer,)},
        (*_WEBHOOK, reasons.CONTENTION),
        parameters=("webhook",),
    ),
    ("POST", "/webhooks/{id}/rotate"): Operation(
        "rotateWebhookSecret",
        "Replace a webhook's secret",
        "Shows a new secret, this once. For 24 hours the one before signs beside it, so that a "
        "receiver can take its time; with `now` it signs no more.",
        {200: (WebhookSecretAnswer,)},
        (*_WEBHOOK, *_BODY, reasons.WEBHOOK_ROTATING),
        body=RotationRequest,
        parameters=("webhook",),
    ),
    ("POST", "/webhooks/{id}/test"): Operation(
        "testWebhook",
        "Try a webhook",
        "Sends a notification of type `webhook.test` to the subscriber alone, by the path that all "
        "deliveries take.",
        {202: (WebhookTestAnswer,)},
        (*_WEBHOOK, reasons.WEBHOOK_DISABLED),
        parameters=("webhook",),
    ),
}
