"""Files in, statements out, through the deployed stack: as an analyst would from a shell."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring
from typer.testing import Result

from ledger.cli.app import app
from ledger.client.rest import LedgerApi
from tests.end_to_end.driving import projected, unique
from tests.support.command_line import CliRunner
from tests.support.messages import group, message, other, transaction

NAMESPACE = {"c": "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"}


OPENED = "2026-01-01T00:00:00Z"  # before the day on which the message wants its payments executed


def ledger(config_file: Path, *arguments: object) -> Result:
    """Runs the command."""
    options = ["--config", str(config_file)]
    return CliRunner().invoke(app, [*map(str, arguments), *options])


def test_a_message_that_is_imported_comes_out_as_a_statement_that_reconciles(
    config_file: Path, api: LedgerApi, tmp_path: Path
) -> None:
    """pain.001 in, twice; camt.053 out, of opening booked + entries = closing booked."""
    bank, wallet = unique("bank"), unique("wallet")
    accounts = tmp_path / "accounts.csv"
    accounts.write_text(
        "account,currency,account_type,min_balance,effective_at\n"
        f"{bank},EUR,asset,none,{OPENED}\n"
        f"{wallet},EUR,liability,,{OPENED}\n"
    )
    transfers = (
        transaction(f"E{number}", amount=f"{number}.25", creditor=other(wallet))
        for number in (1, 2, 3)
    )
    pain = tmp_path / "pain.xml"
    pain.write_text(
        message(group(*transfers, debtor=other(bank)), total="6.75", message_id=unique("m")[:35])
    )
    for answered in ("posted", "repeat"):
        imported = ledger(config_file, "import", pain, "--accounts", accounts)
        assert imported.exit_code == 0, imported.output
        assert answered in imported.stdout
    projected(api, wallet, 4)
    written = ledger(config_file, "statement", wallet, "--format", "camt.053")
    assert written.exit_code == 0, written.output
    root: Element = fromstring(written.stdout)
    balances = [found.text for found in root.findall(".//c:Bal/c:Amt", NAMESPACE)]
    entries = [found.text for found in root.findall(".//c:Ntry/c:Amt", NAMESPACE)]
    assert (balances, entries) == (["0.00", "6.75"], ["1.25", "2.25", "3.25"])
