"""Features as bytes, and back: counts and differences as base-128 integers, the smallest first.

A usual account takes 100 to 400 bytes, which is one unit of a write; the fullest possible one 2 KB
and its runs of versions. Ages are counted back from the newest hour, so that they are small.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from consumers.fraud.features import DAY_HOURS, WEEK_HOURS, Features
from ledger.runtime.faults import BrokenItemError

_MORE: Final = 0x80
_BITS: Final = 7


def encoded(features: Features) -> bytes:
    """The bytes of the features: equal features have equal bytes."""
    out = bytearray()
    for number in _numbers(features):
        # Seven bits a byte, the lowest first; all but the last have their top bit set.
        rest = number
        while rest >= _MORE:
            out.append(rest & (_MORE - 1) | _MORE)
            rest >>= _BITS
        out.append(rest)
    return bytes(out)


def decoded(data: bytes) -> Features:
    """The features in `data`. Raises BrokenItemError for what `encoded` never writes."""
    numbers = _integers(data)
    try:
        features = _features(numbers)
    except StopIteration:
        raise BrokenItemError("an account's features are cut short") from None
    if next(numbers, None) is not None or encoded(features) != data:
        raise BrokenItemError("an account's features are not in their one form")
    return features


def _numbers(features: Features) -> Iterator[int]:
    yield 0 if features.opened_hour is None else features.opened_hour + 1
    newest = features.newest_hour
    yield newest
    yield len(features.versions)
    end = 0
    for first, last in features.versions:
        yield first - end
        yield last - first
        end = last
    yield from _buckets(newest, features.sent)
    yield from _buckets(newest, {at: (total,) for at, total in features.received.items()})
    yield from _buckets(newest // WEEK_HOURS, features.sent_weeks)
    yield len(features.payees)
    for payee, day in sorted(features.payees.items()):
        yield payee
        yield newest // DAY_HOURS - day
    yield len(features.paid)
    for (day, payee), times in sorted(features.paid.items()):
        yield newest // DAY_HOURS - day
        yield payee
        yield times


def _buckets(newest: int, buckets: Mapping[int, Sequence[int]]) -> Iterator[int]:
    yield len(buckets)
    for at, sums in sorted(buckets.items()):
        yield newest - at
        yield from sums


def _features(numbers: Iterator[int]) -> Features:
    opened = next(numbers)
    newest = next(numbers)
    versions = []
    end = 0
    for _ in range(next(numbers)):
        first = end + next(numbers)
        end = first + next(numbers)
        versions.append((first, end))
    return Features(
        opened_hour=opened - 1 if opened else None,
        newest_hour=newest,
        versions=tuple(versions),
        sent={newest - next(numbers): _sums(numbers) for _ in range(next(numbers))},
        received={newest - next(numbers): next(numbers) for _ in range(next(numbers))},
        sent_weeks={
            newest // WEEK_HOURS - next(numbers): _sums(numbers) for _ in range(next(numbers))
        },
        payees={next(numbers): newest // DAY_HOURS - next(numbers) for _ in range(next(numbers))},
        paid={
            (newest // DAY_HOURS - next(numbers), next(numbers)): next(numbers)
            for _ in range(next(numbers))
        },
    )


def _sums(numbers: Iterator[int]) -> tuple[int, int, int]:
    return next(numbers), next(numbers), next(numbers)


def _integers(data: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in data:
        number |= (byte & (_MORE - 1)) << shift
        shift += _BITS
        if byte < _MORE:
            yield number
            number = shift = 0
