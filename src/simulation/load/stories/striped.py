"""Stories of striped accounts: limits met by many at once, stripes added and given up, holds that
stay where they are, and what is done to an account as a whole."""

from __future__ import annotations

from typing import Any

from ledger.contracts.commands import Alert, SetAlerts
from simulation.kernel.hub import SECOND
from simulation.load.desk import MINUTE, Desk, Step, Story
from simulation.load.stories.newcomers import newcomer
from simulation.load.words import (
    capturing,
    closing,
    freezing,
    holding,
    increasing,
    limiting,
    opening,
    paying,
    reversing,
    striping,
    unfreezing,
    velocity,
    voiding,
)


def till(desk: Desk) -> Story:
    """Many pay from one account at once until there is nothing left: what one stripe lacks, others
    have, to the last unit."""
    id_ = desk.id("till")
    account, joining = newcomer(desk, 2_000, stripes=desk.pick(2, 3, 4))
    paid = [
        paying(f"{id_}:{n}", (account, desk.shop(), desk.pick(170, 240, 330))) for n in range(9)
    ]
    return Story(
        [
            joining,
            *(
                Step(one, 2 * SECOND if not n else desk.soon(), race=True)
                for n, one in enumerate(paid)
            ),
            Step(paying(f"{id_}:crumbs", (account, desk.shop(), 90)), desk.later(high=5 * SECOND)),
            Step(paying(f"{id_}:more", (account, desk.shop(), 1_900)), desk.later(high=5 * SECOND)),
            Step(paying(f"{id_}:income", (desk.clearing(), account, 2_100)), desk.later()),
            Step(paying(f"{id_}:all", (account, desk.shop(), 1_950)), desk.later()),
        ],
        desk.pick("scattered", "scattered", "together"),
    )


def widened(desk: Desk) -> Story:
    """Stripes are added and given up while payments flow both ways, and holds are open."""
    id_ = desk.id("widened")
    account, joining = newcomer(desk, 3_000, stripes=desk.pick(1, 2))
    hold = f"{id_}:hold"

    def pay(name: str, minor: int, *, back: bool = False) -> Step:
        ends = (desk.clearing(), account) if back else (account, desk.shop())
        return Step(paying(f"{id_}:{name}", (*ends, minor)), desk.soon(), race=True)

    def spread(name: str, stripes: int) -> Step:
        return Step(striping(f"{id_}:{name}", account, stripes), desk.soon(), race=True)

    return Story(
        [
            joining,
            Step(holding(hold, (account, desk.shop(), 400)), 2 * SECOND),
            pay("a", 500),
            spread("more", desk.pick(3, 4, 6)),
            pay("b", 700),
            pay("c", 300, back=True),
            pay("d", 600),
            Step(holding(f"{hold}-2", (account, desk.shop(), 350)), desk.later(high=3 * SECOND)),
            pay("e", 450),
            spread("fewer", desk.pick(1, 2)),
            pay("f", 640),
            pay("g", 200, back=True),
            Step(capturing(f"{hold}:capture", hold, amount_minor=250), desk.soon(), race=True),
            Step(voiding(f"{hold}-2:void", f"{hold}-2"), desk.later(high=5 * SECOND)),
            spread("again", 4),
            pay("h", 510),
            Step(paying(f"{id_}:rest", (account, desk.shop(), 1_000)), desk.later()),
        ],
        desk.pick("scattered", "scattered", "together", "fifo"),
    )


def held(desk: Desk) -> Story:
    """Holds end on the stripes that they are on, also if these take nothing new any more."""
    id_ = desk.id("kept")
    account, joining = newcomer(desk, 4_000, stripes=5)
    holds = [f"{id_}:hold-{number}" for number in range(5)]
    ends: list[Any] = [
        capturing(f"{holds[0]}:all", holds[0]),
        voiding(f"{holds[1]}:void", holds[1]),
        increasing(f"{holds[2]}:more", holds[2], amount_minor=120),
        capturing(f"{holds[2]}:part", holds[2], amount_minor=301),
        reversing(f"{holds[0]}:back", holds[0], amount_minor=77),
    ]
    until = desk.minute(desk.later(3 * MINUTE, 5 * MINUTE))
    return Story(
        [
            joining,
            *(
                Step(
                    holding(
                        one,
                        (account, desk.shop(), 500),
                        expires_at=desk.instant(until if one in holds[3:] else 5 * 60 * MINUTE),
                    ),
                    2 * SECOND if not number else desk.soon(),
                    race=True,
                )
                for number, one in enumerate(holds)
            ),
            Step(striping(f"{id_}:fewer", account, desk.pick(1, 2)), desk.later(high=9 * SECOND)),
            *(Step(one, desk.later(high=6 * SECOND)) for one in ends),
            Step(paying(f"{id_}:late", (account, desk.shop(), 2_500)), desk.later(high=9 * SECOND)),
            Step(paying(f"{id_}:freed", (account, desk.shop(), 900)), until),
            Step(striping(f"{id_}:more", account, 7), desk.later()),
            Step(paying(f"{id_}:last", (account, desk.shop(), 50)), desk.later()),
        ],
        "scattered",
    )


