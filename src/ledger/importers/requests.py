"""Commands from fields of a file: checked by the contracts' own rules, every fault by its column.

The contracts name the first fault of shape that they meet. Who corrects a file wants them all, so
each faulty field is replaced by a stand-in, and what is left is judged again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import msgspec

from ledger.contracts.commands import Command, OpenAccount, PostPayment, decode_command
from ledger.contracts.reasons import InvalidCommandError
from ledger.importers.effective_times import Times
from ledger.importers.instructions import Fault

_POSTING_FIELDS: Final = ("source", "destination", "amount_minor", "currency")
_STAND_INS: Final[dict[str, Any]] = {
    "id": "stand-in",
    "account": "stand-in",
    "source": "stand-in:source",
    "destination": "stand-in:destination",
    "amount_minor": 1,
    "currency": "EUR",
    "account_type": "liability",
    "min_balance_minor": None,
    "max_balance_minor": None,
}
_OTHER_SIDE: Final = {"source": "destination", "destination": "source"}
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def instant_of(text: str) -> str:
    """A date alone as its first instant in UTC; any other text as it is, for the contracts."""
    if _DAY.fullmatch(text) is None:
        return text
    try:
        date.fromisoformat(text)
    except ValueError:
        return text
    return f"{text}T00:00:00Z"


def payment(
    fields: Mapping[str, Any], *, place: str, columns: Mapping[str, str], times: Times
) -> PostPayment | tuple[Fault, ...]:
    """The payment of one posting that `fields` make, or everything that is wrong with them.

    `columns` says what the file calls a field; one that is not in it is called as here.
    """
    given = dict(fields)
    posting: dict[str, Any] = {name: given.pop(name) for name in _POSTING_FIELDS if name in given}
    command = _judged("payment.post", given, posting, place, columns)
    assert not isinstance(command, OpenAccount)
    if isinstance(command, tuple):
        return command
    return times.faults_of(command, place=place, columns=columns) or command


def opening(
    fields: Mapping[str, Any], *, place: str, columns: Mapping[str, str], times: Times
) -> OpenAccount | tuple[Fault, ...]:
    """As `payment`, for the opening of an account."""
    command = _judged("account.open", dict(fields), None, place, columns)
    assert not isinstance(command, PostPayment)
    if isinstance(command, tuple):
        return command
    return times.faults_of(command, place=place, columns=columns) or command


def _judged(
    command_type: str,
    given: dict[str, Any],
    posting: dict[str, Any] | None,
    place: str,
    columns: Mapping[str, str],
) -> OpenAccount | PostPayment | tuple[Fault, ...]:
    faults: list[Fault] = []
    command: Command | None = None
    stood_in: set[str] = set()
    while command is None:  # ends: each round but the last is of a field that had no stand-in
        request: dict[str, Any] = {"type": command_type, "v": 1, **given}
        if posting is not None:
            request["postings"] = [posting]
        try:
            command = decode_command(msgspec.json.encode(request))
        except InvalidCommandError as error:
            named = [(one.field.rpartition(".")[2], one.reason) for one in error.violations]
            # What is said of a stand-in, or of the whole once more, is no fault of the file.
            new = [(name, reason) for name, reason in named if name not in stood_in]
            if not new:
                break
            for name, reason in new:
                faults.append(Fault(place, columns.get(name, name), reason.code, reason.meaning))
                _stand_in(name, given, posting)
                stood_in.add(name)
    if faults:
        return tuple(faults)
    assert isinstance(command, OpenAccount | PostPayment)
    return command


def _stand_in(name: str, given: dict[str, Any], posting: dict[str, Any] | None) -> None:
    place = posting if posting is not None and name in _POSTING_FIELDS else given
    if name not in _STAND_INS:
        place.pop(name, None)  # may be left out; one field may have two faults, and the whole none
    elif name in _OTHER_SIDE and place.get(_OTHER_SIDE[name]) == _STAND_INS[name]:
        place[name] = _STAND_INS[_OTHER_SIDE[name]]  # a payment to itself would be another fault
    else:
        place[name] = _STAND_INS[name]
