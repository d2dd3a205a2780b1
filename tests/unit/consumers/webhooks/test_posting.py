"""The one HTTPS request: against endpoints that are well, slow, odd, or not what they seem."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from consumers.webhooks import posting
from consumers.webhooks.addresses import Address, Network
from consumers.webhooks.faults import PERMANENT, AttemptError, Fault
from consumers.webhooks.posting import RECEIVED_BYTES_MAX, HttpEndpoints, addresses_of
from ledger.runtime.faults import StoreError
from sandbox.certificate import make_certificate

LOOPBACK = (ip_network("127.0.0.0/8"),)
QUICK_SECONDS = 0.4
SLACK_SECONDS = 2.0  # for a machine that is busy testing

Talk = Callable[[socket.socket], None]


class Server:
    """Accepts connections on loopback and lets `talk` speak on each; remembers what came in."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.requests: list[bytes] = []
        self.accepted = 0
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks?of=shop"

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)  # else the accept that waits takes one more
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with connection:
            try:
                self.requests.append(read_request(connection))
                self._talk(connection)
            except OSError:
                return


def read_request(connection: socket.socket) -> bytes:
    """A request with its body; what comes if it is none."""
    read = b""
    while b"\r\n\r\n" not in read:
        more = connection.recv(65536)
        if not more:
            return read
        read += more
    head, _, body = read.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-l" in line),
        0,
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def saying(text: str) -> Talk:
    """Answers with `text`, and closes."""
    return lambda connection: connection.sendall(text.encode())


def answering(status: int, *headers: str, body: str = "") -> Talk:
    """Answers with a status, headers and a body."""
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers]
    return saying("\r\n".join(lines) + "\r\n\r\n" + body)


@contextmanager
def serving(talk: Talk) -> Iterator[Server]:
    """A server until the block is left."""
    server = Server(talk)
    try:
        yield server
    finally:
        server.close()


class CountingSocket(socket.socket):
    """Counts what is received on it."""

    received = 0

    def recv_into(self, *arguments: Any) -> int:
        count = super().recv_into(*arguments)
        self.received += count
        return count


def post(url: str, **options: object) -> int:
    """Delivers something from inside this machine, in little time."""
    settings = {"trusted": lambda: LOOPBACK, "total_seconds": QUICK_SECONDS * 10, **options}
    return HttpEndpoints(**settings).post(  # type: ignore[arg-type]
        url, b'{"a":1}', {"webhook-id": "msg_1"}
    )


def fault_of(url: str, **options: object) -> AttemptError:
    """Why the delivery failed."""
    with pytest.raises(AttemptError) as raised:
        post(url, **options)
    return raised.value


def no_networks() -> Sequence[Network]:
    """Trusts nothing but what is public."""
    return ()


def at(*addresses: str) -> Callable[[str, int], Sequence[Address]]:
    """A resolver that knows every name by these addresses."""
    return lambda _host, _port: [ip_address(address) for address in addresses]


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_a_success_is_any_2xx(status: int) -> None:
    """One request, with the body and headers given, to the URL's path and query."""
    with serving(answering(status)) as server:
        assert post(server.url) == status
        [request] = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /hooks?of=shop HTTP/1.1"
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    assert headers["host"] == f"127.0.0.1:{server.port}"
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == "msg_1"
    assert body == b'{"a":1}'


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (300, Fault.REDIRECTED),
        (304, Fault.REDIRECTED),
        (400, Fault.REFUSED),
        (404, Fault.REFUSED),
        (410, Fault.GONE),
        (429, Fault.REFUSED),
        (500, Fault.FAILED),
        (503, Fault.FAILED),
    ],
)
def test_anything_else_is_a_fault_with_its_status(status: int, fault: Fault) -> None:
    """And with what the endpoint says of when to come again."""
    with serving(answering(status, "Retry-After: 120")) as server:
        error = fault_of(server.url)
    assert (error.fault, error.status, error.retry_after) == (fault, status, "120")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """Where it leads is never asked: a public endpoint could lead inside."""
    with (
        serving(answering(200)) as inside,
        serving(answering(status, f"Location: {inside.url}")) as server,
    ):
        assert fault_of(server.url).fault is Fault.REDIRECTED
        assert inside.accepted == 0


def test_an_endpoint_that_never_answers_is_left_in_time() -> None:
    """After the whole attempt's time and no later, and it was sent one request."""
    with serving(lambda _: time.sleep(30)) as server:
        started = time.monotonic()
        assert fault_of(server.url, total_seconds=QUICK_SECONDS).fault is Fault.TIMED_OUT
        assert time.monotonic() - started < QUICK_SECONDS + SLACK_SECONDS
        assert len(server.requests) == 1


def test_an_endpoint_that_answers_a_byte_at_a_time_is_left_in_time() -> None:
    """Each byte comes within any time-out of its own: only the whole is bounded."""

    def drip(connection: socket.socket) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1000:
            connection.sendall(bytes([byte]))
            time.sleep(QUICK_SECONDS / 20)

    with serving(drip) as server:
        started = time.monotonic()
        assert fault_of(server.url, total_seconds=QUICK_SECONDS).fault is Fault.TIMED_OUT
        assert time.monotonic() - started < QUICK_SECONDS + SLACK_SECONDS


