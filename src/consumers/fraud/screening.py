"""One event put through the features: what is remembered after it, and the verdict on it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from consumers.fraud.features import Features, Movement, movements, observed
from consumers.fraud.measures import measured
from consumers.fraud.scorer import Scorer
from ledger.contracts.commands import ScreenPayment, screening_id
from ledger.contracts.events import AccountEvent, PaymentAuthorized, PaymentPosted

_NEW: Features = Features()
#: A hold is judged when it is made, as a payment; what becomes of it later has no verdict.
_PAYMENT = PaymentPosted | PaymentAuthorized


class Screening(Struct, frozen=True):
    """A verdict as it is sent to the ledger, and the payer that it is about most."""

    account: str
    command: ScreenPayment


class Judged(Struct, frozen=True):
    """What an event makes of the features of the customers it touches, and the verdict on it.

    `screening` is None for an event that is no new payment of a customer. `known` if the event was
    observed before: nothing changes then, and its verdict was given.
    """

    features: Mapping[str, Features]
    screening: Screening | None
    known: bool = False


def judged(event: AccountEvent, features: Mapping[str, Features], scorer: Scorer) -> Judged:
    """Judge `event` by the features before it, and observe it. Raises TooManyGapsError.

    An event is observed in all its accounts at once, so that one tells of all.
    """
    moved = movements(event)
    before = {each.account: features.get(each.account, _NEW) for each in moved}
    if any(before[each.account].has_seen(each.version) for each in moved):
        return Judged({}, None, known=True)
    return Judged(
        features={each.account: observed(before[each.account], each) for each in moved},
        screening=_screening(event, moved, before, scorer),
    )


def screened_accounts(event: AccountEvent) -> tuple[str, ...]:
    """The accounts whose features an event needs."""
    return tuple(each.account for each in movements(event))


def asks_for_verdict(event: AccountEvent) -> bool:
    """Whether an event is a new payment of a customer, and so gets a verdict."""
    return isinstance(event, _PAYMENT) and any(each.sent_minor for each in movements(event))


def _screening(
    event: AccountEvent,
    moved: Sequence[Movement],
    before: Mapping[str, Features],
    scorer: Scorer,
) -> Screening | None:
    payers = [each for each in moved if each.sent_minor]
    if not payers or not isinstance(event, _PAYMENT):
        return None
    assessment = scorer.assess([measured(before[each.account], each) for each in payers])
    return Screening(
        account=assessment.account,
        command=ScreenPayment(
            v=1,
            id=screening_id(event.id, scorer.model),
            payment=event.id,
            model=scorer.model,
            verdict=assessment.verdict,
            score_permille=assessment.score_permille,
            reasons=assessment.reasons,
        ),
    )
