"""Two ledgers that are sent the same commands: in one of them accounts are striped, in the other
none ever is. What the second one says, the first one must.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import strategies as st
from msgspec import UNSET, structs

from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.history_of_events import arranged
from ledger.application.packing import transaction_of
from ledger.application.ports import Appended
from ledger.application.proposals import Known, Proposal
from ledger.application.rebuild import folded
from ledger.application.verification import Report
from ledger.application.verify import verify_store
from ledger.contracts.commands import (
    AtomicBatch,
    AuthorizePayment,
    CapturePayment,
    CloseAccount,
    Command,
    ExpirePayment,
    FreezeAccount,
    IncreasePayment,
    MemberCommand,
    OpenAccount,
    PaymentCommand,
    PostPayment,
    ReversePayment,
    SetLimits,
    SetStripes,
    UnfreezeAccount,
    VoidPayment,
    expiry_id,
)
from ledger.contracts.events import CommandRejected, decode_event
from ledger.contracts.primitives import instant_of_microseconds
from ledger.contracts.subjects import account_key, payment_key
from ledger.domain.accounts import AccountState, BrokenStateError
from ledger.domain.states import States
from ledger.domain.striped import whole
from tests.support.builders import NOON_MICROSECONDS, posting
from tests.support.spreading import proposed

ACCOUNTS = ("s", "t", "pool", "late")
#: What the accounts are opened with: a lowest and a highest balance.
_BOUNDS = ((0, None), (-20, None), (0, 40), (None, 25), (-7, 30), (None, None))
_SECOND = 1_000_000


class Sent(NamedTuple):
    """A command, and when and with which spread it is decided."""

    command: Command
    seconds: int
    spread: int


minors = st.one_of(st.sampled_from([1, 2, 3, 5, 8, 13, 20, 40]), st.integers(1, 60))
accounts = st.sampled_from(("s", "s", "s", "t", "pool"))
often_gone = st.sampled_from(("late", "late", "late", "t"))
bounds = st.sampled_from([UNSET, UNSET, None, 0, -5, -30, 10, 25, 60])
bases = st.sampled_from([UNSET, UNSET, "available", "posted"])
stripes = st.sampled_from([1, 2, 2, 3, 4, 4, 5, 8])
_pairs = st.sampled_from(
    [
        (source, destination)
        for source in (*("s", "s", "s", "s", "t", "t", "pool", "pool", "pool"), "late")
        for destination in (*("s", "s", "s", "t", "t", "pool", "pool", "pool"), "late")
        if source != destination
    ]
)
legs = st.lists(
    st.tuples(_pairs, minors),
    min_size=1,
    max_size=3,
).map(lambda made: tuple(posting(*pair, minor) for pair, minor in made))
sides = st.sampled_from(["debits", "credits", "both"])
_payments = st.integers(0, 4).map(lambda ago: f"@{ago}")
_amounts = st.one_of(st.just(UNSET), minors)


def _made(kind: type[Command], **fields: st.SearchStrategy[object]) -> st.SearchStrategy[Command]:
    return st.builds(kind, v=st.just(1), id=st.just("?"), **fields)


_posts = _made(PostPayment, postings=legs)
_holds = _made(AuthorizePayment, postings=legs, over_capture_bps=st.sampled_from([UNSET, 5_000]))
_opening = st.one_of(
    st.sampled_from(_BOUNDS).flatmap(
        lambda pair: _made(
            OpenAccount,
            account=st.just("late"),
            currency=st.just("EUR"),
            account_type=st.sampled_from(["liability", "asset"]),
            min_balance_minor=st.just(pair[0]),
            max_balance_minor=st.just(pair[1]),
            stripes=stripes,
        )
    )
)
commands = st.one_of(
    *[_posts] * 9,
    *[_holds] * 4,
    _made(
        CapturePayment,
        payment=_payments,
        amount_minor=_amounts,
        final=st.sampled_from([UNSET, True]),
    ),
    _made(IncreasePayment, payment=_payments, amount_minor=minors),
    _made(VoidPayment, payment=_payments),
    _made(ReversePayment, payment=_payments, amount_minor=_amounts),
    _made(ExpirePayment, payment=_payments, version=st.just(1)),
    _made(
        SetLimits,
        account=accounts,
        min_balance_minor=bounds,
        max_balance_minor=bounds,
        min_balance_basis=bases,
        max_balance_basis=bases,
    ),
    _made(
        SetLimits,
        account=st.just("s"),
        min_balance_minor=st.sampled_from([-30, -5, 0, 25, 60]),
        max_balance_minor=st.sampled_from([UNSET, None, 60, 90]),
    ),
    _made(SetStripes, account=accounts, stripes=stripes),
    _made(SetStripes, account=accounts, stripes=stripes),
    _made(FreezeAccount, account=often_gone, sides=sides, reason=st.just("r")),
    _made(UnfreezeAccount, account=often_gone, sides=sides, reason=st.just("r")),
    _made(CloseAccount, account=often_gone, reason=st.just("r")),
    _opening,
)
sent = st.tuples(commands, st.integers(0, 2), st.integers(0, 40))


class Side:
    """A ledger on a store of its own, whose commands are decided by hand."""

    def __init__(self) -> None:
        self.store = MemoryEventStore()

    def known(self, sent: Sent, known: Known | None = None) -> tuple[Known, Proposal | str]:
        """What is known when the command is decided, and what is proposed."""
        return proposed(self.store, sent.command, sent.spread, seconds=sent.seconds, known=known)

    def decide(self, sent: Sent) -> str:
        """Decides and commits without anything between; says what came of it."""
        known, proposal = self.known(sent)
        if isinstance(proposal, str):
            return proposal
        assert isinstance(self.store.append(transaction_of(known, proposal)), Appended)
        return said(proposal)

    def states(self) -> States:
        """All states as they are stored."""
        return States.of(self.store.states())

    def sums(self) -> dict[str, tuple[object, ...]]:
        """Every account as a whole."""
        states = self.states()
        return {account: _shown(whole(states, account)) for account in states.accounts}


class Twins:
    """The two ledgers, with the accounts opened in both."""

    def __init__(self, stripes_at_opening: Sequence[int], bounds_at_opening: Sequence[int]) -> None:
        self.striped, self.plain = Side(), Side()
        self.count = 0
        self.payments: list[str] = []
        self.pending: list[tuple[Sent, Known, Proposal | str]] = []
        for account, number, pair in zip(
            ACCOUNTS, (*stripes_at_opening, 1), (*bounds_at_opening, len(_BOUNDS) - 1), strict=False
        ):
            lowest, highest = _BOUNDS[pair]
            self.send(
                OpenAccount(
                    v=1,
                    id="?",
                    account=account,
                    currency="EUR",
                    account_type="liability",
                    min_balance_minor=lowest,
                    max_balance_minor=highest,
                    stripes=number,
                ),
                0,
                0,
            )
        for spread, (account, minor) in enumerate((("s", 20), ("s", 15), ("t", 20))):
            funding = posting("pool", account, minor)
            self.send(PostPayment(v=1, id="?", postings=(funding,)), 0, spread)

    def batched(self, members: Sequence[Command], seconds: int, spread: int) -> Sent:
        """The clients' commands among these as an atomic batch."""
        named = [self.named(member, seconds, spread).command for member in members]
        clients = tuple(one for one in named if isinstance(one, MemberCommand))
        self.count += 1
        return Sent(AtomicBatch(v=1, id=f"c{self.count}", commands=clients), seconds, spread)

    def named(self, command: Command, seconds: int, spread: int) -> Sent:
        """The command with an id of its own, about a payment that there was."""
        self.count += 1
        made = structs.replace(command, id=f"c{self.count}")
        if isinstance(made, PostPayment | AuthorizePayment):
            self.payments.append(made.id)
        if isinstance(made, AuthorizePayment):
            at = NOON_MICROSECONDS + (seconds + 5) * _SECOND
            made = structs.replace(made, expires_at=instant_of_microseconds(at))
        if isinstance(made, PaymentCommand):
            ago = int(made.payment[1:])
            payment = self.payments[-1 - ago] if ago < len(self.payments) else "nothing"
            made = structs.replace(made, payment=payment)
        if isinstance(made, ExpirePayment):
            key = payment_key(made.payment)
            version = max(self.plain.states().version(key), 1)
            made = structs.replace(made, id=expiry_id(made.payment, version), version=version)
        return Sent(made, seconds, spread)

    def send(self, command: Command, seconds: int, spread: int) -> None:
        """Decides a command in both; they must say the same."""
        named = self.named(command, seconds, spread)
        there, here = self.plain.decide(unstriped(named)), self.striped.decide(named)
        assert here == there, (named.command, here, there)

    def begin(self, command: Command, spread: int) -> None:
        """Reads and decides in the striped ledger, and does not commit yet."""
        named = self.named(command, 0, spread)
        self.pending.append((named, *self.striped.known(named)))

    def finish(self, place: int) -> None:
        """Commits what was begun; if it was overtaken, decides anew as often as it takes. The other
        ledger is asked at the moment of the commit."""
        named, known, proposal = self.pending.pop(place % len(self.pending))
        for _ in range(10):
            if isinstance(proposal, str):
                here = proposal
                break
            result = self.striped.store.append(transaction_of(known, proposal))
            if isinstance(result, Appended):
                here = said(proposal)
                break
            known.refresh(result.fresh)
            known.states.events.update(
                (one, decode_event(stored.data)) for one, stored in result.existing.items()
            )
            try:
                known, proposal = self.striped.known(named, known)
            except BrokenStateError:
                known, proposal = self.striped.known(named)
        else:
            raise AssertionError("nobody else commits meanwhile")
        before = self.plain.states()
        there = self.plain.decide(unstriped(named))
        # A refusal stands as long as what caused it does, whatever else came in the way meanwhile.
        overtaken = isinstance(proposal, Proposal) and proposal.rejection is not None
        if overtaken and here != there:
            assert isinstance(proposal, Proposal)
            assert isinstance(proposal.event, CommandRejected)
            check_figures(proposal.event, before)
            here, there = "refused", "refused" if there[:1].islower() else there
        assert here == there, (named.command, here, there)

    def agree(self) -> None:
        """Both have the same accounts, with the same totals, and leases are as they must be."""
        assert self.striped.sums() == self.plain.sums()
        states = self.striped.states()
        for account, head in states.accounts.items():
            check_leases([head, *_others(states, head)])
            assert account_key(account) == head.key

    def verified(self) -> None:
        """Whoever verifies the striped ledger finds nothing; its events alone make its states."""
        report = Report()
        verify_store(self.striped.store, report)
        assert report.ok, report.findings
        made = {state.key: state for state in folded(arranged(self.striped.store.events()))}
        assert made == {state.key: state for state in self.striped.store.states()}


