"""Stories of atomic batches: members that rest on each other, batches that fail, ids used twice."""

from __future__ import annotations

from typing import Any

from ledger.contracts.commands import ACTIONS_MAX, CloseBook, OpenBook
from simulation.kernel.hub import MILLISECOND, SECOND
from simulation.load.desk import DAY, Desk, Step, Story
from simulation.load.stories.newcomers import newcomer
from simulation.load.words import (
    batch,
    capturing,
    closing,
    describing,
    freezing,
    holding,
    increasing,
    opening,
    paying,
    reversing,
    unfreezing,
    voiding,
)


def whole_life(desk: Desk) -> Story:
    """An account is opened, funded, used, frozen, emptied and closed, all in one."""
    id_ = desk.id("life")
    account, shop, hold = f"guests:{id_}:wallet", desk.shop(), f"{id_}:hold"
    return Story(
        [
            Step(
                batch(
                    id_,
                    opening(account),
                    paying(f"{id_}:deposit", (desk.clearing(), account, 1_000)),
                    holding(hold, (account, shop, 501), (account, desk.fees(), 99)),
                    increasing(f"{hold}:more", hold, amount_minor=101),
                    capturing(f"{hold}:part", hold, amount_minor=333),
                    reversing(f"{hold}:back", hold, amount_minor=100),
                    voiding(f"{hold}:void", hold),
                    describing(f"{id_}:tags", "account", account, segment="short"),
                    freezing(f"{id_}:freeze", account, "credits"),
                    paying(f"{id_}:rest", (account, shop, 767)),
                    unfreezing(f"{id_}:unfreeze", account, "credits"),
                    closing(f"{id_}:close", account),
                )
            )
        ]
    )


def all_or_none(desk: Desk) -> Story:
    """The last of a batch is refused, so none takes effect; its members are free to be sent."""
    id_, shop = desk.id("failing"), desk.shop()
    account, joining = newcomer(desk, 1_000)
    good = [paying(f"{id_}:{n}", (account, shop, 300)) for n in (1, 2, 3)]
    last = paying(f"{id_}:4", (account, shop, desk.pick(101, 5_000)))
    after: list[Any] = [good[0], batch(f"{id_}:less", *good[1:])]
    return Story(
        [
            joining,
            Step(batch(id_, *good, last), desk.later()),
            *(Step(one, desk.later()) for one in after),
            Step(last, desk.later()),
        ],
        desk.pick("alone", "fifo", "scattered"),
    )


def refused_on_effects(desk: Desk) -> Story:
    """A batch fails on what it did itself; alone, its last member is accepted."""
    id_, shop = desk.id("undone"), desk.shop()
    account, joining = newcomer(desk, 1_000)
    member = paying(f"{id_}:second", (account, shop, 600))
    return Story(
        [
            joining,
            Step(batch(id_, paying(f"{id_}:first", (account, shop, 600)), member), desk.later()),
            Step(paying(f"{id_}:beside", (account, shop, 300)), desk.soon(), race=True),
            Step(member, desk.later()),
        ],
        "scattered",
    )


def used_ids(desk: Desk) -> Story:
    """A member that was decided before, and one that is sent by itself afterwards."""
    id_, wallet = desk.id("used"), desk.wallet()
    early = paying(f"{id_}:early", (wallet, desk.shop(), 11))
    late = paying(f"{id_}:late", (wallet, desk.shop(), 13))
    other = paying(f"{id_}:other", (wallet, desk.shop(), 17))
    changed = paying(f"{id_}:other", (wallet, desk.shop(), 18))
    committed = batch(f"{id_}:good", late, other)
    return Story(
        [
            Step(early),
            Step(batch(id_, late, early), desk.later()),
            Step(committed, desk.later()),
            Step(late, desk.soon(), race=True),
            Step(changed, desk.later()),
            Step(committed, desk.later()),
            Step(batch(f"{id_}:good", other, late), desk.later()),
        ],
        "scattered",
    )


def rivals(desk: Desk) -> Story:
    """Two batches want the same money, in opposite orders, while a payment wants it too."""
    id_ = desk.id("rivals")
    first, joining = newcomer(desk, 1_000)
    second, joining_too = newcomer(desk, 1_000)
    shop = desk.shop()

    def moved(name: str, *accounts: str) -> Any:
        members = (
            paying(f"{id_}:{name}-{number}", (account, shop, 700))
            for number, account in enumerate(accounts)
        )
        return batch(f"{id_}:{name}", *members)

    return Story(
        [
            joining,
            joining_too._replace(after=desk.soon()),
            Step(moved("a", first, second), 3 * SECOND, race=True),
            Step(moved("b", second, first), desk.soon(), race=True),
            Step(paying(f"{id_}:c", (second, first, 400)), desk.soon(), race=True),
        ],
        "scattered",
    )


