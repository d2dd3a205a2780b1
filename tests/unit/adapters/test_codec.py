"""Events and states as items and back: nothing that no release wrote gets in or out."""

from __future__ import annotations

from collections import Counter
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.adapters.dynamodb.codec import (
    due_of_item,
    event_item,
    event_of_item,
    newest_schema,
    state_item,
    state_of_item,
)
from ledger.adapters.dynamodb.keys import (
    DUE_SHARDS,
    due_shard,
    event_key,
    state_key,
    subject_of_key,
)
from ledger.application.ports import Due, UnknownStoredStateError
from ledger.contracts import examples
from ledger.contracts.commands import Alert, Posting
from ledger.contracts.events import EVENT_TYPES, decode_event, encode_event
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.contracts.storage import DUE_ACCOUNTS, DUE_AT, DUE_SHARD
from ledger.contracts.subjects import Key, Kind
from ledger.domain.accounts import HASH_BYTES, AccountState, BrokenStateError
from ledger.domain.chain import StoredEvent, changed_by
from ledger.domain.states import PaymentState, State, States
from ledger.domain.velocity import VelocityCounter
from tests.support.builders import limit, opening, state
from tests.support.strategies import postings, states
from tests.support.subjects import ELEVEN, book, hold, metadata, reversal, template
from tests.support.transactions import acceptance, only_event

Item = dict[str, Any]
Change = dict[str, Any]
KINDS: tuple[Kind, ...] = get_args(Kind)
STATE = state("a", credits=5, lowest=-9)
LIMITED = state("a", velocity=(limit(max_count=3),), counters=(VelocityCounter(20000, (5,), (1,)),))
HELD = hold("p", ("a", "b", 5), captured=[2], expires_at=ELEVEN)
BOOK = book("main", version=2, closed_through="2026-10-31")
TEMPLATE = template("t", version=2)
METADATA = metadata("a", {"k": "v"})


def changed(item: Item, change: Change) -> Item:
    """`item` with attributes set, or removed (None), or members of its body set."""
    item = dict(item)
    for name, value in change.items():
        if name.startswith("body."):
            body = msgspec.json.decode(item["data"]["S"]) | {name.removeprefix("body."): value}
            item["data"] = {"S": msgspec.json.encode(body).decode()}
        elif value is None:
            del item[name]
        else:
            item[name] = value
    return item


@st.composite
def payment_states(draw: st.DrawFn) -> PaymentState:
    """A payment with a later life: held, ended in any way, or reversed."""
    legs = draw(st.lists(postings(), min_size=1, max_size=5))
    minor = st.integers(0, AMOUNT_MINOR_MAX)
    taken = [draw(minor) for _ in legs]
    ended = draw(st.sampled_from([None, None, "capture", "void", "expiry"]))
    return msgspec.structs.replace(
        HELD,
        version=draw(st.integers(1, 99)),
        postings=tuple(legs),
        authorized_minor=tuple(draw(minor) for _ in legs),
        captured_minor=tuple(taken),
        reversed_minor=tuple(draw(st.integers(0, one)) for one in taken),
        over_capture_bps=draw(st.integers(0, 10_000)),
        expires_at=draw(st.sampled_from([ELEVEN, "2027-01-01T00:00:00.000001Z"])),
        ended=ended,
    )


@st.composite
def account_states(draw: st.DrawFn) -> AccountState:
    """An account with whatever it may have since it can be limited and lie in a book."""
    window = st.sampled_from(["day", "week", "month", "rolling"])
    bound = st.integers(0, AMOUNT_MINOR_MAX)
    counts = st.lists(st.integers(0, 10**9), max_size=7)
    limits = []
    for number in range(draw(st.integers(0, 8))):
        kind = draw(window)
        more: dict[str, object] = {"hours": draw(st.integers(1, 168))} if kind == "rolling" else {}
        more |= draw(st.sampled_from([{"max_count": 0}, {}]))
        limits.append(limit(f"l{number}", window=kind, max_amount_minor=draw(bound), **more))
    counters = []
    for _ in limits:
        used = draw(counts)
        counters.append(
            VelocityCounter(draw(st.integers(0, 10**6)), tuple(used), tuple(used[::-1]))
        )
    return msgspec.structs.replace(
        draw(states("some:account")),
        book=draw(st.sampled_from(["main", "branch-7"])),
        velocity=tuple(limits),
        counters=tuple(counters),
    )


