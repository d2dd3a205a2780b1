"""Fewer elements that still fail: the "ddmin" algorithm of Zeller and Hildebrandt (2002)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

_T = TypeVar("_T")

#: How finely a beginning is looked for.
_FINE: Final = 16

Fails = Callable[[Sequence[_T]], bool]


def ddmin(items: Sequence[_T], fails: Fails[_T]) -> Sequence[_T]:
    """The fewest of `items`, in their order, for which `fails` still holds, as far as that is found
    by leaving out runs of neighbours, halved again and again down to single ones.

    `fails` holds for `items`; that is not tried. Of what remains no single element can be left
    out, if `fails` always answers the same. To end early let it say no.
    """
    size = max(len(items) // 2, 1)
    while items:
        before = len(items)
        start = 0
        while start < len(items):
            rest = [*items[:start], *items[start + size :]]
            if fails(rest):
                items = rest
            else:
                start += size
        if size > 1:
            size = max(min(size, len(items)) // 2, 1)
        elif len(items) == before:
            break
    return items


def shortest_beginning(items: Sequence[_T], fails: Fails[_T]) -> Sequence[_T]:
    """A beginning of `items` that fails, by bisection, and is hardly longer than the shortest.

    It is that if what comes later changes nothing of what came before; it fails in any case. The
    last few are left to be left out otherwise: each step costs as much as the first.
    """
    holds, enough = -1, len(items)
    while enough - holds > max(1, len(items) // _FINE):
        middle = (enough + holds) // 2
        if fails(items[:middle]):
            enough = middle
        else:
            holds = middle
    return items[:enough]
