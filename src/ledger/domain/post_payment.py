"""Posting a payment: every posting or none, against the states of the accounts it touches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import UNSET

from ledger.contracts import reasons
from ledger.contracts.commands import PostPayment, PostTemplate
from ledger.contracts.events import PaymentPosted, TemplateDefined, TemplateUse
from ledger.contracts.postings import Posting
from ledger.contracts.primitives import POSTINGS_MAX
from ledger.contracts.subjects import template_key
from ledger.domain.effective_time import (
    books_of,
    checked_books,
    effective_time,
    future_refusals,
    opening_refusals,
    period_refusals,
)
from ledger.domain.movements import (
    Movements,
    balance_refusals,
    closed_refusals,
    currency_refusals,
    frozen_refusals,
    missing_refusals,
    velocity_refusals,
)
from ledger.domain.rejections import Rejection, rejection
from ledger.domain.stamp import Stamp, head
from ledger.domain.states import States, TemplateState
from ledger.domain.striped import by_spread
from ledger.domain.templates import TemplateFault, expand

Definition = TemplateState | TemplateDefined


def decide_payment(states: States, command: PostPayment, stamp: Stamp) -> PaymentPosted | Rejection:
    """The payment posted, or the first reason against it by precedence, then by posting.

    Constraints judge the payment's net effect on an account: what one posting takes and another
    gives back in the same payment breaks no limit.
    """
    return _decided(states, command, command.postings, stamp)


def decide_template_payment(
    states: States, command: PostTemplate, stamp: Stamp
) -> PaymentPosted | Rejection:
    """The payment that the template makes of the parameters, posted, or the first reason against
    it: for the template first, then as for any payment."""
    definition = definition_for(states, command)
    key = template_key(command.template)
    if definition is None:
        newest = states.version(key)
        field = "template_version" if newest else "template"
        return rejection(reasons.TEMPLATE_UNKNOWN, field, states, key, {"newest": newest})
    made = expand(definition, command.parameters)
    if isinstance(made, TemplateFault):
        return rejection(made.reason, made.field, states, key, made.values)
    version = (
        definition.version if isinstance(definition, TemplateState) else definition.entry.version
    )
    use = TemplateUse(
        name=command.template,
        version=version,
        pinned=command.template_version is not UNSET,
        parameters=command.parameters,
    )
    return _decided(states, command, made, stamp, use)


def definition_for(states: States, command: PostTemplate) -> Definition | None:
    """The version of the template that the command asks for; None if there is none."""
    state = states.templates.get(command.template)
    if state is None:
        return None
    wanted = command.template_version
    if wanted is UNSET or wanted == state.version:
        return state
    if wanted > state.version:
        return None
    event = states.events.get(state.events[wanted - 1])
    return event if isinstance(event, TemplateDefined) else None


def _decided(
    states: States,
    command: PostPayment | PostTemplate,
    postings: tuple[Posting, ...],
    stamp: Stamp,
    use: TemplateUse | None = None,
) -> PaymentPosted | Rejection:
    assert 1 <= len(postings) <= POSTINGS_MAX  # the contracts have seen to it
    field = None if use is None else "template"
    movements = posted(states, postings, stamp, field)
    effective_at = effective_time(command.effective_at, stamp)
    refusal = next(
        _refusals(states, movements, postings, field, effective_at=effective_at, stamp=stamp), None
    )
    if refusal is not None:
        return refusal
    accounts = [movement.account for movement in movements]
    rates = command.rates if isinstance(command, PostPayment) else UNSET
    return PaymentPosted(
        **head(command, stamp, effective_at),
        postings=postings,
        accounts=movements.entries(states),
        reference=command.reference,
        description=command.description,
        defaulted=("effective_at",) if command.effective_at is UNSET else (),
        rates=() if rates is UNSET else rates,
        metadata=command.metadata,
        template=UNSET if use is None else use,
        books=checked_books(states, accounts, effective_at, stamp),
    )


def posted(
    states: States, postings: Sequence[Posting], stamp: Stamp, field: str | None = None
) -> Movements:
    """What it does to accounts that `postings` are posted as a payment."""
    return Movements(by_spread(states, stamp.spread)).post(postings, field)


def _refusals(
    states: States,
    movements: Movements,
    postings: tuple[Posting, ...],
    field: str | None,
    *,
    effective_at: str,
    stamp: Stamp,
) -> Iterator[Rejection]:
    """Every reason against the payment, in the precedence of `ledger.contracts.reasons`."""
    missing = next(missing_refusals(states, movements), None)
    if missing is not None:
        yield missing
        return  # what follows needs every state
    books = books_of(states, (movement.account for movement in movements))
    yield from closed_refusals(states, movements)
    yield from future_refusals(effective_at, stamp)
    yield from opening_refusals(states, movements, effective_at)
    yield from period_refusals(states, books, effective_at, stamp)
    yield from frozen_refusals(states, movements)
    yield from currency_refusals(states, postings, field)
    yield from balance_refusals(states, movements)
    yield from velocity_refusals(states, movements, stamp)
