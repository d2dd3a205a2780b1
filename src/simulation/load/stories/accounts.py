"""Stories of accounts: frozen, closed, watched, described, opened twice."""

from __future__ import annotations

from ledger.contracts.commands import Alert, SetAlerts
from simulation.kernel.hub import SECOND
from simulation.load.desk import HOUR, Desk, Step, Story
from simulation.load.stories.newcomers import newcomer
from simulation.load.words import (
    capturing,
    closing,
    describing,
    freezing,
    holding,
    opening,
    paying,
    reversing,
    unfreezing,
    voiding,
)


def stolen_card(desk: Desk) -> Story:
    """No money leaves while debits are frozen; it may arrive, and what is held be released."""
    id_, shop = desk.id("stolen"), desk.shop()
    account, joining = newcomer(desk, 5_000)
    sides = desk.pick("debits", "both", "both")
    return Story(
        [
            joining,
            Step(holding(f"{id_}:hold", (account, shop, 700)), desk.later()),
            Step(freezing(f"{id_}:freeze", account, sides), desk.later()),
            Step(paying(f"{id_}:thief", (account, shop, 900)), desk.soon(), race=True),
            Step(paying(f"{id_}:income", (desk.clearing(), account, 50)), desk.later()),
            Step(capturing(f"{id_}:capture", f"{id_}:hold"), desk.later()),
            Step(voiding(f"{id_}:void", f"{id_}:hold"), desk.later()),
            Step(unfreezing(f"{id_}:unfreeze", account, sides), desk.later(high=HOUR)),
            Step(paying(f"{id_}:owner", (account, shop, 900)), desk.soon(), race=True),
            Step(paying(f"{id_}:later", (account, shop, 900)), desk.later()),
        ],
        desk.pick("scattered", "fifo"),
    )


def frozen_customer(desk: Desk) -> Story:
    """A customer of the bank, in the middle of all that they do."""
    id_, wallet = desk.id("frozen"), desk.wallet()
    sides = desk.pick("debits", "credits", "both")
    return Story(
        [
            Step(freezing(f"{id_}:freeze", wallet, sides)),
            Step(paying(f"{id_}:try", (wallet, desk.shop(), 1_500)), desk.later(high=9 * SECOND)),
            Step(unfreezing(f"{id_}:unfreeze", wallet, sides), desk.later(high=20 * SECOND)),
        ],
        desk.pick("alone", "fifo", "together"),
    )


def leaving(desk: Desk) -> Story:
    """Closed when it is empty, and for ever; payments race with the closing."""
    id_, shop = desk.id("leaving"), desk.shop()
    account, joining = newcomer(desk, 1_000)
    return Story(
        [
            joining,
            Step(holding(f"{id_}:hold", (account, shop, 1_000)), desk.later()),
            Step(closing(f"{id_}:early", account), desk.later()),
            Step(capturing(f"{id_}:rest", f"{id_}:hold"), desk.later()),
            Step(closing(f"{id_}:now", account), desk.later()),
            Step(paying(f"{id_}:late", (desk.clearing(), account, 5)), desk.soon(), race=True),
            Step(closing(f"{id_}:again", account), desk.later()),
            Step(reversing(f"{id_}:back", f"{id_}:hold"), desk.later()),
        ],
        desk.pick("alone", "scattered", "fifo"),
    )


def watched(desk: Desk) -> Story:
    """Alerts that are crossed down and up, exactly met, and switched off."""
    id_, shop = desk.id("watched"), desk.shop()
    account, joining = newcomer(desk, 1_000)

    def alerts(name: str, *given: tuple[str, int]) -> Step:
        wanted = tuple(
            Alert(direction="below" if word == "below" else "above", threshold_minor=minor)
            for word, minor in given
        )
        command = SetAlerts(v=1, id=f"{id_}:{name}", account=account, alerts=wanted)
        return Step(command, desk.later())

    def spent(name: str, minor: int, *, race: bool = False) -> Step:
        command = paying(f"{id_}:{name}", (account, shop, minor))
        return Step(command, desk.soon() if race else desk.later(), race=race)

    return Story(
        [
            joining,
            alerts("alerts", ("below", 500), ("below", 100), ("above", 900)),
            spent("exact", 500),
            spent("below", 1),
            Step(paying(f"{id_}:up", (desk.clearing(), account, 501)), desk.later()),
            spent("down-1", 600, race=True),
            spent("down-2", 350, race=True),
            Step(paying(f"{id_}:up-again", (desk.clearing(), account, 950)), desk.later()),
            Step(holding(f"{id_}:hold", (account, shop, 7)), desk.later()),
            spent("plunge", 920),
            alerts("off"),
            Step(paying(f"{id_}:quiet", (desk.clearing(), account, 5_000)), desk.later()),
        ],
        "scattered",
    )


def described(desk: Desk) -> Story:
    """Metadata of an account and a payment: set, replaced by several at once, removed."""
    id_, wallet, payment = desk.id("tags"), desk.wallet(), desk.id("tagged")
    return Story(
        [
            Step(paying(payment, (wallet, desk.shop(), 500), metadata={"invoice": "12"})),
            Step(
                describing(f"{id_}:account", "account", wallet, segment=desk.pick("a", "b")),
                desk.later(),
            ),
            Step(describing(f"{id_}:1", "payment", payment, invoice="13"), desk.later()),
            Step(
                describing(f"{id_}:2", "payment", payment, invoice="14", paid="yes"),
                desk.soon(),
                race=True,
            ),
            Step(describing(f"{id_}:3", "payment", payment), desk.later()),
            Step(describing(f"{id_}:nobody", "account", f"nobody:{id_}", a="b"), desk.later()),
        ]
    )


def opened_twice(desk: Desk) -> Story:
    """Two branches open the same account at once, each under its own id."""
    id_ = desk.id("twins")
    account = f"guests:{id_}:wallet"
    return Story(
        [
            Step(opening(account, id=f"{id_}:one")),
            Step(opening(account, id=f"{id_}:other", metadata={"by": "x"}), desk.soon(), race=True),
            Step(paying(f"{id_}:paid", (desk.clearing(), account, 10)), desk.later()),
        ],
        "scattered",
    )
