"""Where balances are kept: the port, and its DynamoDB adapter.

One item per account, pk = account id (see `generations.keys`). Its totals are versioned by
`version`, its profile by `profile_version`: each part is written whole, only by what is newer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from botocore.exceptions import ClientError

from ledger.runtime.faults import (
    AWS_ERRORS,
    CONDITION_FAILED,
    BrokenItemError,
    StoreError,
    code_of,
)
from ledger.runtime.items import Item, attributes_of, values_of
from projections.balances.apply import Account, Profile, Totals
from projections.generations.keys import FIRST, partition_of
from projections.generations.table import DynamoGenerations

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class BalancesStore(Protocol):
    """Keeps the newest totals and profile of every account. Every method may raise StoreError."""

    def write_totals(self, totals: Totals) -> bool:
        """Replace the totals by newer ones. False: the same or newer ones are there already."""

    def write_profile(self, profile: Profile) -> bool:
        """Replace the profile by a newer one. False: the same or a newer one is there already."""

    def account(self, account: str) -> Account | None:
        """An account after every write that was acknowledged; None before its first totals."""

    def accounts(self) -> Iterator[Account]:
        """Every account that has totals, in any order; what is written meanwhile may be missed."""


_KEY: Final = "pk"


class DynamoBalancesStore:
    """One generation of the balances in a DynamoDB table with the key `pk`."""

    def __init__(self, client: DynamoDBClient, table: str, generation: int = FIRST) -> None:
        self._client = client
        self._table = table
        self._generation = generation

    def write_totals(self, totals: Totals) -> bool:
        return self._replace(totals, "version")

    def write_profile(self, profile: Profile) -> bool:
        return self._replace(profile, "profile_version")

    def account(self, account: str) -> Account | None:
        try:
            # Consistent: two reads one after the other must never show a version going backwards.
            answer = self._client.get_item(
                TableName=self._table, Key=self._key(account), ConsistentRead=True
            )
        except AWS_ERRORS as error:
            raise StoreError(code_of(error)) from error
        return _account_of(account, answer["Item"]) if "Item" in answer else None

    def accounts(self) -> Iterator[Account]:
        for item in generations(self._client, self._table).scanned(self._generation):
            account = _account_of(item[_KEY]["S"], item)
            if account is not None:
                yield account

    def _replace(self, part: Totals | Profile, version: str) -> bool:
        """Write all fields of `part` if the field `version` rises by it."""
        values = msgspec.structs.asdict(part)
        account = values.pop("account")
        names = {f"#{place}": name for place, name in enumerate(values)}
        place_of = {name: place for place, name in names.items()}
        try:
            self._client.update_item(
                TableName=self._table,
                Key=self._key(account),
                UpdateExpression="SET " + ", ".join(f"{place} = :{place[1:]}" for place in names),
                ConditionExpression="attribute_not_exists({0}) OR {0} < :{1}".format(
                    place_of[version], place_of[version][1:]
                ),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={
                    f":{place}": attribute
                    for place, attribute in enumerate(attributes_of(values).values())
                },
            )
        except ClientError as error:
            if code_of(error) == CONDITION_FAILED:
                return False
            raise StoreError(code_of(error)) from error
        except AWS_ERRORS as error:
            raise StoreError(code_of(error)) from error
        return True

    def _key(self, account: str) -> Item:
        return {_KEY: {"S": partition_of(account, self._generation)}}


def generations(client: DynamoDBClient, table: str) -> DynamoGenerations:
    """The generations of the balances in a table."""
    return DynamoGenerations(client, table, sorted_rows=False)


def _account_of(account: str, item: Mapping[str, Mapping[str, Any]]) -> Account | None:
    values = values_of(item) | {"account": account}
    if "version" not in values:
        return None  # only its profile has arrived
    try:
        return Account(
            totals=msgspec.convert(values, Totals),
            profile=msgspec.convert(values, Profile) if "profile_version" in values else None,
        )
    except msgspec.ValidationError as error:
        raise BrokenItemError("an item of the balances table is not an account") from error
