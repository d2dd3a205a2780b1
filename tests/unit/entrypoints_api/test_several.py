"""`POST /commands`: several commands, each decided by itself."""

from __future__ import annotations

import json
from itertools import chain, repeat
from typing import Any

import pytest

from ledger.application.commit import DECIDING_MILLISECONDS_MAX, Outcome
from ledger.application.outages import ContentionError
from ledger.contracts import examples
from ledger.contracts.commands import (
    BULK_BYTES_MAX,
    BULK_COMMANDS_MAX,
    SYSTEM_COMMANDS,
    Command,
)
from ledger.contracts.primitives import COMMAND_BYTES_MAX
from ledger.entrypoints.api import deciding
from ledger.entrypoints.api.tally import IDS_MAX
from ledger.runtime.rest import bytes_sent
from tests.unit.entrypoints_api.driving import OPENING, PAYMENT, Api, Reply, assert_problem

PATH = "/commands"


def send(api: Api, commands: object, **event: Any) -> Reply:
    """The reply to several commands."""
    return api.send("POST", PATH, {"commands": commands}, **event)


def answers_of(reply: Reply) -> list[dict[str, Any]]:
    """What each of them was answered."""
    status, headers, body = reply
    assert (status, headers["Content-Type"]) == (200, "application/json"), body
    assert set(body) == {"answers"}
    found: list[dict[str, Any]] = body["answers"]
    assert all(set(one) == {"status", "body"} for one in found)
    return found


def test_each_is_answered_as_by_its_own_route_and_sees_what_was_before_it() -> None:
    """The whole story in one request is what it is one by one, in its order."""
    apart, together = Api(), Api()
    commands = [
        OPENING,
        *examples.OTHER_OPENINGS,
        PAYMENT | {"effective_at": "2026-11-21T23:10:00Z"},
        examples.COMMANDS["account.freeze", 1],
        PAYMENT | {"id": "refused"},
    ]
    paths = ["/accounts"] * 3 + ["/payments", "/freezes", "/payments"]
    one_by_one = [apart.send("POST", *each) for each in zip(paths, commands, strict=True)]
    assert [reply[0] for reply in one_by_one] == [201, 201, 201, 201, 201, 422]
    found = answers_of(send(together, commands))
    assert found == [{"status": reply[0], "body": reply[2]} for reply in one_by_one]
    assert list(together.store.events()) == list(apart.store.events())
    again = answers_of(send(together, commands))
    assert [one["status"] for one in again] == [200, 200, 200, 200, 200, 422]
    assert all(one["body"]["repeat"] is True for one in again)


def test_none_keeps_the_others_from_being_decided() -> None:
    """Not a malformed one, nor a refused, mismatched or unforeseen one."""
    api = Api()
    commands = [
        OPENING,
        {"type": "account.open"},
        7,
        OPENING | {"currency": "USD"},
        OPENING | {"id": "exists"},
        examples.OTHER_OPENINGS[0],
    ]
    found = answers_of(send(api, commands))
    assert [(one["status"], one["body"].get("reason")) for one in found] == [
        (201, None),
        (400, "missing_field"),
        (400, "malformed_json"),
        (409, "idempotency_mismatch"),
        (409, "account_exists"),
        (201, None),
    ]
    assert api.line.notes["outcomes"] == {
        "accepted": 2,
        "malformed": 2,
        "mismatch": 1,
        "rejected": 1,
    }
    assert api.line.notes["commands"] == 6
    assert api.line.metrics["CommandsDecided"] == ("Count", 3)
    assert api.line.metrics["CommandsMalformed"] == ("Count", 2)


