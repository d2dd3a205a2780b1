"""Generations: who writes and reads which, as far as workers know; what the table is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from ledger.consuming.batches import Handled
from ledger.contracts.events import Event
from ledger.contracts.primitives import ID_ALPHABET
from ledger.runtime.faults import BrokenItemError, StoreError
from projections.generations import pointer as phases
from projections.generations.keys import FIRST, POINTER, partition_of, place_of
from projections.generations.pointer import Pointer
from projections.generations.table import RETIRED, DynamoGenerations
from projections.generations.views import (
    MOVING,
    VIEW_SECONDS,
    Generational,
    GenerationGoneError,
    Views,
)
from tests.properties.projection_streams import four_events

IDS = st.from_regex(f"[{ID_ALPHABET}]{{1,64}}", fullmatch=True)
EVENTS: Sequence[Event] = four_events().events
SECOND = 1_000_000
STEADY = Pointer()
BUILDING = phases.begun(STEADY, "t1")
SWAPPING = phases.swapping(BUILDING, "t2")
SWAPPED = phases.swapped(SWAPPING, "t3")
SWEPT = phases.swept(SWAPPED, "t4")
ABANDONED = phases.abandoned(BUILDING, "t3")


@given(IDS, st.integers(1, 10_000))
def test_a_key_says_its_generation_and_account(account: str, generation: int) -> None:
    """And no account's key of any generation is another's, or the pointer's."""
    partition = partition_of(account, generation)
    assert place_of(partition) == (generation, account)
    assert partition != POINTER


@pytest.mark.parametrize("partition", [POINTER, "x/a", "²/a", "/a"])
def test_what_is_of_no_generation_has_no_place(partition: str) -> None:
    """The pointer, and whatever somebody else may have put there."""
    assert place_of(partition) is None


@pytest.mark.parametrize(
    ("pointer", "written", "answering"),
    [
        (STEADY, (1,), 1),
        (BUILDING, (1, 2), 1),
        (SWAPPING, (1, 2), 2),
        (SWAPPED, (2,), 2),
        (SWEPT, (2,), 2),
        (ABANDONED, (1,), 1),
    ],
    ids=lambda value: getattr(value, "phase", None),
)
def test_each_phase_says_what_is_written_and_what_answers(
    pointer: Pointer, written: tuple[int, ...], answering: int
) -> None:
    """The live one first: what is in the new one is in the live one."""
    assert (pointer.written, pointer.answering) == (written, answering)


def test_no_phase_is_entered_but_from_the_one_before() -> None:
    """A change that does not fit is a bug of the caller's."""
    for change in (phases.swapping, phases.swapped, phases.abandoned, phases.swept):
        with pytest.raises(ValueError, match="not while steady"):
            change(STEADY, "t")
    with pytest.raises(ValueError, match="not while building"):
        phases.begun(BUILDING, "t")
    with pytest.raises(ValueError, match="no generation is built"):
        _ = SWAPPED.built


def test_a_number_is_never_used_again() -> None:
    """Not after a swap and not after an abort."""
    assert phases.begun(SWEPT, "t").other == 3
    assert phases.begun(phases.swept(ABANDONED, "t"), "t").other == 3


@dataclass
class Stage:
    """A pointer that a test moves, a clock that it turns, and stores that are lists."""

    pointer: Pointer = STEADY
    now: int = 0
    looks: int = 0
    out: bool = False
    stores: dict[int, list[str]] = field(default_factory=lambda: {1: [], 2: []})
    meanwhile: Callable[[int], None] = lambda _: None

    def look(self) -> Pointer:
        """As a table does."""
        self.looks += 1
        if self.out:
            raise StoreError("ThrottlingException")
        return self.pointer

    def store_of(self, generation: int) -> list[str]:
        """The store of a generation; what a test wants to happen first happens first."""
        self.meanwhile(generation)
        return self.stores[generation]

    def user(self) -> Generational[list[str]]:
        """A worker or reader without a view yet."""
        return Generational(Views(self.look, clock=lambda: self.now), self.store_of)

    def turn(self, pointer: Pointer, seconds: float = VIEW_SECONDS) -> None:
        """The pointer moves, and time passes."""
        self.pointer = pointer
        self.now += round(seconds * SECOND)


def project(store: list[str], events: Sequence[Event]) -> Handled:
    """Write the events' ids."""
    store += [event.id for event in events]
    return Handled({}, {"Writes": len(events)})


def newest(store: list[str]) -> tuple[int, ...]:
    """How many events a store has."""
    return (len(store),)


def read(user: Generational[list[str]], generation: int | None = None) -> tuple[list[str], int]:
    """What a user reads, and of which generation."""
    answer = user.read(list, newest, generation)
    return answer.value, answer.generation


