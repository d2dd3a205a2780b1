"""Planted between the event store and the bus."""

from __future__ import annotations

from typing import Final

from simulation.bugs.planted import PlantedBug
from simulation.faults.profiles import Profile
from simulation.releases.patches import Patch

_RELAY: Final = "ledger.entrypoints.relay"
_PUBLISHER: Final = "ledger.adapters.eventbridge.publisher"

PUBLISHING: Final = (
    PlantedBug(
        name="failed-entries-ignored",
        what="The publisher takes an answer without an error for success: it does not look at "
        "`FailedEntryCount`.",
        shows="EventBridge refuses an entry of a request: that event is never published.",
        patches=(
            Patch(
                _PUBLISHER,
                "        for place, index in enumerate(indices):\n"
                '            if place >= len(results) or "EventId" not in results[place]:\n'
                "                yield index\n",
                "        assert results\n",
            ),
        ),
        expected=("events_reach_consumers", "projections_are_the_fold"),
    ),
    PlantedBug(
        name="checkpoint-past-failure",
        what="The publisher leaves it to the stream to try again, and the relay reports the last "
        "record that it could not publish, not the first.",
        shows="EventBridge refuses a request with several events: the stream goes on behind the "
        "last of them, and the others are never published.",
        patches=(
            Patch(_RELAY, "    first = inserted[min(failed)]", "    first = inserted[max(failed)]"),
            Patch(_PUBLISHER, "ATTEMPTS_MAX: Final = 5 ", "ATTEMPTS_MAX: Final = 1 "),
        ),
        expected=("events_reach_consumers", "projections_are_the_fold"),
    ),
    PlantedBug(
        name="outage-of-the-bus-ignored",
        what="The publisher takes a request that failed as a whole for done.",
        shows="EventBridge answers an error: up to ten events are never published.",
        patches=(
            Patch(
                _PUBLISHER,
                "            yield from indices\n            return\n",
                "            return\n",
            ),
        ),
        expected=("events_reach_consumers", "projections_are_the_fold"),
    ),
    PlantedBug(
        name="second-pack-dropped",
        what="Of the events of one type that a request of the stream brings, those that one pack "
        "has no room for are dropped.",
        shows="A file of many payments is committed at once: the last of them are never published.",
        patches=(
            Patch(
                _PUBLISHER,
                "        for some in packed(places, sizes.__getitem__, "
                "entries_max=PACK_EVENTS_MAX, bytes_max=room):\n",
                "        for some in list(packed(places, sizes.__getitem__, "
                "entries_max=PACK_EVENTS_MAX, bytes_max=room))[:1]:\n",
            ),
            Patch(
                "ledger.contracts.packs",
                "PACK_EVENTS_MAX: Final = 100",
                "PACK_EVENTS_MAX: Final = 20",
            ),
        ),
        expected=("events_reach_consumers", "projections_are_the_fold"),
        faults=Profile.NONE,
        commands=2_000,
    ),
    PlantedBug(
        name="pack-by-its-last",
        what="Of a pack that the bus did not take the last event is named as not published.",
        shows="The stream goes on from there: all that stood before it in the pack is lost.",
        patches=(
            Patch(
                _PUBLISHER,
                "        return frozenset(place for pack in waiting for place in pack.places)\n",
                "        return frozenset(max(pack.places) for pack in waiting)\n",
            ),
            Patch(_PUBLISHER, "ATTEMPTS_MAX: Final = 5 ", "ATTEMPTS_MAX: Final = 1 "),
        ),
        expected=("events_reach_consumers", "projections_are_the_fold"),
    ),
    PlantedBug(
        name="relay-drops-unknown",
        what="The relay does not publish an event of a version that it does not know.",
        shows="A release is deployed: the old relay drops what the new functions record.",
        patches=(
            Patch(
                _RELAY,
                "        return Published(event_type, data)  # a newer release's: not for this one"
                " to judge\n",
                "        return None\n",
            ),
        ),
        expected=("events_reach_consumers", "projections_are_the_fold"),
        deployment=True,
    ),
)
