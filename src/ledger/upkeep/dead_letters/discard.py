"""Discarding dead letters that nobody needs: by their ids only, and never unseen."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet

from msgspec import Struct

from ledger.upkeep.dead_letters.letters import Letter
from ledger.upkeep.dead_letters.places import Place


class Discarded(Struct):
    """What was removed, what could not be, and what was not found."""

    letters: list[Letter] = []
    kept: list[str] = []
    missing: list[str] = []

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for was done."""
        return not (self.kept or self.missing)


def discard(
    place: Place, ids: AbstractSet[str], last_copy: Callable[[Letter], object]
) -> Discarded:
    """Removes the letters with those ids from their place, for good.

    `last_copy` gets each letter before it is removed: whatever fails then, it was seen. Raises
    botocore's errors; then some may have been removed, and none but those asked for.
    """
    done = Discarded()
    wanted = set(ids)
    try:
        while wanted and (letters := place.take()):
            chosen = [letter for letter in letters if letter.id in wanted]
            for letter in chosen:
                last_copy(letter)
            failed = place.remove(chosen) if chosen else frozenset()
            done.kept += sorted(failed)
            done.letters += [letter for letter in chosen if letter.id not in failed]
            wanted -= {letter.id for letter in chosen}
    finally:
        place.release()
    done.missing = sorted(wanted)
    return done
