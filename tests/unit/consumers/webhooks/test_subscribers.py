"""Who wants what: filters, keys, and how much of it there may be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.webhooks.directory import Directory, encoded_subscribers
from consumers.webhooks.subscribers import (
    FILTER_VALUES_MAX,
    SUBSCRIBERS_MAX,
    Filters,
    Key,
    is_subscriber_id,
    wants,
)
from consumers.webhooks.urls import URL_LENGTH_MAX
from ledger.contracts.notifications import AMOUNT_BANDS, NOTIFICATION_TYPES
from ledger.contracts.reasons import REASONS
from tests.support.webhooks import subscribed

PAYMENT = {
    "type": "payment.posted",
    "account": ("customers:1:wallet", "shops:7"),
    "payment": ("order-7",),
    "currency": ("EUR",),
    "amount_band": ("10-100",),
}
REFUSAL = {"type": "command.rejected", "account": ("a",), "reason": "insufficient_funds"}
ITEM_BYTES_MAX = 400 * 1024


@pytest.mark.parametrize(
    ("filters", "attributes", "wanted"),
    [
        (Filters(), PAYMENT, True),
        (Filters(types=("payment.posted",)), PAYMENT, True),
        (Filters(types=("account.opened",)), PAYMENT, False),
        (Filters(types=("account.opened", "payment.posted")), PAYMENT, True),
        (Filters(accounts=("shops:7",)), PAYMENT, True),
        (Filters(accounts=("shops:",)), PAYMENT, False),
        (Filters(accounts=("shops:*",)), PAYMENT, True),
        (Filters(accounts=("shops:7*",)), PAYMENT, True),
        (Filters(accounts=("shops:7:*",)), PAYMENT, False),
        (Filters(accounts=("hops:*",)), PAYMENT, False),
        (Filters(accounts=("x", "customers:*")), PAYMENT, True),
        (Filters(payments=("order-7",)), PAYMENT, True),
        (Filters(payments=("order-*",)), PAYMENT, True),
        (Filters(payments=("order-",)), PAYMENT, False),
        (Filters(payments=("order-*",)), REFUSAL, False),
        (Filters(currencies=("USD",)), PAYMENT, False),
        (Filters(currencies=("USD", "EUR")), PAYMENT, True),
        (Filters(amount_bands=("10-100",)), PAYMENT, True),
        (Filters(amount_bands=("0-1",)), PAYMENT, False),
        (Filters(reasons=("insufficient_funds",)), REFUSAL, True),
        (Filters(reasons=("insufficient_funds",)), PAYMENT, False),
        (Filters(currencies=("EUR",)), REFUSAL, False),
        (Filters(types=("payment.posted",), accounts=("other",)), PAYMENT, False),
        (Filters(types=("payment.posted",), accounts=("shops:*",)), PAYMENT, True),
    ],
)
def test_a_notification_needs_one_value_of_every_kind_asked_for(
    filters: Filters, attributes: Any, wanted: bool
) -> None:
    """As in an SNS policy: any of the values, all of the kinds; what is absent does not pass."""
    assert wants(filters, attributes) is wanted


VALUES = {
    "types": st.sampled_from(["t1", "t2"]),
    "accounts": st.sampled_from(["a", "ab", "abc", "b", "a*", "ab*", "b*"]),
    "payments": st.sampled_from(["p", "pq", "p*", "pq*"]),
    "currencies": st.sampled_from(["EUR", "USD"]),
    "amount_bands": st.sampled_from(["0-1", "1-10"]),
    "reasons": st.sampled_from(["r1", "r2"]),
}
ATTRIBUTES = st.fixed_dictionaries(
    {"type": VALUES["types"]},
    optional={
        "account": st.lists(st.sampled_from(["a", "ab", "abc", "b"]), min_size=1).map(tuple),
        "payment": st.lists(st.sampled_from(["p", "pq", "q"]), min_size=1).map(tuple),
        "currency": st.lists(VALUES["currencies"], min_size=1).map(tuple),
        "amount_band": st.lists(VALUES["amount_bands"], min_size=1).map(tuple),
        "reason": VALUES["reasons"],
    },
)
FILTERS = st.fixed_dictionaries(
    {name: st.lists(values, max_size=3).map(tuple) for name, values in VALUES.items()}
).map(lambda given: msgspec.convert(given, Filters))


@given(FILTERS, ATTRIBUTES)
def test_matching_is_what_its_definition_says(filters: Filters, attributes: Any) -> None:
    """Compared with the definition, written out value by value."""
    expected = True
    kinds = ("type", "account", "payment", "currency", "amount_band", "reason")
    for wanted, name in zip(msgspec.structs.astuple(filters), kinds, strict=True):
        found = attributes.get(name, ())
        found = [found] if isinstance(found, str) else list(found)
        passes = [
            value == each or (each[-1] == "*" and value[: len(each) - 1] == each[:-1])
            for each in wanted
            for value in found
        ]
        expected = expected and (not wanted or any(passes))
    assert wants(filters, attributes) is expected


@given(FILTERS, ATTRIBUTES, VALUES["accounts"])
def test_another_value_never_narrows_a_kind_that_is_filtered(
    filters: Filters, attributes: Any, account: str
) -> None:
    """What passed, passes with one more account to want; only the first value narrows."""
    if filters.accounts and wants(filters, attributes):
        wider = msgspec.structs.replace(filters, accounts=(*filters.accounts, account))
        assert wants(wider, attributes)


def test_keys_sign_until_they_end() -> None:
    """One without an end always; another up to its instant, and not at it."""
    subscriber = subscribed(keys=(Key("b"), Key("a", "2026-11-18T10:00:00.000000Z")))
    before, at = "2026-11-18T09:59:59.999999Z", "2026-11-18T10:00:00.000000Z"
    assert [key.version for key in subscriber.keys_at(before)] == ["b", "a"]
    assert [key.version for key in subscriber.keys_at(at)] == ["b"]


@pytest.mark.parametrize("id", ["shop", "a.b_c-D9", "x" * 64])
def test_ids_are_names_that_secrets_can_have(id: str) -> None:
    """Letters, digits, `.`, `_` and `-`, up to 64."""
    assert is_subscriber_id(id)


@pytest.mark.parametrize("id", ["", "x" * 65, "a:b", "a/b", "a b", "a\n", "ä"])
def test_other_ids_are_none(id: str) -> None:
    """A slash would leave the prefix that grants are for; a colon no secret's name has."""
    assert not is_subscriber_id(id)


def test_all_subscribers_at_their_largest_fit_into_one_item() -> None:
    """With room to spare: every filter full, every text as long as it may be."""
    longest = sorted((reason.code for reason in REASONS), key=len)[-FILTER_VALUES_MAX:]
    filters = Filters(
        types=NOTIFICATION_TYPES,
        accounts=("x" * 64 + "*",) * FILTER_VALUES_MAX,
        payments=("x" * 64 + "*",) * FILTER_VALUES_MAX,
        currencies=("EUR",) * FILTER_VALUES_MAX,
        amount_bands=AMOUNT_BANDS,
        reasons=tuple(longest),
    )
    keys = (Key("v" * 36, None), Key("v" * 36, "2026-11-18T09:06:40.000000Z"))
    full = {
        str(place): subscribed(
            f"{place:064}",
            url="u" * URL_LENGTH_MAX,
            filters=filters,
            keys=keys,
            disabled_by="request",
        )
        for place in range(SUBSCRIBERS_MAX)
    }
    assert len(encoded_subscribers(Directory(1, full))) < 0.8 * ITEM_BYTES_MAX
