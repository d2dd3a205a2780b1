"""Every command by its route, in the story that the examples tell: answers, repeats, dry runs."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from ledger.contracts import examples
from ledger.contracts.commands import CLIENT_COMMANDS
from ledger.contracts.events import CommandRejected, decode_event
from ledger.entrypoints.api.answers.decided import CommittedBatch, MemberAnswer
from tests.unit.entrypoints_api.driving import PAYMENT, Api, Reply, assert_problem

DRY: dict[str, Any] = {"queryStringParameters": {"dry_run": "true"}}


def accepted(reply: Reply | None) -> dict[str, Any]:
    """The body of an answer that something was done the first time."""
    assert reply is not None
    status, headers, body = reply
    assert (status, body["repeat"]) == (201, False), body
    assert "Idempotent-Replay" not in headers
    return body


def test_every_command_is_answered_with_what_it_did() -> None:
    """201 with the status, the time and the versions that it made, and where to read on."""
    api, statuses, types = Api(), set(), set()
    for step in examples.STORY:
        reply = api.play(step)
        if reply is None or step.command is examples.REFUSED_COMMAND:
            continue
        body = accepted(reply)
        assert (body["id"], body["recorded_at"]) == (step.command["id"], _stored(step.at))
        versions = [*body.get("accounts", ()), *([body["payment"]] if "payment" in body else ())]
        assert versions or "version" in body or "answers" in body, "no version of anything"
        assert all(one["version"] >= 1 for one in versions)
        assert ("Location" in reply[1]) == (step.type != "batch.atomic")
        statuses.add(body["status"])
        types.add(step.type)
    assert types == CLIENT_COMMANDS
    kinds = (*get_args(MemberAnswer), CommittedBatch)
    assert statuses == {str(kind.__struct_config__.tag) for kind in kinds}


def _stored(instant: str) -> str:
    """An instant with all six digits of its second's fraction."""
    return f"{instant[:19]}.{instant[20:-1].ljust(6, '0')}Z"


def test_every_command_is_repeated_with_what_it_answered() -> None:
    """After all that came later: 200, the same body but for `repeat`, or the same problem."""
    api = Api()
    first = [api.play(step) for step in examples.STORY]
    recorded = len(list(api.store.events()))
    for step, before in zip(examples.STORY, first, strict=True):
        again = api.play(step)
        if again is None or before is None:
            continue
        assert again[1].get("Idempotent-Replay") == "true", (step.type, again)
        for member in (before[2], *before[2].get("answers", ())):
            member["repeat"] = True
        assert again[2] == before[2]
        assert again[0] == (200 if before[0] == 201 else before[0])
    assert len(list(api.store.events())) == recorded


def test_a_dry_run_says_what_then_happens_and_does_nothing() -> None:
    """200 with the very body of the answer in earnest, marked; or the same problem, marked."""
    api = Api()
    for step in examples.STORY:
        before = _contents(api)
        dry = api.play(step, dry_run=True)
        assert _contents(api) == before
        real = api.play(step)
        if dry is None or real is None:
            continue
        assert dry[2].pop("dry_run") is True
        assert dry[0] == (200 if real[0] == 201 else real[0])
        assert "Location" not in dry[1]
        for answer in (dry[2], real[2]):
            for member in answer.get("answers", ()):
                member.pop("dry_run", None)
        assert dry[2] == real[2], step.type


def _contents(api: Api) -> tuple[list[Any], list[Any]]:
    return list(api.store.events()), sorted(api.store.states(), key=lambda state: state.key)


def test_a_dry_run_of_what_was_decided_answers_that() -> None:
    """A repeat is a repeat; another request under its id would be refused."""
    api = Api()
    api.open_accounts()
    api.send("POST", "/payments", PAYMENT)
    status, headers, body = api.send("POST", "/payments", PAYMENT, **DRY)
    assert (status, body["repeat"], body["dry_run"]) == (200, True, True)
    assert headers["Idempotent-Replay"] == "true"
    answer = api.send("POST", "/payments", PAYMENT | {"reference": "another"}, **DRY)
    assert assert_problem(answer, 409, "idempotency_mismatch", "reference")["dry_run"] is True
    assert api.line.notes["outcomes"] == {"mismatch": 1}


def test_a_dry_run_is_logged_and_counted_as_no_decision() -> None:
    """So that what is counted as decided is what is recorded."""
    api = Api()
    api.open_accounts()
    api.send("POST", "/payments", PAYMENT, **DRY)
    assert api.line.notes["outcomes"] == {"previewed": 1}
    assert not api.line.metrics


