"""JSON Schemas (draft 2020-12) of commands, events and notifications, made from their Structs.

The Structs say types, bounds and which fields are required; this module adds what they cannot:
what each field means, the form of text in events, and an example. Only generators and tests import
it: no handler pays for it. `docs/schemas` holds the result, and a test holds the two together.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Final, cast

import msgspec
from msgspec import Struct

from ledger.contracts import examples
from ledger.contracts.commands import COMMAND_TYPES
from ledger.contracts.events import EVENT_TYPES
from ledger.contracts.notifications import ALERT_TYPE, BalanceAlert
from ledger.contracts.primitives import AMOUNT_MINOR_MAX, ID_PATTERN

Schema = dict[str, object]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_STORED_INSTANT: Final = {"pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z$"}
_TOTAL: Final = {"minimum": 0, "maximum": AMOUNT_MINOR_MAX}
_AN_ID: Final = {"pattern": ID_PATTERN}

#: What a field means, by its name alone where it means the same everywhere.
_MEANING: Final[dict[str, str]] = {
    "type": "What this object is. Stable.",
    "v": "The version of this shape.",
    "recorded_at": "When the ledger decided it: RFC 3339, UTC, six fraction digits.",
    "effective_at": "When it counts from, the client's word: RFC 3339 with an offset. "
    "Default: the time at which it is recorded. Events have it in UTC with six fraction digits.",
    "actor": "Who sent the command, as AWS identified the caller.",
    "account": "The account's id; a path such as `customers:42:wallet` is a good one.",
    "currency": "ISO 4217, alphabetic.",
    "account_type": "Fixes the normal side: debit for asset and expense, credit for the others.",
    "min_balance_minor": "The lowest balance payments may leave, in minor units on the normal "
    "side; at most 0. Null: unbounded. Default 0: no overdraft.",
    "max_balance_minor": "The highest balance payments may leave, in minor units on the normal "
    "side; at least 0. Null, the default: unbounded.",
    "postings": "The movements, 1 to 45, posted all or none.",
    "source": "The account debited.",
    "destination": "The account credited; another than the source.",
    "amount_minor": "How much: an integer of the currency's minor unit (1250 is 12.50 EUR).",
    "reference": "Free text for machines, as an order number. No card numbers.",
    "description": "Free text for people. No card numbers.",
    "defaulted": "The fields that the client left out and the ledger filled in.",
    "accounts": "What became of every account touched, in order of first appearance.",
    "reason": "Why: a code of docs/errors.md, kind `rejection`.",
    "retry": "Whether trying again can help: `new_id` or `never`.",
    "field": "The path of the field at fault, as `postings[0].source`. Absent if it is no one's.",
    "request": "The refused command as it was sent.",
    "causes": "The states of the accounts that caused the refusal.",
    "alerts": "All alerts of the account, at most 4, no two alike. An empty list: none.",
    "direction": "Which way the posted balance must cross the threshold.",
    "threshold_minor": "The balance to watch for, in minor units on the account's normal side.",
    "payment": "The id of the payment screened.",
    "model": "Which model judged it: `a-z0-9.-`, at most 16 characters.",
    "verdict": "`clear`; `review`: a person should look; `block`: it should not have been made.",
    "score_permille": "From 0, as usual as can be, to 1000.",
    "reasons": "What stood out, the weightiest first; at most 8.",
}

#: What a field means and the form it has, where its name alone does not say it; by Struct.
OF_STRUCT: Final[dict[str, dict[str, Schema]]] = {
    "OpenAccount": {
        "id": {"description": "The command's id: the same id is decided once, for ever."},
    },
    "PostPayment": {
        "id": {"description": "The payment's id: the same id is decided once, for ever."},
    },
    "Posting": {},
    "SetAlerts": {
        "id": {"description": "The command's id: the same id is decided once, for ever."},
    },
    "Alert": {},
    "ScreenPayment": {
        "id": {"description": "`screening:<payment>:<model>`, or with a hash if that is too long."},
    },
    "ScreeningReason": {
        "code": {"description": "What stood out: a code of docs/fraud.md."},
        "value": {"description": "The payment's figure, in `unit`."},
        "norm": {
            "description": "What is normal for the payer, in `unit`. Null: nothing to compare."
        },
        "unit": {"description": "What `value` and `norm` count; `minor` is minor units."},
    },
    "AlertsSet": {
        "id": {"description": "The id of the command that set them.", **_AN_ID},
        "account": {**_AN_ID},
        "recorded_at": {**_STORED_INSTANT},
        "effective_at": {**_STORED_INSTANT},
        "accounts": {"minItems": 1, "maxItems": 1},
    },
    "PaymentScreened": {
        "id": {"description": "The id of the command with the verdict.", **_AN_ID},
        "payment": {**_AN_ID},
        "recorded_at": {**_STORED_INSTANT},
        "effective_at": {**_STORED_INSTANT},
    },
    "AccountOpened": {
        "id": {"description": "The id of the command that opened it.", **_AN_ID},
        "account": {**_AN_ID},
        "recorded_at": {**_STORED_INSTANT},
        "effective_at": {**_STORED_INSTANT},
        "accounts": {"minItems": 1, "maxItems": 1},
    },
    "PaymentPosted": {
        "id": {"description": "The payment's id.", **_AN_ID},
        "recorded_at": {**_STORED_INSTANT},
        "effective_at": {**_STORED_INSTANT},
        "accounts": {"minItems": 2},
    },
    "CommandRejected": {
        "id": {"description": "The refused command's id. It stays refused.", **_AN_ID},
        "recorded_at": {**_STORED_INSTANT},
    },
    "AccountEntry": {
        "id": {"description": "The account's id.", **_AN_ID},
        "type": {"description": "The account's type, which fixes its normal side."},
        "version": {
            "description": "The account's version after this event: 1, 2, 3, … without a gap.",
            "minimum": 1,
        },
        "prev": {
            "description": "The id of the event that made the version before; absent for 1.",
            **_AN_ID,
        },
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
    },
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
    "Cause": {
        "id": {"description": "The account's id.", **_AN_ID},
        "version": {
            "description": "Its version when the refusal was decided; 0: it did not exist.",
            "minimum": 0,
        },
        "values": {"description": "What of it caused the refusal: minor units, or codes."},
    },
}


def command_schemas() -> dict[tuple[str, int], Schema]:
    """The schema of every command, by type and version. Unknown fields are forbidden."""
    return {
        (name, 1): _schema(struct, name, 1, examples.COMMANDS[name, 1])
        for name, struct in COMMAND_TYPES.items()
    }


def event_schemas() -> dict[tuple[str, int], Schema]:
    """The schema of every event, by type and version. Unknown fields are allowed: within a
    version fields may be added, never removed or given another meaning."""
    return {
        (name, 1): _schema(struct, name, 1, examples.EVENTS[name, 1])
        for name, struct in EVENT_TYPES.items()
    }


def notification_schemas() -> dict[tuple[str, int], Schema]:
    """The schema of every message of the topic that is no event, by type and version. As events
    they may gain fields within a version."""
    example = examples.NOTIFICATIONS[ALERT_TYPE, 1]
    return {(ALERT_TYPE, 1): _schema(BalanceAlert, ALERT_TYPE, 1, example)}


def _schema(struct: type[Struct], name: str, version: int, example: Schema) -> Schema:
    """One self-contained schema: the Struct itself at the root, the others in its `$defs`."""
    definitions = {
        key: explained(definition, OF_STRUCT[key])
        for key, definition in msgspec.json.schema(struct)["$defs"].items()
    }
    root = definitions.pop(struct.__name__)
    root.pop("title")
    schema: Schema = {
        "$schema": DIALECT,
        "$id": f"urn:ledger:schema:{name}:{version}",
        "title": f"{name}, version {version}",
        **root,
        "examples": [example],
    }
    return schema | ({"$defs": definitions} if definitions else {})


def explained(definition: Schema, own: Mapping[str, Schema]) -> Schema:
    """The schema of one Struct with what each field means: by `own`, else by its name.

    Raises KeyError for a field that nothing explains.
    """
    properties = cast("dict[str, Schema]", definition["properties"])
    described: Schema = {}
    for name, schema in properties.items():
        addition = own.get(name, {})
        meaning = addition.get("description") or _MEANING[name]
        schema.pop("discriminator", None)  # OpenAPI's word, not JSON Schema's
        described[name] = {"description": meaning} | schema | addition | {"description": meaning}
    description = inspect.cleandoc(str(definition["description"]))
    return definition | {"description": description, "properties": described}
