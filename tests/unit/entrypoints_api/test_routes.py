"""The REST edge: what each route answers, to good requests, to bad ones, and when things fail."""

from __future__ import annotations

import base64
import json
from typing import Any, cast

import pytest

from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.ports import TransientStoreError
from ledger.contracts import examples
from ledger.contracts.events import decode_event
from ledger.contracts.primitives import COMMAND_BYTES_MAX
from ledger.contracts.reasons import REASONS
from ledger.domain.chain import StoredEvent
from ledger.entrypoints.api.asking import HEALTH_PROBE_ID
from ledger.entrypoints.api.reading import VIOLATIONS_MAX
from tests.unit.entrypoints_api.driving import CALLER, OPENING, PAYMENT, Api, assert_problem


def test_an_account_is_opened_once_and_answered_for_ever() -> None:
    """201 and where it is; then 200, the same body but for `repeat`, and the header for that."""
    api = Api()
    status, headers, first = api.send("POST", "/accounts", OPENING)
    assert (status, first["status"], first["repeat"]) == (201, "opened", False)
    assert headers["Location"] == f"accounts/{OPENING['account']}"
    assert "Idempotent-Replay" not in headers
    status, headers, second = api.send("POST", "/accounts", OPENING)
    assert status == 200
    assert headers["Idempotent-Replay"] == "true"
    assert "Location" not in headers
    assert second == first | {"repeat": True}


def test_a_payment_answers_the_balances_and_versions_it_made(api: Api) -> None:
    """For every account it touched, on the account's normal side."""
    status, headers, body = api.send("POST", "/payments", PAYMENT)
    assert (status, body["status"], body["repeat"]) == (201, "posted", False)
    assert headers["Location"] == f"payments/{PAYMENT['id']}"
    assert [
        (account["id"], account["version"], account["balance_minor"], account["available_minor"])
        for account in body["accounts"]
    ] == [
        ("customers:42:wallet", 2, -1250, -1250),
        ("merchants:7:settlement", 2, 1225, 1225),
        ("income:card-fees", 2, 25, 25),
    ]
    assert body["effective_at"] == "2026-11-21T23:10:04.000000Z"
    assert body["reference"] == "order-1001"
    assert "description" not in body


def test_a_repeated_payment_answers_what_was_recorded(api: Api) -> None:
    """Even after other payments: the balances are those of then."""
    _, _, first = api.send("POST", "/payments", PAYMENT)
    api.send("POST", "/payments", PAYMENT | {"id": "another"})
    status, headers, again = api.send("POST", "/payments", PAYMENT)
    assert (status, headers["Idempotent-Replay"]) == (200, "true")
    assert again == first | {"repeat": True}


def test_a_refusal_is_a_problem_with_its_causes_and_is_repeated(api: Api) -> None:
    """422 with the states that caused it; the repeat says that it is one."""
    api.send("POST", "/payments", PAYMENT)
    first = api.send("POST", "/payments", examples.REFUSED_COMMAND)
    body = assert_problem(first, 422, "insufficient_funds", "postings[0].source")
    assert (body["id"], body["repeat"]) == (examples.REFUSED_COMMAND["id"], False)
    assert body["causes"] == examples.EVENTS["command.rejected", 1]["causes"]
    assert "Idempotent-Replay" not in first[1]
    again = api.send("POST", "/payments", examples.REFUSED_COMMAND)
    assert again[1]["Idempotent-Replay"] == "true"
    assert again[2] == body | {"repeat": True}


def test_an_account_that_exists_is_a_conflict(api: Api) -> None:
    """By another command: 409, recorded under that command's id."""
    answer = api.send("POST", "/accounts", OPENING | {"id": "another"})
    assert assert_problem(answer, 409, "account_exists", "account")["id"] == "another"


def test_another_request_under_an_id_is_a_mismatch_that_names_the_fields(api: Api) -> None:
    """409 with every field that differs, the first as `field`; nothing is recorded."""
    api.send("POST", "/payments", PAYMENT)
    postings = cast("list[dict[str, Any]]", PAYMENT["postings"])
    changed = PAYMENT | {
        "reference": "order-1002",
        "postings": [postings[0] | {"amount_minor": 1}, postings[1]],
    }
    body = assert_problem(
        api.send("POST", "/payments", changed),
        409,
        "idempotency_mismatch",
        "postings[0].amount_minor",
    )
    assert body["fields"] == ["postings[0].amount_minor", "reference"]
    assert body["id"] == PAYMENT["id"]
    opening = OPENING | {"id": PAYMENT["id"], "account": "new"}
    assert_problem(api.send("POST", "/accounts", opening), 409, "idempotency_mismatch", "type")