def unstriped(sent: Sent) -> Sent:
    """The same for the ledger in which nothing is striped."""
    return Sent(_unstriped(sent.command), sent.seconds, 0)


def _unstriped(command: Command) -> Command:
    if isinstance(command, OpenAccount | SetStripes):
        return structs.replace(command, stripes=1)
    if isinstance(command, AtomicBatch):
        members = tuple(_unstriped(member) for member in command.commands)
        return structs.replace(command, commands=members)
    return command


def said(proposal: Proposal) -> str:
    """What a decision comes to: the event, or the refusal with all that it names."""
    event = proposal.event
    if isinstance(event, CommandRejected):
        return f"{event.reason} {event.field} {event.causes[0].values}"
    return f"{type(event).__name__}"


def check_figures(event: CommandRejected, states: States) -> None:
    """The figures that a refusal names are those of the account in the other ledger."""
    cause = event.causes[0]
    account = states.accounts.get(cause.id)
    for name in ("balance_minor", "available_minor", "expected_minor"):
        if account is not None and name in cause.values:
            assert cause.values[name] == getattr(account, name)


def check_leases(stripes: Sequence[AccountState]) -> None:
    """Floors add up to the lowest balance and ceilings to the highest, or there are none; and none
    is passed."""
    head = stripes[0]
    if not head.is_striped:
        assert (head.floor_minor, head.ceiling_minor) == (None, None)
        return
    assert len({one.profile for one in map(_hashable, stripes)} or {0}) == 1
    for limit, basis, name, sign in (
        (head.min_balance_minor, head.min_balance_basis, "floor_minor", 1),
        (head.max_balance_minor, head.max_balance_basis, "ceiling_minor", -1),
    ):
        leases = [getattr(one, name) for one in stripes]
        if limit is None or leases[0] is None:
            assert set(leases) == {None}
            continue
        assert sum(leases) == limit
        for one, lease in zip(stripes, leases, strict=True):
            judged = (
                one.balance_minor
                if basis == "posted"
                else (one.available_minor if sign > 0 else one.expected_minor)
            )
            assert sign * (judged - lease) >= 0


class _Profile(NamedTuple):
    profile: str


def _hashable(state: AccountState) -> _Profile:
    return _Profile(repr(state.profile))


def _others(states: States, head: AccountState) -> list[AccountState]:
    found = [one for one in states.stripes.values() if one.id == head.id]
    assert len(found) == head.stripes_made - 1
    return sorted(found, key=lambda one: one.stripe)


def _shown(state: AccountState | None) -> tuple[object, ...]:
    assert state is not None
    profile = structs.replace(state.profile, stripes=1)
    return (
        repr(profile),
        state.debits_posted_minor,
        state.credits_posted_minor,
        state.debits_pending_minor,
        state.credits_pending_minor,
    )
