"""What the fields of answers mean, where they do not mean what they mean in commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ledger.contracts.meanings import OF_STRUCT
from ledger.contracts.schemas import Schema

#: By the field's name alone.
_FIELDS: Final[dict[str, str]] = {
    "status": "What became of it.",
    "repeat": "Whether the outcome had been recorded before this request.",
    "dry_run": "There if it was a dry run: nothing was done, and the id stays free.",
    "version": "The account's version: how many events it has had.",
    "balance_minor": "The posted balance on the account's normal side, in minor units.",
    "available_minor": "The balance less what pending amounts may yet take, in minor units.",
    "debits_posted_minor": "All debits posted since the opening, in minor units.",
    "credits_posted_minor": "All credits posted since the opening, in minor units.",
    "debits_pending_minor": "Debits held and not yet posted, in minor units.",
    "credits_pending_minor": "Credits held and not yet posted, in minor units.",
    "debits_pended_minor": "Debits held by this event; below 0: released. In minor units.",
    "credits_pended_minor": "Credits held by this event; below 0: released. In minor units.",
    "id": "The id.",
    "effective_at": "When it counts from: RFC 3339, UTC, six fraction digits.",
    "account_status": "Whether the account is open, frozen or closed.",
    "frozen": "What may not pass. Absent: nothing is frozen.",
    "book": "The book: a set of accounts whose periods are closed together.",
    "metadata": "Texts by name, kept beside the money.",
    "metadata_version": "The version of the metadata; 0: they were never set anew.",
    "rates": "What amounts were converted at.",
    "expires_at": "When the hold ends by itself. Absent if it is none.",
    "over_capture_bps": "How far captures may pass the amount held, in hundredths of a percent.",
    "authorized_minor": "What was held of each posting, with increases, in minor units.",
    "held_minor": "What is still held of each posting, in minor units.",
    "captured_minor": "What was posted of each posting, in minor units.",
    "reversed_minor": "What was given back of each posting, in minor units.",
    "released": "What is pending no more.",
    "changed_at": "When that event was recorded.",
    "checks": "What was tried, each with its result.",
    "event": "The id of the event that made this version.",
    "profile_version": "The version as of which status, opening and limits are known; 0: not yet.",
    "stripes": "Over how many stripes the account is spread.",
    "stripe": "Which stripe of the account it is, from 0: version, totals and balances are the "
    "stripe's. Absent: the account never was striped.",
    "by_stripe": "Each stripe of the account, the first first. Absent: it never was striped.",
    "opened_at": "When the account was opened, by its effective time.",
    "limits": "What the balance must stay between.",
    "counterparty": "The account on the other side of the posting.",
    "side": "Which side of this account the posting is on.",
    "debited_minor": "What this event debited, in minor units.",
    "credited_minor": "What this event credited, in minor units.",
    "type": "The type of the event.",
    "legs": "The first ten postings that touch the account.",
    "legs_count": "How many postings of the event touch the account.",
    "prev": "The id of the event that made the version before; absent for version 1.",
    "complete_to": "No version up to this one is missing.",
    "complete_to_exact": "Whether `complete_to` is exact; else it is a lower bound.",
    "entries": "The events, newest first.",
    "next_cursor": "Leads to the next page; absent on the last.",
    "payment": "The id of the payment that it is about.",
    "payments": "The payments, those made last first.",
    "screenings": "The verdicts, that of the present model first; empty: none is recorded yet.",
    "reviews": "The verdicts, newest first.",
    "recorded_at": "When the ledger recorded it.",
    "model": "Which model judged it.",
    "verdict": "`clear`; `review`: a person should look; `block`: it should not have been made.",
    "score_permille": "From 0, as usual as can be, to 1000.",
    "reasons": "What stood out, the weightiest first.",
    "retry": "What may be tried.",
    "field": "The path of the field at fault. Absent if it is no one's.",
    "causes": "The states that caused the refusal, with the values that did.",
    "closed_through": "The last day (UTC, YYYY-MM-DD) that is closed; null: none is.",
    "answers": "The answers, in the order of the commands.",
    "body": "The body that the command's own route would have answered: a problem if refused.",
    "commands": "The commands, decided in this order.",
    "as_of": "The instant for which it is said.",
    "under": "The path asked for.",
    "sums": "What all accounts there come to. Absent on later pages.",
    "complete": "Whether these are all; else `next_cursor` leads to the rest.",
    "by_currency_and_type": "The sums, one for each currency and type of account.",
}
_PAYMENTS_VERSION: Final = {"version": "The payment's version: how many events it has had."}
_REFUSED: Final = {"reason": "Why it was refused: a code of docs/errors.md. Absent if it was not."}
_TEMPLATE_USED: Final = {"template": "The template that it was made of, if it was."}
_MOVED: Final = {"payment": "The payment, as it is then."}
_BOOKS_VERSION: Final = {"version": "The book's version; 0: nothing has happened to it."}
_METADATAS_VERSION: Final = {"version": "The version of the metadata; 0: they were never set."}
_WEBHOOK: Final = {
    "id": "The webhook's id.",
    "url": "Where notifications are sent to: https, and no private address.",
    "filters": "What it wants.",
    "enabled": "Whether anything is sent to it.",
    "disabled_by": "Who disabled it: a `request`, or its endpoint, which was `gone` (410).",
    "created_at": "When it was added.",
    "updated_at": "When it was changed last.",
    "previous_secret_until": "Until when the secret before the present one signs beside it.",
    "secret": "Signs what is sent: `whsec_` and base64. Shown this once.",
    "webhook": "The webhook.",
    "webhooks": "All webhooks, by id.",
    "webhook_id": "The header `webhook-id` of what is on its way.",
    "now": "Whether the secret before signs no more, from now on.",
    "status": "What became of it.",
    "types": "Types of notifications.",
    "accounts": "Accounts touched: ids, or beginnings of ids with `*` behind them.",
    "payments": "Payments that it is about: ids, or beginnings of ids with `*` behind them.",
    "currencies": "Currencies of payments and accounts.",
    "amount_bands": "Bands of a payment's largest posting.",
    "reasons": "Reasons of rejections.",
}
#: By the Struct, where the name alone does not say it.
_OF_STRUCT: Final[dict[str, Mapping[str, str]]] = {
    **dict.fromkeys(
        (
            *("WebhookAnswer", "WebhookRemovedAnswer", "WebhookSecretAnswer", "WebhookTestAnswer"),
            *("WebhooksAnswer", "WebhookRequest", "RotationRequest", "Filters"),
        ),
        _WEBHOOK,
    ),
    **dict.fromkeys(
        (
            *("AuthorizedPayment", "CapturedPayment", "IncreasedPayment"),
            *("ReversedPayment", "VoidedPayment"),
        ),
        _MOVED,
    ),
    **dict.fromkeys(("OpenedBook", "ClosedBook", "ReopenedBook", "Book"), _BOOKS_VERSION),
    **dict.fromkeys(("ChangedMetadata", "MetadataNow"), _METADATAS_VERSION),
    "ReopenedBook": {
        **_BOOKS_VERSION,
        "through": "The last day (UTC, YYYY-MM-DD) that stays closed; null: none does.",
    },
    "DefinedTemplate": {"version": "The version that was made."},
    "Template": {"version": "Which version of the template it is."},
    "TemplateAnswer": {
        "name": "The template's name.",
        "version": "Which version of it. Absent if the payment was refused before that was known.",
        "parameters": "What each parameter was, by name.",
    },
    "PostedPayment": _TEMPLATE_USED,
    "PaymentAfter": {**_PAYMENTS_VERSION, "status": "Where in its life the payment is."},
    "Payment": {
        **_PAYMENTS_VERSION,
        **_TEMPLATE_USED,
        "status": "Where in its life the payment is.",
        "accounts": "The accounts that it touched, as they were when it was made.",
    },
    "PaymentAnswer": {
        **_PAYMENTS_VERSION,
        **_REFUSED,
        **_TEMPLATE_USED,
        "status": "Where in its life the payment is.",
        "type": "The type of the event that made it.",
        "event": "The id of the event that brought it where it is.",
    },
    "PaymentsAnswer": {"status": "The status asked for."},
    "RejectedPayment": {
        **_REFUSED,
        "template": "The name of the template that it was to be made of, if it was.",
        "parameters": "What was given to that template.",
        "postings": "The movements asked for; none if a template was to make them.",
    },
    "OneAnswer": {"status": "The HTTP status that the command's own route would have answered."},
    "AccountAnswer": {"status": "Whether the account is open, frozen or closed."},
    "EntryAnswer": {"reason": "Why, for the record. Absent if nothing was said."},
    "AccountsAnswer": {"accounts": "The accounts of this page, by id."},
    "SumsAnswer": {"accounts": "How many accounts these are."},
    "SumAnswer": {"accounts": "How many accounts these are."},
    "LimitsNow": {
        "status": "Whether the account is open, frozen or closed.",
        "velocity": "All velocity limits, with what is used of them.",
    },
    "VelocityNow": {
        "used_amount_minor": "What counts of payments in the window, in minor units.",
        "used_count": "How many payments count.",
        "remaining_amount_minor": "What is left of the amount, in minor units.",
        "remaining_count": "How many payments are left.",
        "resets_at": "From when on less is used, or would be of a payment made now.",
    },
    "Health": {"version": "The version of the function, as Lambda published it."},
}


def meanings_of(struct_name: str) -> Mapping[str, Schema]:
    """What the fields of a Struct mean that do not mean what their names mean in commands."""
    if struct_name in OF_STRUCT:
        return OF_STRUCT[struct_name]
    own = dict(_OF_STRUCT.get(struct_name, {}))
    if struct_name == "VelocityNow":
        limit = OF_STRUCT["VelocityLimit"]
        own = {name: str(meaning["description"]) for name, meaning in limit.items()} | own
    return {name: {"description": text} for name, text in (_FIELDS | own).items()}
