"""What a function answers a mapping: the items that failed, with `ReportBatchItemFailures`.

As in Lambda's developer guide, "Implementing partial batch responses": nothing, or an empty list,
fails nothing; what is malformed fails the whole batch.
"""

from __future__ import annotations

from collections.abc import Mapping


def failed_places(answer: object, places: Mapping[str, int]) -> frozenset[int] | None:
    """Where those lie in their batch that an answer names; None if it fails the whole batch.

    `places` are the positions of the batch's items by their identifiers.
    """
    if not answer:
        return frozenset()
    if not isinstance(answer, dict):
        return None
    named = answer.get("batchItemFailures")
    if not named:
        return frozenset()
    if not isinstance(named, list):
        return None
    failed = []
    for item in named:
        identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
        place = places.get(identifier) if isinstance(identifier, str) else None
        if place is None:
            return None
        failed.append(place)
    return frozenset(failed)
