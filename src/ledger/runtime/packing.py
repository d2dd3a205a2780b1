"""Entries into requests that take a limited number of them, and a limited number of bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator


def packed(
    places: Iterable[int], size: Callable[[int], int], *, entries_max: int, bytes_max: int
) -> Iterator[list[int]]:
    """`places` in their order, in as few requests as count and bytes allow.

    `size` says how many bytes the entry at a place takes. One that is larger than a request may be
    goes alone: to refuse it is the service's business.
    """
    request: list[int] = []
    total = 0
    for place in places:
        bytes_ = size(place)
        if request and (len(request) == entries_max or total + bytes_ > bytes_max):
            yield request
            request, total = [], 0
        request.append(place)
        total += bytes_
    if request:
        yield request
