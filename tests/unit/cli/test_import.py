"""The verb `import`, against the real handlers on loopback: what is sent, told and exited with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.contracts.subjects import account_key
from tests.support.messages import group, message, other, transaction
from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import LocalLedger

ACCOUNTS = (
    "account,currency,account_type,min_balance,effective_at",
    "bank:cash,EUR,asset,none,2026-01-01",
    "shops:coffee,EUR,liability,,2026-01-01",
)
PAYMENTS = (
    "id,source,destination,amount,currency,reference",
    "p1,bank:cash,shops:coffee,12.50,EUR,one",
    "p2,shops:coffee,bank:cash,2.25,EUR,two",
)


def written(directory: Path, name: str, *rows: str) -> Path:
    """A file of these rows."""
    path = directory / name
    path.write_text("\n".join([*rows, ""]))
    return path


@pytest.fixture
def accounts(tmp_path: Path) -> Path:
    """A file of two accounts."""
    return written(tmp_path, "accounts.csv", *ACCOUNTS)


@pytest.fixture
def payments(tmp_path: Path) -> Path:
    """A file of two payments between them."""
    return written(tmp_path, "payments.csv", *PAYMENTS)


def answered(value: Any) -> dict[str, dict[str, int]]:
    """What was answered to each part."""
    return {part["name"]: part["answered"] for part in value["parts"]}


def commands(local: LocalLedger) -> list[str]:
    """The paths that commands were sent to."""
    return [target.rsplit("/", 1)[-1] for method, target in local.requests if method == "POST"]


def balance(local: LocalLedger, account: str) -> int:
    """An account's balance in the store."""
    return local.store.load([account_key(account)]).accounts[account].balance_minor


def test_accounts_open_and_payments_post_in_their_order(
    run: Run, local: LocalLedger, accounts: Path, payments: Path
) -> None:
    """The second payment spends what the first brought; progress is not on standard output."""
    done = run("import", payments, "--accounts", accounts, "--json")
    assert done.code == 0, done.value
    assert answered(done.value) == {"accounts": {"opened": 2}, "csv": {"posted": 2}}
    assert commands(local) == ["commands", "commands"]
    assert balance(local, "shops:coffee") == 1025


def test_a_file_imported_twice_moves_nothing(
    run: Run, local: LocalLedger, accounts: Path, payments: Path
) -> None:
    """All are repeats, also where the first import was interrupted half-way."""
    run("import", payments, "--accounts", accounts)
    again = run("import", payments, "--accounts", accounts)
    assert again.code == 0
    assert "repeat" in again.out
    assert balance(local, "shops:coffee") == 1025
    more = written(payments.parent, "payments.csv", *PAYMENTS, "p3,bank:cash,shops:coffee,1,EUR,")
    third = run("import", more, "--json")
    assert answered(third.value) == {"csv": {"repeat": 2, "posted": 1}}


def test_of_a_file_with_a_fault_nothing_is_sent(
    run: Run, local: LocalLedger, accounts: Path, tmp_path: Path
) -> None:
    """Not even the accounts: every bad row is told with field and reason, and the exit code is
    that of a bad source file."""
    rows = ("p3,bank:cash,shops:coffee,1.005,EUR,", "p4,x,x,1")
    bad = written(tmp_path, "bad.csv", *PAYMENTS, *rows)
    refused = run("import", bad, "--accounts", accounts, "--json")
    assert refused.code == 2
    assert refused.value["sent"] is False
    _, found = refused.value["parts"]
    assert (found["rows"], found["sendable_rows"], found["faults_count"]) == (4, 2, 2)
    assert [(f["place"], f["field"], f["reason"]) for f in found["faults"]] == [
        ("row 4", "amount", "too_many_decimals"),
        ("row 5", "", "wrong_number_of_values"),
    ]
    assert local.requests == []
    shown = run("import", bad)
    assert shown.code == 2
    assert "3 decimals, and EUR has 2" in shown.out


