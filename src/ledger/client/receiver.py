"""A receiver of webhooks on this machine: verifies what comes, and answers.

For trying out and for tests. What it shows is all that a real one has to do: take the body as it
came, verify, remember the `webhook-id`, answer soon.
"""

from __future__ import annotations

import json
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final

from standardwebhooks import Webhook, WebhookVerificationError

HOST: Final = "127.0.0.1"
#: A notification has 64 KiB at most.
BODY_BYTES_MAX: Final = 256 * 1024
_PREFIX: Final = "whsec_"
_HEADERS: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")


@dataclass(frozen=True, slots=True)
class Received:
    """One request: its `webhook-id`, what it says, and what was answered.

    `fault` says why it was refused, empty if a secret verifies it. `repeat`: a request with the
    same id was taken before.
    """

    webhook_id: str
    body: str
    status: int
    fault: str
    repeat: bool

    @property
    def notification(self) -> dict[str, Any]:
        """The JSON object in the body; empty if there is none. Trust it if `fault` is empty."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


Judge = Callable[[Received], int]
"""The status to answer a verified request with."""


@contextmanager
def receiving(
    secrets: Sequence[str],
    take: Callable[[Received], None],
    *,
    port: int = 0,
    judge: Judge = lambda _: HTTPStatus.NO_CONTENT,
) -> Iterator[str]:
    """A receiver until the block is left; its URL. `take` gets each request once it is answered.

    Any of the `secrets` may have signed. Port 0 is a free one. Raises OSError if the port is taken,
    ValueError if a secret is none.
    """
    webhooks = [_webhook(secret) for secret in secrets]
    with _Server((HOST, port), webhooks, take, judge) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://{HOST}:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        webhooks: Sequence[Webhook],
        take: Callable[[Received], None],
        judge: Judge,
    ) -> None:
        self.webhooks = webhooks
        self.take = take
        self.judge = judge
        self.taken: set[str] = set()
        self.lock = threading.Lock()
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout: ClassVar[float | None] = 10.0

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= BODY_BYTES_MAX):
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(int(length)).decode("utf-8", "replace")
        with server.lock:  # one after the other, as they are shown
            received = self._received(server, body)
            self._answer(received.status)
            server.take(received)

    def _received(self, server: _Server, body: str) -> Received:
        headers = {name: self.headers.get(name, "") for name in _HEADERS}
        id = headers["webhook-id"]
        fault = _fault(server.webhooks, body, headers)
        if fault:
            return Received(id, body, HTTPStatus.UNAUTHORIZED, fault, repeat=False)
        repeat = id in server.taken
        status = server.judge(Received(id, body, 0, "", repeat))
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            server.taken.add(id)
        return Received(id, body, status, "", repeat)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("content-length", "0")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Who asked for a receiver is told by `take`."""


def _webhook(secret: str) -> Webhook:
    # The library skips what is no base64, down to a secret of nothing at all.
    if not (secret.startswith(_PREFIX) and b64decode(secret.removeprefix(_PREFIX), validate=True)):
        raise ValueError("this one is none")
    return Webhook(secret)


def _fault(webhooks: Sequence[Webhook], body: str, headers: dict[str, str]) -> str:
    """Why no secret verifies the request; empty if one does."""
    fault = "no secret to verify it with"
    for webhook in webhooks:
        try:
            webhook.verify(body, headers, json_parse=False)
        except WebhookVerificationError as error:
            fault = str(error)
        except ValueError:  # a signature that is no base64, or of no known form
            fault = "Malformed signature"
        else:
            return ""
    return fault
