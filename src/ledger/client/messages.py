"""Commands on their way without an answer: what both asynchronous senders share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.client.retries import Retries

MESSAGES_PER_REQUEST: Final = 10  # of PutEvents and SendMessageBatch alike
#: Of both alike: what they have always taken, though they take 1 MiB by now. EventBridge counts the
#: envelope, too.
REQUEST_BYTES_MAX: Final = 256 * 1024
_BYTES_AROUND: Final = 1024


@dataclass(frozen=True, slots=True)
class Message:
    """One command's JSON, of a type, in the order of its key; or `commands` of them in bulk."""

    command_type: str
    body: bytes
    ordering_key: str
    commands: int = 1


class NotSentError(Exception):
    """Some messages were not taken, at no attempt: how many, and the last error's code.

    `permanent`: they never will be. All others of the same call were sent or, if they come behind
    them, not tried.
    """

    def __init__(self, messages: Sequence[Message], code: str, *, permanent: bool) -> None:
        self.messages = tuple(messages)
        self.code = code
        self.permanent = permanent
        super().__init__(f"{len(messages)} messages were not taken: {code}")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why one message of a request was not taken."""

    code: str
    permanent: bool


Put = Callable[[Sequence[tuple[str, Message]]], dict[str, Fault]]
"""One request with up to ten messages by name; the faults of those not taken, by name."""


def has_room(request: Sequence[Message], message: Message) -> bool:
    """Whether a request takes one more message."""
    bytes_ = sum(len(one.body) + _BYTES_AROUND for one in (*request, message))
    return not request or (len(request) < MESSAGES_PER_REQUEST and bytes_ <= REQUEST_BYTES_MAX)


def deliver(put: Put, named: Sequence[tuple[str, Message]], retries: Retries) -> None:
    """Repeats a request with what it did not take, until all is taken. Raises NotSentError."""
    waiting = list(named)
    faults: dict[str, Fault] = {}
    for _ in retries.attempts():
        faults = put(waiting)
        waiting = [(name, message) for name, message in waiting if name in faults]
        if not waiting:
            return
        if any(faults[name].permanent for name, _ in waiting):
            break
    permanent = [(n, m) for n, m in waiting if faults[n].permanent] or waiting
    first = faults[permanent[0][0]]
    raise NotSentError([m for _, m in permanent], first.code, permanent=first.permanent)
