"""What an importer refuses a row for, beyond the reasons of the contracts.

`docs/importing.md` explains each; a test holds it to this list.
"""

from __future__ import annotations

from typing import Final

from ledger.importers.instructions import Fault

TOO_MANY_DECIMALS: Final = "too_many_decimals"
WRONG_NUMBER_OF_VALUES: Final = "wrong_number_of_values"
DUPLICATE_ID: Final = "duplicate_id"
DUPLICATE_TRANSACTION: Final = "duplicate_transaction"
DUPLICATE_MESSAGE_ID: Final = "duplicate_message_id"
CONTROL_MISMATCH: Final = "control_mismatch"
INVALID_STRUCTURE: Final = "invalid_structure"
INVALID_IBAN: Final = "invalid_iban"
UNSUPPORTED: Final = "unsupported"
UNMAPPED_ACCOUNT: Final = "unmapped_account"

#: What a whole file is refused for, before any row of it is looked at.
UNREADABLE_SOURCE: Final = "unreadable_source"
WRONG_COLUMNS: Final = "wrong_columns"
FILE_TOO_LARGE: Final = "file_too_large"
FILE_CHANGED: Final = "file_changed"
MALFORMED_XML: Final = "malformed_xml"
DOCUMENT_TYPE_REFUSED: Final = "document_type_refused"
UNSUPPORTED_SCHEMA: Final = "unsupported_schema"

#: Every code of ours, for the test that they are documented.
REASONS: Final = (
    TOO_MANY_DECIMALS,
    WRONG_NUMBER_OF_VALUES,
    DUPLICATE_ID,
    DUPLICATE_TRANSACTION,
    DUPLICATE_MESSAGE_ID,
    CONTROL_MISMATCH,
    INVALID_STRUCTURE,
    INVALID_IBAN,
    UNSUPPORTED,
    UNMAPPED_ACCOUNT,
    UNREADABLE_SOURCE,
    WRONG_COLUMNS,
    FILE_TOO_LARGE,
    FILE_CHANGED,
    MALFORMED_XML,
    DOCUMENT_TYPE_REFUSED,
    UNSUPPORTED_SCHEMA,
)

FAULTS_KEPT: Final = 1_000  # all are counted; a file of nothing else must not fill the memory


class Faults:
    """The faults of one source: all counted, the first `FAULTS_KEPT` kept."""

    def __init__(self) -> None:
        self.count = 0
        self.kept: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        """Counts them, and keeps them if there is room."""
        self.count += len(faults)
        self.kept += faults[: FAULTS_KEPT - len(self.kept)]
