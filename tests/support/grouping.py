"""Group commits for tests: a real one, and one that decides each command as it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ledger.application.commit import Outcome
from ledger.application.group_commit import Answer, Asked, GroupCommit
from ledger.application.ports import EventStore
from ledger.application.state_cache import StateCache
from ledger.contracts.commands import Command
from ledger.contracts.reasons import InvalidCommandError
from tests.support.worlds import World

Decide = Callable[[Command, str], Outcome]


def group_on(
    store: EventStore, *, cache: StateCache | None = None, world: World | None = None
) -> GroupCommit:
    """A worker on `store`, which remembers no states unless it has a cache."""
    world = world or World()
    cache = StateCache(0) if cache is None else cache
    return GroupCommit(
        world.commands(store, cache),
        store,
        clock=world.clock,
        pause=world.pause,
        chance=world.chance,
        cache=cache,
    )


class OneByOne(GroupCommit):
    """Keeps the promises of a group commit, with `decide` for each command. `begun` are those that
    were decided or met an error, in their order."""

    def __init__(self, store: EventStore, decide: Decide) -> None:
        world = World()
        super().__init__(
            world.commands(store),
            store,
            clock=world.clock,
            pause=world.pause,
            chance=world.chance,
            cache=StateCache(0),
        )
        self._decide = decide
        self.begun: list[Asked] = []

    def handle(self, asked: Sequence[Asked], has_time: Callable[[], bool]) -> list[Answer]:
        answers: list[Answer] = []
        blocked: set[str | None] = set()
        out_of_time = False
        for one in asked:
            out_of_time = out_of_time or not has_time()
            if out_of_time or (one.lane is not None and one.lane in blocked):
                answers.append(None)
                continue
            self.begun.append(one)
            try:
                answers.append(self._decide(one.command, one.actor))
            except InvalidCommandError as error:
                answers.append(error)
            except Exception as error:  # noqa: BLE001 - as a group commit does
                answers.append(error)
                blocked.add(one.lane)
        return answers


def failing(store: EventStore, errors: Mapping[str, Exception]) -> OneByOne:
    """Decides as ever, but for the commands of these ids: those end in errors."""
    commands = World().commands(store)

    def decide(command: Command, actor: str) -> Outcome:
        if command.id in errors:
            raise errors[command.id]
        return commands.handle(command, actor)

    return OneByOne(store, decide)
