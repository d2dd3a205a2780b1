"""The verb `batch`: a file of commands, all or none, or one by one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.contracts.commands import BULK_COMMANDS_MAX
from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import LocalLedger


@pytest.fixture(autouse=True)
def accounts(run: Run) -> None:
    """`a` may be overdrawn, `b` may not."""
    assert run("open", "a", "EUR", "--unbounded").code == 0
    assert run("open", "b", "EUR").code == 0


def paying(id_: str, source: str, destination: str, amount_minor: int) -> dict[str, Any]:
    """The command of a payment in EUR."""
    posting = {
        "source": source,
        "destination": destination,
        "amount_minor": amount_minor,
        "currency": "EUR",
    }
    return {"type": "payment.post", "v": 1, "id": id_, "postings": [posting]}


def written(path: Path, *commands: dict[str, Any]) -> Path:
    """A file with a command in each line, and a blank one between."""
    path.write_text("\n\n".join(map(json.dumps, commands)))
    return path


def test_each_is_decided_by_itself_in_its_order(
    run: Run, local: LocalLedger, tmp_path: Path
) -> None:
    """One refused keeps no other from passing; all are told, with their lines, and it fails."""
    file = written(
        tmp_path / "f",
        paying("p1", "a", "b", 500),
        paying("p2", "b", "a", 501),
        paying("p3", "b", "a", 500),
    )
    local.requests.clear()
    ran = run("batch", file)
    assert ran.code == 1
    lines = {line.split()[2]: line for line in ran.out.splitlines()[1:]}
    assert lines["p1"].split()[:4] == ["1", "payment.post", "p1", "posted"]
    assert "insufficient_funds" in lines["p2"]
    assert "available 5.00 EUR" in lines["p2"]
    assert lines["p3"].split()[0] == "5"
    assert [target for _, target in local.requests] == ["/v1/commands"]
    assert local.state("b").balance_minor == 0
    again = run("batch", file, "--json")
    assert (again.code, again.value["refused"]) == (1, 1)
    assert [answer["line"] for answer in again.value["answers"]] == [1, 3, 5]
    assert all(answer["repeat"] for answer in again.value["answers"])


def test_all_or_none_under_an_id_of_their_own(run: Run, local: LocalLedger, tmp_path: Path) -> None:
    """Each sees what those before it did; refused, none happened, and their ids stay free."""
    both = written(tmp_path / "f", paying("p1", "a", "b", 500), paying("p2", "b", "a", 400))
    done = run("batch", both, "--atomic", "--id", "batch-1")
    assert done.code == 0
    for text in ("batch-1", "committed", "p1", "p2", "posted"):
        assert text in done.out
    assert local.state("b").balance_minor == 100
    assert "committed before: nothing changed" in (
        run("batch", both, "--atomic", "--id", "batch-1").out
    )
    neither = written(tmp_path / "g", paying("p3", "a", "b", 1), paying("p4", "b", "a", 102))
    refused = run("batch", neither, "--atomic", "--id", "batch-2")
    assert refused.code == 1
    for text in ("insufficient_funds", "commands[1].postings[0].source", "batch-2"):
        assert text in refused.err
    assert run("payment", "p3").code == 1
    assert local.state("b").balance_minor == 100


def test_a_file_with_a_fault_is_not_sent_at_all(
    run: Run, local: LocalLedger, tmp_path: Path
) -> None:
    """Every fault is told with its line: exit code 2, nothing sent."""
    file = tmp_path / "f"
    file.write_text(
        json.dumps(paying("p1", "a", "b", 1))
        + "\n{\n"
        + json.dumps(paying("p 2", "a", "b", 0))
        + "\n"
    )
    local.requests.clear()
    faulty = run("batch", file)
    assert faulty.code == 2
    for text in ("line 2", "malformed_json", "line 3", "id", "invalid"):
        assert text in faulty.out
    value = run("batch", file, "--json").value
    assert value["sent"] is False
    assert {fault["place"] for fault in value["faults"]} == {"line 2", "line 3"}
    assert local.requests == []


@pytest.mark.parametrize(
    ("text", "options"),
    [("", ()), ("\n\n", ()), ("{}", ("--id", "x")), (None, ()), ("x" * 70_000, ())],
)
def test_what_cannot_be_a_batch_is_a_wrong_command_line(
    run: Run, local: LocalLedger, tmp_path: Path, text: str | None, options: tuple[str, ...]
) -> None:
    """No commands, no file, an id for what has none: exit code 2."""
    file = tmp_path / "f"
    if text is not None:
        file.write_text(text)
    local.requests.clear()
    assert run("batch", file, *options).code == 2
    assert local.requests == []


def test_a_file_is_sent_in_as_few_requests_as_there_must_be(
    run: Run, local: LocalLedger, tmp_path: Path
) -> None:
    """Whatever its length: 1,100 commands in three requests, each answered by itself."""
    count = 2 * BULK_COMMANDS_MAX + 100
    file = written(tmp_path / "f", *(paying(f"p{n}", "a", "b", 1) for n in range(count)))
    local.requests.clear()
    done = run("batch", file, "--json")
    assert (done.code, len(done.value["answers"])) == (0, count)
    assert [target for _, target in local.requests] == ["/v1/commands"] * 3


def test_what_was_not_decided_is_sent_again_by_itself(
    run: Run, local: LocalLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer of `send it again` among the others is no outcome."""
    answer = local.answer

    def interrupted(method: str, target: str, body: str | None) -> dict[str, Any]:
        got = answer(method, target, body)
        if target.endswith("/commands"):
            answers = json.loads(got["body"])
            answers["answers"][0] = {
                "status": 503,
                "body": {"reason": "unavailable", "retry": "same_request"},
            }
            got["body"] = json.dumps(answers)
        return got

    monkeypatch.setattr(local, "answer", interrupted)
    file = written(tmp_path / "f", paying("p1", "a", "b", 5), paying("p2", "a", "b", 6))
    ran = run("batch", file, "--json")
    assert (ran.code, ran.value["refused"]) == (0, 0)
    assert [answer["status"] for answer in ran.value["answers"]] == ["posted", "posted"]
    assert ran.value["answers"][0]["repeat"] is True
