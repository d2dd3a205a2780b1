"""Planted where many commands are decided together, and where states are remembered and guessed."""

from __future__ import annotations

from typing import Final

from simulation.bugs.planted import PlantedBug
from simulation.faults.profiles import Profile
from simulation.releases.patches import Patch

_COMMIT: Final = "ledger.application.commit"
_DECISIONS: Final = "ledger.application.group_decisions"
_GROUP: Final = "ledger.application.group_commit"
_MESSAGES: Final = "ledger.entrypoints.messages"
_PACKING: Final = "ledger.application.packing"
_PROPOSALS: Final = "ledger.application.proposals"
_QUEUES: Final = "ledger.entrypoints.commands"
_VIEW: Final = "ledger.application.group_view"

GROUPING: Final = (
    PlantedBug(
        name="pack-undone-in-part",
        what="When a transaction of a group is undone, subjects get their old versions and hashes "
        "back and keep what else the transaction would have made of them.",
        shows="A group loses a race, and is decided again on accounts as if it had not: what its "
        "commands moved is moved twice.",
        patches=(
            Patch(
                _PACKING,
                "                states.put(before)\n",
                "                from msgspec.structs import replace\n"
                "                states.put(\n"
                "                    replace(states.get(key), version=before.version, "
                "hash=before.hash)\n"
                "                )\n",
            ),
        ),
        expected=("events_are_foretold", "totals_are_explained", "states_follow_events"),
    ),
    PlantedBug(
        name="group-checks-forgotten",
        what="What a command of a group rests on and does not change is not checked when the group "
        "is committed.",
        shows="Of two workers one changes an account for which the other refuses something: what "
        "is recorded was not so when it was recorded.",
        patches=(
            Patch(
                _PACKING,
                "            tuple(StateCheck(key, states.point(key)) for key in self._checks),\n",
                "            (),\n",
            ),
        ),
        expected=("events_are_foretold", "due_holds_are_released"),
        commands=2_000,
    ),
    PlantedBug(
        name="repeat-in-a-group-unseen",
        what="What is recorded under an id is answered to every command of a group with that id, "
        "whatever it asks for.",
        shows="A file has an id twice, for two payments: the second is told that it is made.",
        patches=(
            Patch(
                _DECISIONS,
                "        self.answers[place] = "
                "recorded_outcome(command, event, members, repeat=not ours)\n",
                "        from ledger.application.commit import Decided\n"
                "        self.answers[place] = Decided(event, repeat=not ours, members=members)\n",
            ),
        ),
        expected=("mismatches_are_real", "answers_are_recorded", "messages_are_decided"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="fresh-version-alone",
        what="Of the states that a refused transaction came back with, a group takes the versions "
        "and hashes, and none of what else is new.",
        shows="Another worker was faster: the group is committed over what that one did, as if it "
        "had been undone.",
        patches=(
            Patch(
                _VIEW,
                "        self._take(fresh, "
                "(state for state in fresh.values() if state is not None))\n",
                "        from msgspec.structs import replace\n"
                "        kept = self.known.states\n"
                "        self._take(\n"
                "            fresh,\n"
                "            [\n"
                "                replace(kept.get(key) or state, version=state.version, "
                "hash=state.hash)\n"
                "                for key, state in fresh.items()\n"
                "                if state is not None\n"
                "            ],\n"
                "        )\n",
            ),
        ),
        expected=("events_are_foretold", "versions_are_dense", "states_follow_events"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="answers-mixed-up",
        what="The commands that one transaction decided are answered in the wrong order.",
        shows="Whoever sends a file is told of each payment what became of another.",
        patches=(
            Patch(
                _GROUP,
                "        for place, proposal in pack.decided:\n",
                "        proposals = [proposal for _, proposal in reversed(pack.decided)]\n"
                "        for (place, _), proposal in zip(pack.decided, proposals, strict=True):\n",
            ),
        ),
        expected=("answers_are_recorded",),
        faults=Profile.NONE,
        commands=400,
    ),
    PlantedBug(
        name="answers-close-up",
        what="The answers to commands sent together stand one behind the other without a gap for "
        "what is no command, whose answers come last.",
        shows="One command of a file is malformed: all behind it are told what became of their "
        "neighbours.",
        patches=(
            Patch(
                "ledger.entrypoints.api.deciding",
                "            waiting.append(_Waiting(place, command, ",
                "            waiting.append(_Waiting(len(waiting), command, ",
            ),
        ),
        expected=("answers_are_recorded", "malformed_leaves_no_trace", "mismatches_are_real"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="one-malformed-sinks-all",
        what="A message in bulk is put away whole as soon as one command in it is malformed.",
        shows="A file of a hundred payments has one with a wrong currency: none of them is made.",
        patches=(
            Patch(
                _MESSAGES,
                "    return [_part(body, place, decode) for place, body in enumerate(found)]\n",
                "    return [\n"
                "        Part(body, place, decode(body)) for place, body in enumerate(found)\n"
                "    ]\n",
            ),
        ),
        expected=("messages_are_decided",),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="done-if-any-is",
        what="A message in bulk is taken for done if any command in it is decided.",
        shows="In the middle of a file there is one that cannot be decided for now: the queue "
        "deletes the message, and that command is gone, with all behind it.",
        patches=(
            Patch(
                _QUEUES,
                "            done = _is_decided(answer, batch) and done\n",
                "            done = _is_decided(answer, batch) or (done and number > 0)\n",
            ),
        ),
        expected=("messages_are_decided",),
        deployment=True,
        commands=2_000,
    ),
    PlantedBug(
        name="deferred-taken-for-done",
        what="A command that was not tried, for lack of time or because one before it could not be "
        "decided, is taken for decided.",
        shows="An old worker meets what a new one has written: the command that needs it comes "
        "back alone, and what stood behind it in its group is gone.",
        patches=(
            Patch(
                _QUEUES,
                '        batch.outcomes["deferred"] += 1\n'
                "    elif isinstance(answer, OutageError):\n",
                '        batch.outcomes["deferred"] += 1\n'
                "        return True\n"
                "    elif isinstance(answer, OutageError):\n",
            ),
            Patch(
                _QUEUES,
                "            done = _is_decided(answer, batch) and done\n",
                "            done = _is_decided(answer, batch)\n",
            ),
            Patch(
                _QUEUES,
                "                blocked.add(each.group)\n",
                "                blocked.discard(each.group)\n",
            ),
        ),
        expected=("messages_are_decided", "groups_keep_order"),
        deployment=True,
        commands=2_000,
    ),
    PlantedBug(
        name="refused-on-a-guess",
        what="A command is refused for what the worker remembers of accounts, and nobody tests "
        "whether that is still so.",
        shows="An account was paid into, or was frozen, by another worker minutes ago: a payment "
        "is refused for what is not so, for ever.",
        patches=(
            Patch(
                _PROPOSALS,
                "    if not guesses or proposal.rejection is not None:\n"
                "        return bool(guesses)\n",
                "    if not guesses or proposal.rejection is not None:\n        return False\n",
            ),
            Patch(
                _PROPOSALS,
                "    checks = tuple(keys)\n    members = ",
                "    checks = ()\n    members = ",
            ),
        ),
        expected=("events_are_foretold", "due_holds_are_released"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="guess-untested",
        what="A template is remembered like an account, and whatever is remembered is used, though "
        "no condition tests whether a template is still the newest.",
        shows="A template is defined anew: for minutes some workers go on with the one before.",
        patches=(
            Patch(
                "ledger.application.state_cache",
                'frozenset({"template"})\n',
                "frozenset()\n",
            ),
            Patch(
                "ledger.application.state_cache",
                "            if doubt > DOUBT_MAX:\n                return None\n",
                "",
            ),
            Patch(
                _PROPOSALS,
                "    return not conditioned.issuperset(guesses)\n",
                "    return not conditioned\n",
            ),
        ),
        expected=("events_are_foretold",),
        faults=Profile.NONE,
        commands=2_000,
    ),
    PlantedBug(
        name="dry-run-remembered",
        what="A worker remembers what a dry run would have made of accounts, and states are told "
        "apart by their versions alone.",
        shows="Another worker makes the next version of such an account, and makes something else "
        "of it: the first goes on from what never was, and no condition shows the difference.",
        patches=(
            Patch(
                _COMMIT,
                "        return Decided(proposal.event, repeat=False, members=proposal.members)\n",
                "        self._cache.wrote(proposal.made.values())\n"
                "        return Decided(proposal.event, repeat=False, members=proposal.members)\n",
            ),
            Patch(
                "ledger.adapters.dynamodb.event_store",
                '        "ConditionExpression": "version = :version AND #hash = :hash",\n'
                '        "ExpressionAttributeNames": _HASH,\n'
                '        "ExpressionAttributeValues": {\n'
                '            ":version": {"N": str(point.version)},\n'
                '            ":hash": {"B": point.hash},\n'
                "        },\n",
                '        "ConditionExpression": "version = :version",\n'
                '        "ExpressionAttributeValues": {":version": {"N": str(point.version)}},\n',
            ),
        ),
        expected=("events_are_foretold", "totals_are_explained", "chains_link"),
        faults=Profile.NONE,
        commands=2_000,
    ),
    PlantedBug(
        name="dry-run-on-guesses",
        what="A dry run is answered by what the worker remembers of accounts.",
        shows="No transaction tests it: the answer is that of minutes ago.",
        patches=(
            Patch(
                _COMMIT,
                "        attempt.may_guess = False  # no transaction will test it\n",
                "",
            ),
            Patch(
                _PROPOSALS,
                "    if not guesses or proposal.rejection is not None:\n"
                "        return bool(guesses)\n",
                "    if not guesses or proposal.rejection is not None:\n        return False\n",
            ),
        ),
        expected=("dry_runs_foretell",),
        faults=Profile.NONE,
        commands=2_000,
    ),
)
