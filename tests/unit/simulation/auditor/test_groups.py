"""Commands that are decided together: many in a transaction, each as if it were alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ledger.contracts.commands import Command, bulk_of, encode_command
from simulation.asks import Ask, AskRoute, HttpAnswer
from tests.support.builders import (
    batching,
    capturing,
    freezing,
    holding,
    limit,
    limiting,
    opening,
    paying,
    reversing,
    striping,
)
from tests.unit.simulation.auditor.resting import finished, rests
from tests.unit.simulation.auditor.test_states import on_event, on_states
from tests.unit.simulation.auditor.witness import (
    Change,
    Lying,
    Story,
    Tampering,
    event_with,
    state_with,
)

#: Payments, refusals, batches and everything else, each resting on those before it.
MANY: tuple[Command, ...] = (
    opening("bank", min_balance_minor=None, account_type="asset"),
    opening("a", account_type="income"),
    opening("fees", account_type="income"),
    paying("p1", ("bank", "a", 100)),
    paying("too-much", ("a", "bank", 101)),
    holding("hold", ("a", "bank", 60)),
    paying("p2", ("a", "bank", 50)),
    capturing("hold", 10, id="some", final=False),
    batching("both", paying("b1", ("bank", "a", 5)), reversing("p1", 5, id="b2")),
    batching("neither", paying("n1", ("a", "bank", 5)), paying("n2", ("a", "bank", 500))),
    paying("p2", ("a", "bank", 50)),
    freezing("a", "debits"),
    paying("p3", ("a", "bank", 1)),
    striping("fees", 3),
    paying("f1", ("bank", "fees", 30)),
    paying("f2", ("fees", "bank", 25)),
    limiting("bank", velocity=(limit(max_count=1),)),
    paying("v1", ("bank", "a", 1)),
    paying("v2", ("bank", "a", 1)),
)


def together(*commands: Command, tampering: Tampering | None = None) -> Story:
    """Commands that were asked for at once and decided as a group."""
    story = Story()
    if commands != MANY:
        story.does(*MANY[:4])
    for command in commands:
        story.ask(command)
    story.tampering = tampering
    story.decides_together(*commands)
    return story


def test_what_is_decided_together_is_judged_one_by_one() -> None:
    """Each command on the effects of those before it, all at one instant."""
    story = together(*MANY)
    assert story.auditor.findings == []
    assert len({one.at for one in story.auditor.facts.events.values()}) < len(MANY)
    assert b"insufficient_funds" in story.record("too-much")


def first_and_second_exchanged(changes: list[Change]) -> list[Change]:
    """The events are not written in the order in which they were decided."""
    return [changes[1], changes[0], *changes[2:]]


def without_a_refusal(changes: list[Change]) -> list[Change]:
    """One of the commands was not recorded."""
    return changes[1:]


@pytest.mark.parametrize("tampering", [first_and_second_exchanged, without_a_refusal])
def test_a_group_that_is_not_whole_or_not_in_order_is_found(tampering: Tampering) -> None:
    """Its versions do not follow each other."""
    commands = (paying("g1", ("a", "bank", 10)), paying("g2", ("a", "bank", 95)))
    assert together(*commands).auditor.findings == []
    assert "events_are_foretold" in together(*commands, tampering=tampering).broken


def test_a_state_that_is_not_that_after_the_last_is_found() -> None:
    """Several commands change it, and it is written once."""
    old = {"last_event": "g1", "_version": {"N": "3"}}
    commands = (paying("g1", ("a", "bank", 10)), paying("g2", ("a", "bank", 5)))
    tampering = on_states(lambda one: state_with(one, **old), "account#a")
    assert "states_follow_events" in together(*commands, tampering=tampering).broken


def test_a_refusal_of_a_group_is_for_what_was_there_in_its_place() -> None:
    """Not for what was there before the group."""
    commands = (paying("g1", ("bank", "a", 1)), paying("g2", ("a", "bank", 102)))

    def of_before(change: Change) -> Change:
        assert change.new is not None
        said = msgspec.json.decode(change.new["data"]["S"])
        causes = said.get("causes")
        if causes is None:
            return change
        return event_with(change, causes=[causes[0] | {"version": causes[0]["version"] - 1}])

    assert together(*commands).auditor.findings == []
    assert together(*commands, tampering=on_event(of_before)).broken >= {"causes_are_current"}


def bulk(story: Story, route: AskRoute, *commands: Command | None, **fields: Any) -> Ask:
    """Commands in one message; what is none is an object without anything."""
    bodies = [b"{}" if one is None else encode_command(one) for one in commands]
    ask = story.ask(*commands, route=route, body=bulk_of(bodies), **fields)
    story.now += 1_000_000
    return ask


def resting(*commands: Command | None, route: AskRoute = "bus") -> tuple[Story, Ask]:
    """A bank that was sent commands in one message."""
    story = Story()
    story.does(*MANY[:4])
    ask = bulk(story, route, *commands, **({"group": "g"} if route == "fifo" else {}))
    if route != "batch":
        story.auditor.taken(ask)
    return story, ask


P1, P2, P3 = (paying(f"bulk-{n}", ("bank", "a", n)) for n in (1, 2, 3))
TAKEN = paying("p1", ("bank", "a", 7))  # under an id that another one has


def letter(*bodies: bytes, reason: str = "", moved_from: str = "") -> Lying:
    """A dead letter with these commands."""
    attributes = {"reason": {"StringValue": reason, "DataType": "String"}} if reason else {}
    return Lying(bulk_of(bodies).decode(), attributes, moved_from)


def test_each_command_of_a_message_is_decided_or_says_why_not() -> None:
    """By itself: one that is none, and one whose id is taken, lie alone among the dead letters."""
    for gone in (None, 0, 1):
        story, _ = resting(P1, None, TAKEN)
        story.decides_together(P1)
        letters = [
            letter(b"{}", reason="missing_field"),
            letter(encode_command(TAKEN), reason="idempotency_mismatch"),
        ]
        if gone is not None:
            del letters[gone]
        rests(story).letters["commands-dlq"] = letters
        assert finished(story) == (set() if gone is None else {"messages_are_decided"})


def test_a_message_that_sqs_moved_away_has_all_its_commands() -> None:
    """Those that were decided, too."""
    story, ask = resting(P1, P2)
    story.decides_together(P1)
    moved = Lying(ask.body.decode(), {}, "arn")
    rests(story).letters["commands-dlq"] = [moved]
    assert finished(story) == set()


def test_a_command_that_is_buried_without_a_right_reason_is_found() -> None:
    """It could have been decided with its neighbours."""
    story, _ = resting(P1, P2)
    story.decides_together(P1)
    rests(story).letters["commands-dlq"] = [
        letter(encode_command(P2), reason="idempotency_mismatch")
    ]
    assert finished(story) == {"messages_are_decided"}


@pytest.mark.parametrize("route", ["bus", "fifo", "batch"])
def test_commands_of_one_message_or_request_are_decided_in_their_order(route: AskRoute) -> None:
    """In one transaction or in several."""
    for order in ((P1, P2, P3), (P2, P1, P3)):
        story, _ = resting(P1, P2, P3, route=route)
        story.decides_together(*order)
        rests(story)
        assert finished(story) == (set() if order[0] is P1 else {"groups_keep_order"})


def test_a_command_that_came_in_another_way_too_may_be_decided_before() -> None:
    """Nobody waits for what stands before it elsewhere."""
    story, _ = resting(P1, P2)
    story.does(P2)
    story.decides_together(P1)
    rests(story)
    assert finished(story) == set()


def test_messages_of_a_group_that_were_decided_in_one_transaction_are_in_order() -> None:
    """At the same instant, and one behind the other all the same."""
    for order in ((P1, P2), (P2, P1)):
        story = Story()
        story.does(*MANY[:4])
        for command in (P1, P2):
            story.auditor.taken(story.ask(command, route="fifo", group="g"))
            story.now += 1_000_000
        story.decides_together(*order)
        rests(story)
        assert finished(story) == (set() if order[0] is P1 else {"groups_keep_order"})


def test_what_is_decided_behind_an_outage_of_its_request_is_found() -> None:
    """It may rest on what was not decided."""
    for status, broken in ((503, {"groups_keep_order"}), (400, set())):
        story = Story()
        story.does(*MANY[:4])
        ask = bulk(story, "batch", None if status == 400 else P1, P2)
        done = story.answer_to(P2)
        answers = [
            {"status": status, "body": {"reason": "malformed_json", "title": "…"}},
            {"status": done.status, "body": msgspec.json.decode(done.body)},
        ]
        answer = HttpAnswer(200, {}, msgspec.json.encode({"answers": answers}))
        story.auditor.answered(ask, answer)
        assert story.broken == broken