def test_a_sign_of_life_does_not_begin_the_time_anew() -> None:
    """A byte just before the end, and silence after it: the end stays where it was."""
    total = 5 * QUICK_SECONDS

    def sigh(connection: socket.socket) -> None:
        time.sleep(0.8 * total)
        connection.sendall(b"H")
        time.sleep(30)

    with serving(sigh) as server:
        started = time.monotonic()
        assert fault_of(server.url, total_seconds=total).fault is Fault.TIMED_OUT
        assert time.monotonic() - started < 1.5 * total


def test_an_answer_that_is_late_is_not_asked_for_twice() -> None:
    """Within its time it counts; nothing is sent again while it is waited for."""

    def late(connection: socket.socket) -> None:
        time.sleep(QUICK_SECONDS)
        answering(202)(connection)

    with serving(late) as server:
        assert post(server.url) == 202
        assert (server.accepted, len(server.requests)) == (1, 1)


def test_a_status_counts_whatever_its_body_does() -> None:
    """Endless, slow or cut off: the endpoint has said yes."""

    def endless(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    def slow(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx")
        time.sleep(30)

    cut = answering(200, "content-length: 99")
    for talk in (endless, slow, cut):
        with serving(talk) as server:
            started = time.monotonic()
            assert post(server.url, total_seconds=QUICK_SECONDS) == 200
            assert time.monotonic() - started < QUICK_SECONDS + SLACK_SECONDS


@pytest.mark.parametrize(
    "head",
    [
        "",
        "content-length: 999999999\r\n",
        "transfer-encoding: chunked\r\n\r\n-1",
        "transfer-encoding: chunked\r\n\r\n-5",
        f"transfer-encoding: chunked\r\n\r\n-{'f' * 30}",
        f"transfer-encoding: chunked\r\n\r\n{'f' * 30}",
        "transfer-encoding: chunked\r\n\r\nno size",
        "transfer-encoding: chunked\r\n\r\n0\r\na: b",  # and trailers without end
    ],
)
def test_of_an_answer_a_bounded_part_is_read(head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless body does not end up in memory, whatever it is said to be: what is received is
    counted. It was answered 2xx, so it is delivered."""
    sockets: list[CountingSocket] = []

    def connected(*arguments: Any) -> socket.socket:
        sockets.append(CountingSocket(fileno=connect(*arguments).detach()))
        return sockets[-1]

    def endless(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\n{head}\r\n".encode())
        while True:
            connection.sendall(b"x: y\r\n" * 10_000)

    connect = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", connected)
    with serving(endless) as server:
        assert post(server.url) == 200
    [counting] = sockets
    assert 0 < counting.received <= RECEIVED_BYTES_MAX


def test_a_head_that_is_cut_at_the_bound_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not read to its end is not taken for one that ended there."""
    monkeypatch.setattr(posting, "RECEIVED_BYTES_MAX", 100)
    with serving(answering(200, f"x: {'y' * 200}")) as server:
        assert fault_of(server.url).fault is Fault.NO_ANSWER


@pytest.mark.parametrize(
    "text", ["", "SSH-2.0-OpenSSH_9.6\r\n", "HTTP/1.1 abc\r\n\r\n", "\x00" * 99]
)
def test_what_is_no_http_is_no_answer(text: str) -> None:
    """A closed connection and other protocols alike."""
    with serving(saying(text)) as server:
        assert fault_of(server.url).fault is Fault.NO_ANSWER


def test_heads_without_end_are_no_answer() -> None:
    """Neither a line nor their number is read without bound."""
    for head in ("HTTP/1.1 200 OK\r\n" + "x" * 100_000, "HTTP/1.1 200 OK\r\n" + "a: b\r\n" * 1000):
        with serving(saying(head)) as server:
            assert fault_of(server.url).fault is Fault.NO_ANSWER


def test_nobody_at_the_address_is_said_so() -> None:
    """Refused connections are not time-outs."""
    with serving(answering(200)) as server:
        pass
    assert fault_of(server.url).fault is Fault.NOT_CONNECTED


def test_the_next_address_is_tried_where_nobody_answers() -> None:
    """A name with several addresses needs one that works."""
    with serving(answering(200)) as server:
        url = f"http://shop.example:{server.port}/"
        assert post(url, resolve=at("127.0.0.9", "127.0.0.1")) == 200


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["::ffff:127.0.0.1"],
        ["fd00:ec2::254"],
        ["93.184.216.34", "10.0.0.1"],
        ["10.0.0.1", "93.184.216.34"],
    ],
)
def test_a_name_that_leads_inside_is_never_connected_to(addresses: list[str]) -> None:
    """One such address among others is enough, https or not: nothing is sent anywhere."""
    with serving(answering(200)) as server:
        for scheme in ("https", "http"):
            error = fault_of(
                f"{scheme}://shop.example:{server.port}/",
                trusted=no_networks,
                resolve=at(*addresses),
            )
            assert error.fault is Fault.ADDRESS_REFUSED
        assert server.accepted == 0


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::1]"]
)
def test_addresses_in_the_url_are_judged_like_names(host: str) -> None:
    """In whatever spelling the system's resolver takes them."""
    error = fault_of(f"https://{host}:9999/", trusted=no_networks)
    assert error.fault in {Fault.ADDRESS_REFUSED, Fault.NAME_NOT_RESOLVED}