@given(account_states() | payment_states())
def test_a_state_comes_back_as_it_went(one: AccountState | PaymentState) -> None:
    """Any state that can be, through its item."""
    assert state_of_item(state_item(one)) == one


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_metadata_come_back_as_they_went(texts: dict[str, str]) -> None:
    """Text of any characters."""
    one = metadata("a", texts)
    assert state_of_item(state_item(one)) == one


#: What an account can have, by the schema version that brought it.
BROUGHT: dict[int, list[AccountState]] = {
    1: [STATE, state("a", status="closed"), state("a", pending_debits=3, version=10**9)],
    2: [state("a", watched=(Alert(direction="above", threshold_minor=7),))],
    3: [
        state("a", frozen="credits"),
        state("a", frozen="both", status="closed"),
        state("a", book="branch-7"),
        state("a", min_balance_basis="posted"),
        state("a", max_balance_basis="posted"),
        LIMITED,
        state("a", book="x", watched=(Alert(direction="above", threshold_minor=7),)),
    ],
}


@pytest.mark.parametrize(
    ("schema", "one"), [(schema, one) for schema, some in BROUGHT.items() for one in some]
)
def test_a_state_is_written_in_the_lowest_schema_that_holds_it(
    schema: int, one: AccountState
) -> None:
    """Old workers go on with accounts that use nothing new, and leave the others alone."""
    item = state_item(one)
    assert item["v"] == {"N": str(schema)}
    assert state_of_item(item) == one
    for other in {1, 2, 3} - {schema}:
        with pytest.raises(BrokenStateError, match="schema that it claims"):
            state_of_item(changed(item, {"v": {"N": str(other)}}))


def test_a_default_is_left_out_wherever_it_came_from() -> None:
    """An old worker refuses a field that it does not know: what equals its default is not written,
    be it the default itself or text that was read from JSON."""
    read = msgspec.json.decode(b'["main","available","available"]', type=list[str])
    one = msgspec.structs.replace(
        STATE, book=read[0], min_balance_basis=read[1], max_balance_basis=read[2]
    )
    assert one == STATE
    assert state_item(one) == state_item(STATE)


def test_the_newest_schemas() -> None:
    """Of each kind, as a release reads it."""
    newest = {kind: newest_schema(Key(kind, "x")) for kind in KINDS}
    one = dict.fromkeys(("book", "template", "metadata", "stripe"), 1)
    assert newest == {"account": 4, "payment": 2, **one}


ANY_STATE: list[Change] = [
    {"v": None},
    {"v": {"S": "1"}},
    {"v": {"N": "1.5"}},
    {"version": None},
    {"version": {"N": "0"}},
    {"version": {"N": "1.5"}},
    {"version": {"S": "1"}},
    {"hash": None},
    {"hash": {"B": b"short"}},
    {"hash": {"S": "x" * 32}},
    {"data": None},
    {"data": {"S": "no json"}},
    {"data": {"S": "{}"}},
    {"data": {"B": b"{}"}},
    {"body.recorded_at": "2026-11-21T12:00:00Z"},
    {"body.another": 1},
    {DUE_AT: {"S": "2026-11-21T11:00:00.000001Z"}},
    {DUE_SHARD: {"S": "8"}},
    {DUE_ACCOUNTS: {"SS": ["a"]}},
]
AN_ACCOUNT: list[Change] = [
    {"body.debits_posted_minor": -1},
    {"body.credits_pending_minor": 2**63},
    {"body.credits_posted_minor": "5"},
    {"body.credits_posted_minor": 5.5},
    {"body.opened_at": "yesterday"},
    {"body.status": "asleep"},
    {"body.status": "frozen"},
    {"body.type": "revenue"},
    {"body.min_balance_minor": "0"},
    {"body.frozen": "all"},
    {"body.velocity": [["daily", "day"]]},
    {"body.velocity": [["daily", "year", 0, "d", "EUR", None, 3, [0, [], []]]]},
    {"body.counters": []},
]
A_HOLD: list[Change] = [
    {"body.postings": []},
    {"body.postings": [{"source": "a", "destination": "b", "amount_minor": 0}]},
    {"body.captured_minor": [1, 1]},
    {"body.captured_minor": [-1]},
    {"body.reversed_minor": [3]},
    {"body.ended": "never"},
    {"body.ended": "void"},  # and still indexed
    {"body.expires_at": None},
    {"body.expires_at": "2026-11-21T12:00:00.000000Z"},
    {DUE_AT: None},
    {DUE_SHARD: None},
    {DUE_ACCOUNTS: None},
    {DUE_AT: {"N": "5"}},
    {DUE_ACCOUNTS: {"S": "a"}},
]
A_TEMPLATE: list[Change] = [
    {"version": {"N": "3"}},
    {"body.events": ["made:t:1"]},
    {"body.parameters": [{"name": "a", "kind": "colour"}]},
]
CORRUPT: list[tuple[State, Change]] = [
    *((one, change) for one in (STATE, HELD, BOOK, TEMPLATE, METADATA) for change in ANY_STATE),
    *((STATE, change) for change in AN_ACCOUNT),
    *((HELD, change) for change in A_HOLD),
    *((TEMPLATE, change) for change in A_TEMPLATE),
    (BOOK, {"body.closed_through": "October"}),
    (METADATA, {"body.metadata": {"k": 5}}),
]


