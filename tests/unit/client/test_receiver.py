"""The receiver: takes what its secrets have signed, and nothing else."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from standardwebhooks import Webhook

from consumers.webhooks.addresses import networks_of
from consumers.webhooks.faults import AttemptError
from consumers.webhooks.posting import HttpEndpoints
from consumers.webhooks.signatures import new_secret, signed_headers
from ledger.client.receiver import BODY_BYTES_MAX, Received, receiving
from ledger.runtime.clock import wall_clock

OURS, OTHER = new_secret(lambda count: b"a" * count), new_secret(lambda count: b"b" * count)
BODY = '{"type":"payment.posted","id":"é"}'
ENDPOINTS = HttpEndpoints(trusted=lambda: networks_of("127.0.0.0/8"))


class Inbox:
    """What was received, and who waits for it."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._came = threading.Condition()

    def take(self, received: Received) -> None:
        """As a receiver hands it over."""
        with self._came:
            self.received.append(received)
            self._came.notify_all()

    def wait(self, count: int) -> list[Received]:
        """Everything, once so many have come."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.received) >= count, timeout=10)
        return self.received


@contextmanager
def listening(*secrets: str, status: int = 204) -> Iterator[tuple[str, Inbox]]:
    """A receiver with these secrets; its URL and its inbox."""
    inbox = Inbox()
    with receiving(secrets, inbox.take, judge=lambda _: status) as url:
        yield url, inbox


def send(url: str, *secrets: str, id: str = "msg_1", body: str = BODY) -> int:
    """The status for a request that these secrets signed, sent as webhooks are."""
    headers = signed_headers(id, body, secrets, wall_clock())
    try:
        return ENDPOINTS.post(url, body.encode(), headers)
    except AttemptError as error:
        return error.status


def test_what_a_secret_has_signed_is_taken() -> None:
    """204; the body as it came, read as JSON."""
    with listening(OURS) as (url, inbox):
        assert send(url, OURS) == 204
        [received] = inbox.wait(1)
    assert (received.webhook_id, received.body, received.fault) == ("msg_1", BODY, "")
    assert received.notification == {"type": "payment.posted", "id": "é"}


def test_one_signature_of_several_is_enough() -> None:
    """As while a secret is replaced, on either side."""
    with listening(OURS) as (url, inbox):
        assert send(url, OTHER, OURS) == 204
        assert not inbox.wait(1)[0].fault
    with listening(OTHER, OURS) as (url, inbox):
        assert send(url, OURS) == 204


def test_what_another_secret_has_signed_is_refused() -> None:
    """401, and why."""
    with listening(OURS) as (url, inbox):
        assert send(url, OTHER) == 401
        [received] = inbox.wait(1)
    assert received.fault == "No matching signature found"


@pytest.mark.parametrize(
    ("headers", "fault"),
    [
        ({}, "Missing required headers"),
        ({"webhook-signature": "v1"}, "Malformed signature"),
        ({"webhook-signature": "v1,x"}, "Malformed signature"),
        ({"webhook-signature": "v2,eHh4eA=="}, "No matching signature found"),
        ({"webhook-timestamp": "yesterday"}, "Invalid Signature Headers"),
    ],
)
def test_a_request_of_another_form_is_refused(headers: dict[str, str], fault: str) -> None:
    """401, whatever is wrong with it: nothing that comes in ends the receiver."""
    good = signed_headers("msg_1", BODY, [OURS], wall_clock())
    with listening(OURS) as (url, inbox):
        assert raw(url, {**good, **headers} if headers else {}) == 401
        assert send(url, OURS) == 204
        assert inbox.wait(2)[0].fault == fault


def test_a_signature_of_long_ago_is_refused() -> None:
    """Five minutes, by the library: a request that was overheard cannot be sent again later."""
    moment = datetime.now(UTC) - timedelta(minutes=6)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(OURS).sign("msg_1", moment, BODY),
    }
    with listening(OURS) as (url, inbox):
        assert raw(url, headers) == 401
        assert inbox.wait(1)[0].fault == "Message timestamp too old"


def test_what_came_before_is_said_to_be_a_repeat() -> None:
    """By its id, once it was taken; what was answered with a failure was not."""
    with listening(OURS) as (url, inbox):
        for id in ("msg_1", "msg_2", "msg_1"):
            send(url, OURS, id=id)
        assert [received.repeat for received in inbox.wait(3)] == [False, False, True]
    with listening(OURS, status=503) as (url, inbox):
        assert [send(url, OURS) for _ in range(2)] == [503, 503]
        assert [received.repeat for received in inbox.wait(2)] == [False, False]


@pytest.mark.parametrize("length", [str(BODY_BYTES_MAX + 1), "-1", "x", None])
def test_a_body_without_a_length_or_too_long_is_not_read(length: str | None) -> None:
    """413, and the receiver goes on."""
    with listening(OURS) as (url, inbox):
        assert raw(url, {} if length is None else {"content-length": length}, body=None) == 413
        assert send(url, OURS) == 204
        assert len(inbox.wait(1)) == 1


@pytest.mark.parametrize("body", ["", "no JSON", "[1]"])
def test_a_signed_body_of_any_form_is_taken(body: str) -> None:
    """What it says is the reader's business: as a notification it is empty."""
    with listening(OURS) as (url, inbox):
        assert send(url, OURS, body=body) == 204
        assert inbox.wait(1)[0].notification == {}


def test_secrets_and_ports_that_are_none_are_refused_at_the_start() -> None:
    """Before anything is listened to."""
    for wrong in ("", "whsec_", "whsec_?", "whsec_abc", OURS.removeprefix("whsec_")):
        with pytest.raises(ValueError, match=r"\S"), receiving([wrong], print):
            pass
    with listening(OURS) as (url, _):
        port = urlsplit(url).port or 0
        with pytest.raises(OSError, match="in use"), receiving([OURS], print, port=port):
            pass


def raw(url: str, headers: dict[str, str], body: str | None = BODY) -> int:
    """The status for a request with exactly these headers."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.putrequest("POST", "/", skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    if body is not None:
        connection.putheader("content-length", str(len(body.encode())))
    connection.endheaders(body.encode() if body is not None else None)
    status = connection.getresponse().status
    connection.close()
    return status