def hopeless(desk: Desk) -> Story:
    """Batches are refused for their second payment while others empty the payer of the first: then
    that is what they must be refused for."""
    id_, shop = desk.id("hopeless"), desk.shop()
    rich, joining = newcomer(desk, 1_000)

    def refused(name: str) -> Any:
        return batch(
            f"{id_}:{name}",
            paying(f"{id_}:{name}-1", (rich, shop, 700)),
            paying(f"{id_}:{name}-2", (desk.wallet(), f"nobody:{id_}", 5)),
        )

    emptied = [paying(f"{id_}:empty-{number}", (rich, shop, 400)) for number in (1, 2)]
    at_once = [
        (refused("a"), 8),
        (refused("b"), 14),
        *((one, desk.amount(0, 30)) for one in emptied),
    ]
    at_once.sort(key=lambda one: one[1])
    steps, before = [joining], at_once[0][1] - 3_000
    for command, milliseconds in at_once:
        steps.append(Step(command, (milliseconds - before) * MILLISECOND, race=True))
        before = milliseconds
    return Story(steps, "alone")


def large(desk: Desk) -> Story:
    """As many payments as a bank sends at the end of a day."""
    id_, economy = desk.id("bulk"), desk.bank.euro
    count = desk.pick(8, 20, 40)
    members = (
        paying(
            f"{id_}:{number}",
            (desk.random.choice(economy.clearing), desk.random.choice(economy.wallets), number + 1),
        )
        for number in range(count)
    )
    return Story([Step(batch(id_, *members))])


def brimful(desk: Desk) -> Story:
    """As much as fits into one transaction, or one action less; and one more than fits, which is
    known only when the payment that a capture is of has been read."""
    id_, euro = desk.id("brim"), desk.bank.euro
    hold, clearing = f"{id_}:hold", desk.clearing()
    # Each with one state to write, whichever stripe a worker uses.
    shops = [shop for shop in euro.shops if shop not in euro.striped]
    everybody = [*euro.wallets, *(f"{one}:savings" for one in euro.customers), *shops]
    payees = desk.random.sample(everybody, min(len(everybody), desk.amount(20, 44)))

    def filled(name: str, actions: int) -> Any:
        # One each: the batch, the capture, the payment, its accounts, and one event a payment; a
        # description has an event and a state.
        left = actions - (4 + len(payees))
        described = everybody[: left // 2]
        paid = left - 2 * len(described)
        return batch(
            f"{id_}:{name}",
            capturing(f"{id_}:{name}:capture", hold),
            *(
                describing(f"{id_}:{name}:tag-{number}", "account", account, of=name)
                for number, account in enumerate(described)
            ),
            *(
                paying(f"{id_}:{name}:{number}", (clearing, payees[number % len(payees)], 3))
                for number in range(paid)
            ),
        )

    return Story(
        [
            Step(holding(hold, *((clearing, payee, 11) for payee in payees))),
            Step(filled("over", ACTIONS_MAX + 1), desk.later()),
            Step(filled("full", ACTIONS_MAX - desk.pick(0, 0, 1)), desk.later()),
        ]
    )


def new_branch(desk: Desk) -> Story:
    """A book, an account in it, a payment of last week and the closing of that week."""
    id_ = desk.id("founding")
    account = f"branches:{id_}:till"
    before = desk.instant(-5 * DAY)
    return Story(
        [
            Step(
                batch(
                    id_,
                    OpenBook(v=1, id=f"{id_}:book", book=id_),
                    opening(account, book=id_, effective_at=desk.instant(-9 * DAY)),
                    paying(f"{id_}:old", (desk.clearing(), account, 50), effective_at=before),
                    CloseBook(v=1, id=f"{id_}:close", book=id_, through=desk.day(-3)),
                    paying(f"{id_}:new", (desk.clearing(), account, 51)),
                )
            ),
            Step(
                paying(f"{id_}:late", (desk.clearing(), account, 52), effective_at=before),
                desk.later(),
            ),
        ]
    )
