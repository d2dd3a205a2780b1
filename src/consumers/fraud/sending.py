"""Verdicts into the queue of system commands, every entry's own result looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ledger.consuming.batches import NOT_TRIED
from ledger.contracts.commands import ScreenPayment, encode_command
from ledger.runtime.faults import AWS_ERRORS, code_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ENTRIES_MAX: Final = 10  # of SendMessageBatch; a verdict has 1 KB, so that bytes are no matter
#: Requests that failed one behind the other: the SDK tried each three times, in up to 9 s.
FAILURES_IN_A_ROW_MAX: Final = 2
#: The code of a message that SQS said nothing about.
NO_RESULT: Final = "no_result"


class VerdictSender:
    """Sends the command `payment.screen` to one queue."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, commands: Sequence[ScreenPayment]) -> Mapping[int, str]:
        """Send all; answers error codes by the places of those that may not be in the queue.

        To send one again is harmless: the ledger knows it by its id.
        """
        failed: dict[int, str] = {}
        in_a_row = 0
        for start in range(0, len(commands), ENTRIES_MAX):
            places = range(start, min(start + ENTRIES_MAX, len(commands)))
            if in_a_row >= FAILURES_IN_A_ROW_MAX:
                failed.update(dict.fromkeys(places, NOT_TRIED))
                continue
            refused = dict(self._put(places, commands))
            in_a_row = in_a_row + 1 if len(refused) == len(places) else 0
            failed.update(refused)
        return failed

    def _put(
        self, places: Sequence[int], commands: Sequence[ScreenPayment]
    ) -> Iterator[tuple[int, str]]:
        """One request; the places that failed, with their codes."""
        try:
            answer = self._client.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(place), "MessageBody": encode_command(commands[place]).decode()}
                    for place in places
                ],
            )
        except AWS_ERRORS as error:
            yield from ((place, code_of(error)) for place in places)
            return
        taken = {entry["Id"] for entry in answer.get("Successful", ())}
        codes = {entry["Id"]: entry["Code"] for entry in answer.get("Failed", ())}
        for place in places:
            if str(place) not in taken:
                yield place, codes.get(str(place), NO_RESULT)
