"""`pain.001`: what a message becomes, and what it is refused for."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
import xmlschema

from ledger.contracts.commands import PostPayment, decode_command
from ledger.importers.faults import Faults
from ledger.importers.instructions import SourceError
from ledger.importers.iso20022 import pain001, reading
from ledger.importers.payment_file import judge
from tests.support.importing import TIMES
from tests.support.messages import (
    CREDITOR,
    DEBTOR,
    group,
    message,
    other,
    transaction,
    usual,
)

PUBLISHED = ("03", "09", "10", "11")  # the schemas that a package brings


def written(directory: Path, content: str | bytes) -> Path:
    """The message in a file."""
    path = directory / "message.xml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def payments(directory: Path, content: str) -> list[PostPayment]:
    """The payments of a message without faults."""
    judged = judge(pain001.read(written(directory, content), TIMES))
    assert judged.faults.kept == []
    commands = [decode_command(instruction.body) for instruction in judged.sendable()]
    assert all(isinstance(command, PostPayment) for command in commands)
    return [command for command in commands if isinstance(command, PostPayment)]


def faults(directory: Path, content: str) -> list[tuple[str, str, str]]:
    """Place, field and reason of everything that is wrong with a message; nothing can be sent."""
    judged = judge(pain001.read(written(directory, content), TIMES))
    assert judged.faults.count
    return [(fault.place, fault.field, fault.reason) for fault in judged.faults.kept]


@pytest.mark.parametrize("version", [name[-2:] for name in pain001.VERSIONS])
def test_every_version_becomes_the_same_payments(tmp_path: Path, version: str) -> None:
    """Debtor pays creditor: accounts, exact amount, day, reference and description."""
    first, second = payments(tmp_path, usual(version))
    posting = first.postings[0]
    assert (posting.source, posting.destination) == (f"iban:{DEBTOR}", f"iban:{CREDITOR}")
    assert (posting.amount_minor, posting.currency) == (1250, "EUR")
    assert first.effective_at == "2026-01-02T00:00:00.000000Z"
    assert (first.reference, first.description) == ("E2E-1", "Invoice 1")
    assert second.postings[0].amount_minor == 700
    assert [p.id for p in (first, second)] == [p.id for p in payments(tmp_path, usual("09"))]


@pytest.mark.parametrize("version", PUBLISHED)
def test_the_samples_are_what_iso_publishes(tmp_path: Path, version: str) -> None:
    """They keep to the published schema, so what is read here is what others write."""
    schemas = resources.files("sepaxml") / "schemas"
    with resources.as_file(schemas / f"pain.001.001.{version}.xsd") as schema:
        xmlschema.XMLSchema(str(schema)).validate(str(written(tmp_path, usual(version))))


def test_an_account_may_be_named_as_the_ledger_names_it(tmp_path: Path) -> None:
    """`Othr/Id` is an account's id as it is; a table of the user's goes before both."""
    content = message(group(transaction(creditor=other("shops:coffee")), debtor=other("bank:cash")))
    (payment,) = payments(tmp_path, content)
    posting = payment.postings[0]
    assert (posting.source, posting.destination) == ("bank:cash", "shops:coffee")
    mapped = {DEBTOR: "customers:42:wallet", CREDITOR: "shops:coffee"}
    (found,) = judge(
        pain001.read(written(tmp_path, usual(transactions=[transaction()])), TIMES, mapped=mapped)
    ).sendable()
    assert b'"source":"customers:42:wallet","destination":"shops:coffee"' in found.body
    judged = judge(
        pain001.read(written(tmp_path, usual()), TIMES, mapped={DEBTOR: "customers:42:wallet"})
    )
    assert {fault.reason for fault in judged.faults.kept} == {"unmapped_account"}


def test_references_descriptions_and_times(tmp_path: Path) -> None:
    """NOTPROVIDED is no reference; several lines are one; a creditor's reference stands in for
    none; a time is taken as given."""
    structured = "<Strd><CdtrRefInf><Ref>RF18539007547034</Ref></CdtrRefInf></Strd>"
    content = message(
        group(
            transaction("NOTPROVIDED", remittance="<Ustrd>one</Ustrd><Ustrd>two</Ustrd>"),
            transaction("NOTPROVIDED", instruction="I-2", remittance=structured),
            day="<DtTm>2026-01-02T10:00:00+01:00</DtTm>",
        )
    )
    first, second = payments(tmp_path, content)
    assert not first.reference
    assert (first.description, second.description) == ("one two", "RF18539007547034")
    assert first.effective_at == "2026-01-02T09:00:00.000000Z"
    assert first.id != second.id


def test_ids_are_of_who_sent_what(tmp_path: Path) -> None:
    """Another sender, message, group or transaction is another payment; another amount is not."""
    contents = [
        message(group(transaction())),
        message(group(transaction()), initiator="<Nm>Another</Nm>"),
        message(group(transaction()), message_id="MESSAGE-2"),
        message(group(transaction(), number=2)),
        message(group(transaction(instruction="I-1"))),
        message(group(transaction("E2E-2"))),
    ]
    ids = [payments(tmp_path, content)[0].id for content in contents]
    assert len(set(ids)) == len(contents)
    assert payments(tmp_path, message(group(transaction(amount="1"))))[0].id == ids[0]
    assert ids[0] == "pain001:" + ids[0][8:]
    assert len(ids[0]) == 48


AT = "PmtInf[1]/CdtTrfTxInf[1]"
WRONG = {
    "too many decimals": (transaction(amount="12.505"), "Amt/InstdAmt", "too_many_decimals"),
    "zeros, but too many": (transaction(amount="12.500"), "Amt/InstdAmt", "too_many_decimals"),
    "yen have none": (
        transaction(amount="5.0", currency="JPY"),
        "Amt/InstdAmt",
        "too_many_decimals",
    ),
    "zero": (transaction(amount="0"), "Amt/InstdAmt", "invalid_amount"),
    "no such currency": (transaction(currency="EUX"), "Amt/InstdAmt/@Ccy", "unknown_currency"),
    "wrong check digits": (
        transaction(creditor="<IBAN>DE88370400440532013000</IBAN>"),
        "CdtrAcct/Id/IBAN",
        "invalid_iban",
    ),
    "no account id": (transaction(creditor=other("a b")), "CdtrAcct", "invalid_id"),
    "to itself": (
        transaction(creditor=f"<IBAN>{DEBTOR}</IBAN>"),
        "CdtrAcct",
        "same_account",
    ),
    "a card number": (
        transaction(remittance="<Ustrd>4111 1111 1111 1111</Ustrd>"),
        "RmtInf",
        "card_number",
    ),
    "a card number as reference": (
        transaction("4111111111111111"),
        "PmtId/EndToEndId",
        "card_number",
    ),
    "more text than there is room": (
        transaction(remittance=f"<Ustrd>{'x' * 100}</Ustrd><Ustrd>{'y' * 40}</Ustrd>"),
        "RmtInf",
        "invalid_text",
    ),
    "a cheque": (transaction(extra="<ChqInstr/>"), "ChqInstr", "unsupported"),
}


@pytest.mark.parametrize(("wrong", "field", "reason"), WRONG.values(), ids=WRONG)
def test_a_transaction_is_refused_by_element_and_reason(
    tmp_path: Path, wrong: str, field: str, reason: str
) -> None:
    """One fault, where it is; the other transaction of the message has none."""
    content = message(group(wrong, transaction("E2E-2")))
    assert faults(tmp_path, content) == [(AT, field, reason)]


STRUCTURE = {
    "amount is no number": (transaction(amount="twelve"), "Amt/InstdAmt"),
    "amount in scientific notation": (transaction(amount="1E2"), "Amt/InstdAmt"),
    "negative amount": (transaction(amount="-1.00"), "Amt/InstdAmt"),
    "six decimals": (transaction(amount="1.000000"), "Amt/InstdAmt"),
    "no currency": (transaction().replace(' Ccy="EUR"', ""), "Amt/InstdAmt/@Ccy"),
    "no end to end id": (
        transaction().replace("<EndToEndId>E2E-1</EndToEndId>", ""),
        "PmtId/EndToEndId",
    ),
    "empty": (transaction(""), "PmtId/EndToEndId"),
    "too long": (transaction("x" * 36), "PmtId/EndToEndId"),
    "neither of two": (transaction(creditor=""), "CdtrAcct/Id"),
    "not of its form": (transaction(creditor="<IBAN>12</IBAN>"), "CdtrAcct/Id/IBAN"),
    "no date": (None, "ReqdExctnDt/Dt"),
    "no code": (None, "PmtMtd"),
}


@pytest.mark.parametrize(("wrong", "field"), STRUCTURE.values(), ids=STRUCTURE)
def test_what_the_schema_does_not_allow_is_named_by_its_path(
    tmp_path: Path, wrong: str | None, field: str
) -> None:
    """The message as a whole is refused: `invalid_structure`, and where."""
    content = {
        "ReqdExctnDt/Dt": message(group(transaction(), day="2026-02-30")),
        "PmtMtd": message(group(transaction(), method="BARTER")),
    }.get(field) or message(group(wrong or ""))
    ((place, path, reason),) = faults(tmp_path, content)
    assert (place, reason) == ("message", "invalid_structure")
    assert path.endswith(field)
    assert path.startswith("CstmrCdtTrfInitn/PmtInf[1]/")


@pytest.mark.parametrize(
    ("content", "place", "field", "reason"),
    [
        (message(group(transaction()), count=2), "GrpHdr", "NbOfTxs", "control_mismatch"),
        (message(group(transaction()), total="12.51"), "GrpHdr", "CtrlSum", "control_mismatch"),
        (
            message(group(transaction(), control="<NbOfTxs>3</NbOfTxs>")),
            "PmtInf[1]",
            "NbOfTxs",
            "control_mismatch",
        ),
        (message(group(transaction(), method="CHK")), "PmtInf[1]", "PmtMtd", "unsupported"),
        (
            message(group(transaction()), group(transaction("E2E-2"))),
            "PmtInf[2]",
            "PmtInfId",
            "duplicate_transaction",
        ),
        (
            message(group(transaction(), transaction(amount="1"))),
            "PmtInf[1]/CdtTrfTxInf[2]",
            "PmtId",
            "duplicate_transaction",
        ),
        (
            message(group(transaction(), day="<DtTm>2026-01-02T10:00:00</DtTm>")),
            "PmtInf[1]/CdtTrfTxInf[1]",
            "ReqdExctnDt",
            "invalid_time",
        ),
    ],
)
def test_a_message_that_contradicts_itself_is_refused(
    tmp_path: Path, content: str, place: str, field: str, reason: str
) -> None:
    """Control figures, repeated identifications, and what a ledger cannot carry out."""
    assert (place, field, reason) in faults(tmp_path, content)


def test_right_control_figures_pass(tmp_path: Path) -> None:
    """Number and sum, of the whole and of the group, over currencies."""
    transactions = (transaction(amount="1.5"), transaction("E2E-2", amount="10", currency="JPY"))
    control = "<NbOfTxs>2</NbOfTxs><CtrlSum>11.50</CtrlSum>"
    content = message(group(*transactions, control=control), total="11.5")
    assert len(payments(tmp_path, content)) == 2


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1 or str()};" * 10}">' for n in range(1, 10))
    + "]><Document>&a9;</Document>"
)
REFUSED = {
    "not XML": ("hello", "malformed_xml"),
    "cut off": (usual()[:-30], "malformed_xml"),
    "empty": ("", "malformed_xml"),
    "an encoding nobody has": (
        usual().replace("UTF-8", "UTF-77"),
        "malformed_xml",
    ),
    "not its encoding": (usual().encode().replace(b"Invoice", b"\xff\xfe\xfd"), "malformed_xml"),
    "entities that expand": (BOMB, "document_type_refused"),
    "a file as an entity": (
        '<!DOCTYPE d [<!ENTITY f SYSTEM "file:///etc/passwd">]><Document>&f;</Document>',
        "document_type_refused",
    ),
    "any document type": ('<!DOCTYPE Document SYSTEM "x.dtd"><Document/>', "document_type_refused"),
    "no message": ("<html/>", "unsupported_schema"),
    "another message": (
        usual().replace("pain.001.001.09", "pain.008.001.08"),
        "unsupported_schema",
    ),
    "too old": (usual().replace("pain.001.001.09", "pain.001.001.02"), "unsupported_schema"),
    "too new": (usual().replace("pain.001.001.09", "pain.001.001.99"), "unsupported_schema"),
    "no such element": (usual().replace("<Amt>", "<Sum/><Amt>"), "invalid_structure"),
    "too deep": (
        usual().replace("<Ustrd>", "<Ustrd>" + "<x>" * 5_000 + "</x>" * 5_000, 1),
        "invalid_structure",
    ),
}


@pytest.mark.parametrize(("content", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_is_no_such_message_is_refused_as_a_whole(
    tmp_path: Path, content: str | bytes, reason: str
) -> None:
    """By a reason of its own, before anything in it is expanded or fetched."""
    with pytest.raises(SourceError) as refused:
        pain001.read(written(tmp_path, content), TIMES)
    assert refused.value.reason == reason


def test_a_file_has_a_greatest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before it is parsed; one byte less is read."""
    content = usual()
    monkeypatch.setattr(reading, "BYTES_MAX", len(content) - 1)
    with pytest.raises(SourceError, match="larger than") as refused:
        pain001.read(written(tmp_path, content), TIMES)
    assert refused.value.reason == "file_too_large"
    monkeypatch.setattr(reading, "BYTES_MAX", len(content))
    assert len(payments(tmp_path, content)) == 2


def test_faults_are_all_counted_and_few_are_kept(tmp_path: Path) -> None:
    """A file of nothing else does not fill the memory."""
    assert Faults().count == 0
    content = message(group(*(transaction(f"E{n}", amount="0") for n in range(1_100))))
    judged = judge(pain001.read(written(tmp_path, content), TIMES))
    assert (judged.faults.count, len(judged.faults.kept)) == (1_100, 1_000)
    assert (judged.rows, judged.sendable_rows) == (1_100, 0)
