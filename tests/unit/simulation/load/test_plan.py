"""Plans: made of a seed alone, of every kind of request, and mostly of what is accepted."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from functools import cache
from pathlib import Path

import msgspec
import pytest
from msgspec import UNSET

from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.commit import Commands, Mismatch
from ledger.contracts.commands import (
    BULK_DETAIL_TYPE,
    CLIENT_COMMANDS,
    AtomicBatch,
    Command,
    OpenAccount,
    SetStripes,
    bulk_of,
    decode_command,
    default_ordering_key,
    read_bulk,
)
from ledger.contracts.events import CommandRejected
from ledger.contracts.reasons import InvalidCommandError
from ledger.contracts.routes import COMMAND_PATHS, INDEPENDENT_PATH
from simulation.kernel.hub import SECOND
from simulation.load.elements import Plan, Planned, UnplannedError
from simulation.load.plan import plan_of
from simulation.load.sending import type_of
from simulation.load.stories import STORIES

BEGINS = 1_780_261_200 * SECOND  # 2026-05-31T21:00:00Z
OPENAPI = Path("docs/openapi.json")
SEEDS = (1, 2, 3)


@cache
def planned(seed: int = 1, commands: int = 2_000) -> Plan:
    return plan_of(seed, commands, BEGINS)


def test_a_plan_follows_from_its_seed_alone() -> None:
    """The same seed makes the same plan, byte for byte; another seed another plan."""
    first, again = (msgspec.json.encode(plan_of(7, 300, BEGINS)) for _ in range(2))
    assert first == again
    assert first != msgspec.json.encode(plan_of(8, 300, BEGINS))


@pytest.mark.parametrize("commands", [1, 2, 10, 37, 200, 1_000])
def test_a_plan_sends_as_many_commands_as_were_asked_for(commands: int) -> None:
    """Members of a request for several count each; every size is possible."""
    assert planned(5, commands).commands == commands


def test_elements_are_in_order_of_time_and_know_their_place() -> None:
    """So that a part of a plan can be named, and played by itself."""
    plan = planned()
    assert [one.place for one in plan.elements] == list(range(len(plan.elements)))
    times = [one.at for one in plan.elements]
    assert times == sorted(times)
    assert times[0] >= plan.begins == BEGINS
    assert plan.ends == times[-1]
    part = plan.only([5, 3, 900])
    assert [one.place for one in part.elements] == [3, 5, 900]
    assert part.elements[0] is plan.elements[3]
    assert part.clients == plan.clients


@pytest.mark.parametrize("place", [-1, 10**6])
def test_a_place_that_is_not_in_the_plan_is_refused(place: int) -> None:
    """A line that was made from another plan must not quietly play something else."""
    with pytest.raises(UnplannedError):
        planned().only([3, place])


def test_everything_that_can_be_asked_is() -> None:
    """Every command, every way in, every method of the API."""
    for seed in SEEDS:
        plan = planned(seed)
        sent = {type_of(one) for each in plan.elements for one in each.commands if one}
        assert sent == CLIENT_COMMANDS
        assert {one.route for one in plan.elements} == {
            *("rest", "dry_run", "batch", "query", "bus", "fifo", "manage")
        }
        asked = {f"{one.method} {_resource(one.path)}" for one in plan.elements if one.path}
        assert {"POST /payments", "GET /payments"} < asked
        documented = json.loads(OPENAPI.read_text())["paths"]
        methods = {
            f"{method.upper()} {path}"
            for path, methods in documented.items()
            for method in methods
            if method in ("get", "put", "post", "delete")
        }
        assert methods <= asked, methods - asked


def _resource(path: str) -> str:
    """The resource of a path: what stands second is an id."""
    first, *rest = path.removeprefix("/").split("/")
    return "/" + "/".join([first, *("{id}" for _ in rest[:1]), *rest[1:]])


def test_a_request_goes_where_its_kind_belongs() -> None:
    """REST to the path of its type, bus under its type, FIFO in a group that one client sends."""
    senders: dict[str, set[str]] = {}
    for one in planned().elements:
        command = one.commands[0] if one.commands else None
        if one.route in ("rest", "dry_run") and command is not None:
            assert one.path == COMMAND_PATHS[type_of(command)]
        elif one.route == "bus" and one.bodies:
            assert one.detail_type == BULK_DETAIL_TYPE
        elif one.route == "bus" and command is not None:
            assert one.detail_type == type_of(command)
        elif one.route == "fifo":
            assert one.group
            assert one.deduplication
            senders.setdefault(one.group, set()).add(one.client)
    assert senders
    assert all(len(clients) == 1 for clients in senders.values())


def test_what_is_said_of_a_body_is_so() -> None:
    """A body is the command that the element names; what names none is malformed where it goes."""
    for seed in SEEDS:
        for element in planned(seed).elements:
            for body, command in zip(_bodies(element), element.commands, strict=True):
                if command is not None:
                    assert decode_command(body) == command
                    continue
                types = CLIENT_COMMANDS
                if element.detail_type == BULK_DETAIL_TYPE or element.path == INDEPENDENT_PATH:
                    if not element.bodies:
                        with pytest.raises(InvalidCommandError):
                            read_bulk(body)
                        continue
                elif element.path:
                    types = frozenset(
                        t for t, path in COMMAND_PATHS.items() if path == element.path
                    )
                elif element.detail_type:
                    types = frozenset({element.detail_type})
                with pytest.raises(InvalidCommandError):
                    decode_command(body, types)


def _bodies(element: Planned) -> tuple[bytes, ...]:
    if element.route in ("query", "manage"):
        return ()
    return element.bodies or (element.body,)


def test_files_come_by_every_way_and_in_sizes_that_groups_have() -> None:
    """Tens of commands, and hundreds; in one lane several messages one behind the other; with
    what is no command among them, an id twice, and one whose other content is another's."""
    files = [
        one
        for seed in range(1, 9)
        for one in planned(seed).elements
        if one.bodies and len(one.commands) > 1
    ]
    assert {one.route for one in files} == {"batch", "bus", "fifo"}
    for route in ("batch", "bus", "fifo"):
        sizes = [len(one.commands) for one in files if one.route == route]
        assert sum(10 <= size <= 200 for size in sizes) >= 8, route
    assert max(len(one.commands) for one in files) > 100
    assert sum(None in one.commands for one in files) >= 5
    assert sum(_has_twice(one, same=True) for one in files) >= 3
    assert sum(_has_twice(one, same=False) for one in files) >= 3
    lanes = Counter(one.group for one in files if one.group.startswith("lane:"))
    assert max(lanes.values()) >= 3
    assert all(one.message == bulk_of(one.bodies) for one in files)


