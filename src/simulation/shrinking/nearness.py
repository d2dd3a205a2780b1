"""What of a plan most likely has to do with a finding: tried first when a run is shrunk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from simulation.asks import ids_of
from simulation.auditor.findings import Finding
from simulation.load.elements import Plan, Planned
from simulation.results import Result
from simulation.run import plan_played

Places = tuple[int, ...]
#: What more requests name than these is hot: that it is the same says nothing of two requests.
_NAMED_BY_MAX: Final = 25


#: How many of the last requests before the finding are tried alone.
_LAST: Final = (3, 10, 30)
#: Of each account: it is opened, limited, and given money.
_FIRST: Final = 3


class _Request(NamedTuple):
    place: int
    names: frozenset[str]
    tells: bool
    """Whether it is no mere question."""


def near(result: Result) -> tuple[Places, ...]:
    """Guesses at what of a run's plan is enough for what it found."""
    return guesses(plan_played(result.settings), result.finding)


def guesses(plan: Plan, finding: Finding) -> tuple[Places, ...]:
    """Guesses at what is enough, in the order in which they are worth a try: the fewest first.

    The last few requests for the very things that the finding names, or for anything; all of the
    first; with what is done to all that they are about, as far as not everything is; with all of
    that too; and all that was due by then. In each guess accounts begin as they did.
    """
    due = [_request(one) for one in plan.elements if one.at <= finding.at]
    counts = Counter(name for one in due for name in one.names)
    asked = _naming(due, frozenset(finding.about))
    around = _naming(due, _names(asked, lambda name: counts[name] <= _NAMED_BY_MAX))
    everything = _naming(due, _names(asked))
    told = [one for one in asked if one.tells]
    last = (told[-count:] + asked[-1:] for count in _LAST)
    recent = (due[-count:] for count in _LAST)
    some = [*last, *recent, asked, around, everything]
    found = sorted((_with_beginnings(one, due) for one in some if one), key=len)
    every = (*found, tuple(one.place for one in due))
    return tuple(dict.fromkeys(guess for guess in every if guess))


def _request(element: Planned) -> _Request:
    """The ids in a request, of its path too."""
    of_commands = (name for one in element.commands if one is not None for name in ids_of(one))
    names = frozenset((*of_commands, *(part for part in element.path.split("/") if part)))
    return _Request(element.place, names, bool(element.commands))


def _names(
    requests: Sequence[_Request], counts: Callable[[str], bool] = lambda _: True
) -> frozenset[str]:
    return frozenset(name for one in requests for name in one.names if counts(name))


def _naming(requests: Sequence[_Request], names: frozenset[str]) -> list[_Request]:
    return [one for one in requests if not names.isdisjoint(one.names)]


def _with_beginnings(requests: Sequence[_Request], due: Sequence[_Request]) -> Places:
    """With the first requests that name any of what these name."""
    left = dict.fromkeys(_names(requests), _FIRST)
    places = [one.place for one in requests]
    for one in due:
        wanted = [name for name in one.names if left.get(name)]
        if wanted:
            places.append(one.place)
            left.update((name, left[name] - 1) for name in wanted)
    return tuple(sorted(set(places)))
