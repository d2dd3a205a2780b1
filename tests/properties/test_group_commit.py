"""A group is decided as its commands would be, one by one in their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from ledger.application.group_commit import Answer, Asked
from ledger.application.ports import EventStore, UnknownStoredStateError
from ledger.application.state_cache import StateCache
from ledger.contracts.commands import ACTIONS_MAX, SYSTEM_ID_PREFIXES, Command
from ledger.contracts.events import decode_event
from ledger.contracts.reasons import InvalidCommandError
from ledger.contracts.subjects import Key, account_key
from ledger.domain.chain import changed_by
from ledger.domain.states import States
from tests.properties.life_commands import BEGINNING, Scene, batches, drafts, filled, payments
from tests.support.builders import NOON_MICROSECONDS, opening, paying
from tests.support.grouping import group_on
from tests.support.groups import always, asked, told
from tests.support.stores import FAULTS, Fault, FaultyStore, OpenStore
from tests.support.worlds import World, commands_on, decided

HOUR = 3_600_000_000
#: An hour or a week after the beginning: before and after its hold is due.
TIMES = st.sampled_from([NOON_MICROSECONDS + HOUR, NOON_MICROSECONDS + 170 * HOUR])
LANES = st.sampled_from([None, None, "one", "two"])
EACH = st.one_of(drafts(), payments(), payments(), batches())
#: Of each command: what it is, which one before it has its id (if any) and if it is that one again,
#: its lane, and whether it is said to be seen before.
DRAWN = st.tuples(
    EACH, st.sampled_from([None] * 6 + [0, 1, 3]), st.booleans(), LANES, st.booleans()
)
Drawn = tuple[Any, int | None, bool, str | None, bool]
GROUPS = st.lists(DRAWN, min_size=1, max_size=14)
FEW_FAULTS = st.lists(st.sampled_from([None, None, *FAULTS]), max_size=5)


class Still(World):
    """A world in which no time passes: all that is recorded has one and the same time."""

    def __init__(self, now: int) -> None:
        super().__init__(now=now, tick=0)
        # Always the same: a worker that draws its stripe anew draws the one that it had.
        self.chance = lambda: 0.5

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


class Poisoned(FaultyStore):
    """A store in which one account has a state that cannot be read."""

    poison: str | None = None

    def load(self, keys: Sequence[Key]) -> States:
        if self.poison is not None and account_key(self.poison) in keys:
            raise UnknownStoredStateError(f"account {self.poison} is of a newer release")
        return super().load(keys)


def beginning() -> OpenStore:
    """A few accounts with some money, a payment and a hold."""
    store = OpenStore()
    commands = commands_on(store)
    for command in BEGINNING:
        decided(commands, command)
    return store


def group_of(drawn: Sequence[Drawn], now: int) -> list[Asked]:
    """The commands of a group, some of which repeat one before them, or have its id."""
    group: list[Asked] = []
    commands: list[Any] = []
    for number, (draft, before, same, lane, seen) in enumerate(drawn):
        payments_so_far = ["fund", "hold", *(one.id for one in commands)]
        command = filled(draft, f"c{number}", Scene(payments_so_far, now))
        if before is not None and commands:
            repeated = commands[-1 - before % len(commands)]
            if same:
                command = repeated
            elif not _of_the_system(command) and not _of_the_system(repeated):
                command = structs.replace(command, id=repeated.id)
        commands.append(command)
        # Each by another caller: as no time passes, a refusal decided twice would have the same
        # bytes, and whose are recorded could not be told once an answer was lost.
        group.append(Asked(command, f"caller-{number}", lane=lane, seen_before=seen))
    return group


def _of_the_system(command: Command) -> bool:
    return command.id.startswith(SYSTEM_ID_PREFIXES)


def one_by_one(store: EventStore, group: Sequence[Asked], now: int) -> list[Answer]:
    """What is answered to each by itself; nothing behind one of its lane that was not decided."""
    worker = Still(now).commands(store)
    blocked: set[str | None] = set()
    answers: list[Answer] = []
    for one in group:
        if one.lane in blocked:
            answers.append(None)
            continue
        try:
            answers.append(worker.handle(one.command, one.actor))
        except Exception as error:  # noqa: BLE001 - whatever it is
            answers.append(error)
            if not isinstance(error, InvalidCommandError) and one.lane is not None:
                blocked.add(one.lane)
    return answers


@given(
    drawn=GROUPS,
    now=TIMES,
    poison=st.sampled_from([None, None, None, "c", "x", "late"]),
    appending=FEW_FAULTS,
    loading=st.lists(st.sampled_from([None, None, "throttled"]), max_size=4),
    size=st.sampled_from([0, 3, 1_000]),
)
@settings(max_examples=100)
def test_a_group_is_its_commands_one_by_one(  # noqa: PLR0917
    drawn: Sequence[Drawn],
    now: int,
    poison: str | None,
    appending: Sequence[Fault | None],
    loading: Sequence[Fault | None],
    size: int,
) -> None:
    """Same answers, same events to the byte, same chains, same states, in the same order: whatever
    faults there are, also if a state cannot be read, which blocks lanes, and with a cache."""
    if poison is not None:
        # A group knows what it has just recorded, and answers a repeat that alone reads in vain.
        drawn = [(one[0], None, *one[2:]) for one in drawn]
    group = group_of(drawn, now)
    alone, together = beginning(), beginning()
    first = Poisoned(alone)
    second = Poisoned(together, appending=appending, loading=loading)
    first.poison = second.poison = poison
    expected = one_by_one(first, group, now)
    worker = group_on(second, world=Still(now), cache=StateCache(size))
    answers = worker.handle(group, always)
    assert told(answers) == told(expected)
    assert together.snapshot() == alone.snapshot()
    assert [one.id for one in together.events()] == [one.id for one in alone.events()]


@given(
    steps=st.lists(st.tuples(st.integers(0, 2), GROUPS.map(lambda one: one[:4])), max_size=6),
    sizes=st.lists(st.sampled_from([1, 4, 1_000]), min_size=3, max_size=3),
    by_itself=st.booleans(),
)
@settings(max_examples=60)
def test_what_workers_remember_changes_nothing(
    steps: Sequence[tuple[int, Sequence[Any]]], sizes: Sequence[int], by_itself: bool
) -> None:
    """Workers with caches that take turns, none told of what the others do, decide what workers
    without would: to the byte, refusals with their causes included."""
    now = NOON_MICROSECONDS + HOUR
    plain, cached = beginning(), beginning()
    caches = [StateCache(size) for size in sizes]
    for turn, (worker, drawn) in enumerate(steps):
        group = [
            structs.replace(one, command=_renamed(one.command, turn))
            for one in group_of(drawn, now)
        ]
        expected = one_by_one(plain, group, now)
        if by_itself:
            commands = Still(now).commands(cached, caches[worker])
            answers = [_answer(commands, one) for one in _unblocked(group, expected)]
            assert told(answers) == [one for one in told(expected) if one is not None]
        else:
            handle = group_on(cached, world=Still(now), cache=caches[worker]).handle
            assert told(handle(group, always)) == told(expected)
        assert cached.snapshot() == plain.snapshot()
        assert all(len(cache) <= size for cache, size in zip(caches, sizes, strict=True))


def _renamed(command: Any, turn: int) -> Any:
    """The same with an id of its own; what it says of others may be of a turn before."""
    if _of_the_system(command) or hasattr(command, "commands"):
        return command
    return structs.replace(command, id=f"{command.id}-{turn % 4}")


def _unblocked(group: Sequence[Asked], expected: Sequence[Answer]) -> list[Asked]:
    return [one for one, answer in zip(group, expected, strict=True) if answer is not None]


def _answer(commands: Any, one: Asked) -> Answer:
    try:
        answer: Answer = commands.handle(one.command, one.actor)
    except Exception as error:  # noqa: BLE001 - whatever it is
        return error
    return answer


ACCOUNTS = [f"x{number}" for number in range(60)]


@given(
    st.lists(st.lists(st.tuples(*[st.integers(0, 59)] * 2), min_size=1, max_size=45), max_size=60)
)
@settings(max_examples=30)
def test_transactions_are_full_and_never_too_large(
    several: Sequence[Sequence[tuple[int, int]]],
) -> None:
    """Payments of any size: no transaction has more than a hundred actions, and each but the last
    would have more with the payment that the next begins with."""
    store = OpenStore()
    commands = commands_on(store)
    for name in ACCOUNTS:
        decided(commands, opening(name, min_balance_minor=None))
    watched = FaultyStore(store)
    group = [
        paying(
            f"p{place}", *((f"x{one}", f"x{(one + more % 59 + 1) % 60}", 1) for one, more in legs)
        )
        for place, legs in enumerate(several)
    ]
    answers = group_on(watched).handle(asked(*group), always)
    assert len([one for one in answers if one is not None]) == len(group)
    assert [event.id for one in watched.transactions for event in one.events] == [
        one.id for one in group
    ]
    for one, following in zip(watched.transactions, watched.transactions[1:], strict=False):
        assert one.actions <= ACTIONS_MAX
        subjects = {write.key for write in one.writes}
        subjects.update(changed_by(decode_event(following.events[0].data)))
        assert len(one.events) + 1 + len(subjects) > ACTIONS_MAX
