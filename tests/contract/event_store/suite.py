"""What every event store does, wherever it keeps its events: one suite, inherited by each adapter.

A subclass gives the fixture `store`, an empty store of its own.
"""

from __future__ import annotations

import msgspec
import pytest

from ledger.adapters.memory.event_store import MemoryEventStore
from ledger.application.commit import Decided
from ledger.application.ports import (
    KEYS_A_LOAD_MAX,
    Appended,
    EventStore,
    Refused,
    StateCheck,
    StateWrite,
    Transaction,
)
from ledger.application.repair import Gap, missing_events, tails
from ledger.application.verification import Report
from ledger.application.verify import verify_store
from ledger.contracts.commands import ACTIONS_MAX, COMMAND_TYPES, decode_command
from ledger.contracts.events import EVENT_TYPES, Event, decode_event
from ledger.contracts.examples import STORY
from ledger.contracts.primitives import AMOUNT_MINOR_MAX, POSTINGS_MAX, microseconds_of_instant
from ledger.contracts.subjects import Key, account_key
from ledger.domain.accounts import AccountState, BrokenStateError
from ledger.domain.states import States
from tests.contract.event_store.holds import DueContract
from tests.contract.event_store.subjects import SubjectsContract
from tests.support.builders import opening, paying, state
from tests.support.transactions import (
    acceptance,
    append,
    append_openings,
    only_event,
    refusal,
)
from tests.support.worlds import World

LONGEST = "Z" * 64


def tell_story(store: EventStore) -> list[Event]:
    """Sends the commands of the story at their times; what is recorded of each."""
    events = []
    for step in STORY:
        command = decode_command(msgspec.json.encode(step.command), COMMAND_TYPES)
        world = World(now=microseconds_of_instant(step.at), tick=0)
        outcome = world.commands(store).handle(command, step.actor)
        assert isinstance(outcome, Decided)
        events.append(outcome.event)
    return events


def keys(*accounts: str) -> list[Key]:
    """The keys of accounts."""
    return [account_key(account) for account in accounts]


def check(account: str, states: States) -> StateCheck:
    """A condition on an account: that it is as in these states."""
    return StateCheck(account_key(account), states.point(account_key(account)))


def fresh(states: States, *accounts: str) -> dict[Key, AccountState]:
    """What a refusal has of these accounts, whose states are those."""
    return {account_key(account): states.accounts[account] for account in accounts}


