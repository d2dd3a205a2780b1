"""The routes of commands: one, what it would do, and many that are decided as a group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import Final, NamedTuple

from ledger.application.commit import DECIDING_MILLISECONDS_MAX, Commands
from ledger.application.group_commit import Answer as Found
from ledger.application.group_commit import Asked, GroupCommit
from ledger.application.outages import OutageError
from ledger.contracts import reasons
from ledger.contracts.commands import CLIENT_COMMANDS, Command, read_bulk
from ledger.contracts.reasons import InvalidCommandError
from ledger.entrypoints.api import reading
from ledger.entrypoints.api.answer_sizes import bytes_foreseen
from ledger.entrypoints.api.answers.base import Answer
from ledger.entrypoints.api.answers.decided import outcome_answer, several
from ledger.entrypoints.api.answers.problems import (
    invalid_answer,
    not_now_answer,
    outage_answer,
    refusal_answer,
)
from ledger.entrypoints.api.reading import RefusedRequestError
from ledger.entrypoints.api.request import Request
from ledger.entrypoints.api.tally import note_failure
from ledger.runtime.rest import BODY_BYTES_MAX, bytes_sent
from ledger.runtime.sqs import has_time

#: All commands of a request: behind one that could not be decided, none is.
_LANE: Final = "request"


class _Waiting(NamedTuple):
    """A command of a request that is not decided yet, and where it stands there."""

    place: int
    command: Command
    answer_bytes: int


def decide(commands: Commands, command_type: str, request: Request) -> Answer:
    """The answer to the command of that type in the request; in a dry run, what it would be."""
    actor = reading.actor_of(request.event)
    dry_run = reading.is_dry_run(request.event)
    command = reading.read_command(reading.body_of(request.event), (command_type,))
    request.line.note("command_id", command.id)
    outcome = (commands.preview if dry_run else commands.handle)(command, actor)
    request.tally.take(outcome, dry_run=dry_run)
    return outcome_answer(outcome, dry_run=dry_run)


def decide_each(group: GroupCommit, request: Request) -> Answer:
    """The answers to the commands in the request, which are decided as a group, in their order.

    None keeps the others from being decided by being refused, malformed or met by a bug. Behind one
    that could not be decided now none is: it may rest on what that one would have brought. For
    these, and for those that there is no time or no room left to answer, the answer is to send them
    again.
    """
    actor = reading.actor_of(request.event)
    reading.refuse_query_parameters(request.event)
    bodies = read_bulk(reading.body_of(request.event))
    request.line.note("commands", len(bodies))
    answers: dict[int, Answer] = {}
    waiting: list[_Waiting] = []
    for place, body in enumerate(bodies):
        try:
            command = reading.read_command(body, CLIENT_COMMANDS)
        except Exception as error:  # noqa: BLE001 - a bug in one command must not fail its neighbours
            answers[place] = _undecided(error, reading.id_in(body), request)
        else:
            waiting.append(_Waiting(place, command, bytes_foreseen(command, body)))
    room = BODY_BYTES_MAX - sum(map(_size, answers.values()))
    answers.update(_decided(group, waiting, actor, request, room))
    return several([answers.get(place) or _deferred(request) for place in range(len(bodies))])


def _decided(
    group: GroupCommit, waiting: list[_Waiting], actor: str, request: Request, room: int
) -> Iterator[tuple[int, Answer]]:
    """What could be decided, each by its place and with its answer, of which there are `room`
    bytes."""

    def may_go_on() -> bool:
        return has_time(request.context, DECIDING_MILLISECONDS_MAX)

    while waiting and room > 0:
        chunk = _fitting(waiting, room)
        asked = [Asked(each.command, actor, _LANE) for each in chunk]
        found_each = group.handle(asked, may_go_on)
        tried = list(takewhile(lambda found: found is not None, found_each))
        for each, found in zip(chunk, tried, strict=False):
            answer = _answer(each.command, found, request)
            # What was decided and has no room is answered when it is asked for again.
            yield each.place, answer if room > 0 else not_now_answer(reasons.UNAVAILABLE)
            room -= _size(answer)
        if not tried or isinstance(tried[-1], OutageError):
            return
        waiting = waiting[len(tried) :]  # behind a bug it goes on


def _fitting(waiting: Sequence[_Waiting], room: int) -> Sequence[_Waiting]:
    """The first of those that wait, one at least: as many as can be answered, as is foreseen."""
    foreseen = 0
    for number, each in enumerate(waiting):
        foreseen += each.answer_bytes
        if number and foreseen > room:
            return waiting[:number]
    return waiting


def _answer(command: Command, found: Found, request: Request) -> Answer:
    if isinstance(found, Exception):
        return _undecided(found, command.id, request)
    assert found is not None
    request.tally.take(found, dry_run=False)
    return outcome_answer(found, dry_run=False)


def _undecided(error: Exception, command_id: str | None, request: Request) -> Answer:
    if command_id is not None:
        malformed = isinstance(error, InvalidCommandError)
        request.tally.name_undecided(command_id, malformed=malformed)
    return failure_answer(error, request)


def _deferred(request: Request) -> Answer:
    request.tally.take_deferred()
    return not_now_answer(reasons.UNAVAILABLE)


def _size(answer: Answer) -> int:
    return bytes_sent(answer.body.decode())


def failure_answer(error: Exception, request: Request) -> Answer:
    """The answer to a command or a question that ended in `error`."""
    match error:
        case InvalidCommandError():
            request.tally.take_malformed()
            return invalid_answer(error)
        case OutageError():
            request.line.warn()
            request.tally.take_outage(error)
            return outage_answer(error)
        case RefusedRequestError(reason=reason, field=field):
            return refusal_answer(reason, field)
    request.tally.outcomes["exception"] += 1
    note_failure(error, request.line)
    return refusal_answer(reasons.INTERNAL_ERROR)
