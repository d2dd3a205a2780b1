"""Do the projections say what the events say, when all is at rest?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import UNSET

from ledger.contracts.events import (
    AccountEvent,
    CommandRejected,
    LaterPaymentEvent,
    MetadataSet,
    PaymentEvent,
    payment_of,
)
from ledger.contracts.primitives import MAIN_BOOK
from ledger.contracts.subjects import stripe_key
from simulation.auditor.delivery.items import live_items
from simulation.auditor.delivery.letters import Letters
from simulation.auditor.facts import AccountFact, Facts, PaymentFact
from simulation.auditor.findings import Findings
from simulation.auditor.questions.views import movement_of
from simulation.auditor.recorded import Recorded, as_json
from simulation.auditor.world import View
from simulation.wiring.model import Wiring

_METADATA = "#metadata"
_LISTED_TOGETHER = "#posted-"
#: What of an item is never less than it was.
_NUMBERS = ("version", "profile_version", "metadata_version", "complete_to")
Item = Mapping[str, Any]
Stored = Mapping[str, Mapping[str, Any]]


class Projections:
    """Compares the three projections with the fold of the events."""

    def __init__(self, wiring: Wiring, facts: Facts, findings: Findings) -> None:
        self._facts = facts
        self._findings = findings
        self._tables = {
            name: wiring.variable(f"{name.upper()}_TABLE")
            for name in ("balances", "history", "payments")
        }
        self._dead = {
            name: [one.dead_letters for one in wiring.rules if one.queue.endswith(f"-{name}")]
            for name in self._tables
        }

    def changed(self, table: str, old: Stored | None, new: Stored | None) -> None:
        """An item was written: what it is a version of never goes back, not for a moment."""
        if old is None or new is None or table not in self._tables.values():
            return
        for number in _NUMBERS:
            before, now = old.get(number), new.get(number)
            if before is not None and (now is None or int(now["N"]) < int(before["N"])):
                self._findings.report(
                    "versions_never_go_back",
                    f"In {table} the {number} of {new['pk']['S']} was {before['N']}, and is "
                    f"{now['N'] if now else 'gone'}.",
                    new["pk"]["S"],
                )

    def finish(self, letters: Letters, world: View) -> None:
        """The world is at rest."""
        for name, check in (
            ("balances", self._balances),
            ("history", self._history),
            ("payments", self._payments),
        ):
            dead = letters.unpublished().union(*(letters.ids(one) for one in self._dead[name]))
            waived = self._touched_by(dead)
            check(live_items(world.dynamodb.peek(self._tables[name])), waived)

    def _touched_by(self, events: Iterable[str]) -> frozenset[str]:
        """What is not to be judged: the accounts and payments of events among the dead letters."""
        touched: set[str] = set()
        for id in events:
            made = self._facts.events.get(id)
            if made is None:
                continue
            event = made.event
            touched.add(id)
            if isinstance(event, AccountEvent):
                touched |= {entry.id for entry in event.accounts}
            if isinstance(event, LaterPaymentEvent):
                touched.add(event.payment)
            if isinstance(event, MetadataSet):
                touched.add(event.subject_id)
        return frozenset(touched)

    def _balances(self, items: Mapping[str, list[dict[str, Any]]], waived: frozenset[str]) -> None:
        wanted: dict[str, Item] = {}
        for name, stripe, life in self._facts.every_line():
            if stripe:
                wanted[_lane(name, stripe)] = _totals(life[-1])
            else:
                wanted[name] = _account(life[-1], life[life[-1].profile_version - 1])
        for key, metadata in self._facts.metadata.of.items():
            kind, _, name = key.partition("/")
            if kind == "account":
                wanted[name + _METADATA] = {
                    "metadata_version": metadata[-1].version,
                    "metadata": metadata[-1].metadata,
                }
        found = {name: _USUAL | one[0] for name, one in items.items()}
        self._compare("balances", found, wanted, waived)

    def _payments(self, items: Mapping[str, list[dict[str, Any]]], waived: frozenset[str]) -> None:
        wanted: dict[str, Item] = {}
        for name, life in self._facts.payments.of.items():
            wanted[name] = _payment(name, life[-1])
        for name, refused in self._facts.refused.items():
            wanted[name] = _refused(name, refused)
        for key, metadata in self._facts.metadata.of.items():
            kind, _, name = key.partition("/")
            if kind == "payment":
                wanted[name] = {
                    **wanted[name],
                    "metadata_version": metadata[-1].version,
                    "metadata": metadata[-1].metadata,
                }
        found = {name: one[0] for name, one in items.items()}
        lists = [found.pop(name) for name in list(found) if name.startswith(_LISTED_TOGETHER)]
        self._compare("payments", found, wanted, waived)
        self._check_listed(found, lists, waived)

    def _check_listed(
        self, items: Mapping[str, Item], lists: Iterable[Item], waived: frozenset[str]
    ) -> None:
        """Each payment is in the list of its status: by itself, or with others posted at once."""
        together = {created for one in lists for created in one["members"]}
        known = {item["created"] for item in items.values() if "created" in item}
        for created in together - known:
            self._report("payments", created, "is listed, and no event made it")
        for name, item in items.items():
            if name not in waived and "listed" not in item and item.get("created") not in together:
                self._report("payments", name, "is in no list")

    def _history(self, items: Mapping[str, list[dict[str, Any]]], waived: frozenset[str]) -> None:
        rows = {
            f"{name} version {row['sk']}": row
            for name, life in items.items()
            for row in life
            if row["sk"] > 0
        }
        wanted = {
            f"{_lane(name, stripe)} version {fact.version}": _row(fact)
            for name, stripe, life in self._facts.every_line()
            if name not in waived
            for fact in life
        }
        waived_rows = frozenset(
            f"{name} version {row['sk']}"
            for name, life in items.items()
            if name.partition("#")[0] in waived
            for row in life
        )
        self._compare("history", rows, wanted, waived_rows)
        for name, life in items.items():
            marker = max((row["complete_to"] for row in life if row["sk"] == 0), default=0)
            account, _, stripe = name.partition("#")
            key = stripe_key(account, int(stripe or 0))
            if marker > self._facts.lives(key).version(key.id):
                self._report("history", name, f"is marked as complete to version {marker}")

    def _compare(
        self,
        table: str,
        items: Mapping[str, Item],
        wanted: Mapping[str, Item],
        waived: frozenset[str],
    ) -> None:
        for name, said in wanted.items():
            if name in waived or name.partition("#")[0] in waived:
                continue
            item = items.get(name)
            if item is None:
                self._report(table, name, "is not there")
                continue
            wrong = [part for part, value in said.items() if item.get(part) != value]
            if wrong:
                shown = ", ".join(f"{part} {item.get(part)}, not {said[part]}" for part in wrong)
                self._report(table, name, f"has {shown}")
        for name in items:
            if name not in wanted and name not in waived and name.partition("#")[0] not in waived:
                self._report(table, name, "is there, and no event made it")

    def _report(self, table: str, name: str, what: str) -> None:
        self._findings.report(
            "projections_are_the_fold", f"In {table} {name} {what}.", name.partition(" ")[0]
        )


#: What an item may leave out of a profile.
_USUAL: Final[dict[str, Any]] = {
    "book": MAIN_BOOK,
    "min_balance_basis": "available",
    "max_balance_basis": "available",
    "velocity": [],
    "stripes": 1,
    "width": 1,
}


def _lane(name: str, stripe: int) -> str:
    """What an account, or a further stripe of one, goes by."""
    return f"{name}#{stripe}" if stripe else name


def _totals(fact: AccountFact) -> Item:
    entry = fact.entry
    return {
        "version": fact.version,
        "account_type": entry.type,
        "currency": fact.currency,
        "debits_posted_minor": entry.debits_posted_minor,
        "credits_posted_minor": entry.credits_posted_minor,
        "debits_pending_minor": entry.debits_pending_minor,
        "credits_pending_minor": entry.credits_pending_minor,
        "event": fact.made.id,
        "recorded_at": fact.made.event.recorded_at,
        "effective_at": getattr(fact.made.event, "effective_at", None),
    }


def _account(fact: AccountFact, described: AccountFact) -> Item:
    profile = described.profile
    return {
        **_totals(fact),
        "profile_version": described.version,
        "status": profile.status,
        "frozen": None if profile.frozen is UNSET else profile.frozen,
        "min_balance_minor": profile.min_balance_minor,
        "max_balance_minor": profile.max_balance_minor,
        "opened_at": profile.opened_at,
        **{part: as_json(getattr(profile, part)) for part in _USUAL if part != "width"},
        "width": described.width,
    }


def _payment(name: str, fact: PaymentFact) -> Item:
    origin = fact.origin.event
    posted_only = fact.status == "posted"
    return {
        "created": f"{origin.recorded_at}#{name}",
        "type": fact.origin.type,
        "effective_at": getattr(origin, "effective_at", None),
        "postings": as_json(getattr(origin, "postings", ())),
        "version": fact.version,
        "status": fact.status,
        "event": fact.made.id,
        "changed_at": fact.made.event.recorded_at,
        "authorized_minor": _unless_nothing(fact.authorized),
        "captured_minor": None if posted_only else _unless_nothing(fact.captured),
        "reversed_minor": _unless_nothing(fact.reversed),
        "expires_at": fact.expires_at,
    }


def _unless_nothing(amounts: tuple[int, ...]) -> list[int] | None:
    return list(amounts) if any(amounts) else None


def _refused(name: str, made: Recorded) -> Item:
    event = made.event
    assert isinstance(event, CommandRejected)
    return {
        "created": f"{event.recorded_at}#{name}",
        "type": "command.rejected",
        "version": 1,
        "status": "rejected",
        "event": name,
        "reason": event.reason,
        "retry": event.retry,
    }


def _row(fact: AccountFact) -> Item:
    event, entry = fact.made.event, fact.entry
    assert isinstance(event, AccountEvent)
    (debited, credited), (held_debits, held_credits) = movement_of(fact)
    payment = payment_of(event) if isinstance(event, PaymentEvent) else event.id
    row = {
        "event": event.id,
        "type": fact.made.type,
        "recorded_at": event.recorded_at,
        "effective_at": event.effective_at,
        "account_type": entry.type,
        "currency": fact.currency,
        "debits_posted_minor": entry.debits_posted_minor,
        "credits_posted_minor": entry.credits_posted_minor,
    }
    usual = {
        "debits_pending_minor": entry.debits_pending_minor,
        "credits_pending_minor": entry.credits_pending_minor,
        "debited_minor": debited,
        "credited_minor": credited,
        "debits_pended_minor": held_debits,
        "credits_pended_minor": held_credits,
    }
    return row | {
        **{part: value or None for part, value in usual.items()},
        "prev": None if entry.prev is UNSET else entry.prev,
        "stripe": None if entry.stripe is UNSET else entry.stripe,
        "payment": None if payment == event.id else payment,
    }