def test_a_look_lasts_for_its_time_and_no_longer() -> None:
    """One read in five seconds, however much is asked; set back, the clock makes it old."""
    stage = Stage(now=10 * SECOND)
    views = Views(stage.look, clock=lambda: stage.now)
    for _ in range(100):
        views.current()
    stage.now += 5 * SECOND - 1
    views.current()
    assert stage.looks == 1
    stage.now += 1
    views.current()
    assert stage.looks == 2
    stage.now -= 1
    views.current()
    assert stage.looks == 3


def test_a_look_that_failed_leaves_no_view() -> None:
    """Neither the one before nor none at all is gone by."""
    stage = Stage()
    views = Views(stage.look, clock=lambda: stage.now)
    views.current()
    stage.turn(BUILDING)
    stage.out = True
    for _ in range(2):
        with pytest.raises(StoreError):
            views.current()
    stage.out = False
    assert views.current() == BUILDING


def test_events_are_written_to_every_generation_the_live_one_first() -> None:
    """And counted as what they are."""
    stage = Stage(BUILDING)
    order: list[int] = []
    stage.meanwhile = order.append
    handled = stage.user().project(project, EVENTS)
    assert order == [1, 2]
    assert stage.stores[1] == stage.stores[2] == [event.id for event in EVENTS]
    assert handled == Handled({}, {"Writes": 4, "BuildingWrites": 4})


def test_what_failed_in_the_live_generation_is_not_written_to_the_new_one() -> None:
    """Else the new one would be ahead, and answers could go back to the live one's."""
    stage = Stage(BUILDING)

    def refusing(store: list[str], events: Sequence[Event]) -> Handled:
        project(store, events)
        return Handled({1: "no"} if store is stage.stores[1] else {})

    handled = stage.user().project(refusing, EVENTS)
    assert handled.failed == {1: "no"}
    assert stage.stores[2] == [event.id for event in EVENTS if event is not EVENTS[1]]


def test_what_failed_in_the_new_generation_alone_has_failed() -> None:
    """The message comes back, under its own place in the batch."""
    stage = Stage(BUILDING)

    def refusing(store: list[str], events: Sequence[Event]) -> Handled:
        return Handled({0: "first"} if store is stage.stores[1] else {len(events) - 1: "second"})

    assert stage.user().project(refusing, EVENTS).failed == {0: "first", 3: "second"}


def test_a_worker_that_was_slow_writes_what_is_to_be_written_now() -> None:
    """A generation that began while the live one was written gets the events before they are done:
    so whoever begins one need only wait as long as a view lasts."""
    stage = Stage()

    def slow(generation: int) -> None:
        if generation == 1:
            stage.turn(BUILDING)

    stage.meanwhile = slow
    assert stage.user().project(project, EVENTS).failed == {}
    assert stage.stores[1] == stage.stores[2] == [event.id for event in EVENTS]


def test_without_the_pointer_nothing_is_done() -> None:
    """Every message comes back, with why."""
    stage = Stage(out=True)
    handled = stage.user().project(project, EVENTS)
    assert handled.failed == dict.fromkeys(range(4), "ThrottlingException")
    assert stage.stores[1] == []


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [(STEADY, 1), (BUILDING, 1), (SWAPPING, 2), (SWAPPED, 2), (ABANDONED, 1)],
    ids=lambda value: getattr(value, "phase", None),
)
def test_an_answer_is_of_the_generation_that_the_phase_says(
    pointer: Pointer, expected: int
) -> None:
    """And says which one it is of."""
    stage = Stage(pointer, stores={1: ["a", "b"], 2: ["a", "b"]})
    assert read(stage.user()) == (["a", "b"], expected)


def test_an_answer_of_the_new_generation_is_not_behind_the_live_one() -> None:
    """It waits for the new one for a moment; then the answer is `not now`."""
    stage = Stage(SWAPPING, stores={1: ["a", "b"], 2: ["a"]})
    with pytest.raises(StoreError, match=MOVING):
        read(stage.user())
    looks: list[int] = []

    def arrives(generation: int) -> None:
        looks.append(generation)
        if looks == [1, 2, 2]:
            stage.stores[2].append("b")

    stage.meanwhile = arrives
    assert read(stage.user()) == (["a", "b"], 2)


def test_an_answer_that_took_too_long_is_given_anew() -> None:
    """The generation that it was read from may be deleted by now."""
    stage = Stage(BUILDING, stores={1: ["a"], 2: ["a", "b"]})
    turns = iter([SWAPPED])

    def slow(_: int) -> None:
        stage.turn(next(turns, SWAPPED))

    stage.meanwhile = slow
    assert read(stage.user()) == (["a", "b"], 2)


def test_an_answer_is_not_tried_for_ever() -> None:
    """If the pointer moves at every try, the answer is `not now`."""
    stage = Stage()
    stage.meanwhile = lambda _: stage.turn(Pointer(revision=stage.pointer.revision + 1))
    with pytest.raises(StoreError, match=MOVING):
        read(stage.user())


