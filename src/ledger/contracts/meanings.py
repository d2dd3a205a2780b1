"""What every field of commands, events and notifications means, in a sentence.

By its name alone where the name means the same everywhere, else by the Struct that it is in; and
the form that text and totals have in events, which their Structs do not say. Only the generators of
schemas and documents import it.
"""

from __future__ import annotations

from typing import Final

from ledger.contracts.commands import COMMAND_TYPES
from ledger.contracts.events import EVENT_TYPES
from ledger.contracts.primitives import AMOUNT_MINOR_MAX, ID_PATTERN, STRIPES_MAX

Addition = dict[str, object]
"""What a field's schema gets: a `description`, and keywords of JSON Schema."""

_STORED_INSTANT: Final = {"pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z$"}
_TOTAL: Final = {"minimum": 0, "maximum": AMOUNT_MINOR_MAX}
_AMOUNTS: Final = {"items": {"type": "integer", **_TOTAL}}
_AN_ID: Final = {"pattern": ID_PATTERN}

#: What a field means where its name alone says it.
MEANING: Final[dict[str, str]] = {
    "type": "What this object is. Stable.",
    "v": "The version of this shape.",
    "id": "The command's id: the same id is decided once, for ever.",
    "recorded_at": "When the ledger decided it: RFC 3339, UTC, six fraction digits.",
    "effective_at": "When it counts from, the client's word: RFC 3339 with an offset. "
    "Default: the time at which it is recorded. Events have it in UTC with six fraction digits.",
    "actor": "Who sent the command, as AWS identified the caller.",
    "account": "The account's id; a path such as `customers:42:wallet` is a good one.",
    "currency": "ISO 4217, alphabetic.",
    "account_type": "Fixes the normal side: debit for asset and expense, credit for the others.",
    "min_balance_minor": "The lowest balance payments may leave, in minor units on the normal "
    "side. Null: unbounded.",
    "max_balance_minor": "The highest balance payments may leave, in minor units on the normal "
    "side. Null: unbounded.",
    "min_balance_basis": "Which balance the lowest holds for: `available` (the default) counts "
    "what is pending against it, `posted` does not.",
    "max_balance_basis": "Which balance the highest holds for: `available` (the default) or "
    "`posted`.",
    "velocity": "All velocity limits, at most 8, each with a name of its own.",
    "stripes": "Over how many stripes the account is spread, 1 to 32, to take more payments at the "
    "same time. An account is opened with 1 if it is left out.",
    "book": "The book: a set of accounts whose periods are closed together. Default: `main`.",
    "metadata": "At most 16 texts of at most 256 characters, by plain names. No card numbers.",
    "subject": "Whether the metadata are those of an account or of a payment.",
    "subject_id": "The id of that account or payment.",
    "sides": "What may not pass, or may again: `debits` (money leaves a liability), `credits`, or "
    "`both`.",
    "postings": "The movements, 1 to 45, all or none.",
    "source": "The account debited.",
    "destination": "The account credited; another than the source.",
    "amount_minor": "How much: an integer of the currency's minor unit (1250 is 12.50 EUR).",
    "rates": "What amounts were converted at; the amounts must be exactly that.",
    "reference": "Free text for machines, as an order number. No card numbers.",
    "description": "Free text for people. No card numbers.",
    "reason": "Why, for the record. No card numbers.",
    "expires_at": "When the hold ends by itself: RFC 3339 with an offset; at most 366 days ahead. "
    "Default: 7 days from now.",
    "over_capture_bps": "How far captures may pass the amount held, in hundredths of a percent. "
    "Default: 0.",
    "final": "Whether what the capture leaves of the hold is released. Default: false.",
    "payment": "The id of the payment that it is about.",
    "template": "The template's name.",
    "parameters": "What a payment of the template needs, by name.",
    "through": "The last day (UTC, YYYY-MM-DD) of what is closed.",
    "defaulted": "The fields that the client left out and the ledger filled in.",
    "accounts": "What became of every account touched, in order of first appearance.",
    "profile": "What the account is from here on, whole.",
    "entry": "The new version of what the event is about, besides accounts.",
    "books": "The books that a back-dated event was checked against. Absent if it was not.",
    "alerts": "All alerts of the account, at most 4, no two alike. An empty list: none.",
    "direction": "Which way the posted balance must cross the threshold.",
    "threshold_minor": "The balance to watch for, in minor units on the account's normal side.",
    "model": "Which model judged it: `a-z0-9.-`, at most 16 characters.",
    "verdict": "`clear`; `review`: a person should look; `block`: it should not have been made.",
    "score_permille": "From 0, as usual as can be, to 1000.",
    "reasons": "What stood out, the weightiest first; at most 8.",
}

