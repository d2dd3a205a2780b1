"""The REST API, signed, over kept-alive connections, with bounded time-outs and retries."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final, Literal, Protocol, TypeGuard
from urllib.parse import quote, urlencode

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionError as BotocoreConnectionError
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from ledger.client.answers import Body, Refused, Reply, UnreachableError, reply_of
from ledger.client.bulk import goes_in_bulk, in_requests
from ledger.client.config import Config
from ledger.client.retries import Retries
from ledger.client.signing import CredentialsSource, credentials_source, signed
from ledger.contracts.commands import BaseCommand, bulk_of, encode_command
from ledger.contracts.routes import COMMAND_PATHS, INDEPENDENT_PATH

CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 31.0  # API Gateway itself gives up after 29 s
ANSWER_BYTES_MAX: Final = 10 * 1024 * 1024  # what API Gateway sends at most

_DRY_RUN: Final = {"dry_run": "true"}
_WORTH_ASKING_AGAIN: Final = frozenset({429, 500, 502, 503, 504})


Typed = tuple[str, bytes]
"""A command: its type, and its JSON."""


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

    def submit(self, command: BaseCommand, *, dry_run: bool = False) -> Reply:
        """POSTs a command to the route of its type; with `dry_run` only asks what it would do.

        Raises KeyError for a command of the ledger's own, which no client can send.
        """
        command_type = str(command.__struct_config__.tag)
        return self.send(command_type, encode_command(command), dry_run=dry_run)

    def send(self, command_type: str, body: bytes, *, dry_run: bool = False) -> Reply:
        """POSTs the JSON of a command of that type, whatever it is. Raises KeyError as `submit`."""
        query = _DRY_RUN if dry_run else None
        return self._ask("POST", [COMMAND_PATHS[command_type][1:]], body=body, query=query)

    def submit_each(self, commands: Sequence[BaseCommand]) -> list[Reply]:
        """POSTs any number of commands, as many in a request as it takes; see `send_each`."""
        return self.send_each(
            [(str(one.__struct_config__.tag), encode_command(one)) for one in commands]
        )

    def send_each(self, commands: Sequence[Typed]) -> list[Reply]:
        """POSTs the JSON of any number of commands, as many in a request as it takes; the reply to
        each, in their order. They are decided in that order, each by itself; behind one that could
        not be decided then, none is.

        What is undecided is sent again in its order: the first by itself, until it is decided, and
        only then those behind it. If a request as a whole is refused, none of it was decided: then
        that is the reply to each. What would not be answered in a request with others as it is by
        itself goes alone (`client.bulk`).
        """
        replies: list[Reply] = []
        for together, group in groupby(commands, key=lambda one: goes_in_bulk(*one)):
            if together:
                for request in in_requests(group, lambda one: one[1]):
                    replies += self._send_until_decided(request)
            else:
                replies += [self.send(*one) for one in group]
        return replies

    def _send_until_decided(self, commands: Sequence[Typed]) -> list[Reply]:
        replies = self._send_at_once(commands)
        while undecided := [
            place for place, reply in enumerate(replies) if _is_worth_asking_again(reply)
        ]:
            first, *behind = undecided
            replies[first] = self.send(*commands[first])
            if behind:
                again = self._send_at_once([commands[place] for place in behind])
                for place, reply in zip(behind, again, strict=True):
                    replies[place] = reply
        return replies

    def _send_at_once(self, commands: Sequence[Typed]) -> list[Reply]:
        if len(commands) == 1:
            return [self.send(*commands[0])]
        body = bulk_of(body for _, body in commands)
        answer = self._ask("POST", [INDEPENDENT_PATH[1:]], body=body)
        if isinstance(answer, Refused):
            return [answer] * len(commands)
        return [
            reply_of(one["status"], one["body"], answer.attempts) for one in answer.body["answers"]
        ]

    def payment(self, payment_id: str) -> Reply:
        """What was decided under a payment's id, and what became of it."""
        return self._ask("GET", ["payments", payment_id])

    def payments(self, query: Mapping[str, str]) -> Reply:
        """One page of the payments that `query` asks for, as projected."""
        return self._ask("GET", ["payments"], query=query)

    def account(self, account: str, query: Mapping[str, str] | None = None) -> Reply:
        """An account and its balances, as projected."""
        return self._ask("GET", ["accounts", account], query=query)

    def accounts(self, query: Mapping[str, str]) -> Reply:
        """One page of the accounts that `query` asks for, with what they come to, as projected."""
        return self._ask("GET", ["accounts"], query=query)

    def history(self, account: str, query: Mapping[str, str] | None = None) -> Reply:
        """One page of an account's history, newest first."""
        return self._ask("GET", ["accounts", account, "history"], query=query)

    def alerts(self, account: str) -> Reply:
        """The balance alerts that an account has now."""
        return self._ask("GET", ["accounts", account, "alerts"])

    def limits(self, account: str) -> Reply:
        """The constraints that an account has now, and what is used of its velocity limits."""
        return self._ask("GET", ["accounts", account, "limits"])

    def metadata(self, subject: Literal["account", "payment"], subject_id: str) -> Reply:
        """The metadata that an account or a payment has now."""
        return self._ask("GET", [f"{subject}s", subject_id, "metadata"])

    def template(self, template: str, query: Mapping[str, str] | None = None) -> Reply:
        """A template in its newest version, or the one that `query` names."""
        return self._ask("GET", ["templates", template], query=query)

    def book(self, book: str) -> Reply:
        """A book, and through which day it is closed."""
        return self._ask("GET", ["books", book])

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
            if not _is_worth_asking_again(reply):
                return reply
            last, trouble = reply, f"{reply.reason}: {reply.title}"
        raise UnreachableError(trouble, attempts=attempt, last=last)


def _is_worth_asking_again(reply: Reply) -> TypeGuard[Refused]:
    return isinstance(reply, Refused) and reply.status in _WORTH_ASKING_AGAIN


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
