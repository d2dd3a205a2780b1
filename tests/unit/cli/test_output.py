"""What people see: progress without a terminal, amounts, and one JSON value with --json."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from rich.console import Console

from ledger.cli.output import Output, money, table


@pytest.fixture
def notes() -> StringIO:
    return StringIO()


def output(notes: StringIO, *, terminal: bool = False, as_json: bool = False) -> Output:
    """An output whose notes are kept."""
    return Output(as_json=as_json, notes=Console(file=notes, width=80, force_terminal=terminal))


def test_progress_without_a_terminal_is_a_line_now_and_then(
    notes: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log of a run tells how far it is: at the start, at most every ten seconds, at the end."""
    now = [0.0]
    monkeypatch.setattr("ledger.cli.output.time.monotonic", lambda: now[0])
    with output(notes).bar("payments", 3_000) as bar:
        for second in range(30):
            now[0] = second
            bar.advance(100)
    assert notes.getvalue().splitlines() == [
        "payments …",
        "payments: 1,100 of 3,000",
        "payments: 2,100 of 3,000",
        "payments: 3,000 of 3,000",
    ]


def test_progress_of_unknown_size_learns_it_on_the_way(notes: StringIO) -> None:
    """The wait for projections knows its total once it has looked."""
    with output(notes).bar("projections") as bar:
        bar.at(5, 7)
    assert notes.getvalue().splitlines() == ["projections …", "projections: 5 of 7"]


def test_progress_on_a_terminal_is_a_bar(notes: StringIO) -> None:
    """With how much of how much, and a step without a bar that stays."""
    shown = output(notes, terminal=True)
    with shown.bar("payments", 10) as bar:
        bar.advance(10)
    with shown.step("reading"):
        pass
    assert "10/10" in notes.getvalue()


@pytest.mark.parametrize(
    ("amount_minor", "currency", "text"),
    [
        (1250, "EUR", "12.50 EUR"),
        (-5, "JPY", "-5 JPY"),
        (1, "KWD", "0.001 KWD"),
        (7, "XXX", "7 XXX"),
    ],
)
def test_money_is_shown_as_people_write_it(amount_minor: int, currency: str, text: str) -> None:
    """With the digits of its currency; of one that is not known here, in minor units."""
    assert money(amount_minor, currency) == text


def test_json_is_one_value_whatever_else_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Tables and texts for people stay out of it; a long value is not folded."""
    value = {"text": "x" * 500, "umlaut": "ü"}
    Output(as_json=True).result(value, "for people", table(("a",), [("b",)]))
    assert json.loads(capsys.readouterr().out) == value


def test_no_part_of_an_id_becomes_a_picture(capsys: pytest.CaptureFixture[str]) -> None:
    """`:bank:` between the colons of an id is the name of an emoji, and nothing else here."""
    Output(as_json=False).show("balance berka:bank:cash", table((":bank:",), [("a:bank:b",)]))
    Output(as_json=False).note("berka:bank:cash")
    Output(as_json=False).document("berka:bank:cash\r\n[bold]")
    printed = capsys.readouterr()
    assert printed.out.count(":bank:") == 4
    assert printed.out.endswith("berka:bank:cash\r\n[bold]")
    assert "berka:bank:cash" in printed.err


def test_an_id_is_folded_rather_than_cut() -> None:
    """In a narrow terminal every character of an id can still be read."""
    written = StringIO()
    identifier = "0123456789abcdef" * 4
    Console(width=40, file=written).print(table(("id",), [(identifier,)]))
    assert "".join(written.getvalue().split()) == f"id{identifier}"