@pytest.mark.parametrize(
    ("one", "change"), CORRUPT, ids=lambda one: one.key.kind if hasattr(one, "key") else str(one)
)
def test_a_corrupt_state_is_named(one: State, change: Change) -> None:
    """Whatever no release wrote is an error that names the subject, and quotes no value."""
    item = changed(state_item(one), change)
    named = rf"{one.key.kind}(#{one.id}'| {one.id})"
    with pytest.raises(BrokenStateError, match=named) as raised:
        state_of_item(item)
    quoted = ("liability", "asleep", "yesterday", "October", "colour", "2026")
    assert not any(word in str(raised.value) for word in quoted)


def test_an_item_without_a_key_is_named_so() -> None:
    """Even that does not end in a KeyError."""
    for read in (state_of_item, due_of_item):
        with pytest.raises(BrokenStateError, match="without a key"):
            read(changed(state_item(HELD), {"pk": None}))
    with pytest.raises(BrokenStateError, match="without a key"):
        event_of_item({"data": {"S": "{}"}})


@pytest.mark.parametrize("one", [STATE, HELD, BOOK, TEMPLATE, METADATA], ids=lambda one: one.id)
@pytest.mark.parametrize("ahead", [1, 14])
def test_a_newer_schema_is_told_from_corruption(one: State, ahead: int) -> None:
    """Whatever else such a state holds, it is not for this release to judge."""
    newer = newest_schema(one.key) + ahead
    item = changed(state_item(one), {"v": {"N": str(newer)}, "data": None, "hash": None})
    with pytest.raises(UnknownStoredStateError, match=f"#.*{one.id}' has schema {newer}"):
        state_of_item(item)


@pytest.mark.parametrize(
    ("one", "change"),
    [
        (STATE, {"version": 0}),
        (STATE, {"hash": b""}),
        (STATE, {"debits_posted_minor": -1}),
        (LIMITED, {"counters": ()}),
        (HELD, {"version": 0}),
        (HELD, {"hash": b""}),
        (HELD, {"captured_minor": ()}),
        (HELD, {"reversed_minor": (3,)}),
        (BOOK, {"version": 0}),
        (TEMPLATE, {"events": ()}),
        (METADATA, {"hash": b""}),
    ],
    ids=str,
)
def test_a_state_is_checked_before_it_is_written(one: State, change: Change) -> None:
    """A state that cannot be has no item."""
    with pytest.raises(BrokenStateError):
        state_item(msgspec.structs.replace(one, **change))


def due_attributes(one: State) -> Item:
    """What of its item is for the index."""
    item: Item = dict(state_item(one))
    return {name: item[name] for name in (DUE_SHARD, DUE_AT, DUE_ACCOUNTS) if name in item}


