"""A DynamoDB that does nothing: it answers what is right, at once, and keeps nothing.

Against it a client's own work can be measured: what is left of a call is the SDK, what the ledger
does, and a loopback connection. A state that is asked for is there, at the version and with the
totals that `Canned` gives every account; a transaction is always done. Answers are as DynamoDB's to
the byte where the SDK looks: JSON 1.0, the CRC that it checks, the units consumed.

It runs in a process of its own, so that its CPU time is nobody else's.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.request import urlopen
from zlib import crc32

from bench.counting import units_of

_HOST: Final = "127.0.0.1"
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_TARGET: Final = re.compile(rb"x-amz-target: *DynamoDB_20120810\.(\w+)", re.IGNORECASE)
_TALLY: Final = b"GET /tally"


@dataclass(frozen=True, slots=True)
class Loopback:
    """Where the server listens."""

    endpoint_url: str

    def tally(self) -> dict[str, int]:
        """What it was asked since it was last asked for this: requests by operation, bytes,
        write units by DynamoDB's rules."""
        with urlopen(f"{self.endpoint_url}/tally") as answer:  # noqa: S310 - our own address
            counted: dict[str, int] = json.load(answer)
            return counted


@contextmanager
def loopback(state: dict[str, Any]) -> Iterator[Loopback]:
    """The server, until the block is left. `state` is the item that every key has, but for its
    key."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.loopback", json.dumps(state)], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield Loopback(f"http://{_HOST}:{port}")
    finally:
        process.terminate()
        process.wait()


class _Server:
    """What is answered, and what was asked."""

    def __init__(self, state: dict[str, Any]) -> None:
        self._state = state
        self._counted: dict[str, int] = {}

    def answer(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(_TALLY):
            counted, self._counted = self._counted, {}
            return _response(json.dumps(counted).encode())
        found = _TARGET.search(head)
        assert found is not None, head
        operation = found[1].decode()
        self._count(operation, 1)
        self._count("bytes", len(body))
        asked = json.loads(body)
        if operation == "BatchGetItem":
            answered = self._read(asked)
        elif operation == "TransactWriteItems":
            answered = self._written(asked)
        else:
            answered = {}
        return _response(json.dumps(answered, separators=(",", ":")).encode())

    def _read(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = {
            table: [{**self._state, **key} for key in wanted["Keys"]]
            for table, wanted in asked["RequestItems"].items()
        }
        return {"Responses": found, "UnprocessedKeys": {}}

    def _written(self, asked: dict[str, Any]) -> dict[str, Any]:
        units: dict[str, float] = {}
        for action in asked["TransactItems"]:
            ((_, request),) = action.items()
            table = request["TableName"]
            of_action = units_of("TransactWriteItems", {"TransactItems": [action]})
            units[table] = units.get(table, 0.0) + of_action
        self._count("write_units", round(sum(units.values())))
        if asked.get("ReturnConsumedCapacity", "NONE") == "NONE":
            return {}
        return {
            "ConsumedCapacity": [
                {"CapacityUnits": used, "TableName": table, "WriteCapacityUnits": used}
                for table, used in units.items()
            ]
        }

    def _count(self, name: str, number: int) -> None:
        self._counted[name] = self._counted.get(name, 0) + number


def _response(body: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nServer: Server\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\n"
        b"Content-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n"
        b"Connection: keep-alive\r\n"
        b"x-amzn-RequestId: 7QJ4VNHMBIGT1IG2KBSJLCQ5KVVV4KQNSO5AEMVJF66Q9ASUAAJG\r\n"
        b"x-amz-crc32: %d\r\n\r\n%s" % (len(body), crc32(body), body)
    )


async def _serve(state: dict[str, Any]) -> None:
    server = _Server(state)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1])) if length else b""
                writer.write(server.answer(head, body))
        except asyncio.IncompleteReadError:
            writer.close()

    listening = await asyncio.start_server(connected, _HOST, 0, limit=1 << 22)
    sys.stdout.write(f"{listening.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(json.loads(sys.argv[1])))
