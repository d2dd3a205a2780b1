"""Every command there is, as state machines draw them: drafts, to be filled in where they are used.

A draft is a command in which a payment is a place in the list of payments so far (`@0`: the latest)
and a time is so many seconds from now (`~-600`); days are counted from today. So what is drawn does
not depend on what happened before it, and shrinks well.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st
from msgspec import UNSET, structs

from ledger.contracts.commands import (
    Alert,
    AtomicBatch,
    AuthorizePayment,
    BaseCommand,
    CapturePayment,
    CloseAccount,
    CloseBook,
    ExpirePayment,
    FreezeAccount,
    IncreasePayment,
    OpenAccount,
    OpenBook,
    PostPayment,
    PostTemplate,
    ReopenBook,
    ReversePayment,
    ScreenPayment,
    SetAlerts,
    SetLimits,
    SetMetadata,
    SetStripes,
    UnfreezeAccount,
    VoidPayment,
    expiry_id,
    screening_id,
)
from ledger.contracts.primitives import AMOUNT_MINOR_MAX, instant_of_microseconds
from tests.support.builders import (
    defining,
    holding,
    limit,
    opening,
    opening_book,
    paying,
    posting,
)
from tests.support.strategies import unset_or

EUROS = ("a", "b", "c", "e")
DOLLARS = ("x", "y")
LATE = "late"  # an account that may not be open yet
ACCOUNTS = (*EUROS, *DOLLARS, LATE)
NOTHING = 99  # a place at which there is no payment
MINORS = (1, 2, 3, 7, 10, 25, 50)
BOOKS = ("main", "side", "lost")
TEMPLATES = ("sale", "sale", "sale", "split", "none")

now_or = st.sampled_from
some = unset_or

_PLENTY = [
    posting(source, destination, minor, currency)
    for minor in MINORS
    for pool, currency in ((EUROS, "EUR"), (DOLLARS, "USD"))
    for source in pool
    for destination in pool
    if source != destination
]
_ODD = [
    posting("a", "x", 5, "EUR"),
    posting("a", LATE, 20),
    posting(LATE, "b", 5),
    posting("a", "b", AMOUNT_MINOR_MAX),
    posting("x", "y", AMOUNT_MINOR_MAX - 7, "USD"),
]
legs = st.sampled_from([*_PLENTY, *_PLENTY, *_ODD * 3])
several = st.lists(legs, min_size=1, max_size=4).map(tuple)
accounts = st.sampled_from((*EUROS, *EUROS, *EUROS, *ACCOUNTS))
ends = st.sampled_from(("e", LATE, LATE, "b"))
picks = st.sampled_from(
    [f"@{place}" for place in (*(0, 0, 0, 0, 0, 1, 1, 1, 2, 2), *range(3, 9), NOTHING)]
)
amounts = st.one_of(st.sampled_from([*MINORS, 4, 100]), st.integers(1, 120))
#: Around the tolerance for the future, the present, the reach of the present, days back.
EFFECTS = (301, 300, 299, 0, -1, -599, -600, -601, -86_400, -200_000, -400_000)
effective = st.sampled_from([*[UNSET] * 20, *(f"~{seconds}" for seconds in EFFECTS)])
EXPIRIES = (60, 60, 60, 3_600, 3_600, 86_400, 0, -1, 366 * 86_400, 366 * 86_400 + 1)
expiries = st.sampled_from([*[UNSET] * 4, *(f"~{seconds}" for seconds in EXPIRIES)])
days = st.sampled_from([0, -1, -1, -2, -2, -3, -4, -6]).map(lambda ago: f"~{ago}")
sides = st.sampled_from(["debits", "credits", "both"])
bounds = st.sampled_from([UNSET, UNSET, UNSET, None, 0, -20, -50, 5, 30, 150])
bases = st.sampled_from([UNSET, "available", "posted"])
texts = unset_or(st.sampled_from(["order 1", "order 2"]))
metadata = st.sampled_from([UNSET, UNSET, {}, {"channel": "web"}, {"channel": "app", "x": ""}])

_LIMITS = (
    limit("daily", max_amount_minor=60),
    limit("daily", max_amount_minor=30, max_count=2),
    limit("weekly", window="week", max_amount_minor=100),
    limit("monthly", window="month", max_count=5),
    limit("hourly", window="rolling", hours=1, max_amount_minor=40),
    limit("rolling", window="rolling", hours=24, direction="credits", max_amount_minor=90),
    limit("in", direction="credits", max_count=3),
    limit("dollars", currency="USD", max_amount_minor=25),
)
velocity = st.lists(st.sampled_from(_LIMITS), max_size=3, unique_by=lambda one: one.name).map(tuple)

SALE = defining(
    "sale",
    {"amount": "amount", "fee": "bps", "merchant": "account"},
    ("a", "b", "EUR", {"of": "amount"}),
    ("b", "e", "EUR", {"of": "amount", "bps": "fee"}),
    ("b", "{merchant}", "EUR", {"of": "amount", "remainder": True}),
)
DEAR_SALE = structs.replace(
    SALE, postings=SALE.postings[:1] + SALE.postings[1:2] * 2 + SALE.postings[2:]
)
SPLIT = defining(
    "split",
    {"amount": "amount", "currency": "currency", "from": "account", "to": "account"},
    ("{from}", "{to}", "{currency}", {"of": "amount", "bps": 3333, "rounding": "up"}),
    ("{to}", "{from}", "{currency}", {"of": "amount", "bps": 50, "rounding": "half_up"}),
)
_ARGUMENTS: tuple[dict[str, int | str], ...] = (
    {"amount": 10, "fee": 250, "merchant": "c"},
    {"amount": 25, "fee": 5_000, "merchant": "c"},
    {"amount": 7, "fee": 9_999, "merchant": "c"},
    {"amount": 10, "fee": 0, "merchant": "b"},
    {"amount": 10, "fee": 10_001, "merchant": "c"},
    {"amount": 10, "merchant": "c"},
    {"amount": 10, "fee": 250, "merchant": "c", "tip": 1},
    {"amount": 50, "currency": "USD", "from": "x", "to": "y"},
    {"amount": 50, "currency": "USD", "from": "a", "to": "y"},
    {"amount": 3, "currency": "EUR", "from": "a", "to": "c"},
    {"amount": 3, "currency": "EURO", "from": "a", "to": "c"},
    {"amount": 3, "currency": "EUR", "from": "a", "to": "a"},
)


def _drafts(kind: type[BaseCommand], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, v=st.just(1), id=st.just("?"), **fields)


openings = _drafts(
    OpenAccount,
    account=st.sampled_from([LATE, LATE, LATE, "a"]),
    currency=st.sampled_from(["EUR", "EUR", "USD"]),
    account_type=st.sampled_from(["liability", "asset"]),
    min_balance_minor=st.sampled_from([UNSET, None, 0, -50]),
    max_balance_minor=st.sampled_from([UNSET, None, 150]),
    effective_at=effective,
    book=st.sampled_from([UNSET, *BOOKS]),
    metadata=metadata,
    stripes=st.sampled_from([UNSET, UNSET, 1, 2, 5]),
)
stripes = _drafts(
    SetStripes,
    account=st.sampled_from([*"abbcce", *ACCOUNTS]),
    stripes=st.sampled_from([1, 2, 2, 3, 4, 4, 7]),
    reason=texts,
)
posts = _drafts(
    PostPayment,
    postings=several,
    effective_at=effective,
    reference=texts,
    metadata=metadata,
)
template_posts = _drafts(
    PostTemplate,
    template=st.sampled_from(TEMPLATES),
    template_version=st.sampled_from([UNSET, UNSET, UNSET, 1, 1, 2, 3]),
    parameters=st.sampled_from(_ARGUMENTS),
    effective_at=effective,
)
holds = _drafts(
    AuthorizePayment,
    postings=several,
    expires_at=expiries,
    over_capture_bps=st.sampled_from([UNSET, 0, 1_000, 10_000]),
    metadata=metadata,
)
captures = _drafts(
    CapturePayment,
    payment=picks,
    amount_minor=some(amounts),
    final=st.sampled_from([UNSET, UNSET, True, False]),
    effective_at=st.sampled_from([*[UNSET] * 20, *(f"~{seconds}" for seconds in EFFECTS[:5])]),
    reference=texts,
)
increases = st.one_of(
    _drafts(IncreasePayment, payment=picks, amount_minor=amounts, expires_at=expiries),
    _drafts(
        IncreasePayment, payment=picks, expires_at=expiries.filter(lambda one: one is not UNSET)
    ),
)
voids = _drafts(VoidPayment, payment=picks)
reversals = _drafts(
    ReversePayment,
    payment=picks,
    amount_minor=some(amounts),
    effective_at=effective,
    reference=texts,
)
expiring = _drafts(ExpirePayment, payment=picks, version=st.integers(1, 3))
screenings = _drafts(
    ScreenPayment,
    payment=picks,
    model=st.just("rules-1"),
    verdict=st.just("review"),
    score_permille=st.sampled_from([100, 700]),
    reasons=st.just(()),
)
alerts = _drafts(
    SetAlerts,
    account=accounts,
    alerts=st.sampled_from(
        [
            (),
            (Alert(direction="below", threshold_minor=10),),
            (
                Alert(direction="above", threshold_minor=0),
                Alert(direction="below", threshold_minor=-10),
            ),
        ]
    ),
)
freezes = _drafts(FreezeAccount, account=accounts, sides=sides, reason=st.just("asked to"))
unfreezes = _drafts(UnfreezeAccount, account=accounts, sides=sides, reason=st.just("over"))
closings = _drafts(CloseAccount, account=ends, reason=st.just("left"))
limits = _drafts(
    SetLimits,
    account=st.sampled_from([*"bbbccc", *ACCOUNTS]),
    min_balance_minor=bounds,
    max_balance_minor=bounds,
    min_balance_basis=bases,
    max_balance_basis=bases,
    velocity=st.one_of(st.just(UNSET), velocity, velocity),
).filter(lambda one: not any(_said_wrong(one)))
descriptions = st.one_of(
    _drafts(
        SetMetadata,
        subject=st.just("account"),
        subject_id=accounts,
        metadata=st.sampled_from([{}, {"vip": "yes"}]),
    ),
    _drafts(
        SetMetadata,
        subject=st.just("payment"),
        subject_id=picks,
        metadata=st.sampled_from([{}, {"invoice": "12"}]),
    ),
)
books = st.one_of(
    _drafts(OpenBook, book=st.sampled_from(BOOKS[:2])),
    _drafts(CloseBook, through=days, book=st.sampled_from([UNSET, *BOOKS])),
    _drafts(CloseBook, through=days, book=st.sampled_from([UNSET, *BOOKS])),
    _drafts(
        ReopenBook,
        through=st.one_of(st.none(), days),
        book=st.sampled_from([UNSET, *BOOKS]),
        reason=st.just("mistake"),
    ),
)
definitions = st.sampled_from([SALE, DEAR_SALE, SPLIT])


def _said_wrong(command: SetLimits) -> Sequence[bool]:
    """What of a change of limits is malformed."""
    lowest, highest = command.min_balance_minor, command.max_balance_minor
    return (
        isinstance(lowest, int) and isinstance(highest, int) and lowest > highest,
        all(getattr(command, name) is UNSET for name in command.__struct_fields__[3:]),
    )


def _weighted(*weights: tuple[int, st.SearchStrategy[Any]]) -> tuple[st.SearchStrategy[Any], ...]:
    return tuple(one for weight, one in weights for _ in range(weight))


_PAYMENTS = _weighted((3, posts), (4, holds), (1, template_posts))
_LATER = _weighted((5, captures), (2, increases), (3, reversals), (1, voids), (1, expiring))
_OTHERS = _weighted(
    *((1, one) for one in (alerts, freezes, closings, descriptions, definitions, openings)),
    (3, unfreezes),
    (6, limits),
    (5, stripes),
    (4, books),
    (1, screenings),
    (2, template_posts),
)
_MEMBERS = tuple(
    one for one in (*_PAYMENTS, *_LATER, *_OTHERS) if one not in {expiring, screenings}
)

# Composed, so that hypothesis does not write out at every step what they are made of.


@st.composite
def payments(draw: st.DrawFn) -> Any:
    """A payment, posted or held."""
    return draw(draw(st.sampled_from(_PAYMENTS)))


@st.composite
def later_lives(draw: st.DrawFn) -> Any:
    """What is done to a payment later."""
    return draw(draw(st.sampled_from(_LATER)))


@st.composite
def others(draw: st.DrawFn) -> Any:
    """What is done to accounts, books, templates and metadata."""
    return draw(draw(st.sampled_from(_OTHERS)))


@st.composite
def batches(draw: st.DrawFn) -> Any:
    """Some commands at once."""
    chosen = draw(st.lists(st.sampled_from(_MEMBERS), min_size=1, max_size=4))
    return AtomicBatch(v=1, id="?", commands=tuple(draw(one) for one in chosen))


@st.composite
def drafts(draw: st.DrawFn) -> Any:
    """Any command."""
    kinds = (payments(), payments(), later_lives(), later_lives(), others(), batches())
    return draw(draw(st.sampled_from(kinds)))


class Scene(NamedTuple):
    """What drafts are filled in with: the payments so far, those last that are most in question
    (open holds), the time in microseconds, and the id of some command of before."""

    payments: Sequence[str]
    now: int
    old: str | None = None


def filled(draft: BaseCommand, id_: str, scene: Scene) -> Any:
    """The command that a draft becomes under an id.

    A batch's commands get ids of their own, the last that of a command of before, if there is one.
    """
    given: dict[str, Any] = {"id": id_}
    for name in draft.__struct_fields__:
        value = getattr(draft, name)
        if isinstance(value, str) and value.startswith("@"):
            place = int(value[1:])
            known = bool(scene.payments) and place != NOTHING
            given[name] = scene.payments[-1 - place % len(scene.payments)] if known else "nothing"
        elif isinstance(value, str) and value.startswith("~"):
            given[name] = (_day if name == "through" else _instant)(value, scene.now)
    if isinstance(draft, AtomicBatch):
        ids = [f"{id_}-{index}" for index in range(len(draft.commands))]
        ids[-1] = scene.old or ids[-1]
        # A command may be about a payment that one before it makes.
        given["commands"] = tuple(
            filled(one, own, Scene([*scene.payments, *ids[:index]], scene.now))
            for index, (own, one) in enumerate(zip(ids, draft.commands, strict=True))
        )
    command = structs.replace(draft, **given)
    if isinstance(command, ExpirePayment):
        return structs.replace(command, id=expiry_id(command.payment, command.version))
    if isinstance(command, ScreenPayment):
        return structs.replace(command, id=screening_id(command.payment, command.model))
    return command


def _instant(text: str, now: int) -> str:
    return instant_of_microseconds(now + int(text[1:]) * 1_000_000)


def _day(text: str, now: int) -> str:
    today = datetime.fromisoformat(instant_of_microseconds(now)).date()
    return (today + timedelta(days=int(text[1:]))).isoformat()


LONG_AGO = "2026-10-01T00:00:00.000000Z"
#: A few accounts with some money, a template and a hold.
BEGINNING: tuple[Any, ...] = (
    opening_book("side"),
    opening("a", account_type="asset", min_balance_minor=None, effective_at=LONG_AGO),
    opening("b", min_balance_minor=-50, effective_at=LONG_AGO),
    opening("c", max_balance_minor=250, effective_at=LONG_AGO),
    opening(
        "e", account_type="expense", min_balance_minor=None, book="side", effective_at=LONG_AGO
    ),
    opening("x", currency="USD", account_type="equity", min_balance_minor=None),
    opening("y", currency="USD"),
    paying("fund", ("a", "b", 100), ("a", "c", 60), ("x", "y", 80, "USD")),
    structs.replace(SALE, id="sale-1"),
    holding("hold", ("b", "c", 20), ("y", "x", 15, "USD"), over_capture_bps=2_000),
)
