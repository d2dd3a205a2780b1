"""Planted in striped accounts: leases, sums, holds, and what is to touch every stripe."""

from __future__ import annotations

from typing import Final

from simulation.bugs.planted import PlantedBug
from simulation.faults.profiles import Profile
from simulation.releases.patches import Patch

_STRIPED: Final = "ledger.domain.striped"
_MOVEMENTS: Final = "ledger.domain.movements"

STRIPING: Final = (
    PlantedBug(
        name="lease-out-of-nothing",
        what="A stripe takes leases of others, and the event does not say that these gave them up.",
        shows="Givers go on as if they had them: together the stripes pay out more than there is.",
        patches=(
            Patch(
                _STRIPED,
                "    for stripe in sorted(leases):\n",
                "    for stripe in sorted(leases)[:0]:\n",
            ),
        ),
        expected=("leases_add_up", "limits_hold", "events_are_foretold"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="floors-unchecked",
        what="A stripe that has a lease is not held to it.",
        shows="Each stripe pays as long as it likes, and nobody looks at the sum.",
        patches=(
            Patch(
                _STRIPED,
                "    return nearer and (lease_minor is None or sign * (now - lease_minor) < 0)\n",
                "    return nearer and (lease_minor is None or sign * now < sign * now)\n",
            ),
        ),
        expected=("leases_add_up", "limits_hold", "handlers_do_not_fail"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="refused-for-one-stripe",
        what="A payment for which one stripe has too little is refused, whatever the others have.",
        shows="There is money enough on the account: nobody gets it.",
        patches=(
            Patch(
                _MOVEMENTS,
                "        was = sum(judged_minor(one, bound, basis) "
                "for one in stripes_of(states, state.id))\n",
                "        assert stripes_of(states, state.id)\n",
            ),
        ),
        expected=("events_are_foretold", "dry_runs_foretell"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="refusal-checks-one-stripe",
        what="The refusal of a payment from a striped account names, and checks, its first stripe "
        "alone.",
        shows="Money comes in on another stripe at the same time: it is refused all the same.",
        patches=(
            Patch(
                "ledger.domain.rejections",
                "    return Rejection(reason, field, (*first.causes, *others))\n",
                "    return Rejection(reason, field, (*first.causes, *others[:0]))\n",
            ),
        ),
        expected=("events_are_foretold", "causes_are_current"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="hold-ends-elsewhere",
        what="What ends a hold ends it on the first stripe of an account, wherever it was made.",
        shows="One stripe keeps what is held for ever, and another has less held than nothing.",
        patches=(
            Patch(
                _STRIPED,
                "    return lambda account: payment.stripes.get(account, 0)\n",
                "    return lambda account: payment.stripes.get(account, 0) * 0\n",
            ),
        ),
        expected=("events_are_foretold", "totals_are_explained", "handlers_do_not_fail"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="retired-stripes-uncounted",
        what="What lies on stripes that an account has given up is not counted in its balance.",
        shows="An account gets fewer stripes: part of its money is not to be had any more.",
        patches=(
            Patch(
                _MOVEMENTS,
                "        was = sum(judged_minor(one, bound, basis) "
                "for one in stripes_of(states, state.id))\n",
                "        was = sum(\n"
                "            judged_minor(one, bound, basis)\n"
                "            for one in stripes_of(states, state.id)\n"
                "            if one.stripe < one.stripes\n"
                "        )\n",
            ),
        ),
        expected=("events_are_foretold", "dry_runs_foretell"),
        faults=Profile.NONE,
        commands=2_000,
    ),
    PlantedBug(
        name="first-stripe-frozen",
        what="What changes an account as a whole changes its first stripe.",
        shows="An account is frozen: payments on its other stripes go on.",
        patches=(
            Patch(
                "ledger.domain.account_life",
                "    return tuple(map(next_entry, stripes_of(states, state.id)))\n",
                "    return tuple(map(next_entry, stripes_of(states, state.id)))[:1]\n",
            ),
        ),
        expected=("events_are_foretold", "frozen_stands_still", "handlers_do_not_fail"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="one-total-for-all-stripes",
        what="The projections keep the totals of all stripes of an account in one place.",
        shows="The balance that is shown is that of whichever stripe was newest.",
        patches=(
            Patch(
                "projections.lanes",
                '    return f"{account}{_BETWEEN}{stripe}" if stripe else account\n',
                '    return f"{account}{_BETWEEN}{stripe}" if stripe < 0 else account\n',
            ),
        ),
        expected=("projections_are_the_fold", "answers_are_the_fold", "versions_never_go_back"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="room-dealt-once-more",
        what="The room that is shared out over stripes is one minor unit more than there is.",
        shows="One unit too many can be paid, once all stripes are used up.",
        patches=(
            Patch(
                "ledger.domain.leases",
                "            rooms[place] = share\n",
                "            rooms[place] = share + (place == 1)\n",
            ),
        ),
        expected=("leases_add_up", "limits_hold", "events_are_foretold"),
        faults=Profile.NONE,
    ),
)
