"""Writes of one item, and batches of them, which are no transactions."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from random import Random
from typing import Any, Final

from simulation.aws.calls import Answer, Doing, Request
from simulation.aws.dynamodb.actions import (
    Action,
    Prepare,
    prepared_delete,
    prepared_put,
    prepared_update,
)
from simulation.aws.dynamodb.errors import condition_failed, conflict
from simulation.aws.dynamodb.items import invalid
from simulation.aws.dynamodb.requests import refuse_unknown
from simulation.aws.dynamodb.table import Change, Table
from simulation.aws.dynamodb.throttles import Throttles
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.hub import MILLISECOND

BATCH_MAX: Final = 25
Announce = Callable[[Sequence[Change]], None]


class Writes:
    """The operations that write outside of transactions."""

    def __init__(
        self,
        tables: Callable[[str], Table],
        announce: Announce,
        random: Random,
        injector: Injector,
    ) -> None:
        self._tables = tables
        self._announce = announce
        self._random = random
        self._injector = injector
        self._throttles = Throttles(injector)

    def put_item(self, request: Request) -> Answer:
        """See AWS."""
        return self._write("put_item", request, prepared_put)

    def update_item(self, request: Request) -> Answer:
        """See AWS."""
        return self._write("update_item", request, prepared_update)

    def delete_item(self, request: Request) -> Answer:
        """See AWS."""
        return self._write("delete_item", request, prepared_delete)

    def batch_write_item(self, request: Request) -> Doing:
        """See AWS. The items are written one after the other, in two instants."""
        refuse_unknown("batch_write_item", request)
        pairs = self._of_batch(request["RequestItems"])
        for table in dict.fromkeys(action.table.name for action, _ in pairs):
            self._throttles.pass_(table, "batch_write_item")
        left: dict[str, list[Any]] = {}
        split = self._random.randrange(len(pairs)) if len(pairs) > 1 else 0
        for place, (action, original) in enumerate(pairs):
            if place and place == split:
                yield from self._moment()
            name = action.table.name
            if action.key in action.table.locked or (
                self._injector.strikes(Fault.ITEMS_UNPROCESSED, name, *action.key)
            ):
                left.setdefault(name, []).append(original)
            else:
                self._announce((action.apply(),))
        return {"UnprocessedItems": left}

    def _write(self, operation: str, request: Request, prepare: Prepare) -> Answer:
        refuse_unknown(operation, request)
        table = self._tables(request["TableName"])
        action = prepare(table, request)
        self._throttles.pass_(table.name, operation, *action.key)
        if action.key in table.locked:
            self._injector.note(Fault.TRANSACTION_CONFLICT, table.name, *action.key)
            raise conflict()
        if not action.holds():
            raise condition_failed(action.met())
        self._announce((action.apply(),))
        return {}

    def _of_batch(self, asked: dict[str, list[Any]]) -> list[tuple[Action, Any]]:
        """The actions of a batch, each with its request. Raises ServiceError."""
        count = sum(map(len, asked.values()))
        if not 0 < count <= BATCH_MAX:
            raise invalid(f"A batch has 1 to {BATCH_MAX} requests")
        pairs = [(self._of_entry(name, entry), entry) for name in asked for entry in asked[name]]
        if len({(action.table.name, action.key) for action, _ in pairs}) != count:
            raise invalid("Provided list of item keys contains duplicates")
        return pairs

    def _of_entry(self, name: str, entry: dict[str, Any]) -> Action:
        table = self._tables(name)
        for kind, request in entry.items():
            if kind == "PutRequest":
                return prepared_put(table, request)
            if kind == "DeleteRequest":
                return prepared_delete(table, request)
        raise invalid("A request of a batch puts or deletes")

    def _moment(self) -> Generator[int, None, None]:
        yield 1 + int(self._random.random() * 3 * MILLISECOND)
