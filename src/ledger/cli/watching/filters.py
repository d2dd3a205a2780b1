"""Which notifications are wanted: as a filter policy for SNS, and as a test of a message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from typing import Any, Final, NamedTuple

from ledger.cli.failures import UsageError
from ledger.contracts.notifications import AMOUNT_BANDS, NOTIFICATION_TYPES

#: Of a filter policy: the product of the numbers of values (SNS developer guide, "Filter policy
#: constraints").
COMBINATIONS_MAX: Final = 150


Strings = list[str] | None


class Wanted(NamedTuple):
    """The values that an attribute may have, by its name; an attribute that is left out may have
    any, or none."""

    values: Mapping[str, tuple[str, ...]]

    def policy(self) -> str | None:
        """The filter policy of a subscription; None: everything is wanted."""
        if not self.values:
            return None
        return json.dumps({name: list(values) for name, values in self.values.items()})

    def takes(self, attributes: Mapping[str, Any]) -> bool:
        """Whether a message with these attributes, as SQS gives them, is wanted.

        SNS says so too, but on AWS a new policy takes up to 15 minutes until it counts everywhere.
        """
        return all(
            not set(values).isdisjoint(_texts(attributes.get(name)))
            for name, values in self.values.items()
        )


def wanted(
    *,
    types: Strings = None,
    accounts: Strings = None,
    currencies: Strings = None,
    bands: Strings = None,
    reasons: Strings = None,
    payments: Strings = None,
) -> Wanted:
    """What the options ask for. Raises UsageError for what would silently match nothing."""
    _refuse_unknown("--type", types, NOTIFICATION_TYPES)
    _refuse_unknown("--amount-band", bands, AMOUNT_BANDS)
    options = {
        "type": types,
        "account": accounts,
        "currency": currencies,
        "amount_band": bands,
        "reason": reasons,
        "payment": payments,
    }
    values = {name: tuple(dict.fromkeys(given)) for name, given in options.items() if given}
    combinations = prod(map(len, values.values()))
    if combinations > COMBINATIONS_MAX:
        raise UsageError(
            f"SNS takes {COMBINATIONS_MAX} combinations of values in a filter, not {combinations}"
        )
    return Wanted(values)


def _refuse_unknown(option: str, given: list[str] | None, known: tuple[str, ...]) -> None:
    for value in given or ():
        if value not in known:
            raise UsageError(f"{option} is one of {', '.join(known)}; not {value!r}")


def _texts(attribute: Mapping[str, Any] | None) -> list[str]:
    """The texts of one attribute."""
    if attribute is None:
        return []
    text = attribute.get("StringValue", "")
    return json.loads(text) if attribute.get("DataType") == "String.Array" else [text]
