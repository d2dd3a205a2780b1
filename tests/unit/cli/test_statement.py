"""The verb `statement`, against the real handlers on loopback."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from ledger.cli.failures import RefusedError
from ledger.cli.statement import By, read_statement
from ledger.client.answers import Refused, Reply
from ledger.client.rest import LedgerApi
from ledger.contracts.events import decode_event
from ledger.statements.statement import (
    BrokenHistoryError,
    IncompleteHistoryError,
    UnrepresentableError,
)
from projections.history.project import project as project_history
from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import NOW, LocalLedger

TODAY = datetime.fromtimestamp(NOW // 1_000_000, UTC).date().isoformat()
ACCOUNT = "customers:42:wallet"
NAMESPACE = {"c": "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"}


@pytest.fixture
def history(run: Run) -> None:
    """10.00 in, effective in January; 2.50 out, in February; 0.25 out, in January again."""
    new_year = ("--effective-at", "2026-01-01T00:00:00Z")
    run("open", "berka:bank:cash", "EUR", "--type", "asset", "--unbounded", *new_year)
    run("open", ACCOUNT, "EUR", *new_year)
    run("open", "shops:coffee", "EUR", *new_year)
    for id_, arguments in {
        "p1": ("berka:bank:cash", ACCOUNT, 1000, "EUR", "--effective-at", "2026-01-05T12:00:00Z"),
        "p2": (ACCOUNT, "shops:coffee", 250, "EUR", "--effective-at", "2026-02-01T00:00:00Z"),
        "p3": (ACCOUNT, "shops:coffee", 25, "EUR", "--effective-at", "2026-01-31T23:59:59.999Z"),
    }.items():
        paid = run("pay", *arguments, "--id", id_, "--reference", f"ref {id_}")
        assert paid.code == 0


def made(run: Run, *arguments: object) -> Any:
    """The statement as JSON."""
    shown = run("statement", ACCOUNT, *arguments, "--json")
    assert shown.code == 0, shown.out
    return shown.value


@pytest.mark.usefixtures("history")
def test_a_statement_by_booking_holds_what_was_recorded(run: Run) -> None:
    """In the order of versions; the opening of the account moves nothing and is no entry."""
    value = made(run, "--to", TODAY)
    assert (value["opening_minor"], value["closing_minor"]) == (0, 725)
    assert (value["from"], value["to"], value["by"], value["version"]) == (
        TODAY,
        TODAY,
        "booked",
        4,
    )
    assert [(e["version"], e["payment"], e["balance_minor"]) for e in value["entries"]] == [
        (2, "p1", 1000), (3, "p2", 750), (4, "p3", 725),
    ]  # fmt: skip
    assert value["entries"][0]["legs"] == [
        {"side": "credit", "amount_minor": 1000, "counterparty": "berka:bank:cash"}
    ]
    later = made(run, "--from", "2027-01-01", "--to", "2027-01-31")
    assert (later["opening_minor"], later["closing_minor"], later["entries"]) == (725, 725, [])
    before = made(run, "--from", "2001-01-01", "--to", "2001-01-31")
    assert (before["opening_minor"], before["closing_minor"]) == (0, 0)


@pytest.mark.usefixtures("history")
def test_a_statement_by_effect_holds_what_took_effect(run: Run) -> None:
    """Summed, since effects come in any order: January ends with what February begins with."""
    january = made(run, "--by", "effective", "--from", "2026-01-01", "--to", "2026-01-31")
    february = made(run, "--by", "effective", "--from", "2026-02-01", "--to", "2026-02-28")
    assert [e["payment"] for e in january["entries"]] == ["p1", "p3"]
    assert [e["payment"] for e in february["entries"]] == ["p2"]
    assert (january["opening_minor"], january["closing_minor"]) == (0, 975)
    assert (february["opening_minor"], february["closing_minor"]) == (975, 725)
    assert made(run, "--by", "effective", "--to", "2026-03-01")["from"] == "2026-01-01"


@pytest.mark.usefixtures("history")
def test_a_statement_is_read_by_people(run: Run) -> None:
    """Opening, entries and closing as money; an id as `berka:bank:cash` stays one."""
    shown = run("statement", ACCOUNT, "--to", TODAY)
    assert shown.code == 0
    for text in ("10.00 EUR", "7.25 EUR", "berka:bank:cash", "opening", "closing", "p3"):
        assert text in shown.out


@pytest.mark.usefixtures("history")
def test_a_statement_as_csv(run: Run) -> None:
    """Opening and closing balances around the postings, in major units, and nothing else."""
    shown = run("statement", ACCOUNT, "--to", TODAY, "--format", "csv")
    rows = list(csv.DictReader(StringIO(shown.out)))
    assert [(row["kind"], row["debit"], row["credit"], row["balance"]) for row in rows] == [
        ("opening", "", "", "0.00"),
        ("entry", "", "10.00", "10.00"),
        ("entry", "2.50", "", "7.50"),
        ("entry", "0.25", "", "7.25"),
        ("closing", "", "", "7.25"),
    ]
    assert rows[1]["counterparty"] == "berka:bank:cash"
    assert rows[2]["reference"] == "ref p2"


@pytest.mark.usefixtures("history")
def test_a_statement_as_camt_053(run: Run) -> None:
    """One well-formed message on standard output, with both balances and three entries."""
    shown = run("statement", ACCOUNT, "--to", TODAY, "--format", "camt.053")
    assert shown.code == 0
    root: Element = fromstring(shown.out)
    balances = root.findall(".//c:Bal/c:Amt", NAMESPACE)
    assert [found.text for found in balances] == ["0.00", "7.25"]
    assert len(root.findall(".//c:Ntry", NAMESPACE)) == 3


def test_postings_beyond_those_that_history_shows_are_fetched(run: Run, local: LocalLedger) -> None:
    """A payment of 12 postings: the history shows 10, the statement has them all."""
    run("open", "payer", "EUR", "--unbounded")
    postings = []
    for number in range(12):
        run("open", f"payee:{number}", "EUR")
        posting = {"source": "payer", "destination": f"payee:{number}", "amount_minor": number + 1}
        postings.append(posting | {"currency": "EUR"})
    command = {"type": "payment.post", "v": 1, "id": "many", "postings": postings}
    LedgerApi(local.config).send("payment.post", json.dumps(command).encode())
    value = run("statement", "payer", "--to", TODAY, "--json").value
    (entry,) = value["entries"]
    assert len(entry["legs"]) == 12
    assert (entry["debited_minor"], value["closing_minor"]) == (78, -78)


@pytest.mark.usefixtures("history")
def test_a_history_with_a_gap_makes_no_statement(run: Run, local: LocalLedger) -> None:
    """Exit code 3, what is missing, and what to do; nothing is written that could be believed."""
    versions = local.history._versions[ACCOUNT]  # noqa: SLF001 - a row is taken away
    versions.remove(3)
    del local.history._rows[ACCOUNT][3]  # noqa: SLF001
    refused = run("statement", ACCOUNT, "--to", TODAY, "--json")
    assert (refused.code, refused.value["reason"]) == (3, "not_yet_projected")


@pytest.mark.usefixtures("history")
def test_a_history_that_lags_behind_makes_no_statement(run: Run, local: LocalLedger) -> None:
    """The balances have a version that the history has not: later it may be there."""
    del local.history._rows[ACCOUNT][4]  # noqa: SLF001 - a row is taken away
    local.history._versions[ACCOUNT].remove(4)  # noqa: SLF001
    refused = run("statement", ACCOUNT, "--to", TODAY, "--json")
    assert (refused.code, refused.value["reason"]) == (3, "not_yet_projected")


@pytest.mark.parametrize("page", [1, 2, 100])
@pytest.mark.usefixtures("history")
def test_versions_that_overtook_others_are_of_a_later_statement(
    run: Run, local: LocalLedger, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """12 and 13 arrived before 11: nobody asked for more than 10, and that is what is stated;
    also where they fill pages. With 11 there it is all of them."""
    monkeypatch.setattr("ledger.cli.statement._PAGE_MAX", page)

    def pay(version: int) -> None:
        assert run("pay", ACCOUNT, "shops:coffee", 1, "EUR", "--id", f"v{version}").code == 0

    for version in range(5, 11):
        pay(version)
    local.project = False
    for version in (11, 12, 13):
        pay(version)
    events = [decode_event(event.data) for event in local.store.events()]
    late = {event.id: event for event in events}
    project_history(local.history, [late["v12"], late["v13"]])
    for by in ("booked", "effective"):
        value = made(run, "--by", by, "--to", "2030-01-01")
        assert (value["version"], value["closing_minor"]) == (10, 719)
        assert value["entries"][-1]["payment"] == "v10"
    project_history(local.history, [late["v11"]])
    value = made(run, "--to", "2030-01-01")
    assert (value["version"], value["closing_minor"]) == (13, 716)


@pytest.mark.usefixtures("history")
def test_a_history_is_read_page_by_page_and_no_further_than_needed(
    run: Run, local: LocalLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Down to the first entry before the period, whose balance is the opening; by effect, all."""
    monkeypatch.setattr("ledger.cli.statement._PAGE_MAX", 1)
    expected = {("--from", TODAY): 4, ("--from", "2027-01-01"): 1, ("--by", "effective"): 4}
    for arguments, pages in expected.items():
        local.requests.clear()
        assert made(run, *arguments, "--to", "2027-01-31")["closing_minor"] == 725
        asked = [target for _, target in local.requests if "/history" in target]
        assert len(asked) == pages


