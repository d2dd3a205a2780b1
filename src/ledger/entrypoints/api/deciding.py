"""The routes of commands: one, what it would do, and several that are decided one by one."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from ledger.application.commit import Commands
from ledger.application.outages import OutageError
from ledger.contracts import reasons
from ledger.contracts.commands import CLIENT_COMMANDS
from ledger.contracts.reasons import InvalidCommandError
from ledger.entrypoints.api import reading
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

#: One of several commands is not begun with less time than its attempts may take: the last starts
#: 9.4 s after the first at most, and makes two calls that each wait up to 1 s to connect and 3 s
#: for an answer.
REMAINING_MILLISECONDS_MIN: Final = 18_000


def decide(commands: Commands, command_type: str, request: Request) -> Answer:
    """The answer to the command of that type in the request; in a dry run, what it would be."""
    actor = reading.actor_of(request.event)
    dry_run = reading.is_dry_run(request.event)
    command = reading.read_command(reading.body_of(request.event), (command_type,))
    request.line.note("command_id", command.id)
    outcome = (commands.preview if dry_run else commands.handle)(command, actor)
    request.tally.take(outcome, dry_run=dry_run)
    return outcome_answer(outcome, dry_run=dry_run)


def decide_each(commands: Commands, request: Request) -> Answer:
    """The answers to the commands in the request, which are decided one by one, in order.

    None keeps the others from being decided by being refused, malformed or met by a bug. Behind one
    that could not be decided now none is: it may rest on what that one would have brought. For
    these, and for those that there is no time or no room left to answer, the answer is to send them
    again.
    """
    actor = reading.actor_of(request.event)
    reading.refuse_query_parameters(request.event)
    bodies = reading.read_several(reading.body_of(request.event))
    request.line.note("commands", len(bodies))
    answers: list[Answer] = []
    size, goes_on = 0, True
    for body in bodies:
        goes_on = goes_on and has_time(request.context, REMAINING_MILLISECONDS_MIN)
        if not goes_on:
            request.tally.take_deferred()
            answers.append(not_now_answer(reasons.UNAVAILABLE))
            continue
        answer = _decided(commands, body, actor, request)
        size += bytes_sent(answer.body.decode())
        goes_on = answer.status != HTTPStatus.SERVICE_UNAVAILABLE and size < BODY_BYTES_MAX
        answers.append(answer)
    return several(answers)


def _decided(commands: Commands, body: bytes, actor: str, request: Request) -> Answer:
    try:
        outcome = commands.handle(reading.read_command(body, CLIENT_COMMANDS), actor)
    except Exception as error:  # noqa: BLE001 - a bug in one command must not fail its neighbours
        command_id = reading.id_in(body)
        if command_id is not None:
            malformed = isinstance(error, InvalidCommandError)
            request.tally.name_undecided(command_id, malformed=malformed)
        return failure_answer(error, request)
    request.tally.take(outcome, dry_run=False)
    return outcome_answer(outcome, dry_run=False)


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