def test_the_good_rows_of_a_bad_file_are_sent_if_asked(
    run: Run, local: LocalLedger, accounts: Path, tmp_path: Path
) -> None:
    """--skip-invalid: the bad ones are told all the same, and can be sent once corrected."""
    bad = written(tmp_path, "bad.csv", *PAYMENTS, "p3,bank:cash,shops:coffee,0,EUR,")
    sent = run("import", bad, "--accounts", accounts, "--skip-invalid", "--json")
    assert sent.code == 0
    assert answered(sent.value)["csv"] == {"posted": 2}
    assert sent.value["parts"][1]["faults_count"] == 1
    assert balance(local, "shops:coffee") == 1025


def test_accounts_are_never_skipped(
    run: Run, local: LocalLedger, payments: Path, tmp_path: Path
) -> None:
    """--skip-invalid with a faulty row of --accounts: nothing is sent, so that the payments of
    that account can be once it is corrected, under their ids."""
    faulty = (*ACCOUNTS[:2], "shops:coffee,EUR,savings,,")
    arguments = ("--accounts", written(tmp_path, "accounts.csv", *faulty), "--skip-invalid")
    refused = run("import", payments, *arguments, "--json")
    assert (refused.code, refused.value["sent"]) == (2, False)
    (fault,) = refused.value["parts"][0]["faults"]
    assert (fault["field"], fault["reason"]) == ("account_type", "invalid_account_type")
    assert "--skip-invalid skips no accounts" in refused.err
    assert local.requests == []
    written(tmp_path, "accounts.csv", *ACCOUNTS)
    corrected = run("import", payments, *arguments, "--json")
    assert answered(corrected.value) == {"accounts": {"opened": 2}, "csv": {"posted": 2}}