def test_only_an_open_hold_is_indexed() -> None:
    """By its expiry, with each of its accounts once; what is no open hold has nothing of it."""
    one = hold("p", ("a", "b", 5), ("b", "a", 5), ("a", "c", 1), expires_at=ELEVEN)
    assert due_attributes(one) == {
        DUE_SHARD: {"S": due_shard("p")},
        DUE_AT: {"S": ELEVEN},
        DUE_ACCOUNTS: {"SS": ["a", "b", "c"]},
    }
    others: list[State] = [STATE, BOOK, TEMPLATE, METADATA]
    others += [hold("p", ended=ended) for ended in ("capture", "void", "expiry")]
    others += [reversal("p", ("a", "b", 5), given_back=[5])]
    assert [due_attributes(other) for other in others] == [{}] * len(others)


def test_a_set_of_accounts_has_no_order() -> None:
    """DynamoDB gives back a set in an order of its own."""
    one = hold("p", ("c", "b", 5), ("b", "a", 5))
    item = changed(state_item(one), {DUE_ACCOUNTS: {"SS": ["b", "c", "a"]}})
    assert state_of_item(item) == one


def test_an_index_item_names_its_hold() -> None:
    """Of what the index has nothing but the payment and the time counts."""
    item: Item = dict(state_item(HELD))
    assert due_of_item({"pk": item["pk"], DUE_AT: item[DUE_AT]}) == Due("p", ELEVEN)
    with pytest.raises(BrokenStateError, match="'payment#p' is not a payment that is held"):
        due_of_item({"pk": item["pk"]})


def test_an_event_is_checked_before_it_is_written() -> None:
    """One hash for everything that it makes a version of, and under its own id."""
    event = only_event(acceptance(States(), opening("a"))[0])
    assert event_of_item(event_item(event)) == event
    for wrong in (
        {"id": "other"},
        {"hashes": ()},
        {"hashes": event.hashes * 2},
        {"data": event.data[:-1]},
        {"data": event.data.replace(b"account.opened", b"account.closet")},
    ):
        with pytest.raises(BrokenStateError, match="event "):
            event_item(msgspec.structs.replace(event, **wrong))


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_an_event_has_a_hash_for_all_that_it_changes(event_type: str) -> None:
    """What an item counts without reading the event is what reading it shows, for every type."""
    event = decode_event(msgspec.json.encode(examples.EVENTS[event_type, 1]))
    hashes = tuple(bytes([place]) * HASH_BYTES for place in range(len(changed_by(event))))
    stored = StoredEvent(event.id, encode_event(event), hashes)
    assert event_of_item(event_item(stored)) == stored
    with pytest.raises(BrokenStateError, match="hashes"):
        event_item(msgspec.structs.replace(stored, hashes=(*hashes, bytes(HASH_BYTES))))


@pytest.mark.parametrize("id_", ["x", "a:b", "payment", "account/a", "A.b_c-9", "Z" * 64])
def test_keys(id_: str) -> None:
    """An event lies under its command's id; a state under its kind and its id, so that no id,
    whatever it looks like, can be taken for another kind."""
    assert event_key(id_) == id_
    for kind in KINDS:
        key = Key(kind, id_)
        assert state_key(key) == f"{kind}#{id_}"
        assert subject_of_key(state_key(key)) == key


@pytest.mark.parametrize("key", ["", "a", "account", "account#", "#", "#a"])
def test_what_is_no_key_of_a_state(key: str) -> None:
    """A kind and an id, neither empty."""
    with pytest.raises(ValueError, match="not the key of a state"):
        subject_of_key(key)


def test_a_kind_of_a_newer_release() -> None:
    """It is not for this one to judge."""
    with pytest.raises(UnknownStoredStateError, match="'branch#a' is of another kind"):
        subject_of_key("branch#a")


def test_holds_are_spread_over_all_shards() -> None:
    """About evenly, whatever their ids look like; and always to the same one."""
    counts = Counter(due_shard(f"payment-{number}") for number in range(8_000))
    assert set(counts) == set(DUE_SHARDS)
    assert all(850 < count < 1_150 for count in counts.values())
    assert [due_shard(one) for one in ("p", "q", "taxi-3")] == ["4", "6", "3"]


def test_a_posting_is_kept_whole() -> None:
    """A hold's postings are what a capture posts: each field of them."""
    (kept,) = msgspec.json.decode(state_item(HELD)["data"]["S"])["postings"]
    assert kept.keys() == set(Posting.__struct_fields__)
