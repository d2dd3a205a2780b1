"""Is each subscriber brought what it wants, signed with its own secret?

What a subscriber wants is known when the fan-out is done with a notification: of the subscribers
that have stood unchanged for a while by then it must have made a delivery for each that wants it.
A delivery is brought, or it lies in the dead letters, whatever becomes of its subscriber.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from ledger.contracts.events import PaymentScreened
from simulation.auditor.delivery.bodies import BALANCE_ALERT, Values, balance_alerts
from simulation.auditor.delivery.letters import (
    Letters,
    delivery_in,
    named_in,
    parts_of,
    same_json,
)
from simulation.auditor.delivery.notifications import Told
from simulation.auditor.delivery.signatures import is_signed
from simulation.auditor.facts import Facts
from simulation.auditor.findings import Findings
from simulation.auditor.recorded import Item, Recorded
from simulation.auditor.world import View
from simulation.wiring.model import Wiring

#: A subscriber that was changed is heeded everywhere after this long: workers remember it for 10 s,
#: and what is done now was begun less than a minute ago.
_HEEDED_AFTER: Final = 120_000_000
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


class _Subscriber(Struct, frozen=True):
    """What somebody wants, and since when (microseconds since 1970)."""

    url: str
    filters: Mapping[str, Sequence[str]]
    enabled: bool
    since: int


class _Taken(Struct, frozen=True):
    """A request that an endpoint took, and when."""

    at: int
    url: str
    body: bytes
    headers: Mapping[str, str]


class _Handed(Struct, frozen=True):
    """A notification that the fan-out is done with, and the subscribers that it must have known."""

    kind: str
    id: str
    subscribers: Mapping[str, _Subscriber]


class Webhooks:
    """Notes who subscribed, what is due to whom, and what endpoints took. `told` is what the topic
    was given, by type and id: the same notifications, made of the same events."""

    def __init__(
        self,
        wiring: Wiring,
        facts: Facts,
        told: Mapping[tuple[str, str], Told],
        findings: Findings,
    ) -> None:
        self._findings = findings
        self._facts = facts
        self._told = told
        self._table = wiring.variable("WEBHOOKS_TABLE")
        self._secrets_prefix = wiring.variable("WEBHOOK_SECRETS_PREFIX")
        by_name = {one.name: one for one in wiring.queues}
        rules = [one for one in wiring.rules if one.queue.endswith("-webhooks")]
        self._queues = {one.queue for one in rules}
        self._dead = {one.dead_letters for one in rules}
        deliveries = by_name[wiring.variable("DELIVERIES_QUEUE_URL").rpartition("/")[2]]
        self._dead_deliveries = str(deliveries.dead_letters)
        self._subscribers: dict[str, _Subscriber] = {}
        self._urls: dict[str, dict[str, None]] = {}
        """All that a subscriber ever had."""
        self._handed: dict[tuple[str, str], list[_Handed]] = {}
        self._taken: list[_Taken] = []
        self._brought: set[tuple[str, str, str]] = set()

    def changed(self, table: str, new: Item | None) -> None:
        """An item was written: perhaps that which has all subscribers."""
        if table != self._table or new is None or new["pk"]["S"] != "subscribers":
            return
        before, self._subscribers = self._subscribers, {}
        for each in msgspec.json.decode(new["data"]["S"]):
            id, url, filters = each["id"], each["url"], each["filters"]
            enabled = each.get("disabled_by") is None
            now = _Subscriber(url, filters, enabled, self._findings.now())
            known = before.get(id)
            same = known is not None and (url, filters, enabled) == (
                known.url,
                known.filters,
                known.enabled,
            )
            self._subscribers[id] = known if known is not None and same else now
            self._urls.setdefault(id, {})[url] = None

    def handed_over(
        self, queue: str, records: Sequence[Mapping[str, Any]], failed: frozenset[int] | None
    ) -> None:
        """A batch of a queue was handed over; those at the places `failed` come back, or all."""
        if queue not in self._queues or failed is None:
            return
        known_since = self._findings.now() - _HEEDED_AFTER
        known = {
            id: one
            for id, one in self._subscribers.items()
            if one.enabled and one.since <= known_since
        }
        handed = (record for place, record in enumerate(records) if place not in failed)
        for part in (part for record in handed for part in parts_of(record["body"])):
            made = self._facts.events.get(named_in(part).id)
            if made is None:
                continue
            for kind, id in _notifications(made):
                self._handed.setdefault((kind, id), []).append(_Handed(kind, id, known))

    def webhook(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """An endpoint has taken a request."""
        self._taken.append(_Taken(self._findings.now(), url, body, headers))
        named = named_in(body)
        if named.type != _TEST:
            self._brought.add((url, named.type, named.id))

    def finish(self, letters: Letters, world: View) -> None:
        """The world is at rest."""
        dead = letters.unpublished().union(*(letters.ids(name) for name in self._dead))
        for kind, id in self._told:
            # An alert is named after its event.
            if (kind, id) not in self._handed and id.partition("/")[0] not in dead:
                self._report(f"A notification {kind} was brought to nobody, and lies nowhere.", id)
        self._check_deliveries(letters)
        for taken in self._taken:
            named = named_in(taken.body)
            told = self._told.get((named.type, named.id))
            if named.type == _TEST or (told and same_json(taken.body, told.body.encode())):
                continue
            self._report(f"An endpoint was sent what no notification says: {named.type}.", named.id)
        self._check_signatures(world)

    def _check_deliveries(self, letters: Letters) -> None:
        undelivered = {
            (subscriber, named_in(body).id)
            for subscriber, body in (
                delivery_in(one.body) for one in letters.of(self._dead_deliveries)
            )
        }
        due: dict[tuple[str, str, str], None] = {}
        for handed in (one for several in self._handed.values() for one in several):
            told = self._told.get((handed.kind, handed.id))
            for subscriber, one in handed.subscribers.items():
                if told is not None and wants(one.filters, told.values):
                    due[subscriber, handed.kind, handed.id] = None
        for subscriber, kind, id in due:
            brought = any((url, kind, id) in self._brought for url in self._urls[subscriber])
            if not brought and (subscriber, id) not in undelivered:
                self._report(
                    f"Subscriber {subscriber} was never brought a notification {kind}.",
                    id,
                    subscriber,
                )

    def _check_signatures(self, world: View) -> None:
        """What an endpoint was sent is signed with a secret of a subscriber of that endpoint."""
        by_url: dict[str, list[str]] = {}
        for id, urls in self._urls.items():
            for url in urls:
                by_url.setdefault(url, []).extend(world.secrets.peek(self._secrets_prefix + id))
        for taken in self._taken:
            secrets = by_url.get(taken.url)
            if secrets is not None and not is_signed(taken.headers, taken.body, secrets, taken.at):
                self._report(
                    f"What {taken.url} was sent has no signature of its subscriber.",
                    named_in(taken.body).id,
                )

    def _report(self, message: str, *about: str) -> None:
        self._findings.report("webhooks_are_delivered", message, *about)


def _notifications(made: Recorded) -> Iterator[tuple[str, str]]:
    """The types and ids of the notifications of an event."""
    if not isinstance(made.event, PaymentScreened):
        yield made.type, made.id
        for alert in balance_alerts(made):
            yield BALANCE_ALERT, alert["id"]


def wants(filters: Mapping[str, Sequence[str]], values: Values) -> bool:
    """Whether a notification has, of each kind that is filtered by, one of the values."""
    for kind, wanted in filters.items():
        found = values.get(_FILTERS[kind], ())
        if wanted and not any(_fits(value, pattern) for value in found for pattern in wanted):
            return False
    return True


def _fits(value: str, pattern: str) -> bool:
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern
