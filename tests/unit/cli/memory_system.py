"""All that `ledger up` works on, in memory: entry points, projections, queues and logs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import count
from types import SimpleNamespace
from typing import Any

from ledger.adapters.dynamodb.event_store import Meter
from ledger.cli.connection import Connection
from ledger.client.messages import Message
from ledger.entrypoints.commands import QueueSettings, make_handler
from ledger.runtime.telemetry import Telemetry
from tests.unit.cli.local_ledger import LocalLedger


class MemorySystem(Connection):
    """A connection to a LocalLedger whose bus and queue end at the real handler of commands.

    `lose` is the number of messages that the bus loses.
    """

    def __init__(self, local: LocalLedger) -> None:
        super().__init__(local.config)
        self.local = local
        self.lose = 0
        self.buried: list[dict[str, Any]] = []
        self.waiting = 0
        self.stuck = 0
        self._numbers = count(1)
        self._handler = make_handler(
            group=local.group,
            cache=local.cache,
            meter=Meter(),
            sqs=self,  # type: ignore[arg-type]
            queues=QueueSettings("commands", "commands.fifo", "system", "dlq", "dlq.fifo", "dlq"),
            chance=lambda: 0.0,
            telemetry=Telemetry(local.lines.append),
        )
        for key in ("CommandsQueueUrl", "CommandsFifoQueueUrl", "BalancesQueueUrl",
                    "HistoryQueueUrl", "BalancesDlqUrl", "HistoryDlqUrl"):  # fmt: skip
            self.config.outputs[key] = key
        self.config.outputs["EventsTableName"] = "ledger-test-events"
        # As attributes, they stand before the properties that would make clients of AWS.
        self.__dict__.update(sqs=self, logs=self)

    def events(self) -> Any:
        return self.local.store

    def balances(self) -> Any:
        return self.local.balances

    def history(self) -> Any:
        return self.local.history

    def payments(self) -> Any:
        return self.local.payments

    def bus(self) -> Any:
        return SimpleNamespace(send=lambda messages: self._deliver(messages, fifo=False))

    def fifo(self) -> Any:
        return SimpleNamespace(send=lambda messages: self._deliver(messages, fifo=True))

    def get_queue_attributes(self, *, QueueUrl: str, **_: Any) -> Any:  # noqa: N803
        waiting = self.waiting if QueueUrl.startswith(("Balances", "History")) else 0
        waiting += self.stuck if QueueUrl.startswith("Stuck") else 0
        return {"Attributes": {"ApproximateNumberOfMessages": str(waiting)}}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803
        self.buried += [{"QueueUrl": QueueUrl, **entry} for entry in Entries]
        return {}

    def filter_log_events(self, *, logGroupName: str, **_: Any) -> Any:  # noqa: N803
        assert logGroupName in {"/aws/lambda/ledger-test-api", "/aws/lambda/ledger-test-commands"}
        prefix = "rest" if logGroupName.endswith("api") else "queue"
        lines = [line.notes for line in self.local.lines]
        return {
            "events": [
                {"message": json.dumps(notes), "timestamp": place}
                for place, notes in enumerate(lines)
                if str(notes["request_id"]).startswith(prefix)
            ]
        }

    def _deliver(self, messages: Iterable[Message], *, fifo: bool) -> None:
        for message in messages:
            if not fifo and self.lose:
                self.lose -= 1
                continue
            number = next(self._numbers)
            body = message.body.decode()
            attributes = {"MessageGroupId": message.ordering_key, "SenderId": "me"}
            envelope = {
                "id": str(number),
                "source": "test",
                "account": "0",
                "detail-type": message.command_type,
            }
            record = {
                "messageId": f"m{number}",
                "receiptHandle": "r",
                "body": body if fifo else json.dumps(envelope | {"detail": json.loads(body)}),
                "attributes": attributes if fifo else {},
                "eventSourceARN": f"arn:aws:sqs:::commands{'.fifo' if fifo else ''}",
            }
            context = SimpleNamespace(aws_request_id=f"queue {number}")
            with self.local.lock:
                assert self._handler({"Records": [record]}, context) == {"batchItemFailures": []}
                self.local.catch_up()