def test_a_dry_run_sends_nothing_and_needs_no_ledger(
    run: Run, local: LocalLedger, payments: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It judges, and exits as the import would."""
    monkeypatch.setenv("LEDGER_CONFIG", "/nowhere/config.json")
    judged = run("import", payments, "--dry-run")
    assert judged.code == 0
    assert "2" in judged.out
    written(payments.parent, payments.name, *PAYMENTS, "p1,a,b,1,EUR,")
    assert run("import", payments, "--dry-run").code == 2
    assert local.requests == []


def test_what_the_ledger_refuses_is_told_by_row(
    run: Run, local: LocalLedger, accounts: Path, tmp_path: Path
) -> None:
    """The others are sent; the exit code is that of a refusal, as often as it is imported."""
    rows = ("p3,shops:coffee,bank:cash,99,EUR,", "p4,nobody,bank:cash,1,EUR,")
    path = written(tmp_path, "payments.csv", PAYMENTS[0], *rows, PAYMENTS[1])
    arguments = ("import", path, "--accounts", accounts, "--json")
    for outcome in ("posted", "repeat"):
        again = run(*arguments)
        assert again.code == 1
        assert answered(again.value)["csv"] == {"refused": 2, outcome: 1}
    refused = run(*arguments)
    first, second = refused.value["parts"][1]["refused"]
    assert (first["place"], first["id"], first["reason"], first["retry"]) == (
        "row 2", "p3", "insufficient_funds", "new_id",
    )  # fmt: skip
    assert (second["reason"], second["field"]) == ("account_not_found", "postings[0].source")
    assert "insufficient_funds" in run("import", path).out
    assert balance(local, "shops:coffee") == 1250


def test_no_payment_is_sent_if_an_account_is_refused(
    run: Run, local: LocalLedger, accounts: Path, payments: Path
) -> None:
    """It would be refused for ever, or decided on an account that is not as asked for."""
    run("open", "shops:coffee", "JPY")
    refused = run("import", payments, "--accounts", accounts, "--json")
    assert refused.code == 1
    assert answered(refused.value) == {"accounts": {"opened": 1, "refused": 1}, "csv": {}}
    assert "payments" not in commands(local)


def test_an_outage_ends_the_import_and_importing_again_goes_on(
    run: Run, local: LocalLedger, accounts: Path, payments: Path
) -> None:
    """Exit code 3, and what to do is said."""
    run("import", "--accounts", accounts)
    local.failing = 1_000_000
    failed = run("import", payments)
    assert failed.code == 3
    assert "import the same file again" in failed.err
    local.failing = 0
    assert run("import", payments).code == 0
    assert balance(local, "shops:coffee") == 1025


def pain(directory: Path, *transactions: str, name: str = "pain.xml", **how: Any) -> Path:
    """A message that pays from the bank."""
    found = group(*transactions, debtor=other("bank:cash"))
    path = directory / name
    path.write_text(message(found, **how))
    return path


def to_shop(end_to_end: str, amount: str = "1.00") -> str:
    """A transfer to the shop."""
    return transaction(end_to_end, amount=amount, creditor=other("shops:coffee"))


def test_a_message_is_imported_once(
    run: Run, local: LocalLedger, accounts: Path, tmp_path: Path
) -> None:
    """By its ending, or by --format; the same message again moves nothing."""
    path = pain(tmp_path, to_shop("E1"), to_shop("E2", "2.00"), total="3")
    done = run("import", path, "--accounts", accounts, "--json")
    assert done.code == 0, done.out
    assert answered(done.value)["pain.001"] == {"posted": 2}
    copy = tmp_path / "copy.txt"
    copy.write_bytes(path.read_bytes())
    again = run("import", copy, "--format", "pain.001", "--threads", 3, "--json")
    assert answered(again.value) == {"pain.001": {"repeat": 2}}
    assert balance(local, "shops:coffee") == 300
    listed = run("history", "shops:coffee", "--json").value["entries"]
    assert [entry.get("reference") for entry in listed] == ["E2", "E1", None]


def test_a_message_id_that_was_used_for_something_else_is_refused_as_a_whole(
    run: Run, local: LocalLedger, accounts: Path, tmp_path: Path
) -> None:
    """Nothing is sent, not even what is new in it; a message that was half imported goes on."""
    run("import", pain(tmp_path, to_shop("E1")), "--accounts", accounts)
    changed = pain(tmp_path, to_shop("E0"), to_shop("E1", "7.00"))
    local.requests.clear()
    refused = run("import", changed, "--json")
    assert refused.code == 1
    (found,) = refused.value["parts"]
    ((fault),) = found["faults"]
    assert (fault["place"], fault["field"], fault["reason"]) == (
        "PmtInf[1]/CdtTrfTxInf[2]", "GrpHdr/MsgId", "duplicate_message_id",
    )  # fmt: skip
    assert "accounts or amount" in fault["why"]
    assert commands(local) == []
    whole = run("import", pain(tmp_path, to_shop("E0"), to_shop("E1")), "--json")
    assert answered(whole.value) == {"pain.001": {"posted": 1, "repeat": 1}}
    assert balance(local, "shops:coffee") == 200


def test_a_message_with_a_fault_is_refused_as_a_whole(
    run: Run, local: LocalLedger, tmp_path: Path
) -> None:
    """Before the first request, also with --skip-invalid, which is for CSV."""
    path = pain(tmp_path, to_shop("E1"), to_shop("E2", "0.001"))
    refused = run("import", path, "--json")
    assert refused.code == 2
    (fault,) = refused.value["parts"][0]["faults"]
    assert fault["reason"] == "too_many_decimals"
    usage = run("import", path, "--skip-invalid")
    assert usage.code == 2
    assert "as a whole or not at all" in " ".join(usage.err.split())
    path.write_text('<!DOCTYPE d [<!ENTITY e "x">]><d>&e;</d>')
    bomb = run("import", path, "--json")
    assert (bomb.code, bomb.value["reason"]) == (2, "document_type_refused")
    assert local.requests == []


def test_accounts_of_a_message_may_be_looked_up(
    run: Run, local: LocalLedger, accounts: Path, tmp_path: Path
) -> None:
    """--account-map: the customer's IBANs, the ledger's accounts."""
    path = tmp_path / "pain.xml"
    path.write_text(message(group(transaction(amount="4"))))
    table = written(
        tmp_path,
        "map.csv",
        "identification,account",
        "DE02 1005 0000 0054 5404 02,bank:cash",
        "DE89370400440532013000,shops:coffee",
        "ACC 42,shops:coffee",
    )
    done = run("import", path, "--accounts", accounts, "--account-map", table)
    assert done.code == 0
    assert balance(local, "shops:coffee") == 400
    creditors = ("ACC 42", "DE89 3704 0044 0532 0130 00")
    paid = [transaction(f"E{at}", creditor=other(name)) for at, name in enumerate(creditors)]
    path.write_text(message(group(*paid)))
    assert run("import", path, "--account-map", table).code == 0
    assert balance(local, "shops:coffee") == 400 + 2 * 1250


UNDATED = ("account,currency,account_type", "bank:cash,EUR,asset", "shops:coffee,EUR,liability")
DATED = ("id,source,destination,amount,currency,effective_at", "p1,bank:cash,shops:coffee,1,EUR,{}")


def test_payments_before_an_opening_that_is_to_be_now_are_not_sent(
    run: Run, local: LocalLedger, tmp_path: Path
) -> None:
    """Nothing is: neither the openings, which could not be set back any more, nor the payments,
    whose ids would be refused for ever."""
    accounts = written(tmp_path, "accounts.csv", *UNDATED)
    payments = written(tmp_path, "payments.csv", DATED[0], DATED[1].format("2026-01-05"))
    refused = run("import", payments, "--accounts", accounts, "--json")
    assert refused.code == 2
    faults = refused.value["parts"][1]["faults"]
    assert {fault["reason"] for fault in faults} == {"effective_before_opening"}
    assert {fault["place"] for fault in faults} == {"row 2"}
    assert refused.value["sent"] is False
    assert commands(local) == []


def test_payments_behind_an_opening_of_before_are_sent(
    run: Run, local: LocalLedger, tmp_path: Path
) -> None:
    """The same accounts again, whose rows say no time: they are open since the first import."""
    accounts = written(tmp_path, "accounts.csv", *UNDATED)
    assert run("import", "--accounts", accounts).code == 0
    local.now += 86_400_000_000
    payments = written(tmp_path, "payments.csv", DATED[0], DATED[1].format("2026-11-22"))
    done = run("import", payments, "--accounts", accounts, "--json")
    assert done.code == 0, done.value
    assert answered(done.value) == {"accounts": {"repeat": 2}, "csv": {"posted": 1}}


def test_a_payment_to_come_is_not_sent(run: Run, local: LocalLedger, tmp_path: Path) -> None:
    """Its id is free when its day has come."""
    payments = written(tmp_path, "payments.csv", DATED[0], DATED[1].format("2026-11-23"))
    refused = run("import", payments, "--json")
    assert refused.code == 2
    assert refused.value["parts"][0]["faults"][0]["reason"] == "effective_in_future"
    assert local.requests == []


@pytest.mark.parametrize(
    ("arguments", "reason", "why"),
    [
        ((), "usage", "give a file"),
        (("file.txt",), "usage", "give --format"),
        (("no.csv",), "unreadable_source", "no such file"),
        (("no.xml",), "unreadable_source", "no such file"),
        ((".", "--format", "csv"), "unreadable_source", "is not a file"),
        (("x.csv", "--account-map", "y"), "usage", "for pain.001"),
        (("--accounts", "no.csv"), "unreadable_source", "no such file"),
    ],
)
def test_what_cannot_be_read_is_a_usage_error(
    run: Run, arguments: tuple[str, ...], reason: str, why: str
) -> None:
    """Exit code 2, and what to do."""
    refused = run("import", *arguments, "--json")
    assert refused.code == 2
    assert refused.value["reason"] == reason
    assert why in refused.value["title"]
