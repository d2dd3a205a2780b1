"""Stories of what is refused for its own sake, of what looks like fraud, and of order alone."""

from __future__ import annotations

from typing import Any, Final

from ledger.contracts.commands import CloseBook, OpenBook, ReopenBook
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from simulation.kernel.hub import MILLISECOND, SECOND
from simulation.load.desk import DAY, HOUR, MINUTE, Desk, Step, Story
from simulation.load.words import (
    batch,
    capturing,
    closing,
    freezing,
    holding,
    increasing,
    limiting,
    opening,
    paying,
    reversing,
    velocity,
    voiding,
)

_OVERFLOWING: Final = AMOUNT_MINOR_MAX - 1_000


def refused(desk: Desk) -> Story:
    """One thing that cannot be done, whatever else happens."""
    id_, wallet, shop = desk.id("refused"), desk.wallet(), desk.shop()
    nobody = f"nobody:{id_}"
    foreign = desk.bank.economies["USD"].clearing[0]
    choices: tuple[Any, ...] = (
        paying(id_, (wallet, nobody, 5)),
        paying(id_, (wallet, foreign, 5)),
        paying(id_, (wallet, shop, 900_000_000)),
        paying(id_, (wallet, shop, 5), effective_at=desk.instant(-90 * DAY)),
        paying(id_, (wallet, shop, 5), effective_at=desk.instant(2 * HOUR)),
        holding(id_, (wallet, shop, 5), expires_at=desk.instant(-MINUTE)),
        holding(id_, (wallet, shop, 5), expires_at=desk.instant(400 * DAY)),
        holding(id_, (nobody, shop, 5)),
        capturing(id_, nobody),
        increasing(id_, nobody, amount_minor=1),
        voiding(id_, nobody),
        reversing(id_, nobody),
        closing(id_, wallet),
        closing(id_, nobody),
        freezing(id_, nobody, "both"),
        limiting(id_, nobody, min_balance_minor=0),
        limiting(id_, wallet, velocity("yen", "day", currency="JPY", max_count=5)),
        limiting(id_, wallet, max_balance_minor=-5),
        opening(wallet, id=id_),
        opening(nobody, id=id_, book="no-such-book"),
        OpenBook(v=1, id=id_, book="main"),
        CloseBook(v=1, id=id_, through=desk.day(1)),
        CloseBook(v=1, id=id_, book="no-such-book", through=desk.day(-9)),
        ReopenBook(v=1, id=id_, through=desk.day(-3), reason="nothing to reopen"),
    )
    return Story([Step(desk.random.choice(choices))])


def refused_twice_over(desk: Desk) -> Story:
    """What more than one reason is against: the first of them, as documented, is to be told."""
    id_, wallet, shop = desk.id("doubly"), desk.wallet(), desk.shop()
    foreign = desk.bank.economies["USD"].clearing[0]
    ahead, past = desk.instant(2 * HOUR), desk.instant(-90 * DAY)
    steps: list[Any] = [
        paying(f"{id_}:rich-abroad", (wallet, foreign, 900_000_000)),
        paying(f"{id_}:rich-later", (wallet, shop, 900_000_000), effective_at=ahead),
        paying(f"{id_}:early-abroad", (wallet, foreign, 5), effective_at=past),
        holding(f"{id_}:held", (wallet, foreign, 900_000_000), expires_at=desk.instant(-MINUTE)),
    ]
    return Story([Step(one, desk.later()) for one in steps], "alone")


def overflow(desk: Desk) -> Story:
    """Running totals that would pass what an integer holds."""
    id_ = desk.id("huge")
    one, other = f"vaults:{id_}:one", f"vaults:{id_}:other"
    leg = (one, other, _OVERFLOWING)
    return Story(
        [
            Step(
                batch(
                    f"{id_}:open",
                    opening(one, kind="equity", min_balance_minor=None),
                    opening(other, min_balance_minor=None),
                )
            ),
            Step(paying(f"{id_}:all", leg), desk.later()),
            Step(paying(f"{id_}:more", (one, other, 1_001)), desk.later()),
            Step(paying(f"{id_}:exact", (one, other, 1_000)), desk.later()),
            Step(holding(f"{id_}:held", (other, one, 1)), desk.later()),
        ]
    )


