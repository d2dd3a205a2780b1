"""Statements as ISO 20022 `camt.053.001.08`, bank to customer statement.

Each payment that was posted, each capture and each reversal is an entry on each side that it moved,
with a transaction for each of its postings; a reversal says so in `RvslInd`. What is only held is
not booked, and no entry. `CdtDbtInd` is as for a bank's customer: CRDT for a balance that is owed
to the account's owner and for what raises it, whatever the account's type.

An id of the ledger has up to 64 characters. Where the standard has less room, what fits stands
there, and the whole one beside it: an event's and its payment's in `AddtlNtryInf`, an account's in
`Prxy`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Final

from pyiso20022.camt.camt_053_001_08 import (
    AccountIdentification4Choice,
    AccountStatement9,
    ActiveOrHistoricCurrencyAndAmount,
    AmountAndDirection35,
    BalanceType10Choice,
    BalanceType13,
    BankToCustomerStatementV08,
    BankTransactionCodeStructure4,
    CashAccount38,
    CashAccount39,
    CashBalance8,
    CreditDebitCode,
    DateAndDateTime2Choice,
    DateTimePeriod1,
    Document,
    EntryDetails9,
    EntryStatus1Choice,
    EntryTransaction10,
    GenericAccountIdentification1,
    GroupHeader81,
    NumberAndSumOfTransactions1,
    NumberAndSumOfTransactions4,
    ProprietaryBankTransactionCodeStructure1,
    ProxyAccountIdentification1,
    RemittanceInformation16,
    ReportEntry10,
    TotalTransactions6,
    TransactionParties6,
    TransactionReferences6,
)
from xsdata.formats.dataclass.serializers import XmlSerializer
from xsdata.formats.dataclass.serializers.config import SerializerConfig
from xsdata.models.datatype import XmlDate, XmlDateTime

from ledger.contracts.currencies import decimal_text
from ledger.statements.statement import (
    REVERSAL,
    Entry,
    Leg,
    Side,
    Statement,
    UnrepresentableError,
)

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
ISSUER: Final = "ledger"
_DIGITS_MAX: Final = 18  # of an amount, decimals included
_TEXT_MAX: Final = 35
_ACCOUNT_MAX: Final = 34
_IBAN_PREFIX: Final = "iban:"
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
#: What JSON may hold and XML 1.0 may not.
_NOT_XML: Final = re.compile("[\ud800-\udfff\ufffe\uffff]")
_SIDES: Final[tuple[Side, ...]] = ("debit", "credit")
_INDICATORS: Final = {"debit": CreditDebitCode.DBIT, "credit": CreditDebitCode.CRDT}


def camt053(statement: Statement, created_at: str) -> str:
    """The statement as XML. The same statement has the same `Stmt/Id`, whenever it is written.

    Raises UnrepresentableError for an amount of more than 18 digits.
    """
    serializer = XmlSerializer(config=SerializerConfig(encoding="UTF-8", indent="  "))
    return serializer.render(_document(statement, created_at), ns_map={None: NAMESPACE})


def _document(statement: Statement, created_at: str) -> Document:
    identification = _identification(statement)
    created = XmlDateTime.from_string(created_at)
    period = statement.period
    by = "as booked" if period.by == "booked" else "by the times at which entries took effect"
    what = "versions of its stripes" if statement.further_versions else "version"
    about = f"As of {what} {statement.as_of} of the account, {by}, in UTC"
    return Document(
        bk_to_cstmr_stmt=BankToCustomerStatementV08(
            grp_hdr=GroupHeader81(msg_id=identification, cre_dt_tm=created),
            stmt=[
                AccountStatement9(
                    id=identification,
                    cre_dt_tm=created,
                    fr_to_dt=DateTimePeriod1(
                        fr_dt_tm=XmlDateTime.from_string(f"{period.first}T00:00:00Z"),
                        to_dt_tm=XmlDateTime.from_string(f"{period.last}T23:59:59.999999Z"),
                    ),
                    acct=CashAccount39(
                        id=_account_id(statement.account),
                        ccy=statement.currency,
                        prxy=_whole_id(statement.account),
                    ),
                    bal=[
                        _balance(statement, "OPBD", statement.opening_minor, str(period.first)),
                        _balance(statement, "CLBD", statement.closing_minor, str(period.last)),
                    ],
                    txs_summry=_summary(statement),
                    ntry=[one for entry in statement.entries for one in _entries(statement, entry)],
                    addtl_stmt_inf=about,
                )
            ],
        )
    )


def _identification(statement: Statement) -> str:
    period = statement.period
    parts = (statement.account, period.first, period.last, period.by, statement.as_of)
    return "S" + sha256("|".join(map(str, parts)).encode()).hexdigest()[: _TEXT_MAX - 1]


def _account_id(account: str) -> AccountIdentification4Choice:
    iban = account.removeprefix(_IBAN_PREFIX)
    if iban != account and _IBAN.fullmatch(iban):
        return AccountIdentification4Choice(iban=iban)
    short = account
    if len(account) > _ACCOUNT_MAX:
        short = f"sha256:{sha256(account.encode()).hexdigest()}"[:_ACCOUNT_MAX]
    return AccountIdentification4Choice(othr=GenericAccountIdentification1(id=short))


def _whole_id(account: str) -> ProxyAccountIdentification1 | None:
    return ProxyAccountIdentification1(id=account) if len(account) > _ACCOUNT_MAX else None


def _amount(minor: int, currency: str) -> Decimal:
    """Exactly as many minor units, in major ones."""
    amount = Decimal(decimal_text(minor, currency))
    if len(amount.as_tuple().digits) > _DIGITS_MAX:
        raise UnrepresentableError(
            f"{amount} {currency} has more than the {_DIGITS_MAX} digits of an amount in camt.053"
        )
    return amount


def _money(minor: int, currency: str) -> ActiveOrHistoricCurrencyAndAmount:
    return ActiveOrHistoricCurrencyAndAmount(value=_amount(minor, currency), ccy=currency)


def _balance(statement: Statement, code: str, balance_minor: int, day: str) -> CashBalance8:
    credit_minor = statement.credit_minor(balance_minor)
    return CashBalance8(
        tp=BalanceType13(cd_or_prtry=BalanceType10Choice(cd=code)),
        amt=_money(abs(credit_minor), statement.currency),
        cdt_dbt_ind=_indicator(credit_minor),
        dt=DateAndDateTime2Choice(dt=XmlDate.from_string(day)),
    )


def _indicator(credit_minor: int) -> CreditDebitCode:
    return CreditDebitCode.DBIT if credit_minor < 0 else CreditDebitCode.CRDT


def _summary(statement: Statement) -> TotalTransactions6:
    currency = statement.currency
    debited, credited = statement.debited_minor, statement.credited_minor
    debits = sum(bool(entry.debited_minor) for entry in statement.entries)
    credits_ = sum(bool(entry.credited_minor) for entry in statement.entries)
    net = credited - debited
    return TotalTransactions6(
        ttl_ntries=NumberAndSumOfTransactions4(
            nb_of_ntries=str(debits + credits_),
            sum=_amount(debited + credited, currency),
            ttl_net_ntry=AmountAndDirection35(
                amt=_amount(abs(net), currency), cdt_dbt_ind=_indicator(net)
            ),
        ),
        ttl_cdt_ntries=NumberAndSumOfTransactions1(
            nb_of_ntries=str(credits_), sum=_amount(credited, currency)
        ),
        ttl_dbt_ntries=NumberAndSumOfTransactions1(
            nb_of_ntries=str(debits), sum=_amount(debited, currency)
        ),
    )


def _entries(statement: Statement, entry: Entry) -> Iterator[ReportEntry10]:
    for side, minor in zip(_SIDES, (entry.debited_minor, entry.credited_minor), strict=True):
        if minor:
            legs = [leg for leg in entry.legs if leg.side == side]
            yield _one_entry(statement.currency, entry, side, minor, legs)


def _one_entry(
    currency: str, entry: Entry, side: Side, minor: int, legs: Sequence[Leg]
) -> ReportEntry10:
    return ReportEntry10(
        ntry_ref=entry.place,
        amt=_money(minor, currency),
        cdt_dbt_ind=_INDICATORS[side],
        rvsl_ind=True if entry.event_type == REVERSAL else None,
        sts=EntryStatus1Choice(cd="BOOK"),
        bookg_dt=DateAndDateTime2Choice(dt_tm=XmlDateTime.from_string(entry.booked_at)),
        val_dt=DateAndDateTime2Choice(dt_tm=XmlDateTime.from_string(entry.effective_at)),
        acct_svcr_ref=_if_it_fits(entry.event),
        bk_tx_cd=BankTransactionCodeStructure4(
            prtry=ProprietaryBankTransactionCodeStructure1(cd=entry.event_type, issr=ISSUER)
        ),
        ntry_dtls=[
            EntryDetails9(tx_dtls=[_transaction(currency, entry, side, leg) for leg in legs])
        ],
        addtl_ntry_inf=_what(entry),
    )


def _transaction(currency: str, entry: Entry, side: Side, leg: Leg) -> EntryTransaction10:
    counterparty = CashAccount38(id=_account_id(leg.counterparty), prxy=_whole_id(leg.counterparty))
    end_to_end = _if_it_fits(_xml(entry.reference))
    return EntryTransaction10(
        refs=TransactionReferences6(
            acct_svcr_ref=_if_it_fits(entry.event),
            end_to_end_id=end_to_end,
            tx_id=_if_it_fits(entry.payment),
        ),
        amt=_money(leg.amount_minor, currency),
        cdt_dbt_ind=_INDICATORS[side],
        rltd_pties=(
            TransactionParties6(cdtr_acct=counterparty)
            if side == "debit"
            else TransactionParties6(dbtr_acct=counterparty)
        ),
        rmt_inf=(
            RemittanceInformation16(ustrd=[_xml(entry.description)]) if entry.description else None
        ),
        addtl_tx_inf=(
            f"reference {_xml(entry.reference)}" if entry.reference and not end_to_end else None
        ),
    )


def _what(entry: Entry) -> str:
    """What was booked: `payment p`, or `captured c of payment p`, with the whole of both ids."""
    if entry.event == entry.payment:
        return f"payment {entry.payment}"
    return f"{entry.event_type.rpartition('.')[2]} {entry.event} of payment {entry.payment}"


def _if_it_fits(text: str) -> str | None:
    return text if 0 < len(text) <= _TEXT_MAX else None


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
