"""Commands, states and stamps for tests: well-formed, with only what a test is about spelt out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from ledger.contracts.commands import (
    Alert,
    AtomicBatch,
    AuthorizePayment,
    BaseCommand,
    CapturePayment,
    CloseAccount,
    CloseBook,
    DefineTemplate,
    ExpirePayment,
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
    ScreeningReason,
    ScreenPayment,
    SetAlerts,
    SetLimits,
    SetMetadata,
    SetStripes,
    Sides,
    TemplateParameter,
    TemplatePosting,
    UnfreezeAccount,
    VelocityLimit,
    VoidPayment,
    checked,
    expiry_id,
    screening_id,
)
from ledger.contracts.events import Accepted, AccountEvent, AccountStatus, Event, PaymentPosted
from ledger.contracts.primitives import MAIN_BOOK, AccountType
from ledger.domain.accounts import GENESIS_HASH, AccountState
from ledger.domain.chain import StoredEvent, seal
from ledger.domain.decider import decide
from ledger.domain.evolution import states_after
from ledger.domain.rejections import Rejection
from ledger.domain.stamp import Stamp
from ledger.domain.states import State, States

ACTOR = "events:123456789012:core-banking"
NOON = "2026-11-21T12:00:00.000000Z"
NOON_MICROSECONDS = 1_795_262_400_000_000
STAMP = Stamp(NOON, ACTOR)

Leg = tuple[str, str, int] | tuple[str, str, int, str]
"""Source, destination, minor units, and a currency (EUR if left out)."""


def opening(
    account: str,
    *,
    id: str | None = None,
    currency: str = "EUR",
    account_type: AccountType = "liability",
    min_balance_minor: int | UnsetType | None = UNSET,
    max_balance_minor: int | UnsetType | None = UNSET,
    effective_at: str | UnsetType = UNSET,
    book: str | UnsetType = UNSET,
    metadata: dict[str, str] | UnsetType = UNSET,
) -> OpenAccount:
    """A command that opens `account`; its id is `open:<account>` unless given."""
    return checked(
        OpenAccount(
            v=1,
            id=id or f"open:{account}",
            account=account,
            currency=currency,
            account_type=account_type,
            min_balance_minor=min_balance_minor,
            max_balance_minor=max_balance_minor,
            effective_at=effective_at,
            book=book,
            metadata=metadata,
        )
    )


def alerting(account: str, *alerts: tuple[str, int], id: str = "alerts") -> SetAlerts:
    """A command that sets the alerts of `account`, each a direction and a threshold."""
    return checked(
        SetAlerts(
            v=1,
            id=id,
            account=account,
            alerts=tuple(
                msgspec.convert({"direction": way, "threshold_minor": minor}, Alert)
                for way, minor in alerts
            ),
        )
    )


def screening(payment: str, *, model: str = "rules-1", score_permille: int = 700) -> ScreenPayment:
    """A command with the verdict `review` on `payment`, for one reason."""
    reason = ScreeningReason(code="new_counterparty", value=1, norm=None, unit="accounts")
    return checked(
        ScreenPayment(
            v=1,
            id=screening_id(payment, model),
            payment=payment,
            model=model,
            verdict="review",
            score_permille=score_permille,
            reasons=(reason,),
        )
    )


def paying(
    id: str,
    *legs: Leg,
    effective_at: str | UnsetType = UNSET,
    reference: str | UnsetType = UNSET,
    description: str | UnsetType = UNSET,
    metadata: dict[str, str] | UnsetType = UNSET,
) -> PostPayment:
    """A payment command with one posting for each of `legs`."""
    return checked(
        PostPayment(
            v=1,
            id=id,
            postings=tuple(posting(*leg) for leg in legs),
            effective_at=effective_at,
            reference=reference,
            description=description,
            metadata=metadata,
        )
    )


def holding(id: str, *legs: Leg, **fields: Any) -> AuthorizePayment:
    """A command that holds a payment with one posting for each of `legs`."""
    postings = tuple(posting(*leg) for leg in legs)
    return checked(AuthorizePayment(v=1, id=id, postings=postings, **fields))


def capturing(payment: str, amount_minor: int | None = None, **fields: Any) -> CapturePayment:
    """A command that captures a hold, all of it if no amount is given."""
    id_ = fields.pop("id", f"capture:{payment}")
    amount = UNSET if amount_minor is None else amount_minor
    return checked(CapturePayment(v=1, id=id_, payment=payment, amount_minor=amount, **fields))


def increasing(payment: str, amount_minor: int | None = None, **fields: Any) -> IncreasePayment:
    """A command that increases a hold, or prolongs it."""
    id_ = fields.pop("id", f"increase:{payment}")
    amount = UNSET if amount_minor is None else amount_minor
    return checked(IncreasePayment(v=1, id=id_, payment=payment, amount_minor=amount, **fields))


def voiding(payment: str, **fields: Any) -> VoidPayment:
    """A command that voids a hold."""
    return checked(
        VoidPayment(v=1, id=fields.pop("id", f"void:{payment}"), payment=payment, **fields)
    )


def expiring(payment: str, version: int = 1) -> ExpirePayment:
    """The ledger's own command that ends a hold which is due at that version."""
    id_ = expiry_id(payment, version)
    return checked(ExpirePayment(v=1, id=id_, payment=payment, version=version))


