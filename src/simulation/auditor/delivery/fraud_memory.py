"""What the fraud scorer remembers of each account, against all events of that account: each counts
once, in whatever order they came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from ledger.contracts.events import (
    AccountEvent,
    AccountOpened,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentIncreased,
    PaymentPosted,
    entries_of,
    moved_minor,
    pended_minor,
)
from ledger.contracts.primitives import microseconds_of_instant
from simulation.auditor.delivery.consumers import matches
from simulation.auditor.delivery.fraud import CUSTOMER
from simulation.auditor.delivery.letters import Letters
from simulation.auditor.facts import Facts
from simulation.auditor.findings import Findings
from simulation.auditor.world import View
from simulation.wiring.model import Wiring

#: How far back each sum goes from the newest hour in which something was paid, and how many payees
#: are kept: those paid last, by day and hash.
_HOURS: Final = 36
_WEEKS: Final = 14
_DAYS: Final = 91
_PAYEES: Final = 32
_PAID: Final = 24
_DAY: Final = 24
_WEEK: Final = 168
_HOUR_MICROSECONDS: Final = 3_600_000_000
#: Versions of a stripe are remembered behind those of the one before.
_STRIPE: Final = 2**40

Memory = Mapping[str, Any]
"""What is remembered of an account, by name."""


class FraudMemory:
    """Compares the accounts in the fraud table with the fold of the events."""

    def __init__(self, wiring: Wiring, facts: Facts, findings: Findings) -> None:
        self._facts = facts
        self._findings = findings
        self._table = wiring.variable("FRAUD_TABLE")
        self._rules = [one for one in wiring.rules if one.queue.endswith("-fraud")]

    def finish(self, letters: Letters, world: View) -> None:
        """The world is at rest."""
        dead = letters.unpublished().union(*(letters.ids(one.dead_letters) for one in self._rules))
        wanted: defaultdict[str, _Account] = defaultdict(_Account)
        waived: set[str] = set()
        for id, made in self._facts.events.items():
            event = made.event
            if isinstance(event, AccountEvent) and any(matches(one, made) for one in self._rules):
                _count(wanted, event)
                if id in dead:
                    waived |= {entry.id for entry in event.accounts}
        found = {
            key[0].partition("#")[2]: _remembered(bytes(item["features"]["B"]))
            for key, item in world.dynamodb.peek(self._table).items()
            if key[0].startswith("account#")
        }
        for name in sorted(found.keys() | wanted.keys()):
            here = found.get(name, {})
            there = wanted[name].kept() if name in wanted else {}
            wrong = [part for part in (there or here) if here.get(part) != there.get(part)]
            if wrong and name not in waived:
                shown = ", ".join(f"{one} {here.get(one)}, not {there.get(one)}" for one in wrong)
                self._findings.report(
                    "scorer_remembers", f"The fraud scorer has of {name} {shown}.", name
                )


@dataclass
class _Account:
    """All that happened to an account, in whatever order."""

    opened_hour: int | None = None
    newest_hour: int = 0
    versions: set[int] = field(default_factory=set)
    sent: list[tuple[int, int]] = field(default_factory=list)
    """Hours and amounts."""
    received: list[tuple[int, int]] = field(default_factory=list)
    paid: list[tuple[int, int]] = field(default_factory=list)
    """Days and payees."""

    def kept(self) -> dict[str, Any]:
        """What is to be remembered of it."""
        newest = self.newest_hour
        days = [one for one in self.paid if one[0] > newest // _DAY - _DAYS]
        payees = {payee: day for day, payee in sorted(days)}  # of each the last day
        return {
            "opened_hour": self.opened_hour,
            "newest_hour": newest,
            "versions": _runs(self.versions),
            "sent": _sums((hour, minor) for hour, minor in self.sent if hour > newest - _HOURS),
            "received": {
                hour: total
                for hour, (_, total, _) in _sums(self.received).items()
                if hour > newest - _HOURS
            },
            "sent_weeks": _sums(
                (hour // _WEEK, minor)
                for hour, minor in self.sent
                if hour // _WEEK > newest // _WEEK - _WEEKS
            ),
            "payees": {
                payee: day
                for day, payee in sorted((day, one) for one, day in payees.items())[-_PAYEES:]
            },
            "paid": {one: days.count(one) for one in sorted(set(days))[-_PAID:]},
        }


def _count(accounts: defaultdict[str, _Account], event: AccountEvent) -> None:
    """An event counts for each customer that it touches, at the time that it counts from."""
    customers = {entry.id for entry in entries_of(event) if entry.type == CUSTOMER}
    first = min(event.effective_at, event.recorded_at)
    hour = microseconds_of_instant(first) // _HOUR_MICROSECONDS
    seen: set[str] = set()
    for entry in entries_of(event):
        if entry.id not in customers:
            continue
        account = accounts[entry.id]
        account.versions.add(entry.stripe_number * _STRIPE + entry.version)
        if entry.id in seen:
            continue  # a stripe that only gave up its share of the limits
        seen.add(entry.id)
        if isinstance(event, AccountOpened):
            account.opened_hour = max(0, hour)
        sent, received = _moved(event, entry.id)
        if sent or received:
            account.newest_hour = max(account.newest_hour, hour)
        if sent:
            account.sent.append((hour, sent))
        if received:
            account.received.append((hour, received))
        if sent and isinstance(event, PaymentPosted | PaymentAuthorized):
            payees = {one.destination for one in event.postings if one.source == entry.id}
            account.paid += [(hour // _DAY, _hash(one)) for one in payees & customers]


def _moved(event: AccountEvent, account: str) -> tuple[int, int]:
    """What an event has an account send and receive: a hold is sent when it is made, and received
    when it is captured; what is released or given back is neither."""
    if isinstance(event, PaymentPosted):
        return moved_minor(event, account)
    if isinstance(event, PaymentAuthorized | PaymentIncreased):
        return pended_minor(event, account)[0], 0
    if isinstance(event, PaymentCaptured):
        return 0, moved_minor(event, account)[1]
    return 0, 0


def _sums(amounts: Iterable[tuple[int, int]]) -> dict[int, tuple[int, int, int]]:
    """Of each time how many there are, what they come to, and their squares."""
    found: dict[int, tuple[int, int, int]] = {}
    for at, minor in amounts:
        count, total, squares = found.get(at, (0, 0, 0))
        found[at] = count + 1, total + minor, squares + minor * minor
    return found


def _runs(versions: Collection[int]) -> list[tuple[int, int]]:
    """The first and the last of each run."""
    firsts = sorted(one for one in versions if one - 1 not in versions)
    lasts = sorted(one for one in versions if one + 1 not in versions)
    return list(zip(firsts, lasts, strict=True))


def _hash(payee: str) -> int:
    """What a payee is remembered by."""
    digest = blake2b(payee.encode(), digest_size=8, person=b"fraud.payee.1").digest()
    return int.from_bytes(digest, "big") >> 29


def _remembered(data: bytes) -> Memory:
    """What an item says: numbers in base 128, and before each list of something how many it has.
    Times are counted back from the newest."""
    numbers = _numbers(data)
    opened, newest = next(numbers), next(numbers)
    versions, end = [], 0
    for _ in range(next(numbers)):
        first = end + next(numbers)
        end = first + next(numbers)
        versions.append((first, end))
    rows = [[_some(numbers, width) for _ in range(next(numbers))] for width in (4, 2, 4, 2, 3)]
    sent, received, weeks, payees, paid = rows
    day, week = newest // _DAY, newest // _WEEK
    return {
        "opened_hour": opened - 1 if opened else None,
        "newest_hour": newest,
        "versions": versions,
        "sent": {newest - ago: tuple(sums) for ago, *sums in sent},
        "received": {newest - ago: total for ago, total in received},
        "sent_weeks": {week - ago: tuple(sums) for ago, *sums in weeks},
        "payees": {payee: day - ago for payee, ago in payees},
        "paid": {(day - ago, payee): times for ago, payee, times in paid},
    }


def _some(numbers: Iterator[int], count: int) -> Sequence[int]:
    return [next(numbers) for _ in range(count)]


def _numbers(data: bytes) -> Iterator[int]:
    """Seven bits a byte, the lowest first; the last has its top bit clear."""
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number = shift = 0
