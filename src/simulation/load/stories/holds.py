"""Stories of holds: captured in parts and at the end, voided, prolonged, forgotten, fought over."""

from __future__ import annotations

from simulation.kernel.hub import MILLISECOND, SECOND
from simulation.load.desk import HOUR, MINUTE, Desk, Step, Story
from simulation.load.stories.everyday import exchange
from simulation.load.stories.newcomers import newcomer
from simulation.load.words import (
    Leg,
    capturing,
    holding,
    increasing,
    paying,
    reversing,
    voiding,
)


def hotel(desk: Desk) -> Story:
    """Several payees, a margin, one night more, parts that divide badly; once too much."""
    hold, wallet = desk.id("hotel"), desk.wallet()
    legs: list[Leg] = [(wallet, desk.shop(), 10_007), (wallet, desk.fees(), 331)]
    if desk.chance(0.5):
        legs.append((desk.clearing(), desk.fees(), 17))
    return Story(
        [
            Step(holding(hold, *legs, over_capture_bps=desk.pick(500, 1_500))),
            Step(increasing(f"{hold}:night", hold, amount_minor=3_001), desk.later()),
            Step(capturing(f"{hold}:part-1", hold, amount_minor=3_333), desk.later()),
            Step(
                capturing(f"{hold}:part-2", hold, amount_minor=desk.pick(1, 7, 4_999)), desk.later()
            ),
            Step(capturing(f"{hold}:beyond", hold, amount_minor=12_000), desk.later()),
            Step(
                capturing(f"{hold}:rest", hold, amount_minor=2_003, final=True),
                desk.later(high=HOUR),
            ),
        ]
    )


def margin(desk: Desk) -> Story:
    """Captured to the last unit that the margin allows, and one unit beyond before."""
    hold, wallet = desk.id("margin"), desk.wallet()
    most = 5_003 + 5_003 * 1_000 // 10_000
    legs: tuple[Leg, ...] = ((wallet, desk.shop(), 3_002), (wallet, desk.shop(), 2_001))
    return Story(
        [
            Step(holding(hold, *legs, over_capture_bps=1_000)),
            Step(capturing(f"{hold}:too-much", hold, amount_minor=most + 1), desk.later()),
            Step(capturing(f"{hold}:all", hold, amount_minor=most), desk.later()),
        ]
    )


def fuel(desk: Desk) -> Story:
    """More is held than is taken; the rest is free at once, and can be spent."""
    hold = desk.id("fuel")
    account, joining = newcomer(desk, 10_000)
    return Story(
        [
            joining,
            Step(holding(hold, (account, desk.shop(), 9_000)), desk.later()),
            Step(capturing(f"{hold}:filled", hold, amount_minor=6_243, final=True), desk.later()),
            Step(paying(f"{hold}:next", (account, desk.shop(), 3_757)), desk.later()),
        ]
    )


def cancelled(desk: Desk) -> Story:
    """What is voided is captured no more; the reversal of a hold is its void."""
    hold = desk.id("order")
    ending = voiding if desk.chance(0.6) else reversing
    return Story(
        [
            Step(holding(hold, (desk.wallet(), desk.shop(), desk.amount()))),
            Step(ending(f"{hold}:void", hold), desk.later()),
            Step(capturing(f"{hold}:late", hold), desk.later()),
        ]
    )


def forgotten(desk: Desk) -> Story:
    """Nobody captures it in time; somebody tries later, or gives it up."""
    hold, lasts = desk.id("taxi"), desk.pick(MINUTE, 7 * MINUTE, 40 * MINUTE, 2 * HOUR)
    steps = [
        Step(
            holding(
                hold, (desk.wallet(), desk.shop(), desk.amount()), expires_at=desk.instant(lasts)
            )
        )
    ]
    if desk.chance(0.4):
        steps.append(Step(capturing(f"{hold}:part", hold, amount_minor=37), desk.later()))
    if desk.chance(0.6):
        late = desk.pick(capturing, voiding)
        steps.append(Step(late(f"{hold}:late", hold), lasts + desk.later(high=5 * MINUTE)))
    return Story(steps)


def left_open(desk: Desk) -> Story:
    """Nobody captures it at all, and it goes on for days."""
    hold = desk.id("deposit")
    lasts = desk.later(24 * HOUR, 6 * 24 * HOUR)
    leg = (desk.wallet(), desk.shop(), desk.amount())
    return Story([Step(holding(hold, leg, expires_at=desk.instant(lasts)))])