_AT_OPENING: Final[dict[str, Addition]] = {
    "min_balance_minor": {
        "description": "The lowest balance payments may leave, in minor units on the normal side; "
        "at most 0. Null: unbounded. Default 0: no overdraft."
    },
    "max_balance_minor": {
        "description": "The highest balance payments may leave, in minor units on the normal "
        "side; at least 0. Null, the default: unbounded."
    },
}
_OF_A_PART: Final[Addition] = {
    "description": "How much of what the payer gives (the account that the first posting debits, "
    "in its currency), in minor units; the other postings follow in proportion. Default: all that "
    "is left."
}
_PAYMENTS_ID: Final[Addition] = {
    "description": "The payment's id: the same id is decided once, for ever."
}
_OF_VERSION: Final[dict[str, Addition]] = {
    "version": {
        "description": "The version that the event made: 1, 2, 3, … without a gap.",
        "minimum": 1,
    },
    "prev": {
        "description": "The id of the event that made the version before; absent for 1.",
        **_AN_ID,
    },
}

#: Of objects in commands; those of commands themselves that their names do not explain.
_OF_COMMANDS: Final[dict[str, dict[str, Addition]]] = {
    "OpenAccount": _AT_OPENING,
    "SetLimits": {
        name: {"description": f"{MEANING[name]} Left out: as it was."}
        for name in ("min_balance_minor", "max_balance_minor", "velocity")
    },
    "PostPayment": {"id": _PAYMENTS_ID},
    "AuthorizePayment": {"id": _PAYMENTS_ID},
    "PostTemplate": {
        "id": _PAYMENTS_ID,
        "template_version": {"description": "Its version. Default: the newest."},
        "parameters": {"description": "What each of the template's parameters is to be, by name."},
    },
    "CapturePayment": {"amount_minor": _OF_A_PART},
    "IncreasePayment": {
        "amount_minor": {
            "description": "How much more of what the payer gives (the account that the first "
            "posting debits, in its currency), in minor units; the other postings follow in "
            "proportion. Default: nothing."
        },
        "expires_at": {
            "description": "When the hold is to end now, later than before. Default: as it was."
        },
    },
    "ReversePayment": {"amount_minor": _OF_A_PART},
    "ExpirePayment": {
        "id": {"description": "`expire:<payment>:<version>`, or with a hash if that is too long."},
        "version": {"description": "The version of the payment that is due."},
    },
    "ScreenPayment": {
        "id": {"description": "`screening:<payment>:<model>`, or with a hash if that is too long."},
        "payment": {"description": "The id of the payment screened."},
    },
    "DefineTemplate": {
        "parameters": {"description": "What whoever posts it must give; at most 16."},
        "postings": {"description": "The postings it makes, 1 to 45, with parameters in them."},
    },
    "ReopenBook": {
        "through": {
            "description": "The last day (UTC, YYYY-MM-DD) that stays closed; null: none does."
        }
    },
    "AtomicBatch": {
        "id": {"description": "The batch's id. Its commands have ids of their own."},
        "commands": {"description": "1 to 98 commands, decided in this order; none is a batch."},
    },
    "Posting": {},
    "Alert": {},
    "VelocityLimit": {
        "name": {"description": "What the limit is called, in refusals too."},
        "window": {
            "description": "In what time: a `day`, `week` (from Monday) or `month` of UTC's "
            "calendar, or the `rolling` last hours."
        },
        "hours": {"description": "Of a rolling window: how many hours, up to a week."},
        "direction": {
            "description": "What counts: what leaves by `debits`, or comes by `credits`."
        },
        "currency": {"description": "The account's currency."},
        "max_amount_minor": {"description": "The most in all, in minor units. Absent: any amount."},
        "max_count": {"description": "The most payments. Absent: any number."},
    },
    "DeclaredRate": {
        "from_posting": {"description": "The place of the posting converted, from 0."},
        "to_posting": {"description": "The place of the posting that it was converted to."},
        "rate": {"description": "Major units of the second for one of the first, as a decimal."},
        "rounding": {"description": "How the second amount was rounded to its minor unit."},
    },
    "TemplateParameter": {
        "name": {"description": "The parameter's name."},
        "kind": {"description": "What it stands for."},
    },
    "TemplatePosting": {
        "source": {"description": "The account debited; `{name}` in it stands for a parameter."},
        "destination": {
            "description": "The account credited; `{name}` in it stands for a parameter."
        },
        "currency": {"description": "ISO 4217, or `{name}`: a parameter."},
        "amount": {"description": "How much of which parameter."},
    },
    "AmountRule": {
        "of": {"description": "The parameter, of kind amount, that it is a part of."},
        "bps": {
            "description": "Which share of it, in hundredths of a percent: a number, or a "
            "parameter's name. Absent: all of it, or the remainder."
        },
        "rounding": {"description": "How a share is rounded. Default: `half_even`."},
        "remainder": {"description": "Whether it is what the shares leave. Default: false."},
    },
    "ScreeningReason": {
        "code": {"description": "What stood out: a code of docs/fraud.md."},
        "value": {"description": "The payment's figure, in `unit`."},
        "norm": {
            "description": "What is normal for the payer, in `unit`. Null: nothing to compare."
        },
        "unit": {"description": "What `value` and `norm` count; `minor` is minor units."},
    },
}

