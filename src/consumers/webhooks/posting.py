"""One HTTPS request to an endpoint that is not trusted: where to, for how long, and what of it.

`http.client` on a socket of our own rather than a client library: the host's name is resolved
once, every address it has is judged, and the very address judged is connected to, while TLS still
asks for the name's certificate. Nothing is left that would look the name up again (DNS rebinding),
follow a redirect, read a proxy from the environment, or wait longer in all than stated.
"""

from __future__ import annotations

import errno
import io
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from consumers.webhooks.addresses import Address
from consumers.webhooks.faults import AttemptError, Fault
from consumers.webhooks.settings import Trusted
from consumers.webhooks.urls import RefusedUrlError, Target, refusal_of, target_of
from ledger.contracts import reasons
from ledger.runtime.faults import StoreError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

#: For all of an attempt: looking up, connecting, TLS, sending, and the head of the answer. A
#: receiver that takes longer to say yes should say it before it works.
TOTAL_SECONDS: Final = 5.0
#: Of an answer's body nothing is used; this much is read so that an endpoint can finish writing.
ANSWER_BYTES_MAX: Final = 16 * 1024
#: All that is ever received of an answer, its head included: what http.client is told to read
#: bounds it for bodies that are well-formed only (a chunk of size -1 is read to its end).
RECEIVED_BYTES_MAX: Final = 64 * 1024 + ANSWER_BYTES_MAX
_USER_AGENT: Final = "ledger-webhooks/1"

Resolve = Callable[[str, int], Sequence[Address]]
"""The addresses of a host, at least one, the preferred first. Raises OSError."""


class Endpoints(Protocol):
    """Where deliveries go."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer, 2xx. Raises AttemptError for everything else."""


def addresses_of(host: str, port: int) -> Sequence[Address]:
    """The addresses of `host` by the system's resolver. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(ip_address(answer[4][0]) for answer in found))


class HttpEndpoints:
    """Endpoints on the internet, or in the `trusted` networks. Safe to share by threads."""

    def __init__(
        self,
        *,
        trusted: Trusted,
        resolve: Resolve = addresses_of,
        tls: ssl.SSLContext | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._trusted = trusted
        self._resolve = resolve
        self._tls = tls or ssl.create_default_context()
        self._total_seconds = total_seconds

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        deadline = time.monotonic() + self._total_seconds
        try:
            target = target_of(url)
        except RefusedUrlError:
            raise AttemptError(Fault.URL_REFUSED) from None
        bounded = _connected(target, self._judged(target), deadline)
        try:
            if target.scheme == "https":
                bounded.secure(self._tls, target.host)
            status, retry_after = _exchange(target, bounded, body, headers)
        finally:
            bounded.close()
        return _judged_status(status, retry_after)

    def _judged(self, target: Target) -> Sequence[Address]:
        """The addresses of the target, all of which may be connected to."""
        try:
            addresses = self._resolve(target.host, target.port)
        except (OSError, UnicodeError):  # UnicodeError: a label that is empty or too long
            raise AttemptError(Fault.NAME_NOT_RESOLVED) from None
        try:
            refusal = refusal_of(target, addresses, self._trusted)
        except StoreError:
            raise AttemptError(Fault.NETWORKS_UNAVAILABLE) from None
        if refusal is reasons.WEBHOOK_ADDRESS_REFUSED:
            raise AttemptError(Fault.ADDRESS_REFUSED)
        if refusal is not None:
            raise AttemptError(Fault.URL_REFUSED)
        return addresses


class _Bounded:
    """A socket whose every operation ends by `deadline`: a time-out of its own bounds only one, so
    that an answer of a byte a second would never end. It receives RECEIVED_BYTES_MAX in all. What
    http.client needs of a socket."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._socket = connection
        self._deadline = deadline
        self._to_receive = RECEIVED_BYTES_MAX

    def secure(self, context: ssl.SSLContext, name: str) -> None:
        """Speak TLS from now on, with who has a certificate of that name. Raises AttemptError."""
        try:
            self._arm()
            self._socket = context.wrap_socket(self._socket, server_hostname=name)
        except TimeoutError:
            raise AttemptError(Fault.TIMED_OUT) from None
        except (OSError, ValueError):  # SSLError among them; ValueError: no name TLS can ask for
            raise AttemptError(Fault.TLS_FAILED) from None

    def sendall(self, data: ReadableBuffer) -> None:
        self._arm()
        self._socket.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reading(self._receive_into))

    def close(self) -> None:
        self._socket.close()

    def _receive_into(self, buffer: WriteableBuffer) -> int:
        if not self._to_receive:
            raise OSError(errno.EMSGSIZE, "the answer is too long")  # no end: a head would pass
        self._arm()
        received = self._socket.recv_into(memoryview(buffer)[: self._to_receive])
        self._to_receive -= received
        return received

    def _arm(self) -> None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self._socket.settimeout(remaining)


class _Reading(io.RawIOBase):
    """What a buffered reader reads from."""

    def __init__(self, receive_into: Callable[[WriteableBuffer], int]) -> None:
        self._receive_into = receive_into

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        return self._receive_into(buffer)


def _connected(target: Target, addresses: Sequence[Address], deadline: float) -> _Bounded:
    for address in addresses:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            break
        try:
            connection = socket.create_connection((str(address), target.port), remaining)
        except TimeoutError:
            break
        except OSError:
            continue
        # Head and body are two sends: without this the second waits for the first's ACK.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _Bounded(connection, deadline)
    timed_out = time.monotonic() >= deadline
    raise AttemptError(Fault.TIMED_OUT if timed_out else Fault.NOT_CONNECTED)


def _exchange(
    target: Target, bounded: _Bounded, body: bytes, headers: Mapping[str, str]
) -> tuple[int, str]:
    """The status and `Retry-After` of the answer. Raises AttemptError."""
    connection = HTTPConnection(target.host, target.port)
    connection.sock = cast("Any", bounded)  # it uses no more of a socket than that has
    sent = {
        **headers,
        "Host": target.authority,
        "User-Agent": _USER_AGENT,
        "Content-Type": "application/json",
        "Connection": "close",
    }
    try:
        connection.request("POST", target.path, body, sent)
        answer = connection.getresponse()
        status, retry_after = answer.status, answer.getheader("retry-after") or ""
    except TimeoutError:
        raise AttemptError(Fault.TIMED_OUT) from None
    except (OSError, HTTPException):
        raise AttemptError(Fault.NO_ANSWER) from None
    _read_a_little(answer)
    return status, retry_after


def _read_a_little(answer: Any) -> None:
    """Let the endpoint finish writing: the status is what counts, and it is known."""
    # Whatever is raised: a chunk's size below -1 is a ValueError, one beyond 64 bits another, and
    # what was taken must not be sent again.
    with suppress(Exception):
        answer.read(ANSWER_BYTES_MAX)


def _judged_status(status: int, retry_after: str) -> int:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return status
    if status < HTTPStatus.BAD_REQUEST:
        fault = Fault.REDIRECTED
    elif status == HTTPStatus.GONE:
        fault = Fault.GONE
    elif status < HTTPStatus.INTERNAL_SERVER_ERROR:
        fault = Fault.REFUSED
    else:
        fault = Fault.FAILED
    raise AttemptError(fault, status=status, retry_after=retry_after)
