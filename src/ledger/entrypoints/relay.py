"""The relay: every event that the stream of the events table shows goes onto the bus.

Reports the first record that it could not publish; the mapping then comes back from there, and
what was published twice is harmless. The table is append only, so a MODIFY or REMOVE record, or an
item that is no event, means that someone got past that: it raises the security alarm, is never
published, and never blocks the stream.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.adapters.eventbridge.publisher import EventBridgePublisher
from ledger.application.publication import Published, Publisher
from ledger.contracts.events import (
    EVENT_TYPES,
    CorruptEventError,
    UnknownEventError,
    decode_event,
)
from ledger.runtime.host import Host
from ledger.runtime.lazy import on_first_call
from ledger.runtime.settings import read_settings
from ledger.runtime.sqs import BatchAnswer
from ledger.runtime.telemetry import Line, Telemetry

TAMPERED_NOTED_MAX: Final = 20  # ids in one log line; the metric counts them all

Record = Mapping[str, Any]
Handler = Callable[[dict[str, Any], object], BatchAnswer]


@dataclass(frozen=True, slots=True)
class BusSettings:
    """The bus that events are published on."""

    ledger_bus: str


def make_handler(*, publisher: Publisher, telemetry: Telemetry) -> Handler:
    """The handler of a DynamoDB stream mapping with `ReportBatchItemFailures`."""

    def handler(event: dict[str, Any], context: object) -> BatchAnswer:
        with telemetry.invocation(context) as line:
            return _relay(event["Records"], publisher, line)

    return handler


def _relay(records: Sequence[Record], publisher: Publisher, line: Line) -> BatchAnswer:
    inserted: list[Record] = []
    events: list[Published] = []
    tampered: list[Record] = []
    for record in records:
        event = _event_of(record)
        if event is None:
            tampered.append(record)
        else:
            inserted.append(record)
            events.append(event)
    failed = publisher.publish(events)
    line.count("EventsPublished", len(events) - len(failed))
    line.count("SecurityAlarm", len(tampered))  # 0 as well: the alarm sees that the relay lives
    if tampered:
        line.warn()
        line.note("tampered", [_described(record) for record in tampered[:TAMPERED_NOTED_MAX]])
    if not failed:
        return {"batchItemFailures": []}
    line.warn()
    line.count("EventsNotPublished", len(failed))
    first = inserted[min(failed)]["dynamodb"]["SequenceNumber"]
    return {"batchItemFailures": [{"itemIdentifier": first}]}


def _event_of(record: Record) -> Published | None:
    """The event that a record inserted; None for any other record."""
    if record.get("eventName") != "INSERT":
        return None
    image = record["dynamodb"].get("NewImage", {})
    key, event_type, data = (image.get(name, {}).get("S") for name in ("pk", "type", "data"))
    if not (key and event_type and data):
        return None
    try:
        event = decode_event(data)
    except UnknownEventError:
        return Published(event_type, data)  # a newer release's: not for this one to judge
    except CorruptEventError:
        return None  # PutEvents would refuse it for ever
    genuine = event.id == key and isinstance(event, EVENT_TYPES.get(event_type, ()))
    return Published(event_type, data) if genuine else None


def _described(record: Record) -> str:
    key = record["dynamodb"].get("Keys", {}).get("pk", {}).get("S", "")
    return f"{record.get('eventName')} {key}"


def build(host: Host) -> Handler:
    """The function. The publisher retries entry by entry, so the SDK does not. Raises
    SettingsError."""
    publisher = EventBridgePublisher(
        host.events(attempts=1),
        read_settings(BusSettings, host.environment).ledger_bus,
        pause=host.pause,
        chance=host.chance,
    )
    return make_handler(publisher=publisher, telemetry=host.telemetry())


handler: Handler = on_first_call(build)
