"""A mapping from an SQS queue: receives batches, invokes, deletes what was handled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol

from simulation.faults.kinds import Fault
from simulation.functions.function import LambdaFunction, Outcome
from simulation.functions.mappings.answers import failed_places
from simulation.functions.platform import Platform
from simulation.kernel.hub import MILLISECOND, SECOND, Future
from simulation.wiring import model

#: A long poll answers about as soon as there is something.
_POLL_SPREAD: Final = 10 * MILLISECOND
#: Of a mapping without a maximum of its own: what it begins with.
_CONCURRENCY: Final = 5
_THROTTLED_PAUSE_MIN: Final = SECOND
_THROTTLED_PAUSE_MAX: Final = 60 * SECOND
#: By how much a batch that is held until its visibility ends misses that.
_HELD_TOO_LONG_SPREAD: Final = 2 * SECOND

Record = dict[str, Any]


class Source(Protocol):
    """The queues, as a mapping uses them; see `simulation.aws.sqs.service.Sqs`."""

    def on_available(self, queue_name: str, listener: Callable[[], object]) -> None: ...

    def receive(self, queue_name: str, limit: int) -> list[Record]: ...

    def delete(self, queue_name: str, receipt_handles: Sequence[str]) -> None: ...

    def done(self, queue_name: str, receipt_handles: Sequence[str]) -> None: ...


class _Batch:
    """What was received together, and until when it stays hidden."""

    __slots__ = ("places", "records", "throttled", "until")

    def __init__(self, records: list[Record], until: int) -> None:
        self.records = records
        self.places = {record["messageId"]: place for place, record in enumerate(records)}
        self.until = until
        self.throttled = 0


class QueueMapping:
    """Goes on by itself, as soon as there are messages.

    After an error nothing is deleted: the batch comes back when its visibility ends. A throttled
    batch is kept and tried again until then.
    """

    def __init__(
        self,
        platform: Platform,
        spec: model.QueueMapping,
        function: LambdaFunction,
        sqs: Source,
        queue: model.Queue,
    ) -> None:
        self._platform = platform
        self._hub = platform.hub
        self._random = platform.stream(f"mapping/{spec.queue}/{spec.function}")
        self._spec = spec
        self._name = f"mapping of {spec.queue}"
        self._function = function
        self._sqs = sqs
        self._queue = spec.queue
        self._visibility = queue.visibility_seconds * SECOND
        self._window = spec.window_seconds * SECOND
        self._batches_max = spec.concurrency or _CONCURRENCY
        self._batches = 0
        self._polls = False
        sqs.on_available(spec.queue, self._poll_soon)

    @property
    def batches(self) -> int:
        """How many batches it holds."""
        return self._batches

    def _poll_soon(self) -> None:
        if not self._polls and self._batches < self._batches_max:
            self._polls = True
            delay = self._window + int(self._random.random() * _POLL_SPREAD)
            self._hub.after(delay, self._poll)

    def _poll(self) -> None:
        self._polls = False
        records = self._sqs.receive(self._queue, self._spec.batch)
        if not records:
            return
        self._batches += 1
        batch = _Batch(records, self._hub.now + self._visibility)
        self._poll_soon()
        if self._platform.injector.strikes(Fault.VISIBILITY_EXPIRED, self._name):
            miss = int((self._random.random() - 0.5) * _HELD_TOO_LONG_SPREAD)
            self._hub.at(batch.until + miss, partial(self._invoke, batch))
        else:
            self._invoke(batch)

    def _invoke(self, batch: _Batch) -> None:
        invoked = self._function.invoke({"Records": batch.records})
        invoked.then(partial(self._invoked, batch, invoked))

    def _invoked(self, batch: _Batch, invoked: Future[Outcome]) -> None:
        outcome = invoked.result()
        if outcome.throttled and self._waits(batch):
            return
        self._batches -= 1
        if outcome.throttled:
            self._sqs.done(self._queue, _handles(batch.records))
        else:
            self._settle(batch, outcome)
        self._poll_soon()

    def _waits(self, batch: _Batch) -> bool:
        """Whether a throttled batch is tried again while it is still hidden."""
        pause = min(_THROTTLED_PAUSE_MIN << min(batch.throttled, 6), _THROTTLED_PAUSE_MAX)
        when = self._hub.now + int(pause * (0.5 + 0.5 * self._random.random()))
        batch.throttled += 1
        if when >= batch.until:
            return False
        self._hub.at(when, partial(self._invoke, batch))
        return True

    def _settle(self, batch: _Batch, outcome: Outcome) -> None:
        records = batch.records
        failed: frozenset[int] | None = None
        if outcome.error is None:
            answer = outcome.answer if self._spec.partial else None
            failed = failed_places(answer, batch.places)
        if failed is None:
            self._sqs.done(self._queue, _handles(records))
        elif failed:
            handled = [record for place, record in enumerate(records) if place not in failed]
            self._sqs.delete(self._queue, _handles(handled))
            self._sqs.done(
                self._queue, [records[place]["receiptHandle"] for place in sorted(failed)]
            )
        else:
            self._sqs.delete(self._queue, _handles(records))
        self._platform.handed_over(self._function.name, records, failed)


def _handles(records: Sequence[Record]) -> list[str]:
    return [record["receiptHandle"] for record in records]
