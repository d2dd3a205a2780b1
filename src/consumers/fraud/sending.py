"""Verdicts into the queue of system commands, many in a message, every message's own result looked
at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ledger.consuming.batches import NOT_TRIED
from ledger.contracts.commands import ScreenPayment, bulk_of, encode_command
from ledger.runtime.faults import AWS_ERRORS, code_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

#: Of a message. The ledger records as many in one transaction; each has 1 KB at most.
VERDICTS_MAX: Final = 100
MESSAGES_MAX: Final = 10  # of SendMessageBatch: 1 MiB
#: Requests that failed one behind the other: the SDK tried each three times, in up to 9 s.
FAILURES_IN_A_ROW_MAX: Final = 2
#: The code of a message that SQS said nothing about.
NO_RESULT: Final = "no_result"


class VerdictSender:
    """Sends commands `payment.screen` to one queue, in bulk."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, commands: Sequence[ScreenPayment]) -> Mapping[int, str]:
        """Send all; answers error codes by the places of those that may not be in the queue.

        To send one again is harmless: the ledger knows it by its id.
        """
        places = range(len(commands))
        messages = [places[at : at + VERDICTS_MAX] for at in range(0, len(places), VERDICTS_MAX)]
        failed: dict[int, str] = {}
        in_a_row = 0
        for start in range(0, len(messages), MESSAGES_MAX):
            some = messages[start : start + MESSAGES_MAX]
            if in_a_row >= FAILURES_IN_A_ROW_MAX:
                refused = dict.fromkeys(range(len(some)), NOT_TRIED)
            else:
                refused = dict(self._put(some, commands))
                in_a_row = in_a_row + 1 if len(refused) == len(some) else 0
            for at, code in refused.items():
                failed.update(dict.fromkeys(some[at], code))
        return failed

    def _put(
        self, messages: Sequence[Sequence[int]], commands: Sequence[ScreenPayment]
    ) -> Iterator[tuple[int, str]]:
        """One request; the places of the messages that failed, with their codes."""
        bodies = (
            bulk_of(encode_command(commands[place]) for place in message) for message in messages
        )
        try:
            answer = self._client.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(at), "MessageBody": body.decode()} for at, body in enumerate(bodies)
                ],
            )
        except AWS_ERRORS as error:
            yield from ((at, code_of(error)) for at in range(len(messages)))
            return
        taken = {entry["Id"] for entry in answer.get("Successful", ())}
        codes = {entry["Id"]: entry["Code"] for entry in answer.get("Failed", ())}
        for at in range(len(messages)):
            if str(at) not in taken:
                yield at, codes.get(str(at), NO_RESULT)
