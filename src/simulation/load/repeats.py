"""What is sent again: soon, late, after hours; in other words; and with another content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Final

from msgspec import UNSET, structs

from ledger.contracts.commands import (
    AtomicBatch,
    AuthorizePayment,
    BaseCommand,
    CapturePayment,
    Command,
    OpenAccount,
    PostPayment,
    PostTemplate,
    ReversePayment,
    SetMetadata,
    encode_command,
)
from simulation.kernel.hub import MILLISECOND, SECOND
from simulation.load.desk import HOUR, MINUTE
from simulation.load.elements import Planned
from simulation.load.sending import Sending, type_of

#: From when to when after the first sending: while that is under way, soon, and much later.
_DELAYS: Final = ((0, 300 * MILLISECOND), (SECOND, 10 * MINUTE), (HOUR, 8 * HOUR))
_DELAY_WEIGHTS: Final = (40, 70, 100)
#: How often several are sent again together, and how many of a file at most.
_FILES: Final = 0.05
_COMMANDS_MAX: Final = 60
_ALTERED: Final = 0.18
_RESPELT: Final = 0.06
_MEMBER: Final = 0.5
#: As SQS would have it from a client that sends the same message again, not the same command.
_SAME_MESSAGE: Final = 0.4


def repeats(
    random: Random, sending: Sending, elements: Sequence[Planned], count: int, ends: int
) -> Iterator[Planned]:
    """So many repeats of `elements`, none of them later than `ends` unless its original is."""
    single = [one for one in elements if len(one.commands) == 1]
    captures = [one for one in single if isinstance(one.commands[0], CapturePayment)]
    together = [one for one in elements if len(one.commands) > 1]
    while count > 0:
        if together and random.random() < _FILES:
            again = _file_again(random, random.choice(together), count, ends)
            yield again
            count -= again.weight
            continue
        count -= 1
        original = random.choice(captures if captures and random.random() < 0.2 else single)
        command = original.commands[0]
        assert command is not None  # what is malformed is added later
        low, high = random.choices(_DELAYS, cum_weights=_DELAY_WEIGHTS)[0]
        delay = random.randint(low, high)
        at = max(original.at, min(original.at + delay, ends))
        yield _again(random, sending, original, command, at)


def _file_again(random: Random, original: Planned, count: int, ends: int) -> Planned:
    """The first so many commands of a file at most, by the same way; as the same message, or as
    another."""
    low, high = random.choices(_DELAYS, cum_weights=_DELAY_WEIGHTS)[0]
    at = max(original.at, min(original.at + random.randint(low, high), ends))
    most = min(count, random.randint(2, _COMMANDS_MAX))
    commands, bodies = original.commands[:most], original.bodies[:most]
    again = structs.replace(original, at=at, commands=commands, bodies=bodies)
    if original.route != "fifo" or (commands == original.commands and random.random() < 0.5):
        return again
    return structs.replace(again, **_message(random, at))


def _again(
    random: Random, sending: Sending, original: Planned, command: Command, at: int
) -> Planned:
    drawn = random.random()
    if isinstance(command, AtomicBatch) and drawn < _MEMBER:
        return sending.one(random.choice(command.commands), at, sending.way())
    if drawn < _ALTERED:
        return sending.one(altered(random, command), at, sending.way(), **_message(random, at))
    if drawn < _ALTERED + _RESPELT:
        said = respelt(command)
        return sending.one(said, at, sending.way(), body=_in_other_words(said))
    same_way = original.route if original.route in ("rest", "bus", "fifo") else "rest"
    way: Any = same_way if random.random() < 0.6 else sending.way()
    if way != "fifo":
        return sending.one(command, at, way)
    more = {} if random.random() < _SAME_MESSAGE else _message(random, at)
    if original.group:
        more["group"] = original.group
    return sending.one(command, at, way, **more)


def _message(random: Random, at: int) -> dict[str, Any]:
    """What makes a message of the FIFO queue another than the one before."""
    return {"deduplication": f"again:{at}:{random.randrange(1_000_000)}"}


def altered(random: Random, command: Command) -> Command:
    """A command of the same id with another content."""
    if isinstance(command, PostPayment | AuthorizePayment):
        if random.random() < 0.3:
            return structs.replace(command, reference="another")
        first, *rest = command.postings
        more = structs.replace(first, amount_minor=max(1, first.amount_minor ^ 1))
        return structs.replace(command, postings=(more, *rest), rates=UNSET)
    if isinstance(command, CapturePayment | ReversePayment):
        minor = command.amount_minor
        other: Any = 1 if minor is UNSET else UNSET if random.random() < 0.5 else int(minor) + 1
        return structs.replace(command, amount_minor=other)
    if isinstance(command, OpenAccount):
        return structs.replace(command, max_balance_minor=random.randint(1, 10**6))
    if isinstance(command, SetMetadata):
        return structs.replace(command, metadata={"other": "content"})
    if isinstance(command, PostTemplate):
        return structs.replace(command, reference="another")
    if isinstance(command, AtomicBatch) and len(command.commands) > 1:
        return structs.replace(command, commands=command.commands[:-1])
    return SetMetadata(
        v=1,
        id=command.id,
        subject="account",
        subject_id="nobody",
        metadata={"of": type_of(command)},
    )


def respelt(command: Command) -> Command:
    """The same with defaults spelt out that were left out."""
    if isinstance(command, OpenAccount):
        lowest = 0 if command.min_balance_minor is UNSET else command.min_balance_minor
        book = "main" if command.book is UNSET else command.book
        return structs.replace(command, min_balance_minor=lowest, book=book)
    if isinstance(command, CapturePayment) and command.final is UNSET:
        return structs.replace(command, final=False)
    if isinstance(command, AuthorizePayment) and command.over_capture_bps is UNSET:
        return structs.replace(command, over_capture_bps=0)
    return command


def _in_other_words(command: BaseCommand) -> bytes:
    """The text of a command with its instants in another offset, and more blanks."""
    given: dict[str, str] = {}
    for name in ("effective_at", "expires_at"):
        instant = getattr(command, name, UNSET)
        if isinstance(instant, str):
            given[name] = instant.replace("Z", "+00:00")
    text = encode_command(structs.replace(command, **given) if given else command)
    return b" " + text.replace(b'{"', b'{ "', 1) + b"\n"
