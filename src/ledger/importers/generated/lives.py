"""The whole life of payments and accounts, in a dozen small stories with a known end.

What the payments of everyday life do not show: holds that are captured, voided and expire, what is
given back, a stolen card, a limit on spending, a template, batches, a closed month, a customer who
leaves. Each story is of a member of a club, whose accounts no other source has; within a story all
happens in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from msgspec import UNSET, UnsetType

from ledger.contracts import reasons
from ledger.contracts.commands import (
    AmountRule,
    AtomicBatch,
    AuthorizePayment,
    CapturePayment,
    CloseAccount,
    CloseBook,
    DefineTemplate,
    FreezeAccount,
    IncreasePayment,
    MemberCommand,
    OpenAccount,
    OpenBook,
    Posting,
    PostPayment,
    PostTemplate,
    ReopenBook,
    ReversePayment,
    SetLimits,
    SetMetadata,
    TemplateParameter,
    TemplatePosting,
    UnfreezeAccount,
    VelocityLimit,
    VoidPayment,
)
from ledger.contracts.primitives import AccountType
from ledger.contracts.reasons import Reason
from ledger.importers.instructions import (
    EXPIRED,
    POSTED,
    REPEAT,
    Instruction,
    Phase,
    Source,
    instruction_of,
)

_CURRENCY: Final = "EUR"
_DEPOSIT: Final = 20_000
_CLEARING: Final = "club:clearing"
_FEES: Final = "club:fees"
_HOTEL: Final = "hotels:lakeside"
_FUEL: Final = "fuel:station-7"
_SHOP: Final = "shops:atelier"
_BOOK: Final = "club-2025"
#: Who is paid may give back too; who is told of in a story may not overdraw.
_UNBOUNDED: Final[dict[str, AccountType]] = {
    _CLEARING: "asset",
    _FEES: "income",
    _HOTEL: "liability",
    _FUEL: "liability",
    _SHOP: "liability",
}
_FUNDED: Final = (*("anna", "ben", "cleo", "dora", "emil", "fred", "gina", "hugo", "ines", "lena"),)
#: Before anything in a story is effective.
_FOUNDED: Final = "2024-12-01T00:00:00Z"
#: The hold that nobody captures, and what it holds until it expires.
FORGOTTEN: Final = "life:taxi"


def lives(expires_at: str) -> Source:
    """The stories. One hold in them is given up by nobody, and expires at `expires_at` (an instant
    that must lie ahead when it is sent); all else is the same bytes at every call."""
    return Source(
        name="the life of payments and accounts",
        phases=(
            Phase("accounts", tuple(_openings())),
            Phase("deposits", tuple(_deposits())),
            Phase("lives", tuple(_stories(expires_at)), ordered=True),
        ),
        balances_minor={
            _wallet(name): minor
            for name, minor in {
                "anna": _DEPOSIT - 18_500,
                "ben": _DEPOSIT - 6_240,
                "cleo": _DEPOSIT,
                "dora": _DEPOSIT,
                "emil": _DEPOSIT,
                "fred": _DEPOSIT + 500 - 1_000,
                "gina": _DEPOSIT - 10_000,
                "hugo": _DEPOSIT - 10_000,
                "ines": _DEPOSIT - 3_000,
                "jonas": 3_000 - 2_500,
                "kurt": 5_000 + 700,
                "lena": 0,
            }.items()
        }
        | {
            _HOTEL: 18_500,
            _FUEL: 6_240,
            _SHOP: 1_000 + 10_000 + 9_860 + 2_500,
            _FEES: 140,
        },
        # Of the forgotten hold, and of the payments of the batch that took effect.
        besides={EXPIRED: 1, POSTED: 2},
    )


def _stories(expires_at: str) -> Iterator[Instruction]:
    yield from _hotel()
    yield from _fuel()
    yield from _cancelled()
    yield from _forgotten(expires_at)
    yield from _refund()
    yield from _stolen_card()
    yield from _careful()
    yield from _template()
    yield from _batches()
    yield from _closed_month()
    yield from _leaving()


def _hotel() -> Iterator[Instruction]:
    """More nights than booked, a deposit captured first, the rest at the end; never too much."""
    wallet = _wallet("anna")
    first = CapturePayment(v=1, id="life:hotel:deposit", payment="life:hotel", amount_minor=12_500)
    beyond = CapturePayment(v=1, id="life:hotel:beyond", payment="life:hotel", amount_minor=9_001)
    rest = CapturePayment(
        v=1, id="life:hotel:rest", payment="life:hotel", amount_minor=6_000, final=True
    )
    yield _of(
        wallet,
        AuthorizePayment(
            v=1,
            id="life:hotel",
            postings=(_posting(wallet, _HOTEL, 15_000),),
            over_capture_bps=500,
            reference="two nights",
        ),
    )
    yield _of(
        wallet,
        IncreasePayment(v=1, id="life:hotel:night", payment="life:hotel", amount_minor=5_000),
    )
    yield _of(wallet, first)
    # 7,500 are left of the hold, and 1,000 of the margin that it allows.
    yield _of(wallet, beyond, reasons.CAPTURE_EXCEEDS_HOLD)
    yield _of(wallet, first, REPEAT)
    yield _of(wallet, rest)


def _fuel() -> Iterator[Instruction]:
    """More is held than is filled up; what is not used is free at once."""
    wallet = _wallet("ben")
    postings = (_posting(wallet, _FUEL, 10_000),)
    yield _of(wallet, AuthorizePayment(v=1, id="life:fuel", postings=postings))
    yield _of(
        wallet,
        CapturePayment(
            v=1, id="life:fuel:filled", payment="life:fuel", amount_minor=6_240, final=True
        ),
    )


def _cancelled() -> Iterator[Instruction]:
    """What is voided cannot be captured any more."""
    wallet = _wallet("cleo")
    postings = (_posting(wallet, _SHOP, 4_500),)
    yield _of(wallet, AuthorizePayment(v=1, id="life:order", postings=postings))
    void = VoidPayment(v=1, id="life:order:void", payment="life:order", reason="out of stock")
    yield _of(wallet, void)
    capture = CapturePayment(v=1, id="life:order:late", payment="life:order")
    yield _of(wallet, capture, reasons.HOLD_NOT_OPEN)


def _forgotten(expires_at: str) -> Iterator[Instruction]:
    """Nobody captures it: it expires by itself."""
    wallet = _wallet("dora")
    postings = (_posting(wallet, _FUEL, 2_000),)
    hold = AuthorizePayment(v=1, id=FORGOTTEN, postings=postings, expires_at=expires_at)
    yield _of(wallet, hold)


def _refund() -> Iterator[Instruction]:
    """Given back in two parts, each once, and no more than was paid."""
    wallet = _wallet("emil")
    yield _of(wallet, _paid("life:vase", wallet, _SHOP, 1_999))
    part = ReversePayment(
        v=1, id="life:vase:part", payment="life:vase", amount_minor=500, reason="a scratch"
    )
    yield _of(wallet, part)
    yield _of(wallet, part, REPEAT)
    yield _of(wallet, ReversePayment(v=1, id="life:vase:rest", payment="life:vase"))
    more = ReversePayment(v=1, id="life:vase:more", payment="life:vase", amount_minor=1)
    yield _of(wallet, more, reasons.REVERSAL_EXCEEDS_PAYMENT)


def _stolen_card() -> Iterator[Instruction]:
    """No money leaves while debits are frozen; it may arrive."""
    wallet = _wallet("fred")
    freeze = FreezeAccount(
        v=1, id="life:card:stolen", account=wallet, sides="debits", reason="card stolen"
    )
    yield _of(wallet, freeze)
    thief = _paid("life:card:thief", wallet, _SHOP, 1_000)
    yield _of(wallet, thief, reasons.ACCOUNT_FROZEN)
    yield _of(wallet, _paid("life:card:bonus", _CLEARING, wallet, 500))
    unfreeze = UnfreezeAccount(
        v=1, id="life:card:found", account=wallet, sides="debits", reason="card found"
    )
    yield _of(wallet, unfreeze)
    yield _of(wallet, _paid("life:card:owner", wallet, _SHOP, 1_000))


def _careful() -> Iterator[Instruction]:
    """A limit of one's own: 100.00 in a day's time."""
    wallet = _wallet("gina")
    # Not a day of the calendar: it may end between two payments.
    limit = VelocityLimit(
        name="daily-out",
        window="rolling",
        hours=24,
        direction="debits",
        currency=_CURRENCY,
        max_amount_minor=10_000,
        max_count=10,
    )
    limits = SetLimits(v=1, id="life:limit", account=wallet, velocity=(limit,))
    yield _of(wallet, limits)
    yield _of(wallet, _paid("life:limit:1", wallet, _SHOP, 6_000))
    second = _paid("life:limit:2", wallet, _SHOP, 6_000)
    yield _of(wallet, second, reasons.VELOCITY_LIMIT_EXCEEDED)
    yield _of(wallet, _paid("life:limit:3", wallet, _SHOP, 4_000))


def _template() -> Iterator[Instruction]:
    """A sale with its fee, by name: 1.40 of 100.00 for the club, the rest for the shop."""
    wallet = _wallet("hugo")
    yield _of(wallet, _card_sale())
    parameters: dict[str, int | str] = {"amount": 10_000, "fee_bps": 140, "member": "hugo"}
    sale = PostTemplate(
        v=1, id="life:sale", template="club_sale", parameters=parameters | {"shop": "atelier"}
    )
    yield _of(wallet, sale)
    nowhere = PostTemplate(v=1, id="life:sale:nowhere", template="club_sale", parameters=parameters)
    yield _of(wallet, nowhere, reasons.MISSING_PARAMETER)


def _card_sale() -> DefineTemplate:
    kinds: dict[str, Literal["amount", "bps", "account"]] = {
        "amount": "amount",
        "fee_bps": "bps",
        "member": "account",
        "shop": "account",
    }

    def posting(destination: str, amount: AmountRule) -> TemplatePosting:
        return TemplatePosting(
            source=_wallet("{member}"), destination=destination, currency=_CURRENCY, amount=amount
        )

    return DefineTemplate(
        v=1,
        id="life:template",
        template="club_sale",
        parameters=tuple(TemplateParameter(name=name, kind=kind) for name, kind in kinds.items()),
        postings=(
            posting(_FEES, AmountRule(of="amount", bps="fee_bps")),
            posting("shops:{shop}", AmountRule(of="amount", remainder=True)),
        ),
    )


def _batches() -> Iterator[Instruction]:
    """Pocket money that is spent in the same breath; and all or nothing."""
    wallet, child = _wallet("ines"), _wallet("jonas")

    def batch(name: str, *commands: MemberCommand) -> AtomicBatch:
        return AtomicBatch(v=1, id=f"life:batch:{name}", commands=commands)

    both = batch(
        "both",
        _paid("life:pocket-money", wallet, child, 3_000),
        _paid("life:toy", child, _SHOP, 2_500),
    )
    yield _of(wallet, both)
    neither = batch(
        "neither",
        _paid("life:more-pocket-money", wallet, child, 1_000),
        _paid("life:bicycle", child, _SHOP, 39_900),
    )
    yield _of(wallet, neither, reasons.INSUFFICIENT_FUNDS)


def _closed_month() -> Iterator[Instruction]:
    """Nothing is booked into a month that is closed, before it is opened again."""
    wallet = _wallet("kurt")
    yield _of(wallet, OpenBook(v=1, id="life:book", book=_BOOK))
    yield _of(wallet, _opening(wallet, "liability", book=_BOOK, effective_at=_FOUNDED))
    metadata = {"branch": "7", "segment": "students"}
    yield _of(
        wallet,
        SetMetadata(
            v=1, id="life:metadata", subject="account", subject_id=wallet, metadata=metadata
        ),
    )
    january = "2025-01-20T12:00:00Z"
    yield _of(wallet, _paid("life:grant", _CLEARING, wallet, 5_000, january))
    yield _of(wallet, CloseBook(v=1, id="life:book:close", book=_BOOK, through="2025-01-31"))
    late = _paid("life:grant:late", _CLEARING, wallet, 700, january)
    yield _of(wallet, late, reasons.PERIOD_CLOSED)
    reopening = ReopenBook(
        v=1, id="life:book:reopen", book=_BOOK, through="2024-12-31", reason="a grant was missing"
    )
    yield _of(wallet, reopening)
    yield _of(wallet, _paid("life:grant:again", _CLEARING, wallet, 700, january))


def _leaving() -> Iterator[Instruction]:
    """An account is closed when it is empty, and for ever."""
    wallet = _wallet("lena")

    def close(name: str) -> CloseAccount:
        return CloseAccount(v=1, id=f"life:leave:{name}", account=wallet, reason="moves away")

    yield _of(wallet, close("early"), reasons.ACCOUNT_NOT_EMPTY)
    yield _of(wallet, _paid("life:leave:rest", wallet, _CLEARING, _DEPOSIT))
    yield _of(wallet, close("now"))
    late = _paid("life:leave:late", _CLEARING, wallet, 100)
    yield _of(wallet, late, reasons.ACCOUNT_CLOSED)


def _openings() -> Iterator[Instruction]:
    for account, account_type in _UNBOUNDED.items():
        opening = _opening(account, account_type, unbounded=True, effective_at=_FOUNDED)
        yield _of(account, opening)
    for name in (*_FUNDED, "jonas"):
        yield _of(_wallet(name), _opening(_wallet(name), "liability"))


def _deposits() -> Iterator[Instruction]:
    for name in _FUNDED:
        yield _of(_wallet(name), _paid(f"life:deposit:{name}", _CLEARING, _wallet(name), _DEPOSIT))


def _opening(
    account: str,
    account_type: AccountType,
    *,
    unbounded: bool = False,
    book: str | UnsetType = UNSET,
    effective_at: str | UnsetType = UNSET,
) -> OpenAccount:
    return OpenAccount(
        v=1,
        id=f"open:{account}",
        account=account,
        currency=_CURRENCY,
        account_type=account_type,
        min_balance_minor=None if unbounded else 0,
        book=book,
        effective_at=effective_at,
    )


def _paid(
    id_: str,
    source: str,
    destination: str,
    amount_minor: int,
    effective_at: str | UnsetType = UNSET,
) -> PostPayment:
    return PostPayment(
        v=1,
        id=id_,
        postings=(_posting(source, destination, amount_minor),),
        effective_at=effective_at,
    )


def _posting(source: str, destination: str, amount_minor: int) -> Posting:
    return Posting(
        source=source, destination=destination, amount_minor=amount_minor, currency=_CURRENCY
    )


def _of(
    ordering_key: str, command: MemberCommand | AtomicBatch, expected: Reason | str = ""
) -> Instruction:
    outcome = expected.code if isinstance(expected, Reason) else expected
    return instruction_of(command, ordering_key=ordering_key, origin="life", expected=outcome)


def _wallet(member: str) -> str:
    return f"club:{member}:wallet"
