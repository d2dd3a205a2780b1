"""Situations of commands, put together of parts: each spoils something of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import structs

from ledger.contracts.commands import (
    BaseCommand,
    CapturePayment,
    IncreasePayment,
    ReversePayment,
    VoidPayment,
)
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.domain.accounts import GENESIS_HASH, AccountState
from ledger.domain.states import BookState, PaymentState, State, States, TemplateState
from ledger.domain.velocity import VelocityCounter
from tests.support.builders import (
    NOON,
    Leg,
    by_id,
    defining,
    holding,
    limit,
    making,
    paying,
    posting,
    state,
)

LONG_AGO: Final = "2026-11-01T08:00:00.000000Z"


@dataclass
class Scene:
    """What a command meets, and what it says. `held` is what of each leg is pending; `flipped` legs
    lead from right to left, as those of a payment to be reversed do."""

    held: int = 0
    flipped: bool = False
    accounts: dict[str, AccountState] = field(default_factory=dict)
    books: dict[str, BookState] = field(default_factory=dict)
    legs: list[Leg] = field(default_factory=list)
    payment: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, int | str] = field(default_factory=dict)
    said: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.involve("bank", "", "", pending_debits=1_000, pending_credits=1_000)
        self.involve("shop", "bank", "shop")

    def involve(self, id_: str, source: str, destination: str, **facts: Any) -> None:
        """Adds an account, and a leg of 10 that touches it."""
        plain: dict[str, Any] = {
            "opened_at": LONG_AGO,
            "pending_debits": self.held,
            "pending_credits": self.held,
        }
        self.accounts[id_] = state(id_, recorded_at=LONG_AGO, **(plain | facts))
        self.lead(source, destination)

    def lead(self, source: str, destination: str) -> None:
        """Adds a leg of 10."""
        if source:
            ends = (destination, source) if self.flipped else (source, destination)
            self.legs.append((*ends, 10))

    @property
    def total(self) -> int:
        """What the payer gives: all legs from where the first is from."""
        return sum(leg[2] for leg in self.legs if leg[0] == self.legs[0][0])

    def world(self, *more: State) -> States:
        """What is there."""
        return by_id([*self.accounts.values(), *self.books.values(), *more])


Part = Callable[[Scene], None]


def book(closed_through: str | None, name: str = "main") -> BookState:
    """A book, closed through a day."""
    return BookState(
        id=name,
        version=3,
        closed_through=closed_through,
        recorded_at=LONG_AGO,
        last_event="closing",
        hash=GENESIS_HASH,
    )


def saying(**said: Any) -> Part:
    """A part of what the command itself says."""
    return lambda scene: scene.said.update(said)


def missing(scene: Scene) -> None:
    """An account that was never opened."""
    scene.lead("bank", "nobody")


def full(scene: Scene) -> None:
    """An account whose credits end 9 below the largest total."""
    credits_ = AMOUNT_MINOR_MAX - 9 - scene.held
    scene.involve("full", "bank", "full", credits=credits_, pending_credits=scene.held)


def poor(scene: Scene) -> None:
    """An account with 9 left."""
    credits_ = 9 + scene.held
    scene.involve("poor", "poor", "bank", lowest=0, credits=credits_, pending_debits=scene.held)


def rich(scene: Scene) -> None:
    """An account that may take 9 more."""
    credits_ = 10 - scene.held
    scene.involve("rich", "bank", "rich", highest=19, credits=credits_, pending_credits=scene.held)


def period(scene: Scene) -> None:
    """An effective time in a closed period."""
    scene.books["main"] = book("2026-11-05")
    scene.said["effective_at"] = "2026-11-02T00:00:00.000000Z"


NOT_FOUND: Final = {"account_not_found": missing}
CLOSED: Final[dict[str, Part]] = {
    "account_closed": lambda scene: scene.involve("shut", "bank", "shut", status="closed")
}
TIMES: Final[dict[str, Part]] = {
    "effective_in_future": saying(effective_at="2026-11-21T12:05:00.000001Z"),
    "effective_before_opening": lambda scene: scene.involve(
        "young", "bank", "young", opened_at="2031-01-01T00:00:00.000000Z"
    ),
    "period_closed": period,
}
FROZEN: Final[dict[str, Part]] = {
    "account_frozen": lambda scene: scene.involve("ice", "ice", "bank", frozen="both")
}
FOREIGN: Final[dict[str, Part]] = {
    "currency_mismatch": lambda scene: scene.involve("dollar", "bank", "dollar", currency="USD")
}
BALANCES: Final[dict[str, Part]] = {
    "balance_overflow": full,
    "insufficient_funds": poor,
    "balance_limit_exceeded": rich,
}
VELOCITY: Final[dict[str, Part]] = {
    "velocity_limit_exceeded": lambda scene: scene.involve(
        "fast",
        "fast",
        "bank",
        velocity=(limit(max_amount_minor=9),),
        counters=(VelocityCounter(),),
    )
}
HOLD: Final[dict[str, Part]] = {
    "payment_unknown": saying(payment="nothing"),
    "hold_not_open": lambda scene: scene.payment.update(ended="void"),
}
EXPIRED: Final[dict[str, Part]] = {
    "hold_expired": lambda scene: scene.payment.update(expires_at=NOON)
}
EXPIRY: Final[dict[str, Part]] = {"expiry_out_of_range": saying(expires_at=NOON)}


def payment_of(scene: Scene, **facts: Any) -> PaymentState:
    """The payment that a scene has."""
    postings = tuple(posting(*leg) for leg in scene.legs)
    tens = (10,) * len(postings)
    nothing = (0,) * len(postings)
    given: dict[str, Any] = {
        "id": "payment",
        "version": 4,
        "postings": postings,
        "authorized_minor": tens,
        "captured_minor": nothing,
        "reversed_minor": nothing,
        "over_capture_bps": 10_000,
        "expires_at": "2026-12-01T00:00:00.000000Z",
        "ended": None,
        "made_at": LONG_AGO,
        "recorded_at": LONG_AGO,
        "last_event": "before",
        "hash": GENESIS_HASH,
    }
    return PaymentState(**(given | scene.payment | facts))


def post(scene: Scene) -> tuple[States, BaseCommand]:
    """A payment at once."""
    return scene.world(), paying("p", *scene.legs, **scene.said)


def authorize(scene: Scene) -> tuple[States, BaseCommand]:
    """A payment on hold."""
    return scene.world(), holding("p", *scene.legs, **scene.said)


def post_template(scene: Scene) -> tuple[States, BaseCommand]:
    """The same payment at once, made of a template with the legs spelt out in it."""
    definition = defining(
        "legs",
        {"each": "amount"} | scene.parameters,
        *((source, destination, "EUR", {"of": "each"}) for source, destination, *_ in scene.legs),
        *((f"{{{name}}}", "bank", "EUR", {"of": "each"}) for name in scene.parameters),
    )
    there = template(parameters=definition.parameters, postings=definition.postings)
    arguments: dict[str, Any] = {"each": 10, **scene.arguments}
    command = making("p", "legs", **arguments)
    return scene.world(there), structs.replace(command, **scene.said)


def template(**facts: Any) -> TemplateState:
    """The template `legs`."""
    version = facts.get("version", 2)
    given: dict[str, Any] = {
        "id": "legs",
        "version": version,
        "parameters": (),
        "postings": (),
        "events": tuple(f"definition-{number}" for number in range(version)),
        "recorded_at": LONG_AGO,
        "hash": GENESIS_HASH,
    }
    return TemplateState(**(given | facts))


def capture(scene: Scene) -> tuple[States, BaseCommand]:
    """All of a hold and as much again."""
    said: dict[str, Any] = {"payment": "payment", "more": 0} | scene.said
    amount = 2 * scene.total + said.pop("more")
    return scene.world(payment_of(scene)), CapturePayment(v=1, id="c", amount_minor=amount, **said)


def increase(scene: Scene) -> tuple[States, BaseCommand]:
    """As much again held."""
    said: dict[str, Any] = {"payment": "payment", "amount_minor": scene.total} | scene.said
    return scene.world(payment_of(scene)), IncreasePayment(v=1, id="i", **said)


def void(scene: Scene) -> tuple[States, BaseCommand]:
    """A hold given up."""
    said: dict[str, Any] = {"payment": "payment"} | scene.said
    return scene.world(payment_of(scene)), VoidPayment(v=1, id="v", **said)


def reverse(scene: Scene) -> tuple[States, BaseCommand]:
    """All of a payment given back."""
    tens = (10,) * len(scene.legs)
    payment = payment_of(scene, captured_minor=tens, ended="capture")
    said: dict[str, Any] = {"payment": "payment", "more": 0} | scene.said
    amount = scene.total + said.pop("more")
    return scene.world(payment), ReversePayment(v=1, id="r", amount_minor=amount, **said)


def about(command: BaseCommand) -> Callable[[Scene], tuple[States, BaseCommand]]:
    """A command that says the same in every scene but for what a part says."""
    return lambda scene: (scene.world(), structs.replace(command, **scene.said))


def a(**facts: Any) -> Part:
    """The account `a` as it is."""
    names = {"credits": "credits_posted_minor", "highest": "max_balance_minor"}

    def part(scene: Scene) -> None:
        given = {names.get(name, name): one for name, one in facts.items()}
        scene.accounts["a"] = structs.replace(scene.accounts["a"], **given)

    return part


def giving(name: str, argument: str) -> Part:
    """A parameter of a template that stands for an account, and what is given for it."""

    def part(scene: Scene) -> None:
        scene.parameters[name] = "account"
        scene.arguments[name] = argument

    return part


ALONE: Final[dict[str, Part]] = {
    "account_not_found": saying(account="nobody"),
    "account_closed": a(status="closed"),
}
