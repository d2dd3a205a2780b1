"""The precedence of reasons, pair by pair: of two that hold together the earlier one is given.

A situation is put together of parts, one for each reason: each part spoils something of its own in
what would be accepted without it. So whatever two parts a command can have, they can be combined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import pytest
from msgspec import structs

from ledger.application.commit import Decided
from ledger.contracts.commands import CLIENT_COMMANDS, Alert
from ledger.contracts.events import CommandRejected
from ledger.contracts.primitives import STRIPE_TOTAL_MAX
from ledger.contracts.reasons import REASONS, Kind
from ledger.domain.decider import decide
from ledger.domain.rejections import Rejection
from ledger.domain.states import States
from tests.properties.life_scenes import (
    ALONE,
    BALANCES,
    CLOSED,
    EXPIRED,
    EXPIRY,
    FOREIGN,
    FROZEN,
    HOLD,
    NOT_FOUND,
    TIMES,
    VELOCITY,
    Part,
    Scene,
    a,
    about,
    authorize,
    book,
    capture,
    giving,
    increase,
    period,
    post,
    post_template,
    reverse,
    saying,
    template,
    void,
)
from tests.support.builders import (
    STAMP,
    alerting,
    batching,
    closing,
    closing_book,
    defining,
    describing,
    freezing,
    limit,
    limiting,
    opening,
    opening_book,
    reopening_book,
    state,
    striping,
    unfreezing,
)
from tests.support.stores import OpenStore
from tests.support.worlds import World

ORDER: Final = [reason.code for reason in REASONS if reason.kind is Kind.REJECTION]


@dataclass(frozen=True)
class Case:
    """A kind of command: how it is made, what it can be refused for, and in which scene."""

    made: Callable[[Scene], tuple[States, Any]]
    parts: dict[str, Part]
    scene: Callable[[], Scene] = Scene


def striped_and_limited(scene: Scene) -> None:
    """A striped account that is to get a velocity limit."""
    a(stripes=2, stripes_made=2)(scene)
    saying(velocity=(limit(max_count=1),))(scene)


CASES: Final[dict[str, Case]] = {
    "account.open": Case(
        about(opening("new")),
        {
            "account_exists": saying(account="shop"),
            "book_unknown": saying(book="lost"),
            "effective_in_future": TIMES["effective_in_future"],
            "period_closed": period,
        },
    ),
    "account.set_alerts": Case(
        about(alerting("a", ("below", 5))),
        ALONE | {"stripes_conflict": a(stripes=2, stripes_made=2)},
    ),
    "account.set_stripes": Case(
        about(striping("a", 2)),
        ALONE
        | {
            "stripes_conflict": a(alerts=(Alert(direction="below", threshold_minor=5),)),
            "balance_overflow": a(credits=STRIPE_TOTAL_MAX + 1, highest=None),
        },
    ),
    "account.freeze": Case(about(freezing("a")), ALONE),
    "account.unfreeze": Case(about(unfreezing("a")), ALONE),
    "account.close": Case(about(closing("a")), ALONE | {"account_not_empty": a(credits=1)}),
    "account.set_limits": Case(
        about(limiting("a", min_balance_minor=5)),
        ALONE
        | {
            "limits_conflict": a(highest=4),
            "stripes_conflict": striped_and_limited,
            "currency_mismatch": saying(velocity=(limit(currency="USD", max_count=1),)),
        },
    ),
    "metadata.set account": Case(
        about(describing("account", "shop", vip="yes")),
        {"account_not_found": saying(subject_id="nobody")},
    ),
    "metadata.set payment": Case(
        about(describing("payment", "nothing", vip="yes")), {"payment_unknown": saying()}
    ),
    "payment.post": Case(post, NOT_FOUND | CLOSED | TIMES | FROZEN | FOREIGN | BALANCES | VELOCITY),
    "payment.post_template": Case(
        post_template,
        {
            "template_unknown": saying(template_version=9),
            "unknown_parameter": lambda scene: scene.arguments.update(tip=1),
            "missing_parameter": lambda scene: scene.parameters.update(late="account"),
            "invalid_parameter": giving("wrong", "a b"),
            "template_amounts": giving("same", "bank"),
            **NOT_FOUND,
            **CLOSED,
            **TIMES,
            **FROZEN,
            **FOREIGN,
            **BALANCES,
            **VELOCITY,
        },
    ),
    "payment.authorize": Case(
        authorize, NOT_FOUND | CLOSED | EXPIRY | FROZEN | FOREIGN | BALANCES | VELOCITY
    ),
    "payment.capture": Case(
        capture,
        HOLD
        | EXPIRED
        | TIMES
        | {"capture_exceeds_hold": saying(more=1)}
        | FROZEN
        | BALANCES
        | VELOCITY,
        lambda: Scene(held=10),
    ),
    "payment.increase": Case(
        increase,
        HOLD | EXPIRED | EXPIRY | FROZEN | BALANCES | VELOCITY,
        lambda: Scene(held=10),
    ),
    "payment.void": Case(void, HOLD),
    "payment.reverse": Case(
        reverse,
        {"payment_unknown": HOLD["payment_unknown"]}
        | CLOSED
        | TIMES
        | {"reversal_exceeds_payment": saying(more=1)}
        | FROZEN
        | BALANCES,
        lambda: Scene(flipped=True),
    ),
    "template.define": Case(
        lambda scene: (
            scene.world(template(**scene.payment)),
            defining("legs", {"each": "amount"}, ("a", "b", "EUR", {"of": "each"})),
        ),
        {"template_limit": lambda scene: scene.payment.update(version=1_000)},
    ),
    "book.open": Case(about(opening_book("new")), {"book_exists": saying(book="main")}),
    "book.close": Case(
        about(closing_book("2026-11-10")),
        {
            "book_unknown": saying(book="lost"),
            "already_closed": lambda scene: scene.books.update(main=book("2026-12-31")),
            "period_too_recent": saying(through="2026-11-21"),
        },
    ),
    "book.reopen": Case(
        lambda scene: (
            scene.world(book("2026-11-05", "side")),
            structs.replace(reopening_book("2026-11-01", book="side"), **scene.said),
        ),
        {"book_unknown": saying(book="lost"), "not_closed": saying(through="2026-11-05")},
    ),
}
#: Reasons that no command can meet together: one effective time is not both.
APART: Final = {frozenset({"effective_in_future", "period_closed"})}


def made(kind: str, *codes: str) -> tuple[States, Any]:
    """What a command of a kind meets, and itself, with the parts for these reasons."""
    case = CASES[kind]
    scene = case.scene()
    scene.accounts["a"] = state("a", highest=100)
    for code in codes:
        case.parts[code](scene)
    return case.made(scene)


def singles() -> Iterator[tuple[str, str]]:
    """Every reason of every kind of command."""
    for kind, case in CASES.items():
        yield from ((kind, code) for code in case.parts)


def pairs() -> dict[str, list[tuple[str, str]]]:
    """Of each kind of command every two reasons, the earlier first."""
    found = {
        kind: [
            (earlier, later)
            for earlier, later in combinations(sorted(case.parts, key=ORDER.index), 2)
            if {earlier, later} not in APART
        ]
        for kind, case in CASES.items()
    }
    return {kind: of_kind for kind, of_kind in found.items() if of_kind}


def test_every_reason_and_every_command_has_a_part() -> None:
    """All reasons for which a command is refused for ever; of a batch it is a member's, and one of
    its own, which is below."""
    assert {code for _, code in singles()} | {"member_id_used"} == set(ORDER)
    assert {kind.split(" ")[0] for kind in CASES} == CLIENT_COMMANDS - {"batch.atomic"}


@pytest.mark.parametrize("kind", [kind for kind in CASES if kind != "metadata.set payment"])
def test_without_any_part_it_is_accepted(kind: str) -> None:
    """So each part is what the command is refused for. (In no scene there is a payment's event.)"""
    assert not isinstance(decide(*made(kind), STAMP), Rejection)


@pytest.mark.parametrize(("kind", "code"), list(singles()))
def test_a_part_alone_is_what_the_command_is_refused_for(kind: str, code: str) -> None:
    """And the refusal names a field of the command, and what caused it."""
    world, command = made(kind, code)
    refusal = decide(world, command, STAMP)
    assert isinstance(refusal, Rejection)
    assert refusal.reason.code == code
    name = refusal.field.split(".")[0].split("[")[0]
    assert name in command.__struct_fields__
    assert len(refusal.causes) == 1


@pytest.mark.parametrize(("kind", "of_kind"), pairs().items())
@pytest.mark.parametrize("turned", [False, True], ids=["", "turned"])
def test_of_two_parts_the_earlier_reason_is_given(
    kind: str, of_kind: list[tuple[str, str]], turned: bool
) -> None:
    """Whichever of their postings comes first."""
    wrong = {}
    for earlier, later in of_kind:
        codes = (later, earlier) if turned else (earlier, later)
        refusal = decide(*made(kind, *codes), STAMP)
        given = refusal.reason.code if isinstance(refusal, Rejection) else "none"
        if given != earlier:
            wrong[codes] = given
    assert wrong == {}


@pytest.mark.parametrize(("kind", "code"), list(singles()))
@pytest.mark.parametrize("used", [False, True], ids=["", "used"])
def test_a_batch_is_refused_for_its_member_unless_a_member_is_used(
    kind: str, code: str, used: bool
) -> None:
    """The reason is the member's, at its place; that an id was used already comes before all."""
    world, command = made(kind, code)
    store = OpenStore()
    for one in world:
        store.put_state(one)
    commands = World(tick=0).commands(store)
    if used:
        commands.handle(opening("other", id="again"), "someone")
    batch = batching("batch", opening("fresh", id="again"), command)
    outcome = commands.handle(batch, "someone")
    assert isinstance(outcome, Decided)
    event = outcome.event
    assert isinstance(event, CommandRejected)
    assert event.reason == ("member_id_used" if used else code)
    assert str(event.field).startswith("commands[0].id" if used else "commands[1].")
