"""Dead letters of commands that can never be decided: sent by the handler itself, with the reason.

Each says in its attributes why it is here, which field is at fault and what a retry is good for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from ledger.contracts.reasons import Violation
from ledger.runtime.packing import packed
from ledger.runtime.sqs import Record

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_ENTRIES_MAX: Final = 10  # of SendMessageBatch
#: Of a request of several: what SQS has always taken, though it takes 1 MiB by now.
_BYTES_MAX: Final = 256 * 1024


class Burial(Struct, frozen=True):
    """What is to become of a command that can never be decided.

    `queue_url` is that of the dead letters, `place` that of the command in its bulk message.
    """

    record: Record
    queue_url: str
    group: str
    body: str
    fault: Violation
    place: int | None = None


def bury(client: SQSClient, burials: Sequence[Burial], has_time: Callable[[], bool]) -> list[bool]:
    """Sends dead letters; says of each whether it was taken.

    Never raises for an error of SQS, and sends none when `has_time` says no more: what was not
    buried comes back, and in the end SQS moves it there itself.
    """
    taken = [False] * len(burials)
    by_queue: defaultdict[str, list[int]] = defaultdict(list)
    for number, burial in enumerate(burials):
        by_queue[burial.queue_url].append(number)
    for url, numbers in by_queue.items():
        requests = packed(
            numbers,
            lambda number: len(burials[number].body.encode()),
            entries_max=_ENTRIES_MAX,
            bytes_max=_BYTES_MAX,
        )
        for request in requests:
            if not has_time():
                return taken
            for number in _sent(client, url, burials, request):
                taken[number] = True
    return taken


def _sent(
    client: SQSClient, url: str, burials: Sequence[Burial], numbers: Sequence[int]
) -> set[int]:
    entries: Any = [_entry(number, burials[number]) for number in numbers]
    try:
        answer = client.send_message_batch(QueueUrl=url, Entries=entries)
    except (BotoCoreError, ClientError):
        return set()
    return set(numbers) - {int(failed["Id"]) for failed in answer.get("Failed", ())}


def _entry(number: int, burial: Burial) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "Id": str(number),
        "MessageBody": burial.body,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value}
            for name, value in _said(burial).items()
            if value
        },
    }
    if burial.group:
        # A second burial of one command is one, for as long as SQS remembers.
        of_place = "" if burial.place is None else f":{burial.place}"
        entry["MessageGroupId"] = burial.group
        entry["MessageDeduplicationId"] = f"{burial.record['messageId']}{of_place}"
    return entry


def _said(burial: Burial) -> Mapping[str, str]:
    """What a dead letter says of itself, in its attributes."""
    reason = burial.fault.reason
    return {
        "reason": reason.code,
        "field": burial.fault.field,
        "retry": reason.retry,
        "source_message_id": burial.record["messageId"],
    }
