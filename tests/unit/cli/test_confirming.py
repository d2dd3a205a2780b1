"""What is hard to take back is asked for first on a terminal: closing an account, or a book."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import typer

from ledger.cli.app import app
from ledger.cli.failures import EXIT_CODES, INTERRUPTED, OK, REFUSED
from tests.support.command_line import CliRunner
from tests.unit.cli.conftest import Ran, Run
from tests.unit.cli.local_ledger import LocalLedger

CLOSINGS = {
    "account": (("close", "a", "--reason", "left"), "a will be closed for ever."),
    "book": (("books", "close", "2025-01-31"), "Book main will be closed through 2025-01-31."),
}
closings = pytest.mark.parametrize(("command", "question"), CLOSINGS.values(), ids=CLOSINGS)
Type = Callable[..., Ran]


@pytest.fixture
def typing(run: Run, monkeypatch: pytest.MonkeyPatch) -> Type:
    """Runs the command on a terminal, with what is typed there; `a` is an account."""
    assert run("open", "a", "EUR").code == OK
    monkeypatch.setattr("ledger.cli.options.on_terminal", lambda: True)

    def invoke(typed: str, *arguments: str) -> Ran:
        result = CliRunner().invoke(app, arguments, input=typed)
        return Ran(result.exit_code, result.stdout, result.stderr)

    return invoke


def closings_of(local: LocalLedger) -> int:
    """How many events there are but the opening."""
    return len(list(local.store.events())) - 1


@closings
def test_a_closing_is_asked_for(
    typing: Type, local: LocalLedger, command: tuple[str, ...], question: str
) -> None:
    """On standard error; yes goes on."""
    done = typing("y\n", *command)
    assert (done.code, question in done.err, question in done.out) == (OK, True, False)
    assert closings_of(local) == 1


@closings
def test_whoever_says_no_closes_nothing(
    typing: Type, local: LocalLedger, command: tuple[str, ...], question: str
) -> None:
    """Nor does an empty line; exit code 1, nothing sent. The end of input is an interruption."""
    for typed in ("n\n", "\n"):
        local.requests.clear()
        declined = typing(typed, *command)
        assert declined.code == REFUSED
        assert question in declined.err
        assert "declined" in declined.err
        assert local.requests == []
    assert typing("", *command).code == INTERRUPTED
    assert closings_of(local) == 0


@closings
@pytest.mark.parametrize("option", ["--yes", "--dry-run"])
def test_nobody_is_asked_who_said_so(
    typing: Type, local: LocalLedger, command: tuple[str, ...], question: str, option: str
) -> None:
    """In advance, or where nothing will happen."""
    done = typing("n\n", *command, option)
    assert (done.code, question in done.err) == (OK, False)
    assert closings_of(local) == (option == "--yes")


@closings
def test_a_script_is_not_asked(
    run: Run, local: LocalLedger, command: tuple[str, ...], question: str
) -> None:
    """Where there is no terminal it goes on, as `discard` does: the words were its decision."""
    run("open", "a", "EUR")
    done = run(*command)
    assert (done.code, question in done.err) == (OK, False)
    assert closings_of(local) == 1


def test_what_is_run_again_needs_its_id() -> None:
    """A verb without --id makes a new one in each run: no help says that a mere repeat is safe."""
    assert "with --id and the id it printed" in EXIT_CODES
    info = typer.main.get_command(app)
    assert "it is safe" not in str(info.epilog)
