"""What the API answers: statuses, and bodies as Structs, of which the OpenAPI description is made.

An answer to a command is the recorded fact, the same for its first sending and for every repeat;
only `repeat`, the status and the header `Idempotent-Replay` say which of them this one was.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from ledger.application.commit import Mismatch
from ledger.application.outages import OutageError
from ledger.contracts import problems, reasons
from ledger.contracts.commands import Alert, Posting, PostPayment, ScreeningReason
from ledger.contracts.events import (
    AccountEntry,
    AccountEvent,
    AccountOpened,
    AlertsSet,
    Cause,
    CommandRejected,
    Event,
    PaymentPosted,
    PaymentScreened,
    currency_of,
)
from ledger.contracts.primitives import AccountType
from ledger.contracts.reasons import BY_CODE, InvalidCommandError, Reason, Retry
from ledger.domain.accounts import AccountState

JSON: Final = "application/json"
REPLAY_HEADER: Final = "Idempotent-Replay"
#: Seconds after which to send the same request again. Contention is over in milliseconds; a clock
#: that is 5 s off, a deployment and an outage of the store last longer.
RETRY_AFTER_SECONDS: Final[dict[str, int]] = {
    reasons.CONTENTION.code: 1,
    reasons.CLOCK_SKEW.code: 5,
    reasons.STORE_UNAVAILABLE.code: 2,
    reasons.UNKNOWN_STORED_VERSION.code: 5,
}
_RETRY_AFTER_DEFAULT: Final = 2
_ENCODER: Final = msgspec.json.Encoder()


class AccountAfter(Struct, frozen=True, kw_only=True):
    """An account after the command: its version, totals and balances then, in minor units.

    Balances are on the account's normal side. The account may have moved on since: `version` says
    what these figures are of.
    """

    id: str
    currency: str
    account_type: AccountType
    version: int
    balance_minor: int
    available_minor: int
    debits_posted_minor: int
    credits_posted_minor: int
    debits_pending_minor: int
    credits_pending_minor: int


class OpenedAccount(Struct, frozen=True, kw_only=True):
    """The answer to `account.open`: the account is open."""

    id: str
    status: Literal["opened"]
    repeat: bool
    recorded_at: str
    effective_at: str
    account: str
    currency: str
    account_type: AccountType
    min_balance_minor: int | None
    max_balance_minor: int | None
    accounts: tuple[AccountAfter, ...]


class AccountAlerts(Struct, frozen=True, kw_only=True):
    """The answer to `account.set_alerts`: the account has these alerts, and no others."""

    id: str
    status: Literal["alerts_set"]
    repeat: bool
    recorded_at: str
    account: str
    currency: str
    alerts: tuple[Alert, ...]
    accounts: tuple[AccountAfter, ...]


class AlertsNow(Struct, frozen=True, kw_only=True):
    """The alerts that an account has now, at `version`."""

    account: str
    currency: str
    version: int
    alerts: tuple[Alert, ...]


class PostedPayment(Struct, frozen=True, kw_only=True):
    """A payment that was posted. `repeat` is there in the answer to `payment.post` only."""

    id: str
    status: Literal["posted"]
    repeat: bool | UnsetType = UNSET
    recorded_at: str
    effective_at: str
    postings: tuple[Posting, ...]
    reference: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    accounts: tuple[AccountAfter, ...]


class RejectedPayment(Struct, frozen=True, kw_only=True):
    """A payment that was refused, for ever under this id, with the states that caused it."""

    id: str
    status: Literal["rejected"]
    recorded_at: str
    reason: str
    retry: Retry
    field: str | UnsetType = UNSET
    causes: tuple[Cause, ...]
    postings: tuple[Posting, ...]
    effective_at: str | UnsetType = UNSET
    reference: str | UnsetType = UNSET
    description: str | UnsetType = UNSET


class Screening(Struct, frozen=True, kw_only=True):
    """A fraud model's verdict on the payment, as recorded. Each reason has the payment's figure
    and, beside it, what is normal for its payer."""

    id: str
    recorded_at: str
    model: str
    verdict: Literal["clear", "review", "block"]
    score_permille: int
    reasons: tuple[ScreeningReason, ...]


class PaymentScreenings(Struct, frozen=True, kw_only=True):
    """The verdicts recorded on a payment, one a model: none before it is screened, a second or two
    after it was posted, and never one if it takes no money from a customer."""

    payment: str
    screenings: tuple[Screening, ...]


class Health(Struct, frozen=True, kw_only=True):
    """The API answers and could read the event store. `version` is the function's, as deployed."""

    status: Literal["ok"]
    version: str
    checks: dict[str, Literal["ok"]]


