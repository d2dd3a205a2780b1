"""Whatever fails while dead letters are sent back: none is lost, and each goes back in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.client.retries import Retries
from ledger.upkeep.dead_letters.queues import HOLD_SECONDS, DeadLetterQueue, SourceQueue
from ledger.upkeep.dead_letters.redrive import Orders, Report, StoppedError, redrive
from tests.support.queues import MemorySqs, Stored

FAULTS = st.sampled_from((None, None, "before", "after", "some"))
#: The fate of one run: a fault for each of its first calls, after which it may be killed.
RUNS = st.lists(
    st.tuples(st.lists(FAULTS, max_size=25), st.booleans(), st.integers(0, 2 * HOLD_SECONDS)),
    max_size=4,
)
GROUPS = ("a", "b", "c")


class KilledError(BaseException):
    """The process is gone, and with it every call that it still wanted to make."""


@dataclass
class World:
    """A queue, its dead letters, and what has become of each letter, by its body.

    The consumer handles all but what is `poisoned`, which dies again.
    """

    fifo: bool
    poisoned: frozenset[str] = frozenset()
    sqs: MemorySqs = field(default_factory=MemorySqs)
    handled: list[str] = field(default_factory=list)

    @property
    def source(self) -> str:
        """The URL of the queue."""
        return "queue.fifo" if self.fifo else "queue"

    @property
    def dead(self) -> str:
        """The URL of its dead-letter queue."""
        return "dlq.fifo" if self.fifo else "dlq"

    def consume(self, limit: int) -> None:
        """What the consumer does with the first messages of its queue."""
        messages = self.sqs.queues.get(self.source, [])
        for message in messages[:limit]:
            if message.body in self.poisoned:
                self.sqs.queues.setdefault(self.dead, []).append(_died(message))
            else:
                self.handled.append(message.body)
        del messages[:limit]

    def places(self) -> Counter[str]:
        """How often each letter is anywhere."""
        return Counter([*self.handled, *self.sqs.bodies(self.source), *self.sqs.bodies(self.dead)])

    def run(self, orders: Orders = Orders()) -> Report:  # noqa: B008 - immutable
        """One run of the redrive, by a process of its own."""
        sqs: Any = self.sqs
        queue = SourceQueue(sqs, name="queue", url=self.source)
        place = DeadLetterQueue(sqs, name="queue", url=self.dead, destination=queue)
        return redrive(place, orders, retries=Retries(attempts_max=3, pause=lambda _: None))


def _died(message: Stored) -> Stored:
    """The message as SQS moves it to the dead letters: its id stays."""
    moved = {**message.system, "DeadLetterQueueSourceArn": "arn:aws:sqs:::source"}
    return Stored(message.id, message.body, message.attributes, moved)


def _fated(faults: list[str | None], kill: bool) -> Callable[[str], str | None]:
    waiting = list(faults)

    def fault(_: str) -> str | None:
        if waiting:
            return waiting.pop(0)
        if kill:
            raise KilledError
        return None

    return fault


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
@given(data=st.data())
def test_no_interleaving_of_failures_loses_a_letter(fifo: bool, data: st.DataObject) -> None:
    """Calls fail undone, fail though they were done, or are half done; runs are killed; the
    consumer goes on meanwhile. At each moment every letter is somewhere, as it was; and a run that
    nothing disturbs leaves in the dead letters only what can never succeed, and what has died again
    since an earlier run sent it: SQS takes that for the same message, and so does the redrive."""
    bodies = [f"letter {number}" for number in range(data.draw(st.integers(0, 25), "letters"))]
    some = st.sets(st.sampled_from(bodies)) if bodies else st.just(set[str]())
    hopeless = data.draw(some, "hopeless")
    poisoned = data.draw(some, "poisoned")
    world = World(fifo, frozenset(poisoned))
    for number, body in enumerate(bodies):
        said = {"reason": "card_number", "retry": "never", "source_message_id": "m"}
        attributes = {
            name: {"DataType": "String", "StringValue": value}
            for name, value in (said if body in hopeless else {"mark": body}).items()
        }
        group = GROUPS[number % len(GROUPS)] if fifo else ""
        world.sqs.put(world.dead, body, attributes=attributes, group=group)

    def meanwhile(_: str) -> None:
        assert set(world.places()) == set(bodies)
        world.consume(data.draw(st.integers(0, 3), "consumed"))

    world.sqs.on_call = meanwhile
    for faults, kill, pause in data.draw(RUNS, "runs"):
        world.sqs.fault = _fated(faults, kill)
        with suppress(StoppedError, KilledError):
            world.run()
        assert set(world.places()) == set(bodies)
        world.sqs.now += pause

    world.sqs.fault, world.sqs.on_call = lambda _: None, lambda _: None
    world.sqs.now += HOLD_SECONDS
    report = world.run()

    left = Counter(world.sqs.bodies(world.dead))
    back = Counter([*world.handled, *world.sqs.bodies(world.source)])
    assert set(left) | set(back) == set(bodies)
    if not (fifo and report.unseen):
        again = {m.body for m in world.sqs.queues[world.dead] if m.id in report.came_back}
        assert set(left) <= hopeless | (again & poisoned)
        assert not report.kept
    assert set(world.sqs.visible(world.dead)) == set(left)
    for message in world.sqs.queues.get(world.source, []):
        assert message.attributes == {"mark": {"DataType": "String", "StringValue": message.body}}


@given(
    letters=st.lists(st.sampled_from(GROUPS), max_size=40),
    runs=RUNS,
    consumed=st.integers(0, 3),
)
def test_the_order_of_a_group_survives_every_failure(
    letters: list[str], runs: list[tuple[list[str | None], bool, int]], consumed: int
) -> None:
    """However often a redrive is disturbed and repeated, no letter arrives before an earlier one of
    its group has arrived."""
    world = World(fifo=True)
    for number, group in enumerate(letters):
        world.sqs.put(world.dead, f"{group}{number:02}", group=group)
    world.sqs.on_call = lambda _: world.consume(consumed)
    for faults, kill, pause in runs:
        world.sqs.fault = _fated(faults, kill)
        with suppress(StoppedError, KilledError):
            world.run()
        world.sqs.now += pause
    world.sqs.now += HOLD_SECONDS
    world.sqs.fault = lambda _: None
    world.run()
    arrived = [*world.handled, *world.sqs.bodies(world.source)]
    for group in GROUPS:
        first = list(dict.fromkeys(body for body in arrived if body.startswith(group)))
        expected = [f"{g}{number:02}" for number, g in enumerate(letters) if g == group]
        assert first == expected


@given(letters=st.integers(1, 60), size=st.integers(1, 300_000))
def test_requests_keep_to_the_limits_of_sqs(letters: int, size: int) -> None:
    """Ten entries at the most, and no more bytes than SQS takes of several messages in all."""
    world = World(fifo=False)
    for number in range(letters):
        world.sqs.put(world.dead, f"{number:03}".ljust(size, "x"))
    sent: list[list[int]] = []
    genuine = world.sqs.send_message_batch

    def watched(**request: Any) -> dict[str, Any]:
        sent.append([len(entry["MessageBody"]) for entry in request["Entries"]])
        return genuine(**request)

    world.sqs.send_message_batch = watched  # type: ignore[method-assign]
    report = world.run()
    assert len(report.sent) == letters == len(world.sqs.bodies(world.source))
    assert all(len(request) == 1 or sum(request) <= 256 * 1024 for request in sent)
    if 10 * size <= 256 * 1024:
        assert len(sent) == -(-letters // 10)