@pytest.mark.usefixtures("history")
def test_a_history_that_is_rebuilt_meanwhile_is_read_again(
    local: LocalLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cursor of the page before is void then: from the top, a few times, and not for ever."""
    monkeypatch.setattr("ledger.cli.statement._PAGE_MAX", 2)
    api = LedgerApi(local.config)
    read = api.history
    voids = 0

    def history(account: str, query: Mapping[str, str] | None = None) -> Reply:
        nonlocal voids
        if query and "cursor" in query and voids:
            voids -= 1
            return Refused(400, "invalid_query", "never", "cursor", "void", {})
        return read(account, query)

    monkeypatch.setattr(api, "history", history)
    until = date.fromisoformat(TODAY)
    voids = 3
    assert read_statement(api, ACCOUNT, None, until, By.BOOKED).closing_minor == 725
    voids = 4
    with pytest.raises(RefusedError):
        read_statement(api, ACCOUNT, None, until, By.BOOKED)


@pytest.mark.usefixtures("history")
def test_a_history_that_is_too_long_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the memory is full; a later beginning helps, and is said."""
    monkeypatch.setattr("ledger.cli.statement.ENTRIES_MAX", 3)
    refused = run("statement", ACCOUNT, "--to", TODAY, "--json")
    assert refused.code == 2
    assert "a later --from" in refused.value["title"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--from", "2026-02-01", "--to", "2026-01-01"), "--from is behind --to"),
        (("--format", "csv", "--json"), "leave out --format"),
        (("--from", "yesterday"), "does not match"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    run: Run, arguments: tuple[str, ...], why: str
) -> None:
    """Exit code 2, before anything is asked."""
    refused = run("statement", ACCOUNT, *arguments)
    assert refused.code == 2
    assert why in " ".join((refused.out + refused.err).split())


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (IncompleteHistoryError("a: version 3"), 3, "incomplete_history"),
        (BrokenHistoryError("a: version 3"), 1, "broken"),
        (UnrepresentableError("19 digits"), 1, "unrepresentable"),
    ],
)
def test_each_failure_has_its_exit_code(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, reason: str
) -> None:
    """Ask again, see `ledger verify`, or take another format; the error's own words are told."""

    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr("ledger.cli.statement.read_statement", failing)
    refused = run("statement", ACCOUNT, "--json")
    assert (refused.code, refused.value["reason"]) == (code, reason)
    assert str(error) in refused.value["title"]