def test_a_bug_is_of_one_command_and_an_outage_of_all_behind_it() -> None:
    """What is behind a bug is decided; behind an outage it would be decided on effects that are
    missing, so it is to be sent again. No word of the exception is in the answer."""
    inner = Api()

    def handle(command: Command, actor: str) -> Outcome:
        if command.id == "bug":
            raise ZeroDivisionError("secret")
        if command.id == "outage":
            raise ContentionError("", {"stale": 3})
        outcome: Outcome = inner.commands.handle(command, actor)
        return outcome

    api = Api(handle)
    bug, outage = OPENING | {"id": "bug"}, OPENING | {"id": "outage"}
    reply = send(api, [bug, OPENING, outage, *examples.OTHER_OPENINGS, 7])
    assert [(one["status"], one["body"].get("reason")) for one in answers_of(reply)] == [
        (500, "internal_error"),
        (201, None),
        (503, "contention"),
        (503, "unavailable"),
        (503, "unavailable"),
        (400, "malformed_json"),
    ]
    assert {one["body"]["retry"] for one in answers_of(reply)[2:-1]} == {"same_request"}
    assert len(list(inner.store.events())) == 1
    assert "secret" not in json.dumps(reply)
    assert api.line.level == "error"
    assert api.line.notes["exception"] == "ZeroDivisionError"
    assert api.line.notes["outcomes"] == {
        "exception": 1,
        "accepted": 1,
        "contention": 1,
        "deferred": 2,
        "malformed": 1,
    }
    assert api.line.notes["failed_ids"] == ["bug", "outage"]
    assert api.line.metrics["CommitConflicts"] == ("Count", 3)


def test_what_there_is_no_time_for_is_to_be_sent_again() -> None:
    """Begun only with the time that its attempts may take; the rest is answered 503, undecided."""
    left = chain([DECIDING_MILLISECONDS_MAX, DECIDING_MILLISECONDS_MAX - 1], repeat(0))
    inner = Api()
    api = Api(inner.commands.handle, inner.store)
    commands = [OPENING, *examples.OTHER_OPENINGS]
    found = answers_of(send(api, commands, left_ms=lambda: next(left)))
    assert [one["status"] for one in found] == [201, 503, 503]
    assert {one["body"]["reason"] for one in found[1:]} == {"unavailable"}
    assert {one["body"]["retry"] for one in found[1:]} == {"same_request"}
    assert len(list(api.store.events())) == 1
    assert api.line.notes["outcomes"] == {"accepted": 1, "deferred": 2}
    assert [one["status"] for one in answers_of(send(api, commands))] == [200, 201, 201]


def test_answers_are_never_too_long_to_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once they are as long as a body may be, as it is sent, the rest is not begun."""
    commands = [OPENING, *examples.OTHER_OPENINGS]
    whole = answers_of(send(Api(), commands))
    first = bytes_sent(json.dumps(whole[0]["body"], separators=(",", ":")))
    monkeypatch.setattr(deciding, "BODY_BYTES_MAX", first + 1)
    api = Api()
    found = answers_of(send(api, commands))
    assert [one["status"] for one in found] == [201, 201, 503]
    assert found[2]["body"]["reason"] == "unavailable"
    assert found[2]["body"]["retry"] == "same_request"
    assert len(list(api.store.events())) == 2
    again = answers_of(send(api, commands[2:]))
    assert [one["status"] for one in again] == [201]


def test_what_turns_out_longer_than_foreseen_is_answered_when_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was decided all the same, so then it is a repeat: never is an answer too long to be
    sent."""
    commands = [OPENING, *examples.OTHER_OPENINGS]
    whole = answers_of(send(Api(), commands))
    first = bytes_sent(json.dumps(whole[0]["body"], separators=(",", ":")))
    monkeypatch.setattr(deciding, "BODY_BYTES_MAX", first)
    monkeypatch.setattr(deciding, "bytes_foreseen", lambda *_: 0)
    api = Api()
    found = answers_of(send(api, commands))
    assert [one["status"] for one in found] == [201, 503, 503]
    assert {one["body"]["reason"] for one in found[1:]} == {"unavailable"}
    assert {one["body"]["retry"] for one in found[1:]} == {"same_request"}
    assert len(list(api.store.events())) == 3
    assert api.line.notes["outcomes"] == {"accepted": 3}
    assert [one["status"] for one in answers_of(send(api, commands[1:2]))] == [200]


def test_short_batches_do_not_make_an_answer_that_is_too_long() -> None:
    """Batches of 97 payments, whose answers are many times as long: those behind the bound are to
    be sent again, and the response as a whole stays far below 6 MB."""
    api = Api()
    for name in ("a", "b"):
        opening = {"account": name, "id": f"open-{name}", "min_balance_minor": None}
        assert api.send("POST", "/accounts", OPENING | opening)[0] == 201
    posting = {"source": "a", "destination": "b", "amount_minor": 1, "currency": "EUR"}
    left = [
        {
            "type": "batch.atomic",
            "v": 1,
            "id": f"batch-{batch}",
            "commands": [
                {"type": "payment.post", "v": 1, "id": f"p-{batch}-{number}", "postings": [posting]}
                for number in range(97)
            ],
        }
        for batch in range(60)
    ]
    requests = 0
    while left:
        status, headers, body = send(api, left)
        assert status == 200, body
        sent = json.dumps({"statusCode": status, "headers": headers, "body": json.dumps(body)})
        assert len(sent) < 5_000_000
        statuses = [one["status"] for one in body["answers"]]
        decided = statuses.count(201)
        assert statuses == [201] * decided + [503] * (len(left) - decided)
        left = left[decided:]
        requests += 1
    assert requests == 2


