"""Stories of payments that are given back."""

from __future__ import annotations

from simulation.kernel.hub import SECOND
from simulation.load.desk import HOUR, Desk, Step, Story
from simulation.load.stories.newcomers import newcomer
from simulation.load.words import paying, reversing, voiding


def refund(desk: Desk) -> Story:
    """It is no hold; then parts, the rest, and too much; the first part again, hours later."""
    payment, wallet, shop = desk.id("vase"), desk.wallet(), desk.shop()
    part = reversing(f"{payment}:part", payment, amount_minor=desk.pick(1, 333, 4_000))
    legs = ((wallet, shop, 5_003), (wallet, desk.fees(), 97), (shop, desk.fees(), 13))
    return Story(
        [
            Step(paying(payment, *legs)),
            Step(voiding(f"{payment}:void", payment), desk.later()),
            Step(part, desk.later()),
            Step(reversing(f"{payment}:more", payment, amount_minor=700), desk.later()),
            Step(reversing(f"{payment}:rest", payment), desk.later()),
            Step(reversing(f"{payment}:over", payment, amount_minor=1), desk.later()),
            Step(part, desk.later(high=2 * HOUR)),
        ]
    )


def fought_over(desk: Desk) -> Story:
    """Given back by several at once, together more than was paid."""
    payment = desk.id("tug")
    parts = [reversing(f"{payment}:back-{n}", payment, amount_minor=600) for n in (1, 2, 3)]
    return Story(
        [
            Step(paying(payment, (desk.wallet(), desk.shop(), 1_501))),
            *(
                Step(part, 2 * SECOND if not n else desk.soon(), race=True)
                for n, part in enumerate(parts)
            ),
        ],
        "scattered",
    )


def spent(desk: Desk) -> Story:
    """Whoever was paid has spent it: it cannot be taken back, until there is money again."""
    payment = desk.id("lent")
    account, joining = newcomer(desk)
    return Story(
        [
            joining,
            Step(paying(payment, (desk.wallet(), account, 3_000)), desk.later()),
            Step(paying(f"{payment}:spent", (account, desk.shop(), 2_500)), desk.later()),
            Step(reversing(f"{payment}:early", payment), desk.later()),
            Step(paying(f"{payment}:income", (desk.clearing(), account, 2_500)), desk.later()),
            Step(reversing(f"{payment}:back", payment), desk.later()),
        ]
    )