def _has_twice(element: Planned, *, same: bool) -> bool:
    """Whether an id stands twice in it, with the same content or with another."""
    said: dict[str, list[Command]] = {}
    for one in element.commands:
        if one is not None:
            said.setdefault(one.id, []).append(one)
    return any((some[0] == some[-1]) is same for some in said.values() if len(some) > 1)


def test_striped_accounts_are_opened_spread_and_given_up() -> None:
    """From the beginning, and by a command of its own, both ways; and all that can be done to an
    account is done to such ones."""
    for seed in SEEDS:
        sent = [one for each in planned(seed).elements for one in each.commands if one]
        flat = [
            one
            for command in sent
            for one in (command.commands if isinstance(command, AtomicBatch) else (command,))
        ]
        striped = {
            one.account
            for one in flat
            if isinstance(one, OpenAccount) and one.stripes not in (UNSET, 1)
        }
        spread = [one for one in flat if isinstance(one, SetStripes)]
        assert len(striped) >= 10
        assert {1, 2} & {one.stripes for one in spread}
        assert max(one.stripes for one in spread) >= 4
        about = {type_of(one) for one in flat if getattr(one, "account", None) in striped}
        assert {"account.freeze", "account.close", "account.set_limits"} <= about
        payers = {
            leg.source
            for one in flat
            for leg in getattr(one, "postings", ())
            if hasattr(leg, "source")
        }
        assert len(payers & striped) >= 6


def test_deduplication_ids_are_of_one_content() -> None:
    """SQS drops what has an id again: two messages have the same only if they say the same."""
    said: dict[tuple[str, str], bytes] = {}
    for element in planned(4, 6_000).elements:
        if element.route == "fifo":
            key = (element.group, element.deduplication)
            assert said.setdefault(key, element.message) == element.message, key