def test_an_account_that_is_not_there_has_no_statement(run: Run) -> None:
    """Exit code 1 with the reason."""
    refused = run("statement", "nobody", "--json")
    assert (refused.code, refused.value["reason"]) == (1, "account_unknown")


def test_a_striped_account_has_one_statement(run: Run) -> None:
    """Of all its stripes: the balance is what the account's is, entries say which stripe they are
    of, in the order in which they were booked; and each stripe can be looked at by itself."""
    assert run("open", "fees", "EUR", "--type", "income", "--stripes", "4").code == 0
    assert run("open", "payer", "EUR", "--unbounded").code == 0
    for number in range(12):
        assert run("pay", "payer", "fees", 100 + number, "EUR", "--id", f"fee-{number}").code == 0
    balance = run("balance", "fees", "--json").value
    assert balance["stripes"] == 4
    assert [one["stripe"] for one in balance["by_stripe"]] == [0, 1, 2, 3]
    assert sum(one["balance_minor"] for one in balance["by_stripe"]) == balance["balance_minor"]
    made = run("statement", "fees", "--json").value
    assert made["closing_minor"] == balance["balance_minor"] == sum(range(100, 112))
    assert made["further_versions"] == [one["version"] for one in balance["by_stripe"][1:]]
    assert len({(entry["stripe"], entry["version"]) for entry in made["entries"]}) == 12
    booked = [entry["booked_at"] for entry in made["entries"]]
    assert booked == sorted(booked)
    used = {entry["stripe"] for entry in made["entries"]}
    for stripe in used:
        mine = [entry for entry in made["entries"] if entry["stripe"] == stripe]
        history = run("history", "fees", "--stripe", stripe, "--json").value
        assert history["stripe"] == stripe
        shown = [entry for entry in reversed(history["entries"]) if entry["credited_minor"]]
        assert [entry["balance_minor"] for entry in shown] == [
            entry["balance_minor"] for entry in mine
        ]
    text = run("statement", "fees", "--format", "csv").out
    assert f"{max(used)}/" in text
    plain = run("statement", "payer", "--json").value
    assert "further_versions" not in plain
    assert "stripe" not in plain["entries"][0]
