"""Whether a repeated id carries the request that was decided under it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import UNSET

from ledger.contracts.commands import Command, Posting, PostPayment

#: What a field left out stands for. `effective_at` has no fixed default: left out, it means the
#: recorded time, so a repeat must leave it out too.
_DEFAULTS: Final[dict[str, object]] = {"min_balance_minor": 0, "max_balance_minor": None}


def differing_fields(recorded: Command, repeated: Command) -> tuple[str, ...]:
    """The paths of the fields in which the two requests differ; empty if they are the same."""
    if isinstance(recorded, PostPayment) and isinstance(repeated, PostPayment):
        return (
            *_plain(recorded, repeated, ("effective_at", "reference", "description")),
            *_postings(recorded.postings, repeated.postings),
        )
    if type(recorded) is type(repeated):
        names = tuple(name for name in recorded.__struct_fields__ if name not in ("v", "id"))
        return tuple(_plain(recorded, repeated, names))
    return ("type",)


def _plain(recorded: Command, repeated: Command, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        before, after = getattr(recorded, name), getattr(repeated, name)
        if _resolved(name, before) != _resolved(name, after):
            yield name


def _resolved(name: str, value: object) -> object:
    return _DEFAULTS.get(name, UNSET) if value is UNSET else value


def _postings(recorded: tuple[Posting, ...], repeated: tuple[Posting, ...]) -> Iterator[str]:
    if len(recorded) != len(repeated):
        yield "postings"
        return
    for index, (before, after) in enumerate(zip(recorded, repeated, strict=True)):
        for name in Posting.__struct_fields__:
            if getattr(before, name) != getattr(after, name):
                yield f"postings[{index}].{name}"
