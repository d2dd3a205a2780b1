"""Commands in single and bulk messages, over a store that fails: each is decided once, in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.application.state_cache import StateCache
from ledger.application.verification import Report
from ledger.application.verify import verify_store
from ledger.contracts.commands import Command, bulk_of, encode_command
from tests.support.builders import opening, paying
from tests.support.grouping import group_on
from tests.support.records import Context, fifo_message, standard_message
from tests.support.stores import FAULTS, FaultyStore
from tests.support.worlds import balances_of
from tests.unit.entrypoints.test_commands import Function

ACCOUNTS = ("bank", "a", "b")
DELIVERIES_MAX = 60  # each brings at most one fault for every attempt: the faults run out before

Message = tuple[str, tuple[Command, ...]]
"""A message: its group on the FIFO queue, empty on the standard one; its commands."""


@st.composite
def messages(draw: st.DrawFn) -> list[Message]:
    """Payments in messages of either queue; ids that are there twice, accounts that are not yet."""
    fifo = draw(st.booleans())
    made: list[Message] = []
    for _ in range(draw(st.integers(1, 5))):
        commands: list[Command] = []
        for _ in range(draw(st.integers(1, 8))):
            number = draw(st.integers(0, 25))
            if draw(st.integers(0, 9)) == 0:
                commands.append(opening(f"new{number % 3}", min_balance_minor=None))
                continue
            source, destination, *_ = draw(st.permutations([*ACCOUNTS, f"new{number % 3}"]))
            commands.append(paying(f"p{number}", (source, destination, number + 1)))
        made.append((draw(st.sampled_from("xyz")) if fifo else "", tuple(commands)))
    return made


def record(place: int, message: Message, received: int) -> dict[str, Any]:
    """The message as Lambda hands it over for the so-manieth time."""
    group, commands = message
    bodies = [encode_command(one) for one in commands]
    single = group and len(bodies) == 1
    body = (bodies[0] if single else bulk_of(bodies)).decode()
    if group:
        return fifo_message(body, id=f"m{place}", group=group, received=received)
    return standard_message(body, id=f"m{place}", received=received)


def delivered(function: Function, given_: Sequence[Message], times: Sequence[int]) -> None:
    """All messages, again and again until each is done: of a group none before those before it."""
    left = dict(enumerate(given_))
    received: dict[int, int] = defaultdict(int)
    clock = iter(times)
    for _ in range(DELIVERIES_MAX):
        if not left:
            return
        for place in left:
            received[place] += 1
        records = [record(place, message, received[place]) for place, message in left.items()]
        milliseconds = [30_000] * next(clock, 100) + [0]
        failed = function(*records, context=Context(*milliseconds))
        left = {place: one for place, one in left.items() if f"m{place}" in failed}
    raise AssertionError(f"never done: {left}")


@settings(max_examples=60, deadline=None)
@given(
    messages(),
    st.lists(st.sampled_from([None, *FAULTS]), max_size=30),
    st.lists(st.sampled_from([None, *FAULTS]), max_size=10),
    st.lists(st.integers(0, 3), max_size=4),
    st.sampled_from([0, 100]),
)
def test_each_command_is_decided_once_and_in_its_order(
    given_: list[Message],
    appending: list[Any],
    loading: list[Any],
    times: list[int],
    remembered: int,
) -> None:
    """Whatever fails, and however often a message comes: what a ledger without faults decides of
    the first of each id, in the order of its lane, is recorded once; no balance moves but by that;
    and only what differs from what its id was used for is a dead letter."""
    function = Function()
    faulty = FaultyStore(function.store, appending=appending, loading=loading)
    cache = StateCache(remembered)
    function.group = group_on(faulty, cache=cache)
    function.handler = function.made(cache=cache)
    delivered(function, given_, times)
    events = list(function.store.snapshot().events)
    first_of: dict[str, list[Command]] = defaultdict(list)
    for _, commands in given_:
        for command in commands:
            first_of[command.id].append(command)
    assert set(first_of) <= set(events), "each is decided"
    report = Report()
    verify_store(function.store, report)
    assert report.ok, report.findings
    assert sum(balances_of(function.store).values()) == 0
    differing = {one for one, every in first_of.items() if len(set(map(encode_command, every))) > 1}
    assert {
        letter["MessageAttributes"]["reason"]["StringValue"] for letter in function.sqs.sent
    } <= {"idempotency_mismatch"}
    assert bool(function.sqs.sent) == bool(differing)
    for lane in _lanes(given_):
        own = [
            id_ for id_ in dict.fromkeys(lane) if sum(id_ in other for other in _lanes(given_)) == 1
        ]
        assert [id_ for id_ in events if id_ in own] == own, "a lane keeps its order"


def _lanes(given_: Sequence[Message]) -> list[list[str]]:
    """The ids of each lane in their order: a group's, or those of one message."""
    lanes: dict[str, list[str]] = defaultdict(list)
    for place, (group, commands) in enumerate(given_):
        lanes[group or f"message {place}"] += [one.id for one in commands]
    return list(lanes.values())
