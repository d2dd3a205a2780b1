"""The state diagrams of the documents are those of the decider: each is walked to its end."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress

import pytest
from msgspec import Struct

from ledger.application.proposals import refuse_unfounded
from ledger.contracts.commands import COMMAND_TYPES, BaseCommand
from ledger.contracts.reasons import InvalidCommandError
from ledger.domain.decider import decide
from ledger.domain.payments import payment_at
from ledger.domain.rejections import Rejection
from ledger.domain.stamp import Stamp
from ledger.domain.states import PaymentState, States
from tests.support.builders import (
    ACTOR,
    NOON,
    advanced,
    capturing,
    closing,
    closing_book,
    expiring,
    freezing,
    holding,
    increasing,
    opening,
    opening_book,
    paying,
    reopening_book,
    reversing,
    told,
    unfreezing,
    voiding,
)
from tests.support.pages import CONCEPTS, page

NEXT_MONTH = Stamp("2026-12-21T12:00:00.000000Z", ACTOR)  # any hold is due
HELD_MINOR, HELD_MINOR_MAX = 3, 4
DAYS = ("2026-10-31", "2026-11-10", "2026-11-19")
#: What leads from state to state beside commands.
WORDS = {"any command", "dry run", "time"}

Edge = tuple[str, str, str]
"""From which state, by what, to which."""


class Walk(Struct, frozen=True):
    """A subject to be led through all of its states, and what it can meet in each."""

    states: States
    tries: Callable[[States], Iterable[tuple[BaseCommand, Stamp]]]
    status: Callable[[States], str]
    told_apart: Callable[[States], Hashable]


def diagrams(text: str) -> list[str]:
    """The diagrams of a page."""
    return re.findall(r"^```mermaid\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def edges(diagram: str) -> set[Edge]:
    """The arrows of a state diagram, but those from and to nowhere, one for each thing on them."""
    arrows = re.findall(r"^ +(\w+) --> (\w+): (.+)$", diagram, re.MULTILINE)
    return {(before, by, after) for before, after, label in arrows for by in label.split(", ")}


def beginnings(diagram: str) -> set[tuple[str, str]]:
    """What leads from nowhere to which state."""
    arrows = re.findall(r"^ +\[\*\] --> (\w+): (.+)$", diagram, re.MULTILINE)
    return {(by, after) for after, label in arrows for by in label.split(", ")}


def walked(walk: Walk) -> set[Edge]:
    """Every change of status that any order of commands can make, and every one that keeps it."""
    found: set[Edge] = set()
    left, seen = [walk.states], {walk.told_apart(walk.states)}
    while left:
        states = left.pop()
        for command, stamp in walk.tries(states):
            with suppress(InvalidCommandError):  # an expiry of what is not due
                refuse_unfounded(states, command, stamp)
                decision = decide(states, command, stamp)
                if isinstance(decision, Rejection):
                    continue
                after, _ = advanced(states, decision)
                by = str(command.__struct_config__.tag)
                found.add((walk.status(states), by, walk.status(after)))
                if walk.told_apart(after) not in seen:
                    seen.add(walk.told_apart(after))
                    left.append(after)
    return found


def payment_in(states: States) -> PaymentState:
    """The payment that is led through its states."""
    found = payment_at(states, "pay")
    assert found is not None
    return found


def tries_of_payment(states: States) -> list[tuple[BaseCommand, Stamp]]:
    """All that can be done to a payment, in all sizes."""
    payment, now = payment_in(states), Stamp(NOON, ACTOR)
    amounts = (*range(1, HELD_MINOR_MAX + 1), None)
    commands: list[BaseCommand] = [voiding("pay")]
    for amount in amounts:
        commands.append(capturing("pay", amount))
        commands.append(reversing("pay", amount))
    commands.append(capturing("pay", 1, final=True))
    if sum(payment.authorized_minor) < HELD_MINOR_MAX:
        commands.append(increasing("pay", 1))
    stamped = [(command, now) for command in commands]
    return [*stamped, (expiring("pay", payment.version), NEXT_MONTH)]


def life_of_payment(making: BaseCommand) -> Walk:
    """That of a payment which `making` makes."""
    accounts = [opening("a", min_balance_minor=None), opening("b", min_balance_minor=None)]
    return Walk(
        told(States(), *accounts, making),
        tries_of_payment,
        lambda states: payment_in(states).status,
        lambda states: (
            payment_in(states).authorized_minor,
            payment_in(states).captured_minor,
            payment_in(states).reversed_minor,
            payment_in(states).ended,
        ),
    )


def life_of_account() -> Walk:
    """That of an account without money."""
    commands: list[BaseCommand] = [closing("a")]
    for sides in ("debits", "credits", "both"):
        commands += [freezing("a", sides), unfreezing("a", sides)]
    return Walk(
        told(States(), opening("a")),
        lambda _: [(command, Stamp(NOON, ACTOR)) for command in commands],
        lambda states: states.accounts["a"].status,
        lambda states: (states.accounts["a"].status, states.accounts["a"].frozen),
    )


def life_of_book() -> Walk:
    """That of a book."""
    commands: list[BaseCommand] = [reopening_book(None, book="x")]
    for day in DAYS:
        commands += [closing_book(day, book="x"), reopening_book(day, book="x")]
    return Walk(
        told(States(), opening_book("x")),
        lambda _: [(command, Stamp(NOON, ACTOR)) for command in commands],
        lambda states: "closed" if states.books["x"].closed_through else "open",
        lambda states: states.books["x"].closed_through,
    )


@pytest.mark.parametrize(
    ("name", "walk"),
    [
        ("holds.md", life_of_payment(holding("pay", ("a", "b", HELD_MINOR)))),
        ("reversals.md", life_of_payment(paying("pay", ("a", "b", HELD_MINOR)))),
        ("accounts.md", life_of_account()),
        ("closing.md", life_of_book()),
    ],
    ids=["holds", "reversals", "accounts", "closing"],
)
def test_a_life_is_as_it_is_drawn(name: str, walk: Walk) -> None:
    """No arrow is missing, none is too many, and it begins where it says."""
    [diagram] = diagrams(page(name))
    assert edges(diagram) == walked(walk)
    assert {state for _, state in beginnings(diagram)} == {walk.status(walk.states)}


def test_every_concept_has_a_diagram_of_its_commands() -> None:
    """What stands on an arrow is a command of ours, or one of a few words."""
    for name in CONCEPTS:
        [diagram] = diagrams(page(name))
        if diagram.startswith("stateDiagram-v2\n"):
            on_arrows = {by for _, by, _ in edges(diagram)} | {by for by, _ in beginnings(diagram)}
            assert on_arrows, name
            assert on_arrows <= set(COMMAND_TYPES) | WORDS, name
        else:
            assert diagram.startswith("flowchart TD\n"), name
