"""The answer to a decided command, whichever it was, and to several at once."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from msgspec import Raw, Struct

from ledger.application.commit import Decided, Mismatch, Outcome
from ledger.contracts.events import (
    Accepted,
    AccountClosed,
    AccountFrozen,
    AccountOpened,
    AccountUnfrozen,
    AlertsSet,
    BatchCommitted,
    BookClosed,
    BookOpened,
    BookReopened,
    CommandRejected,
    LimitsSet,
    MetadataSet,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentIncreased,
    PaymentPosted,
    PaymentReversed,
    PaymentVoided,
    StripesSet,
    TemplateDefined,
    payment_of,
)
from ledger.entrypoints.api.answers import accounts, others, payments
from ledger.entrypoints.api.answers.accounts import (
    AccountAlerts,
    ClosedAccount,
    FrozenAccount,
    LimitedAccount,
    OpenedAccount,
    StripedAccount,
    UnfrozenAccount,
)
from ledger.entrypoints.api.answers.base import (
    REPLAY_HEADER,
    Answer,
    CommandAnswer,
    Sending,
    answer_of,
    encoded,
)
from ledger.entrypoints.api.answers.others import (
    ChangedMetadata,
    ClosedBook,
    DefinedTemplate,
    OpenedBook,
    ReopenedBook,
)
from ledger.entrypoints.api.answers.payments import (
    AuthorizedPayment,
    CapturedPayment,
    IncreasedPayment,
    PostedPayment,
    ReversedPayment,
    VoidedPayment,
)
from ledger.entrypoints.api.answers.problems import mismatch_answer, rejection_answer

MemberAnswer = (
    AccountAlerts
    | AuthorizedPayment
    | CapturedPayment
    | ChangedMetadata
    | ClosedAccount
    | ClosedBook
    | DefinedTemplate
    | FrozenAccount
    | IncreasedPayment
    | LimitedAccount
    | OpenedAccount
    | OpenedBook
    | PostedPayment
    | ReopenedBook
    | ReversedPayment
    | StripedAccount
    | UnfrozenAccount
    | VoidedPayment
)


class CommittedBatch(CommandAnswer, frozen=True, kw_only=True, tag="committed"):
    """The answer to `batch.atomic`: all of its commands took effect, each as its answer says."""

    answers: tuple[MemberAnswer, ...]


class OneAnswer(Struct, frozen=True, kw_only=True):
    """The answer to one of several commands: the status and the body of its own route."""

    status: int
    body: Raw


class Answers(Struct, frozen=True, kw_only=True):
    """The answers to commands that were decided one by one, in their order."""

    answers: tuple[OneAnswer, ...]


class Health(Struct, frozen=True, kw_only=True):
    """The API answers and could read the event store. `version` is the function's, as deployed."""

    status: Literal["ok"]
    version: str
    checks: dict[str, Literal["ok"]]


def outcome_answer(outcome: Outcome, *, dry_run: bool) -> Answer:
    """The answer to a command: 201 the first time and 200 afterwards if it was accepted, 200 if it
    was only asked what it would do; else a problem."""
    if isinstance(outcome, Mismatch):
        return mismatch_answer(outcome, dry_run=dry_run)
    sending = Sending(repeat=outcome.repeat, dry_run=dry_run)
    if isinstance(outcome.event, CommandRejected):
        return rejection_answer(outcome.event, sending)
    body = _body(outcome, outcome.event, sending)
    code = str(body.__struct_config__.tag)
    if outcome.repeat:
        return Answer(HTTPStatus.OK, encoded(body), code, headers={REPLAY_HEADER: "true"})
    if dry_run:
        return Answer(HTTPStatus.OK, encoded(body), code)
    return Answer(HTTPStatus.CREATED, encoded(body), code, headers=_location(outcome.event))


def several(each: list[Answer]) -> Answer:
    """The answers to several commands as one: of the headers `Retry-After` alone is lost, and of it
    the bodies say as much."""
    found = (OneAnswer(status=int(one.status), body=Raw(one.body)) for one in each)
    return Answer(HTTPStatus.OK, encoded(Answers(answers=tuple(found))), "answers")


def _body(outcome: Decided, event: Accepted, sending: Sending) -> CommandAnswer:
    if isinstance(event, BatchCommitted):
        members = tuple(_member(member, sending) for member in outcome.members)
        return answer_of(CommittedBatch, event, sending, answers=members)
    return _member(event, sending)


def _member(event: Accepted, sending: Sending) -> CommandAnswer:
    match event:
        case PaymentPosted():
            return payments.posted(event, sending)
        case PaymentAuthorized():
            return payments.authorized(event, sending)
        case PaymentCaptured() | PaymentIncreased() | PaymentVoided() | PaymentReversed():
            return payments.moved(event, sending)
        case AccountOpened():
            return accounts.opened(event, sending)
        case AlertsSet():
            return accounts.alerts_set(event, sending)
        case AccountFrozen() | AccountUnfrozen() | AccountClosed() | LimitsSet() | StripesSet():
            return accounts.changed(event, sending)
        case MetadataSet():
            return others.metadata_set(event, sending)
        case TemplateDefined():
            return others.template_defined(event, sending)
        case BookOpened() | BookClosed() | BookReopened():
            return others.book_changed(event, sending)
    raise AssertionError("no client can send what makes another event")


def _location(event: Accepted) -> dict[str, str]:
    """Where to read what was made or changed, relative to the path of the request, so that it holds
    behind any stage or domain."""
    match event:
        case BatchCommitted():
            return {}  # its commands' answers are all in its own
        case PaymentPosted() | PaymentAuthorized():
            path = f"payments/{event.id}"
        case PaymentCaptured() | PaymentIncreased() | PaymentVoided() | PaymentReversed():
            path = f"payments/{payment_of(event)}"
        case MetadataSet():
            path = f"{event.subject}s/{event.subject_id}/metadata"
        case TemplateDefined():
            path = f"templates/{event.template}"
        case BookOpened() | BookClosed() | BookReopened():
            path = f"books/{event.book}"
        case AccountFrozen() | AccountUnfrozen() | AccountClosed() | LimitsSet() | StripesSet():
            path = f"accounts/{event.account}/limits"
        case AlertsSet() | AccountOpened():
            path = f"accounts/{event.account}"
        case _:
            raise AssertionError("no client can send what makes another event")
    return {"Location": path}
