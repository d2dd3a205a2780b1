"""Planted in the projections."""

from __future__ import annotations

from typing import Final

from simulation.bugs.planted import PlantedBug
from simulation.faults.profiles import Profile
from simulation.releases.patches import Patch

_HISTORY: Final = "projections.history.store"

PROJECTING: Final = (
    PlantedBug(
        name="oldest-wins",
        what="Of several events of an account in one batch the oldest is written, not the newest.",
        shows="A burst of payments arrives in one batch: the balance stays behind for good.",
        patches=(
            Patch(
                "projections.balances.apply",
                "            if known is None or known.version < totals.version:\n",
                "            if known is None or known.version >= totals.version:\n",
            ),
        ),
        expected=("projections_are_the_fold",),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="payment-progress-backwards",
        what="Of two events of a payment in one batch the older one's progress is written.",
        shows="A hold and its capture arrive together: the payment is shown as held for good.",
        patches=(
            Patch(
                "projections.payments.apply",
                "        progress=known.progress if older[1] >= newer[1] else part.progress,\n",
                "        progress=part.progress if older[1] >= newer[1] else known.progress,\n",
            ),
        ),
        expected=("projections_are_the_fold",),
    ),
    PlantedBug(
        name="part-unconditional",
        what="A part of an account or a payment is written without the condition that it is newer.",
        shows="Events arrive out of order: an older balance takes the place of a newer one.",
        patches=(
            Patch(
                "projections.items",
                '            ConditionExpression=" AND ".join('
                "_rises(names[part.version]) for part in parts),\n",
                "",
            ),
        ),
        expected=("versions_never_go_back", "projections_are_the_fold"),
    ),
    PlantedBug(
        name="unprocessed-items-skipped",
        what="The history does not write again what a batched write left out.",
        shows="DynamoDB is busy and leaves a row out: it is missing for good.",
        patches=(
            Patch(
                _HISTORY,
                '        return {_key_of(request["PutRequest"]["Item"]): "unprocessed" '
                "for request in unprocessed}\n",
                "        return {} if unprocessed else {}\n",
            ),
        ),
        expected=("projections_are_the_fold", "pages_are_complete", "min_version_is_kept"),
    ),
    PlantedBug(
        name="one-row-an-account",
        what="Of several rows of an account in one batch the history writes the last.",
        shows="A burst of payments arrives in one batch: the rows between are missing for good.",
        patches=(
            Patch(
                "projections.history.apply",
                "list({row.key: row for event in events for row in rows_of(event)}.values())",
                "list({row.account: row for event in events for row in rows_of(event)}.values())",
            ),
        ),
        expected=("projections_are_the_fold", "pages_are_complete"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="complete-to-runs-ahead",
        what="How far a history is complete is told by its last row, whatever is missing between.",
        shows="An event is late: the history says that it has a version that it has not.",
        patches=(
            Patch(
                "projections.history.completeness",
                "        if version != end + 1:\n"
                "            return Completeness(end, exact=True)\n",
                "",
            ),
            Patch(
                "projections.history.reading",
                "    if reached + 1 == below or complete.complete_to <= reached:\n"
                "        return complete\n"
                "    return Completeness(reached, exact=True)\n",
                "    return complete if reached < below else Completeness(reached, exact=True)\n",
            ),
        ),
        expected=("pages_are_complete", "min_version_is_kept"),
    ),
    PlantedBug(
        name="replay-forgets-what-comes",
        what="While a projection is replayed, events that arrive are written to the old generation "
        "alone.",
        shows="After the swap the accounts that changed during the replay are shown as before.",
        patches=(
            Patch(
                "projections.generations.pointer",
                "        return self.readable\n",
                "        return (self.live,)\n",
            ),
        ),
        expected=("versions_never_go_back", "projections_are_the_fold", "pages_are_complete"),
        replay=True,
    ),
    PlantedBug(
        name="generation-remembered",
        what="A worker looks up once which generation of a projection is live, and never again.",
        shows="After a replay some workers write and answer from the generation that is gone.",
        patches=(
            Patch(
                "projections.generations.views",
                "        if self._seen_at is None or not 0 <= now - self._seen_at < VIEW_SECONDS * "
                "_MICROSECONDS:\n",
                "        if self._seen_at is None or now < 0:\n",
            ),
        ),
        expected=("versions_never_go_back", "projections_are_the_fold", "pages_are_complete"),
        replay=True,
    ),
)
