"""A mapping from a queue, over the simulated SQS."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import pytest

from simulation.aws.sqs.service import Sqs
from simulation.faults.kinds import Fault
from simulation.functions.mappings import QueueMapping
from simulation.kernel.hub import MILLISECOND, SECOND
from simulation.wiring import model
from tests.unit.simulation.functions.small_world import NOON, SmallWorld

Judge = Callable[[list[str]], Any]


class Mapped:
    """A queue, and a function that answers what `judge` says of the bodies it was handed."""

    def __init__(self, judge: Judge, **spec: Any) -> None:
        self.world = SmallWorld(spec.pop("rates", None))
        self.hub = self.world.hub
        name = "q.fifo" if spec.pop("fifo", False) else "q"
        self.queue = model.Queue(
            name, f"https://{name}", f"arn:aws:sqs:r:1:{name}", name != "q", 180, 86_400
        )
        self.sqs = Sqs(self.hub, Random(1), self.world.injector, [self.queue])
        self.handed: list[tuple[int, list[str]]] = []
        self._judge = judge
        self._takes = spec.pop("takes", 0)
        self.at_once = self.at_once_max = 0
        self.function = self.world.built(lambda host: lambda event, _: self._handle(host, event))
        spec = {"batch": 10, "window_seconds": 0, "concurrency": 2, "partial": True} | spec
        self.mapping = QueueMapping(
            self.world.platform,
            model.QueueMapping(function="F", queue=name, **spec),
            self.function,
            self.sqs,
            self.queue,
        )

    def _handle(self, host: Any, event: dict[str, Any]) -> Any:
        bodies = [record["body"] for record in event["Records"]]
        self.handed.append(((self.hub.now - NOON) // SECOND, bodies))
        self.at_once += 1
        self.at_once_max = max(self.at_once, self.at_once_max)
        try:
            host.pause(self._takes)
            answer = self._judge(bodies)
            if isinstance(answer, set):
                ids = {record["body"]: record["messageId"] for record in event["Records"]}
                names = [{"itemIdentifier": ids[body]} for body in sorted(answer)]
                return {"batchItemFailures": names}
            return answer
        finally:
            self.at_once -= 1

    def send(self, *bodies: str) -> None:
        """Messages arrive."""
        for body in bodies:
            self.sqs.deliver("q", body)

    def left(self) -> set[str]:
        """What still lies in the queue."""
        return {message.body for message in self.sqs.peek(self.queue.name)}

    def run(self, seconds: float) -> None:
        """Time passes."""
        self.hub.run(until=self.hub.now + int(seconds * SECOND))


def test_what_the_answer_does_not_name_is_deleted() -> None:
    """The others come back when their visibility ends, and no sooner."""
    failing = {"b"}
    mapped = Mapped(lambda bodies: failing & set(bodies))
    mapped.send("a", "b", "c")
    mapped.run(100)
    assert mapped.left() == {"b"}
    assert mapped.world.batches == [(3, frozenset({mapped.handed[0][1].index("b")}))]
    failing.clear()
    mapped.run(200)
    assert mapped.left() == set()
    assert [at for at, _ in mapped.handed] == [0, 180]
    assert mapped.mapping.batches == 0


@pytest.mark.parametrize(
    "answer",
    [
        "text",
        ["a"],
        {"batchItemFailures": "a"},
        {"batchItemFailures": [{"itemIdentifier": "unknown"}]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"messageId": "x"}]},
        {"batchItemFailures": ["x"]},
    ],
)
def test_a_malformed_answer_fails_the_whole_batch(answer: object) -> None:
    """As Lambda's developer guide says."""
    mapped = Mapped(lambda _: answer)
    mapped.send("a", "b")
    mapped.run(100)
    assert mapped.left() == {"a", "b"}
    assert mapped.world.batches == [(2, None)]


