"""Stories of templates: defined, posted, defined anew while they are posted."""

from __future__ import annotations

from typing import Any, Final

from ledger.contracts.commands import AmountRule, DefineTemplate
from simulation.load.desk import Desk, Step, Story
from simulation.load.words import defining, posting_template

#: The one that everyday sales use; every plan begins with it.
SALE: Final = "card_sale"


def sale(id_: str, clearing: str, fees: str, **fee: Any) -> DefineTemplate:
    """Of what a customer pays the bank keeps a share, and the shop gets the rest."""
    whole = AmountRule(of="amount")
    share = AmountRule(of="amount", bps="fee_bps", **fee)
    rest = AmountRule(of="amount", remainder=True)
    return defining(
        id_,
        SALE,
        {"amount": "amount", "fee_bps": "bps", "customer": "account", "shop": "account"},
        (
            ("customers:{customer}:wallet", clearing, "EUR", whole),
            (clearing, fees, "EUR", share),
            (clearing, "shops:EUR:{shop}", "EUR", rest),
        ),
    )


def _arguments(desk: Desk, **more: int | str) -> dict[str, int | str]:
    return {
        "amount": desk.amount(),
        "fee_bps": desk.pick(0, 140, 250, 3_333, 10_000),
        "customer": desk.wallet().split(":")[1],
        "shop": desk.shop().split(":")[2],
    } | more


def sold(desk: Desk) -> Story:
    """A sale by name."""
    return Story([Step(posting_template(desk.id("sale"), SALE, _arguments(desk)))])


def redefined(desk: Desk) -> Story:
    """A new version while sales go on; old versions stay what they were."""
    id_ = desk.id("redefined")
    rounding = desk.pick("up", "down", "half_up")
    newer = sale(f"{id_}:define", desk.clearing(), desk.fees(), rounding=rounding)
    return Story(
        [
            Step(posting_template(f"{id_}:1", SALE, _arguments(desk))),
            Step(newer, desk.later(), race=True),
            Step(posting_template(f"{id_}:2", SALE, _arguments(desk)), desk.soon(), race=True),
            Step(posting_template(f"{id_}:3", SALE, _arguments(desk)), desk.soon(), race=True),
            Step(
                posting_template(f"{id_}:old", SALE, _arguments(desk), template_version=1),
                desk.later(),
            ),
        ],
        "scattered",
    )


def misused(desk: Desk) -> Story:
    """Parameters that are missing, unknown, out of range; versions and names that are not there."""
    id_ = desk.id("misused")
    missing = _arguments(desk)
    del missing["shop"]
    wrong: dict[str, tuple[str, dict[str, int | str], dict[str, Any]]] = {
        "missing": (SALE, missing, {}),
        "unknown": (SALE, _arguments(desk, tip=1), {}),
        "range": (SALE, _arguments(desk, fee_bps=10_001), {}),
        "version": (SALE, _arguments(desk), {"template_version": 999}),
        "name": ("no_such_sale", _arguments(desk), {}),
        "stranger": (SALE, _arguments(desk, customer="9999"), {}),
    }
    names = desk.random.sample(sorted(wrong), 3)
    return Story(
        [
            Step(
                posting_template(f"{id_}:{name}", wrong[name][0], wrong[name][1], **wrong[name][2]),
                desk.later(),
            )
            for name in names
        ]
    )


def split(desk: Desk) -> Story:
    """A template of one's own, defined and used in one go."""
    name = desk.id("split").replace("-", "_")
    third = AmountRule(of="amount", bps=3_333, rounding="up")
    rest = AmountRule(of="amount", remainder=True)
    payer, payees = desk.wallet(), (desk.shop(), desk.fees())
    define = defining(
        f"{name}:define",
        name,
        {"amount": "amount", "currency": "currency"},
        ((payer, payees[0], "{currency}", third), (payer, payees[1], "{currency}", rest)),
    )

    def used(number: int, currency: str = "EUR", minor: int = 0) -> Step:
        given: dict[str, int | str] = {"amount": minor or desk.amount(), "currency": currency}
        return Step(posting_template(f"{name}:{number}", name, given), desk.soon())

    return Story(
        [Step(define), used(1), used(2, "USD"), used(3, minor=1)],
        desk.pick("fifo", "together", "alone"),
    )