def as_a_whole(desk: Desk) -> Story:
    """Frozen, with other limits, and closed: whichever stripe a payment would use."""
    id_, shop = desk.id("whole"), desk.shop()
    account, joining = newcomer(desk, 3_000, stripes=4)
    sides = desk.pick("debits", "both")

    def pays(name: str, minor: int, count: int = 1) -> list[Step]:
        return [
            Step(paying(f"{id_}:{name}-{n}", (account, shop, minor)), desk.soon(), race=True)
            for n in range(count)
        ]

    return Story(
        [
            joining,
            *pays("early", 100, 3),
            Step(freezing(f"{id_}:freeze", account, sides), desk.later(high=5 * SECOND)),
            *pays("frozen", 100, 4),
            Step(unfreezing(f"{id_}:unfreeze", account, sides), desk.later(high=5 * SECOND)),
            *pays("free", 100, 2),
            Step(limiting(f"{id_}:tight", account, min_balance_minor=2_600), desk.later()),
            *pays("beyond", 40, 3),
            Step(limiting(f"{id_}:loose", account, min_balance_minor=-500), desk.later()),
            *pays("overdrawn", 700, 5),
            Step(closing(f"{id_}:early-end", account), desk.later(high=5 * SECOND)),
            Step(limiting(f"{id_}:free", account, min_balance_minor=None), desk.later()),
            *pays("deep", 2_000, 2),
        ],
        desk.pick("scattered", "alone", "fifo"),
    )


def emptied(desk: Desk) -> Story:
    """Closed at a sum of nothing, though no stripe need be at nothing; nothing comes in then."""
    id_, shop = desk.id("emptied"), desk.shop()
    account, joining = newcomer(desk, 1_200, stripes=3)
    return Story(
        [
            joining,
            Step(paying(f"{id_}:1", (account, shop, 500)), desk.later(high=5 * SECOND)),
            Step(paying(f"{id_}:2", (account, shop, 400)), desk.soon(), race=True),
            Step(closing(f"{id_}:early", account), desk.later(high=5 * SECOND)),
            Step(paying(f"{id_}:3", (account, shop, 300)), desk.later(high=5 * SECOND)),
            Step(closing(f"{id_}:now", account), desk.later(high=5 * SECOND)),
            Step(paying(f"{id_}:late", (desk.clearing(), account, 5)), desk.soon(), race=True),
            Step(striping(f"{id_}:spread", account, 2), desk.later(high=5 * SECOND)),
        ],
        desk.pick("scattered", "alone", "together"),
    )


def filled(desk: Desk) -> Story:
    """Loaded to the highest balance exactly, by many at once, and not beyond."""
    id_ = desk.id("filled")
    account, joining = newcomer(desk, 500, stripes=4, max_balance_minor=4_000)
    loads = [
        paying(f"{id_}:{n}", (desk.clearing(), account, desk.pick(450, 700))) for n in range(7)
    ]
    return Story(
        [
            joining,
            *(
                Step(one, 2 * SECOND if not n else desk.soon(), race=True)
                for n, one in enumerate(loads)
            ),
            Step(paying(f"{id_}:little", (desk.clearing(), account, 150)), desk.later()),
            Step(paying(f"{id_}:out", (account, desk.shop(), 600)), desk.soon(), race=True),
            Step(paying(f"{id_}:in", (desk.clearing(), account, 600)), desk.later()),
        ],
        desk.pick("scattered", "together"),
    )


def shared(desk: Desk) -> Story:
    """Everybody pays one shop: every stripe of it is used, and none waits for another."""
    id_ = desk.id("shared")
    account = f"merchants:{id_}:till"
    wallets = desk.bank.euro.wallets
    return Story(
        [
            Step(opening(account, stripes=desk.pick(4, 8, 16), min_balance_minor=None)),
            *(
                Step(
                    paying(
                        f"{id_}:{number}", (wallets[number % len(wallets)], account, 50 + number)
                    ),
                    2 * SECOND if not number else desk.soon(),
                    race=True,
                )
                for number in range(desk.pick(8, 14))
            ),
            Step(striping(f"{id_}:fewer", account, 2), desk.soon(), race=True),
            Step(paying(f"{id_}:out", (account, desk.clearing(), 333)), desk.later()),
        ],
        "scattered",
    )


def at_odds(desk: Desk) -> Story:
    """A striped account has no alerts and no velocity limits, and one with these no stripes."""
    id_ = desk.id("odds")
    account, joining = newcomer(desk, 500, stripes=2)
    plain, joining_too = newcomer(desk, 500)
    alerts = (Alert(direction="below", threshold_minor=100),)
    limit = velocity("daily", "day", max_count=3)
    steps: list[Any] = [
        SetAlerts(v=1, id=f"{id_}:watch", account=account, alerts=alerts),
        limiting(f"{id_}:limit", account, limit),
        SetAlerts(v=1, id=f"{id_}:plain", account=plain, alerts=alerts),
        striping(f"{id_}:spread", plain, 3),
        striping(f"{id_}:one", plain, 1),
        striping(f"{id_}:nobody", f"nobody:{id_}", 2),
    ]
    return Story([joining, joining_too, *(Step(one, desk.later(high=9 * SECOND)) for one in steps)])
