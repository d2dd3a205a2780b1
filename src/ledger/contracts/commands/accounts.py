"""The life of an account: opened, watched, limited, frozen, closed."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from ledger.contracts.commands.base import BaseCommand, Closed
from ledger.contracts.primitives import (
    ALERTS_MAX,
    AccountType,
    BookName,
    CurrencyCode,
    Id,
    InstantText,
    LimitMinor,
    MetadataMap,
    ReasonText,
    StripeCount,
)
from ledger.contracts.velocity import VELOCITY_LIMITS_MAX, VelocityLimit

Sides = Literal["debits", "credits", "both"]
Basis = Literal["available", "posted"]


class OpenAccount(BaseCommand, frozen=True, kw_only=True, tag="account.open"):
    """Open an account with a currency, a type and the bounds of its balance.

    `min_balance_minor` defaults to 0 (no overdraft) and `max_balance_minor` to null; null means
    unbounded. Both are on the account's normal side. `book` is the set of accounts whose periods
    are closed together, `main` if left out. `stripes` spreads an account that takes more payments
    than one item can over so many of them.
    """

    account: Id
    currency: CurrencyCode
    account_type: AccountType
    min_balance_minor: LimitMinor | UnsetType | None = UNSET
    max_balance_minor: LimitMinor | UnsetType | None = UNSET
    effective_at: InstantText | UnsetType = UNSET
    book: BookName | UnsetType = UNSET
    metadata: MetadataMap | UnsetType = UNSET
    stripes: StripeCount | UnsetType = UNSET


class Alert(Closed, frozen=True, kw_only=True):
    """A threshold of an account's posted balance, and the direction in which crossing it counts.

    `below` is crossed by a balance that was at or above the threshold and is below it, `above` by
    one that was at or below it and is above.
    """

    direction: Literal["below", "above"]
    threshold_minor: LimitMinor


class SetAlerts(BaseCommand, frozen=True, kw_only=True, tag="account.set_alerts"):
    """Replace all balance alerts of an account; none switches them off.

    A payment that makes the balance cross one says so in its event, once per crossing. Setting an
    alert that the balance is beyond already crosses nothing.
    """

    account: Id
    alerts: Annotated[tuple[Alert, ...], Meta(max_length=ALERTS_MAX)]


class FreezeAccount(BaseCommand, frozen=True, kw_only=True, tag="account.freeze"):
    """Keep money from leaving (debits), from arriving (credits), or both, on top of what is frozen.

    What is held already may still be released, never captured.
    """

    account: Id
    sides: Sides
    reason: ReasonText


class UnfreezeAccount(BaseCommand, frozen=True, kw_only=True, tag="account.unfreeze"):
    """Let debits, credits or both pass again."""

    account: Id
    sides: Sides
    reason: ReasonText


class CloseAccount(BaseCommand, frozen=True, kw_only=True, tag="account.close"):
    """Close an account for ever: only at a balance of 0, with nothing pending."""

    account: Id
    reason: ReasonText


class SetLimits(BaseCommand, frozen=True, kw_only=True, tag="account.set_limits"):
    """Change the constraints of an account; what is left out stays as it is.

    The basis of a bound says which balance it holds for: `available` (the default) counts what is
    pending against it, `posted` what is posted alone. `velocity` replaces all velocity limits; one
    of the same name, window and direction goes on counting. A balance that is beyond a new bound
    may stay: no payment can take it further.
    """

    account: Id
    min_balance_minor: LimitMinor | UnsetType | None = UNSET
    max_balance_minor: LimitMinor | UnsetType | None = UNSET
    min_balance_basis: Basis | UnsetType = UNSET
    max_balance_basis: Basis | UnsetType = UNSET
    velocity: (
        Annotated[tuple[VelocityLimit, ...], Meta(max_length=VELOCITY_LIMITS_MAX)] | UnsetType
    ) = UNSET


class SetStripes(BaseCommand, frozen=True, kw_only=True, tag="account.set_stripes"):
    """Spread an account over more stripes, or over fewer.

    A payment writes one stripe of each account, so that many can commit at the same time. The
    account's balance is the sum, and its limits hold for the sum, to the last minor unit. It has no
    alerts and no velocity limits.
    """

    account: Id
    stripes: StripeCount
    reason: ReasonText | UnsetType = UNSET


class SetMetadata(BaseCommand, frozen=True, kw_only=True, tag="metadata.set"):
    """Replace all metadata of an account or a payment; an empty object removes them."""

    subject: Literal["account", "payment"]
    subject_id: Id
    metadata: MetadataMap
