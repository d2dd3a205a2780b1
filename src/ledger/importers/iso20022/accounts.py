"""Which account of the ledger an account of an ISO 20022 message is.

| in the message | in the ledger |
|---|---|
| `Id/IBAN` | `iban:` and the IBAN, its check digits right (ISO 13616) |
| `Id/Othr/Id` | what it says, as it is: an account's id in the ledger |

Or what a table given by the user says of the IBAN or the `Othr/Id`, and then of every one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ledger.contracts import reasons
from ledger.importers.faults import INVALID_IBAN, UNMAPPED_ACCOUNT
from ledger.importers.instructions import Fault

IBAN_PREFIX: Final = "iban:"
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


def is_iban(text: str) -> bool:
    """Whether `text` (without blanks) has the form and the check digits of an IBAN."""
    if _IBAN.fullmatch(text) is None:
        return False
    rearranged = text[4:] + text[:4]
    return int("".join(str(int(character, 36)) for character in rearranged)) % 97 == 1


def as_mapped(identification: str) -> str:
    """An identification as account maps have it: an IBAN in capitals and without the blanks that
    people write it with, anything else (`ACC 42`) as it is."""
    compact = identification.replace(" ", "").upper()
    return compact if is_iban(compact) else identification


def ledger_account(
    account: Any, *, place: str, field: str, mapped: Mapping[str, str] | None
) -> str | Fault:
    """The ledger's account that `account` (a cash account of a message, or None) stands for."""
    if account is None or account.id is None:
        return Fault(place, field, reasons.MISSING_FIELD.code, "an account must be named")
    iban, other = account.id.iban, account.id.othr
    if other is None:
        identification, field = iban.upper(), f"{field}/Id/IBAN"
        if not is_iban(identification):
            return Fault(place, field, INVALID_IBAN, "its check digits are wrong")
    else:
        identification, field = other.id, f"{field}/Id/Othr/Id"
    if mapped is not None:
        account_id = mapped.get(as_mapped(identification))
        return account_id or Fault(place, field, UNMAPPED_ACCOUNT, "not in the account map")
    return IBAN_PREFIX + identification if other is None else str(identification)
