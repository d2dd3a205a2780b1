"""Entries into requests: no more than may be, no fewer than must be, in their order."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ledger.runtime.packing import packed


@given(st.lists(st.integers(0, 30)), st.integers(1, 5), st.integers(1, 40))
def test_requests_are_full_and_never_too_full(
    sizes: list[int], entries_max: int, bytes_max: int
) -> None:
    """Each keeps within both limits, unless one entry alone does not; the next one's first entry
    would not have fitted; together they are all places in order."""
    requests = list(
        packed(range(len(sizes)), sizes.__getitem__, entries_max=entries_max, bytes_max=bytes_max)
    )
    assert [place for request in requests for place in request] == list(range(len(sizes)))
    for request in requests:
        assert 1 <= len(request) <= entries_max
        assert len(request) == 1 or sum(sizes[place] for place in request) <= bytes_max
    for request, following in pairwise(requests):
        total = sum(sizes[place] for place in (*request, following[0]))
        assert len(request) == entries_max or total > bytes_max


def test_places_need_not_be_dense() -> None:
    """What is tried again is packed by its own places."""
    requests = packed([7, 3, 9], lambda place: place, entries_max=2, bytes_max=11)
    assert list(requests) == [[7, 3], [9]]
