"""The signed HTTP client, against a server on loopback that answers from a script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from typing_extensions import override

from ledger.client.answers import Accepted, Refused, UnreachableError
from ledger.client.config import Config, Credentials
from ledger.client.rest import LedgerApi
from ledger.client.retries import ATTEMPTS_MAX, Retries
from ledger.contracts.commands import BULK_BYTES_MAX, CLIENT_COMMANDS, ExpirePayment, VoidPayment

Script = list[tuple[int, Any] | None]
"""Answers to give, in turn: status and body; None closes the connection without one."""


class Server(ThreadingHTTPServer):
    """Remembers every request: method, path, headers, body, and the connection it came on."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: Script = []
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.connections: set[Any] = set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        length = int(self.headers.get("content-length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        server.seen.append((self.command, self.path, headers, self.rfile.read(length)))
        server.connections.add(self.client_address)
        answer = server.script.pop(0)
        if answer is None:
            self.close_connection = True
            return
        status, body = answer
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def api(server: Server, waits: list[float]) -> LedgerApi:
    config = Config(
        region="eu-central-1",
        endpoint_url=None,
        api_url=f"http://127.0.0.1:{server.server_port}/v1/",
        outputs={},
        credentials=Credentials(access_key_id="AKIDEXAMPLE", secret_access_key="made-up"),
    )
    return LedgerApi(config, retries=Retries(pause=waits.append, chance=lambda: 0.5))


def test_a_command_is_posted_as_it_is_and_signed(server: Server, api: LedgerApi) -> None:
    """The body's bytes, its type, and a signature for execute-api in the configured region."""
    server.script = [(201, {"id": "p1"})]
    assert api.send("payment.post", b'{"id":"p1"}') == Accepted({"id": "p1"})
    ((method, path, headers, body),) = server.seen
    assert (method, path, body) == ("POST", "/v1/payments", b'{"id":"p1"}')
    assert headers["content-type"] == "application/json"
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/eu-central-1/execute-api/aws4_request" in headers["authorization"]


def test_paths_and_queries(server: Server, api: LedgerApi) -> None:
    """Each method asks its path; ids keep their colons, all else is escaped."""
    server.script = [(200, {})] * 14
    api.send("account.open", b"{}")
    api.payment("a:b")
    api.account("customers:1:wallet")
    api.account("a/b")
    api.history("x", {"limit": "5", "after": "a&b"})
    api.health()
    api.payments({"status": "held"})
    api.accounts({"under": "customers:1"})
    api.limits("a:b")
    api.metadata("account", "a")
    api.metadata("payment", "p")
    api.template("card_sale", {"version": "2"})
    api.book("main")
    api.send("payment.capture", b"{}", dry_run=True)
    assert [(method, path) for method, path, _, _ in server.seen] == [
        ("POST", "/v1/accounts"),
        ("GET", "/v1/payments/a:b"),
        ("GET", "/v1/accounts/customers:1:wallet"),
        ("GET", "/v1/accounts/a%2Fb"),
        ("GET", "/v1/accounts/x/history?limit=5&after=a%26b"),
        ("GET", "/v1/health"),
        ("GET", "/v1/payments?status=held"),
        ("GET", "/v1/accounts?under=customers%3A1"),
        ("GET", "/v1/accounts/a:b/limits"),
        ("GET", "/v1/accounts/a/metadata"),
        ("GET", "/v1/payments/p/metadata"),
        ("GET", "/v1/templates/card_sale?version=2"),
        ("GET", "/v1/books/main"),
        ("POST", "/v1/captures?dry_run=true"),
    ]
    assert len(server.connections) == 1, "connections are kept alive"


def voiding(id_: str) -> VoidPayment:
    """A command."""
    return VoidPayment(v=1, id=id_, payment="p")


def test_every_command_of_a_client_has_a_route(server: Server, api: LedgerApi) -> None:
    """A command knows where it goes by its type; one of the ledger's own goes nowhere."""
    server.script = [(200, {})] * len(CLIENT_COMMANDS)
    for command_type in CLIENT_COMMANDS:
        api.send(command_type, b"{}")
    assert len({path for _, path, _, _ in server.seen}) == len(CLIENT_COMMANDS)
    server.script = [(201, {"id": "v"})]
    assert api.submit(voiding("v")) == Accepted({"id": "v"})
    _, path, _, body = server.seen[-1]
    assert (path, json.loads(body)) == (
        "/v1/voids",
        {"type": "payment.void", "v": 1, "id": "v", "payment": "p"},
    )
    with pytest.raises(KeyError):
        api.submit(ExpirePayment(v=1, id="expire:p:1", payment="p", version=1))


def test_several_commands_have_an_answer_each(server: Server, api: LedgerApi) -> None:
    """In their order; what could not be decided then is sent again, alone and with its own id."""
    refusal = {"reason": "hold_not_open", "retry": "never"}
    answers = [
        {"status": 201, "body": {"id": "1", "repeat": False}},
        {"status": 503, "body": OUTAGE},
        {"status": 422, "body": refusal},
    ]
    server.script = [(200, {"answers": answers}), (201, {"id": "2", "repeat": False})]
    first, second, third = api.submit_each([voiding("1"), voiding("2"), voiding("3")])
    assert first == Accepted({"id": "1", "repeat": False})
    assert second == Accepted({"id": "2", "repeat": False})
    assert isinstance(third, Refused)
    assert third.reason == "hold_not_open"
    assert [path for _, path, _, _ in server.seen] == ["/v1/commands", "/v1/voids"]
    sent = json.loads(server.seen[0][3])["commands"]
    assert [one["id"] for one in sent] == ["1", "2", "3"]


def test_undecided_commands_are_sent_again_in_their_order(server: Server, api: LedgerApi) -> None:
    """The first of them by itself, until it is decided, and only then those behind it, at once."""

    def done(id_: str) -> dict[str, Any]:
        return {"status": 201, "body": {"id": id_, "repeat": False}}

    later = {"status": 503, "body": OUTAGE}
    server.script = [
        (200, {"answers": [done("1"), later, later, later, later]}),
        (503, OUTAGE),
        (201, {"id": "2", "repeat": False}),
        (200, {"answers": [done("3"), later, later]}),
        (201, {"id": "4", "repeat": False}),
        (201, {"id": "5", "repeat": False}),
    ]
    replies = api.submit_each([voiding(id_) for id_ in "12345"])
    assert replies[0] == Accepted({"id": "1", "repeat": False})
    assert [reply.body["id"] for reply in replies] == list("12345")
    sent = [json.loads(body) for _, _, _, body in server.seen]
    assert [
        [one["id"] for one in body["commands"]] if "commands" in body else body["id"]
        for body in sent
    ] == [list("12345"), "2", "2", list("345"), "4", "5"]


def test_any_number_of_commands_goes_in_as_few_requests_as_there_must_be(
    server: Server, api: LedgerApi
) -> None:
    """By number and by bytes, each request within what the API takes, all in their order; what
    would not be answered there as it is by itself goes alone, in its place."""
    long = {"reason": "r" * 60_000}
    bodies = [
        *(json.dumps({"type": "payment.void", "id": f"a{n}"}) for n in range(700)),
        '{"type":"payment.void","id":"cut',
        json.dumps({"type": "payment.post", "id": "another type"}),
        json.dumps({"type": "payment.void", "id": "too long" + "x" * 70_000}),
        '{"type":"payment.void"},{"type":"payment.void"}',
        *(json.dumps({"type": "payment.void", "id": f"b{n}"} | long) for n in range(20)),
    ]
    sizes = [500, 200, 1, 1, 1, 1, 17, 3]
    server.script = [
        (200, {"answers": [{"status": 201, "body": {}}] * size}) if size > 1 else (201, {})
        for size in sizes
    ]
    sent = [("payment.void", body.encode()) for body in bodies]
    replies = api.send_each(sent)
    assert replies == [Accepted({})] * len(bodies)
    assert server.script == []
    found: list[str] = []
    for _, path, _, body in server.seen:
        assert len(body) <= BULK_BYTES_MAX
        if path == "/v1/commands":
            found += [json.dumps(one) for one in json.loads(body)["commands"]]
        else:
            assert path == "/v1/voids"
            found.append(body.decode())
    assert found == bodies


def test_what_is_behind_a_command_that_is_never_decided_is_not_sent(
    server: Server, api: LedgerApi
) -> None:
    """It may rest on that one."""
    later = {"status": 503, "body": OUTAGE}
    server.script = [(200, {"answers": [later, later]}), *[(503, OUTAGE)] * ATTEMPTS_MAX]
    with pytest.raises(UnreachableError):
        api.submit_each([voiding("1"), voiding("2")])
    assert [path for _, path, _, _ in server.seen] == [
        "/v1/commands",
        *["/v1/voids"] * ATTEMPTS_MAX,
    ]


def test_several_commands_that_are_refused_as_one(server: Server, api: LedgerApi) -> None:
    """Then that is the answer to each of them."""
    server.script = [(403, {"message": "Forbidden"})]
    replies = api.submit_each([voiding("1"), voiding("2")])
    assert [reply.reason for reply in replies if isinstance(reply, Refused)] == ["forbidden"] * 2


def test_a_dry_run_says_that_it_is_one(server: Server, api: LedgerApi) -> None:
    """By the answer: nothing happened."""
    server.script = [(200, {"id": "v", "dry_run": True}), (201, {"id": "v"})]
    dry, earnest = api.submit(voiding("v"), dry_run=True), api.submit(voiding("v"))
    assert isinstance(dry, Accepted)
    assert isinstance(earnest, Accepted)
    assert (dry.dry_run, earnest.dry_run) == (True, False)


def test_a_repeat_says_that_it_is_one(server: Server, api: LedgerApi) -> None:
    """Accepted or refused, `repeat` comes from the answer."""
    problem = {"reason": "insufficient_funds", "retry": "new_id", "repeat": True}
    server.script = [(200, {"repeat": True}), (422, problem)]
    for _ in range(2):
        assert api.send("payment.post", b"{}").repeat


def test_a_refusal_is_typed_and_not_retried(server: Server, api: LedgerApi) -> None:
    """Reason, retry advice and field of the problem details."""
    problem = {
        "reason": "invalid_amount",
        "retry": "never",
        "field": "postings[0].amount_minor",
        "title": "An amount",
        "status": 400,
    }
    server.script = [(400, problem)]
    reply = api.send("payment.post", b"{}")
    assert reply == Refused(
        status=400,
        reason="invalid_amount",
        retry="never",
        field="postings[0].amount_minor",
        title="An amount",
        body=problem,
    )
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (403, {"message": "Missing Authentication Token"}, "forbidden"),
        (404, b"<html>", "unknown_route"),
        (418, [], "http_418"),
    ],
)
def test_an_answer_without_our_members_is_named_by_its_status(
    server: Server, api: LedgerApi, status: int, body: Any, reason: str
) -> None:
    """A gateway or a proxy in between may answer in words of its own."""
    server.script = [(status, body)]
    reply = api.payment("p")
    assert isinstance(reply, Refused)
    assert (reply.reason, reply.retry) == (reason, "never")


