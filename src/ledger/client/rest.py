"""The REST API, signed, over kept-alive connections, with bounded time-outs and retries."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Final, Protocol
from urllib.parse import quote, urlencode

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionError as BotocoreConnectionError
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from ledger.client.answers import Body, Refused, Reply, UnreachableError, reply_of
from ledger.client.config import Config
from ledger.client.retries import Retries
from ledger.client.signing import CredentialsSource, credentials_source, signed

CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 31.0  # API Gateway itself gives up after 29 s
ANSWER_BYTES_MAX: Final = 10 * 1024 * 1024  # what API Gateway sends at most

_PATHS: Final = {
    "account.open": "accounts",
    "account.set_alerts": "alerts",
    "payment.post": "payments",
}
_WORTH_ASKING_AGAIN: Final = frozenset({429, 500, 502, 503, 504})


class Transport(Protocol):
    """Sends one request and waits for its answer; raises botocore's errors of the connection."""

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """One attempt."""
        ...


class LedgerApi:
    """One deployed REST API. Safe to share between `connections` threads.

    Every method retries what may succeed on retry (no connection, no answer, 429, 5xx), which is
    safe because commands are idempotent, and raises UnreachableError when that did not help.
    """

    def __init__(
        self,
        config: Config,
        *,
        connections: int = 1,
        retries: Retries | None = None,
        transport: Transport | None = None,
        credentials: CredentialsSource | None = None,
    ) -> None:
        self._config = config
        self._retries = retries or Retries()
        self._transport = transport or _transport(config, connections)
        self._credentials = credentials or credentials_source(config)

    def send(self, command_type: str, body: bytes) -> Reply:
        """POSTs a command's JSON. Raises KeyError for a type that has no path."""
        return self._ask("POST", [_PATHS[command_type]], body=body)

    def payment(self, payment_id: str) -> Reply:
        """What was decided under a payment's id."""
        return self._ask("GET", ["payments", payment_id])

    def account(self, account: str, query: Mapping[str, str] | None = None) -> Reply:
        """An account and its balances, as projected."""
        return self._ask("GET", ["accounts", account], query=query)

    def history(self, account: str, query: Mapping[str, str] | None = None) -> Reply:
        """One page of an account's history, newest first."""
        return self._ask("GET", ["accounts", account, "history"], query=query)

    def alerts(self, account: str) -> Reply:
        """The balance alerts that an account has now."""
        return self._ask("GET", ["accounts", account, "alerts"])

    def screening(self, payment_id: str) -> Reply:
        """The fraud verdicts recorded on a payment."""
        return self._ask("GET", ["payments", payment_id, "screening"])

    def reviews(self, query: Mapping[str, str] | None = None) -> Reply:
        """One page of the payments that the fraud scorer did not clear, newest first."""
        return self._ask("GET", ["reviews"], query=query)

    def webhooks(self) -> Reply:
        """Every subscriber of webhooks."""
        return self._ask("GET", ["webhooks"])

    def webhook(self, webhook: str) -> Reply:
        """A subscriber of webhooks."""
        return self._ask("GET", ["webhooks", webhook])

    def put_webhook(self, webhook: str, body: bytes) -> Reply:
        """Makes a subscriber what `body` says; the first answer has its secret."""
        return self._ask("PUT", ["webhooks", webhook], body=body)

    def rotate_webhook(self, webhook: str, *, now: bool = False) -> Reply:
        """Gives a subscriber a new secret; with `now` the one before signs no more.

        Not idempotent: after a lost answer the next one is a refusal, `webhook_rotating`.
        """
        body = json.dumps({"now": now}).encode()
        return self._ask("POST", ["webhooks", webhook, "rotate"], body=body)

    def remove_webhook(self, webhook: str) -> Reply:
        """Removes a subscriber and its secret. Asked again after a lost answer: unknown."""
        return self._ask("DELETE", ["webhooks", webhook])

    def test_webhook(self, webhook: str) -> Reply:
        """Sends a subscriber a notification of type `webhook.test`."""
        return self._ask("POST", ["webhooks", webhook, "test"])

    def health(self) -> Reply:
        """Whether the API's function answers."""
        return self._ask("GET", ["health"])

    def _ask(
        self,
        method: str,
        path: list[str],
        *,
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Reply:
        # A colon stays as it is: it is allowed in a path, and AWS signs it encoded once.
        url = self._config.api_url.rstrip("/") + "/" + "/".join(quote(s, safe=":") for s in path)
        if query:
            url += "?" + urlencode(query)
        attempt, last, trouble = 0, None, ""
        for attempt in self._retries.attempts():
            # Signed anew every time: a signature is of its time.
            request = signed(method, url, body, self._credentials(), self._config.region)
            try:
                answer = self._transport.send(request)
                status, found = answer.status_code, _body_of(answer)
            except (BotocoreConnectionError, HTTPClientError) as error:
                last, trouble = None, f"no answer from {self._config.api_url} ({error})"
                continue
            reply = reply_of(status, found, attempt)
            if not (isinstance(reply, Refused) and status in _WORTH_ASKING_AGAIN):
                return reply
            last, trouble = reply, f"{reply.reason}: {reply.title}"
        raise UnreachableError(trouble, attempts=attempt, last=last)


def _transport(config: Config, connections: int) -> Transport:
    proxies = {} if config.is_local else get_environ_proxies(config.api_url)
    return URLLib3Session(
        proxies=proxies,
        # The stubs know seconds only, and options as text; botocore itself passes these types.
        timeout=(CONNECT_SECONDS, READ_SECONDS),  # type: ignore[arg-type]
        max_pool_connections=connections,
        # Head and body are two sends: without this the second waits 40 ms for the first's ACK.
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],  # type: ignore[list-item]
    )


def _body_of(answer: AWSResponse) -> Body:
    """The JSON object in an answer; what is not one (a proxy's page) as its `message`."""
    content = answer.content[:ANSWER_BYTES_MAX]
    try:
        body = json.loads(content)
    except ValueError:
        return {"message": content[:200].decode("utf-8", "replace")}
    return body if isinstance(body, dict) else {"message": str(body)[:200]}
