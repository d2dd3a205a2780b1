"""`camt.053`: held to the published structure, and reconciled from its own figures alone."""

from __future__ import annotations

import dataclasses
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyiso20022.camt.camt_053_001_08 import Document

from ledger.importers.iso20022.reading import bound, root_of, schema_of
from ledger.importers.iso20022.structure import structure_faults
from ledger.statements.camt053 import camt053
from ledger.statements.statement import Period, Statement, UnrepresentableError, statement_of
from tests.support.histories import Moved, history

MADE_AT = "2026-02-01T06:00:00Z"
JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31), "booked")
MOVES = (Moved((), 0, 0), Moved((1_000,), 10, 10), Moved((-1_250, 30), 90_000, 5))


def statement(moves: tuple[Moved, ...] = MOVES, **changes: Any) -> Statement:
    """The statement of a history."""
    made = statement_of("customers:42:wallet", "liability", history(moves), JANUARY, {})
    return dataclasses.replace(made, **changes)


def read_back(directory: Path, text: str) -> Any:
    """The message as the classes made from ISO's schema have it, without a fault of structure."""
    path = directory / "statement.xml"
    path.write_text(text, encoding="utf-8")
    root = root_of(path)
    assert schema_of(path, root) == "camt.053.001.08"
    document = bound(path, root, Document)
    assert list(structure_faults(document, "message")) == []
    (found,) = document.bk_to_cstmr_stmt.stmt
    return found


def signed(amount: Decimal, indicator: Any) -> Decimal:
    """An amount as a credit."""
    return amount if indicator.value == "CRDT" else -amount


def test_a_statement_keeps_to_the_published_structure_and_reconciles(tmp_path: Path) -> None:
    """From the message alone: opening booked + entries = closing booked, overdrawn as DBIT."""
    found = read_back(tmp_path, camt053(statement(), MADE_AT))
    opening, closing = (signed(b.amt.value, b.cdt_dbt_ind) for b in found.bal)
    assert [b.tp.cd_or_prtry.cd for b in found.bal] == ["OPBD", "CLBD"]
    entries = [signed(entry.amt.value, entry.cdt_dbt_ind) for entry in found.ntry]
    assert entries == [Decimal(10), Decimal("-12.5"), Decimal("0.3")]
    assert (opening, closing) == (Decimal(), Decimal("-2.2"))
    assert opening + sum(entries) == closing
    summary = found.txs_summry
    assert summary.ttl_ntries.nb_of_ntries == "3"
    net = summary.ttl_ntries.ttl_net_ntry
    assert signed(net.amt, net.cdt_dbt_ind) == closing
    assert summary.ttl_cdt_ntries.sum - summary.ttl_dbt_ntries.sum == closing
    assert {b.dt.dt.to_date() for b in found.bal} == {JANUARY.first, JANUARY.last}
    assert {entry.amt.ccy for entry in found.ntry} == {found.acct.ccy} == {"EUR"}


def test_an_entry_says_when_what_and_with_whom(tmp_path: Path) -> None:
    """Booked and value time, version, payment, counterparty, reference and description."""
    made = statement()
    first = dataclasses.replace(made.entries[0], reference="E2E-1", description="rent & more")
    found = read_back(tmp_path, camt053(statement(entries=(first, *made.entries[1:])), MADE_AT))
    entry, debit, _ = found.ntry
    assert str(entry.bookg_dt.dt_tm) == "2026-01-01T00:00:10Z"
    assert (entry.ntry_ref, entry.acct_svcr_ref) == ("2", "event-2")
    assert (entry.sts.cd, entry.bk_tx_cd.prtry.cd) == ("BOOK", "payment.posted")
    (transaction,) = entry.ntry_dtls[0].tx_dtls
    assert transaction.rltd_pties.dbtr_acct.id.othr.id == "other:0"
    assert transaction.refs.end_to_end_id == "E2E-1"
    assert transaction.rmt_inf.ustrd == ["rent & more"]
    assert str(debit.val_dt.dt_tm) == "2026-01-01T00:00:05Z"
    assert debit.ntry_dtls[0].tx_dtls[0].rltd_pties.cdtr_acct is not None