@pytest.mark.parametrize("value", ["", "1", "True", "TRUE", "yes", " true"])
def test_a_dry_run_is_asked_for_in_one_way(value: str) -> None:
    """Anything else than true and false is refused: nobody must take a payment for a dry run."""
    api = Api()
    api.open_accounts()
    answer = api.send("POST", "/payments", PAYMENT, queryStringParameters={"dry_run": value})
    assert_problem(answer, 400, "invalid_query", "dry_run")
    twice: dict[str, Any] = {"multiValueQueryStringParameters": {"dry_run": ["true", "false"]}}
    assert_problem(api.send("POST", "/payments", PAYMENT, **twice), 400, "invalid_query", "dry_run")
    in_earnest: dict[str, Any] = {"queryStringParameters": {"dry_run": "false"}}
    assert api.send("POST", "/payments", PAYMENT, **in_earnest)[0] == 201


def test_a_hold_answers_how_the_payment_is_after_each_step() -> None:
    """By posting: held, captured, given back; what is left is released by the void."""
    api = Api()
    payments: dict[tuple[str, object], dict[str, Any]] = {}
    for step in examples.STORY:
        reply = api.play(step)
        if reply is not None and "payment" in reply[2]:
            payments[step.type, step.command["id"]] = reply[2]["payment"]

    def states(command_type: str) -> dict[str, Any]:
        return payments[command_type, examples.COMMANDS[command_type, 1]["id"]]

    held, more, taken, gone = map(
        states, ("payment.authorize", "payment.increase", "payment.capture", "payment.void")
    )
    assert [one["version"] for one in (held, more, taken, gone)] == [1, 2, 3, 4]
    assert [one["status"] for one in (held, more, taken, gone)] == [
        "held",
        "held",
        "partially_captured",
        "captured",
    ]
    assert [one["authorized_minor"] for one in (held, more)] == [[20000], [25000]]
    assert [one["held_minor"] for one in (held, more, taken, gone)] == [
        [20000],
        [25000],
        [7000],
        [0],
    ]
    assert [one["captured_minor"] for one in (held, taken, gone)] == [[0], [18000], [18000]]
    assert held["expires_at"] == "2026-11-28T11:00:00.000000Z"
    assert states("payment.reverse")["reversed_minor"] == [255, 5]  # in proportion


def test_a_batch_answers_for_each_of_its_commands() -> None:
    """As their own routes would; refused, it names the one at fault, and nothing is recorded of any
    but the batch."""
    api = Api()
    answers = {step.type: api.play(step) for step in examples.STORY}
    body = accepted(answers["batch.atomic"])
    assert [(one["id"], one["status"]) for one in body["answers"]] == [
        ("open:customers:44:wallet", "opened"),
        ("first-44", "posted"),
    ]
    assert api.send("GET", "/payments/{id}", id="first-44")[2]["status"] == "posted"
    freeze = examples.COMMANDS["account.freeze", 1] | {"id": "inner-1"}
    payment = PAYMENT | {"id": "inner-2"}
    batch = {"type": "batch.atomic", "v": 1, "id": "batch-2", "commands": [freeze, payment]}
    answer = api.send("POST", "/batches", batch)
    assert_problem(answer, 422, "account_frozen", "commands[1].postings[0].source")
    recorded = [decode_event(stored.data) for stored in api.store.events()]
    assert [event.id for event in recorded if isinstance(event, CommandRejected)][-1] == "batch-2"
    assert not {"inner-1", "inner-2"} & {event.id for event in recorded}


def test_faults_in_a_batch_are_named_by_their_place() -> None:
    """All of them, in whichever of its commands they are."""
    posting = {"source": "a", "destination": "b", "amount_minor": 0, "currency": "EUR"}
    payment = {"type": "payment.post", "v": 1, "id": "p", "postings": [posting]}
    commands = [
        payment,
        payment | {"postings": [posting | {"amount_minor": 1, "colour": "red"}]},
        {"type": "batch.atomic", "v": 1, "id": "b", "commands": []},
        {"v": 1, "id": "c"},
        {"type": "account.close", "v": 2, "id": "d", "account": "a", "reason": ""},
        7,
    ]
    batch = {"type": "batch.atomic", "v": 1, "id": "batch", "commands": commands}
    body = Api().send("POST", "/batches", batch)[2]
    assert sorted((fault["field"], fault["reason"]) for fault in body["errors"]) == [
        ("commands[0].postings[0].amount_minor", "invalid_amount"),
        ("commands[1].postings[0].colour", "unknown_field"),
        ("commands[2].type", "unsupported_type"),
        ("commands[3].type", "missing_field"),
        ("commands[4].reason", "invalid_text"),
        ("commands[4].v", "unsupported_version"),
        ("commands[5]", "invalid_batch"),
    ]
