"""Properties of the decider: what no accepted payment may do, and what every refusal must say."""

from __future__ import annotations

from collections import defaultdict

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec import UNSET

from ledger.contracts import reasons
from ledger.contracts.commands import Command, OpenAccount, PostPayment, SetAlerts, accounts_of
from ledger.contracts.events import (
    AccountEvent,
    decode_event,
    encode_event,
    moved_minor,
    request_of,
)
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.contracts.subjects import account_key
from ledger.domain.accounts import AccountState, BrokenStateError, evolve
from ledger.domain.decider import Decision, decide, rejected_event
from ledger.domain.rejections import Rejection
from ledger.domain.requests import differing_fields
from ledger.domain.states import States
from tests.support.builders import NOON, STAMP, accepted, advanced, by_id, paying, payment_of, state
from tests.support.strategies import (
    CURRENCIES,
    FEW,
    alert_settings,
    amounts,
    openings,
    payments,
    postings,
    worlds,
)

euro_payment = st.one_of(
    payments(), payments(), payments(legs=postings(amount=amounts))
)  # of small amounts mostly: large ones are soon refused
any_payment = st.one_of(euro_payment, payments(legs=postings(currencies=CURRENCIES)))


def signed(account: AccountState, debits: int, credits_: int) -> int:
    """The balance that totals make, spelt out anew: what the code under test is held to."""
    return debits - credits_ if account.type in ("asset", "expense") else credits_ - debits


def sums_by_currency(world: States) -> dict[str, int]:
    """Credits less debits, by currency."""
    sums: defaultdict[str, int] = defaultdict(int)
    for account in world.accounts.values():
        sums[account.currency] += account.credits_posted_minor - account.debits_posted_minor
    return dict(sums)


@given(worlds(), euro_payment)
def test_an_accepted_payment_conserves_money(world: States, command: PostPayment) -> None:
    """Per currency, credits less debits over all accounts are the same before and after."""
    decision = decide(world, command, STAMP)
    if not isinstance(decision, AccountEvent):
        return
    after, _ = advanced(world, decision)
    assert sums_by_currency(after) == sums_by_currency(world)


@given(worlds(), euro_payment)
def test_entries_are_the_sums_of_the_postings(world: States, command: PostPayment) -> None:
    """Each touched account has one entry, in order of first appearance and one version on, whose
    totals grow by exactly its postings; pending totals stay."""
    decision = decide(world, command, STAMP)
    if isinstance(decision, Rejection):
        return
    event = payment_of(decision)
    assert tuple(entry.id for entry in event.accounts) == accounts_of(command)
    assert event.postings == command.postings
    for entry in event.accounts:
        before = world.accounts[entry.id]
        assert (entry.type, entry.version, entry.prev) == (
            before.type,
            before.version + 1,
            before.last_event,
        )
        assert (
            entry.debits_posted_minor - before.debits_posted_minor,
            entry.credits_posted_minor - before.credits_posted_minor,
        ) == (
            sum(p.amount_minor for p in command.postings if p.source == entry.id),
            sum(p.amount_minor for p in command.postings if p.destination == entry.id),
        )
        assert moved_minor(event, entry.id) == (
            entry.debits_posted_minor - before.debits_posted_minor,
            entry.credits_posted_minor - before.credits_posted_minor,
        )
        assert (entry.debits_pending_minor, entry.credits_pending_minor) == (
            before.debits_pending_minor,
            before.credits_pending_minor,
        )


@given(worlds(), euro_payment)
def test_an_accepted_payment_breaks_no_constraint(world: States, command: PostPayment) -> None:
    """After it, every account it lowers is at or above its lowest even if all that is pending
    against it settles, every one it raises at or below its highest even if all that is pending for
    it settles; all are open, of the posting's currency, and no total passes 2^63-1."""
    decision = decide(world, command, STAMP)
    if not isinstance(decision, AccountEvent):
        return
    after, _ = advanced(world, decision)
    for name in accounts_of(command):
        before, now = world.accounts[name], after.accounts[name]
        change = signed(now, now.debits_posted_minor, now.credits_posted_minor) - signed(
            before, before.debits_posted_minor, before.credits_posted_minor
        )
        assert now.status == "open"
        lowest, highest = now.min_balance_minor, now.max_balance_minor
        if change < 0 and lowest is not None:
            posted = now.min_balance_basis == "posted"
            assert (now.balance_minor if posted else now.available_minor) >= lowest
        if change > 0 and highest is not None:
            posted = now.max_balance_basis == "posted"
            assert (now.balance_minor if posted else now.expected_minor) <= highest
        assert now.debits_posted_minor + now.debits_pending_minor <= AMOUNT_MINOR_MAX
        assert now.credits_posted_minor + now.credits_pending_minor <= AMOUNT_MINOR_MAX
        touching = [p for p in command.postings if name in (p.source, p.destination)]
        assert {p.currency for p in touching} == {now.currency}