OUTAGE = {"reason": "contention", "retry": "same_request", "title": "t", "status": 503}


@pytest.mark.parametrize(
    "trouble", [(503, OUTAGE), (429, {}), (500, {}), (502, b"bad"), (504, {}), None]
)
def test_what_may_succeed_is_asked_again_with_the_same_body(
    server: Server, api: LedgerApi, waits: list[float], trouble: tuple[int, Any] | None
) -> None:
    """Outages, throttling and lost answers: the identical request, signed anew, after a wait."""
    server.script = [trouble, trouble, (201, {"id": "p"})]
    assert api.send("payment.post", b'{"id":"p"}') == Accepted({"id": "p"}, attempts=3)
    assert {body for _, _, _, body in server.seen} == {b'{"id":"p"}'}
    assert len(waits) == 2
    assert waits[0] < waits[1]


def test_attempts_are_bounded_and_the_last_answer_is_told(
    server: Server, api: LedgerApi, waits: list[float]
) -> None:
    """After the last attempt the outage is raised with its reason; no answer has none."""
    server.script = [(503, OUTAGE)] * ATTEMPTS_MAX
    with pytest.raises(UnreachableError, match="contention: t") as caught:
        api.send("payment.post", b"{}")
    assert (caught.value.reason, caught.value.attempts) == ("contention", ATTEMPTS_MAX)
    assert caught.value.body == OUTAGE
    assert len(server.seen) == ATTEMPTS_MAX == len(waits) + 1
    server.script = [None] * ATTEMPTS_MAX
    with pytest.raises(UnreachableError, match="no answer from http") as caught:
        api.send("payment.post", b"{}")
    assert caught.value.reason == ""


def test_a_ledger_that_is_not_there(waits: list[float]) -> None:
    """Nothing listens: the same bounded attempts, and the error names the address."""
    config = Config(
        region="eu-central-1",
        endpoint_url=None,
        api_url="http://127.0.0.1:1/v1/",
        outputs={},
        credentials=Credentials(access_key_id="A", secret_access_key="B"),
    )
    api = LedgerApi(config, retries=Retries(pause=waits.append, attempts_max=2))
    with pytest.raises(UnreachableError, match=r"no answer from http://127\.0\.0\.1:1/v1/"):
        api.health()
    assert len(waits) == 1


def test_waits_are_full_jitter() -> None:
    """Drawn evenly from nothing to a ceiling that doubles and is capped."""

    def ceilings(chance: float) -> list[float]:
        seen: list[float] = []
        retries = Retries(attempts_max=9, pause=seen.append, chance=lambda: chance)
        assert list(retries.attempts()) == list(range(1, 10))
        return seen

    assert ceilings(0.0) == [0.0] * 8
    assert ceilings(1.0) == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
