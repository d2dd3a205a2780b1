"""Refusals of every kind, as problem details."""

from __future__ import annotations

from typing import Final

from ledger.application.commit import Mismatch
from ledger.application.outages import OutageError
from ledger.contracts import problems, reasons
from ledger.contracts.events import CommandRejected
from ledger.contracts.reasons import BY_CODE, InvalidCommandError, Reason
from ledger.entrypoints.api.answers.base import REPLAY_HEADER, Answer, Sending, encoded

#: Seconds after which to send the same request again. Contention is over in milliseconds; a clock
#: that is 5 s off, a deployment and an outage of the store last longer.
RETRY_AFTER_SECONDS: Final[dict[str, int]] = {
    reasons.CONTENTION.code: 1,
    reasons.CLOCK_SKEW.code: 5,
    reasons.STORE_UNAVAILABLE.code: 2,
    reasons.UNKNOWN_STORED_VERSION.code: 5,
}
_RETRY_AFTER_DEFAULT: Final = 2


def invalid_answer(error: InvalidCommandError) -> Answer:
    """A malformed command: the first fault by precedence, and all of them in `errors`."""
    return _problem(error.violations[0].reason, problems.problem_of_violations(error.violations))


def refusal_answer(reason: Reason, field: str = "") -> Answer:
    """A request refused for itself, or a question to which there is no answer."""
    return _problem(reason, problems.problem(reason, field=field))


def mismatch_answer(mismatch: Mismatch, *, dry_run: bool = False) -> Answer:
    """The id was decided for another request; `fields` are all those that differ."""
    reason = reasons.IDEMPOTENCY_MISMATCH
    extensions = {"id": mismatch.command_id, "fields": list(mismatch.fields), **_dry(dry_run)}
    return _problem(
        reason, problems.problem(reason, field=mismatch.fields[0], extensions=extensions)
    )


def rejection_answer(event: CommandRejected, sending: Sending) -> Answer:
    """The command was refused, or in a dry run would be."""
    reason = BY_CODE[event.reason]
    extensions = {
        "id": event.id,
        "recorded_at": event.recorded_at,
        "repeat": sending.repeat,
        **_dry(sending.dry_run),
        "causes": event.causes,
    }
    field = event.field if isinstance(event.field, str) else ""
    headers = {REPLAY_HEADER: "true"} if sending.repeat else {}
    return _problem(reason, problems.problem(reason, field=field, extensions=extensions), headers)


def outage_answer(error: OutageError) -> Answer:
    """Nothing is decided, or the answer is lost: when to send the same request again."""
    return not_now_answer(error.reason)


def not_now_answer(reason: Reason) -> Answer:
    """The same request may be sent again, after a while."""
    seconds = RETRY_AFTER_SECONDS.get(reason.code, _RETRY_AFTER_DEFAULT)
    return _problem(reason, problems.problem(reason), {"Retry-After": str(seconds)})


def _dry(dry_run: bool) -> dict[str, object]:
    return {"dry_run": True} if dry_run else {}


def _problem(
    reason: Reason, body: dict[str, object], headers: dict[str, str] | None = None
) -> Answer:
    return Answer(reason.status, encoded(body), reason.code, problems.CONTENT_TYPE, headers or {})
