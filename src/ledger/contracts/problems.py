"""Problem details for HTTP answers, RFC 9457, with our members `reason`, `retry`, `field`.

`type` is stable and opens the line of `docs/errors.md` that explains the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ledger.contracts.reasons import Reason, Violation

CONTENT_TYPE: Final = "application/problem+json"
_TYPE_PREFIX: Final = "urn:ledger:problem:"


def problem(
    reason: Reason, *, field: str = "", extensions: Mapping[str, object] | None = None
) -> dict[str, object]:
    """The body for one reason; `extensions` are members of their own (never the standard ones)."""
    body: dict[str, object] = {
        "type": _TYPE_PREFIX + reason.code,
        "title": reason.meaning,
        "status": int(reason.status),
        "reason": reason.code,
        "retry": reason.retry,
    }
    if field:
        body["field"] = field
    return body | dict(extensions or {})


def problem_of_violations(violations: Sequence[Violation]) -> dict[str, object]:
    """The body for a malformed command: the first fault by precedence, and all of them."""
    first = violations[0]
    every = [{"reason": v.reason.code, "field": v.field} for v in violations]
    return problem(first.reason, field=first.field, extensions={"errors": every})