def last_moment(desk: Desk) -> Story:
    """Captured, voided and prolonged around the very instant at which it is over."""
    hold, lasts = desk.id("moment"), desk.pick(MINUTE, 3 * MINUTE, 10 * MINUTE)
    before = lasts - desk.pick(30 * SECOND, 5 * SECOND, SECOND, 50 * MILLISECOND)
    leg = (desk.wallet(), desk.shop(), 4_001)
    return Story(
        [
            Step(holding(hold, leg, expires_at=desk.instant(lasts))),
            Step(capturing(f"{hold}:part", hold, amount_minor=1_001), before, race=True),
            Step(
                increasing(f"{hold}:longer", hold, expires_at=desk.instant(lasts + MINUTE))
                if desk.chance(0.3)
                else capturing(f"{hold}:more", hold, amount_minor=500),
                desk.later(0, 2 * SECOND),
                race=True,
            ),
            Step(capturing(f"{hold}:rest", hold), desk.later(0, 3 * SECOND), race=True),
            Step(voiding(f"{hold}:void", hold), desk.later(0, 70 * SECOND), race=True),
        ],
        "scattered",
    )


def swept(desk: Desk) -> Story:
    """Holds that are over just as the ledger sweeps: each is captured or prolonged at the very
    moment."""
    group, sweep = desk.id("swept"), desk.minute(10 * SECOND)
    holds = [f"{group}:{number}" for number in range(1, 5)]
    over = desk.instant(sweep - desk.later(0, 300 * MILLISECOND))
    steps = [
        Step(
            holding(hold, (desk.wallet(), desk.shop(), 2_001), expires_at=over),
            0 if not number else desk.soon(),
        )
        for number, hold in enumerate(holds)
    ]
    at = sum(step.after for step in steps)
    moments = sorted(sweep - desk.later(-60 * MILLISECOND, 900 * MILLISECOND) for _ in holds)
    for hold, moment in zip(holds, moments, strict=True):
        last = (
            increasing(f"{hold}:longer", hold, expires_at=desk.instant(sweep + 5 * MINUTE))
            if desk.chance(0.6)
            else capturing(f"{hold}:all", hold)
        )
        steps.append(Step(last, moment - at, race=True))
        at = moment
    late = (Step(capturing(f"{hold}:late", hold), desk.later(), race=True) for hold in holds)
    return Story([*steps, *late], "alone")


def needed(desk: Desk) -> Story:
    """All the money is held; when the hold is over it is spent before anybody has swept."""
    hold, lasts = desk.id("needed"), desk.pick(2 * MINUTE, 9 * MINUTE)
    account, joining = newcomer(desk, 5_000)
    shop = desk.shop()
    return Story(
        [
            joining,
            Step(
                holding(hold, (account, shop, 5_000), expires_at=desk.instant(lasts)),
                desk.later(high=10 * SECOND),
            ),
            Step(paying(f"{hold}:early", (account, shop, 100)), desk.later(high=10 * SECOND)),
            # Behind the expiry by a bit more than clocks differ.
            Step(
                paying(f"{hold}:first", (account, shop, 3_000)), lasts + desk.later(0, 5 * SECOND)
            ),
            Step(paying(f"{hold}:second", (account, shop, 3_000)), desk.soon(), race=True),
            Step(capturing(f"{hold}:late", hold), desk.soon(), race=True),
        ],
        "scattered",
    )


def needed_twice(desk: Desk) -> Story:
    """Two holds of all the money are over one after the other, and each is spent at once."""
    hold, shop = desk.id("both"), desk.shop()
    account, joining = newcomer(desk, 5_000)
    # Some seconds behind a sweep, so that the next one is far.
    first, second = desk.minute(MINUTE) + 5 * SECOND, desk.minute(MINUTE) + 20 * SECOND
    clocks = 2 * SECOND
    held = 2 * SECOND
    # Refused by several workers, each of which has then looked for holds that are over.
    early = [paying(f"{hold}:early-{number}", (account, shop, 1)) for number in range(4)]
    return Story(
        [
            joining,
            Step(
                holding(f"{hold}:1", (account, shop, 2_000), expires_at=desk.instant(first)), held
            ),
            Step(
                holding(f"{hold}:2", (account, shop, 3_000), expires_at=desk.instant(second)), held
            ),
            *(Step(one, 0 if number else held, race=True) for number, one in enumerate(early)),
            Step(
                paying(f"{hold}:first", (account, shop, 2_000)),
                first + clocks - 3 * held + desk.later(0, 4 * SECOND),
            ),
            Step(
                paying(f"{hold}:second", (account, shop, 3_000)),
                second - first + desk.later(0, 4 * SECOND),
            ),
            Step(paying(f"{hold}:none", (account, shop, 1)), desk.later()),
        ],
        "alone",
    )