class EventStoreContract(SubjectsContract, DueContract):
    """The contract of `ledger.application.ports.EventStore`."""

    def test_an_empty_store_has_nothing(self, store: EventStore) -> None:
        """No states, no events; what is not there is absent, not an error."""
        assert store.load(keys("a", "b")) == States()
        assert store.event("p") is None
        assert (list(store.events()), list(store.states())) == ([], [])

    def test_a_commit_is_read_back_as_written(self, store: EventStore) -> None:
        """Events with their exact bytes and hashes, states with every field; what was asked for and
        is absent is left out."""
        transaction, states = acceptance(States(), opening("a", max_balance_minor=7))
        assert store.append(transaction) == Appended()
        assert store.load(keys("a", "b")).accounts == states.accounts
        assert store.event("open:a") == only_event(transaction)
        assert list(store.events()) == [only_event(transaction)]
        assert list(store.states()) == list(states)

    def test_text_survives(self, store: EventStore) -> None:
        """Text in any script, quoted or escaped, comes back byte for byte."""
        states = append_openings(store, "a", "b")
        command = paying("p", ("a", "b", 1), description='Überweisung "Miete" 部屋代 🏠 \\u0041')
        transaction, _ = acceptance(states, command)
        store.append(transaction)
        assert store.event("p") == only_event(transaction)

    def test_a_payment_moves_all_its_accounts(self, store: EventStore) -> None:
        """Event and states are there together; other states stay."""
        states = append_openings(store, "a", "b", "c")
        transaction, after = acceptance(states, paying("p", ("a", "b", 5), ("b", "a", 2)))
        assert store.append(transaction) == Appended()
        assert store.load(keys("a", "b", "c")).accounts == after.accounts
        assert after.accounts["c"] == states.accounts["c"]

    def test_an_event_is_put_once(self, store: EventStore) -> None:
        """The same transaction again is refused, with the event that is there and every state that
        has moved on since; nothing changes."""
        states = append_openings(store, "a", "b")
        transaction, after = acceptance(states, paying("p", ("a", "b", 5)))
        store.append(transaction)
        after = append(store, after, paying("q", ("b", "a", 1)))
        assert store.append(transaction) == Refused(
            existing={"p": only_event(transaction)}, fresh=fresh(after, "a", "b")
        )
        assert store.load(keys("a", "b")).accounts == after.accounts
        assert {event.id for event in store.events()} == {"open:a", "open:b", "p", "q"}

    def test_a_used_id_is_refused_alone(self, store: EventStore) -> None:
        """An event whose id is taken refuses its transaction though every state is as expected."""
        states = append_openings(store, "a", "b")
        first = refusal(states, paying("p", ("a", "nobody", 5)))
        store.append(first)
        second, _ = acceptance(states, paying("p", ("a", "b", 5)))
        assert store.append(second) == Refused(existing={"p": only_event(first)})
        assert store.load(keys("a", "b")).accounts == states.accounts

    def test_a_stale_state_is_refused_alone(self, store: EventStore) -> None:
        """Only the state that moved on is reported, as it is now; the event is not written."""
        states = append_openings(store, "a", "b", "c")
        transaction, _ = acceptance(states, paying("p", ("a", "b", 5)))
        after = append(store, states, paying("q", ("b", "c", 1)))
        assert store.append(transaction) == Refused(fresh=fresh(after, "b"))
        assert store.event("p") is None
        assert store.load(keys("a", "b", "c")).accounts == after.accounts

    def test_an_account_is_opened_once(self, store: EventStore) -> None:
        """An opening meets the account that is there."""
        states = append_openings(store, "a")
        transaction, _ = acceptance(States(), opening("a", id="other"))
        assert store.append(transaction) == Refused(fresh=fresh(states, "a"))

    def test_an_account_that_is_gone_is_reported_as_none(self, store: EventStore) -> None:
        """A state that is expected and not there: there is no fresh one."""
        ghosts = States.of(state(name, version=3) for name in ("a", "b"))
        transaction, _ = acceptance(ghosts, paying("p", ("a", "b", 5)))
        assert store.append(transaction) == Refused(fresh=dict.fromkeys(keys("a", "b")))
        assert (list(store.events()), list(store.states())) == ([], [])

    def test_a_version_lower_than_expected_is_refused(self, store: EventStore) -> None:
        """Not only a higher one: versions must be equal."""
        states = append_openings(store, "a", "b")
        ahead = States.of(msgspec.structs.replace(one, version=2) for one in states)
        transaction, _ = acceptance(ahead, paying("p", ("a", "b", 5)))
        assert store.append(transaction) == Refused(fresh=fresh(states, "a", "b"))

    def test_a_refusal_commits_while_its_cause_stands(self, store: EventStore) -> None:
        """An event without states, and a condition: the account still at its version, or still
        absent. Its own id counts once, like any other's."""
        states = append_openings(store, "a", "b")
        unknown = refusal(states, paying("p", ("a", "nobody", 5)))
        exists = refusal(states, opening("a", id="again"))
        for transaction in (unknown, exists):
            assert store.append(transaction) == Appended()
            event = only_event(transaction)
            assert event.hashes == ()
            assert store.event(event.id) == event
            assert store.append(transaction) == Refused(existing={event.id: event})
        assert store.load(keys("a", "b", "nobody")).accounts == states.accounts

    def test_a_refusal_whose_cause_is_gone_is_refused(self, store: EventStore) -> None:
        """The account has moved on, or was opened: it comes fresh, and nothing is recorded."""
        states = append_openings(store, "a", "b")
        unknown = refusal(states, paying("p", ("a", "nobody", 5)))
        exists = refusal(states, opening("a", id="again"))
        after = append(store, states, opening("nobody"), paying("q", ("a", "b", 1)))
        assert store.append(unknown) == Refused(fresh=fresh(after, "nobody"))
        assert store.append(exists) == Refused(fresh=fresh(after, "a"))
        assert store.event("p") is None
        assert store.event("again") is None

    def test_conditions_are_told_apart(self, store: EventStore) -> None:
        """Of writes and checks together, some stale and some not, exactly the stale are reported,
        each with its own state, beside an event that is there."""
        states = append_openings(store, "a", "b", "c", "d", "e", "f")
        transaction, _ = acceptance(states, paying("p", ("a", "b", 5), ("a", "c", 5)))
        mixed = msgspec.structs.replace(
            transaction, checks=(check("d", states), check("e", states), check("nobody", states))
        )
        after = append(store, states, paying("q", ("b", "d", 1)), paying("r", ("d", "f", 1)))
        assert store.append(mixed) == Refused(fresh=fresh(after, "b", "d"))
        store.append(refusal(after, paying("p", ("a", "unknown", 1))))
        stored = store.event("p")
        assert stored is not None
        assert store.append(mixed) == Refused({"p": stored}, fresh(after, "b", "d"))

    def test_a_full_transaction_commits(self, store: EventStore) -> None:
        """The longest payment, 45 postings between 90 accounts with the longest ids, and checks up
        to the limit, as a whole."""
        names = [f"{index:0>64}" for index in range(2 * POSTINGS_MAX)]
        states = States.of(state(name, version=1, credits=1) for name in names)
        for one in states:
            store.restore(one)
        legs = zip(names[::2], names[1::2], strict=True)
        command = paying(LONGEST, *[(a, b, AMOUNT_MINOR_MAX - 1) for a, b in legs])
        transaction, after = acceptance(states, command)
        spare = ACTIONS_MAX - 1 - len(transaction.writes)
        checks = tuple(check(f"absent-{index}", states) for index in range(spare))
        assert store.append(msgspec.structs.replace(transaction, checks=checks)) == Appended()
        assert store.load(keys(*names)).accounts == after.accounts
        assert store.event(LONGEST) == only_event(transaction)

    def test_limits_are_refused_before_the_store_is_asked(self, store: EventStore) -> None:
        """A transaction of more actions than the limit, of none, or with an account or an event
        twice; a load of none, of more than the limit, or of one twice."""
        states = append_openings(store, "a", "b")
        fine, _ = acceptance(states, paying("p", ("a", "b", 5)))
        too_many = tuple(check(f"x{index}", states) for index in range(ACTIONS_MAX - 2))
        for wrong in (
            {"checks": too_many},
            {"checks": (check("a", states),)},
            {"writes": fine.writes[:1] * 2},
            {"events": fine.events * 2},
            {"events": (), "writes": ()},
        ):
            with pytest.raises(ValueError, match="transaction"):
                msgspec.structs.replace(fine, **wrong)
        for names in ([], ["a", "a"], [f"x{index}" for index in range(KEYS_A_LOAD_MAX + 1)]):
            with pytest.raises(ValueError, match="a load names 1 to 100"):
                store.load(keys(*names))
        assert store.event("p") is None

    def test_a_full_load_is_one_read(self, store: EventStore) -> None:
        """As many accounts as the limit allows, those that exist among them."""
        states = append_openings(store, "a", "b")
        names = ["a", *[f"x{index}" for index in range(KEYS_A_LOAD_MAX - 2)], "b"]
        assert store.load(keys(*names)).accounts == states.accounts

    def test_a_state_that_cannot_be_is_not_written(self, store: EventStore) -> None:
        """What is written is checked first; nothing of its transaction takes effect."""
        states = append_openings(store, "a", "b")
        transaction, _ = acceptance(states, paying("p", ("a", "b", 5)))
        good, written = transaction.writes
        assert isinstance(written.state, AccountState)
        broken = msgspec.structs.replace(written.state, credits_posted_minor=AMOUNT_MINOR_MAX + 1)
        with pytest.raises(BrokenStateError, match="account b"):
            store.append(
                Transaction(transaction.events, (good, StateWrite(broken, written.expected)))
            )
        with pytest.raises(BrokenStateError, match="account b"):
            store.restore(broken)
        assert store.event("p") is None
        assert store.load(keys("a", "b")).accounts == states.accounts

    def test_restore_writes_only_what_is_newer(self, store: EventStore) -> None:
        """A missing and an older state are replaced; the same version and an older one are not,
        whatever they say."""
        states = append_openings(store, "a", "b")
        other = state("a", version=1, credits=99)
        assert not store.restore(other)
        assert list(store.load(keys("a"))) == [states.accounts["a"]]
        newer = msgspec.structs.replace(other, version=3)
        assert store.restore(newer)
        assert not store.restore(msgspec.structs.replace(other, version=2))
        assert store.load(keys("a", "b")).accounts == {"a": newer, "b": states.accounts["b"]}
        missing = state("c", version=5)
        assert store.restore(missing)
        assert list(store.load(keys("c"))) == [missing]

    def test_scans_return_everything_once(self, store: EventStore) -> None:
        """Every event and every state, exactly once each."""
        states = append_openings(store, *[f"a{index}" for index in range(20)])
        states = append(
            store, states, *[paying(f"p{index}", ("a0", "a1", 1)) for index in range(20)]
        )
        assert sorted(event.id for event in store.events()) == sorted(
            [f"open:a{index}" for index in range(20)] + [f"p{index}" for index in range(20)]
        )
        scanned = list(store.states())
        assert len(scanned) == len(states.accounts)
        assert States.of(scanned).accounts == states.accounts

    def test_the_story_is_kept(self, store: EventStore) -> None:
        """Every command that there is, decided and committed here, makes what it makes in memory:
        the same answers, events of every type, the same states; and it verifies."""
        memory = MemoryEventStore()
        assert tell_story(store) == tell_story(memory)
        events = {event.id: event for event in memory.events()}
        assert {event.id: event for event in store.events()} == events
        assert {one.key: one for one in store.states()} == {one.key: one for one in memory.states()}
        types = {decode_event(event.data).__struct_config__.tag for event in events.values()}
        assert types == set(EVENT_TYPES)
        verify_store(store, report := Report())
        assert report.findings == []

    def test_what_was_committed_verifies(self, store: EventStore) -> None:
        """The store's own ledger passes every check."""
        states = append_openings(store, "a", "b", "c")
        states = append(store, states, *[paying(f"p{n}", ("a", "b", n + 1)) for n in range(5)])
        store.append(refusal(states, paying("no", ("a", "nobody", 5))))
        report = Report()
        captured = verify_store(store, report)
        assert (report.findings, captured.history.events) == ([], 9)

    def test_what_is_missing_is_walked_back(self, store: EventStore) -> None:
        """Repair finds the events of an account's lost versions in the store, newest first."""
        states = append_openings(store, "a", "b")
        append(store, states, *[paying(f"p{n}", ("a", "b", n + 1)) for n in range(4)])
        gaps = list(tails(store, {account_key("a"): 5, account_key("b"): 3}))
        assert gaps == [Gap("b", 4, 5, "p3")]
        assert [event.id for event in missing_events(store, gaps)] == ["p3", "p2"]
