"""The simulated DynamoDB: tables, and the operations on them that the ledger uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import Any, Final

from simulation.aws.calls import Operation, Request
from simulation.aws.dynamodb.expiry import Expiry
from simulation.aws.dynamodb.items import Item, Key
from simulation.aws.dynamodb.pages import Pages
from simulation.aws.dynamodb.reads import Reads
from simulation.aws.dynamodb.table import Change, Table
from simulation.aws.dynamodb.transactions import Transactions
from simulation.aws.dynamodb.writes import Writes
from simulation.aws.errors import ServiceError
from simulation.aws.streams import Stream
from simulation.faults.injector import Injector
from simulation.kernel.hub import Hub
from simulation.wiring.model import Table as Spec

Observer = Callable[[Sequence[Change]], object]
_TRANSACT: Final = "transact_write_items"
_TOKEN: Final = "ClientRequestToken"  # noqa: S105 - the name of a parameter


class DynamoDB:
    """DynamoDB with these tables. `observers` are called at the instant at which a write takes
    effect, with all that it changed."""

    name = "dynamodb"

    def __init__(
        self, hub: Hub, random: Random, injector: Injector, tables: Sequence[Spec]
    ) -> None:
        self.observers: list[Observer] = []
        self.streams: dict[str, Stream] = {}
        self._hub = hub
        self._random = random
        self._injector = injector
        self._tables: dict[str, Table] = {}
        self._expiries: dict[str, Expiry] = {}
        self._sent = 0
        for spec in tables:
            self.create(spec)
        reads = Reads(hub, random, injector, self._table)
        pages = Pages(hub, random, injector, self._table)
        writes = Writes(self._table, self._announce, random, injector)
        transactions = Transactions(hub, random, injector, self._table, self._announce)
        self._operations: dict[str, Operation] = {
            "batch_get_item": reads.batch_get_item,
            "batch_write_item": writes.batch_write_item,
            "delete_item": writes.delete_item,
            "get_item": reads.get_item,
            "put_item": writes.put_item,
            "query": pages.query,
            "scan": pages.scan,
            _TRANSACT: transactions.transact_write_items,
            "update_item": writes.update_item,
        }

    @property
    def operations(self) -> Mapping[str, Operation]:
        """See Service."""
        return self._operations

    def prepared(self, operation: str, request: Request) -> Request:
        """See Service. A transaction gets a token, which all tries of one call share."""
        if operation != _TRANSACT or _TOKEN in request:
            return request
        self._sent += 1
        return {**request, _TOKEN: f"call-{self._sent}"}

    def create(self, spec: Spec) -> None:
        """One more table, with nothing in it."""
        table = Table(self._hub, self._random, self._injector, spec)
        self._tables[spec.name] = table
        if spec.streamed:
            self.streams[spec.name] = Stream(
                self._hub, self._random, self._injector, spec.name, key_names=table.key_names
            )
        if spec.expires_by is not None:
            self._expiries[spec.name] = Expiry(self._hub, table, spec.expires_by, self._announce)

    def peek(self, table: str) -> Mapping[Key, Item]:
        """All items of a table as they are now. Nobody may change them."""
        return MappingProxyType(self._tables[table].items)

    def wipe(self, table: str) -> None:
        """All items of a table are lost, and no stream tells of it."""
        self._tables[table].clear()

    def load(self, table: str, items: Iterable[Mapping[str, Mapping[str, Any]]]) -> None:
        """Items come back under keys that are free, and no stream tells of it."""
        self._tables[table].load(items)

    def _table(self, name: str) -> Table:
        table = self._tables.get(name)
        if table is None:
            raise ServiceError("ResourceNotFoundException", f"Requested resource not found: {name}")
        return table

    def _announce(self, changes: Sequence[Change]) -> None:
        for observer in self.observers:
            observer(changes)
        streams, expiries = self.streams, self._expiries
        told: dict[str, list[Change]] = {}
        for change in changes:
            if change.table in streams:
                told.setdefault(change.table, []).append(change)
            if change.table in expiries:
                expiries[change.table].note(change)
        for name, of_table in told.items():
            streams[name].tell(of_table)
