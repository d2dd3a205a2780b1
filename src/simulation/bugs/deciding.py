"""Planted where commands are decided and recorded."""

from __future__ import annotations

from typing import Final

from simulation.bugs.planted import PlantedBug
from simulation.faults.profiles import Profile
from simulation.releases.patches import Patch

_STORE: Final = "ledger.adapters.dynamodb.event_store"
_ATTEMPTS: Final = "ledger.application.attempts"
_COMMIT: Final = "ledger.application.commit"
_GROUP: Final = "ledger.application.group_commit"
_PROPOSALS: Final = "ledger.application.proposals"
_QUEUES: Final = "ledger.entrypoints.commands"

DECIDING: Final = (
    PlantedBug(
        name="state-put-unconditional",
        what="New states are written without the condition that the old ones still stand.",
        shows="Two workers change one account at a time: the second overwrites the first, and two "
        "events make the same version of it.",
        patches=(
            Patch(
                _STORE,
                "            **_still_at(write.expected),\n",
                "",
            ),
        ),
        expected=("versions_are_dense", "states_follow_events", "events_are_foretold"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="event-put-unconditional",
        what="Events are written without the condition that their id is free.",
        shows="A client that repeats a command has it done twice, and the second event takes the "
        "place of the first.",
        patches=(
            Patch(
                _STORE,
                '                "Item": event_item(event),\n'
                '                "ConditionExpression": _ABSENT,\n',
                '                "Item": event_item(event),\n',
            ),
        ),
        expected=("events_stay", "events_are_foretold", "repeats_are_told"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="payment-put-unconditional",
        what="A payment's state is written without its condition: its accounts have theirs.",
        shows="A hold expires while it is captured. The loser is told that the accounts have moved "
        "on, reads these again, and releases the hold a second time.",
        patches=(
            Patch(
                _STORE,
                "            **_still_at(write.expected),\n",
                "            **(\n"
                '                {} if write.key.kind == "payment"\n'
                "                else _still_at(write.expected)\n"
                "            ),\n",
            ),
        ),
        expected=("events_are_foretold", "versions_are_dense", "states_follow_events"),
        commands=2_000,
    ),
    PlantedBug(
        name="rejection-unchecked",
        what="A refusal is recorded without the check that what caused it still stands.",
        shows="Money arrives between the look at an account and the refusal of a payment from it: "
        "what is recorded for ever was not so when it was recorded.",
        patches=(
            Patch(
                _PROPOSALS,
                "    checks = tuple(keys)\n    members = ",
                "    checks = ()\n    members = ",
            ),
        ),
        expected=("events_are_foretold",),
    ),
    PlantedBug(
        name="rejection-from-cache",
        what="A worker keeps what it has read from one command to the next, and trusts it when it "
        "refuses.",
        shows="Another worker changes an account that this one remembers: a payment is refused for "
        "what was so minutes ago.",
        patches=(
            Patch(
                _PROPOSALS,
                "    def nothing(cls) -> Known:\n",
                "    def nothing(cls, states=States(), keys=set(), events=set()) -> Known:\n",
            ),
            Patch(
                _PROPOSALS,
                "        return cls(States(), set(), set())\n",
                "        return cls(states, keys, events)\n",
            ),
            Patch(
                _PROPOSALS,
                "    checks = tuple(keys)\n    members = ",
                "    checks = ()\n    members = ",
            ),
        ),
        expected=("events_are_foretold",),
        faults=Profile.NONE,
        commands=400,
    ),
    PlantedBug(
        name="mutable-default",
        what="What is known at the beginning of a command is a default argument, made once and "
        "changed by every command of the worker.",
        shows="What is committed is checked all the same. But a dry run of a warm worker answers "
        "what would have been so before others changed the accounts.",
        patches=(
            Patch(
                _PROPOSALS,
                "    def nothing(cls) -> Known:\n",
                "    def nothing(cls, states=States(), keys=set(), events=set()) -> Known:\n",
            ),
            Patch(
                _PROPOSALS,
                "        return cls(States(), set(), set())\n",
                "        return cls(states, keys, events)\n",
            ),
        ),
        expected=("dry_runs_foretell", "handlers_do_not_fail"),
        faults=Profile.NONE,
        commands=400,
    ),
    PlantedBug(
        name="released-holds-remembered",
        what="That an account's expired holds were released for a command is remembered for all "
        "that the worker decides later: a mutable default.",
        shows="A second payment from the account needs the money of another expired hold before "
        "the sweep has come: it is refused for want of funds that are there.",
        patches=(
            Patch(
                _ATTEMPTS,
                "    def __init__(self, command: Command, actor: str) -> None:\n",
                "    def __init__(self, command: Command, actor: str, released=set()) -> None:\n",
            ),
            Patch(
                _ATTEMPTS,
                "        self.released: set[str] = set()  # accounts",
                "        self.released = released  # accounts",
            ),
        ),
        expected=("due_holds_are_released", "events_are_foretold", "dry_runs_foretell"),
        commands=2_000,
    ),
    PlantedBug(
        name="batch-refusal-unchecked",
        what="The refusal of an atomic batch is recorded without the check that what the commands "
        "before the refused one rested on still stands.",
        shows="An account that an earlier command of the batch took from is emptied meanwhile: the "
        "batch is refused for its second command, and would be for its first.",
        patches=(
            Patch(
                _PROPOSALS,
                "            return _refusal("
                "known, batch, refusal, stamp, check=rested_on, needed=looked_at)\n",
                "            return _refusal(known, batch, refusal, stamp, needed=looked_at)\n",
            ),
        ),
        expected=("events_are_foretold",),
        commands=2_000,
    ),
    PlantedBug(
        name="batch-effects-kept",
        what="A batch that could not be committed leaves its effects in what the worker knows of "
        "the states.",
        shows="The batch loses a race, is decided again on accounts as it would have left them, "
        "and is refused for what never happened, or counted twice.",
        patches=(
            Patch(
                _PROPOSALS,
                "    proposal = _accepted(tuple(events), (own, *stored), made, looked_at)\n",
                "    proposal = _accepted(tuple(events), (own, *stored), made, looked_at)\n"
                "    for key in sorted(changed):\n"
                "        state = known.states.get(key)\n"
                "        after = working.get(key)\n"
                "        if state is not None and after is not None:\n"
                "            known.states.put(\n"
                "                replace(after, version=state.version, hash=state.hash)\n"
                "            )\n",
            ),
        ),
        expected=("events_are_foretold", "totals_are_explained", "handlers_do_not_fail"),
    ),
    PlantedBug(
        name="repeats-forgotten",
        what="A worker that finds its command's id taken does not look at what is recorded there, "
        "and answers what it would decide now.",
        shows="A client repeats a payment that was accepted: it hears that there are no funds for "
        "it, or of versions that nobody made.",
        patches=(
            Patch(
                _COMMIT,
                "                return self._recorded(attempt, existing)\n"
                "            self._cache.proved_stale(",
                "                return Decided("
                "proposal.event, repeat=True, members=proposal.members)\n"
                "            self._cache.proved_stale(",
            ),
        ),
        expected=("answers_are_recorded", "repeats_are_told", "mismatches_are_real"),
        faults=Profile.NONE,
        commands=400,
    ),
    PlantedBug(
        name="repeats-put-off",
        what="A worker that finds its command's id taken tries again, as if another had been "
        "faster, until it gives up.",
        shows="A client whose answer was lost asks again: it is told to come back later, for ever.",
        patches=(
            Patch(
                _COMMIT,
                "            if existing is not None:\n"
                "                return self._recorded(attempt, existing)\n"
                "            self._cache.proved_stale(",
                "            self._cache.proved_stale(",
            ),
        ),
        expected=("answers_are_recorded", "retries_end", "messages_are_decided"),
        faults=Profile.NONE,
        commands=400,
    ),
    PlantedBug(
        name="late-capture-forgotten",
        what="Whatever is asked of a hold that has ended is refused at once, without a write: it "
        "has ended for good.",
        shows="A client repeats its capture after the hold is settled: it hears that the hold is "
        "not open, though its own capture was accepted.",
        patches=(
            Patch(
                _COMMIT,
                "            attempt.proposed = proposal.stored[0].data\n",
                "            refused = proposal.rejection\n"
                "            if refused and refused.reason == reasons.HOLD_NOT_OPEN.code:\n"
                "                return Decided(proposal.event, repeat=False)\n"
                "            attempt.proposed = proposal.stored[0].data\n",
            ),
        ),
        expected=("answers_are_recorded", "repeats_are_told", "messages_are_decided"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="lost-answer-fresh-id",
        what="When the answer of a commit is lost, the command is tried again under a fresh id.",
        shows="The commit had taken effect, and is done a second time under the other id.",
        patches=(
            Patch(
                _ATTEMPTS,
                "            self.unanswered.append(self.proposed)\n",
                "            self.unanswered.append(self.proposed)\n"
                "            if not isinstance(self.command, AtomicBatch):\n"
                "                from msgspec.structs import replace\n"
                '                self.command = replace(self.command, id=self.command.id + "-2")\n',
            ),
        ),
        expected=("events_were_asked_for", "answers_are_recorded"),
    ),
    PlantedBug(
        name="mismatch-unseen",
        what="What is recorded under an id is answered to every request with that id, whatever it "
        "asks for.",
        shows="Two clients choose the same id: the second is told that its payment is made.",
        patches=(
            Patch(
                _COMMIT,
                "    if fields:\n        return Mismatch(command.id, fields)\n",
                "",
            ),
        ),
        expected=("mismatches_are_real", "answers_are_recorded"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="acknowledged-before-written",
        what="The handler of the command queues reports success for a command that it could not "
        "decide for an outage.",
        shows="The store is out for a moment: the queue deletes the message, and the command is "
        "gone.",
        patches=(
            Patch(
                _QUEUES,
                "        batch.causes.update(answer.causes)\n"
                "    elif isinstance(answer, Exception):\n",
                "        batch.causes.update(answer.causes)\n"
                "        return True\n"
                "    elif isinstance(answer, Exception):\n",
            ),
        ),
        expected=("messages_are_decided",),
    ),
    PlantedBug(
        name="fifo-group-not-blocked",
        what="When a command of a FIFO group could not be decided, those behind it in the batch "
        "are decided all the same.",
        shows="The first comes back after the second: the group's order is lost.",
        patches=(
            Patch(
                _GROUP,
                "            self._blocked.add(lane)\n",
                "            self._blocked.discard(lane)\n",
            ),
        ),
        expected=("groups_keep_order",),
        deployment=True,
        commands=2_000,
    ),
    PlantedBug(
        name="buried-in-its-own-queue",
        what="A message that can never be decided is sent to the queue that it came from, in place "
        "of the dead letters.",
        shows="It is received, and sent back, for ever.",
        patches=(
            Patch(
                _QUEUES,
                "queue_url=taken.queue.dead_letters_url,",
                "queue_url=taken.queue.url,",
            ),
        ),
        expected=("retries_end", "messages_are_decided"),
        faults=Profile.NONE,
        commands=400,
    ),
    PlantedBug(
        name="buried-without-payload",
        what="A message that can never be decided is put into the dead letters by its id alone.",
        shows="Nobody can tell any more what was asked.",
        patches=(
            Patch(
                _QUEUES,
                "body=letter_of(taken.record, part, alone=alone),",
                'body=taken.record["messageId"],',
            ),
        ),
        expected=("dead_letters_keep_payload", "messages_are_decided"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="batch-names-one-short",
        what="The event of a batch names its commands from the second on.",
        shows="Whoever follows the batch to its commands misses the first.",
        patches=(
            Patch(
                _PROPOSALS,
                "        commands=tuple(command.id for command in batch.commands),\n",
                "        commands=tuple(command.id for command in batch.commands[1:]),\n",
            ),
        ),
        expected=("events_were_asked_for",),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="batch-member-unwritten",
        what="The event of the last command of a batch is not written.",
        shows="Accounts changed, and nothing that was recorded says why.",
        patches=(
            Patch(
                _PROPOSALS,
                "    proposal = _accepted(tuple(events), (own, *stored), made, looked_at)\n",
                "    proposal = _accepted(tuple(events), (own, *stored[:-1]), made, looked_at)\n",
            ),
        ),
        expected=("batches_are_whole",),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="batch-limit-one-too-few",
        what="A transaction that is exactly as large as one can be is taken for too large.",
        shows="A batch that would fit is refused as malformed.",
        patches=(
            Patch(
                _PROPOSALS, "    if actions > ACTIONS_MAX:\n", "    if actions >= ACTIONS_MAX:\n"
            ),
        ),
        expected=("malformed_leaves_no_trace", "messages_are_decided", "dry_runs_foretell"),
        faults=Profile.NONE,
    ),
    PlantedBug(
        name="reserved-ids-taken",
        what="Of the ids that are the ledger's own clients may choose those of its releases.",
        shows="Somebody takes the id under which a hold is to expire: it never does.",
        patches=(
            Patch(
                "ledger.contracts.commands.catalogue",
                '("screening:", "screening.", "expire:", "expire.")\n',
                '("screening:", "screening.")\n',
            ),
        ),
        expected=("malformed_leaves_no_trace",),
        faults=Profile.NONE,
        commands=2_000,
    ),
    PlantedBug(
        name="last-state-forgotten",
        what="Of the states of a transaction all but the last are written, if there are several.",
        shows="A payment reaches its payer and not its payee: money is gone.",
        patches=(
            Patch(
                _STORE,
                "            *map(self._put_state, transaction.writes),\n",
                "            *map(\n"
                "                self._put_state, transaction.writes[:-1] or transaction.writes\n"
                "            ),\n",
            ),
        ),
        expected=("money_is_conserved",),
        faults=Profile.NONE,
        commands=400,
    ),
    PlantedBug(
        name="hash-of-the-event-alone",
        what="A hash is made of its event's bytes, and not of the hash before.",
        shows="Whoever takes an event out of the middle of a history leaves no trace.",
        patches=(
            Patch(
                "ledger.domain.chain",
                "link(state.hash if state else GENESIS_HASH, data)",
                "link(GENESIS_HASH if state else GENESIS_HASH, data)",
            ),
        ),
        expected=("chains_link",),
        faults=Profile.NONE,
        commands=400,
    ),
    PlantedBug(
        name="cause-without-its-version",
        what="A refusal names the version of a payment's state, of which one that was posted at "
        "once has none yet.",
        shows="A payment is refused its capture, and the cause named is said not to be there.",
        patches=(
            Patch(
                "ledger.domain.rejections",
                "    version = shown_version(states, key)\n",
                "    version = states.version(key)\n",
            ),
        ),
        expected=("causes_are_current",),
        faults=Profile.NONE,
        commands=2_000,
    ),
)
