"""Planted in what meets other releases, and in what engineers do to a ledger in use."""

from __future__ import annotations

from typing import Final

from simulation.bugs.planted import PlantedBug
from simulation.faults.profiles import Profile
from simulation.releases.patches import Patch

_CODEC: Final = "ledger.adapters.dynamodb.codec"
_BODIES: Final = "ledger.adapters.dynamodb.bodies"

OPERATING: Final = (
    PlantedBug(
        name="unknown-field-dropped",
        what="A worker reads the states of a newer release as far as it understands them, and "
        "writes them back.",
        shows="A release is deployed while commands come: an old worker drops what the new one had "
        "added to an account.",
        patches=(
            Patch(
                _CODEC,
                "        if not 1 <= written <= kept.newest:\n",
                "        if written < 1:\n",
            ),
            Patch(
                _CODEC,
                "    if written != schema:\n",
                "    if written < schema:\n",
            ),
            Patch(
                _BODIES,
                "class _Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):\n",
                "class _Body(Struct, frozen=True, kw_only=True):\n",
            ),
            Patch(
                _BODIES,
                "    _Body, frozen=True, kw_only=True, forbid_unknown_fields=True, "
                "omit_defaults=True\n",
                "    _Body, frozen=True, kw_only=True, omit_defaults=True\n",
            ),
        ),
        expected=("states_lose_nothing",),
        deployment=True,
    ),
    PlantedBug(
        name="unknown-event-skipped",
        what="A consumer takes an event of a version that it does not know for done.",
        shows="A release is deployed while commands come: an old worker skips what the new one "
        "records, and nothing brings it back.",
        patches=(
            Patch(
                "ledger.consuming.batches",
                '                refused.append((place, "unknown_event"))\n',
                "                continue\n",
            ),
        ),
        expected=("projections_are_the_fold", "notifications_are_sent", "payments_are_screened"),
        deployment=True,
    ),
    PlantedBug(
        name="redrive-deletes-first",
        what="A redrive deletes dead letters when it receives them, before it has sent them back.",
        shows="It is interrupted, or it looks at one that can never succeed and is not to be sent: "
        "that one is lost.",
        patches=(
            Patch(
                "ledger.upkeep.dead_letters.queues",
                '            self._seen.update(message["MessageId"] for message in new)\n',
                '            self._seen.update(message["MessageId"] for message in new)\n'
                "            self._sqs.delete_message_batch(\n"
                "                QueueUrl=self._url,\n"
                "                Entries=[\n"
                '                    {"Id": str(at), "ReceiptHandle": one["ReceiptHandle"]}\n'
                "                    for at, one in enumerate(messages)\n"
                "                ],\n"
                "            )\n",
            ),
        ),
        expected=("events_reach_consumers", "messages_are_decided", "projections_are_the_fold"),
        redrive=True,
        commands=2_000,
    ),
    PlantedBug(
        name="redrive-first-of-batch",
        what="A redrive of the records that the relay gave up publishes the first of a batch, and "
        "removes the whole.",
        shows="The relay gave up a batch of several events: all but one are lost.",
        patches=(
            Patch(
                "ledger.upkeep.dead_letters.relay_failures",
                "        stored = [self._events.event(id_) for id_ in batch.ids]\n",
                "        stored = [self._events.event(id_) for id_ in batch.ids[:1]]\n",
            ),
        ),
        expected=("events_reach_consumers", "projections_are_the_fold"),
        commands=2_000,
    ),
    PlantedBug(
        name="rebuilt-from-a-page",
        what="A scan of a table ends with its first page.",
        shows="The states are lost and rebuilt from a part of the events.",
        patches=(
            Patch(
                "ledger.adapters.dynamodb.event_store",
                '                yield from page["Items"]\n',
                '                yield from page["Items"]\n                break\n',
            ),
        ),
        expected=("procedures_succeed", "states_follow_events", "answers_are_recorded"),
        restore=True,
        commands=3_000,
    ),
    PlantedBug(
        name="rebuilt-one-short",
        what="A rebuilt state is folded of all events of its account but the last.",
        shows="The states are lost and rebuilt: accounts stand one event back.",
        patches=(
            Patch(
                "ledger.application.rebuild",
                "        for version in sorted(versions):\n",
                "        for version in sorted(versions)[:-1] or versions:\n",
            ),
        ),
        expected=("states_follow_events",),
        faults=Profile.NONE,
        restore=True,
    ),
)