@pytest.mark.parametrize("seed", SEEDS)
def test_most_is_accepted_and_the_rest_refused_in_many_ways(seed: int) -> None:
    """Played in its order, without a world: 10 to 20 in a hundred are refused, some repeat, some
    do not match, a few are malformed, and some turn out too large."""
    outcomes, reasons = _played(planned(seed))
    decided = outcomes["accepted"] + outcomes["rejected"]
    assert 0.80 < outcomes["accepted"] / decided < 0.92
    assert len(reasons) >= 22
    assert max(reasons.values()) < 0.5 * reasons.total()
    assert outcomes["repeat"] >= 100
    assert outcomes["mismatch"] >= 10
    assert 30 <= outcomes["malformed"] <= 60
    assert 1 <= outcomes["transaction_too_large"] <= 5


def _played(plan: Plan) -> tuple[Counter[str], Counter[str]]:
    now = 0
    commands = Commands(
        MemoryEventStore(), clock=lambda: now, pause=lambda _: None, chance=lambda: 0.0
    )
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for element in plan.elements:
        now = element.at
        for command in element.commands:
            if command is None:
                outcomes["malformed"] += 1
                continue
            ask = commands.preview if element.route == "dry_run" else commands.handle
            try:
                outcome = ask(command, "somebody")
            except InvalidCommandError as error:
                outcomes[error.violations[0].reason.code] += 1
                continue
            if isinstance(outcome, Mismatch):
                outcomes["mismatch"] += 1
            elif outcome.repeat:
                outcomes["repeat"] += 1
            elif isinstance(outcome.event, CommandRejected):
                outcomes["rejected"] += 1
                reasons[outcome.event.reason] += 1
            else:
                outcomes["accepted"] += 1
    return outcomes, reasons


def test_time_has_bursts_and_gaps_and_a_midnight() -> None:
    """Tens of commands in some seconds, gaps of many minutes, and a day that ends."""
    plan = planned()
    times = [one.at for one in plan.elements if one.commands]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(gaps) > 10 * 60 * SECOND
    busiest = max(sum(start <= at < start + 2 * SECOND for at in times) for start in times[::20])
    assert busiest >= 20
    midnight = BEGINS + 3 * 3_600 * SECOND
    assert sum(abs(at - midnight) < 60 * SECOND for at in times) >= 3
    assert plan.ends - plan.begins < 3 * 86_400 * SECOND


def test_every_story_can_be_told() -> None:
    """None has an id twice but for what is a repeat on purpose, nor an order that time denies."""
    plan = planned(4, 6_000)
    first: dict[str, int] = {}
    for element in plan.elements:
        for command in element.commands:
            if command is not None and element.route != "dry_run":
                first.setdefault(command.id, element.at)
    batches = [
        one for each in plan.elements for one in each.commands if isinstance(one, AtomicBatch)
    ]
    assert max(len(one.commands) for one in batches) >= 20
    assert len(STORIES) >= 50
    assert len(first) > 5_000


def test_members_of_a_group_stay_in_their_order() -> None:
    """What one client sends into a group is planned in the order in which it must be decided."""
    chains: dict[str, list[str]] = {}
    for seed in range(1, 7):
        for element in planned(seed).elements:
            if element.route == "fifo" and element.group.startswith("story:chain"):
                command = element.commands[0]
                if command is not None and ":again" not in element.deduplication:
                    chain = chains.setdefault(f"{seed} {element.group}", [])
                    chain.append(command.id.split(":")[-1])
    assert chains
    wanted = ["open-1", "open-2", "in", "over", "half", "rest", "back", "out", "close-1", "close-2"]
    for ids in chains.values():
        known = [one for one in ids if one in wanted]
        assert list(dict.fromkeys(known)) == [one for one in wanted if one in known]


def test_a_plan_costs_next_to_nothing() -> None:
    """2,000 commands in well under the time that a run of them takes."""
    begun = time.process_time()
    plan_of(99, 2_000, BEGINS)
    assert time.process_time() - begun < 0.5


def test_groups_of_single_messages_are_the_default_ones() -> None:
    """As senders are told to: the account first named, or the payment."""
    single = [
        one
        for one in planned().elements
        if one.route == "fifo" and not one.group.startswith("story:") and one.commands != (None,)
        if not one.bodies
    ]
    assert single
    for one in single:
        assert one.commands[0] is not None
        assert one.group == default_ordering_key(one.commands[0])
