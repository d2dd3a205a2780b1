"""What a reason is."""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus
from typing import Literal

from msgspec import Struct

Retry = Literal["same_request", "new_id", "never"]


class Kind(StrEnum):
    """Where a refusal arises, and so whether it is recorded."""

    TRANSPORT = "transport"  # by the HTTP request around the command; nothing is recorded
    MALFORMED = "malformed"  # by the command's text alone; nothing is recorded, the id stays free
    CONFLICT = "conflict"  # the id was decided before; what was recorded stands
    REJECTION = "rejection"  # decided against the accounts' states; recorded for ever
    LOOKUP = "lookup"  # a query found nothing, or not yet
    WEBHOOK = "webhook"  # a request about a subscriber of webhooks; nothing was changed
    OUTAGE = "outage"  # nothing was decided, or its answer was lost; nothing is half-done


class Reason(Struct, frozen=True):
    """One reason: its stable code, its REST status, its retry advice and its meaning."""

    code: str
    kind: Kind
    status: HTTPStatus
    retry: Retry
    meaning: str
