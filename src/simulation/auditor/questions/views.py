"""What the answers to questions show of accounts and payments, by the documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import UNSET

from ledger.contracts.events import (
    AccountEvent,
    PaymentAuthorized,
    PaymentEvent,
    PaymentPosted,
    PaymentScreened,
    moved_minor,
    payment_of,
    pended_minor,
)
from ledger.contracts.subjects import Key, stripe_key
from simulation.auditor.facts import AccountFact, Facts, PaymentFact
from simulation.auditor.recorded import Recorded, as_json

#: An entry of a history shows so many postings of its event at most.
_LEGS_SHOWN_MAX: Final = 10


def account_differences(facts: Facts, shown: Mapping[str, Any]) -> Iterator[str]:
    """What an answer shows of an account otherwise than it was at the versions that it names."""
    name = shown["id"]
    fact = facts.accounts.at_version(name, shown["version"])
    if fact is None:
        yield "version"
        return
    parts = shown.get("by_stripe")
    if parts is None:
        yield from _different(shown, totals_of(fact) | _made(fact.made))
    else:
        yield from _stripes_differences(facts, shown, parts)
    profile_version = shown["profile_version"]
    if profile_version:
        described = facts.accounts.at_version(name, profile_version)
        if described is None or described.profile_version != profile_version:
            yield "profile_version"
        else:
            yield from _different(shown, _profile(described))
            if (parts is None) != (described.width == 1):
                yield "by_stripe"
    metadata_version = shown["metadata_version"]
    metadata = facts.metadata.at_version(f"account/{name}", metadata_version)
    if (metadata.metadata if metadata else {}) != shown["metadata"]:
        yield "metadata"
    if metadata_version and metadata is None:
        yield "metadata_version"


def _stripes_differences(
    facts: Facts, shown: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """What an answer shows of the stripes of an account, and of their sums."""
    name = shown["id"]
    found: list[AccountFact] = []
    for part in parts:
        key = stripe_key(name, part["stripe"])
        fact = facts.lives(key).at_version(key.id, part["version"])
        if fact is None:
            yield f"version of {part['stripe']}"
            return
        found.append(fact)
        said = totals_of(fact) | _made(fact.made)
        yield from _different(said, {one: part[one] for one in part if one in said})
    latest = max(found, key=lambda one: (one.made.event.recorded_at, one.made.id))
    first = parts[0] if parts else {}
    sums = {one: sum(part[one] for part in parts) for one in first if one.endswith("_minor")}
    yield from _different(shown, sums | _made(latest.made))
    if [part["stripe"] for part in parts] != sorted({part["stripe"] for part in parts}):
        yield "by_stripe"
    if first.get("stripe") != 0 or first.get("version") != shown["version"]:
        yield "version"


def totals_of(fact: AccountFact) -> dict[str, Any]:
    """An account's totals and balances."""
    return {
        "currency": fact.currency,
        "account_type": fact.entry.type,
        "balance_minor": fact.balance,
        "available_minor": fact.available,
        "debits_posted_minor": fact.entry.debits_posted_minor,
        "credits_posted_minor": fact.entry.credits_posted_minor,
        "debits_pending_minor": fact.entry.debits_pending_minor,
        "credits_pending_minor": fact.entry.credits_pending_minor,
    }


def _made(made: Recorded) -> dict[str, Any]:
    event = made.event
    return {
        "event": made.id,
        "recorded_at": event.recorded_at,
        "effective_at": getattr(event, "effective_at", None),
    }


def _profile(fact: AccountFact) -> dict[str, Any]:
    profile = fact.profile
    return {
        "status": profile.status,
        "frozen": None if profile.frozen is UNSET else profile.frozen,
        "book": profile.book,
        "opened_at": profile.opened_at,
        **({"stripes": profile.stripes} if fact.width > 1 else {}),
        "limits": bounds_of(fact) | {"velocity": as_json(profile.velocity)},
    }


def bounds_of(fact: AccountFact) -> dict[str, Any]:
    """An account's bounds."""
    profile = fact.profile
    return {
        "min_balance_minor": profile.min_balance_minor,
        "max_balance_minor": profile.max_balance_minor,
        "min_balance_basis": profile.min_balance_basis,
        "max_balance_basis": profile.max_balance_basis,
    }