def test_a_malformed_command_is_refused_with_all_its_faults() -> None:
    """400 with the first by precedence and the whole list; its id stays free."""
    api = Api()
    wrong = OPENING | {"currency": "EURO", "account_type": "debt", "colour": "red"}
    body = assert_problem(api.send("POST", "/accounts", wrong), 400, "unknown_field", "colour")
    assert body["errors"] == [
        {"reason": "unknown_field", "field": "colour"},
        {"reason": "unknown_currency", "field": "currency"},
        {"reason": "invalid_account_type", "field": "account_type"},
    ]
    assert list(api.store.events()) == []
    assert api.send("POST", "/accounts", OPENING)[0] == 201


def faults_in(body: dict[str, Any]) -> list[tuple[str, str]]:
    """The faults that the answer to a malformed command names."""
    return [(fault["reason"], fault["field"]) for fault in body["errors"]]


def test_every_fault_of_shape_is_named_at_once() -> None:
    """Wrong types and bounds, unknown and missing fields, wherever they are, by precedence."""
    posting = {"source": "a", "destination": "b", "amount_minor": 1, "currency": "EUR"}
    payment = {
        "type": "payment.post",
        "v": 1,
        "id": 5,
        "postings": [
            {"source": "a b", "amount_minor": 1.5, "currency": "euro", "4111111111111111": 1},
            posting | {"amount_minor": 0, "colour": "red"},
            None,
        ],
        "effective_at": "yesterday",
        "reference": "",
        "colour": "red",
    }
    answer = Api().send("POST", "/payments", payment)
    body = assert_problem(answer, 400, "unknown_field", "postings[0].(unprintable)")
    assert sorted(faults_in(body)) == [
        ("invalid_amount", "postings[0].amount_minor"),
        ("invalid_amount", "postings[1].amount_minor"),
        ("invalid_id", "id"),
        ("invalid_id", "postings[0].source"),
        ("invalid_postings", "postings[2]"),
        ("invalid_text", "reference"),
        ("invalid_time", "effective_at"),
        ("missing_field", "postings[0].destination"),
        ("unknown_currency", "postings[0].currency"),
        ("unknown_field", "colour"),
        ("unknown_field", "postings[0].(unprintable)"),
        ("unknown_field", "postings[1].colour"),
    ]
    order = [reason.code for reason in REASONS]
    assert body["errors"] == sorted(body["errors"], key=lambda fault: order.index(fault["reason"]))


def test_every_fault_beyond_shape_is_named_at_once() -> None:
    """What a schema cannot say, if the shape is right, by precedence."""
    posting = {"source": "a", "destination": "a", "amount_minor": 1, "currency": "EUR"}
    payment = {
        "type": "payment.post",
        "v": 1,
        "id": "x\n",
        "postings": [posting, posting | {"destination": "b", "currency": "ZZZ"}],
        "effective_at": "2026-02-30T00:00:00Z",
        "reference": "4111 1111 1111 1111",
        "description": "a\nb",
    }
    body = assert_problem(Api().send("POST", "/payments", payment), 400, "invalid_id", "id")
    assert faults_in(body) == [
        ("invalid_id", "id"),
        ("unknown_currency", "postings[1].currency"),
        ("invalid_time", "effective_at"),
        ("invalid_text", "description"),
        ("card_number", "reference"),
        ("same_account", "postings[0].destination"),
    ]
    limits = {"min_balance_minor": 1, "max_balance_minor": -1}
    answer = Api().send("POST", "/accounts", OPENING | limits)
    body = assert_problem(answer, 400, "invalid_limits", "min_balance_minor")
    assert faults_in(body) == [
        ("invalid_limits", "min_balance_minor"),
        ("invalid_limits", "max_balance_minor"),
    ]


def test_a_flood_of_faults_is_answered_with_the_first_few() -> None:
    """A body of nothing but unknown names does not make an answer as long."""
    body = {f"x{number}": 1 for number in range(4_000)} | OPENING
    answer = Api().send("POST", "/accounts", body)
    assert len(assert_problem(answer, 400, "unknown_field", "x0")["errors"]) == VIOLATIONS_MAX


