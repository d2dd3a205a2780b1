"""Is everybody told of everything, as it was, and each webhook brought to its endpoint?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from ledger.contracts.events import (
    AccountEvent,
    CommandRejected,
    Event,
    PaymentEvent,
    PaymentScreened,
    entries_of,
    payment_of,
)
from ledger.contracts.primitives import instant_of_microseconds
from simulation.auditor.delivery.letters import Letters, delivery_in, named_in, same_json
from simulation.auditor.delivery.signatures import is_signed
from simulation.auditor.facts import Facts
from simulation.auditor.findings import Findings
from simulation.auditor.world import View
from simulation.wiring.model import Wiring

#: A subscriber that was changed is heeded everywhere after this long (10 s, and clocks differ).
_CACHED: Final = 20_000_000
#: What the ledger sends an endpoint to try it.
_TEST: Final = "webhook.test"
_FILTERS: Final = {
    "types": "type",
    "accounts": "account",
    "payments": "payment",
    "currencies": "currency",
    "amount_bands": "amount_band",
    "reasons": "reason",
}


class Told(Struct, frozen=True):
    """A notification, when it was first published, and what it is filtered by."""

    at: int
    body: str
    attributes: Mapping[str, tuple[str, ...]]


class _Taken(Struct, frozen=True):
    """A request that an endpoint took, and when."""

    at: int
    url: str
    body: bytes
    headers: Mapping[str, str]


class Notifications:
    """Notes what the topics were given and what endpoints took."""

    def __init__(self, wiring: Wiring, facts: Facts, findings: Findings) -> None:
        self._facts = facts
        self._findings = findings
        self._topic = wiring.variable("TOPIC_ARN")
        self._fraud_topic = wiring.variable("FRAUD_ALERTS_TOPIC_ARN")
        self._table = wiring.variable("WEBHOOKS_TABLE")
        self._told: dict[tuple[str, str], Told] = {}
        self._alarmed: set[str] = set()
        self._taken: list[_Taken] = []
        self._secrets_prefix = wiring.variable("WEBHOOK_SECRETS_PREFIX")
        self._brought: set[tuple[str, str, str]] = set()
        by_name = {one.name: one for one in wiring.queues}
        deliveries = by_name[wiring.variable("DELIVERIES_QUEUE_URL").rpartition("/")[2]]
        subscribed = [one for one in wiring.subscriptions if one.topic_arn == self._topic]
        self._dead_deliveries = str(deliveries.dead_letters)
        self._dead = [str(by_name[one.queue].dead_letters) for one in subscribed]
        self._dead_events = [
            one.dead_letters for one in wiring.rules if one.queue.endswith("-notifications")
        ]
        self._dead_reviews = [
            one.dead_letters for one in wiring.rules if one.queue.endswith("-fraud")
        ]

    def notified(self, topic: str, body: str, attributes: Mapping[str, Mapping[str, Any]]) -> None:
        """A topic has taken a message."""
        named = named_in(body)
        if topic == self._fraud_topic:
            self._alarmed.add(named.id)
        if topic != self._topic or (named.type, named.id) in self._told:
            return
        values = {name: _values(one) for name, one in attributes.items()}
        self._told[named.type, named.id] = Told(self._findings.now(), body, values)
        if named.type != "balance.alert":
            made = self._facts.events.get(named.id)
            right = (
                made is not None
                and same_json(body.encode(), made.data)
                and _names_all(values, made.event)
            )
        else:
            right = msgspec.json.decode(body).get("event") in self._facts.events
        if not right or values.get("type") != (named.type,):
            self._findings.report(
                "notifications_are_sent",
                f"A notification {named.type} is not as the event was recorded.",
                named.id,
            )

    def webhook(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """An endpoint has taken a request."""
        self._taken.append(_Taken(self._findings.now(), url, body, headers))
        named = named_in(body)
        if named.type == _TEST:
            return
        told = self._told.get((named.type, named.id))
        self._brought.add((url, named.type, named.id))
        if told is None or not same_json(body, told.body.encode()):
            self._findings.report(
                "webhooks_are_delivered",
                f"An endpoint was sent what no notification says: {named.type}.",
                named.id,
            )

    def finish(self, letters: Letters, world: View) -> None:
        """The world is at rest."""
        dead = letters.unpublished().union(*(letters.ids(one) for one in self._dead_events))
        for kind, id, source in self._wanted():
            if (kind, id) not in self._told and source not in dead:
                self._findings.report(
                    "notifications_are_sent", f"A notification {kind} was never published.", id
                )
        dead_reviews = letters.unpublished().union(
            *(letters.ids(one) for one in self._dead_reviews)
        )
        for verdicts in self._facts.screened.values():
            for event in verdicts:
                told = event.id in self._alarmed or event.id in dead_reviews
                if event.verdict != "clear" and not told:
                    self._findings.report(
                        "notifications_are_sent", "A fraud alert was never published.", event.id
                    )
        self._check_webhooks(letters, world)

    def _wanted(self) -> Iterator[tuple[str, str, str]]:
        """Every notification by its type and id, and the event that it is of."""
        for id, made in self._facts.events.items():
            if isinstance(made.event, PaymentScreened):
                continue
            yield made.type, id, id
            if isinstance(made.event, AccountEvent):
                for entry in entries_of(made.event):
                    for one in entry.crossed:
                        name = f"{id}/{entry.id}/{one.direction}/{one.threshold_minor}"
                        yield "balance.alert", name, id

    def _check_webhooks(self, letters: Letters, world: View) -> None:
        item = world.dynamodb.peek(self._table).get(("subscribers",))
        subscribers = msgspec.json.decode(item["data"]["S"]) if item else []
        self._check_signatures(subscribers, world)
        dead = {named_in(one.body).id for name in self._dead for one in letters.of(name)}
        undelivered = {
            (subscriber, named_in(body).id)
            for subscriber, body in (
                delivery_in(one.body) for one in letters.of(self._dead_deliveries)
            )
        }
        every = [
            (kind, id, told, instant_of_microseconds(told.at - _CACHED))
            for (kind, id), told in self._told.items()
        ]
        for each in subscribers:
            if each.get("disabled_by") is not None:
                continue
            for kind, id, told, known_at in every:
                if known_at < each["updated_at"]:
                    continue
                if id in dead or (each["id"], id) in undelivered:
                    continue
                if (each["url"], kind, id) not in self._brought and wants(each["filters"], told):
                    self._findings.report(
                        "webhooks_are_delivered",
                        f"Subscriber {each['id']} was never brought a notification {kind}.",
                        id,
                        each["id"],
                    )

    def _check_signatures(self, subscribers: list[dict[str, Any]], world: View) -> None:
        """What a subscriber that is still there was sent is signed with a secret of its own."""
        by_url = {
            each["url"]: world.secrets.peek(self._secrets_prefix + each["id"])
            for each in subscribers
        }
        for taken in self._taken:
            secrets = by_url.get(taken.url)
            if secrets is not None and not is_signed(taken.headers, taken.body, secrets, taken.at):
                self._findings.report(
                    "webhooks_are_delivered",
                    f"What {taken.url} was sent has no signature of its subscriber.",
                    named_in(taken.body).id,
                )


def _names_all(values: Mapping[str, tuple[str, ...]], event: Event) -> bool:
    """Whether a notification can be filtered by every account and payment that its event is of."""
    accounts, payments = set(values.get("account", ())), values.get("payment", ())
    if isinstance(event, CommandRejected):
        return accounts >= {cause.id for cause in event.causes if cause.kind == "account"}
    if isinstance(event, PaymentEvent) and payments != (payment_of(event),):
        return False
    return not isinstance(event, AccountEvent) or accounts == {
        entry.id for entry in entries_of(event)
    }


def wants(filters: Mapping[str, list[str]], told: Told) -> bool:
    """Whether a notification has, of each kind that is filtered by, one of the values."""
    for kind, wanted in filters.items():
        found = told.attributes.get(_FILTERS[kind], ())
        if wanted and not any(_fits(value, pattern) for value in found for pattern in wanted):
            return False
    return True


def _fits(value: str, pattern: str) -> bool:
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern


def _values(attribute: Mapping[str, Any]) -> tuple[str, ...]:
    text = attribute["StringValue"]
    return tuple(json.loads(text)) if attribute["DataType"] == "String.Array" else (text,)