@given(worlds(CURRENCIES), any_payment)
def test_a_payment_is_refused_only_for_a_reason_that_holds(
    world: States, command: PostPayment
) -> None:
    """The refusal is the earliest in precedence of all reasons that hold, computed anew here; its
    cause is an account of the payment at its present version."""
    decision = decide(world, command, STAMP)
    expected = earliest_reason(world, command)
    if not isinstance(decision, Rejection):
        assert expected is None
        return
    assert decision.reason.code == expected
    (cause,) = decision.causes
    assert cause.id in accounts_of(command)
    assert cause.version == world.version(account_key(cause.id))


def earliest_reason(world: States, command: PostPayment) -> str | None:
    """The reason against a payment, in the plainest words; None if there is none."""
    names = accounts_of(command)
    if any(name not in world.accounts for name in names):
        return "account_not_found"
    held: set[str] = set()
    for name in names:
        here = world.accounts[name]
        debits = sum(p.amount_minor for p in command.postings if p.source == name)
        credits_ = sum(p.amount_minor for p in command.postings if p.destination == name)
        change = signed(here, debits, credits_)
        balance = signed(here, here.debits_posted_minor, here.credits_posted_minor)
        debit_normal = here.type in ("asset", "expense")
        taking = here.credits_pending_minor if debit_normal else here.debits_pending_minor
        giving = here.debits_pending_minor if debit_normal else here.credits_pending_minor
        if here.min_balance_basis == "posted":
            taking = 0
        if here.max_balance_basis == "posted":
            giving = 0
        effective_at = NOON if command.effective_at is UNSET else command.effective_at
        judged = {
            "effective_before_opening": effective_at < here.opened_at,
            "account_closed": here.status == "closed",
            "account_frozen": here.status == "frozen",
            "currency_mismatch": any(
                p.currency != here.currency
                for p in command.postings
                if name in (p.source, p.destination)
            ),
            "balance_overflow": max(
                here.debits_posted_minor + here.debits_pending_minor + debits,
                here.credits_posted_minor + here.credits_pending_minor + credits_,
            )
            >= 2**63,
            "insufficient_funds": here.min_balance_minor is not None
            and change < 0
            and balance - taking + change < here.min_balance_minor,
            "balance_limit_exceeded": here.max_balance_minor is not None
            and change > 0
            and balance + giving + change > here.max_balance_minor,
        }
        held |= {code for code, holds in judged.items() if holds}
    precedence = [reason.code for reason in reasons.REASONS]
    return min(held, key=precedence.index, default=None)


@given(
    st.lists(st.tuples(st.sampled_from(FEW), st.sampled_from(FEW)), min_size=1, max_size=22),
    st.integers(1, 1000),
)
def test_what_a_payment_gives_back_it_does_not_take(
    pairs: list[tuple[str, str]], amount: int
) -> None:
    """The net-effect rule: there and back again in one payment is accepted between accounts that
    may hold nothing and owe nothing, however many postings it takes."""
    legs = [pair for one, other in pairs if one != other for pair in ((one, other), (other, one))]
    if not legs:
        return
    command = paying("p", *((source, destination, amount) for source, destination in legs))
    world = by_id(state(name, lowest=0, highest=0) for name in FEW)
    after, _ = advanced(world, accepted(world, command))
    assert all(one.balance_minor == 0 for one in after.accounts.values())


@given(worlds(CURRENCIES), st.one_of(any_payment, openings()))
def test_deciding_is_pure(world: States, command: Command) -> None:
    """The same arguments give the same decision, and none of them is changed."""
    given_world, given_command = world.copy(), msgspec.json.encode(command)
    first: Decision = decide(world, command, STAMP)
    assert decide(by_id(reversed(list(world))), command, STAMP) == first
    assert (world, msgspec.json.encode(command)) == (given_world, given_command)