#: What fields of every event mean, and their form.
_OF_EVERY_EVENT: Final[dict[str, Addition]] = {
    "id": {"description": "The id of the command that made it.", **_AN_ID},
    "account": {**_AN_ID},
    "subject_id": {**_AN_ID},
    "payment": {**_AN_ID},
    "recorded_at": {**_STORED_INSTANT},
    "effective_at": {**_STORED_INSTANT},
}
#: The account, or every stripe of it.
_ONE_ACCOUNT: Final[Addition] = {"minItems": 1, "maxItems": STRIPES_MAX}
_GIVEN: Final[Addition] = {"description": "The amount asked for, in minor units. Absent: all."}
_RELEASED: Final[Addition] = {"description": "What is pending no more."}

_OF_EVENTS: Final[dict[str, dict[str, Addition]]] = {
    "AccountOpened": {**_AT_OPENING, "accounts": _ONE_ACCOUNT},
    "AlertsSet": {"accounts": _ONE_ACCOUNT},
    "AccountFrozen": {"accounts": _ONE_ACCOUNT},
    "AccountUnfrozen": {"accounts": _ONE_ACCOUNT},
    "AccountClosed": {"accounts": _ONE_ACCOUNT},
    "LimitsSet": {
        "given": {"description": "The fields that the client gave; the others are as they were."},
        "accounts": _ONE_ACCOUNT,
    },
    "StripesSet": {
        "stripes": {"description": "How many stripes take payments from here on."},
        "accounts": _ONE_ACCOUNT,
    },
    "PaymentPosted": {
        "id": {"description": "The payment's id.", **_AN_ID},
        "accounts": {"minItems": 2},
        "template": {"description": "The template that it was made of, if it was."},
    },
    "PaymentAuthorized": {
        "id": {"description": "The payment's id.", **_AN_ID},
        "postings": {"description": "What is pending from here on."},
        "accounts": {"minItems": 2},
    },
    "PaymentCaptured": {
        "postings": {"description": "What was posted."},
        "released": {
            "description": "What is pending no more, if that is not the same as what was posted."
        },
        "amount_minor": _GIVEN,
        "final": {"description": "What the client said of it. Absent: nothing."},
    },
    "PaymentIncreased": {
        "postings": {
            "description": "What is pending from here on, besides what was. Absent: none."
        },
        "accounts": {"description": "What became of every account touched. Absent: none was."},
        "amount_minor": {
            "description": "How much more was asked for, in minor units. Absent: nothing."
        },
        "expires_at": {
            "description": "The new end that was asked for. Absent: none.",
            **_STORED_INSTANT,
        },
    },
    "PaymentVoided": {
        "postings": _RELEASED,
        "by": {"description": "The type of the command: the reversal of a hold is its void."},
        "asked_effective_at": {
            "description": "The effective time that a reversal asked for; nothing was posted.",
            **_STORED_INSTANT,
        },
    },
    "PaymentExpired": {"postings": _RELEASED},
    "PaymentReversed": {
        "postings": {"description": "What was posted: the other way round than the payment's."},
        "amount_minor": _GIVEN,
    },
    "PaymentScreened": {"payment": {"description": "The id of the payment screened.", **_AN_ID}},
    "BookReopened": {
        "through": {"description": "The last day that stays closed; null: none does."}
    },
    "TemplateDefined": {
        "parameters": {"description": "What whoever posts it must give."},
        "postings": {"description": "The postings it makes, with parameters in them."},
    },
    "BatchCommitted": {
        "id": {"description": "The batch's id.", **_AN_ID},
        "commands": {"description": "The ids of its commands, in order: those of their events."},
    },
    "CommandRejected": {
        "id": {"description": "The refused command's id. It stays refused.", **_AN_ID},
        "reason": {"description": "Why: a code of docs/errors.md, kind `rejection`."},
        "retry": {"description": "Whether trying again can help: `new_id` or `never`."},
        "field": {
            "description": "The path of the field at fault, as `postings[0].source`. Absent if it "
            "is no one's."
        },
        "request": {"description": "The refused command as it was sent."},
        "causes": {"description": "The states that caused the refusal, with the values that did."},
    },
}

