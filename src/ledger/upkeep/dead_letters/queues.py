"""A dead-letter queue of SQS, and the two ways back from one: its queue, and the ledger bus.

To look at messages is to receive them, and to receive is to hide: a page is held for a bounded
time, while the next is received, and all are made visible again at the end. Receiving harms nothing
else here. A dead-letter queue has no redrive policy of its own, so a letter stays however often it
is looked at, and neither its age nor the time it is kept for changes.

Of a group of a FIFO queue SQS shows what one receive returns, ten at the most, and nothing behind
that until those are deleted or visible again. So a listing may be incomplete there (`depth` says by
how much); a redrive removes what it has sent, and so misses only what stands behind letters that
stay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from ledger.application.publication import Published, Publisher
from ledger.contracts.envelopes import SOURCE, MalformedEnvelopeError, open_envelope
from ledger.contracts.packs import MalformedPackError, events_in
from ledger.upkeep.dead_letters.letters import Letter, attributes_to_keep, letter_of
from ledger.upkeep.dead_letters.places import Sending, Untaken
from ledger.upkeep.depth import depth

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

#: How long what was taken stays hidden. A page takes seconds; a reader that dies blocks the letters
#: it held for no longer than this.
HOLD_SECONDS: Final = 120
#: A long poll asks every server of SQS, a short one only some: it may miss what is there.
_WAIT_SECONDS: Final = 1
MESSAGES_PER_REQUEST: Final = 10

Messages = Mapping[str, "MessageTypeDef"]


class Destination(Protocol):
    """Where the messages of a dead-letter queue go back to."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def send(self, messages: Messages) -> Sending:
        """Sends messages, by the ids of their letters, in their order; see Place.send."""
        ...


class DeadLetterQueue:
    """A Place: one dead-letter queue. `destination` is None if nothing leads back from it."""

    def __init__(
        self,
        sqs: SQSClient,
        *,
        name: str,
        url: str,
        destination: Destination | None,
        receives_max: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._sqs = sqs
        self._name = name
        self._url = url
        self._destination = destination
        self._receives_max = receives_max
        self._seen: set[str] = set()
        self._held: dict[str, MessageTypeDef] = {}

    @property
    def name(self) -> str:
        """See Place."""
        return self._name

    @property
    def back_to(self) -> str:
        """See Place."""
        return "" if self._destination is None else self._destination.name

    def depth(self) -> int:
        """See Place."""
        return depth(self._sqs, self._url)

    def take(self) -> Sequence[Letter]:
        """See Place."""
        # A letter that was held for too long shows again, and is held again: each once a hold.
        for _ in range(len(self._seen) + 1):
            messages = self._received()
            if not messages:
                return ()
            # The latest receipt is the one that counts.
            self._held.update((message["MessageId"], message) for message in messages)
            new = [message for message in messages if message["MessageId"] not in self._seen]
            self._seen.update(message["MessageId"] for message in new)
            if new:
                receives_max = self._receives_max()
                ordered = self._url.endswith(".fifo")
                return [
                    letter_of(message, receives_max=receives_max, ordered=ordered)
                    for message in new
                ]
        return ()

    def send(self, letters: Sequence[Letter]) -> Sending:
        """See Place."""
        if self._destination is None:
            raise ValueError(f"nothing leads back from {self._name}")
        return self._destination.send({letter.id: self._held[letter.id] for letter in letters})

    def remove(self, letters: Sequence[Letter]) -> frozenset[str]:
        """See Place."""
        ids = [letter.id for letter in letters]
        failed: set[str] = set()
        for start in range(0, len(ids), MESSAGES_PER_REQUEST):
            some = ids[start : start + MESSAGES_PER_REQUEST]
            answer = self._sqs.delete_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(place), "ReceiptHandle": self._held[id_]["ReceiptHandle"]}
                    for place, id_ in enumerate(some)
                ],
            )
            failed |= {some[int(entry["Id"])] for entry in answer.get("Failed", ())}
        for id_ in ids:
            if id_ not in failed:
                del self._held[id_]
        return frozenset(failed)

    def release(self) -> int:
        """See Place."""
        held, self._held = list(self._held.values()), {}
        left = 0
        for start in range(0, len(held), MESSAGES_PER_REQUEST):
            some = held[start : start + MESSAGES_PER_REQUEST]
            try:
                answer = self._sqs.change_message_visibility_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {
                            "Id": str(place),
                            "ReceiptHandle": message["ReceiptHandle"],
                            "VisibilityTimeout": 0,
                        }
                        for place, message in enumerate(some)
                    ],
                )
            except (BotoCoreError, ClientError):
                left += len(some)
            else:
                left += len(answer.get("Failed", ()))
        return left

    def _received(self) -> Sequence[MessageTypeDef]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=MESSAGES_PER_REQUEST,
            VisibilityTimeout=HOLD_SECONDS,
            WaitTimeSeconds=_WAIT_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return answer.get("Messages", [])