def test_the_address_that_was_judged_is_the_one_connected_to() -> None:
    """A name that leads elsewhere when asked again (DNS rebinding) is not asked again."""
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> Sequence[Address]:
        asked.append(host)
        return [ip_address("127.0.0.1" if len(asked) == 1 else "10.0.0.1")]

    with serving(answering(200)) as server:
        assert post(f"http://shop.example:{server.port}/", resolve=rebinding) == 200
        assert asked == ["shop.example"]
        assert b"shop.example" in server.requests[0]


def test_plain_http_is_for_trusted_networks_only() -> None:
    """A public address gets https or nothing."""
    assert fault_of("http://shop.example/", resolve=at("93.184.216.34")).fault is Fault.URL_REFUSED


def test_trust_is_asked_for_only_where_it_matters() -> None:
    """What is public is sent to though the trusted networks cannot be read; what is not, waits for
    them and is not refused for good."""

    def unavailable() -> Sequence[Network]:
        raise StoreError("ThrottlingException")

    with serving(answering(200)) as server:
        inside = fault_of(server.url, trusted=unavailable)
    assert inside.fault is Fault.NETWORKS_UNAVAILABLE
    assert inside.fault not in PERMANENT
    url = "https://shop.example/"
    public = fault_of(url, trusted=unavailable, resolve=at("93.184.216.34"), total_seconds=-1.0)
    assert public.fault is Fault.TIMED_OUT  # past the judge


def test_a_name_that_nobody_knows_is_said_so() -> None:
    """Whatever way the resolver says it: an error of the system, or of the name's form."""

    def unknown(_host: str, _port: int) -> Sequence[Address]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    assert fault_of("https://shop.example/", resolve=unknown).fault is Fault.NAME_NOT_RESOLVED
    assert fault_of(f"https://{'a' * 70}.example/").fault is Fault.NAME_NOT_RESOLVED


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would connect to whatever it is asked for, behind the judge's back."""
    with serving(answering(502)) as proxy, serving(answering(200)) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            monkeypatch.setenv(name.upper(), f"http://127.0.0.1:{proxy.port}")
        assert post(server.url) == 200
        assert proxy.accepted == 0


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[tuple[Server, ssl.SSLContext, list[str | None]]]:
    """An https server with a certificate for 127.0.0.1, a context that trusts it, and the names
    that it was asked for."""
    files = make_certificate(tmp_path)
    serving_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving_context.load_cert_chain(files.certificate, files.key)
    names: list[str | None] = []
    serving_context.sni_callback = lambda _socket, name, _context: names.append(name)

    class TlsServer(Server):
        def _one(self, connection: socket.socket) -> None:
            try:
                super()._one(serving_context.wrap_socket(connection, server_side=True))
            except OSError:
                connection.close()

    server = TlsServer(answering(200))
    trusting = ssl.create_default_context(cafile=str(files.certificate))
    yield server, trusting, names
    server.close()


def test_tls_is_verified_for_the_name_in_the_url(
    tls_server: tuple[Server, ssl.SSLContext, list[str | None]],
) -> None:
    """The right name with a trusted certificate passes; another name at the same address, which the
    server is asked for, does not, nor does a certificate that nobody trusts."""
    server, trusting, names = tls_server
    assert post(f"https://127.0.0.1:{server.port}/", tls=trusting) == 200
    other = f"https://shop.example:{server.port}/"
    assert fault_of(other, tls=trusting, resolve=at("127.0.0.1")).fault is Fault.TLS_FAILED
    assert names[-1] == "shop.example"
    assert fault_of(f"https://127.0.0.1:{server.port}/").fault is Fault.TLS_FAILED
    assert [b"msg_1" in request for request in server.requests] == [True]


def test_what_speaks_no_tls_gets_nothing() -> None:
    """Neither who answers at once in plain text, nor who says nothing."""
    with serving(answering(200)) as plain:
        url = plain.url.replace("http:", "https:")
        error = fault_of(url, total_seconds=QUICK_SECONDS)
        assert error.fault in {Fault.TLS_FAILED, Fault.TIMED_OUT}
        assert not any(b"msg_1" in request for request in plain.requests)


def test_the_systems_resolver_gives_addresses() -> None:
    """Each once, as the judge wants them."""
    found = addresses_of("127.0.0.1", 443)
    assert found == (ip_address("127.0.0.1"),)
