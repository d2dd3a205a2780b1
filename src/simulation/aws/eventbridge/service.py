"""PutEvents: what is taken, entry by entry, and in which envelope it goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

import msgspec

from simulation.aws.calls import Answer, Operation, Request
from simulation.aws.errors import ServiceError
from simulation.aws.eventbridge.rule import Rule
from simulation.aws.sqs import Sqs
from simulation.aws.sqs.message import Content
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.hub import SECOND, Hub
from simulation.wiring import model

_ENTRIES_MAX: Final = 10
BYTES_MAX: Final = 1024 * 1024  # of a request
_PARAMETERS: Final = frozenset({"EventBusName", "Source", "DetailType", "Detail"})
_DETAIL: Final = msgspec.json.Decoder(dict[str, Any])
_TEXT: Final = msgspec.json.Encoder()

Observer = Callable[[str, str], None]
"""Told of each event that a bus accepted: the bus, and the envelope's text as it is delivered."""


class EventBridge:
    """All buses. What has no parameter here raises NotImplementedError.

    The detail goes on as the text that was put: what AWS may do to its white space is nothing that
    a reader of JSON could see.
    """

    name: Final = "events"

    def __init__(
        self,
        hub: Hub,
        random: Random,
        injector: Injector,
        sqs: Sqs,
        *,
        buses: Sequence[str],
        rules: Sequence[model.Rule],
        account: str,
        region: str,
    ) -> None:
        self._hub = hub
        self._random = random
        self._injector = injector
        self._sqs = sqs
        self._account = account
        self._region = region
        self._rules: dict[str, list[Rule]] = {bus: [] for bus in buses}
        # By bus, source and detail type: most of a pattern asks for nothing else.
        self._candidates: dict[tuple[str, str, str], tuple[Rule, ...]] = {}
        self._accepted = 0
        self._second = -1
        self._time = ""
        self.observers: list[Observer] = []
        for rule in rules:
            self.add(rule)
        self.operations: Mapping[str, Operation] = {"put_events": self._put_events}

    def prepared(self, operation: str, request: Request) -> Request:
        """See Service."""
        del operation
        return request

    def add(self, rule: model.Rule) -> None:
        """One more rule, for what comes from now on; its bus, if that is new."""
        made = Rule(
            rule,
            f"arn:aws:events:{self._region}:{self._account}:rule/{rule.bus}/{rule.name}",
            f"arn:aws:sqs:{self._region}:{self._account}:{rule.queue}",
            hub=self._hub,
            random=self._random,
            injector=self._injector,
            sqs=self._sqs,
        )
        self._rules.setdefault(rule.bus, []).append(made)
        self._candidates.clear()

    def _put_events(self, request: Request) -> Answer:
        if request.keys() != {"Entries"}:
            raise NotImplementedError(f"events.put_events: {sorted(request)} is not simulated")
        entries: Sequence[Mapping[str, Any]] = request["Entries"]
        _fit(entries)
        results = [self._put(entry) for entry in entries]
        failed = sum("ErrorCode" in result for result in results)
        return {"FailedEntryCount": failed, "Entries": results}

    def _put(self, entry: Mapping[str, Any]) -> Mapping[str, str]:
        """What becomes of one entry: an id, or an error."""
        for name in ("Source", "DetailType", "Detail"):
            if not entry.get(name):
                return _refused(
                    "InvalidArgument",
                    f"Parameter {name} is not valid. Reason: {name} is a required argument.",
                )
        if entry["Source"].startswith("aws."):
            return _refused(
                "NotAuthorizedForSourceException",
                f"Not authorized for the source {entry['Source']}",
            )
        try:
            detail = _DETAIL.decode(entry["Detail"])
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return _refused("MalformedDetail", "Detail is malformed.")
        bus = entry["EventBusName"]
        if self._injector.strikes(Fault.PUT_EVENTS_ENTRY_FAILED, bus, entry["DetailType"]):
            if self._random.random() < 0.5:
                return _refused("ThrottlingException", "Rate exceeded")
            return _refused("InternalFailure", "Internal Service Failure")
        return {"EventId": self._accept(bus, entry, detail)}

    def _accept(self, bus: str, entry: Mapping[str, Any], detail: dict[str, Any]) -> str:
        """The event is on the bus: it goes to the target of each rule that it matches. Its id."""
        self._accepted += 1
        id_ = f"51510000-0000-4000-8002-{self._accepted:012x}"
        if bus not in self._rules:
            return id_  # PutEvents takes it all the same
        source, type_ = entry["Source"], entry["DetailType"]
        envelope = Content(
            f'{{"version":"0","id":"{id_}","detail-type":{_json(type_)},"source":{_json(source)},'
            f'"account":"{self._account}","time":"{self._now()}","region":"{self._region}",'
            f'"resources":[],"detail":{entry["Detail"]}}}'
        )
        for observer in self.observers:
            observer(bus, envelope.body)
        for rule in self._candidates_for(bus, source, type_):
            if rule.matches_detail is None or rule.matches_detail(detail):
                rule.bring(envelope, id_)
        return id_

    def _candidates_for(self, bus: str, source: str, type_: str) -> tuple[Rule, ...]:
        """The rules whose pattern matches, as far as it does not ask for details."""
        key = (bus, source, type_)
        found = self._candidates.get(key)
        if found is None:
            head = {
                "source": source,
                "detail-type": type_,
                "account": self._account,
                "region": self._region,
            }
            found = tuple(rule for rule in self._rules[bus] if rule.matches_head(head))
            self._candidates[key] = found
        return found

    def _now(self) -> str:
        """The time in an envelope, which has whole seconds."""
        second = self._hub.now // SECOND
        if second != self._second:
            self._second = second
            self._time = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return self._time


def _fit(entries: Sequence[Mapping[str, Any]]) -> None:
    """Raises ServiceError if a request is refused as a whole."""
    if not 1 <= len(entries) <= _ENTRIES_MAX:
        wanted = "greater than or equal to 1" if not entries else "less than or equal to 10"
        raise ServiceError(
            "ValidationException",
            "1 validation error detected: Value at 'entries' failed to satisfy constraint: "
            f"Member must have length {wanted}",
        )
    for entry in entries:
        if not entry.keys() <= _PARAMETERS or "EventBusName" not in entry:
            raise NotImplementedError(f"events.put_events: {sorted(entry)} is not simulated")
    if sum(map(_bytes_of, entries)) > BYTES_MAX:
        raise ServiceError(
            "ValidationException", "Total size of the entries in the request is over the limit."
        )


def _bytes_of(entry: Mapping[str, Any]) -> int:
    """The size of an entry as PutEvents counts it."""
    texts = (entry.get("Source"), entry.get("DetailType"), entry.get("Detail"))
    return sum(len(text) if text.isascii() else len(text.encode()) for text in texts if text)


def _refused(code: str, message: str) -> Mapping[str, str]:
    return {"ErrorCode": code, "ErrorMessage": message}


def _json(text: str) -> str:
    return _TEXT.encode(text).decode()
