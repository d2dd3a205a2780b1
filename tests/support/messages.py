"""ISO 20022 messages to read: `pain.001` in any version, as a customer's software writes them."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

DEBTOR = "DE02100500000054540402"
CREDITOR = "DE89370400440532013000"
DEBTOR_ACCOUNT = f"<IBAN>{DEBTOR}</IBAN>"
CREDITOR_ACCOUNT = f"<IBAN>{CREDITOR}</IBAN>"


def other(account: str) -> str:
    """An account that is named as the ledger names it."""
    return f"<Othr><Id>{account}</Id></Othr>"


def transaction(
    end_to_end: str = "E2E-1",
    *,
    amount: str = "12.50",
    currency: str = "EUR",
    instruction: str = "",
    creditor: str = CREDITOR_ACCOUNT,
    remittance: str = "<Ustrd>Invoice 1</Ustrd>",
    extra: str = "",
) -> str:
    """One `CdtTrfTxInf`; `extra` is what comes behind the amount."""
    instruction_id = f"<InstrId>{instruction}</InstrId>" if instruction else ""
    return (
        f"<CdtTrfTxInf><PmtId>{instruction_id}<EndToEndId>{escape(end_to_end)}</EndToEndId></PmtId>"
        f'<Amt><InstdAmt Ccy="{currency}">{amount}</InstdAmt></Amt>{extra}'
        f"<Cdtr><Nm>A creditor</Nm></Cdtr><CdtrAcct><Id>{creditor}</Id></CdtrAcct>"
        f"<RmtInf>{remittance}</RmtInf></CdtTrfTxInf>"
    )


def group(
    *transactions: str,
    version: str = "09",
    number: int = 1,
    method: str = "TRF",
    day: str = "2026-01-02",
    debtor: str = DEBTOR_ACCOUNT,
    control: str = "",
) -> str:
    """One `PmtInf`; `control` is `NbOfTxs` and `CtrlSum`, if they are there."""
    requested = f"<Dt>{day}</Dt>" if version >= "08" and "<" not in day else day
    return (
        f"<PmtInf><PmtInfId>GROUP-{number}</PmtInfId><PmtMtd>{method}</PmtMtd>{control}"
        f"<ReqdExctnDt>{requested}</ReqdExctnDt><Dbtr><Nm>A debtor</Nm></Dbtr>"
        f"<DbtrAcct><Id>{debtor}</Id></DbtrAcct><DbtrAgt><FinInstnId>{_agent(version)}"
        f"</FinInstnId></DbtrAgt>{''.join(transactions)}</PmtInf>"
    )


def message(
    *groups: str,
    version: str = "09",
    count: int | None = None,
    total: str = "",
    message_id: str = "MESSAGE-1",
    initiator: str = "<Nm>A debtor</Nm>",
) -> str:
    """A whole message, its number of transactions right unless another `count` is given."""
    found = count if count is not None else sum(g.count("<CdtTrfTxInf>") for g in groups)
    control = f"<CtrlSum>{total}</CtrlSum>" if total else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.{version}">'
        f"<CstmrCdtTrfInitn><GrpHdr><MsgId>{message_id}</MsgId>"
        f"<CreDtTm>2026-01-01T09:30:00Z</CreDtTm><NbOfTxs>{found}</NbOfTxs>{control}"
        f"<InitgPty>{initiator}</InitgPty></GrpHdr>{''.join(groups)}"
        "</CstmrCdtTrfInitn></Document>\n"
    )


def usual(version: str = "09", transactions: Sequence[str] | None = None) -> str:
    """A message of one group; of two transactions unless others are given."""
    given = transactions or (transaction(), transaction("E2E-2", amount="7"))
    return message(group(*given, version=version), version=version)


def _agent(version: str) -> str:
    element = "BIC" if version < "04" else "BICFI"
    return f"<{element}>BELADEBEXXX</{element}>"