class Answer(Struct, frozen=True):
    """An answer's status, media type, body (encoded) and further headers; `code` is for the log."""

    status: HTTPStatus
    body: bytes
    code: str
    media_type: str = JSON
    headers: dict[str, str] = {}


def decided_answer(event: Event, *, repeat: bool) -> Answer:
    """The answer to a command that is decided: 201 and 200 if accepted, else a problem."""
    replay = {REPLAY_HEADER: "true"} if repeat else {}
    if isinstance(event, CommandRejected):
        return _rejection_answer(event, repeat, replay)
    body: OpenedAccount | AccountAlerts | PostedPayment
    # Relative to the path of the request, so that it holds behind any stage or domain.
    if isinstance(event, AccountOpened):
        body, location = _opened(event, repeat), f"accounts/{event.account}"
    elif isinstance(event, AlertsSet):
        body, location = _alerts_set(event, repeat), f"accounts/{event.account}"
    else:
        assert isinstance(event, PaymentPosted)  # no other command has a route
        body, location = _posted(event, repeat=repeat), f"payments/{event.id}"
    if repeat:
        return Answer(HTTPStatus.OK, _ENCODER.encode(body), body.status, headers=replay)
    return Answer(
        HTTPStatus.CREATED, _ENCODER.encode(body), body.status, headers={"Location": location}
    )


def payment_answer(event: PaymentPosted | CommandRejected | None) -> Answer:
    """The answer to the question for a payment: posted or rejected, or not found."""
    if event is None:
        return refusal_answer(reasons.PAYMENT_NOT_FOUND, "id")
    body: PostedPayment | RejectedPayment = (
        _posted(event, repeat=UNSET) if isinstance(event, PaymentPosted) else _rejected(event)
    )
    return Answer(HTTPStatus.OK, _ENCODER.encode(body), body.status)


def screenings_answer(payment: str, events: Iterable[PaymentScreened]) -> Answer:
    """The answer to the question for the verdicts on a payment."""
    found = tuple(
        Screening(
            id=event.id,
            recorded_at=event.recorded_at,
            model=event.model,
            verdict=event.verdict,
            score_permille=event.score_permille,
            reasons=event.reasons,
        )
        for event in events
    )
    body = PaymentScreenings(payment=payment, screenings=found)
    return Answer(HTTPStatus.OK, _ENCODER.encode(body), "screenings")


def alerts_answer(state: AccountState | None) -> Answer:
    """The answer to the question for an account's alerts."""
    if state is None:
        return refusal_answer(reasons.ACCOUNT_UNKNOWN, "id")
    body = AlertsNow(
        account=state.id, currency=state.currency, version=state.version, alerts=state.alerts
    )
    return Answer(HTTPStatus.OK, _ENCODER.encode(body), "alerts")


def health_answer(version: str) -> Answer:
    """The answer when the event store could be read."""
    health = Health(status="ok", version=version, checks={"event_store": "ok"})
    return Answer(HTTPStatus.OK, _ENCODER.encode(health), health.status)


def invalid_answer(error: InvalidCommandError) -> Answer:
    """A malformed command: the first fault by precedence, and all of them in `errors`."""
    return _problem(error.violations[0].reason, problems.problem_of_violations(error.violations))