def test_a_capture_and_a_reversal_are_entries_of_their_payment(tmp_path: Path) -> None:
    """Each with its own reference and that of the payment; the reversal says that it is one."""
    moves = (
        Moved((), 0, 0),
        Moved((), 5, 5, "payment.authorized", (500, 0)),
        Moved((-400,), 10, 10, "payment.captured", (-500, 0)),
        Moved((150,), 20, 20, "payment.reversed"),
    )
    found = read_back(tmp_path, camt053(statement(moves), MADE_AT))
    capture, reversal = found.ntry
    assert (capture.rvsl_ind, reversal.rvsl_ind) == (None, True)
    assert (capture.cdt_dbt_ind.value, reversal.cdt_dbt_ind.value) == ("DBIT", "CRDT")
    assert capture.bk_tx_cd.prtry.cd == "payment.captured"
    assert capture.acct_svcr_ref == "event-3"
    assert capture.ntry_dtls[0].tx_dtls[0].refs.tx_id == "hold"
    assert capture.addtl_ntry_inf == "captured event-3 of payment hold"
    assert reversal.addtl_ntry_inf == "reversed event-4 of payment hold"


def test_ids_that_are_longer_than_iso_has_room_for_are_told_beside(tmp_path: Path) -> None:
    """64 characters: the payment's in the entry's additional information, the account's as proxy;
    an IBAN is one."""
    made, long = statement(), "x" * 64
    leg = dataclasses.replace(made.entries[0].legs[0], counterparty=long)
    entry = dataclasses.replace(
        made.entries[0], event=long, payment=long, legs=(leg,), reference="r" * 64
    )
    changed = statement(entries=(entry,), account="iban:DE89370400440532013000")
    found = read_back(tmp_path, camt053(changed, MADE_AT))
    assert found.acct.id.iban == "DE89370400440532013000"
    (shown,) = found.ntry
    assert (shown.acct_svcr_ref, shown.addtl_ntry_inf) == (None, f"payment {long}")
    (transaction,) = shown.ntry_dtls[0].tx_dtls
    assert transaction.rltd_pties.dbtr_acct.prxy.id == long
    assert transaction.rltd_pties.dbtr_acct.id.othr.id.startswith("sha256:")
    assert transaction.addtl_tx_inf == f"reference {'r' * 64}"
    other = read_back(tmp_path, camt053(statement(account=long), MADE_AT))
    assert other.acct.prxy.id == long


def test_the_same_statement_has_the_same_id_whenever_it_is_written() -> None:
    """And another account, period, basis or version another one."""
    ids = {
        camt053(made, MADE_AT).split("<Id>")[1].split("</Id>")[0]
        for made in (
            statement(),
            statement(account="b"),
            statement(version=9),
            statement(period=Period(JANUARY.first, JANUARY.last, "effective")),
            statement(period=Period(JANUARY.first, date(2026, 2, 1), "booked")),
        )
    }
    assert len(ids) == 5
    again = camt053(statement(), "2027-01-01T00:00:00Z")
    assert again.split("<Id>")[1].split("</Id>")[0] in ids


def test_an_amount_beyond_isos_is_refused() -> None:
    """19 digits: nothing is written rather than something wrong."""
    most = 10**18 - 1
    largest, larger = (
        statement((Moved((), 0, 0), Moved((amount,), 1, 1))) for amount in (most, most + 1)
    )
    assert "9999999999999999.99" in camt053(largest, MADE_AT)
    with pytest.raises(UnrepresentableError, match="18 digits"):
        camt053(larger, MADE_AT)


@given(text=st.text(st.characters(exclude_categories=["Cc", "Zl", "Zp"]), min_size=1, max_size=60))
def test_any_text_of_the_ledgers_makes_well_formed_xml(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """Markup, other scripts, and what JSON may hold and XML may not."""
    made = statement()
    entry = dataclasses.replace(made.entries[0], description=text, reference=text)
    found = read_back(tmp_path_factory.getbasetemp(), camt053(statement(entries=(entry,)), MADE_AT))
    (shown,) = found.ntry[0].ntry_dtls[0].tx_dtls[0].rmt_inf.ustrd
    assert shown == re.sub("[\ud800-\udfff\ufffe\uffff]", "\ufffd", text)