@given(worlds(CURRENCIES), st.one_of(any_payment, openings()))
def test_an_event_remembers_its_request(world: States, command: Command) -> None:
    """What is stored, read again, says what was asked (defaults marked): a repeat of the command
    does not differ from it."""
    decision = decide(world, command, STAMP)
    event = (
        rejected_event(command, decision, STAMP) if isinstance(decision, Rejection) else decision
    )
    read = decode_event(encode_event(event))
    assert read == event
    request = request_of(read)
    assert request is not None
    assert differing_fields(request, command) == ()


@given(worlds(), euro_payment, st.integers(-3, 3).filter(bool))
def test_evolve_refuses_what_does_not_follow(
    world: States, command: PostPayment, off_by: int
) -> None:
    """An entry of another version, another predecessor, another account or another type than the
    state's is refused, as is an opening of what is open."""
    decision = decide(world, command, STAMP)
    if isinstance(decision, Rejection):
        return
    event = payment_of(decision)
    entry = event.accounts[0]
    before = world.accounts[entry.id]
    assert evolve(before, event, entry, before.hash).version == before.version + 1
    wrong = [
        msgspec.structs.replace(entry, version=entry.version + off_by),
        msgspec.structs.replace(entry, prev="another"),
        msgspec.structs.replace(entry, id="another"),
        msgspec.structs.replace(entry, type="asset" if entry.type != "asset" else "income"),
    ]
    for one in wrong:
        with pytest.raises(BrokenStateError):
            evolve(before, event, one, before.hash)
    with pytest.raises(BrokenStateError):
        evolve(None, event, entry, before.hash)


class Ledger(RuleBasedStateMachine):
    """Openings and payments against decide and evolve alone, from an empty ledger."""

    def __init__(self) -> None:
        super().__init__()
        self.states = States()
        self.count = 0

    @rule(command=openings())
    def open(self, command: OpenAccount) -> None:
        """An account is opened once; at its opening it is empty and within its bounds."""
        decision = decide(self.states, command, STAMP)
        assert isinstance(decision, Rejection) == (command.account in self.states.accounts)
        if isinstance(decision, Rejection):
            assert decision.reason is reasons.ACCOUNT_EXISTS
            assert [cause.id for cause in decision.causes] == [command.account]
            return
        assert isinstance(decision, AccountEvent)
        self.states, _ = advanced(self.states, decision)
        assert self.states.accounts[command.account].balance_minor == 0

    @rule(command=alert_settings())
    def watch(self, command: SetAlerts) -> None:
        """Alerts are set wherever there is an account; no total changes."""
        decision = decide(self.states, command, STAMP)
        assert isinstance(decision, Rejection) == (command.account not in self.states.accounts)
        if isinstance(decision, AccountEvent):
            before = self.states.accounts[command.account]
            self.states, _ = advanced(self.states, decision)
            assert self.states.accounts[command.account].alerts == command.alerts
            assert self.states.accounts[command.account].balance_minor == before.balance_minor

    @precondition(lambda self: len(self.states.accounts) > 1)
    @rule(command=payments(legs=postings(currencies=CURRENCIES)))
    def pay(self, command: PostPayment) -> None:
        """A payment is posted whole or not at all."""
        decision = decide(self.states, command, STAMP)
        if isinstance(decision, AccountEvent):
            self.states, _ = advanced(self.states, decision)

    @invariant()
    def money_is_conserved(self) -> None:
        """All balances of a currency sum to zero, always."""
        assert all(total == 0 for total in sums_by_currency(self.states).values())

    @invariant()
    def no_bound_is_broken(self) -> None:
        """From an empty ledger, no account is ever outside its bounds."""
        for one in self.states.accounts.values():
            balance = signed(one, one.debits_posted_minor, one.credits_posted_minor)
            assert one.min_balance_minor is None or balance >= one.min_balance_minor
            assert one.max_balance_minor is None or balance <= one.max_balance_minor


TestLedger = Ledger.TestCase
TestLedger.settings = settings(max_examples=25, stateful_step_count=25)
