"""ISO 20022 `pain.001`, customer credit transfers, as payments: one of each transaction.

The message is held to its schema and to its own control figures, and every transaction to the
contracts, before any of it becomes a command.

| in the message | in the ledger |
|---|---|
| `PmtInf/DbtrAcct`, `CdtTrfTxInf/CdtrAcct` | source, destination (see `accounts`) |
| `Amt/InstdAmt`, `@Ccy` | amount, currency |
| `PmtInf/ReqdExctnDt` | effective time: that date's first instant in UTC, or the time given |
| `PmtId/EndToEndId` | reference, unless it says `NOTPROVIDED` |
| `RmtInf/Ustrd`, else `RmtInf/Strd/CdtrRefInf/Ref` | description, several joined by a blank |

A payment's id is made from who sent the message (`InitgPty`) and the four identifications that it
gave (`MsgId`, `PmtInfId`, `InstrId`, `EndToEndId`). The same message gives the same ids for ever,
and none of its transactions moves anything twice.

Agents, charges, purposes and names are not carried over. What would change the movement itself (an
equivalent amount, an exchange rate, a cheque, another payment method) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from ledger.contracts import reasons
from ledger.contracts.commands import PostPayment
from ledger.importers.amounts import AmountError, positive_minor_of
from ledger.importers.effective_times import Times
from ledger.importers.faults import (
    CONTROL_MISMATCH,
    DUPLICATE_TRANSACTION,
    UNSUPPORTED,
    UNSUPPORTED_SCHEMA,
)
from ledger.importers.instructions import Fault, SourceError, instruction_of
from ledger.importers.iso20022.accounts import ledger_account
from ledger.importers.iso20022.reading import bound, root_of, schema_of
from ledger.importers.iso20022.structure import structure_faults
from ledger.importers.payment_file import Found
from ledger.importers.requests import payment

#: Before 03 the message was another one, and none after 12 has been tried.
VERSIONS: Final = tuple(f"pain.001.001.{number:02}" for number in range(3, 13))
NOT_PROVIDED: Final = "NOTPROVIDED"  # what ISO says to write for a reference that is not there
_NAME: Final = re.compile(r"pain\.001\.001\.[0-9]{2}")
_COLUMNS: Final = {
    "source": "DbtrAcct",
    "destination": "CdtrAcct",
    "amount_minor": "Amt/InstdAmt",
    "currency": "Amt/InstdAmt/@Ccy",
    "reference": "PmtId/EndToEndId",
    "description": "RmtInf",
    "effective_at": "ReqdExctnDt",
}


@dataclass(frozen=True, slots=True)
class Pain001:
    """One message, read: what is wrong with it as a whole, and its transactions."""

    path: Path
    message_id: str
    found: tuple[Found, ...]

    def entries(self) -> Iterator[Found]:
        """The faults of the message, then every transaction in its order."""
        return iter(self.found)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known beside the message."""

    times: Times
    mapped: Mapping[str, str] | None


def read(path: Path, times: Times, *, mapped: Mapping[str, str] | None = None) -> Pain001:
    """The message in the file; `mapped` says which accounts are meant, if not those named.

    Raises SourceError if it is not XML, not such a message, or of a version that is not known.
    """
    root = root_of(path)
    schema = schema_of(path, root)
    if schema not in VERSIONS:
        what = "a version of pain.001" if _NAME.fullmatch(schema) else "a message"
        why = f"is {schema}, {what} that is not read; {VERSIONS[0]} to {VERSIONS[-1]} are"
        raise SourceError(path, None, why, reason=UNSUPPORTED_SCHEMA)
    name = schema.replace(".", "_")
    document = bound(path, root, import_module(f"pyiso20022.pain.{name}").Document)
    broken = tuple(structure_faults(document, "message"))
    if broken:
        return Pain001(path, "", (Found(None, broken, of_file=True),))
    message = document.cstmr_cdt_trf_initn
    return Pain001(path, message.grp_hdr.msg_id, tuple(_found(message, _Known(times, mapped))))


def payment_id(initiator: Sequence[str], identifications: Sequence[str]) -> str:
    """The id of a transaction's payment: of who sent the message and what he called it.

    Each text goes in with its length, so that no two lists of texts read the same.
    """
    texts = [*map(_measured, (str(len(initiator)), *initiator, *identifications))]
    return f"pain001:{sha256(''.join(texts).encode()).hexdigest()[:40]}"


def _measured(text: str) -> str:
    return f"{len(text)}:{text}"


def _found(message: Any, known: _Known) -> Iterator[Found]:
    header = message.grp_hdr
    transactions = [tx for group in message.pmt_inf for tx in group.cdt_trf_tx_inf]
    wrong = [*_control_faults(header, transactions, "GrpHdr"), *_repeated_groups(message)]
    initiator = _identity(header.initg_pty)
    seen: dict[str, str] = {}
    rows: list[Found] = []
    for number, group in enumerate(message.pmt_inf, start=1):
        at = f"PmtInf[{number}]"
        wrong += _control_faults(group, group.cdt_trf_tx_inf, at)
        wrong += _group_faults(group, at)
        for place, transaction in _placed(at, group):
            given = transaction.pmt_id
            identifications = (header.msg_id, group.pmt_inf_id, given.instr_id, given.end_to_end_id)
            command_id = payment_id(initiator, [text or "" for text in identifications])
            if command_id in seen:
                why = f"PmtId is that of {seen[command_id]}: an InstrId of its own tells them apart"
                rows.append(Found(None, (Fault(place, "PmtId", DUPLICATE_TRANSACTION, why),)))
                continue
            seen[command_id] = place
            rows.append(_row(command_id, group, transaction, place, known))
    if wrong:
        yield Found(None, tuple(wrong), of_file=True)
    yield from rows


