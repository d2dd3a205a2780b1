"""What AWS says when it does not do what it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ServiceError(Exception):
    """An error that a service answers with.

    `code`, `status` and `message` are AWS's; `fields` are what else is in the answer (the reasons
    of a cancelled transaction, the item that failed a condition).
    """

    def __init__(
        self,
        code: str,
        message: str = "",
        *,
        status: int = 400,
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        self.code = code
        self.message = message or code
        self.status = status
        self.fields = fields or {}
        super().__init__(code)