def reversing(payment: str, amount_minor: int | None = None, **fields: Any) -> ReversePayment:
    """A command that reverses a payment, all of it if no amount is given."""
    id_ = fields.pop("id", f"reverse:{payment}")
    amount = UNSET if amount_minor is None else amount_minor
    return checked(ReversePayment(v=1, id=id_, payment=payment, amount_minor=amount, **fields))


def freezing(account: str, sides: Sides = "both", *, id: str | None = None) -> FreezeAccount:
    """A command that freezes sides of `account`."""
    id_ = id or f"freeze:{account}"
    return checked(FreezeAccount(v=1, id=id_, account=account, sides=sides, reason="asked to"))


def unfreezing(account: str, sides: Sides = "both", *, id: str | None = None) -> UnfreezeAccount:
    """A command that lets sides of `account` pass again."""
    id_ = id or f"unfreeze:{account}"
    return checked(UnfreezeAccount(v=1, id=id_, account=account, sides=sides, reason="over"))


def closing(account: str, *, id: str | None = None) -> CloseAccount:
    """A command that closes `account`."""
    return checked(CloseAccount(v=1, id=id or f"close:{account}", account=account, reason="left"))


def limiting(account: str, **fields: Any) -> SetLimits:
    """A command that sets the limits of `account` that are given."""
    return checked(
        SetLimits(v=1, id=fields.pop("id", f"limits:{account}"), account=account, **fields)
    )


def striping(account: str, stripes: int, *, id: str | None = None) -> SetStripes:
    """A command that spreads `account` over so many stripes."""
    return checked(SetStripes(v=1, id=id or f"stripes:{account}", account=account, stripes=stripes))


def describing(
    subject: Literal["account", "payment"],
    subject_id: str,
    *,
    id: str | None = None,
    **metadata: str,
) -> SetMetadata:
    """A command that sets the metadata of an account or a payment."""
    return checked(
        SetMetadata(
            v=1,
            id=id or f"metadata:{subject_id}",
            subject=subject,
            subject_id=subject_id,
            metadata=metadata,
        )
    )


def opening_book(book: str, *, id: str | None = None) -> OpenBook:
    """A command that opens a book."""
    return checked(OpenBook(v=1, id=id or f"open-book:{book}", book=book))


def closing_book(through: str, **fields: Any) -> CloseBook:
    """A command that closes a book, `main` unless told otherwise."""
    return checked(
        CloseBook(v=1, id=fields.pop("id", f"close:{through}"), through=through, **fields)
    )


def reopening_book(through: str | None, **fields: Any) -> ReopenBook:
    """A command that reopens what a book, `main` unless told otherwise, was closed for."""
    id_ = fields.pop("id", f"reopen:{through}")
    return checked(ReopenBook(v=1, id=id_, through=through, reason="mistake", **fields))


def defining(
    template: str,
    parameters: Mapping[str, str],
    *postings: tuple[str, str, str, Mapping[str, object]],
    id: str | None = None,
) -> DefineTemplate:
    """A command that defines a template: kinds by parameter; source, destination, currency and
    amount rule of each posting."""
    names = ("source", "destination", "currency", "amount")
    return checked(
        DefineTemplate(
            v=1,
            id=id or f"define:{template}",
            template=template,
            parameters=tuple(
                msgspec.convert({"name": name, "kind": kind}, TemplateParameter)
                for name, kind in parameters.items()
            ),
            postings=tuple(
                msgspec.convert(dict(zip(names, one, strict=True)), TemplatePosting)
                for one in postings
            ),
        )
    )


