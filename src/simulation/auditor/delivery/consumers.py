"""Does every event reach every consumer whose rule it matches, as it was recorded?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final
from zlib import crc32

import msgspec

from ledger.contracts.envelopes import SOURCE
from simulation.auditor.delivery.letters import Letters, named_in, parts_of, same_json
from simulation.auditor.facts import Facts
from simulation.auditor.findings import Findings
from simulation.auditor.recorded import Recorded
from simulation.wiring.model import Rule, Wiring

#: Clients repeat themselves, queues and buses duplicate, operators redrive: none of them so often.
_HANDED_MAX: Final = 100


class Consumers:
    """Notes which event each queue of a rule handed over, and whether it was done with."""

    def __init__(self, wiring: Wiring, facts: Facts, findings: Findings) -> None:
        self._facts = facts
        self._findings = findings
        self._rules = [one for one in wiring.rules if one.bus == wiring.variable("LEDGER_BUS")]
        self._done: dict[str, set[str]] = {one.queue: set() for one in self._rules}
        self._handed: Counter[tuple[str, int]] = Counter()
        self._most = {one.name: one.max_receives for one in wiring.queues}

    def handed_over(
        self, queue: str, records: Sequence[Mapping[str, Any]], failed: frozenset[int] | None
    ) -> list[Recorded]:
        """A batch of a queue was handed over; those at the places `failed` come back. The events
        with which the queue is now done."""
        for record in records:
            self._check_times(queue, record)
        done = self._done.get(queue)
        if done is None or failed is None:
            return []
        newly = []
        handed = (record for place, record in enumerate(records) if place not in failed)
        for event in (part for record in handed for part in parts_of(record["body"])):
            id = named_in(event).id
            if id in done:
                continue
            done.add(id)
            made = self._facts.events.get(id)
            if made is not None:
                newly.append(made)
            if made is None or not same_json(event, made.data):
                self._findings.report(
                    "events_reach_consumers",
                    f"{queue} has handed over an event that is not as it was recorded.",
                    id,
                )
        return newly

    def _check_times(self, queue: str, record: Mapping[str, Any]) -> None:
        """A message is received so often, and its text so often, however it came again."""
        most = self._most.get(queue)
        times = int(record["attributes"]["ApproximateReceiveCount"])
        if most is not None and times > most:
            self._findings.report(
                "retries_end", f"A message of {queue} was received {times} times.", queue
            )
        text = queue, crc32(record["body"].encode())
        self._handed[text] += 1
        if self._handed[text] == _HANDED_MAX:
            self._findings.report(
                "retries_end",
                f"The same text came out of {queue} {_HANDED_MAX} times.",
                queue,
                *(named_in(part).id for part in parts_of(record["body"])),
            )

    def sent_back(self, letters: Letters) -> None:
        """Nothing fails any more: an event that dies even now is one that somebody cannot take."""
        unpublished = letters.unpublished()
        for rule in self._rules:
            dead = letters.ids(rule.dead_letters) | unpublished
            for id, made in self._facts.events.items():
                if id in dead and matches(rule, made):
                    self._findings.report(
                        "events_reach_consumers",
                        f"An event {made.type} is a dead letter of {rule.queue} again, though "
                        "nothing fails any more.",
                        id,
                    )

    def finish(self, letters: Letters) -> None:
        """The world is at rest."""
        unpublished = letters.unpublished()
        for rule in self._rules:
            done = self._done[rule.queue]
            dead = letters.ids(rule.dead_letters) | unpublished
            for id, made in self._facts.events.items():
                if id not in done and id not in dead and matches(rule, made):
                    self._findings.report(
                        "events_reach_consumers",
                        f"An event {made.type} never reached {rule.queue}, and lies nowhere.",
                        id,
                    )


def matches(rule: Rule, made: Recorded) -> bool:
    """Whether a rule's pattern matches an event as it is published."""
    kinds = rule.pattern.get("detail-type")
    if kinds is not None and made.type not in kinds:
        return False
    shown: dict[str, Any] = {"source": SOURCE, "detail-type": made.type}
    if "detail" in rule.pattern:
        shown["detail"] = {"events": [msgspec.json.decode(made.data)]}
    return _matches(rule.pattern, shown)


def _matches(pattern: Mapping[str, Any], shown: Mapping[str, Any]) -> bool:
    for name, wanted in pattern.items():
        value = shown.get(name)
        if isinstance(wanted, Mapping):
            inside = value if isinstance(value, list) else [value]
            if not any(isinstance(one, Mapping) and _matches(wanted, one) for one in inside):
                return False
        elif value not in wanted:
            return False
    return True
