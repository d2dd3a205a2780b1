"""A rule, and how it brings one event into its queue: late, twice, after retries, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Any, Final

from simulation.aws.eventbridge.patterns import compiled
from simulation.aws.sqs import Sqs
from simulation.aws.sqs.message import Content
from simulation.faults.injector import Injector
from simulation.faults.kinds import Fault
from simulation.kernel.hub import MILLISECOND, SECOND, Hub
from simulation.wiring import model

#: Who sent what a rule delivered, as SQS names it.
SENDER_ID: Final = "AIDASIMULATEDRULES"
#: Of an envelope, what does not differ between events of one source and detail type.
_HEAD_FIELDS: Final = frozenset({"source", "detail-type", "account", "region"})
_USUAL_DELIVERY: Final = 50 * MILLISECOND  # on average
_LATE_SECONDS: Final = (5, 300)
#: AWS bounds the delay by nothing but the age that the rule allows. Few of the late come so late.
_VERY_LATE: Final = 0.02
_VERY_LATE_SECONDS: Final = (300, 3_600)
_DUPLICATE_WITHIN: Final = 60 * SECOND
_BACKOFF_SECONDS_MAX: Final = 600
#: What may come of an attempt to deliver, the first or a later one; at most one of them does.
_FAILS: Final = (Fault.BUS_DELIVERY_DEAD, Fault.BUS_DELIVERY_RETRIED)
_FAILS_AGAIN: Final = (Fault.BUS_DELIVERY_RETRIED,)


class Rule:
    """A rule with its target. Raises NotImplementedError for a pattern that is not simulated."""

    def __init__(
        self,
        spec: model.Rule,
        arn: str,
        target_arn: str,
        *,
        hub: Hub,
        random: Random,
        injector: Injector,
        sqs: Sqs,
    ) -> None:
        if strange := sorted(spec.pattern.keys() - _HEAD_FIELDS - {"detail"}):
            raise NotImplementedError(f"event pattern: {', '.join(strange)} is not simulated")
        head = {name: wanted for name, wanted in spec.pattern.items() if name != "detail"}
        self.spec = spec
        self.matches_head = compiled(head)
        self.matches_detail = compiled(spec.pattern["detail"]) if "detail" in spec.pattern else None
        self._arn = arn
        self._target_arn = target_arn
        self._hub = hub
        self._random = random
        self._injector = injector
        self._sqs = sqs

    def bring(self, envelope: Content, event_id: str) -> None:
        """Brings an event to its target, sooner or later, at least once."""
        self._plan(envelope, event_id)
        if self._strikes(Fault.BUS_DUPLICATE, event_id):
            self._hub.after(
                self._random.randrange(_DUPLICATE_WITHIN), partial(self._plan, envelope, event_id)
            )

    def _plan(self, envelope: Content, event_id: str) -> None:
        if self._strikes(Fault.BUS_LATE, event_id):
            very = self._random.random() < _VERY_LATE
            seconds = _VERY_LATE_SECONDS if very else _LATE_SECONDS
            delay = int(self._random.uniform(*seconds) * SECOND)
        else:
            delay = int(self._random.expovariate(1 / _USUAL_DELIVERY))
        self._hub.after(delay, partial(self._attempt, envelope, event_id, self._hub.now, 0))

    def _attempt(self, envelope: Content, event_id: str, since: int, retries: int) -> None:
        """One delivery. A failed one is tried again as often, and for as long, as the rule says."""
        fails = _FAILS_AGAIN if retries else _FAILS
        struck = self._injector.one_of(fails, self.spec.name, event_id)
        if struck is None:
            self._sqs.deliver(self.spec.queue, envelope, sender_id=SENDER_ID)
            return
        if struck is Fault.BUS_DELIVERY_DEAD:
            # Of the errors after which EventBridge does not try again.
            self._give_up(envelope, {"ERROR_CODE": "NO_PERMISSIONS"}, retries)
            return
        delay = self._backoff(retries)
        exhausted = self._exhausted(since, retries, delay)
        if exhausted:
            self._injector.note(Fault.BUS_DELIVERY_DEAD, self.spec.name, event_id)
            said = {"ERROR_CODE": "SDK_CLIENT_ERROR", "EXHAUSTED_RETRY_CONDITION": exhausted}
            self._give_up(envelope, said, retries)
        else:
            again = partial(self._attempt, envelope, event_id, since, retries + 1)
            self._hub.after(delay, again)

    def _exhausted(self, since: int, retries: int, delay: int) -> str:
        """Why no further attempt is made after so many retries; empty if one is."""
        if retries >= self.spec.retries:
            return "MaximumRetryAttempts"
        age = self._hub.now + delay - since
        return "MaximumEventAgeInSeconds" if age > self.spec.age_seconds * SECOND else ""

    def _give_up(self, envelope: Content, said: Mapping[str, str], retries: int) -> None:
        """To the dead letters, with what EventBridge says of it (its user guide, "Using dead-letter
        queues to process undelivered events")."""
        attributes = {
            "RULE_ARN": self._arn,
            "TARGET_ARN": self._target_arn,
            "ERROR_MESSAGE": "The delivery failed.",
            "RETRY_ATTEMPTS": str(retries),
            **said,
        }
        self._sqs.deliver(
            self.spec.dead_letters,
            envelope.body,
            {name: _text(value) for name, value in attributes.items()},
            SENDER_ID,
        )

    def _backoff(self, retries: int) -> int:
        """Exponential, with jitter."""
        seconds = min(2.0**retries, _BACKOFF_SECONDS_MAX)
        return int(self._random.uniform(0.5, 1.0) * seconds * SECOND)

    def _strikes(self, fault: Fault, event_id: str) -> bool:
        return self._injector.strikes(fault, self.spec.name, event_id)


def _text(value: str) -> Mapping[str, Any]:
    return {"DataType": "String", "StringValue": value}