def suspicious(desk: Desk) -> Story:
    """A customer who always paid little pays much, again and again, to somebody new."""
    id_ = desk.id("suspicious")
    account, mule = f"guests:{id_}:wallet", f"guests:{id_}:mule"
    past = [
        paying(
            f"{id_}:past-{days}",
            (account, desk.shop(), 900 + days),
            effective_at=desk.instant(-days * DAY),
        )
        for days in (9, 7, 4, 2)
    ]
    now = [
        desk.pick(paying, holding)(f"{id_}:now-{number}", (account, mule, 60_000))
        for number in range(1, 5)
    ]
    return Story(
        [
            Step(
                batch(
                    f"{id_}:open",
                    opening(account, effective_at=desk.instant(-20 * DAY)),
                    opening(mule, effective_at=desk.instant(-20 * DAY)),
                    paying(f"{id_}:deposit", (desk.clearing(), account, 400_000)),
                )
            ),
            *(Step(one, desk.later(high=5 * SECOND)) for one in past),
            *(Step(one, desk.later(high=20 * SECOND)) for one in now),
        ],
        desk.pick("alone", "fifo"),
    )


def chain(desk: Desk) -> Story:
    """Each step would be refused if it came before the one in front of it."""
    id_ = desk.id("chain")
    first, second = f"guests:{id_}:first", f"guests:{id_}:second"
    hold = f"{id_}:hold"
    steps: list[Any] = [
        opening(first, id=f"{id_}:open-1"),
        opening(second, id=f"{id_}:open-2"),
        paying(f"{id_}:in", (desk.clearing(), first, 1_000)),
        paying(f"{id_}:over", (first, second, 1_000)),
        holding(hold, (second, first, 1_000)),
        capturing(f"{id_}:half", hold, amount_minor=499),
        capturing(f"{id_}:rest", hold, final=True),
        reversing(f"{id_}:back", hold, amount_minor=1),
        paying(f"{id_}:out", (first, desk.shop(), 999), (second, desk.shop(), 1)),
        closing(f"{id_}:close-1", first),
        closing(f"{id_}:close-2", second),
    ]
    return Story([Step(one, desk.soon()) for one in steps], desk.pick("fifo", "fifo", "together"))


def ping_pong(desk: Desk) -> Story:
    """The same money to and fro: one step missed, doubled or overtaken, and the next is refused."""
    id_ = desk.id("pong")
    one, other = f"guests:{id_}:one", f"guests:{id_}:other"
    rounds = desk.pick(4, 6, 8)
    steps: list[Any] = [
        batch(
            f"{id_}:open",
            opening(one),
            opening(other),
            paying(f"{id_}:serve", (desk.clearing(), one, 777)),
        )
    ]
    for number in range(rounds):
        ends = (one, other) if number % 2 == 0 else (other, one)
        steps.append(paying(f"{id_}:{number}", (*ends, 777)))
    return Story([Step(step, desk.soon()) for step in steps], "fifo")


def convoy(desk: Desk) -> Story:
    """Payments that have nothing to do with each other, one behind the other in a group, faster
    than they are decided: whatever keeps one of them must keep all behind it."""
    id_ = desk.id("convoy")
    wallets = desk.bank.euro.wallets
    legs = [(wallets[number % len(wallets)], desk.shop(), 100 + number) for number in range(10)]
    return Story(
        [
            # Every other one has two postings: that is what the next release writes differently.
            Step(
                paying(f"{id_}:{number}", leg, *([(leg[0], desk.fees(), 1)] * (number % 2))),
                desk.random.randrange(2 * MILLISECOND),
            )
            for number, leg in enumerate(legs)
        ],
        "fifo",
    )