@pytest.mark.parametrize(
    "answer", [None, {}, "", {"batchItemFailures": []}, {"batchItemFailures": None}, {"else": 1}]
)
def test_an_answer_without_failures_fails_nothing(answer: object) -> None:
    """However it says so."""
    mapped = Mapped(lambda _: answer)
    mapped.send("a", "b")
    mapped.run(100)
    assert mapped.left() == set()
    assert mapped.world.batches == [(2, frozenset())]


def test_without_partial_answers_everything_is_deleted_or_nothing() -> None:
    """The answer does not matter then, an error does."""
    mapped = Mapped(set, partial=False)
    mapped.send("a", "b")
    mapped.run(100)
    assert mapped.left() == set()


@pytest.mark.parametrize("fault", [Fault.FUNCTION_TIMED_OUT, None])
def test_after_an_error_or_a_time_out_all_of_it_comes_back(fault: Fault | None) -> None:
    """Whatever was done already."""

    def judge(_: list[str]) -> Any:
        raise KeyError

    mapped = Mapped(judge, rates={fault: 1.0} if fault else {})
    mapped.send("a", "b")
    mapped.run(179)
    assert mapped.left() == {"a", "b"}
    mapped.run(100)
    assert len(mapped.handed) == 2
    assert {failed for _, failed in mapped.world.batches} == {None}


def test_no_more_batches_at_once_than_the_mapping_allows() -> None:
    """And as many where there is enough to do; in the end everything was handled."""
    mapped = Mapped(lambda _: None, batch=5, concurrency=3, takes=1)
    mapped.send(*(f"m{number}" for number in range(60)))
    mapped.run(60)
    assert mapped.at_once_max == 3
    assert mapped.left() == set()
    assert sorted(body for _, bodies in mapped.handed for body in bodies) == sorted(
        f"m{number}" for number in range(60)
    )


def test_a_window_gathers_what_arrives_in_it() -> None:
    """Of messages within a second there is one batch."""
    mapped = Mapped(lambda _: None, batch=100, window_seconds=1)
    for number in range(9):
        mapped.hub.after(number * 100 * MILLISECOND, partial(mapped.send, str(number)))
    mapped.run(10)
    assert [sorted(bodies) for _, bodies in mapped.handed] == [[str(each) for each in range(9)]]


def test_a_throttled_batch_is_kept_and_tried_again() -> None:
    """Nothing is handed over meanwhile, and no receive is spent as long as it is hidden."""
    mapped = Mapped(lambda _: None)
    mapped.function.limit(0)
    mapped.send("a")
    mapped.run(60)
    assert mapped.left() == {"a"}
    mapped.function.limit(None)
    mapped.run(60)
    assert mapped.left() == set()
    assert mapped.sqs.depth("q") == (0, 0, 0)


def test_a_batch_throttled_for_longer_than_it_is_hidden_goes_back() -> None:
    """Each time another receive is spent."""
    mapped = Mapped(lambda _: None)
    mapped.function.limit(0)
    mapped.send("a")
    mapped.run(400)
    assert [message.receives for message in mapped.sqs.peek("q")] == [3]
    assert mapped.world.batches == []
    mapped.function.limit(None)
    mapped.run(200)
    assert mapped.left() == set()


def test_visibility_may_end_while_a_batch_is_worked_on() -> None:
    """Then somebody else has the message as well, and it is gone when both are done."""
    mapped = Mapped(lambda _: None, rates={Fault.VISIBILITY_EXPIRED: 0.5}, takes=2)
    mapped.send(*"abcdefgh")
    mapped.run(3_000)
    assert mapped.left() == set()
    bodies = [body for _, bodies in mapped.handed for body in bodies]
    assert set(bodies) == set("abcdefgh")
    assert len(bodies) > 8


def test_the_world_comes_to_rest_when_nothing_is_left() -> None:
    """A mapping plans nothing over an empty queue."""
    mapped = Mapped(lambda _: None)
    mapped.send("a")
    mapped.hub.run()
    assert mapped.left() == set()
    assert mapped.hub.waited_for == 0
