"""Commands over the ingress bus: no order, no answer, no limit on who may subscribe as well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from ledger.client.messages import Fault, Message, deliver, has_room
from ledger.client.retries import Retries

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE_DEFAULT: Final = "ledger.client"  # `source` of the envelope; rules of the bus ignore it

#: Codes of an entry that PutEvents may take when asked again.
_TRANSIENT: Final = frozenset({"ThrottlingException", "InternalFailure", "InternalException"})


class BusSender:
    """Puts commands on the ingress bus, ten a request, and looks at each entry's own result."""

    def __init__(
        self,
        client: EventBridgeClient,
        bus: str,
        *,
        source: str = SOURCE_DEFAULT,
        retries: Retries | None = None,
    ) -> None:
        self._client = client
        self._bus = bus
        self._source = source
        self._retries = retries or Retries()

    def send(self, messages: Iterable[Message]) -> int:
        """Sends all; answers how many. Raises NotSentError, or botocore's errors."""
        sent = 0
        for batch in _requests(messages):
            deliver(self._put, [(str(place), m) for place, m in enumerate(batch)], self._retries)
            sent += len(batch)
        return sent

    def _put(self, named: Sequence[tuple[str, Message]]) -> dict[str, Fault]:
        answer = self._client.put_events(
            Entries=[
                {
                    "EventBusName": self._bus,
                    "Source": self._source,
                    "DetailType": message.command_type,
                    "Detail": message.body.decode(),
                }
                for _, message in named
            ]
        )
        return {
            name: Fault(entry["ErrorCode"], permanent=entry["ErrorCode"] not in _TRANSIENT)
            for (name, _), entry in zip(named, answer["Entries"], strict=True)
            if entry.get("ErrorCode")
        }


def _requests(messages: Iterable[Message]) -> Iterator[list[Message]]:
    request: list[Message] = []
    for message in messages:
        if not has_room(request, message):
            yield request
            request = []
        request.append(message)
    if request:
        yield request