#: Of objects in events.
_IN_EVENTS: Final[dict[str, dict[str, Addition]]] = {
    "AccountEntry": {
        "id": {"description": "The account's id.", **_AN_ID},
        "type": {"description": "The account's type, which fixes its normal side."},
        **_OF_VERSION,
        "debits_posted_minor": {
            "description": "All debits posted since the opening, in minor units.",
            **_TOTAL,
        },
        "credits_posted_minor": {
            "description": "All credits posted since the opening, in minor units.",
            **_TOTAL,
        },
        "debits_pending_minor": {
            "description": "Debits held and not yet posted, in minor units. Absent: 0.",
            **_TOTAL,
        },
        "credits_pending_minor": {
            "description": "Credits held and not yet posted, in minor units. Absent: 0.",
            **_TOTAL,
        },
        "crossed": {
            "description": "The account's alerts that this event made its balance cross. "
            "Absent: none.",
        },
        "stripe": {
            "description": "Which stripe of the account it is, from 0; version, `prev` and totals "
            "are those of the stripe. Absent: the account never was striped.",
            "minimum": 0,
            "maximum": STRIPES_MAX - 1,
        },
        "floor_minor": {
            "description": "The stripe's share of the account's lowest balance, in minor units: to "
            "go below it, it must look at the others. Null: it has none, and always must. Absent: "
            "as it was."
        },
        "ceiling_minor": {
            "description": "The stripe's share of the account's highest balance, in minor units. "
            "Null: it has none. Absent: as it was."
        },
    },
    "SubjectEntry": _OF_VERSION,
    "PaymentEntry": {
        **_OF_VERSION,
        "status": {"description": "Where in its life the payment is."},
        "authorized_minor": {
            "description": "What was held of each posting, in minor units. Absent: never a hold.",
            **_AMOUNTS,
        },
        "captured_minor": {
            "description": "What was posted of each posting, in minor units. Absent: nothing.",
            **_AMOUNTS,
        },
        "reversed_minor": {
            "description": "What was given back of each posting, in minor units. Absent: nothing.",
            **_AMOUNTS,
        },
        "expires_at": {"description": "When the hold ends by itself.", **_STORED_INSTANT},
    },
    "AccountProfile": {
        "status": {"description": "Whether it is open, frozen or closed."},
        "frozen": {"description": "What may not pass. Absent: nothing is frozen."},
        "opened_at": {
            "description": "When it was opened, by its effective time.",
            **_STORED_INSTANT,
        },
        "velocity": {"description": "All velocity limits. Absent: none."},
        "stripes": {"description": "Over how many stripes it is spread. Absent: 1."},
    },
    "BookCheck": {
        "version": {"description": "The book's version; 0: it never changed.", "minimum": 0},
        "closed_through": {"description": "The last day that was closed. Absent: none was."},
    },
    "TemplateUse": {
        "name": {"description": "The template's name."},
        "version": {"description": "Its version.", "minimum": 1},
        "pinned": {"description": "Whether the client named the version. Absent: it did not."},
        "parameters": {"description": "What each parameter was, by name."},
    },
    "Cause": {
        "id": {
            "description": "The id of the account, or of what `kind` says: of a stripe "
            "`<account>/<number>`; `clock` for the time."
        },
        "version": {
            "description": "Its version when the refusal was decided; 0: it did not exist.",
            "minimum": 0,
        },
        "values": {"description": "What of it caused the refusal: minor units, or codes."},
        "kind": {"description": "What it is; `clock`: the time it was. Absent: an account."},
    },
}

_OF_NOTIFICATIONS: Final[dict[str, dict[str, Addition]]] = {
    "BalanceAlert": {
        "id": {"description": "`<event>/<account>/<direction>/<threshold_minor>`: one a crossing."},
        "event": {"description": "The id of the event that made the balance cross.", **_AN_ID},
        "account": {**_AN_ID},
        "account_version": {
            "description": "The version of the account that the event made: what is newer counts.",
            "minimum": 1,
        },
        "balance_minor": {
            "description": "The posted balance after that event, in minor units; normal side.",
        },
        "recorded_at": {**_STORED_INSTANT},
    },
}

#: What a field means and the form it has, where its name alone does not say it; by Struct. Every
#: Struct of commands, events and notifications is in it.
OF_STRUCT: Final[dict[str, dict[str, Addition]]] = (
    {command.__name__: {} for command in COMMAND_TYPES.values()}
    | _OF_COMMANDS
    | {
        event.__name__: _OF_EVERY_EVENT | _OF_EVENTS.get(event.__name__, {})
        for event in EVENT_TYPES.values()
    }
    | _IN_EVENTS
    | _OF_NOTIFICATIONS
)
