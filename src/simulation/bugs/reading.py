"""Planted where tables are read."""

from __future__ import annotations

from typing import Final

from simulation.bugs.planted import PlantedBug
from simulation.faults.profiles import Profile
from simulation.releases.patches import Patch

_STORE: Final = "ledger.adapters.dynamodb.event_store"

READING: Final = (
    PlantedBug(
        name="stale-answers",
        what="Questions for accounts and their histories are answered by reads that may be stale.",
        shows="Who asks twice is shown the newer version first and the older one then.",
        patches=(
            Patch(
                "projections.balances.store",
                "TableName=self._table, Key=self._key(account), ConsistentRead=True\n",
                "TableName=self._table, Key=self._key(account)\n",
            ),
            Patch(
                "projections.history.store",
                "                    ConsistentRead=True,\n",
                "",
            ),
            Patch(
                "projections.items",
                '"ConsistentRead": True}}\n',
                '"ConsistentRead": False}}\n',
            ),
        ),
        expected=("versions_never_go_back", "min_version_is_kept", "pages_are_complete"),
        commands=2_000,
    ),
    PlantedBug(
        name="stale-states",
        what="States are read from the event store without asking for the latest.",
        shows="What is written is checked all the same. But a question for a payment, a book or a "
        "template is answered as of a second ago.",
        patches=(
            Patch(
                _STORE,
                '"ConsistentRead": True}}\n        items: list[Item] = []\n',
                '"ConsistentRead": False}}\n        items: list[Item] = []\n',
            ),
        ),
        expected=("reads_are_current", "versions_never_go_back", "dry_runs_foretell"),
    ),
    PlantedBug(
        name="stale-event",
        what="An event is looked up by its id without asking for the latest.",
        shows="A client asks for the payment that it has just made: there is none.",
        patches=(
            Patch(
                _STORE,
                'Key={"pk": {"S": event_key(event_id)}}, ConsistentRead=True\n',
                'Key={"pk": {"S": event_key(event_id)}}\n',
            ),
        ),
        expected=("reads_are_current", "versions_never_go_back", "dry_runs_foretell"),
    ),
    PlantedBug(
        name="unprocessed-keys-skipped",
        what="The event store does not ask again for what a batched read left out.",
        shows="DynamoDB is busy and leaves an item out: it is taken for one that does not exist.",
        patches=(
            Patch(
                _STORE,
                "            if not left:\n                return items\n            if not came:\n"
                "                break\n",
                "            return items\n",
            ),
        ),
        expected=("dry_runs_foretell", "reads_are_current", "handlers_do_not_fail"),
    ),
    PlantedBug(
        name="unprocessed-keys-skipped-by-queries",
        what="The projections do not ask again for what a batched read left out.",
        shows="DynamoDB is busy and leaves some items of a list out: those accounts are missing.",
        patches=(
            Patch(
                "projections.items",
                "        if not left:\n            return items\n",
                "        return items\n",
            ),
        ),
        expected=("answers_are_the_fold", "pages_are_complete", "versions_never_go_back"),
        commands=2_000,
    ),
    PlantedBug(
        name="min-version-off-by-one",
        what="The version that a question asks for is compared with one too few.",
        shows="Who has just made version 7 and asks for it is shown version 6.",
        patches=(
            Patch(
                "projections.query.handler",
                "account.version_of(query.stripe) if account else 0) < query.min_version:\n",
                "account.version_of(query.stripe) if account else 0) + 1 < query.min_version:\n",
            ),
        ),
        expected=("min_version_is_kept",),
    ),
    PlantedBug(
        name="history-by-newest-row",
        what="Whether a history has the version that was asked for is told by its newest row.",
        shows="The newest row has arrived before the one below it: the answer lacks a version that "
        "it says it has.",
        patches=(
            Patch(
                "projections.query.handler",
                "    reached = page.completeness.complete_to if page else 0\n",
                "    reached = page.newest if page else 0\n",
            ),
        ),
        expected=("min_version_is_kept", "pages_are_complete"),
    ),
    PlantedBug(
        name="smallest-page-refused",
        what="A number in a question must be more than 1, and not 1 at least.",
        shows="Who asks for a page of one entry is told that this is no question.",
        patches=(
            Patch(
                "projections.query.requests",
                "    if not 1 <= value <= highest:\n",
                "    if not 1 < value <= highest:\n",
            ),
        ),
        expected=("questions_are_taken",),
        faults=Profile.NONE,
        commands=400,
    ),
    PlantedBug(
        name="sum-of-the-last-account",
        what="Of what is pending on the accounts under a path the last one's is told as the sum.",
        shows="Somebody asks what all customers of a branch have on hold: it is that of one.",
        patches=(
            Patch(
                "projections.balances.rollup",
                "        self.debits_pending_minor += totals.debits_pending_minor\n",
                "        self.debits_pending_minor = totals.debits_pending_minor\n",
            ),
        ),
        expected=("sums_are_of_all",),
        faults=Profile.NONE,
    ),
)