def test_a_body_is_measured_as_it_is_sent() -> None:
    """Inside a JSON string a quote takes two bytes, and a character beyond ASCII up to twelve."""
    assert [bytes_sent(text) for text in ("", "a", '"', "\u00e4", "\U0001f4b6")] == [2, 3, 4, 8, 14]


def test_the_line_names_commands_that_failed_or_were_malformed() -> None:
    """By their ids, if they are ids, and no more of them than a line should have."""
    malformed = [{"type": "account.open", "v": 1, "id": f"m{n}"} for n in range(IDS_MAX + 5)]
    nameless = [7, {"id": 7}, {"id": "no id"}, {}, OPENING]
    api = Api()
    answers_of(send(api, nameless + malformed))
    assert api.line.notes["malformed_ids"] == [f"m{n}" for n in range(IDS_MAX)]
    assert "failed_ids" not in api.line.notes
    assert api.line.notes["outcomes"] == {"accepted": 1, "malformed": IDS_MAX + 9}


@pytest.mark.parametrize(
    ("body", "status", "reason", "field"),
    [
        (None, 400, "malformed_json", ""),
        ("[]", 400, "malformed_json", ""),
        ('{"commands":[{]}', 400, "malformed_json", ""),
        ('{"commands":[{}],"commands":[{}]}', 400, "malformed_json", ""),
        ('{"commands":' + "[" * 60_000, 400, "malformed_json", ""),
        ("{}", 400, "missing_field", "commands"),
        ('{"commands":{}}', 400, "invalid_batch", "commands"),
        ('{"commands":[]}', 400, "invalid_batch", "commands"),
        (json.dumps({"commands": [1] * 501}), 400, "invalid_batch", "commands"),
        ('{"commands":[1],"dry_run":true}', 400, "unknown_field", "dry_run"),
        (" " * (BULK_BYTES_MAX + 1), 413, "payload_too_large", ""),
    ],
)
def test_what_is_no_list_of_commands_is_refused_as_a_whole(
    body: str | None, status: int, reason: str, field: str
) -> None:
    """Before any of them is looked at."""
    api = Api()
    assert_problem(api.send("POST", PATH, body), status, reason, field)
    assert api.line.notes["outcomes"] == {"malformed": 1}


def test_the_most_of_them_are_taken() -> None:
    """As many commands as there may be, in as many bytes."""
    commands = [{"type": "x" * 2_000, "v": 1, "id": "i"}] * BULK_COMMANDS_MAX
    body = json.dumps({"commands": commands}).ljust(BULK_BYTES_MAX)
    found = answers_of(Api().send("POST", PATH, body))
    assert len(found) == BULK_COMMANDS_MAX
    assert {one["body"]["reason"] for one in found} == {"unsupported_type"}


def test_each_has_the_bounds_of_one() -> None:
    """A command is no longer here than anywhere, has each name once, and is no system command."""
    long = OPENING | {"id": " " * COMMAND_BYTES_MAX}
    system = [examples.COMMANDS[name, 1] for name in sorted(SYSTEM_COMMANDS)]
    found = answers_of(send(Api(), [long, *system]))
    assert [one["body"]["reason"] for one in found] == [
        "payload_too_large",
        "unsupported_type",
        "unsupported_type",
    ]
    twice = json.dumps(OPENING).replace('"v": 1', '"v": 1, "v": 1')
    found = answers_of(Api().send("POST", PATH, f'{{"commands": [{twice}]}}'))
    assert [one["body"]["reason"] for one in found] == ["malformed_json"]


def test_they_are_signed_and_never_a_dry_run() -> None:
    """Commands that see each other's effects are asked of as an atomic batch."""
    answer = send(Api(), [OPENING], requestContext=None)
    assert_problem(answer, 403, "forbidden")
    answer = send(Api(), [OPENING], queryStringParameters={"dry_run": "true"})
    assert_problem(answer, 400, "invalid_query", "dry_run")
