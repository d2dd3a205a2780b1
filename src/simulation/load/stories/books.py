"""Stories of books: periods that are closed while some date back, and reopened."""

from __future__ import annotations

from typing import Any

from ledger.contracts.commands import CloseBook, OpenBook, ReopenBook
from simulation.kernel.hub import SECOND
from simulation.load.desk import DAY, HOUR, MINUTE, Desk, Step, Story
from simulation.load.words import capturing, holding, opening, paying, reversing


def branch(desk: Desk) -> Story:
    """A branch closes its period while payments of that period still come."""
    book = desk.id("branch")
    account = f"branches:{book}:till"
    before = desk.instant(-5 * DAY)

    def paid(name: str, *, back: int = 5 * DAY, race: bool = False) -> Step:
        leg = (desk.clearing(), account, desk.amount())
        command = paying(f"{book}:{name}", leg, effective_at=desk.instant(-back))
        return Step(command, desk.soon() if race else desk.later(), race=race)

    def closed(name: str, days: int, *, race: bool = False) -> Step:
        command = CloseBook(v=1, id=f"{book}:{name}", book=book, through=desk.day(days))
        return Step(command, desk.soon() if race else desk.later(), race=race)

    def reopened(name: str, days: int | None) -> Step:
        through = None if days is None else desk.day(days)
        command = ReopenBook(
            v=1, id=f"{book}:{name}", book=book, through=through, reason="one was missing"
        )
        return Step(command, desk.later())

    return Story(
        [
            Step(OpenBook(v=1, id=f"{book}:open", book=book, description="A branch at the lake")),
            Step(
                opening(
                    account, book=book, effective_at=desk.instant(-20 * DAY), id=f"{book}:till"
                ),
                desk.later(high=5 * SECOND),
            ),
            paid("in-time"),
            paid("race-1", race=True),
            paid("race-2", race=True),
            closed("close", -4, race=True),
            paid("race-3", race=True),
            paid("race-4", race=True),
            paid("late"),
            paid("free", back=2 * DAY),
            closed("again", -4),
            closed("recent", 0),
            reopened("reopen", -6),
            paid("at-last"),
            Step(
                reversing(f"{book}:back", f"{book}:in-time", amount_minor=1, effective_at=before),
                desk.later(),
            ),
            closed("for-good", -3),
            reopened("nothing", -2),
        ],
        "scattered",
    )


def ordered_branch(desk: Desk) -> Story:
    """Closed, refused, reopened, accepted, in the order of a queue."""
    book = desk.id("office")
    account = f"branches:{book}:till"
    before = desk.instant(-3 * DAY)

    def paid(name: str) -> Step:
        leg = (desk.clearing(), account, 100)
        return Step(paying(f"{book}:{name}", leg, effective_at=before), desk.soon())

    return Story(
        [
            Step(OpenBook(v=1, id=f"{book}:open", book=book)),
            Step(
                opening(
                    account, book=book, effective_at=desk.instant(-20 * DAY), id=f"{book}:till"
                ),
                desk.soon(),
            ),
            paid("1"),
            Step(CloseBook(v=1, id=f"{book}:close", book=book, through=desk.day(-2)), desk.soon()),
            paid("2"),
            Step(
                ReopenBook(
                    v=1, id=f"{book}:reopen", book=book, through=None, reason="one was missing"
                ),
                desk.soon(),
            ),
            paid("3"),
        ],
        desk.pick("fifo", "together"),
    )


def main_book(desk: Desk) -> Story:
    """The bank's own book, closed through a day long ago; and ever later days."""
    id_ = desk.id("main")
    days = -40 + int((desk.at - desk.begins) // HOUR) % 8
    leg = (desk.wallet(), desk.shop(), 77)
    return Story(
        [
            Step(CloseBook(v=1, id=f"{id_}:close", through=desk.day(days))),
            Step(
                paying(f"{id_}:old", leg, effective_at=desk.instant((days - 1) * DAY)), desk.later()
            ),
            Step(
                paying(f"{id_}:young", leg, effective_at=desk.instant((days + 2) * DAY)),
                desk.later(),
            ),
        ]
    )


def dated(desk: Desk) -> Story:
    """Around what counts as current: ten minutes back; and of a hold that is dated back."""
    id_, wallet, shop = desk.id("dated"), desk.wallet(), desk.shop()
    minutes: list[Any] = [
        paying(f"{id_}:{name}", (wallet, shop, 31), effective_at=desk.instant(after))
        for name, after in (
            ("edge", -10 * MINUTE + desk.later(0, 3 * SECOND)),
            ("soon", 4 * MINUTE),
            ("future", 20 * MINUTE),
        )
    ]
    hold = f"{id_}:hold"
    return Story(
        [
            *(Step(one, desk.soon()) for one in minutes),
            Step(holding(hold, (wallet, shop, 3_000)), desk.later()),
            Step(
                reversing(f"{hold}:ahead", hold, effective_at=desk.instant(2 * HOUR)), desk.later()
            ),
            Step(
                capturing(f"{hold}:1", hold, amount_minor=10, effective_at=desk.instant(SECOND)),
                5 * SECOND,
            ),
            Step(
                capturing(f"{hold}:2", hold, amount_minor=10, effective_at=desk.instant(-DAY)),
                desk.later(),
            ),
            Step(reversing(f"{id_}:back", f"{id_}:edge", amount_minor=1), desk.later()),
        ]
    )
