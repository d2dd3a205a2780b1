"""What holds, reversals, limits, templates and batches weigh; `test_item_sizes` has payments."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest

from ledger.adapters.dynamodb.codec import event_item, state_item
from ledger.contracts.commands import (
    ACTIONS_MAX,
    COMMAND_TYPES,
    AtomicBatch,
    Command,
    decode_command,
    encode_command,
    expiry_id,
)
from ledger.contracts.events import BatchCommitted, encode_event
from ledger.contracts.primitives import (
    AMOUNT_MINOR_MAX,
    BATCH_COMMANDS_MAX,
    COMMAND_BYTES_MAX,
    METADATA_ENTRIES_MAX,
    METADATA_VALUE_LENGTH_MAX,
    POSTINGS_MAX,
)
from ledger.contracts.storage import DUE_ACCOUNTS, DUE_AT, DUE_SHARD
from ledger.contracts.templates import TEMPLATE_PARAMETERS_MAX
from ledger.contracts.velocity import VELOCITY_COUNT_MAX, VELOCITY_LIMITS_MAX, VelocityLimit
from ledger.domain.chain import seal
from ledger.domain.decider import rejected_event
from ledger.domain.stamp import Stamp
from ledger.domain.states import States, TemplateState
from ledger.domain.velocity import ROLLING_STEPS, VelocityCounter
from tests.support.builders import NOON, advanced, decided_on, limit, paying, refused, state, told
from tests.support.items import KIB, item_bytes, transactional_write_units
from tests.support.subjects import hold, metadata, template

#: The caller of a REST request in a role of some length, as IAM names it: 103 characters.
ROLE: Final = (
    "arn:aws:sts::123456789012:assumed-role/upstream-payments-service-role/"
    "upstream-payments-service-session"
)
LONGEST_ACTOR: Final = "x" * 256
#: What follows a hold of 123.45 between two accounts, or a payment posted at once.
LATER: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "increase": ("held", {"type": "payment.increase", "amount_minor": 1_000}),
    "capture": ("held", {"type": "payment.capture"}),
    "capture-a-part": ("held", {"type": "payment.capture", "amount_minor": 10_000}),
    "capture-and-release": (
        "held",
        {"type": "payment.capture", "amount_minor": 10_000, "final": True},
    ),
    "void": ("held", {"type": "payment.void"}),
    "reverse-a-capture": ("captured", {"type": "payment.reverse", "amount_minor": 1_000}),
    "reverse": ("posted", {"type": "payment.reverse"}),
    "reverse-a-part": ("posted", {"type": "payment.reverse", "amount_minor": 1_000}),
}


def long(kind: str, length: int) -> str:
    """An id of that many characters."""
    return f"{kind:0<{length}}"


def command(**fields: Any) -> Command:
    """A command of these fields, as it is read from a queue."""
    body = {name: value for name, value in fields.items() if value is not None}
    return decode_command(msgspec.json.encode({"v": 1, **body}), COMMAND_TYPES)


def two_accounts(length: int, totals: int, version: int) -> States:
    """The accounts `a…` and `b…` as they are after many payments."""
    return States.of(
        msgspec.structs.replace(
            state(long(one, length), version=version, debits=totals, credits=totals),
            last_event=long("e", length),
        )
        for one in "ab"
    )


def begun(states: States, length: int, how: str, **text: str) -> States:
    """`states` after the payment `p…` was posted, held, or held and captured."""
    pair = (long("a", length), long("b", length))
    payment = long("p", length)
    posted = paying(payment, (*pair, 12_345), **text)  # type: ignore[arg-type]
    if how == "posted":
        return told(states, posted)
    fields = msgspec.to_builtins(posted) | {"type": "payment.authorize"}
    states = told(states, command(**fields))
    if how == "captured":
        capture = command(type="payment.capture", id=long("c", length), payment=payment)
        states = told(states, capture)
    return states


def weighed(states: States, sent: Command, actor: str) -> tuple[int, list[int], int]:
    """The bytes of the event that a command makes and of the states, and the write units."""
    after, stored = advanced(states, decided_on(states, sent, Stamp(NOON, actor)))
    items = [event_item(stored)]
    items += [state_item(one) for one in after if one != states.get(one.key)]
    sizes = [item_bytes(item) for item in items]
    return sizes[0], sizes[1:], sum(map(transactional_write_units, items))


@pytest.mark.parametrize("what", LATER)
def test_what_follows_a_payment_is_four_items(what: str) -> None:
    """Between two accounts, with 36-character ids and no free text: an event of up to 1.5 KiB and
    three states of up to 1 KiB: 10 write units."""
    how, fields = LATER[what]
    states = begun(two_accounts(36, 10**12, 10**6), 36, how)
    sent = command(id=long("x", 36), payment=long("p", 36), **fields)
    event, others, units = weighed(states, sent, ROLE)
    assert KIB < event <= KIB * 3 // 2
    assert (len(others), max(others) <= 3 * KIB // 4, units) == (3, True, 10)


def test_to_prolong_a_hold_touches_no_account() -> None:
    """It writes its event and the payment: 4 write units."""
    states = begun(two_accounts(36, 10**12, 10**6), 36, "held")
    later = {"type": "payment.increase", "expires_at": "2027-01-01T00:00:00.000000Z"}
    sent = command(id=long("x", 36), payment=long("p", 36), **later)
    event, others, units = weighed(states, sent, ROLE)
    assert (event <= KIB, len(others), units) == (True, 1, 4)


def test_a_hold_is_four_items() -> None:
    """To make one takes as much as what follows; so does its expiry."""
    accounts = two_accounts(36, 10**12, 10**6)
    fields = msgspec.to_builtins(paying(long("p", 36), (long("a", 36), long("b", 36), 12_345)))
    event, others, units = weighed(
        accounts, command(**fields | {"type": "payment.authorize"}), ROLE
    )
    assert (event <= KIB * 5 // 4, len(others), max(others) <= KIB, units) == (True, 3, True, 10)
    held = begun(accounts, 36, "held")
    expiry = command(
        type="payment.expire",
        id=expiry_id(long("p", 36), 1),
        payment=long("p", 36),
        version=1,
    )
    event, others, units = weighed(held, expiry, "ledger:expiry")
    assert (event <= KIB * 5 // 4, len(others), max(others) <= KIB, units) == (True, 3, True, 10)


@pytest.mark.parametrize("what", LATER)
def test_what_follows_at_the_limit_of_everything(what: str) -> None:
    """The longest ids, actor and text and the largest totals cost a pair of units more at most."""
    how, fields = LATER[what]
    accounts = two_accounts(64, AMOUNT_MINOR_MAX - 10**6, 10**18)
    states = begun(accounts, 64, how, reference="r" * 64, description="d" * 140)
    text = {"reason": "r" * 140} if fields["type"] == "payment.void" else {}
    text = {"reference": "r" * 64} if fields["type"] == "payment.capture" else text
    sent = command(id=long("x", 64), payment=long("p", 64), **fields, **text)
    event, others, units = weighed(states, sent, LONGEST_ACTOR)
    assert (event <= 5 * KIB // 2, max(others) <= KIB, units <= 12) == (True, True, True)


def test_the_index_is_light() -> None:
    """What of a hold lies in the index `due`: one write unit when it begins and one when it ends,
    for up to a dozen accounts; for 90 with the longest ids six."""

    def indexed(legs: int, length: int) -> int:
        pairs = [(f"a{one:0>{length - 1}}", f"b{one:0>{length - 1}}", 1) for one in range(legs)]
        item = state_item(hold(long("p", length), *pairs))
        return item_bytes({name: item[name] for name in ("pk", DUE_SHARD, DUE_AT, DUE_ACCOUNTS)})

    assert indexed(1, 36) < KIB // 4
    assert indexed(6, 64) < KIB
    assert 5 * KIB < indexed(POSTINGS_MAX, 64) < 6 * KIB


def limited(limits: list[VelocityLimit], amount_minor: int, count: int, step: int) -> int:
    """The bytes of an account of which so much of each limit is used in each step of its window."""
    counters = []
    for one in limits:
        steps = ROLLING_STEPS + 1 if one.window == "rolling" else 1
        counters.append(VelocityCounter(step, (amount_minor,) * steps, (count,) * steps))
    account = state(
        long("a", 36),
        version=10**6,
        debits=10**12,
        credits=10**12,
        velocity=tuple(limits),
        counters=tuple(counters),
    )
    return item_bytes(state_item(account))


def test_an_account_with_all_the_limits_that_it_may_have() -> None:
    """Eight limits of all windows on amounts in the millions of euros are less than 2 KiB, even if
    all of them roll; eight of the longest names, all of their steps as full as can be, 3."""
    bounds = {"max_amount_minor": 10**9, "max_count": 10_000}
    windows = ("day", "week", "month", "rolling") * 2
    usual = [
        limit(f"cards-{place}", window=one, **bounds | ({"hours": 24} if one == "rolling" else {}))
        for place, one in enumerate(windows)
    ]
    rolling = [limit(f"cards-{n}", window="rolling", hours=24, **bounds) for n in range(8)]
    assert len(usual) == len(rolling) == VELOCITY_LIMITS_MAX
    assert limited(usual, 10**8, 1_000, 20_000) < 3 * KIB // 2
    assert limited(rolling, 10**8, 1_000, 20_000) < 2 * KIB
    longest = [
        limit(
            f"{n}{'m' * 31}",
            window="rolling",
            hours=168,
            max_amount_minor=AMOUNT_MINOR_MAX,
            max_count=VELOCITY_COUNT_MAX,
        )
        for n in range(8)
    ]
    full = limited(longest, AMOUNT_MINOR_MAX // 7, VELOCITY_COUNT_MAX // 7, 10**6)
    assert 2 * KIB < full <= 3 * KIB


def test_the_largest_hold() -> None:
    """45 postings between 90 accounts, everything as long as it may be: a state of 20 KiB."""
    pairs = [(f"a{n:0>63}", f"b{n:0>63}", AMOUNT_MINOR_MAX) for n in range(POSTINGS_MAX)]
    state_ = hold(long("p", 64), *pairs, captured=[AMOUNT_MINOR_MAX] * POSTINGS_MAX)
    assert item_bytes(state_item(state_)) < 20 * KIB


def largest_template(number: int) -> TemplateState:
    """A template with as many versions, postings and parameters as it may have."""
    whole = template(f"{'t' * 38}{number:02}")
    parameter = msgspec.structs.replace(whole.parameters[0], name="p" * 32)
    leg = msgspec.structs.replace(whole.postings[0], source="s" * 64, destination="d" * 64)
    return msgspec.structs.replace(
        whole,
        version=1_000,
        parameters=(parameter,) * TEMPLATE_PARAMETERS_MAX,
        postings=(leg,) * POSTINGS_MAX,
        events=(long("e", 64),) * 1_000,
    )


def test_the_largest_template_and_metadata() -> None:
    """1,000 versions of the longest ids: 80 KiB; 16 texts of 256 characters that JSON escapes: 26.
    An item may have 400."""
    assert item_bytes(state_item(largest_template(1))) < 80 * KIB
    texts = {
        f"{'k' * 38}{n:02}": "\u0001" * METADATA_VALUE_LENGTH_MAX
        for n in range(METADATA_ENTRIES_MAX)
    }
    assert item_bytes(state_item(metadata(long("a", 64), texts))) < 26 * KIB


def test_the_largest_transaction() -> None:
    """A batch that makes the thousandth versions of as many templates as 100 actions hold: what it
    defines fits its command, what was before is in the states. Together less than 4 MB."""
    before = msgspec.structs.replace(largest_template(1), parameters=(), postings=())
    states = (ACTIONS_MAX - 1) // 2 * item_bytes(state_item(before))
    events_and_definitions = 3 * COMMAND_BYTES_MAX
    assert 3_000_000 < states + events_and_definitions < 4_000_000


def test_the_largest_batch() -> None:
    """Its event names its commands; a refusal keeps them all, as they were sent."""
    members = [f"m{number:0>63}" for number in range(BATCH_COMMANDS_MAX)]
    committed = BatchCommitted(
        v=1,
        id=long("b", 64),
        recorded_at=NOON,
        effective_at=NOON,
        actor=LONGEST_ACTOR,
        commands=tuple(members),
    )
    assert len(encode_event(committed)) < 8 * KIB
    payments = tuple(
        paying(one, (long("a", 64), long("b", 64), 1), description="ä" * 140, reference="r" * 8)
        for one in members
    )
    batch = AtomicBatch(v=1, id=long("b", 64), commands=payments)
    assert 0.9 * COMMAND_BYTES_MAX < len(encode_command(batch)) <= COMMAND_BYTES_MAX
    nothing = States()
    rejection = refused(nothing, payments[0])
    event = rejected_event(batch, rejection, Stamp(NOON, LONGEST_ACTOR))
    assert item_bytes(event_item(seal(event, nothing))) < COMMAND_BYTES_MAX + 2 * KIB
