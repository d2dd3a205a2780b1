"""The made-up payments as a source: phases, ids, repeats, faults, and what is expected of each."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from random import Random
from typing import Final

import msgspec

from ledger.contracts import reasons
from ledger.contracts.commands import Posting, PostPayment
from ledger.importers.generated.faults import malformed, refused
from ledger.importers.generated.payments import Draft, draw, opening_deposit
from ledger.importers.generated.world import economies
from ledger.importers.instructions import (
    REPEAT,
    Instruction,
    Phase,
    Source,
    instruction_of,
)

PAYMENTS_DEFAULT: Final = 2_000
SEED_DEFAULT: Final = 1
PAYMENTS_MAX: Final = 1_000_000  # all are held in memory, at half a kilobyte each

# Of a thousand instructions:
_REFUSED: Final = 45
_REPEATS: Final = 30
_MISMATCHES: Final = 5
_MALFORMED: Final = 8


def generate(count: int = PAYMENTS_DEFAULT, *, seed: int = SEED_DEFAULT) -> Source:
    """`count` instructions to pay (1 to 1,000,000), and before them the openings of the accounts.

    The same count and seed give the same bytes, for ever and everywhere. Repeats and mismatches
    come under ids used before; the late ones in a phase of their own, when all else is decided.
    """
    if not 1 <= count <= PAYMENTS_MAX:
        raise ValueError(f"count must be from 1 to {PAYMENTS_MAX:,}, not {count:,}")
    return _Generator(count, seed).source()


class _Generator:
    def __init__(self, count: int, seed: int) -> None:
        self._chance = Random(seed)  # noqa: S311 - repeatable on purpose, nothing secret
        self._economies = economies(count)
        self._seed = seed
        self._prefix = f"gen:{seed}:{count}"
        self._count = count
        self._used = 0

    def source(self) -> Source:
        count = self._count
        people = [(e, customer) for e in self._economies for customer in e.customers][:count]
        special = {
            kind: count * per_mille // 1_000
            for kind, per_mille in (
                ("refused", _REFUSED),
                ("repeats", _REPEATS),
                ("mismatches", _MISMATCHES),
                ("malformed", _MALFORMED),
            )
        }
        posted = max(0, count - len(people) - sum(special.values()))
        drafts = draw(self._chance, self._economies, posted)
        debits, credits_ = _totals(drafts)
        deposits = [opening_deposit(debits[c.wallet], c, e) for e, c in people]
        for deposit in deposits:
            credits_[deposit.customer.wallet] += deposit.postings[0].amount_minor
        funding = [self._pay(draft) for draft in deposits]
        good = [self._pay(draft) for draft in drafts]
        bad = self._refused(special["refused"], drafts or deposits, credits_)
        spoilt = self._malformed(special["malformed"], drafts or deposits)
        everyday = self._mingled(good, [*bad, *spoilt])
        early = special["repeats"] // 2
        repeats = self._repeats(special["repeats"], [*good, *bad] or funding)
        mismatches = self._mismatches(special["mismatches"], good or funding)
        everyday = self._after_originals(everyday, repeats[:early])
        return Source(
            name=f"generated (seed {self._seed})",
            phases=(
                Phase("accounts", tuple(self._openings())),
                Phase("opening deposits", tuple(funding)),
                Phase("payments", tuple(everyday)),
                Phase("late repeats", (*repeats[early:], *mismatches)),
            ),
        )

    def _openings(self) -> Iterable[Instruction]:
        for economy in self._economies:
            for opening in economy.openings():
                yield instruction_of(opening, ordering_key=opening.account, origin="generated")

    def _next_id(self) -> str:
        self._used += 1
        return f"{self._prefix}:{self._used}"

    def _pay(self, draft: Draft, *, expected: str = "") -> Instruction:
        payment = PostPayment(
            v=1,
            id=self._next_id(),
            postings=draft.postings,
            effective_at=draft.effective_at,
            reference=draft.reference,
        )
        return instruction_of(
            payment, ordering_key=draft.customer.wallet, origin="generated", expected=expected
        )

    def _refused(
        self, count: int, drafts: list[Draft], credits_: Counter[str]
    ) -> list[Instruction]:
        found = []
        for _ in range(count):
            draft = self._chance.choice(drafts)
            expected, postings = refused(self._chance, draft, credits_[draft.customer.wallet])
            found.append(self._pay(_with_postings(draft, postings), expected=expected))
        return found

    def _malformed(self, count: int, drafts: list[Draft]) -> list[Instruction]:
        found = []
        for number in range(count):
            instruction = self._pay(self._chance.choice(drafts))
            payment = msgspec.json.decode(instruction.body, type=PostPayment)
            expected, body = malformed(number, payment)
            found.append(_replaced(instruction, body, expected))
        return found

    def _repeats(self, count: int, originals: list[Instruction]) -> list[Instruction]:
        chosen = (self._chance.choice(originals) for _ in range(count))
        return [_replaced(original, original.body, REPEAT) for original in chosen]

    def _mismatches(self, count: int, originals: list[Instruction]) -> list[Instruction]:
        found = []
        for _ in range(count):
            original = self._chance.choice(originals)
            payment = msgspec.json.decode(original.body, type=PostPayment)
            first = payment.postings[0]
            raised = msgspec.structs.replace(first, amount_minor=first.amount_minor + 1)
            other = msgspec.structs.replace(payment, postings=(raised, *payment.postings[1:]))
            found.append(
                _replaced(original, msgspec.json.encode(other), reasons.IDEMPOTENCY_MISMATCH.code)
            )
        return found

    def _mingled(self, many: list[Instruction], few: list[Instruction]) -> list[Instruction]:
        return _merged(many, [(self._chance.randint(0, len(many)), one) for one in few])

    def _after_originals(
        self, instructions: list[Instruction], repeats: list[Instruction]
    ) -> list[Instruction]:
        """Each repeat some places behind its original, as a client's retry would be."""
        places = {one.command_id: place for place, one in enumerate(instructions, start=1)}
        return _merged(
            instructions,
            # An opening deposit is in the phase before: its place is the start.
            [(places.get(r.command_id, 0) + self._chance.randint(0, 30), r) for r in repeats],
        )


def _merged(
    instructions: list[Instruction], inserted: list[tuple[int, Instruction]]
) -> list[Instruction]:
    """`instructions` with each of `inserted` behind that many of them (behind all, if fewer)."""
    waiting = deque(sorted(inserted, key=lambda pair: pair[0]))
    merged: list[Instruction] = []
    for place, instruction in enumerate(instructions):
        while waiting and waiting[0][0] <= place:
            merged.append(waiting.popleft()[1])
        merged.append(instruction)
    merged.extend(instruction for _, instruction in waiting)
    return merged


def _totals(drafts: list[Draft]) -> tuple[Counter[str], Counter[str]]:
    """What each account pays and receives in all."""
    debits: Counter[str] = Counter()
    credits_: Counter[str] = Counter()
    for draft in drafts:
        for posting in draft.postings:
            debits[posting.source] += posting.amount_minor
            credits_[posting.destination] += posting.amount_minor
    return debits, credits_


def _with_postings(draft: Draft, postings: tuple[Posting, ...]) -> Draft:
    return Draft(draft.customer, draft.economy, postings, draft.at, draft.reference)


def _replaced(instruction: Instruction, body: bytes, expected: str) -> Instruction:
    return Instruction(
        body=body,
        command_type=instruction.command_type,
        command_id=instruction.command_id,
        ordering_key=instruction.ordering_key,
        expected=expected,
        origin=instruction.origin,
    )