def prolonged(desk: Desk) -> Story:
    """Held for longer before it was over: it is captured after it would have been."""
    hold = desk.id("longer")
    longer = desk.instant(20 * MINUTE)
    return Story(
        [
            Step(
                holding(
                    hold, (desk.wallet(), desk.shop(), 7_001), expires_at=desk.instant(3 * MINUTE)
                )
            ),
            Step(increasing(f"{hold}:longer", hold, expires_at=longer), desk.later()),
            Step(
                increasing(f"{hold}:shorter", hold, expires_at=desk.instant(4 * MINUTE)),
                desk.later(high=20 * SECOND),
            ),
            Step(capturing(f"{hold}:all", hold), desk.later(4 * MINUTE, 8 * MINUTE)),
        ]
    )


def fought_over(desk: Desk) -> Story:
    """Captures that together come to more than is held, all at once; then late repeats."""
    hold = desk.id("fight")
    wallet, one, other = desk.wallet(), desk.shop(), desk.fees()
    parts = [capturing(f"{hold}:part-{n}", hold, amount_minor=2_500) for n in range(1, 5)]
    return Story(
        [
            Step(holding(hold, (wallet, one, 4_001), (wallet, other, 3_000))),
            *(
                Step(part, SECOND if not n else desk.soon(), race=True)
                for n, part in enumerate(parts)
            ),
            Step(capturing(f"{hold}:final", hold, final=True), desk.later()),
            *(Step(part, desk.later(high=2 * HOUR), race=True) for part in parts[:2]),
        ],
        "scattered",
    )


def captured_or_voided(desk: Desk) -> Story:
    """One captures while another voids, or prolongs."""
    hold = desk.id("either")
    leg = (desk.wallet(), desk.shop(), desk.amount())
    steps = [
        Step(capturing(f"{hold}:capture", hold), desk.later(), race=True),
        Step(voiding(f"{hold}:void", hold), desk.soon(), race=True),
        Step(increasing(f"{hold}:more", hold, amount_minor=11), desk.soon(), race=True),
    ]
    return Story([Step(holding(hold, leg)), *steps], "scattered")


def abroad(desk: Desk) -> Story:
    """Held in one currency and paid in another: parts of both, and some of it given back."""
    hold = desk.id("trip")
    euro, yen = desk.bank.economies["EUR"], desk.bank.economies["JPY"]
    legs, rates = exchange(desk, (euro, desk.wallet()), (yen, yen.shops[0]), desk.amount(2_000))
    return Story(
        [
            Step(holding(hold, *legs, rates=rates)),
            Step(capturing(f"{hold}:part-1", hold, amount_minor=701), desk.later()),
            Step(capturing(f"{hold}:part-2", hold, amount_minor=1), desk.later()),
            Step(reversing(f"{hold}:back-1", hold, amount_minor=333), desk.later()),
            Step(capturing(f"{hold}:rest", hold), desk.later(high=HOUR)),
            Step(reversing(f"{hold}:back-2", hold, amount_minor=desk.pick(1, 997)), desk.later()),
        ]
    )


def twice_captured(desk: Desk) -> Story:
    """A capture that took the rest is asked for again when the hold is long over."""
    hold = desk.id("again")
    first = capturing(f"{hold}:first", hold, amount_minor=1_000)
    rest = capturing(f"{hold}:rest", hold, final=True)
    leg = (desk.wallet(), desk.shop(), 3_000)
    return Story(
        [
            Step(holding(hold, leg, expires_at=desk.instant(30 * MINUTE))),
            Step(first, desk.later()),
            Step(rest, desk.later()),
            Step(first, desk.later(HOUR, 3 * HOUR)),
            Step(rest, desk.later(high=HOUR)),
        ]
    )
