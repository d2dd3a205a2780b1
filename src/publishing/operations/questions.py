"""The routes of questions: of the event store itself, of projections, and of the fraud scorer."""

from __future__ import annotations

from typing import Final

from consumers.fraud.answers import ReviewsAnswer
from ledger.contracts import reasons
from ledger.entrypoints.api.answers.accounts import AlertsNow, LimitsNow
from ledger.entrypoints.api.answers.decided import Health
from ledger.entrypoints.api.answers.others import Book, MetadataNow, Template
from ledger.entrypoints.api.answers.payments import Payment, PaymentScreenings, RejectedPayment
from projections.query.answers import (
    AccountAnswer,
    AccountsAnswer,
    HistoryAnswer,
    PaymentsAnswer,
)
from publishing.operations.base import EVERYWHERE, READ, STORED, Operation

OF_QUESTIONS: Final[dict[tuple[str, str], Operation]] = {
    ("GET", "/payments"): Operation(
        "listPayments",
        "List payments by status",
        "The payments that are in a status, as the projection has them, those made last first, a "
        "page at a time.",
        {200: (PaymentsAnswer,)},
        READ,
        parameters=("status", "from", "to", "limit", "cursor"),
    ),
    ("GET", "/payments/{id}"): Operation(
        "getPayment",
        "Read a payment",
        "A payment as it is now, posted, held or what became of it, or rejected, read from the "
        "event store itself: an answer here is never behind an answer to a command.",
        {200: (Payment, RejectedPayment)},
        (*STORED, reasons.PAYMENT_NOT_FOUND),
        parameters=("id",),
    ),
    ("GET", "/payments/{id}/screening"): Operation(
        "getPaymentScreening",
        "Read the fraud verdicts on a payment",
        "The verdicts that the ledger recorded, read from the event store itself, each with its "
        "reasons and what is normal for the payer beside them. A payment that customers pay is "
        "screened a second or two after it was posted or held.",
        {200: (PaymentScreenings,)},
        (*STORED, reasons.PAYMENT_NOT_FOUND),
        parameters=("id",),
    ),
    ("GET", "/payments/{id}/metadata"): Operation(
        "getPaymentMetadata",
        "Read a payment's metadata",
        "The metadata that the payment has now, read from the event store itself.",
        {200: (MetadataNow,)},
        (*STORED, reasons.PAYMENT_NOT_FOUND),
        parameters=("id",),
    ),
    ("GET", "/reviews"): Operation(
        "listReviews",
        "List payments for review",
        "The recorded fraud verdicts that are not clear, newest first, a page at a time.",
        {200: (ReviewsAnswer,)},
        READ,
        parameters=("limit", "cursor"),
    ),
    ("GET", "/accounts"): Operation(
        "listAccounts",
        "List the accounts under a path",
        "The accounts whose ids lie under a path, as the projection has them, a page at a time, "
        "and what they come to by currency and type.",
        {200: (AccountsAnswer,)},
        READ,
        parameters=("under", "limit", "cursor"),
    ),
    ("GET", "/accounts/{id}"): Operation(
        "getAccount",
        "Read an account",
        "An account as the balances projection has it: within a second or two of the latest "
        "payment. `version` says how far it is; with `min_version` an older state is refused.",
        {200: (AccountAnswer,)},
        (*READ, reasons.ACCOUNT_UNKNOWN, reasons.NOT_YET_PROJECTED),
        parameters=("id", "min_version", "stripe"),
    ),
    ("GET", "/accounts/{id}/history"): Operation(
        "getAccountHistory",
        "Read an account's history",
        "What happened to an account, newest first, a page at a time, with its balance after each "
        "event. Of a striped account each stripe has a history, with balances of its own.",
        {200: (HistoryAnswer,)},
        (*READ, reasons.ACCOUNT_UNKNOWN, reasons.NOT_YET_PROJECTED),
        parameters=("id", "limit", "cursor", "min_version", "stripe"),
    ),
    ("GET", "/accounts/{id}/alerts"): Operation(
        "getAlerts",
        "Read an account's balance alerts",
        "The alerts that the account has now, read from the event store itself.",
        {200: (AlertsNow,)},
        (*STORED, reasons.ACCOUNT_UNKNOWN),
        parameters=("id",),
    ),
    ("GET", "/accounts/{id}/limits"): Operation(
        "getLimits",
        "Read an account's limits",
        "The constraints that the account has now, and what of its velocity limits is used, read "
        "from the event store itself.",
        {200: (LimitsNow,)},
        (*STORED, reasons.ACCOUNT_UNKNOWN),
        parameters=("id",),
    ),
    ("GET", "/accounts/{id}/metadata"): Operation(
        "getAccountMetadata",
        "Read an account's metadata",
        "The metadata that the account has now, read from the event store itself.",
        {200: (MetadataNow,)},
        (*STORED, reasons.ACCOUNT_UNKNOWN),
        parameters=("id",),
    ),
    ("GET", "/templates/{id}"): Operation(
        "getTemplate",
        "Read a template",
        "A template in its newest version, or in the one asked for.",
        {200: (Template,)},
        (*STORED, reasons.TEMPLATE_NOT_FOUND),
        parameters=("id", "version"),
    ),
    ("GET", "/books/{id}"): Operation(
        "getBook",
        "Read a book",
        "A book, and through which day it is closed.",
        {200: (Book,)},
        (*STORED, reasons.BOOK_NOT_FOUND),
        parameters=("id",),
    ),
    ("GET", "/health"): Operation(
        "getHealth",
        "Whether the ledger can work",
        "Reads the event store once, consistently: says that the API, the function, its "
        "permissions and the table of events work. It writes nothing and says nothing of queues "
        "and projections.",
        {200: (Health,)},
        (reasons.STORE_UNAVAILABLE, *EVERYWHERE),
    ),
}