def refusal_answer(reason: Reason, field: str = "") -> Answer:
    """A request refused for itself, or a question to which there is no answer."""
    return _problem(reason, problems.problem(reason, field=field))


def mismatch_answer(mismatch: Mismatch) -> Answer:
    """The id was decided for another request; `fields` are all those that differ."""
    reason = reasons.IDEMPOTENCY_MISMATCH
    extensions = {"id": mismatch.command_id, "fields": list(mismatch.fields)}
    return _problem(
        reason, problems.problem(reason, field=mismatch.fields[0], extensions=extensions)
    )


def outage_answer(error: OutageError) -> Answer:
    """Nothing is decided, or the answer is lost: when to send the same request again."""
    seconds = RETRY_AFTER_SECONDS.get(error.reason.code, _RETRY_AFTER_DEFAULT)
    return _problem(error.reason, problems.problem(error.reason), {"Retry-After": str(seconds)})


def _rejection_answer(event: CommandRejected, repeat: bool, headers: dict[str, str]) -> Answer:
    reason = BY_CODE[event.reason]
    body = problems.problem(
        reason,
        field="" if event.field is UNSET else event.field,
        extensions={
            "id": event.id,
            "recorded_at": event.recorded_at,
            "repeat": repeat,
            "causes": event.causes,
        },
    )
    return _problem(reason, body, headers)


def _problem(
    reason: Reason, body: dict[str, object], headers: dict[str, str] | None = None
) -> Answer:
    return Answer(
        reason.status, _ENCODER.encode(body), reason.code, problems.CONTENT_TYPE, headers or {}
    )


def _opened(event: AccountOpened, repeat: bool) -> OpenedAccount:
    return OpenedAccount(
        status="opened",
        id=event.id,
        repeat=repeat,
        recorded_at=event.recorded_at,
        effective_at=event.effective_at,
        account=event.account,
        currency=event.currency,
        account_type=event.account_type,
        min_balance_minor=event.min_balance_minor,
        max_balance_minor=event.max_balance_minor,
        accounts=_accounts_after(event),
    )


def _alerts_set(event: AlertsSet, repeat: bool) -> AccountAlerts:
    return AccountAlerts(
        status="alerts_set",
        id=event.id,
        repeat=repeat,
        recorded_at=event.recorded_at,
        account=event.account,
        currency=event.currency,
        alerts=event.alerts,
        accounts=_accounts_after(event),
    )


def _posted(event: PaymentPosted, *, repeat: bool | UnsetType) -> PostedPayment:
    return PostedPayment(
        status="posted",
        id=event.id,
        repeat=repeat,
        recorded_at=event.recorded_at,
        effective_at=event.effective_at,
        postings=event.postings,
        reference=event.reference,
        description=event.description,
        accounts=_accounts_after(event),
    )


def _rejected(event: CommandRejected) -> RejectedPayment:
    request = event.request
    assert isinstance(request, PostPayment)  # queries.payment has seen to it
    return RejectedPayment(
        status="rejected",
        id=event.id,
        recorded_at=event.recorded_at,
        reason=event.reason,
        retry=event.retry,
        field=event.field,
        causes=event.causes,
        postings=request.postings,
        effective_at=request.effective_at,
        reference=request.reference,
        description=request.description,
    )


def _accounts_after(event: AccountEvent) -> tuple[AccountAfter, ...]:
    return tuple(_account_after(entry, currency_of(event, entry.id)) for entry in event.accounts)


def _account_after(entry: AccountEntry, currency: str) -> AccountAfter:
    return AccountAfter(
        id=entry.id,
        currency=currency,
        account_type=entry.type,
        version=entry.version,
        balance_minor=entry.balance_minor,
        available_minor=entry.available_minor,
        debits_posted_minor=entry.debits_posted_minor,
        credits_posted_minor=entry.credits_posted_minor,
        debits_pending_minor=entry.debits_pending_minor,
        credits_pending_minor=entry.credits_pending_minor,
    )
