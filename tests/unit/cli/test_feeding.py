"""Feeding a source: order within a key, the split over entry points, phases, and the tally."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from threading import Barrier, Event, Lock
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.cli.feeding.bulk import GROUPS, gathered, group_of
from ledger.cli.feeding.emptying import (
    EMPTY_LOOKS,
    STALLED_SECONDS,
    StalledError,
    wait_until_empty,
)
from ledger.cli.feeding.feed import Feed
from ledger.cli.feeding.lanes import Lanes, lane_of
from ledger.cli.feeding.outcomes import SURPRISES_KEPT, Outcomes
from ledger.cli.feeding.routes import Entry, keeps_order, through_all, through_one
from ledger.client.answers import Accepted, Refused
from ledger.client.messages import Message
from ledger.contracts.commands import BULK_BYTES_MAX, BULK_COMMANDS_MAX, bulk_in, bulk_of
from ledger.importers.generated import generate
from ledger.importers.instructions import Instruction, Phase


def instruction(
    number: int, key: str = "k", *, body: bytes = b"{}", expected: str = "posted"
) -> Instruction:
    """An instruction that tells its number."""
    return Instruction(body, "payment.post", f"p{number}", key, expected, f"file:{number}")


@settings(max_examples=20)
@given(keys=st.lists(st.sampled_from("abcdefg"), max_size=200), lanes=st.integers(1, 5))
def test_lanes_keep_the_order_of_each_key(keys: list[str], lanes: int) -> None:
    """Every item is worked on once, and those of one key in their order."""
    done: defaultdict[str, list[int]] = defaultdict(list)
    lock = Lock()

    def work(item: tuple[int, str]) -> None:
        with lock:
            done[item[1]].append(item[0])

    Lanes(lanes, work).run(enumerate(keys), key=lambda item: item[1])
    assert sum(map(len, done.values())) == len(keys)
    assert all(numbers == sorted(numbers) for numbers in done.values())


def test_lanes_work_at_the_same_time() -> None:
    """Two keys of two lanes meet: each waits until the other has come."""
    assert crc32(b"a") % 2 != crc32(b"d") % 2
    both = Barrier(2, timeout=10)
    Lanes[str](2, lambda _: _meet(both)).run(["a", "d"], key=str)


def _meet(both: Barrier) -> None:
    both.wait()


@settings(max_examples=30, deadline=None)
@given(
    keys=st.lists(st.sampled_from("abcdefg"), max_size=60),
    sizes=st.lists(st.sampled_from([2, 300, 400_000]), min_size=60, max_size=60),
    lanes=st.integers(1, 4),
)
def test_what_is_gathered_fits_a_request_and_keeps_the_order_of_each_key(
    keys: list[str], sizes: list[int], lanes: int
) -> None:
    """Every instruction once, in lists of one lane each; those of a key in their order."""
    given_ = [
        instruction(n, key, body=b" " * size)
        for n, (key, size) in enumerate(zip(keys, sizes, strict=False))
    ]
    found = list(gathered(iter(given_), lanes))
    for request in found:
        assert len({lane_of(one.ordering_key, lanes) for one in request}) == 1
        assert len(bulk_of(one.body for one in request)) <= BULK_BYTES_MAX
    for key in set(keys):
        numbers = [
            one.command_id for request in found for one in request if one.ordering_key == key
        ]
        assert numbers == [one.command_id for one in given_ if one.ordering_key == key]
    many = [instruction(n) for n in range(2 * BULK_COMMANDS_MAX + 1)]
    assert [len(request) for request in gathered(many, 1)] == [BULK_COMMANDS_MAX] * 2 + [1]


def test_message_groups_of_a_feed_are_few_and_hold_whole_keys() -> None:
    """Many keys share a group, so that there is something to gather."""
    groups = {key: group_of(key) for key in map(str, range(1_000))}
    assert groups == {key: group_of(key) for key in groups}
    assert len(set(groups.values())) == GROUPS


def test_the_first_failure_stops_all_lanes() -> None:
    """What a lane raises reaches the caller; what was not begun is left."""
    done: list[int] = []

    def work(number: int) -> None:
        if number == 3:
            raise ValueError("the third")
        done.append(number)

    with pytest.raises(ValueError, match="the third"):
        Lanes(1, work).run(range(10_000), key=str)
    assert done == [0, 1, 2]


def test_a_failure_of_the_source_stops_the_lanes_too() -> None:
    """A source that breaks while it is read ends the run, without a thread left behind."""

    def broken() -> Iterable[int]:
        yield 1
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        Lanes[int](2, lambda _: None).run(broken(), key=str)


def test_the_default_source_goes_through_all_entries_the_same_way_every_time() -> None:
    """Each entry gets a good share; the same key of a phase always takes the same one."""
    for phase in generate().phases[1:]:
        routes = through_all(phase)
        assert routes == through_all(phase)
        assert Counter(chain(*routes.values())) == Counter(phase.instructions)
        shares = {entry: len(ones) / len(phase.instructions) for entry, ones in routes.items()}
        assert all(share > 0.1 for share in shares.values()), shares


@given(
    keys=st.lists(st.sampled_from("abcdefghij"), max_size=60),
    bodies=st.lists(st.sampled_from([b"{}", b"[]", b"{", b"\xff"]), min_size=60, max_size=60),
    ordered=st.booleans(),
)
def test_the_bus_gets_what_it_can_carry_only(
    keys: list[str], bodies: list[bytes], ordered: bool
) -> None:
    """JSON objects; and of an ordered phase no key that occurs twice. Each entry keeps order."""
    phase = Phase(
        "p",
        tuple(
            instruction(number, key, body=body)
            for number, (key, body) in enumerate(zip(keys, bodies, strict=False))
        ),
        ordered=ordered,
    )
    routes = through_all(phase)
    assert Counter(chain(*routes.values())) == Counter(phase.instructions)
    for one in routes[Entry.BUS]:
        assert one.body == b"{}"
        assert not ordered or keys.count(one.ordering_key) == 1
    for ones in routes.values():
        numbers = [int(one.command_id[1:]) for one in ones]
        assert numbers == sorted(numbers)
    if ordered:
        entries_of_key = defaultdict(set)
        for entry, ones in routes.items():
            for one in ones:
                entries_of_key[one.ordering_key].add(entry)
        assert all(len(entries) == 1 for entries in entries_of_key.values())


def test_what_the_bus_refuses_goes_through_the_queue() -> None:
    """A truncated command sent over the bus alone would end the whole load."""
    good, bad = instruction(1), instruction(2, body=b'{"type"')
    routes = through_one(Phase("p", (good, bad)), Entry.BUS)
    assert routes == {Entry.BUS: [good], Entry.QUEUE: [bad]}
    assert through_one(Phase("p", (good, bad)), Entry.REST)[Entry.REST] == [good, bad]


def test_an_ordered_phase_does_not_go_over_the_bus_alone() -> None:
    """`load --through bus` of rows that need their order is refused beforehand."""
    ordered, free = Phase("o", (), ordered=True), Phase("f", ())
    assert keeps_order([ordered], Entry.REST)
    assert keeps_order([ordered], Entry.QUEUE)
    assert keeps_order([free], Entry.BUS)
    assert not keeps_order([free, ordered], Entry.BUS)


def test_outcomes_are_told_apart_and_surprises_named() -> None:
    """Posted by status, refusals by reason, repeats as such; a refusal stays one if repeated."""
    outcomes = Outcomes()
    refused = Refused(422, "insufficient_funds", "new_id", "", "", {})
    repeated = Refused(422, "insufficient_funds", "new_id", "", "", {}, repeat=True)
    outcomes.add_reply(instruction(1), Accepted({"status": "posted"}))
    outcomes.add_reply(instruction(2), Accepted({"status": "posted"}, repeat=True))
    outcomes.add_reply(instruction(3, expected="repeat"), repeated)
    outcomes.add_reply(instruction(4, expected="insufficient_funds"), refused)
    assert outcomes.surprises == []
    for number in range(5, 30):
        outcomes.add_reply(instruction(number), refused)
    outcomes.add_reply(instruction(30), repeated)
    assert outcomes.answered == {"posted": 1, "repeat": 3, "insufficient_funds": 26}
    assert outcomes.surprised == 26
    assert len(outcomes.surprises) == SURPRISES_KEPT
    assert outcomes.surprises[0] == ("file:5", "p5", "posted", "insufficient_funds")
    assert outcomes.sent == {Entry.REST: 30}


class Queues:
    """GetQueueAttributes whose depths come from a script, the last one for ever."""

    def __init__(self, *depths: int) -> None:
        self.depths = list(depths)
        self.looks = 0

    def get_queue_attributes(self, **_: object) -> dict[str, Any]:
        self.looks += 1
        depth = self.depths.pop(0) if len(self.depths) > 1 else self.depths[0]
        return {"Attributes": {"visible": str(depth), "not visible": "0", "delayed": "0"}}


class Ticking:
    """A clock that a pause moves."""

    now = 0.0

    def pause(self, seconds: float) -> None:
        self.now += seconds

    def clock(self) -> float:
        return self.now


def test_queues_are_empty_when_they_were_so_several_times() -> None:
    """One empty look proves nothing: a message may be between bus and queue."""
    queues, ticking = Queues(5, 0, 0, 3, 0), Ticking()
    seen: list[int] = []
    wait_until_empty(
        cast(Any, queues), ["u"], on_look=seen.append, pause=ticking.pause, clock=ticking.clock
    )
    assert seen == [5, 0, 0, 3] + [0] * EMPTY_LOOKS


def test_queues_that_do_not_move_are_a_stall() -> None:
    """The wait is bounded, and names what is left."""
    ticking = Ticking()
    with pytest.raises(StalledError, match="2 in commands"):
        wait_until_empty(
            cast(Any, Queues(2)), ["http://x/commands"], pause=ticking.pause, clock=ticking.clock
        )
    assert STALLED_SECONDS < ticking.now < STALLED_SECONDS + 2


class Recorder:
    """A connection that keeps what goes in, and looks at the queues as if they were emptied."""

    def __init__(self) -> None:
        self.log: list[tuple[str, str]] = []
        self.config = self
        self.sqs = Queues(0)

    def output(self, key: str) -> str:
        return key

    def api(self, connections: int) -> Recorder:
        assert connections == 1
        return self

    def send_each(self, commands: Sequence[tuple[str, bytes]]) -> Any:
        self.log += [("rest", body.decode()) for _, body in commands]
        return [Accepted({"status": "posted"})] * len(commands)

    def bus(self) -> Sender:
        return Sender(self.log, "bus")

    def fifo(self) -> Sender:
        return Sender(self.log, "queue")


class Sender:
    """Both asynchronous senders."""

    def __init__(self, log: list[tuple[str, str]], name: str) -> None:
        self._log = log
        self._name = name

    def send(self, messages: Iterable[Message]) -> int:
        for message in messages:
            bodies = bulk_in(message.body) or [message.body]
            assert len(bodies) == message.commands
            self._log += [(self._name, body.decode()) for body in bodies]
        return 0


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.cli.feeding.feed.wait_until_empty", _look_once)


def _look_once(sqs: Any, urls: Iterable[str], **_: Any) -> None:
    for _url in urls:
        sqs.get_queue_attributes()


@pytest.mark.usefixtures("no_pause")
@pytest.mark.parametrize("entry", list(Entry))
def test_a_phase_begins_when_the_one_before_is_decided(entry: Entry) -> None:
    """In order of phases; what has no answer is waited for by looking at the queues."""
    phases = [
        Phase(
            name, tuple(instruction(n, body=b'{"%s":%d}' % (name.encode(), n)) for n in range(25))
        )
        for name in "ab"
    ]
    recorder = Recorder()
    advanced: list[int] = []
    outcomes = Outcomes()
    feed = Feed(cast(Any, recorder), outcomes, threads=1, advance=advanced.append)
    feed.send(phases, lambda phase: through_one(phase, entry))
    assert recorder.log == [(entry.value, f'{{"{name}":{n}}}') for name in "ab" for n in range(25)]
    assert sum(advanced) == 50
    assert outcomes.sent == {entry: 50}
    assert recorder.sqs.looks == (0 if entry is Entry.REST else 4)


class Failing(Recorder):
    """A connection whose bus is gone, while REST would go on for long."""

    def bus(self) -> Any:
        raise_ = Mock(side_effect=OSError("the bus is gone"))
        return SimpleNamespace(send=raise_)

    def send_each(self, commands: Sequence[tuple[str, bytes]]) -> Any:
        self.slow.wait(0.01)
        return super().send_each(commands)

    slow = Event()


@pytest.mark.usefixtures("no_pause")
def test_a_failing_entry_ends_the_others_soon() -> None:
    """What one entry raises is raised at once, not when the others have sent everything."""
    long = b'{"x":"%s"}' % (b"x" * 60_000)
    phase = Phase("p", tuple(instruction(n, str(n), body=long) for n in range(2_000)))
    recorder = Failing()
    feed = Feed(cast(Any, recorder), Outcomes(), threads=1, advance=lambda _: None)
    with pytest.raises(OSError, match="the bus is gone"):
        feed.send([phase], through_all)
    sent = Counter(entry for entry, _ in recorder.log)
    assert sent["rest"] < 1_000
