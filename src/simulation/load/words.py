"""Commands, said in few words. A leg is (source, destination, minor units) in euros, or with the
currency behind them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.contracts.commands import (
    AmountRule,
    AtomicBatch,
    AuthorizePayment,
    CapturePayment,
    CloseAccount,
    DefineTemplate,
    FreezeAccount,
    IncreasePayment,
    MemberCommand,
    OpenAccount,
    Posting,
    PostPayment,
    PostTemplate,
    ReversePayment,
    SetLimits,
    SetMetadata,
    SetStripes,
    Sides,
    TemplateParameter,
    TemplatePosting,
    UnfreezeAccount,
    VelocityLimit,
    VoidPayment,
)
from ledger.contracts.primitives import AccountType

Leg = tuple[str, str, int] | tuple[str, str, int, str]


def posting(leg: Leg) -> Posting:
    """One leg."""
    source, destination, minor, *currency = leg
    return Posting(
        source=source,
        destination=destination,
        amount_minor=minor,
        currency=currency[0] if currency else "EUR",
    )


def opening(
    account: str, currency: str = "EUR", kind: AccountType = "liability", **more: Any
) -> OpenAccount:
    """An opening of `account`, under an id made of it unless `id` is given."""
    id_ = more.pop("id", f"open:{account}")
    return OpenAccount(v=1, id=id_, account=account, currency=currency, account_type=kind, **more)


def paying(id_: str, *legs: Leg, **more: Any) -> PostPayment:
    """A payment at once."""
    return PostPayment(v=1, id=id_, postings=tuple(map(posting, legs)), **more)


def holding(id_: str, *legs: Leg, **more: Any) -> AuthorizePayment:
    """A payment on hold."""
    return AuthorizePayment(v=1, id=id_, postings=tuple(map(posting, legs)), **more)


def capturing(id_: str, payment: str, **more: Any) -> CapturePayment:
    """A capture of a hold."""
    return CapturePayment(v=1, id=id_, payment=payment, **more)


def increasing(id_: str, payment: str, **more: Any) -> IncreasePayment:
    """More held, or longer."""
    return IncreasePayment(v=1, id=id_, payment=payment, **more)


def voiding(id_: str, payment: str) -> VoidPayment:
    """A hold given up."""
    return VoidPayment(v=1, id=id_, payment=payment)


def reversing(id_: str, payment: str, **more: Any) -> ReversePayment:
    """A payment given back."""
    return ReversePayment(v=1, id=id_, payment=payment, **more)


def batch(id_: str, *members: MemberCommand) -> AtomicBatch:
    """All or none."""
    return AtomicBatch(v=1, id=id_, commands=members)


def limiting(id_: str, account: str, *velocity: VelocityLimit, **more: Any) -> SetLimits:
    """Other constraints of an account; its velocity limits only if some are given."""
    if velocity:
        more["velocity"] = velocity
    return SetLimits(v=1, id=id_, account=account, **more)


def velocity(name: str, window: Any, **more: Any) -> VelocityLimit:
    """A limit of what leaves an account in euros, unless said otherwise."""
    given: dict[str, Any] = {"direction": "debits", "currency": "EUR"} | more
    return VelocityLimit(name=name, window=window, **given)


def freezing(id_: str, account: str, sides: Sides) -> FreezeAccount:
    """A freeze."""
    return FreezeAccount(v=1, id=id_, account=account, sides=sides, reason="card reported lost")


def unfreezing(id_: str, account: str, sides: Sides) -> UnfreezeAccount:
    """The end of a freeze."""
    return UnfreezeAccount(v=1, id=id_, account=account, sides=sides, reason="card found")


def closing(id_: str, account: str) -> CloseAccount:
    """The end of an account."""
    return CloseAccount(v=1, id=id_, account=account, reason="moves away")


def striping(id_: str, account: str, stripes: int) -> SetStripes:
    """An account spread over so many stripes."""
    return SetStripes(v=1, id=id_, account=account, stripes=stripes, reason="month end")


def describing(id_: str, subject: Any, subject_id: str, **metadata: str) -> SetMetadata:
    """Other metadata of an account or a payment."""
    return SetMetadata(v=1, id=id_, subject=subject, subject_id=subject_id, metadata=metadata)


def defining(
    id_: str,
    template: str,
    parameters: dict[str, Any],
    postings: Iterable[tuple[str, str, str, AmountRule]],
) -> DefineTemplate:
    """A template of postings (source, destination, currency, amount)."""
    return DefineTemplate(
        v=1,
        id=id_,
        template=template,
        parameters=tuple(
            TemplateParameter(name=name, kind=kind) for name, kind in parameters.items()
        ),
        postings=tuple(
            TemplatePosting(source=source, destination=destination, currency=currency, amount=rule)
            for source, destination, currency, rule in postings
        ),
    )


def posting_template(
    id_: str, template: str, parameters: dict[str, int | str], **more: Any
) -> PostTemplate:
    """A payment of a template."""
    return PostTemplate(v=1, id=id_, template=template, parameters=parameters, **more)
