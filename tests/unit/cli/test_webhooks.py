"""`ledger webhooks`: as a user runs it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network

import pytest

from consumers.webhooks.faults import AttemptError
from consumers.webhooks.posting import HttpEndpoints
from consumers.webhooks.signatures import new_secret, signed_headers
from ledger.runtime.clock import wall_clock
from tests.unit.cli.conftest import Ran, Run

URL = "https://shop.example/hooks"
SECRET = new_secret(lambda count: b"k" * count)
BODY = '{"type":"payment.posted","v":1,"id":"p-1"}'


def test_a_webhook_is_added_with_its_filters_and_shows_its_secret_once(run: Run) -> None:
    """Added again it is as before, without the secret; listed and shown it has none either."""
    filters = ("--type", "payment.posted", "--type", "balance.alert", "--account", "shops:7:*")
    more = ("--currency", "EUR", "--amount-band", "10-100", "--reason", "insufficient_funds")
    added = run("webhooks", "add", "shop", URL, *filters, *more, "--json")
    assert added.code == 0
    assert added.value["secret"].startswith("whsec_")
    assert added.value["webhook"]["filters"] == {
        "types": ["payment.posted", "balance.alert"],
        "accounts": ["shops:7:*"],
        "currencies": ["EUR"],
        "amount_bands": ["10-100"],
        "reasons": ["insufficient_funds"],
    }
    again = run("webhooks", "add", "shop", URL, *filters, *more, "--json")
    assert again.value == added.value["webhook"]
    assert run("webhooks", "show", "shop", "--json").value == again.value
    listed = run("webhooks", "list", "--json").value
    assert listed == {"webhooks": [again.value]}


def test_people_see_what_it_wants_and_to_keep_the_secret(run: Run) -> None:
    """On standard output the facts, on standard error what to do."""
    added = run("webhooks", "add", "shop", URL, "--account", "shops:*")
    assert "accounts: shops:*" in added.out
    assert "whsec_" in added.out
    assert "shown this once" in added.err
    listed = run("webhooks", "list")
    for word in ("shop", "enabled", URL, "accounts: shops:*"):
        assert word in listed.out
    assert "whsec_" not in listed.out + listed.err
    run("webhooks", "add", "shop", URL, "--disabled")
    shown = run("webhooks", "show", "shop").out
    assert "disabled by request" in shown
    assert "everything" in shown


def test_a_secret_is_replaced(run: Run) -> None:
    """Beside the one before; a second time it is refused, but for `--now`."""
    first = run("webhooks", "add", "shop", URL, "--json").value["secret"]
    rotated = run("webhooks", "rotate", "shop")
    assert rotated.code == 0
    assert "signs until" in rotated.out
    refused = run("webhooks", "rotate", "shop", "--json")
    assert (refused.code, refused.value["reason"]) == (1, "webhook_rotating")
    replaced = run("webhooks", "rotate", "shop", "--now", "--json").value
    assert "previous_secret_until" not in replaced["webhook"]
    assert replaced["secret"].startswith(first[:6])


def test_a_webhook_is_tried_and_removed(run: Run) -> None:
    """The header of what is on its way is said; removed, it is unknown."""
    run("webhooks", "add", "shop", URL)
    assert run("webhooks", "test", "shop", "--json").value["webhook_id"].startswith("msg_")
    assert "queued" in run("webhooks", "test", "shop").out
    assert "removed" in run("webhooks", "remove", "shop").out
    for verb in ("show", "remove", "rotate", "test"):
        gone = run("webhooks", verb, "shop", "--json")
        assert (gone.code, gone.value["reason"]) == (1, "webhook_unknown")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://shop.example/", "webhook_url_insecure"),
        ("https://me:secret@shop.example/", "webhook_url_credentials"),
        ("https://intranet.example/", "webhook_address_refused"),
        ("https://", "webhook_invalid"),
    ],
)
def test_a_url_that_is_refused_says_why(run: Run, url: str, reason: str) -> None:
    """With the field, for people and for programs."""
    refused = run("webhooks", "add", "shop", url, "--json")
    assert (refused.code, refused.value["reason"], refused.value["field"]) == (1, reason, "url")
    assert reason in run("webhooks", "add", "shop", url).err


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def send(port: int, id: str, *secrets: str) -> int:
    """Sends a webhook to the listener once it is there; the status it answers."""
    endpoints = HttpEndpoints(trusted=lambda: (ip_network("127.0.0.0/8"),))
    for _ in range(200):
        headers = signed_headers(id, BODY, secrets, wall_clock())
        try:
            return endpoints.post(f"http://127.0.0.1:{port}/", BODY.encode(), headers)
        except AttemptError as error:
            if error.status:
                return error.status
        time.sleep(0.05)
    raise AssertionError("nobody listens")


@contextmanager
def sending(port: int, *messages: tuple[str, str]) -> Iterator[list[int]]:
    """Sends messages, each an id and a secret, while the block runs; their statuses."""
    statuses: list[int] = []
    thread = threading.Thread(
        target=lambda: statuses.extend(send(port, id, secret) for id, secret in messages)
    )
    thread.start()
    yield statuses
    thread.join()


def listen(run: Run, *arguments: object) -> tuple[Ran, list[int]]:
    """Runs `listen` until three messages have come: verified, forged, repeated."""
    port, other = free_port(), new_secret(lambda count: b"o" * count)
    with sending(port, ("msg_1", SECRET), ("msg_2", other), ("msg_1", SECRET)) as statuses:
        ran = run("webhooks", "listen", "--port", port, "--count", 3, *arguments)
    return ran, statuses


def test_listening_verifies_answers_and_prints(run: Run) -> None:
    """One line a request; 204 for what the secret signed, 401 for the rest; then it ends."""
    ran, statuses = listen(run, "--secret", SECRET)
    assert (ran.code, statuses) == (0, [204, 401, 204])
    first, second, third = ran.out.splitlines()
    assert first == "204  verified  msg_1  payment.posted  p-1"
    assert second == "401  refused: No matching signature found  msg_2"
    assert third == "204  verified, again  msg_1  payment.posted  p-1"
    assert "listening at http://127.0.0.1:" in ran.err


def test_listening_prints_a_value_a_line_for_programs(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With another answer, and the secret from the environment."""
    monkeypatch.setenv("LEDGER_WEBHOOK_SECRET", SECRET)
    ran, statuses = listen(run, "--json", "--answer", 503)
    assert statuses == [503, 401, 503]
    first, second, third = map(json.loads, ran.out.splitlines())
    assert first == {
        "webhook_id": "msg_1",
        "status": 503,
        "verified": True,
        "repeat": False,
        "notification": json.loads(BODY),
    }
    assert second["fault"] == "No matching signature found"
    assert not third["repeat"]  # it was not taken the first time


def test_listening_says_what_it_cannot_do(run: Run) -> None:
    """A secret that is none, a port that is taken: wrong usage, in a line."""
    wrong = run("webhooks", "listen", "--secret", "whsec_?", "--json")
    assert (wrong.code, wrong.value["reason"]) == (2, "usage")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = run("webhooks", "listen", "--secret", SECRET, "--port", port, "--json")
    assert (refused.code, refused.value["reason"]) == (2, "usage")
    assert str(port) in refused.value["title"]
