"""Exit codes and problems: every foreseen failure has one of each, and none shows a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from botocore.exceptions import ClientError, EndpointConnectionError

from ledger.application.ports import TransientStoreError, UnknownStoredStateError
from ledger.application.repair import BrokenWalkError
from ledger.cli.failures import EXIT_CODES, CheckFailedError, RefusedError, UsageError, reporting
from ledger.cli.feeding.emptying import StalledError
from ledger.client.answers import Refused, UnreachableError
from ledger.client.config import ConfigError
from ledger.client.messages import Message, NotSentError
from ledger.contracts import reasons
from ledger.contracts.events import CorruptEventError, UnknownEventError
from ledger.contracts.reasons import InvalidCommandError, Violation
from ledger.domain.accounts import BrokenStateError
from ledger.importers.instructions import SourceError
from ledger.runtime.faults import BrokenItemError, StoreError
from sandbox.errors import SandboxError

MESSAGE = [Message("payment.post", b"{}", "k")]


def aws(code: str) -> ClientError:
    """An error of AWS's with that code."""
    return ClientError({"Error": {"Code": code, "Message": "told"}}, "Operation")


FAILURES = {
    "refused": (RefusedError(Refused(422, "insufficient_funds", "new_id", "f", "t", {})), 1,
                "insufficient_funds"),
    "not authorised": (RefusedError(Refused(403, "forbidden", "never", "", "t", {})), 2,
                       "forbidden"),
    "malformed": (InvalidCommandError((Violation(reasons.INVALID_ID, "id"),)), 1, "invalid_id"),
    "no answer": (UnreachableError("no answer", attempts=6), 3, "unreachable"),
    "not now": (
        UnreachableError("t", attempts=6, last=Refused(503, "contention", "", "", "", {})),
        3,
        "contention",
    ),
    "stalled": (StalledError("nothing moved"), 3, "stalled"),
    "sandbox": (SandboxError("port taken"), 3, "sandbox"),
    "not taken": (NotSentError(MESSAGE, "Throttled", permanent=False), 3, "not_sent"),
    "never taken": (NotSentError(MESSAGE, "Malformed", permanent=True), 1, "not_sent"),
    "credentials": (aws("ExpiredToken"), 2, "credentials"),
    "AWS": (aws("InternalError"), 3, "InternalError"),
    "connection": (EndpointConnectionError(endpoint_url="http://x"), 3, "unreachable"),
    "store": (TransientStoreError("throttled"), 3, "store_unavailable"),
    "projection": (StoreError("Throttled"), 3, "store_unavailable"),
    "newer event": (UnknownEventError("v 9"), 2, "newer_release"),
    "newer state": (UnknownStoredStateError("v 9"), 2, "newer_release"),
    "broken state": (BrokenStateError("account a"), 1, "broken"),
    "broken item": (BrokenItemError("an item"), 1, "broken"),
    "broken walk": (BrokenWalkError("event e"), 1, "broken"),
    "corrupt event": (CorruptEventError("bytes"), 1, "broken"),
    "configuration": (ConfigError("make run"), 2, "configuration"),
    "source": (SourceError(Path("f"), 3, "why"), 2, "unreadable_source"),
    "usage": (UsageError("does not go together"), 2, "usage"),
    "Ctrl-C": (KeyboardInterrupt(), 130, "interrupted"),
}  # fmt: skip


@pytest.mark.parametrize(("error", "code", "reason"), FAILURES.values(), ids=FAILURES)
def test_a_foreseen_failure_is_an_exit_code_and_one_problem(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, reason: str
) -> None:
    """With --json the problem is all of standard output; else one block on standard error."""
    with pytest.raises(typer.Exit) as left, reporting(as_json=True):
        raise error
    assert left.value.exit_code == code
    said = capsys.readouterr()
    assert said.err == ""
    assert json.loads(said.out)["reason"] == reason
    with pytest.raises(typer.Exit), reporting(as_json=False):
        raise error
    said = capsys.readouterr()
    assert said.out == ""
    assert reason in said.err
    assert "Traceback" not in said.err


def test_a_failed_check_has_said_all_there_is_to_say(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, and nothing beyond what the verb printed."""

    def fail() -> None:
        with reporting(as_json=True) as output:
            output.result({"ok": False})
            raise CheckFailedError

    with pytest.raises(typer.Exit) as left:
        fail()
    assert left.value.exit_code == 1
    assert json.loads(capsys.readouterr().out) == {"ok": False}


def test_a_bug_is_not_hidden() -> None:
    """What nobody foresees goes through as it is."""
    with pytest.raises(ZeroDivisionError), reporting(as_json=False):
        raise ZeroDivisionError


def test_the_help_tells_every_exit_code() -> None:
    """The codes of the table above are documented where people look."""
    for code in {str(code) for _, code, _ in FAILURES.values()} | {"0"}:
        assert f" {code} " in EXIT_CODES


def test_markup_in_data_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """A reference that looks like rich's markup is text, in results and in problems."""
    with reporting(as_json=False) as output:
        output.result({}, "[red]reference[/red]")
        output.failure({"reason": "r", "title": "[bold]t[/bold]"}, [("field", "[f]")])
    said = capsys.readouterr()
    assert "[red]reference[/red]" in said.out
    assert "[bold]t[/bold]" in said.err
    assert "[f]" in said.err
