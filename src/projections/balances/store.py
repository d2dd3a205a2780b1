"""Where balances are kept: the port, and its DynamoDB adapter.

An item per account, pk = account id (see `generations.keys`). Its totals are versioned by
`version`, its profile by `profile_version`. Metadata, which may be large, lie in an item beside it,
`<account id>#metadata`, so that no payment rewrites them; and so do the totals of each further
stripe of a striped account, `<account id>#<stripe>`, so that stripes are written independently.

The index of paths has every account that has totals. It has keys only: as no payment changes
these, none writes to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from msgspec import UNSET

from ledger.runtime.faults import AWS_ERRORS, BrokenItemError, StoreError, code_of
from ledger.runtime.items import Item, values_of
from projections.balances.apply import Account, Metadata, Profile, Totals, lanes_of
from projections.balances.paths import bounds_under, root_of
from projections.generations.keys import FIRST, partition_of, place_of
from projections.generations.table import GenerationsTable
from projections.items import Part, read_items, write_parts
from projections.lanes import stripe_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class BalancesStore(Protocol):
    """Keeps the newest totals, profile and metadata of every account.

    Every method may raise StoreError. Reads see every acknowledged write, but those of `under`; of
    a striped account its stripes are read one after the other.
    """

    def write(self, totals: Totals, profile: Profile | None = None) -> int:
        """Replace the totals of an account, or of a stripe of it, and its profile if one is given
        (with those of the first stripe), by newer ones; how many of these were newer than what is
        there."""

    def write_metadata(self, metadata: Metadata) -> bool:
        """Replace metadata by newer ones. False: the same or newer ones are there already."""

    def account(self, account: str) -> Account | None:
        """An account; None before its first totals."""

    def some(self, accounts: Sequence[str]) -> Mapping[str, Account]:
        """Those of `accounts`, each named once, that have totals."""

    def metadata(self, accounts: Sequence[str]) -> Mapping[str, Metadata]:
        """The metadata of those of `accounts`, each named once, that were ever given any."""

    def under(self, path: str, above: str, limit: int) -> tuple[str, ...]:
        """The ids of accounts under a path of two segments or more, above the id `above`, in text
        order: `limit` of them, or fewer if there are no more. What was written within the last
        second or so may be missing."""

    def accounts(self) -> Iterator[Account]:
        """Every account that has totals, in any order; what is written meanwhile may be missed."""

    def all_metadata(self) -> Iterator[Metadata]:
        """The metadata of every account that was ever given any, likewise."""


#: The index of paths, its partition and its sort key.
PATHS_INDEX: Final = "by_path"
_ROOT: Final = "root"
_ACCOUNT: Final = "account"
_KEY: Final = "pk"
_METADATA: Final = "#metadata"  # behind the id in the key; no id has such a character


class DynamoBalancesStore:
    """One generation of the balances in a DynamoDB table with the key `pk`."""

    def __init__(self, client: DynamoDBClient, table: str, generation: int = FIRST) -> None:
        self._client = client
        self._table = table
        self._generation = generation

    def write(self, totals: Totals, profile: Profile | None = None) -> int:
        fields = msgspec.to_builtins(totals)
        if not totals.stripe:
            fields[_ROOT] = partition_of(root_of(totals.account), self._generation)
        parts = [Part("version", fields)]
        if profile is not None:
            fields = dict.fromkeys(Profile.__struct_fields__, UNSET) | msgspec.to_builtins(profile)
            parts.append(Part("profile_version", fields))
        return write_parts(self._client, self._table, self._key(totals.lane), parts)

    def write_metadata(self, metadata: Metadata) -> bool:
        key = self._key(metadata.account + _METADATA)
        fields = {
            "metadata_version": metadata.metadata_version,
            "metadata": metadata.metadata,
        }
        part = Part("metadata_version", fields)
        return write_parts(self._client, self._table, key, [part]) == 1

    def account(self, account: str) -> Account | None:
        try:
            # Consistent: two reads one after the other must never show a version going backwards.
            answer = self._client.get_item(
                TableName=self._table, Key=self._key(account), ConsistentRead=True
            )
        except AWS_ERRORS as error:
            raise StoreError(code_of(error)) from error
        found = _account_of(account, answer["Item"]) if "Item" in answer else None
        return None if found is None else self._with_stripes([found])[account]

    def some(self, accounts: Sequence[str]) -> Mapping[str, Account]:
        found = (_account_of(name, item) for name, item in self._items(accounts))
        return self._with_stripes([account for account in found if account is not None])

    def metadata(self, accounts: Sequence[str]) -> Mapping[str, Metadata]:
        items = self._items([account + _METADATA for account in accounts])
        found = (_metadata_of(name.removesuffix(_METADATA), item) for name, item in items)
        return {metadata.account: metadata for metadata in found}

    def under(self, path: str, above: str, limit: int) -> tuple[str, ...]:
        low, high = bounds_under(path, above)
        accounts: list[str] = []
        start: dict[str, Any] = {}
        while low <= high and len(accounts) < limit:  # one turn for each MB of keys
            try:
                answer = self._client.query(
                    TableName=self._table,
                    IndexName=PATHS_INDEX,
                    KeyConditionExpression="#root = :root AND #account BETWEEN :low AND :high",
                    ExpressionAttributeNames={"#root": _ROOT, "#account": _ACCOUNT},
                    ExpressionAttributeValues={
                        ":root": {"S": partition_of(root_of(path), self._generation)},
                        ":low": {"S": low},
                        ":high": {"S": high},
                    },
                    Limit=limit - len(accounts),
                    **start,
                )
            except AWS_ERRORS as error:
                raise StoreError(code_of(error)) from error
            accounts += [item[_ACCOUNT]["S"] for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return tuple(accounts)

    def accounts(self) -> Iterator[Account]:
        striped: dict[str, Account] = {}
        stripes: dict[str, list[Totals]] = {}
        for name, item in self._scanned():
            if name.endswith(_METADATA):
                continue
            if stripe_of(name)[1]:
                totals = _totals_of(name, item)
                stripes.setdefault(totals.account, []).append(totals)
                continue
            account = _account_of(name, item)
            if account is not None and account.profile is not None and account.profile.width > 1:
                striped[name] = account
            elif account is not None:
                yield account
        for name, account in striped.items():
            yield _joined(account, stripes.get(name, []))

    def all_metadata(self) -> Iterator[Metadata]:
        for name, item in self._scanned():
            if name.endswith(_METADATA):
                yield _metadata_of(name.removesuffix(_METADATA), item)

    def _with_stripes(self, found: Sequence[Account]) -> dict[str, Account]:
        """The accounts by id, with the totals of all stripes of those that are striped."""
        lanes = [lane for one in found for lane in lanes_of(one.id, one.profile)]
        stripes: dict[str, list[Totals]] = {}
        for name, item in self._items(lanes):
            totals = _totals_of(name, item)
            stripes.setdefault(totals.account, []).append(totals)
        return {one.id: _joined(one, stripes.get(one.id, [])) for one in found}

    def _scanned(self) -> Iterator[tuple[str, Mapping[str, Mapping[str, Any]]]]:
        for item in generations(self._client, self._table).scanned(self._generation):
            yield item[_KEY]["S"], item

    def _items(self, names: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Mapping[str, Any]]]]:
        """The items that are there of these names: ids, lanes, or what leads to metadata."""
        for item in read_items(self._client, self._table, [self._key(name) for name in names]):
            place = place_of(item[_KEY]["S"])
            assert place is not None  # it was asked for by its key
            yield place[1], item

    def _key(self, name: str) -> Item:
        return {_KEY: {"S": partition_of(name, self._generation)}}


def generations(client: DynamoDBClient, table: str) -> GenerationsTable:
    """The generations of the balances in a table."""
    return GenerationsTable(client, table, sorted_rows=False)


def _account_of(account: str, item: Mapping[str, Mapping[str, Any]]) -> Account | None:
    values = values_of(item) | {_ACCOUNT: account}
    if "version" not in values:
        return None  # only its profile has arrived
    try:
        return Account(
            totals=msgspec.convert(values, Totals),
            profile=msgspec.convert(values, Profile) if "profile_version" in values else None,
        )
    except msgspec.ValidationError as error:
        raise BrokenItemError("an item of the balances table is not an account") from error


def _totals_of(lane: str, item: Mapping[str, Mapping[str, Any]]) -> Totals:
    account, stripe = stripe_of(lane)
    try:
        return msgspec.convert(values_of(item) | {_ACCOUNT: account, "stripe": stripe}, Totals)
    except msgspec.ValidationError as error:
        raise BrokenItemError("an item of the balances table is no stripe") from error


def _joined(account: Account, stripes: Sequence[Totals]) -> Account:
    ordered = sorted(stripes, key=lambda one: one.stripe)
    return msgspec.structs.replace(account, others=tuple(ordered)) if ordered else account


def _metadata_of(account: str, item: Mapping[str, Mapping[str, Any]]) -> Metadata:
    try:
        return msgspec.convert(values_of(item) | {_ACCOUNT: account}, Metadata)
    except msgspec.ValidationError as error:
        raise BrokenItemError("an item of the balances table is no metadata") from error