def entry_differences(facts: Facts, key: Key, shown: Mapping[str, Any]) -> Iterator[str]:
    """What an entry of a history, of an account or of a stripe of one, shows otherwise than it
    was."""
    fact = facts.lives(key).at_version(key.id, shown["version"])
    if fact is None:
        yield "version"
        return
    event = fact.made.event
    assert isinstance(event, AccountEvent)
    (debited, credited), (held_debits, held_credits) = movement_of(fact)
    said = totals_of(fact) | _made(fact.made)
    del said["account_type"], said["available_minor"]
    said |= {
        "type": fact.made.type,
        "debited_minor": debited,
        "credited_minor": credited,
        "debits_pended_minor": held_debits,
        "credits_pended_minor": held_credits,
        "prev": None if fact.entry.prev is UNSET else fact.entry.prev,
    }
    if isinstance(event, PaymentEvent):
        legs = _legs(event, fact.entry.id) if moves(fact) else []
        said |= {
            "payment": payment_of(event),
            "legs_count": len(legs),
            "legs": legs[:_LEGS_SHOWN_MAX],
        }
    yield from _different(shown, said)


def moves(fact: AccountFact) -> bool:
    """Whether what moved on the account moved there: on the first stripe that the event names."""
    event = fact.made.event
    assert isinstance(event, AccountEvent)
    return next(one for one in event.accounts if one.id == fact.entry.id) is fact.entry


def movement_of(fact: AccountFact) -> tuple[tuple[int, int], tuple[int, int]]:
    """Debits and credits that its event posted there, and those that it added to what is held."""
    event = fact.made.event
    assert isinstance(event, AccountEvent)
    if not moves(fact):
        return (0, 0), (0, 0)
    return moved_minor(event, fact.entry.id), pended_minor(event, fact.entry.id)


def _legs(event: PaymentEvent, account: str) -> list[dict[str, Any]]:
    legs = []
    for one in event.postings:
        for side, mine, other in (
            ("debit", one.source, one.destination),
            ("credit", one.destination, one.source),
        ):
            if mine == account:
                legs.append({"counterparty": other, "side": side, "amount_minor": one.amount_minor})
    return legs


def payment_differences(facts: Facts, shown: Mapping[str, Any]) -> Iterator[str]:
    """What an answer shows of a payment otherwise than it was at the version that it names."""
    refused = facts.refused.get(shown["id"])
    if refused is not None:
        reason = getattr(refused.event, "reason", None)
        yield from _different(
            shown,
            {"status": "rejected", "recorded_at": refused.event.recorded_at, "reason": reason},
        )
        return
    fact = facts.payments.at_version(shown["id"], shown.get("version", 0))
    if fact is None:
        yield "version"
        return
    yield from _different(shown, _payment(fact))
    metadata_version = shown["metadata_version"]
    if metadata_version:
        metadata = facts.metadata.at_version(f"payment/{shown['id']}", metadata_version)
        said = metadata.metadata if metadata else None
    else:
        origin = fact.origin.event
        assert isinstance(origin, PaymentPosted | PaymentAuthorized)
        said = {} if origin.metadata is UNSET else origin.metadata
    if shown["metadata"] != said:
        yield "metadata"


def review_differences(made: Recorded | None, shown: Mapping[str, Any]) -> Iterator[str]:
    """What a review shows otherwise than the verdict that was recorded."""
    event = made.event if made else None
    if not isinstance(event, PaymentScreened) or event.verdict == "clear":
        yield "id"
        return
    said = {
        "recorded_at": event.recorded_at,
        "payment": event.payment,
        "model": event.model,
        "verdict": event.verdict,
        "score_permille": event.score_permille,
        "reasons": as_json(event.reasons),
    }
    yield from _different(shown, said)


def _payment(fact: PaymentFact) -> dict[str, Any]:
    origin = fact.origin.event
    assert isinstance(origin, PaymentPosted | PaymentAuthorized)
    return {
        "status": fact.status,
        "recorded_at": origin.recorded_at,
        "effective_at": origin.effective_at,
        "event": fact.made.id,
        "changed_at": fact.made.event.recorded_at,
        "postings": as_json(origin.postings),
        "authorized_minor": list(fact.authorized),
        "held_minor": list(fact.held),
        "captured_minor": list(fact.captured),
        "reversed_minor": list(fact.reversed),
        "expires_at": fact.expires_at,
    }


def _different(shown: Mapping[str, Any], said: Mapping[str, Any]) -> Iterator[str]:
    for name, value in said.items():
        if shown.get(name) != value:
            yield name
