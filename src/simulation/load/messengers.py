"""Clients that send commands without hearing what comes of them: over the bus, by the queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from ledger.client.bus import BusSender
from ledger.client.messages import Fault, Message, NotSentError, deliver
from ledger.client.retries import Retries
from simulation.asks import Ask
from simulation.aws.sqs.service import CLIENT_ID
from simulation.kernel.hub import SECOND
from simulation.load.elements import Planned
from simulation.load.wire import Wire

#: Of PutEvents and SendMessageBatch alike.
_AT_ONCE: Final = 10
#: Of the SDK, and of the ledger's client for single entries: the waits for outages are ours.
_ATTEMPTS: Final = 3

Send = Callable[[Sequence[Planned]], Sequence[Planned]]
"""Sends some elements; answers those that were not taken. Raises botocore's errors."""


def feed_bus(wire: Wire, name: str, elements: Sequence[Planned]) -> None:
    """Puts commands on the ingress bus, with the ledger's own client."""
    world = wire.world
    source = f"bank.{name}"
    client: Any = world.client(world.events, attempts=_ATTEMPTS)
    sender = BusSender(client, _ingress(wire), source=source, retries=_retries(wire, name))

    def send(some: Sequence[Planned]) -> Sequence[Planned]:
        messages = [Message(one.detail_type, one.message, "") for one in some]
        try:
            sender.send(messages)
        except NotSentError as error:
            left = error.messages
            return [
                one
                for one, message in zip(some, messages, strict=True)
                if any(message is other for other in left)
            ]
        return []

    _feed(wire, name, _due(wire, elements), send, actor=f"events:{wire.account}:{source}")


def feed_queue(wire: Wire, name: str, elements: Sequence[Planned]) -> None:
    """Sends commands to the FIFO queue, one of each group at a time: what is sent again must not
    come behind its successor."""
    world = wire.world
    client: Any = world.client(world.sqs, attempts=_ATTEMPTS)
    url = world.wiring.variable("COMMANDS_FIFO_QUEUE_URL")
    retries = _retries(wire, name)

    def send(some: Sequence[Planned]) -> Sequence[Planned]:
        by_name = {str(place): one for place, one in enumerate(some)}

        def put(named: Sequence[tuple[str, Message]]) -> dict[str, Fault]:
            entries = [_entry(number, by_name[number]) for number, _ in named]
            answer = client.send_message_batch(QueueUrl=url, Entries=entries)
            return {
                failed["Id"]: Fault(failed["Code"], permanent=failed["SenderFault"])
                for failed in answer.get("Failed", [])
            }

        named = [(number, Message("", one.message, one.group)) for number, one in by_name.items()]
        try:
            deliver(put, named, retries)
        except NotSentError as error:
            left = error.messages
            return [by_name[number] for number, message in named if any(message is m for m in left)]
        return []

    _feed(wire, name, _one_of_each_group(wire, elements), send, actor=f"sqs:{CLIENT_ID}")


def _entry(number: str, element: Planned) -> dict[str, str]:
    return {
        "Id": number,
        "MessageBody": element.message.decode(),
        "MessageGroupId": element.group,
        "MessageDeduplicationId": element.deduplication,
    }


def _feed(
    wire: Wire, name: str, batches: Iterator[Sequence[Planned]], send: Send, *, actor: str
) -> None:
    """Sends batch after batch; what is not taken again, before anything that comes behind it."""
    for batch in batches:
        waiting = batch
        for attempt in wire.attempts(batch[0].place):
            waiting = _not_taken(wire, name, waiting, send, actor=actor, attempt=attempt)
            if not waiting:
                break


def _not_taken(
    wire: Wire, name: str, batch: Sequence[Planned], send: Send, *, actor: str, attempt: int
) -> list[Planned]:
    """Sends some elements once; what is left of them."""
    asks = [_ask(wire, one, actor, attempt) for one in batch]
    for ask in asks:
        wire.listener.asked(ask)
        wire.note(name, f"sends by {ask.route}", ask)
    try:
        left = {one.place for one in send(batch)}
    except (BotoCoreError, ClientError):
        left = {one.place for one in batch}
    for element, ask in zip(batch, asks, strict=True):
        if element.place in left:
            wire.listener.unanswered(ask)
        else:
            wire.listener.taken(ask)
    return [one for one in batch if one.place in left]


def _ask(wire: Wire, element: Planned, actor: str, attempt: int) -> Ask:
    return Ask(
        id=f"{element.place}.{attempt}",
        at=wire.hub.now,
        route="bus" if element.route == "bus" else "fifo",
        commands=element.commands,
        body=element.message,
        actor=actor,
        attempt=attempt,
        group=element.group,
    )


def _due(wire: Wire, elements: Sequence[Planned]) -> Iterator[Sequence[Planned]]:
    """What is due by now, some at a time."""
    place = 0
    while place < len(elements):
        wire.wait_until(elements[place].at)
        some = [one for one in elements[place : place + _AT_ONCE] if one.at <= wire.hub.now]
        place += len(some)
        yield some


def _one_of_each_group(wire: Wire, elements: Sequence[Planned]) -> Iterator[Sequence[Planned]]:
    """The same with no group twice in one batch."""
    for due in _due(wire, elements):
        some: dict[str, Planned] = {}
        for element in due:
            if element.group in some:
                yield list(some.values())
                some = {}
            some[element.group] = element
        yield list(some.values())


def _retries(wire: Wire, name: str) -> Retries:
    """As the ledger's client retries entries, on this world's time and chance."""
    return Retries(
        attempts_max=_ATTEMPTS,
        pause=lambda seconds: wire.hub.sleep(int(seconds * SECOND)),
        chance=wire.world.chance.stream(f"load/{name}").random,
    )


def _ingress(wire: Wire) -> str:
    """The bus whose rule leads to the queue of commands."""
    wiring = wire.world.wiring
    url = wiring.variable("COMMANDS_QUEUE_URL")
    queue = next(one.name for one in wiring.queues if one.url == url)
    return next(rule.bus for rule in wiring.rules if rule.queue == queue)
