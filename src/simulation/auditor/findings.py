"""What the ledger promises, by name, and what was found to be otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from simulation.kernel.trace import Trace

#: Of one promise: what follows from the first that was broken says nothing new.
FINDINGS_A_PROPERTY_MAX: Final = 20

PROPERTIES: Final[Mapping[str, str]] = {
    # What is recorded
    "events_were_asked_for": "Every event is of a command that was asked before, by a client or by "
    "the ledger itself where the rules say so, and says what was asked.",
    "events_are_foretold": "Every event is what the model makes of its command at its place in the "
    "order of commits; a refusal's reason holds there.",
    "causes_are_current": "A refusal names what caused it as it was when the refusal was recorded.",
    "due_holds_are_released": "No command is refused for lack of funds while a hold keeps them "
    "that is over.",
    "batches_are_whole": "A transaction records whole commands: an event for each of them, and for "
    "each command of an atomic batch, in their order.",
    "times_are_true": "An event is recorded between its request and its commit, by clocks that may "
    "differ, and never before what its subjects were changed by last.",
    "events_stay": "No event is ever changed or removed.",
    # What clients are answered
    "answers_are_recorded": "What a client is answered is what is recorded under the command's id.",
    "repeats_are_told": "Of all answers to a command one at most says that it did it: to a request "
    "that was under way when it was done. All others say that they are repeats.",
    "mismatches_are_real": "A request is told that its id is another's if and only if it is.",
    "malformed_leaves_no_trace": "A malformed command is refused as such, and nothing is recorded.",
    "dry_runs_foretell": "A dry run answers what the command would have been answered between the "
    "question and the answer.",
    # Money
    "money_is_conserved": "Of each currency as much is debited as credited, posted and pending, "
    "after every transaction.",
    "totals_are_explained": "Each account's totals change by what the event says that it posted, "
    "held and released.",
    "limits_hold": "No balance is taken further beyond its limit.",
    "leases_add_up": "No stripe of an account goes beyond its share of the account's limits, and "
    "the shares add up to these.",
    "frozen_stands_still": "Nothing moves on a frozen side of an account, nor on a closed account.",
    # States
    "versions_are_dense": "Each event makes the next version of all that it changes, and names the "
    "event before.",
    "states_follow_events": "A state is written with the event that changes it, and says what the "
    "events say.",
    "chains_link": "Each hash is SHA-256 over the hash before and the event's bytes.",
    "states_lose_nothing": "What a newer release added to a state stays, and no state falls "
    "back to a schema that does not hold it.",
    "holds_are_indexed": "Open holds, and only they, are in the index of what is due.",
    # Questions
    "questions_are_taken": "No question that is one is refused as if it were none.",
    "reads_are_current": "An answer from the event store is never behind what was committed before "
    "it was asked.",
    "min_version_is_kept": "An answer has at least the version that was asked for, and nobody is "
    "put off once that is there.",
    "versions_never_go_back": "Who asks again is never shown an older version.",
    "answers_are_the_fold": "Whatever version an answer shows, its figures are those of the events "
    "up to it.",
    "pages_are_complete": "Pages of a history follow each other, and none lacks a version that is "
    "said to be there; those of a list are in its order, and none lacks what was projected "
    "minutes before.",
    "sums_are_of_all": "Sums are of all accounts under their path, each of them as it was at one "
    "time while they were made.",
    # What follows
    "events_reach_consumers": "Every event reaches every consumer whose rule it matches, or lies "
    "in the dead letters with its payload.",
    "projections_are_the_fold": "In the end the projections say what the events say.",
    "notifications_are_sent": "Every notification is published at least once, as it should be.",
    "webhooks_are_delivered": "Every subscriber is sent what it wants at least once, "
    "signed with its own secret.",
    "payments_are_screened": "Every payment of a customer gets one verdict, and the ledger records "
    "that one.",
    "scorer_remembers": "What the fraud scorer remembers of an account is what its events say, "
    "each counted once.",
    "messages_are_decided": "Every command that a queue took is decided, or lies in the dead "
    "letters and says why.",
    "groups_keep_order": "Commands of a message group are decided in the order in which they were "
    "sent, and commands of one request or message in their order there.",
    "retries_end": "In the end nothing waits in a queue, and nothing is received too often.",
    "dead_letters_keep_payload": "A dead letter is, byte for byte, what was sent.",
    "holds_end": "No hold stays open long after it was due.",
    "procedures_succeed": "Every procedure of an operator, a restore, a replay, a redrive, a "
    "release, comes to its end.",
    "handlers_do_not_fail": "No handler ends in an exception that was not foreseen.",
}


class Finding(Struct, frozen=True):
    """One promise that was not kept: when (microseconds since 1970), and what it is about."""

    property: str
    at: int
    message: str
    about: tuple[str, ...] = ()


class Findings:
    """What was found, in order. Each check is handed this, and reports by the promise's name."""

    def __init__(self, now: Callable[[], int], trace: Trace | None = None) -> None:
        self.now = now
        self.all: list[Finding] = []
        self._trace = trace
        self._counts: Counter[str] = Counter()

    def report(self, promise: str, message: str, *about: str) -> None:
        """The promise of that name was broken, now. Raises LookupError for one that nobody made."""
        if promise not in PROPERTIES:
            raise LookupError(promise)
        self._counts[promise] += 1
        if self._counts[promise] > FINDINGS_A_PROPERTY_MAX:
            return
        self.all.append(Finding(promise, self.now(), message, about))
        if self._trace is not None:
            self._trace.add("auditor", f"{promise}: {message}", *about)
