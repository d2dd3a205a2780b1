"""The cases that are run, in series: of each, one thing is varied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from bench.hot.cases import GROUP_DEFAULT, Case
from bench.hot.latency import PUBLISHED_MS
from bench.hot.store import NO_CPU, Cpu

LANES: Final = (1, 2, 4, 8, 16, 32)
STRIPES: Final = (1, 4, 16)
LEVELS: Final = (5.0, 20.0, 50.0, PUBLISHED_MS)
AFFINITIES: Final = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 1.0)
#: Of a worker with a whole CPU: what section 1 of docs/performance.md measured, a straight line
#: through a single payment and a group of 49 from one payer.
CPU: Final = Cpu(call=0.7, read_key=0.015, action=0.04, event=0.06)

_ALONE: Final = Case(name="one by one", lanes=1, group=None, cpu=CPU)
_GROUP: Final = Case(name=f"groups of {GROUP_DEFAULT}", lanes=1, cpu=CPU)


def _striped(case: Case, stripes: int) -> Case:
    name = f"{case.name}, {stripes} stripes" if stripes > 1 else case.name
    return replace(case, name=name, stripes=stripes)


def _one_account() -> Sequence[Case]:
    """All lanes on one account: one by one and in groups, with more and more stripes; and, for
    comparison, each lane on an account of its own."""
    shared = [
        _striped(replace(form, lanes=lanes), stripes)
        for form in (_ALONE, _GROUP)
        for stripes in STRIPES
        for lanes in LANES
    ]
    own = [
        replace(form, name=f"{form.name}, an account each", lanes=lanes, shared=False)
        for form in (_ALONE, _GROUP)
        for lanes in LANES
    ]
    return [*shared, *own]


def _one_lane() -> Sequence[Case]:
    """One lane, as transactions take longer: with workers that compute what ours do, and with such
    as compute nothing."""
    return [
        replace(case, full_ms=level)
        for case in (replace(_GROUP, name=f"{_GROUP.name}, no CPU", cpu=NO_CPU), _GROUP, _ALONE)
        for level in LEVELS
    ]


def _stripes() -> Sequence[Case]:
    """Many lanes on one account, with ever more stripes, in partitions of their own and in one."""
    return [
        replace(_striped(case, stripes), lanes=32)
        for case in (_GROUP, _ALONE)
        for stripes in (1, 2, 4, 8, 16, 32)
    ]


def _sixteen_lanes() -> Sequence[Case]:
    """16 lanes that share a striped account, and 16 that do not, as transactions take longer."""
    return [
        replace(case, lanes=16, full_ms=level)
        for case in (
            _GROUP,
            _striped(_GROUP, 16),
            _striped(_GROUP, 32),
            replace(_GROUP, name=f"{_GROUP.name}, an account each", shared=False),
        )
        for level in LEVELS
    ]


def _assumptions() -> Sequence[Case]:
    """What is assumed of DynamoDB, varied: when items are held, where stripes live."""
    sixteen = replace(_striped(_GROUP, 16), lanes=16)
    singles = replace(_striped(_ALONE, 16), lanes=32)
    return [
        *(
            replace(case, name=f"{case.name}, held from {share:.0%}", prepared_after=share)
            for case in (sixteen, singles)
            for share in (0.0, 0.2, 0.5)
        ),
        *(
            replace(case, name=f"{case.name}, workers compute nothing", cpu=NO_CPU)
            for case in (sixteen, replace(_GROUP, lanes=16), singles)
        ),
        *(
            replace(case, name=f"{case.name}, in one partition", alone=False)
            for case in (sixteen, singles)
        ),
    ]


def _debits() -> Sequence[Case]:
    """A striped account that pays and may not be overdrawn: with funds for all, until they are used
    up, and with all funds on one stripe at first."""
    forms = [replace(form, side="debited", lanes=16) for form in (_GROUP, _ALONE)]
    short = {_GROUP.name: 5 * 10**5, _ALONE.name: 3 * 10**4}
    return [
        *(
            replace(form, name=f"{form.name}, {how}", stripes=stripes, funds_minor=funds)
            for form in forms
            for how, funds in (("ample funds", 10**9), ("funds run out", short[form.name]))
            for stripes in STRIPES
        ),
        *(
            replace(
                form,
                name=f"{form.name}, all funds on one stripe",
                stripes=16,
                funds_minor=10**9,
                dealt=False,
                seconds=3.0,
            )
            for form in forms
        ),
    ]


def _cache() -> Sequence[Case]:
    """Where remembering states pays: eight workers, whose accounts are more and more their own."""
    return [
        replace(
            _ALONE,
            name="states remembered" if states else "states read",
            lanes=8,
            affinity=affinity,
            cache=states,
        )
        for states in (10_000, 0)
        for affinity in AFFINITIES
    ]


SERIES: Final[Mapping[str, Sequence[Case]]] = {
    "one_account": _one_account(),
    "one_lane": _one_lane(),
    "stripes": _stripes(),
    "sixteen_lanes": _sixteen_lanes(),
    "assumptions": _assumptions(),
    "debits": _debits(),
    "cache": _cache(),
}
