"""The generator: realistic, repeatable, and right about what will become of each instruction."""

from __future__ import annotations

import hashlib
from collections import Counter
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.contracts import reasons
from ledger.contracts.commands import (
    OpenAccount,
    PostPayment,
    accounts_of,
    decode_command,
)
from ledger.contracts.reasons import InvalidCommandError, Kind
from ledger.importers.generated import PAYMENTS_DEFAULT, generate
from ledger.importers.instructions import OPENED, POSTED, REPEAT, Instruction, Source

MALFORMED = {reason.code for reason in reasons.REASONS if reason.kind is Kind.MALFORMED}


def payments(source: Source) -> list[Instruction]:
    """All but the openings."""
    return [one for phase in source.phases[1:] for one in phase.instructions]


def test_the_same_count_and_seed_give_the_same_bytes_for_ever() -> None:
    """A source loaded twice moves nothing only if it is the same source: pinned by its hash."""
    bodies = b"\n".join(one.body for one in generate())
    assert hashlib.sha256(bodies).hexdigest() == (
        "52797f40aca1d370707334a7aff6746f7f3d2801d0e6ff33b3fb17f9af813568"
    )


@given(count=st.integers(1, 400), seed=st.integers(0, 2**32))
def test_as_many_payments_as_asked_for_and_the_same_ones_again(count: int, seed: int) -> None:
    """Whatever the count and the seed: exactly `count` instructions to pay, twice the same."""
    source = generate(count, seed=seed)
    assert len(payments(source)) == count
    assert generate(count, seed=seed) == source


@given(
    one=st.tuples(st.integers(1, 300), st.integers(0, 99)),
    other=st.tuples(st.integers(1, 300), st.integers(0, 99)),
)
def test_sources_loaded_one_after_another_do_not_contradict_each_other(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    """Accounts are opened by one command whatever the source; no two sources share a payment id."""
    first, second = (generate(count, seed=seed) for count, seed in (one, other))
    bodies = {i.command_id: i.body for i in first.phases[0].instructions}
    for opening in second.phases[0].instructions:
        assert bodies.get(opening.command_id, opening.body) == opening.body
    if one != other:
        ids = {i.command_id for i in payments(first)}
        assert ids.isdisjoint(i.command_id for i in payments(second))


def test_well_formed_and_malformed_are_what_they_say() -> None:
    """Every instruction decodes, but for those expected to be malformed, for that very reason."""
    source = generate()
    for one in source:
        if one.expected in MALFORMED:
            with pytest.raises(InvalidCommandError) as caught:
                decode_command(one.body)
            assert caught.value.violations[0].reason.code == one.expected
        else:
            assert decode_command(one.body).id == one.command_id
    assert len(MALFORMED & set(source.expected())) >= 10


def test_the_default_has_every_kind_of_outcome_and_currency() -> None:
    """2,000 payments: mostly posted; every refusal, repeats, mismatches; three currencies."""
    source = generate()
    expected = source.expected()
    assert len(payments(source)) == PAYMENTS_DEFAULT == 2_000
    assert expected[POSTED] > 1_700
    for outcome in (
        REPEAT,
        OPENED,
        reasons.INSUFFICIENT_FUNDS.code,
        reasons.ACCOUNT_NOT_FOUND.code,
        reasons.CURRENCY_MISMATCH.code,
        reasons.BALANCE_LIMIT_EXCEEDED.code,
        reasons.IDEMPOTENCY_MISMATCH.code,
    ):
        assert expected[outcome] >= 5, outcome
    currencies = {
        command.currency
        for command in map(decoded, source.phases[0].instructions)
        if isinstance(command, OpenAccount)
    }
    assert currencies == {"EUR", "USD", "JPY"}


def test_merchants_are_heavy_tailed() -> None:
    """The best-visited of a currency's shops sells many times as often as the median one."""
    visits: Counter[str] = Counter()
    for one in payments(generate(20_000)):
        if one.expected == POSTED:
            command = decoded(one)
            assert isinstance(command, PostPayment)
            destination = command.postings[0].destination
            if destination.startswith("merchants:EUR"):
                visits[destination] += 1
    ranked = [count for _, count in visits.most_common()]
    assert len(ranked) == 24
    assert ranked[0] > 8 * ranked[len(ranked) // 2]


@given(seed=st.integers(0, 10_000), order=st.randoms(use_true_random=False))
def test_no_order_within_a_phase_changes_an_outcome(seed: int, order: Random) -> None:
    """Folding each phase in any order posts exactly what is expected to be posted: no posting
    overdraws, and each expected refusal for lack of funds is one."""
    source = generate(120, seed=seed)
    lowest: dict[str, int | None] = {}
    balances: Counter[str] = Counter()
    for opening in source.phases[0].instructions:
        command = decoded(opening)
        assert isinstance(command, OpenAccount)
        assert command.min_balance_minor is not msgspec.UNSET
        lowest[command.account] = command.min_balance_minor
    for phase in source.phases[1:]:
        assert not phase.ordered
        instructions = list(phase.instructions)
        order.shuffle(instructions)
        for one in instructions:
            if one.expected not in {POSTED, reasons.INSUFFICIENT_FUNDS.code}:
                continue
            command = decoded(one)
            assert isinstance(command, PostPayment)
            after = Counter(balances)
            for posting in command.postings:
                after[posting.source] -= posting.amount_minor
                after[posting.destination] += posting.amount_minor
            overdrawn = any(
                (floor := lowest[account]) is not None and after[account] < floor
                for account in accounts_of(command)
            )
            assert overdrawn == (one.expected != POSTED), one
            if not overdrawn:
                balances = after


def test_repeats_and_mismatches_come_after_what_they_repeat() -> None:
    """A repeat has its original's bytes, a mismatch others, and a mismatch is in a later phase."""
    source = generate()
    originals: dict[str, tuple[int, Instruction]] = {}
    for number, phase in enumerate(source.phases):
        for one in phase.instructions:
            if one.expected == REPEAT:
                assert originals[one.command_id][1].body == one.body
            elif one.expected == reasons.IDEMPOTENCY_MISMATCH.code:
                earlier, original = originals[one.command_id]
                assert earlier < number
                assert original.expected == POSTED
                assert original.body != one.body
            else:
                assert one.command_id not in originals
                originals[one.command_id] = (number, one)


@pytest.mark.parametrize("count", [0, -1, 1_000_001])
def test_a_count_out_of_bounds_is_refused(count: int) -> None:
    """Sizes are bounded: everything is held in memory."""
    with pytest.raises(ValueError, match="count must be from 1"):
        generate(count)


def decoded(one: Instruction) -> OpenAccount | PostPayment:
    """The command of a well-formed instruction."""
    command = decode_command(one.body)
    assert isinstance(command, OpenAccount | PostPayment)
    return command