@pytest.mark.parametrize(
    ("changes", "reason", "status", "field"),
    [
        ({"body": None}, "malformed_json", 400, ""),
        ({"body": ""}, "malformed_json", 400, ""),
        ({"body": "not json"}, "malformed_json", 400, ""),
        ({"body": '{"type":"account.open","v":1,"id":"\ud800"}'}, "malformed_json", 400, ""),
        ({"body": "e30=", "isBase64Encoded": True}, "missing_field", 400, "type"),
        ({"body": "e30", "isBase64Encoded": True}, "malformed_json", 400, ""),
        ({"body": "é", "isBase64Encoded": True}, "malformed_json", 400, ""),
        ({"body": "/w==", "isBase64Encoded": True}, "malformed_json", 400, ""),
        ({"body": " " * (COMMAND_BYTES_MAX + 1)}, "payload_too_large", 413, ""),
        ({"body": "IA" * COMMAND_BYTES_MAX, "isBase64Encoded": True}, "payload_too_large", 413, ""),
        ({"body": "\u00e9" * (COMMAND_BYTES_MAX // 2 + 1)}, "payload_too_large", 413, ""),
        ({"headers": {"content-type": "text/plain"}}, "unsupported_media_type", 415, ""),
        ({"headers": {"CONTENT-TYPE": "application/xml"}}, "unsupported_media_type", 415, ""),
        ({"queryStringParameters": {"dry_run": "1"}}, "invalid_query", 400, "dry_run"),
        ({"queryStringParameters": {"a b": "1"}}, "invalid_query", 400, "(unprintable)"),
        ({"requestContext": {}}, "forbidden", 403, ""),
        ({"requestContext": None}, "forbidden", 403, ""),
        ({"requestContext": {"identity": {"userArn": None}}}, "forbidden", 403, ""),
    ],
)
def test_a_request_that_is_wrong_in_itself_records_nothing(
    changes: dict[str, Any], reason: str, status: int, field: str
) -> None:
    """Its body, its media type, its parameters, its author."""
    api = Api()
    answer = api.send("POST", "/accounts", **({"body": OPENING} | changes))
    assert_problem(answer, status, reason, field)
    assert list(api.store.events()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": None},
        {"headers": {}},
        {"headers": {"content-type": "application/json; charset=utf-8"}},
        {"headers": {"Content-Type": "Application/JSON"}},
        {
            "body": base64.b64encode(json.dumps(OPENING).encode()).decode(),
            "isBase64Encoded": True,
        },
        {"queryStringParameters": {}},
    ],
)
def test_the_same_command_by_other_transports_is_the_same(changes: dict[str, Any]) -> None:
    """No content type, one with parameters, a body in base64: a command all the same."""
    assert Api().send("POST", "/accounts", **({"body": OPENING} | changes))[0] == 201


@pytest.mark.parametrize(("resource", "command"), [("/accounts", PAYMENT), ("/payments", OPENING)])
def test_a_route_takes_its_own_command_only(resource: str, command: dict[str, Any]) -> None:
    """The other's type is not supported here, whatever its version."""
    for body in (command, command | {"v": 9}):
        assert_problem(Api().send("POST", resource, body), 400, "unsupported_type", "type")


def test_an_unknown_version_is_said_to_be_one() -> None:
    """And none of its other differences is."""
    body = OPENING | {"v": 2, "colour": "red"}
    assert_problem(Api().send("POST", "/accounts", body), 400, "unsupported_version", "v")


@pytest.mark.parametrize(
    ("identity", "actor"),
    [
        ({"userArn": CALLER, "caller": "AIDA", "accountId": "1"}, CALLER),
        ({"userArn": None, "caller": "AIDA:session", "accountId": "1"}, "AIDA:session"),
        ({"userArn": "", "caller": None, "accountId": "111122223333"}, "111122223333"),
        ({"userArn": "a" * 300}, "a" * 256),
    ],
)
def test_the_event_names_its_author(identity: dict[str, Any], actor: str) -> None:
    """As precisely as IAM says it, at bounded length."""
    api = Api()
    api.send("POST", "/accounts", OPENING, requestContext={"identity": identity})
    (stored,) = api.store.events()
    assert decode_event(stored.data).actor == actor


def test_a_payment_is_read_back_posted_or_rejected(api: Api) -> None:
    """200 for both, with the outcome; nothing about repeats."""
    _, _, posted = api.send("POST", "/payments", PAYMENT)
    api.send("POST", "/payments", examples.REFUSED_COMMAND)
    status, _, body = api.send("GET", "/payments/{id}", id=str(PAYMENT["id"]))
    assert (status, body["version"], "repeat" in body) == (200, 1, False)
    assert {**body, "repeat": False} == body | posted
    status, _, body = api.send("GET", "/payments/{id}", id=str(examples.REFUSED_COMMAND["id"]))
    rejected = examples.EVENTS["command.rejected", 1]
    assert (status, body["status"], body["retry"]) == (200, "rejected", "new_id")
    for name in ("reason", "field", "causes"):
        assert body[name] == rejected[name]
    assert body["postings"] == examples.REFUSED_COMMAND["postings"]
    assert "effective_at" not in body


def test_alerts_are_read_back_as_they_are(api: Api) -> None:
    """From the state itself; what was never opened is unknown."""
    account = OPENING["account"]
    command = examples.COMMANDS["account.set_alerts", 1]
    route = ("GET", "/accounts/{id}/alerts")
    status, _, body = api.send(*route, id=str(account))
    assert (status, body["alerts"], body["version"]) == (200, [], 1)
    status, headers, answer = api.send("POST", "/alerts", command)
    assert (status, headers["Location"], answer["status"]) == (
        201,
        f"accounts/{account}",
        "alerts_set",
    )
    assert api.send("POST", "/alerts", command)[2] == answer | {"repeat": True}
    status, _, body = api.send(*route, id=str(account))
    assert (body["alerts"], body["version"]) == (command["alerts"], 2)
    status, _, problem = api.send(*route, id="nobody")
    assert (status, problem["reason"]) == (404, "account_unknown")
    api.store.load = _out_of_reach  # type: ignore[assignment]
    status, _, problem = api.send(*route, id=str(account))
    assert (status, problem["reason"]) == (503, "store_unavailable")


def _out_of_reach(*_: object) -> Any:
    raise TransientStoreError("throttled")


@pytest.mark.parametrize("given", ["a%3Ab", "a:b", "%61:b"])
def test_an_id_in_the_path_may_be_percent_encoded(api: Api, given: str) -> None:
    """Gateways differ in whether they decode it."""
    api.send("POST", "/payments", PAYMENT | {"id": "a:b"})
    assert api.send("GET", "/payments/{id}", id=given)[0] == 200


@pytest.mark.parametrize("given", ["nothing", OPENING["id"]])
def test_what_is_no_payment_is_not_found(api: Api, given: str) -> None:
    """Neither an id that was never decided, nor the id of another command."""
    assert_problem(api.send("GET", "/payments/{id}", id=given), 404, "payment_not_found", "id")


def test_a_refused_opening_is_no_payment_either(api: Api) -> None:
    """A rejection is found by this route only if it is a payment's."""
    api.send("POST", "/accounts", OPENING | {"id": "refused"})
    assert_problem(api.send("GET", "/payments/{id}", id="refused"), 404, "payment_not_found", "id")


@pytest.mark.parametrize("given", ["", "a b", "%", "x" * 65, "%7Ehealth", "~health", "a%0A", None])
def test_what_is_no_id_is_not_looked_for(api: Api, given: str | None) -> None:
    """400, naming the parameter."""
    assert_problem(api.send("GET", "/payments/{id}", id=given), 400, "invalid_query", "id")


def test_a_query_parameter_of_no_meaning_is_refused(api: Api) -> None:
    """Ignoring it would let a caller believe in it."""
    answer = api.send("GET", "/payments/{id}", id="p", queryStringParameters={"min_version": "1"})
    assert_problem(answer, 400, "invalid_query", "min_version")


def test_health_reads_the_event_store() -> None:
    """It is well if the store answers, and out of service if it does not."""
    asked: list[str] = []

    class Store(MemoryEventStore):
        well = True

        def event(self, event_id: str) -> StoredEvent | None:
            asked.append(event_id)
            if not self.well:
                raise TransientStoreError("unavailable")
            return super().event(event_id)

    store = Store()
    api = Api(store=store)
    status, _, body = api.send("GET", "/health", requestContext=None)
    assert status == 200
    assert body == {"status": "ok", "version": "7", "checks": {"event_store": "ok"}}
    assert asked == [HEALTH_PROBE_ID]
    store.well = False
    answer = api.send("GET", "/health")
    assert_problem(answer, 503, "store_unavailable")
    assert answer[1]["Retry-After"] == "2"


@pytest.mark.parametrize(
    ("method", "resource"),
    [
        ("GET", "/accounts"),
        ("DELETE", "/payments/{id}"),
        ("POST", "/nothing"),
        ("post", "/accounts"),
        ("GET", "/accounts/{id}"),
    ],
)
def test_an_unknown_route_is_a_problem(method: str, resource: str) -> None:
    """Methods and paths that this function does not serve."""
    assert_problem(Api().send(method, resource), 404, "unknown_route")


def test_an_event_that_is_no_request_is_an_unknown_route() -> None:
    """A test event from the console, say."""
    assert_problem(Api().send("", "", httpMethod=None), 404, "unknown_route")
