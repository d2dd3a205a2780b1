"""What the live projection says otherwise than the one rebuilt from the events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType


class Difference(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was wrong in the live projection, of a subject at a version.

    `differs`: a `field` had the value `live` instead of `rebuilt`. `missing`: the item was not
    there. `extra`: it was there, and no event made it.
    """

    subject: str
    version: int
    kind: Literal["differs", "missing", "extra"]
    field: str | UnsetType = UNSET
    live: Any = UNSET
    rebuilt: Any = UNSET


def differing_fields(
    subject: str, version: int, live: Mapping[str, object], rebuilt: Mapping[str, object]
) -> Iterator[Difference]:
    """A difference for each field that two items do not have in common; None where one lacks it."""
    for name in sorted(live.keys() | rebuilt.keys()):
        here, there = live.get(name), rebuilt.get(name)
        if here != there:
            yield Difference(
                subject=subject,
                version=version,
                kind="differs",
                field=name,
                live=here,
                rebuilt=there,
            )


def is_under_way(
    live: int, rebuilt: int, *, known: int, possible: int, covered: int | None = None
) -> bool:
    """Whether two versions of a part differ only because events are on their way.

    The rebuilt store has `known`, the newest version that the events had up to `covered` (`known`
    itself, if versions are dense); none can be above `possible`.
    """
    if live > rebuilt:
        return (known if covered is None else covered) < live <= possible
    return known <= live < rebuilt
