"""What standard and FIFO queues have in common: holding, hiding, dying; and the standard queue."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any, Final

from simulation.aws.errors import ServiceError
from simulation.aws.sqs.message import Lease, Lying, Message
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.hub import SECOND, Hub
from simulation.wiring import model

#: From when a message was received until it must be visible again.
VISIBILITY_SECONDS_MAX: Final = 43_200
#: Within this time a message that is handed out twice shows again.
_DUPLICATE_SECONDS_MAX: Final = 20

Bury = Callable[[Message, model.Queue], None]
"""Brings a message that was received too often to the dead letters of its queue."""


class Queue(ABC):
    """One queue. `expired` counts what was thrown away unhandled when its retention was over;
    that is looked at when a message would be handed out."""

    def __init__(
        self, spec: model.Queue, hub: Hub, random: Random, injector: Injector, bury: Bury
    ) -> None:
        self.spec = spec
        self.expired = 0
        self._hub = hub
        self._random = random
        self._injector = injector
        self._bury = bury
        self._messages: dict[str, Message] = {}
        self._held = 0
        self._handed_out = 0
        self._listeners: list[Callable[[], object]] = []
        self._telling = False
        self._retention = spec.retention_seconds * SECOND
        self._receives_max = spec.max_receives if spec.dead_letters is not None else None

    def on_available(self, listener: Callable[[], object]) -> None:
        """Call it, in a moment of its own, whenever there may be something to receive."""
        self._listeners.append(listener)
        if self._messages:
            self._tell()

    def put(self, message: Message) -> None:
        """A message arrives."""
        self._messages[message.id] = message
        self._arrived(message)

    def take(self, limit: int, visibility: int, *, worked_on: bool = False) -> list[Message]:
        """Up to `limit` messages, hidden from now on for so many microseconds."""
        taken = self._picked(limit)
        if not taken:
            return taken
        now = self._hub.now
        lease = Lease(len(taken), worked_on=worked_on)
        for message in taken:
            self._handed_out += 1
            message.receipt = f"{self.spec.name}/{message.id}/{self._handed_out}"
            message.receives += 1
            message.received_at = now
            if not message.first_received_at:
                message.first_received_at = now
            self._end_lease(message)
            message.lease = lease
            self._handed(message)
        self._held += len(taken)
        self._plan(lease, taken, visibility)
        return taken

    def delete(self, receipt: str) -> None:
        """Delete what was received with this handle. Deleted already is done. Raises
        ServiceError."""
        message = self._messages.get(self._id_in(receipt))
        if message is not None and self._may_delete(message, receipt):
            self._end_lease(message)
            self._forget(message)

    def change_visibility(self, receipt: str, seconds: int) -> None:
        """Hide what was received with this handle for so long from now. Raises ServiceError."""
        message = self._messages.get(self._id_in(receipt))
        if message is None or message.receipt != receipt:
            raise _unfit_handle(
                receipt,
                "Message does not exist or is not available for visibility timeout change.",
            )
        if message.lease is None:
            raise ServiceError(
                "AWS.SimpleQueueService.MessageNotInflight",
                f"Value {receipt} for parameter ReceiptHandle is invalid. Reason: "
                "Message is not in flight.",
            )
        elapsed = self._hub.now - message.received_at
        if elapsed + seconds * SECOND > VISIBILITY_SECONDS_MAX * SECOND:
            raise ServiceError(
                "InvalidParameterValue",
                f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Total "
                "VisibilityTimeout for the message is beyond the limit "
                f"[{VISIBILITY_SECONDS_MAX} seconds].",
            )
        self._end_lease(message)
        if seconds:
            message.lease = lease = Lease(1, worked_on=False)
            self._held += 1
            self._plan(lease, [message], seconds * SECOND)
        else:
            self._shown(message)

    def done(self, receipts: Sequence[str]) -> None:
        """A mapping is done with these messages, and leaves them to come back by themselves."""
        for receipt in receipts:
            message = self._messages.get(self._id_in(receipt))
            if message is not None and message.receipt == receipt and message.lease is not None:
                message.lease.worked_on = False

    @property
    def in_flight(self) -> int:
        """How many messages are hidden because somebody received them."""
        return self._held

    @property
    @abstractmethod
    def visible(self) -> int:
        """How many messages are not in flight, those that wait for others of their group too."""

    def lying(self) -> list[Lying]:
        """All messages, the one first that came first."""
        return [
            Lying(
                id=each.id,
                body=each.content.body,
                attributes=each.content.attributes,
                group=each.group,
                receives=each.receives,
                at=each.sent_at,
                moved_from=each.moved_from,
                in_flight=each.lease is not None,
            )
            for each in self._messages.values()
        ]

    @abstractmethod
    def _arrived(self, message: Message) -> None:
        """It is new here."""

    @abstractmethod
    def _picked(self, limit: int) -> list[Message]:
        """What a receive gets, none of it over; it counts as visible no more."""

    @abstractmethod
    def _shown(self, message: Message) -> None:
        """Nobody holds it any more, and it was not deleted."""

    @abstractmethod
    def _may_delete(self, message: Message, receipt: str) -> bool:
        """Whether this handle deletes it. Raises ServiceError."""

    @abstractmethod
    def _handed(self, message: Message) -> None:
        """It is handed out."""

    def _forget(self, message: Message) -> None:
        """It is here no more; it has no lease."""
        del self._messages[message.id]

    def _is_over(self, message: Message) -> bool:
        """Whether it is too old or was received too often. If so, it is here no more."""
        if message.sent_at + self._retention <= self._hub.now:
            self.expired += 1
        elif self._receives_max is not None and message.receives >= self._receives_max:
            self._injector.note(Fault.MESSAGE_DEAD, self.spec.name, message.id)
            self._bury(message, self.spec)
        else:
            return False
        self._end_lease(message)  # somebody may hold it who got it twice
        self._forget(message)
        return True

    def _tell(self) -> None:
        """There may be something to receive: one call for all that happens at this instant."""
        if self._listeners and not self._telling:
            self._telling = True
            self._hub.after(0, self._told)

    def _told(self) -> None:
        self._telling = False
        for listener in self._listeners:
            listener()

    def _plan(self, lease: Lease, messages: Sequence[Message], visibility: int) -> None:
        lease.timer = self._hub.after(visibility, partial(self._expire, lease, messages))

    def _expire(self, lease: Lease, messages: Sequence[Message]) -> None:
        for message in messages:
            if message.lease is lease:
                if lease.worked_on:
                    self._injector.note(Fault.VISIBILITY_EXPIRED, self.spec.name, message.id)
                message.lease = None
                self._held -= 1
                self._shown(message)

    def _end_lease(self, message: Message) -> None:
        lease = message.lease
        if lease is not None:
            message.lease = None
            self._held -= 1
            lease.left -= 1
            if not lease.left and lease.timer is not None:
                self._hub.cancel(lease.timer)

    def _id_in(self, receipt: str) -> str:
        """The message that a handle of this queue is of. Raises ServiceError."""
        parts = receipt.split("/")
        if len(parts) != 3 or parts[0] != self.spec.name:
            raise ServiceError(
                "ReceiptHandleIsInvalid",
                f'The input receipt handle "{receipt}" is not a valid receipt handle.',
                status=404,
            )
        return parts[1]


class StandardQueue(Queue):
    """At least once, in no order: duplicates and reordering come as faults."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._ready: deque[Message] = deque()

    @property
    def visible(self) -> int:
        return len(self._ready)

    def _arrived(self, message: Message) -> None:
        message.is_ready = True
        self._ready.append(message)
        self._tell()

    def _picked(self, limit: int) -> list[Message]:
        ready = self._ready
        reordered = len(ready) > 1 and self._injector.strikes(Fault.QUEUE_REORDERED, self.spec.name)
        picked: list[Message] = []
        while ready and len(picked) < limit:
            if reordered:
                place = self._random.randrange(len(ready))
                message = ready[place]
                del ready[place]
            else:
                message = ready.popleft()
            message.is_ready = False
            if not self._is_over(message):
                picked.append(message)
        return picked

    def _handed(self, message: Message) -> None:
        if self._injector.strikes(Fault.QUEUE_DUPLICATE, self.spec.name, message.id):
            delay = self._random.randrange(_DUPLICATE_SECONDS_MAX * SECOND)
            self._hub.after(delay, partial(self._shown_twice, message))

    def _shown_twice(self, message: Message) -> None:
        """A server of SQS did not hear that it was received, or even deleted."""
        was_buried = self._receives_max is not None and message.receives >= self._receives_max
        if message.id in self._messages or not was_buried:
            self._messages[message.id] = message
            self._shown(message)

    def _shown(self, message: Message) -> None:
        if not message.is_ready:
            self._arrived(message)

    def _may_delete(self, message: Message, receipt: str) -> bool:
        # An old handle deletes nothing, and nobody is told. The message may have come to light
        # again since; then the newest handle still deletes it.
        return message.receipt == receipt

    def _forget(self, message: Message) -> None:
        super()._forget(message)
        if message.is_ready:
            message.is_ready = False
            self._ready.remove(message)


def _unfit_handle(receipt: str, reason: str) -> ServiceError:
    return ServiceError(
        "InvalidParameterValue",
        f"Value {receipt} for parameter ReceiptHandle is invalid. Reason: {reason}",
    )


def expired_handle(receipt: str) -> ServiceError:
    """What a FIFO queue says of a handle whose time is over."""
    return _unfit_handle(receipt, "The receipt handle has expired.")