def _placed(at: str, group: Any) -> Iterator[tuple[str, Any]]:
    for number, transaction in enumerate(group.cdt_trf_tx_inf, start=1):
        yield f"{at}/CdtTrfTxInf[{number}]", transaction


def _row(command_id: str, group: Any, transaction: Any, place: str, known: _Known) -> Found:
    command = _payment_of(command_id, group, transaction, place, known)
    if isinstance(command, tuple):
        return Found(None, command)
    source = command.postings[0].source
    return Found(instruction_of(command, ordering_key=source, origin=place))


def _payment_of(
    command_id: str, group: Any, transaction: Any, place: str, known: _Known
) -> PostPayment | tuple[Fault, ...]:
    faults = [
        Fault(place, name, UNSUPPORTED, "is not carried out by a ledger")
        for name, value in (
            ("Amt/EqvtAmt", transaction.amt.eqvt_amt),
            ("XchgRateInf", transaction.xchg_rate_inf),
            ("ChqInstr", transaction.chq_instr),
        )
        if value is not None
    ]
    fields: dict[str, Any] = {"id": command_id}
    for name, account in (("source", group.dbtr_acct), ("destination", transaction.cdtr_acct)):
        found = ledger_account(account, place=place, field=_COLUMNS[name], mapped=known.mapped)
        if isinstance(found, Fault):
            faults.append(found)
        else:
            fields[name] = found
    instructed = transaction.amt.instd_amt
    if instructed is not None:
        fields["currency"] = instructed.ccy
        try:
            fields["amount_minor"] = positive_minor_of(f"{instructed.value:f}", instructed.ccy)
        except AmountError as error:
            field = _COLUMNS[
                "currency" if error.reason == reasons.UNKNOWN_CURRENCY.code else "amount_minor"
            ]
            faults.append(Fault(place, field, error.reason, str(error)))
    if faults:
        return tuple(faults)
    end_to_end = transaction.pmt_id.end_to_end_id
    if end_to_end != NOT_PROVIDED:
        fields["reference"] = end_to_end
    if description := _remittance(transaction.rmt_inf):
        fields["description"] = description
    fields["effective_at"] = _execution(group.reqd_exctn_dt)
    return payment(fields, place=place, columns=_COLUMNS, times=known.times)


def _remittance(information: Any) -> str:
    if information is None:
        return ""
    referred = (one.cdtr_ref_inf.ref for one in information.strd if one.cdtr_ref_inf is not None)
    return " ".join(information.ustrd) or " ".join(filter(None, referred))


def _execution(requested: Any) -> str:
    """The instant in text. A time without an offset stays one, and the contracts refuse it."""
    moment = getattr(requested, "dt_tm", None)
    if moment is not None:
        return str(moment)
    day = getattr(requested, "dt", requested)  # an offset means nothing to a whole day
    return f"{day.year:04}-{day.month:02}-{day.day:02}T00:00:00Z"


def _identity(party: Any) -> list[str]:
    """Everything that identifies a party, in a fixed order: codes, then numbers, then the name."""
    found: list[str] = []
    if party.id is not None:
        for kind in (party.id.org_id, party.id.prvt_id):
            codes = (getattr(kind, code, None) for code in ("any_bic", "bicor_bei", "lei"))
            found += [code or "" for code in codes]
            found += [other.id for other in getattr(kind, "othr", [])]
    return [*found, party.nm or ""]


def _group_faults(group: Any, at: str) -> Iterator[Fault]:
    if group.pmt_mtd.value != "TRF":
        yield Fault(at, "PmtMtd", UNSUPPORTED, f"{group.pmt_mtd.value}: only TRF is carried out")


def _repeated_groups(message: Any) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for number, group in enumerate(message.pmt_inf, start=1):
        first = seen.setdefault(group.pmt_inf_id, number)
        if first != number:
            why = f"is that of PmtInf[{first}]"
            yield Fault(f"PmtInf[{number}]", "PmtInfId", DUPLICATE_TRANSACTION, why)


def _control_faults(of: Any, transactions: Sequence[Any], place: str) -> Iterator[Fault]:
    """Whether the number and the sum that a header states are those of its transactions. The sum
    is of amounts whatever their currency, as the standard has it."""
    if of.nb_of_txs is not None and int(of.nb_of_txs) != len(transactions):
        why = f"says {int(of.nb_of_txs)}, and there are {len(transactions)}"
        yield Fault(place, "NbOfTxs", CONTROL_MISMATCH, why)
    if of.ctrl_sum is not None:
        total = sum(map(_stated, transactions), Decimal())
        if total != of.ctrl_sum:
            why = f"says {of.ctrl_sum}, and the amounts come to {total}"
            yield Fault(place, "CtrlSum", CONTROL_MISMATCH, why)


def _stated(transaction: Any) -> Decimal:
    amount = transaction.amt
    stated = amount.instd_amt if amount.instd_amt is not None else amount.eqvt_amt.amt
    value: Decimal = stated.value
    return value
