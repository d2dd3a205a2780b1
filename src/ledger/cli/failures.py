"""How the command fails: an exit code for each kind of failure, and one readable block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

import typer
from botocore.exceptions import BotoCoreError, ClientError

from ledger.application.ports import TransientStoreError, UnknownStoredStateError
from ledger.application.repair import BrokenWalkError
from ledger.cli.explaining import Currencies, lines_of
from ledger.cli.feeding.emptying import StalledError
from ledger.cli.output import Output
from ledger.client.answers import Refused, UnreachableError
from ledger.client.config import ConfigError
from ledger.client.messages import NotSentError
from ledger.contracts.events import CorruptEventError, UnknownEventError
from ledger.contracts.problems import problem_of_violations
from ledger.contracts.reasons import InvalidCommandError
from ledger.domain.accounts import BrokenStateError
from ledger.importers.instructions import SourceError
from ledger.runtime.faults import BrokenItemError, StoreError
from ledger.statements.statement import (
    BrokenHistoryError,
    IncompleteHistoryError,
    UnrepresentableError,
)
from ledger.upkeep.dead_letters.redrive import NotTakenError, StoppedError
from projections.replay.replaying import IncompleteError, ReplayRefusedError
from sandbox.errors import SandboxError

OK: Final = 0
REFUSED: Final = 1  # the ledger said no, found nothing, or a check failed
USAGE: Final = 2  # the command line, the configuration, the credentials or a source file
OUTAGE: Final = 3  # no answer, or "not now": the same command, with its id, may be run again
INTERRUPTED: Final = 130  # Ctrl-C: 128 + SIGINT, as shells have it

EXIT_CODES: Final = (
    "Exit codes: 0 done; 1 refused, not found or a check failed; 2 wrong usage, configuration or "
    "source file; 3 no answer or not now (run it again with --id and the id it printed: then it "
    "takes effect once); 130 interrupted."
)

_CREDENTIALS_ERRORS: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",  # SNS's word for it
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
    }
)


class RefusedError(Exception):
    """The ledger refused what was asked; its reply says why.

    `currencies` are those of the accounts that were named, to tell amounts in.
    """

    def __init__(self, refused: Refused, currencies: Currencies | None = None) -> None:
        self.refused = refused
        self.currencies = currencies or {}
        super().__init__(refused.reason)


class CheckFailedError(Exception):
    """What was asked for was done, and something is not as it must be; all of it is printed."""


class FaultySourceError(Exception):
    """A source file has rows that cannot be sent, and none was; all of it is printed."""


class DeclinedError(Exception):
    """Whoever was asked whether to go on said no; nothing was sent."""


class UsageError(Exception):
    """The command line asks for what does not go together; the message says what."""


@contextmanager
def reporting(as_json: bool) -> Iterator[Output]:
    """Where a verb writes to. Turns every foreseen failure into a block and an exit code."""
    output = Output(as_json=as_json)
    try:
        yield output
    except CheckFailedError:
        raise typer.Exit(REFUSED) from None
    except DeclinedError:
        output.failure({"reason": "declined", "title": "Nothing was sent."}, ())
        raise typer.Exit(REFUSED) from None
    except FaultySourceError:
        raise typer.Exit(USAGE) from None
    except KeyboardInterrupt:
        title = "Interrupted; what was sent, was sent."
        output.failure({"reason": "interrupted", "title": title}, ())
        raise typer.Exit(INTERRUPTED) from None
    except _FORESEEN as error:
        code, problem = _problem_of(error)
        currencies = error.currencies if isinstance(error, RefusedError) else {}
        output.failure(problem, lines_of(problem, currencies))
        raise typer.Exit(code) from None


def _problem_of(error: Exception) -> tuple[int, dict[str, Any]]:
    return next(judge(error) for kinds, judge in _JUDGES if isinstance(error, kinds))


def _of_refusal(error: Any) -> tuple[int, dict[str, Any]]:
    refused: Refused = error.refused
    known = {"reason": refused.reason, "title": refused.title, "retry": refused.retry}
    field = {"field": refused.field} if refused.field else {}
    code = USAGE if refused.status == HTTPStatus.FORBIDDEN else REFUSED
    return code, known | field | refused.body


def _of_unreachable(error: Any) -> tuple[int, dict[str, Any]]:
    return OUTAGE, _outage(error, error.reason or "unreachable") | error.body


def _of_not_sent(error: Any) -> tuple[int, dict[str, Any]]:
    if error.permanent:
        return REFUSED, {"reason": "not_sent", "title": str(error), "retry": "never"}
    return OUTAGE, _outage(error, "not_sent")


def _of_stopped(error: Any) -> tuple[int, dict[str, Any]]:
    code, problem = _problem_of(error.__cause__)
    return code, problem | error.done


def _of_aws(error: Any) -> tuple[int, dict[str, Any]]:
    code = error.response.get("Error", {}).get("Code", "")
    if code in _CREDENTIALS_ERRORS:
        return USAGE, {"reason": "credentials", "title": str(error)}
    return OUTAGE, _outage(error, code or "aws_error")


def _of_broken(error: Exception) -> tuple[int, dict[str, Any]]:
    title = f"{error}; `ledger verify` names everything that is not as it must be"
    return REFUSED, {"reason": "broken", "title": title}


def _of_incomplete(error: Exception) -> tuple[int, dict[str, Any]]:
    title = f"{error}: no statement is made of half a history; `ledger repair` fills gaps that stay"
    return OUTAGE, {"reason": "incomplete_history", "title": title, "retry": "same_request"}


def _of_newer(error: Exception) -> tuple[int, dict[str, Any]]:
    title = f"{error}: a newer release wrote it; this one must not judge it"
    return USAGE, {"reason": "newer_release", "title": title}


def _outage(error: Exception, reason: str) -> dict[str, Any]:
    return {"reason": reason, "title": str(error), "retry": "same_request"}


def _usage(reason: str) -> _Judge:
    return lambda error: (USAGE, {"reason": reason, "title": str(error)})


def _try_again(reason: str) -> _Judge:
    return lambda error: (OUTAGE, _outage(error, reason))


_Judge = Callable[[Any], tuple[int, dict[str, Any]]]

#: What is foreseen, and what it comes to: an exit code and a problem.
_JUDGES: Final[tuple[tuple[tuple[type[Exception], ...], _Judge], ...]] = (
    ((RefusedError,), _of_refusal),
    ((InvalidCommandError,), lambda error: (REFUSED, problem_of_violations(error.violations))),
    ((UnreachableError,), _of_unreachable),
    ((StalledError,), _try_again("stalled")),
    ((SandboxError,), lambda error: (OUTAGE, {"reason": "sandbox", "title": str(error)})),
    ((NotSentError,), _of_not_sent),
    ((NotTakenError,), _try_again("not_sent")),
    ((StoppedError,), _of_stopped),
    ((ClientError,), _of_aws),
    ((BotoCoreError,), _try_again("unreachable")),
    ((TransientStoreError, StoreError), _try_again("store_unavailable")),
    ((IncompleteHistoryError,), _of_incomplete),
    ((UnknownEventError, UnknownStoredStateError), _of_newer),
    ((ReplayRefusedError,), lambda error: (REFUSED, {"reason": "replay", "title": str(error)})),
    ((IncompleteError,), _of_broken),
    (
        (
            BrokenHistoryError,
            BrokenItemError,
            BrokenStateError,
            BrokenWalkError,
            CorruptEventError,
        ),
        _of_broken,
    ),
    (
        (UnrepresentableError,),
        lambda error: (REFUSED, {"reason": "unrepresentable", "title": str(error)}),
    ),
    ((ConfigError,), _usage("configuration")),
    ((SourceError,), lambda error: (USAGE, {"reason": error.reason, "title": str(error)})),
    ((UsageError,), _usage("usage")),
)
_FORESEEN: Final = tuple(kind for kinds, _ in _JUDGES for kind in kinds)
