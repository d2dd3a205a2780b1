"""What docs/importing.md and docs/statements.md say, done as they say it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ledger.importers import csv_rows, payments_csv
from ledger.importers.faults import REASONS
from ledger.importers.iso20022 import pain001, reading
from ledger.statements.rows import COLUMNS
from tests.unit.cli.conftest import Run

DOCS = Path(__file__).parents[3] / "docs"
IMPORTING = (DOCS / "importing.md").read_text(encoding="utf-8")
STATEMENTS = (DOCS / "statements.md").read_text(encoding="utf-8")
FILE = re.compile(r"^```\w+ (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^ledger ([^#\n]*)", re.MULTILINE)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The documented files, in the current directory."""
    monkeypatch.chdir(tmp_path)
    for name, content in FILE.findall(IMPORTING):
        Path(name).write_text(content, encoding="utf-8")


@pytest.mark.usefixtures("files")
def test_the_documented_commands_do_what_they_say(run: Run) -> None:
    """Every `ledger …` line of both pages succeeds, in the order of the pages."""
    commands = COMMAND.findall(IMPORTING) + COMMAND.findall(STATEMENTS)
    assert len(commands) == 6
    for command in commands:
        done = run(*shlex.split(command))
        assert done.code == 0, (command, done.out, done.err)
    listed = run("history", "customers:42:wallet", "--json").value["entries"]
    assert [entry.get("reference") for entry in listed] == ["SALARY-42", "ORDER-7", "TOP-UP", None]
    january = run(*shlex.split(COMMAND.findall(STATEMENTS)[0]), "--json").value
    assert january["closing_minor"] == 25_000 - 420 + 10_000


def test_every_reason_is_documented_once_and_no_other() -> None:
    """The two tables of reasons are the importers' own list."""
    tables = IMPORTING[IMPORTING.index("## Reasons") : IMPORTING.index("## Data sets")]
    assert sorted(re.findall(r"^\| `(\w+)`", tables, re.MULTILINE)) == sorted(REASONS)


def test_every_column_is_documented() -> None:
    """Of payments, accounts, the account map, and of statements."""
    columns = {
        *payments_csv.PAYMENT_COLUMNS,
        *payments_csv.PAYMENT_COLUMNS_OPTIONAL,
        *payments_csv.ACCOUNT_COLUMNS,
        *payments_csv.MAP_COLUMNS,
        "min_balance",
        "max_balance",
    }
    assert {name for name in columns if f"`{name}`" not in IMPORTING} == set()
    (found,) = re.findall(r"^```csv columns\n(.*?)\n```", STATEMENTS, re.MULTILINE)
    assert tuple(found.split(",")) == COLUMNS


def test_the_bounds_are_the_documented_ones() -> None:
    """Rows, characters, bytes and versions."""
    for text in (
        f"{csv_rows.ROWS_MAX:,} rows",
        f"{csv_rows.LINE_CHARACTERS_MAX:,} characters",
        f"{reading.BYTES_MAX // 1024**2} MiB",
        f"`{pain001.VERSIONS[0]}` to `{pain001.VERSIONS[-1][-3:]}`",
    ):
        assert text in IMPORTING
