"""A proxy before the engine that counts what clients ask of DynamoDB: requests and write units.

Write units are counted by DynamoDB's documented rules from what is sent (one for each KiB of an
item, two in a transaction; a check counts as one KiB), because engines report them differently, or
not at all. It costs time: what is timed does not go through it.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

_HOST: Final = "127.0.0.1"
_KIB: Final = 1024
_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_TARGET: Final = re.compile(rb"x-amz-target: *DynamoDB_20120810\.(\w+)", re.IGNORECASE)


class Counting:
    """Where the proxy listens, and what passed it."""

    def __init__(self, port: int) -> None:
        self.endpoint_url = f"http://{_HOST}:{port}"
        self._counted: Counter[str] = Counter()

    def saw(self, operation: str, body: bytes) -> None:
        """Takes note of a request."""
        self._counted[operation] += 1
        self._counted["write_units"] += units_of(operation, json.loads(body))

    def take(self) -> dict[str, int]:
        """Requests by operation, and write units, since the last time."""
        taken, self._counted = self._counted, Counter()
        return dict(taken)


@contextmanager
def counting(endpoint_url: str) -> Iterator[Counting]:
    """A proxy to that endpoint, in a thread of this process, until the block is left."""
    target = urlsplit(endpoint_url)
    assert target.hostname is not None
    assert target.port is not None
    loop = asyncio.new_event_loop()
    proxy = Counting(0)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = await asyncio.open_connection(target.hostname, target.port)
        try:
            while True:
                head, body = await _message(reader)
                operation = _TARGET.search(head)
                if operation:
                    proxy.saw(operation[1].decode(), body)
                upstream[1].write(head + body)
                answer, content = await _message(upstream[0])
                writer.write(answer + content)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()
            upstream[1].close()

    async def end() -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    server = loop.run_until_complete(asyncio.start_server(connected, _HOST, 0, limit=1 << 23))
    proxy.endpoint_url = f"http://{_HOST}:{server.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The head and the body of what comes next; both of a known length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return head, await reader.readexactly(int(length[1])) if length else b""


def units_of(operation: str, asked: dict[str, Any]) -> int:
    """The write units of a request."""
    if operation == "PutItem":
        return _units(asked["Item"])
    if operation == "BatchWriteItem":
        requests = [one for table in asked["RequestItems"].values() for one in table]
        return sum(_units(one["PutRequest"]["Item"]) for one in requests if "PutRequest" in one)
    if operation == "TransactWriteItems":
        actions = [next(iter(action.values())) for action in asked["TransactItems"]]
        return sum(2 * _units(action.get("Item", {})) for action in actions)
    return 1 if operation in {"UpdateItem", "DeleteItem"} else 0


def _units(item: dict[str, dict[str, Any]]) -> int:
    size = sum(len(name.encode()) + _bytes(value) for name, value in item.items())
    return max(1, -(-size // _KIB))


def _bytes(value: dict[str, Any]) -> int:
    """The size of an attribute, by the developer guide's "item sizes and formats"."""
    ((kind, content),) = value.items()
    if kind == "B":
        return len(content) * 3 // 4  # base64 in a request
    if kind == "N":
        return (len(str(content)) + 1) // 2 + 1
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _bytes(one) for name, one in content.items())
    if kind == "L":
        return 3 + sum(1 + _bytes(one) for one in content)
    if kind in {"BOOL", "NULL"}:
        return 1
    return len("".join(content).encode())
