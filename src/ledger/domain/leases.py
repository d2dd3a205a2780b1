"""Leases: how the stripes of an account share its limits, exact to the last minor unit.

Of the room that an account has (how far its balance is from the limit), every stripe has a share,
its own room, and may use it up without a look at the others. Rooms are never below 0 and add up to
the account's: so it is never passed, and a stripe that lacks room finds all that there is with the
others. What is stored is not the room, which every payment changes, but the floor or the ceiling
that follows from it, the balance less or plus the room: floors add up to the lowest balance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.domain.allocation import allocated

#: A stripe's share of room at most, so that every floor and ceiling is within 64 bits. No account
#: has more than all of its stripes together may have: the balance of each is within
#: STRIPE_TOTAL_MAX, a 32nd of AMOUNT_MINOR_MAX, and so is the limit within AMOUNT_MINOR_MAX.
ROOM_MINOR_MAX: Final = AMOUNT_MINOR_MAX // 2 + AMOUNT_MINOR_MAX // 8


def dealt(room_minor: int, in_use: Sequence[bool]) -> tuple[int, ...]:
    """`room_minor` shared out evenly over the stripes in use; over all if none is.

    What they could not hold goes to those that are not.
    """
    users = [place for place, used in enumerate(in_use) if used] or list(range(len(in_use)))
    others = [place for place in range(len(in_use)) if place not in users]
    first_minor = min(room_minor, ROOM_MINOR_MAX * len(users)) if others else room_minor
    rooms = [0] * len(in_use)
    for places, minor in ((users, first_minor), (others, room_minor - first_minor)):
        for place, share in zip(places, allocated(minor, [1] * len(places)), strict=True):
            rooms[place] = share
    return tuple(rooms)


def gathered(
    rooms_minor: Sequence[int], at: int, taken_minor: int, in_use: Sequence[bool]
) -> Mapping[int, int] | None:
    """The rooms, by place, that are left to those that make room for `taken_minor` of stripe `at`,
    itself included. None if all have too little.

    Those that have the most give it, as few as will do, and what is left they share evenly: so that
    the next who takes has room again.
    """
    places = [at]
    left_minor = rooms_minor[at] - taken_minor
    others = sorted(
        (place for place in range(len(rooms_minor)) if place != at),
        key=lambda place: (-rooms_minor[place], place),
    )
    for place in others:
        if left_minor >= 0 or rooms_minor[place] <= 0:
            break
        places.append(place)
        left_minor += rooms_minor[place]
    if left_minor < 0:
        return None
    shares = dealt(left_minor, [in_use[place] for place in places])
    return dict(zip(places, shares, strict=True))