class SourceQueue:
    """A Destination: the queue that messages came from, body and attributes as they were."""

    def __init__(self, sqs: SQSClient, *, name: str, url: str) -> None:
        self._sqs = sqs
        self._name = name
        self._url = url
        self._receives: list[int | None] = []

    @property
    def name(self) -> str:
        """See Destination."""
        return f"queue {self._name}"

    def receives_max(self) -> int | None:
        """How often a message may be received before it is dead; None if the queue does not say."""
        if not self._receives:
            answer = self._sqs.get_queue_attributes(
                QueueUrl=self._url, AttributeNames=["RedrivePolicy"]
            )
            policy = answer.get("Attributes", {}).get("RedrivePolicy", "{}")
            self._receives.append(
                msgspec.json.decode(policy, type=_RedrivePolicy, strict=False).maxReceiveCount
            )
        return self._receives[0]

    def send(self, messages: Messages) -> Sending:
        """See Destination. One request.

        The deduplication id is the letter's, not the message's first one, which SQS would swallow
        for five minutes. So what is sent again because a redrive was cut short before it removed
        the letter is one message within that window; a letter that dies again is another letter.
        """
        ids = list(messages)
        answer = self._sqs.send_message_batch(
            QueueUrl=self._url,
            Entries=[
                {"Id": str(place), **self._entry(letter_id, messages[letter_id])}  # type: ignore[typeddict-item]
                for place, letter_id in enumerate(ids)
            ],
        )
        return Sending(
            {ids[int(entry["Id"])]: entry["MessageId"] for entry in answer.get("Successful", ())},
            {
                ids[int(entry["Id"])]: Untaken(entry["Code"], permanent=entry["SenderFault"])
                for entry in answer.get("Failed", ())
            },
        )

    def _entry(self, letter_id: str, message: MessageTypeDef) -> dict[str, Any]:
        entry: dict[str, Any] = {"MessageBody": message["Body"]}
        if kept := attributes_to_keep(message):
            entry["MessageAttributes"] = kept
        if group := message.get("Attributes", {}).get("MessageGroupId"):
            entry["MessageGroupId"] = group  # of a standard queue: a hint for fair sharing
        if self._url.endswith(".fifo"):
            entry["MessageDeduplicationId"] = f"redrive-{letter_id}"
        return entry


class LedgerBus:
    """A Destination: the ledger bus, for events that it had taken and could not pass on.

    Only what says that the ledger published it is published again: another sender's would get the
    ledger's name here.
    """

    name: Final = "the ledger bus"

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    def send(self, messages: Messages) -> Sending:
        """See Destination. A letter counts as sent when all of its events are on the bus."""
        events = {id_: _published(message["Body"]) for id_, message in messages.items()}
        ours = [(id_, event) for id_, some in events.items() for event in some]
        failed = self._publisher.publish([event for _, event in ours])
        untaken = {
            id_: Untaken("no_event_of_the_ledger", permanent=True)
            for id_, some in events.items()
            if not some
        }
        untaken |= {ours[place][0]: Untaken("not_published", permanent=False) for place in failed}
        return Sending({id_: "" for id_ in events if id_ not in untaken}, untaken)


def _published(body: str) -> list[Published]:
    """The events in an entry that the ledger put onto its bus; none if it is another's."""
    try:
        envelope = open_envelope(body)
        texts = events_in(envelope.detail) if envelope.source == SOURCE else []
    except (MalformedEnvelopeError, MalformedPackError):
        return []
    return [Published(envelope.detail_type, text) for text in texts]


class _RedrivePolicy(Struct):
    maxReceiveCount: int | None = None  # noqa: N815 - as AWS writes it
