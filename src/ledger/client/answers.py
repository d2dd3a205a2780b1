"""What the API answers, and the ways in which it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ledger.contracts import reasons

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The request was done, or (`repeat`) had been done before; `body` is the outcome."""

    body: Body
    repeat: bool = False
    attempts: int = 1

    @property
    def dry_run(self) -> bool:
        """Whether it was only asked what the request would do: nothing happened."""
        return self.body.get("dry_run") is True


@dataclass(frozen=True, slots=True)
class Refused:
    """The request was refused, with a problem of RFC 9457. `repeat`: it had been, before."""

    status: int
    reason: str
    retry: str
    field: str
    title: str
    body: Body
    repeat: bool = False
    attempts: int = 1


Reply = Accepted | Refused


class UnreachableError(Exception):
    """The ledger did not answer, or said at every attempt that it cannot now.

    The same request is safe to send again, and nothing else is known: the command may have been
    decided although no answer came. `reason` is the code of the last answer, empty if none came.
    """

    def __init__(self, what: str, *, attempts: int, last: Refused | None = None) -> None:
        self.attempts = attempts
        self.reason = last.reason if last else ""
        self.body: Body = last.body if last else {}
        super().__init__(what)


def reply_of(status: int, body: Body, attempts: int) -> Reply:
    """The reply in an answer's status and body."""
    if 200 <= status < 300:
        return Accepted(body, repeat=body.get("repeat") is True, attempts=attempts)
    known = _BY_STATUS.get(status)
    return Refused(
        status=status,
        # What stands before the API's functions may answer without our members.
        reason=str(body.get("reason") or (known.code if known else f"http_{status}")),
        retry=str(body.get("retry") or (known.retry if known else "never")),
        field=str(body.get("field") or ""),
        title=str(body.get("title") or body.get("message") or (known.meaning if known else "")),
        body=body,
        repeat=body.get("repeat") is True,
        attempts=attempts,
    )


_BY_STATUS: Final = {
    400: reasons.INVALID_REQUEST,
    403: reasons.FORBIDDEN,
    404: reasons.UNKNOWN_ROUTE,
    413: reasons.PAYLOAD_TOO_LARGE,
    415: reasons.UNSUPPORTED_MEDIA_TYPE,
    429: reasons.THROTTLED,
    500: reasons.INTERNAL_ERROR,
    502: reasons.INTERNAL_ERROR,
    503: reasons.UNAVAILABLE,
    504: reasons.UNAVAILABLE,
}
