"""Stories of limits: last funds that several want, highest balances, windows met exactly."""

from __future__ import annotations

from typing import Any

from simulation.kernel.hub import MILLISECOND, SECOND
from simulation.load.desk import HOUR, MINUTE, Desk, Step, Story
from simulation.load.stories.newcomers import newcomer
from simulation.load.words import (
    batch,
    capturing,
    holding,
    limiting,
    opening,
    paying,
    velocity,
)


def last_funds(desk: Desk) -> Story:
    """Enough for two of five that ask at once."""
    race = desk.id("race")
    account, joining = newcomer(desk, 1_000)
    asked: list[Any] = [
        paying(f"{race}:{number}", (account, desk.shop(), 400)) for number in range(1, 5)
    ]
    asked.append(holding(f"{race}:hold", (account, desk.shop(), 400)))
    return Story(
        [
            joining,
            *(
                Step(one, 2 * SECOND if not number else desk.soon(), race=True)
                for number, one in enumerate(asked)
            ),
            Step(paying(f"{race}:crumbs", (account, desk.shop(), 200)), desk.later()),
            Step(paying(f"{race}:one-more", (account, desk.shop(), 1)), desk.later()),
        ],
        "scattered",
    )


def outbid(desk: Desk) -> Story:
    """All but one who ask at once are refused; whom they would have paid is paid by others then,
    and nobody must remember what never was."""
    id_ = desk.id("outbid")
    account, joining = newcomer(desk, 1_000)
    payees = [f"guests:{id_}:payee-{number}" for number in range(4)]
    return Story(
        [
            joining,
            Step(batch(f"{id_}:payees", *map(opening, payees)), desk.soon()),
            *(
                Step(
                    paying(f"{id_}:{number}", (account, payee, 700)),
                    desk.soon() if number else 2 * SECOND,
                    race=True,
                )
                for number, payee in enumerate(payees)
            ),
            *(
                Step(
                    paying(f"{id_}:{number}:{again}", (desk.clearing(), payee, 10 + again)),
                    desk.later(SECOND // 4, SECOND),
                    race=True,
                )
                for again in range(3)
                for number, payee in enumerate(payees)
            ),
        ],
        "alone",
    )


def overdraft(desk: Desk) -> Story:
    """An overdraft is agreed on and used to the last unit; later it is taken back."""
    id_, shop = desk.id("overdraft"), desk.shop()
    account, joining = newcomer(desk, 500)
    return Story(
        [
            joining,
            Step(paying(f"{id_}:early", (account, shop, 501)), desk.later()),
            Step(limiting(f"{id_}:agreed", account, min_balance_minor=-1_000), desk.later()),
            Step(paying(f"{id_}:all", (account, shop, 1_500)), desk.later()),
            Step(limiting(f"{id_}:ended", account, min_balance_minor=0), desk.later()),
            Step(paying(f"{id_}:late", (account, shop, 1)), desk.later()),
            Step(paying(f"{id_}:income", (desk.clearing(), account, 700)), desk.later()),
        ]
    )


def gift_card(desk: Desk) -> Story:
    """Loaded to the highest balance exactly, by several at once, and not beyond."""
    id_ = desk.id("gift")
    account, joining = newcomer(desk, 4_000, max_balance_minor=10_000)
    loads = [paying(f"{id_}:load-{n}", (desk.wallet(), account, 3_000)) for n in (1, 2, 3)]
    return Story(
        [
            joining,
            *(
                Step(load, 2 * SECOND if not number else desk.soon(), race=True)
                for number, load in enumerate(loads)
            ),
            Step(holding(f"{id_}:held", (desk.wallet(), account, 1)), desk.later()),
            Step(paying(f"{id_}:spent", (account, desk.shop(), 10_000)), desk.later()),
            Step(paying(f"{id_}:again", (desk.wallet(), account, 10_000)), desk.later()),
        ],
        "scattered",
    )


def posted_basis(desk: Desk) -> Story:
    """Holds come to more than there is: then their captures are refused."""
    id_ = desk.id("posted")
    account, joining = newcomer(desk, 1_000, min_balance_basis="posted")
    holds = [f"{id_}:hold-{number}" for number in (1, 2)]
    return Story(
        [
            joining,
            *(Step(holding(hold, (account, desk.shop(), 700)), desk.later()) for hold in holds),
            *(
                Step(
                    capturing(f"{hold}:all", hold), SECOND if not number else desk.soon(), race=True
                )
                for number, hold in enumerate(holds)
            ),
        ],
        "scattered",
    )


def changed_meanwhile(desk: Desk) -> Story:
    """The lowest balance is raised while payments are under way that it would not allow."""
    id_ = desk.id("meanwhile")
    account, joining = newcomer(desk, 1_000, min_balance_minor=-1_000)
    shop = desk.shop()
    return Story(
        [
            joining,
            Step(paying(f"{id_}:1", (account, shop, 900)), 2 * SECOND, race=True),
            Step(limiting(f"{id_}:limits", account, min_balance_minor=0), desk.soon(), race=True),
            Step(paying(f"{id_}:2", (account, shop, 900)), desk.soon(), race=True),
            Step(
                limiting(f"{id_}:conflict", account, max_balance_minor=-1), desk.later(), race=True
            ),
        ],
        "scattered",
    )


def hourly(desk: Desk) -> Story:
    """A rolling hour met exactly: one unit more is refused until the oldest steps count no more."""
    id_, shop = desk.id("hourly"), desk.shop()
    limit = velocity("hourly", "rolling", hours=1, max_amount_minor=1_000)
    account, joining = newcomer(desk, 50_000, velocity=(limit,))

    def pay(name: str, minor: int) -> Any:
        return paying(f"{id_}:{name}", (account, shop, minor))

    # A payment counts for an hour at least, and for a step of ten minutes longer at most.
    return Story(
        [
            joining,
            Step(pay("first", 600), desk.later(high=5 * SECOND)),
            Step(pay("second", 300), 10 * MINUTE),
            Step(pay("over", 101), 5 * MINUTE),
            Step(pay("exact", 100), MINUTE),
            Step(pay("none", 1), 5 * MINUTE),
            Step(pay("early", 600), 38 * MINUTE + desk.later(0, 55 * SECOND)),
            Step(pay("maybe", 600), desk.later(2 * MINUTE, 9 * MINUTE)),
            Step(pay("between", 600), 10 * MINUTE),
            Step(pay("late", 900), desk.later(20 * MINUTE, 50 * MINUTE)),
        ],
        desk.pick("alone", "scattered"),
    )


def three_a_day(desk: Desk) -> Story:
    """Three payments a day, around midnight; holds count too, captures of them do not. A week or
    a month may go on, or begin then."""
    id_, shop = desk.id("daily"), desk.shop()
    window = desk.pick("day", "day", "week", "month")
    limit = velocity("daily", window, max_count=3, max_amount_minor=10_000)
    account, joining = newcomer(desk, 90_000, velocity=(limit,))

    def pay(number: int) -> Any:
        return paying(f"{id_}:{number}", (account, shop, 1_000))

    # Midnight, if it comes within hours; otherwise just a busy minute of a day.
    ahead = desk.midnight() - desk.at
    wait = ahead - 4 * SECOND if ahead > 10 * SECOND and desk.midnight() < desk.ends else MINUTE
    return Story(
        [
            joining,
            Step(holding(f"{id_}:hold", (account, shop, 1_000)), 2 * SECOND),
            Step(pay(1), max(wait - 2 * SECOND, SECOND)),
            Step(pay(2), SECOND),
            Step(pay(3), SECOND),
            Step(capturing(f"{id_}:capture", f"{id_}:hold"), SECOND // 2),
            Step(pay(4), SECOND),
            Step(pay(5), SECOND),
            *(Step(pay(number), desk.soon(), race=True) for number in (6, 7, 8)),
        ],
        "scattered",
    )


def together(desk: Desk) -> Story:
    """Several payments at once, each within the limit, together beyond."""
    id_, shop = desk.id("burst"), desk.shop()
    window: dict[str, Any] = desk.pick(
        {"window": "day"},
        {"window": "week"},
        {"window": "month"},
        {"window": "rolling", "hours": 24},
        {"window": "rolling", "hours": 1},
    )
    limit = velocity("most", **window, max_amount_minor=2_000, max_count=desk.pick(3, 9))
    account, joining = newcomer(desk, 50_000, velocity=(limit,))
    return Story(
        [
            joining,
            *(
                Step(
                    paying(f"{id_}:{number}", (account, shop, 500)),
                    desk.soon() if number > 1 else 2 * SECOND,
                    race=True,
                )
                for number in range(1, 7)
            ),
        ],
        "scattered",
    )


def loosened(desk: Desk) -> Story:
    """A limit gets other bounds and goes on counting; one of another window begins anew."""
    id_, shop = desk.id("loosened"), desk.shop()
    account, joining = newcomer(desk, 50_000)

    def limited(name: str, most: int, window: str = "day") -> Step:
        limit = velocity("out", window, max_amount_minor=most)
        return Step(limiting(f"{id_}:{name}", account, limit), desk.later())

    def paid(name: str, minor: int) -> Step:
        return Step(paying(f"{id_}:{name}", (account, shop, minor)), desk.later())

    return Story(
        [
            joining,
            limited("tight", 500),
            paid("a", 500),
            paid("b", 1),
            limited("loose", 800),
            paid("c", 301),
            paid("d", 300),
            limited("weekly", 100, "week"),
            paid("e", 100),
            paid("f", 1),
        ]
    )


def incoming(desk: Desk) -> Story:
    """What arrives is limited as well; a margin captured counts once more."""
    id_ = desk.id("incoming")
    limit = velocity("in", "rolling", hours=6, direction="credits", max_count=2)
    account, joining = newcomer(desk, 0, velocity=(limit,))
    hold = f"{id_}:hold"
    return Story(
        [
            joining,
            Step(
                holding(hold, (desk.wallet(), account, 1_000), over_capture_bps=10_000),
                desk.later(),
            ),
            Step(capturing(f"{hold}:more", hold, amount_minor=1_500), desk.later()),
            Step(paying(f"{id_}:third", (desk.wallet(), account, 5)), 300 * MILLISECOND),
            Step(paying(f"{id_}:later", (desk.wallet(), account, 5)), desk.later(HOUR, 2 * HOUR)),
        ]
    )
