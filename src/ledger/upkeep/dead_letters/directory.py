"""Which places of dead letters a stack has, by the names of its outputs.

`<Name>QueueUrl` and `<Name>DlqUrl` are a queue and its dead letters, whatever they are for: a new
consumer is found here without a word. A dead-letter queue without a queue is a bus's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ledger.upkeep.dead_letters.places import Place
from ledger.upkeep.dead_letters.queues import DeadLetterQueue, LedgerBus, SourceQueue
from ledger.upkeep.dead_letters.relay_failures import RelayFailures
from ledger.upkeep.deployed import Deployed

_DLQ_OUTPUT: Final = "DlqUrl"
_QUEUE_OUTPUT: Final = "QueueUrl"
_BUS_DLQ_OUTPUT: Final = "BusDlqUrl"
_BUCKET_OUTPUT: Final = "RelayFailuresBucketName"

_PREFIX: Final = re.compile(r"^ledger-[a-z][a-z0-9]*-")  # of all physical names of a stage
_DLQ_SUFFIX: Final = re.compile(r"-dlq(?=(\.fifo)?$)")


def places(ledger: Deployed) -> list[Place]:
    """Every place of dead letters of the stack, by name, in the order of the outputs' names."""
    outputs = ledger.outputs
    found = [
        _queue(ledger, output, url)
        for output, url in sorted(outputs.items())
        if output.endswith(_DLQ_OUTPUT)
    ]
    if bucket := outputs.get(_BUCKET_OUTPUT):
        found.append(
            RelayFailures(
                ledger.s3, bucket=bucket, events=ledger.events(), publisher=ledger.publisher()
            )
        )
    return found


def name_of(url: str) -> str:
    """What people call a queue or the queue of a dead-letter queue, from a URL or physical name:
    `commands.fifo` of `…/ledger-dev-commands-dlq.fifo`."""
    physical = url.rpartition("/")[2]
    return _DLQ_SUFFIX.sub("", _PREFIX.sub("", physical))


def _queue(ledger: Deployed, output: str, url: str) -> Place:
    outputs: Mapping[str, str] = ledger.outputs
    name = name_of(url)
    if output == _BUS_DLQ_OUTPUT:
        bus = LedgerBus(ledger.publisher())
        return DeadLetterQueue(ledger.sqs, name=name, url=url, destination=bus)
    source = outputs.get(output.removesuffix(_DLQ_OUTPUT) + _QUEUE_OUTPUT)
    if source is None:
        return DeadLetterQueue(ledger.sqs, name=name, url=url, destination=None)
    queue = SourceQueue(ledger.sqs, name=name_of(source), url=source)
    return DeadLetterQueue(
        ledger.sqs, name=name, url=url, destination=queue, receives_max=queue.receives_max
    )