def making(
    id: str, template: str, version: int | None = None, **arguments: int | str
) -> PostTemplate:
    """A command that posts a payment made of a template."""
    wanted = UNSET if version is None else version
    return checked(
        PostTemplate(v=1, id=id, template=template, template_version=wanted, parameters=arguments)
    )


def batching(id: str, *commands: MemberCommand) -> AtomicBatch:
    """An atomic batch of `commands`."""
    return checked(AtomicBatch(v=1, id=id, commands=commands))


def posting(source: str, destination: str, amount_minor: int, currency: str = "EUR") -> Posting:
    """One posting."""
    return Posting(
        source=source, destination=destination, amount_minor=amount_minor, currency=currency
    )


def state(
    id: str,
    *,
    version: int = 7,
    currency: str = "EUR",
    type: AccountType = "liability",
    status: AccountStatus = "open",
    debits: int = 0,
    credits: int = 0,  # noqa: A002 - the totals' own names
    pending_debits: int = 0,
    pending_credits: int = 0,
    lowest: int | None = None,
    highest: int | None = None,
    opened_at: str = "2026-11-21T10:00:00.000000Z",
    recorded_at: str = "2026-11-21T11:00:00.000000Z",
    watched: tuple[Alert, ...] = (),
    frozen: Sides | None = None,
    book: str = MAIN_BOOK,
    **more: Any,
) -> AccountState:
    """A state as the domain meets it; unbounded, open and empty unless told otherwise.

    A frozen one is frozen on both sides unless told otherwise; `more` are fields by their names.
    """
    if status == "frozen" and frozen is None:
        frozen = "both"
    return AccountState(
        id=id,
        version=version,
        currency=currency,
        type=type,
        status="frozen" if frozen and status == "open" else status,
        debits_posted_minor=debits,
        credits_posted_minor=credits,
        debits_pending_minor=pending_debits,
        credits_pending_minor=pending_credits,
        min_balance_minor=lowest,
        max_balance_minor=highest,
        opened_at=opened_at,
        recorded_at=recorded_at,
        last_event=f"made:{id}:{version}",
        hash=GENESIS_HASH,
        alerts=watched,
        frozen=frozen,
        book=book,
        **more,
    )


def limit(name: str = "daily", **fields: object) -> VelocityLimit:
    """A velocity limit: on what is debited in a day, in EUR, unless told otherwise."""
    plain = {"name": name, "window": "day", "direction": "debits", "currency": "EUR"}
    return msgspec.convert(plain | fields, VelocityLimit)


def by_id(states: Iterable[State]) -> States:
    """States as the decider takes them."""
    return States.of(states)


def decided_on(states: States, command: BaseCommand, stamp: Stamp = STAMP) -> Accepted:
    """The event of a command that the decider must accept."""
    decision = decide(states, command, stamp)
    assert not isinstance(decision, Rejection), decision
    return decision


def accepted(states: States, command: BaseCommand, stamp: Stamp = STAMP) -> AccountEvent:
    """The event of a command on accounts that the decider must accept."""
    decision = decided_on(states, command, stamp)
    assert isinstance(decision, AccountEvent), decision
    return decision


def refused(states: States, command: BaseCommand, stamp: Stamp = STAMP) -> Rejection:
    """The rejection of a command that the decider must refuse."""
    decision = decide(states, command, stamp)
    assert isinstance(decision, Rejection), decision
    return decision


def advanced(states: States, event: Event) -> tuple[States, StoredEvent]:
    """All states after `event`, and the event as it would be stored."""
    stored = seal(event, states)
    after = states.copy()
    for one in states_after(states, event, stored):
        after.put(one)
    after.events[event.id] = event
    return after, stored


def told(states: States, *commands: BaseCommand, stamp: Stamp = STAMP) -> States:
    """The states after commands that must be accepted, one after the other."""
    for command in commands:
        states, _ = advanced(states, decided_on(states, command, stamp))
    return states


def opened(commands: Sequence[OpenAccount]) -> States:
    """The states of accounts that were just opened by `commands`."""
    return told(States(), *commands)


def payment_of(event: Accepted) -> PaymentPosted:
    """`event`, which must be a payment."""
    assert isinstance(event, PaymentPosted)
    return event