def test_a_generation_that_is_asked_for_answers_or_nobody_does() -> None:
    """The old one until it is retired, then never again; a newer one than the view knows is looked
    for once."""
    stage = Stage(SWAPPING, stores={1: ["old"], 2: ["new"]})
    reader = stage.user()
    assert read(reader, 1) == (["old"], 1)
    assert read(reader, 2) == (["new"], 2)
    stage.turn(SWAPPED)
    with pytest.raises(GenerationGoneError):
        read(reader, 1)
    behind = Stage(STEADY, stores={1: ["old"], 2: ["new"]})
    reader = behind.user()
    read(reader)
    behind.pointer = SWAPPING
    assert read(reader, 2) == (["new"], 2)
    with pytest.raises(GenerationGoneError):
        read(reader, 3)


def test_what_others_swap_to_is_compared_even_by_who_does_not_know_it_yet() -> None:
    """A page of the new generation, asked for while the view says that it is only built."""
    stage = Stage(BUILDING, stores={1: ["a", "b"], 2: ["a"]})
    with pytest.raises(StoreError, match=MOVING):
        read(stage.user(), 2)


@pytest.fixture
def stubbed() -> Any:
    """The generations of a table whose client answers what it is told to, and the stub."""
    client = boto3.client(
        "dynamodb", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    waits: list[float] = []
    table = DynamoGenerations(
        client, "history", sorted_rows=True, random=lambda: 1.0, sleep=waits.append
    )
    return table, Stubber(client), waits


def keys(*versions: int, account: str = "a") -> list[dict[str, Any]]:
    """Keys of items of the first generation."""
    return [{"pk": {"S": account}, "sk": {"N": str(version)}} for version in versions]


def deletion(*items: dict[str, Any]) -> dict[str, Any]:
    """The request that deletes items, or what is left of one."""
    return {"history": [{"DeleteRequest": {"Key": item}} for item in items]}


def test_a_deletion_goes_on_until_nothing_is_left_unprocessed(stubbed: Any) -> None:
    """After a wait, and only with what is left."""
    table, stub, waits = stubbed
    items = keys(1, 2)
    left = deletion(items[1])
    stub.add_response("scan", {"Items": [*items, *keys(1, account="2/a")]})
    asked = {"RequestItems": deletion(*items)}
    stub.add_response("batch_write_item", {"UnprocessedItems": left}, asked)
    stub.add_client_error("batch_write_item", "ProvisionedThroughputExceededException")
    stub.add_response("batch_write_item", {}, {"RequestItems": left})
    with stub:
        assert list(table.sweep(SWAPPED)) == [2]
        stub.assert_no_pending_responses()
    assert waits == [0.1, 0.2]


def test_a_deletion_that_gets_nowhere_ends(stubbed: Any) -> None:
    """With the code of what stood in the way; to begin it again is safe."""
    table, stub, waits = stubbed
    stub.add_response("scan", {"Items": keys(1)})
    for _ in range(12):
        stub.add_client_error("batch_write_item", "ThrottlingException")
    with stub, pytest.raises(StoreError, match="ThrottlingException"):
        list(table.sweep(SWAPPED))
    assert len(waits) == 12


@pytest.mark.parametrize("generation", [1, 3])
def test_a_scan_of_what_was_retired_meanwhile_is_no_answer(stubbed: Any, generation: int) -> None:
    """Some of it may have been deleted before it was reached."""
    table, stub, _ = stubbed
    pointer = {"revision": {"N": "3"}, "phase": {"S": "retired"}, "live": {"N": "2"}}
    stub.add_response("scan", {"Items": keys(1)})
    stub.add_response("get_item", {"Item": pointer | {"other": {"N": "1"}, "newest": {"N": "2"}}})
    with stub, pytest.raises(StoreError, match=RETIRED):
        list(table.scanned(generation))


def test_a_pointer_that_nobody_wrote_is_refused(stubbed: Any) -> None:
    """Rather than to write and read a generation that is a guess."""
    table, stub, _ = stubbed
    stub.add_response("get_item", {"Item": {"phase": {"S": "resting"}}})
    with stub, pytest.raises(BrokenItemError):
        table.pointer()


def test_errors_of_aws_come_with_their_code(stubbed: Any) -> None:
    """From every request."""
    table, stub, _ = stubbed
    calls: list[tuple[str, Callable[[], object]]] = [
        ("get_item", table.pointer),
        ("put_item", lambda: table.replace(STEADY, BUILDING)),
        ("scan", lambda: list(table.scanned(FIRST))),
        ("scan", lambda: list(table.sweep(SWAPPED))),
    ]
    for operation, _ in calls:
        stub.add_client_error(operation, "AccessDeniedException")
    with stub:
        for _, call in calls:
            with pytest.raises(StoreError, match="AccessDeniedException"):
                call()
