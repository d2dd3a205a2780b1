"""Planted in the rules themselves: of money, limits, holds and alerts."""

from __future__ import annotations

from typing import Final

from simulation.bugs.planted import PlantedBug
from simulation.faults.profiles import Profile
from simulation.releases.patches import Patch

_VELOCITY: Final = "ledger.domain.velocity"

RULES: Final = (
    PlantedBug(
        name="remainder-dropped",
        what="A part of a payment is split over its postings by rounding each share down.",
        shows="A capture of a part posts less than was asked for: what rounding left over is lost.",
        patches=(
            Patch(
                "ledger.domain.allocation",
                "        parts.append(upto - given)\n",
                "        parts.append(total * weight // whole)\n",
            ),
        ),
        expected=("events_are_foretold", "dry_runs_foretell"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="velocity-window-short",
        what="A rolling window counts the present step and five before it, not six.",
        shows="A payment stops counting up to one step too soon, and one more is allowed.",
        patches=(
            Patch(
                _VELOCITY,
                "    return ROLLING_STEPS + 1 if ",
                "    return ROLLING_STEPS if ",
            ),
        ),
        expected=("events_are_foretold", "dry_runs_foretell"),
        faults=Profile.NONE,
        commands=2_000,
    ),
    PlantedBug(
        name="velocity-count-off-by-one",
        what="A limit on the number of payments is compared with those made before, without the "
        "one that is asked for.",
        shows="One payment more than allowed is made.",
        patches=(
            Patch(
                _VELOCITY,
                "        exceeded |= spent.count + 1 > limit.max_count\n",
                "        exceeded |= spent.count > limit.max_count\n",
            ),
        ),
        expected=("events_are_foretold", "dry_runs_foretell"),
        faults=Profile.NONE,
        commands=2_000,
    ),
    PlantedBug(
        name="book-unchecked",
        what="A back-dated event is recorded without the check that its book has not changed.",
        shows="A period is closed while a payment into it is on its way: the payment lands in a "
        "closed period.",
        patches=(
            Patch(
                "ledger.application.proposals",
                "        return tuple(book_key(check.book) for check in event.books)\n",
                "        return ()\n",
            ),
        ),
        expected=("events_are_foretold",),
        commands=4_000,
    ),
    PlantedBug(
        name="expiry-ahead",
        what="The sweep asks for what is due within the next minute, and its word is taken for it.",
        shows="A hold ends before its time, and a capture that was in time is refused.",
        patches=(
            Patch(
                "ledger.application.expiry",
                "        now = instant_of_microseconds(clock())\n",
                "        now = instant_of_microseconds(clock() + 60_000_000)\n",
            ),
            Patch(
                "ledger.application.commit",
                "        if state is None or not is_due(state, now):\n",
                "        if state is None or not state.open:\n",
            ),
            Patch(
                "ledger.application.proposals",
                "        if payment is None or payment.version != command.version or "
                "not is_due(payment, stamp):\n",
                "        if payment is None or payment.version != command.version:\n",
            ),
        ),
        expected=("events_are_foretold", "events_were_asked_for"),
        faults=Profile.NONE,
        commands=2_000,
    ),
    PlantedBug(
        name="expiry-trusts-index",
        what="A hold is released because the index says that it is due, whatever its state says.",
        shows="The hold was prolonged a moment ago, which the index does not show yet: it ends "
        "before its time.",
        patches=(
            Patch(
                "ledger.application.commit",
                "        if state is None or not is_due(state, now):\n",
                "        if state is None or not state.open:\n",
            ),
            Patch(
                "ledger.application.proposals",
                "        if payment is None or payment.version != command.version or "
                "not is_due(payment, stamp):\n",
                "        if payment is None or payment.version != command.version:\n",
            ),
        ),
        expected=("events_are_foretold", "events_were_asked_for"),
        commands=4_000,
    ),
    PlantedBug(
        name="sweep-of-one-shard",
        what="Of the partitions that holds are spread over by their expiry, the first is asked.",
        shows="Seven holds of eight are never released by themselves.",
        patches=(
            Patch(
                "ledger.adapters.dynamodb.event_store",
                "        for shard in DUE_SHARDS:\n",
                "        for shard in DUE_SHARDS[:1]:\n",
            ),
        ),
        expected=("holds_end", "due_holds_are_released"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="ended-holds-indexed",
        what="A hold that has ended keeps what puts it into the index of what is due.",
        shows="Each sweep looks at every hold that ever was, and in time at no others.",
        patches=(
            Patch(
                "ledger.adapters.dynamodb.codec",
                " or state.expires_at is None or not state.open:\n",
                " or state.expires_at is None:\n",
            ),
        ),
        expected=("holds_are_indexed",),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="clock-of-the-worker",
        what="An event is stamped with the worker's clock alone, though the account's last event "
        "is later.",
        shows="A worker whose clock is behind decides next: the account's history goes back in "
        "time.",
        patches=(
            Patch(
                "ledger.domain.stamp",
                "            recorded_at = state.recorded_at\n",
                "            continue\n",
            ),
        ),
        expected=("times_are_true",),
    ),
    PlantedBug(
        name="alert-at-the-threshold",
        what="An alert is crossed only by a balance that was strictly beyond its threshold before.",
        shows="A balance that stood exactly on the threshold leaves it, and nobody is told.",
        patches=(
            Patch(
                "ledger.domain.accounts",
                "        return before_minor >= alert.threshold_minor > after_minor\n"
                "    return before_minor <= alert.threshold_minor < after_minor\n",
                "        return before_minor > alert.threshold_minor > after_minor\n"
                "    return before_minor < alert.threshold_minor < after_minor\n",
            ),
        ),
        expected=("events_are_foretold", "notifications_are_sent"),
        faults=Profile.NONE,
        commands=2_000,
    ),
    PlantedBug(
        name="capture-beyond-limits",
        what="A capture is not held against the limits of accounts: its hold was.",
        shows="Where limits count what is posted alone, holds may come to more than there is: what "
        "captures them overdraws the account.",
        patches=(
            Patch(
                "ledger.domain.capture_payment",
                "    yield from balance_refusals(states, movements)\n"
                "    yield from velocity_refusals(states, movements, stamp)  # of what goes",
                "    yield from velocity_refusals(states, movements, stamp)  # of what goes",
            ),
        ),
        expected=("limits_hold",),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="freeze-of-both-forgotten",
        what="A side of an account is frozen if that very side was named, and not if both were.",
        shows="An account is frozen altogether: money comes and goes as before.",
        patches=(
            Patch(
                "ledger.domain.accounts",
                '        return self.frozen in (side, "both")\n',
                "        return self.frozen == side\n",
            ),
        ),
        expected=("frozen_stands_still",),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="reasons-out-of-order",
        what="Whether there are funds is looked at before whether the currency is right.",
        shows="A payment that both is against is refused for the lesser reason: that money comes "
        "will not help its sender.",
        patches=(
            Patch(
                "ledger.domain.post_payment",
                "    yield from currency_refusals(states, postings, field)\n"
                "    yield from balance_refusals(states, movements)\n",
                "    yield from balance_refusals(states, movements)\n"
                "    yield from currency_refusals(states, postings, field)\n",
            ),
        ),
        expected=("events_are_foretold", "dry_runs_foretell"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="made-when-recorded",
        what="A payment that was back-dated is taken to be made when it was recorded.",
        shows="It is given back: its state says another time, and a reversal that is back-dated, "
        "too, is refused as before the payment.",
        patches=(
            Patch(
                "ledger.domain.evolution",
                "        made_at=min(event.effective_at, event.recorded_at),\n",
                "        made_at=event.recorded_at,\n",
            ),
        ),
        expected=("states_follow_events",),
        faults=Profile.NONE,
    ),
)
