"""The commands, as every entry point takes them: one JSON object, versioned, nothing unknown in it.

Shape (types, required and unknown fields, bounds) is in the Structs, from which the JSON Schemas in
`docs/schemas/commands/` are generated; what a schema cannot say is in `checking`.
"""

from ledger.contracts.commands.accounts import (
    Alert,
    Basis,
    CloseAccount,
    FreezeAccount,
    OpenAccount,
    SetAlerts,
    SetLimits,
    SetMetadata,
    SetStripes,
    Sides,
    UnfreezeAccount,
)
from ledger.contracts.commands.base import BaseCommand
from ledger.contracts.commands.batches import AtomicBatch, MemberCommand, path_in_member
from ledger.contracts.commands.books import CloseBook, OpenBook, ReopenBook
from ledger.contracts.commands.bulk import (
    BULK_BYTES_AROUND,
    BULK_BYTES_BETWEEN,
    BULK_BYTES_MAX,
    BULK_COMMANDS_MAX,
    BULK_DETAIL_TYPE,
    bulk_in,
    bulk_of,
    read_bulk,
)
from ledger.contracts.commands.catalogue import (
    CLIENT_COMMANDS,
    COMMAND_TYPES,
    COMMAND_VERSIONS,
    SYSTEM_COMMANDS,
    SYSTEM_ID_PREFIXES,
    Command,
)
from ledger.contracts.commands.checking import ACTIONS_MAX, checked, reasons_against_text
from ledger.contracts.commands.holds import (
    AuthorizePayment,
    CapturePayment,
    ExpirePayment,
    IncreasePayment,
    VoidPayment,
)
from ledger.contracts.commands.payments import (
    PostPayment,
    PostTemplate,
    ReversePayment,
    ScreeningReason,
    ScreenPayment,
)
from ledger.contracts.commands.reading import (
    decode_command,
    encode_command,
    judge_head,
    malformed_json,
    names_written,
    refuse_malformed_json,
    refuse_repeated_names,
)
from ledger.contracts.commands.subjects import (
    PaymentCommand,
    accounts_in,
    accounts_of,
    book_of,
    default_ordering_key,
    subjects_of,
)
from ledger.contracts.commands.system_ids import expiry_id, screening_id
from ledger.contracts.commands.templates import DefineTemplate
from ledger.contracts.postings import Posting
from ledger.contracts.rates import DeclaredRate
from ledger.contracts.templates import AmountRule, TemplateParameter, TemplatePosting
from ledger.contracts.velocity import VelocityLimit

__all__ = [
    "ACTIONS_MAX",
    "BULK_BYTES_AROUND",
    "BULK_BYTES_BETWEEN",
    "BULK_BYTES_MAX",
    "BULK_COMMANDS_MAX",
    "BULK_DETAIL_TYPE",
    "CLIENT_COMMANDS",
    "COMMAND_TYPES",
    "COMMAND_VERSIONS",
    "SYSTEM_COMMANDS",
    "SYSTEM_ID_PREFIXES",
    "Alert",
    "AmountRule",
    "AtomicBatch",
    "AuthorizePayment",
    "BaseCommand",
    "Basis",
    "CapturePayment",
    "CloseAccount",
    "CloseBook",
    "Command",
    "DeclaredRate",
    "DefineTemplate",
    "ExpirePayment",
    "FreezeAccount",
    "IncreasePayment",
    "MemberCommand",
    "OpenAccount",
    "OpenBook",
    "PaymentCommand",
    "PostPayment",
    "PostTemplate",
    "Posting",
    "ReopenBook",
    "ReversePayment",
    "ScreenPayment",
    "ScreeningReason",
    "SetAlerts",
    "SetLimits",
    "SetMetadata",
    "SetStripes",
    "Sides",
    "TemplateParameter",
    "TemplatePosting",
    "UnfreezeAccount",
    "VelocityLimit",
    "VoidPayment",
    "accounts_in",
    "accounts_of",
    "book_of",
    "bulk_in",
    "bulk_of",
    "checked",
    "decode_command",
    "default_ordering_key",
    "encode_command",
    "expiry_id",
    "judge_head",
    "malformed_json",
    "names_written",
    "path_in_member",
    "read_bulk",
    "reasons_against_text",
    "refuse_malformed_json",
    "refuse_repeated_names",
    "screening_id",
    "subjects_of",
]
