"""Commands through the FIFO queue: in order within an ordering key, no answer."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ledger.client.messages import Fault, Message, deliver, has_room
from ledger.client.retries import Retries

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class FifoSender:
    """Sends commands to `commands.fifo`, up to ten a request.

    A request holds one message of each ordering key at most: SQS may take one entry and not
    another, and what is sent again must not come behind its successor.
    """

    def __init__(
        self, client: SQSClient, queue_url: str, *, retries: Retries | None = None
    ) -> None:
        self._client = client
        self._queue_url = queue_url
        self._retries = retries or Retries()

    def send(self, messages: Iterable[Message]) -> int:
        """Sends all, in the order of their keys; answers how many.

        Raises NotSentError, or botocore's errors.
        """
        sent = 0
        for batch in _one_of_each_key(messages):
            # Names the sending, not the command: SQS drops what we send again because an answer
            # was lost, and the ledger itself sees every repeat that its client meant.
            named = [(str(uuid.uuid4()), message) for message in batch]
            deliver(self._put, named, self._retries)
            sent += len(batch)
        return sent

    def _put(self, named: Sequence[tuple[str, Message]]) -> dict[str, Fault]:
        answer = self._client.send_message_batch(
            QueueUrl=self._queue_url,
            Entries=[
                {
                    "Id": name,
                    "MessageBody": message.body.decode(),
                    "MessageGroupId": message.ordering_key,
                    "MessageDeduplicationId": name,
                }
                for name, message in named
            ],
        )
        return {
            failed["Id"]: Fault(failed["Code"], permanent=failed["SenderFault"])
            for failed in answer.get("Failed", [])
        }


def _one_of_each_key(messages: Iterable[Message]) -> Iterator[list[Message]]:
    batch: list[Message] = []
    keys: set[str] = set()
    for message in messages:
        if message.ordering_key in keys or not has_room(batch, message):
            yield batch
            batch, keys = [], set()
        batch.append(message)
        keys.add(message.ordering_key)
    if batch:
        yield batch
