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

    `screening` is None for an event that is no new payment of a customer. `known` if any of the
    accounts had observed the event before: it was judged then, and its verdict sent.
    """

    features: Mapping[str, Features]
    screening: Screening | None
    known: bool = False


def judged(event: AccountEvent, features: Mapping[str, Features], scorer: Scorer) -> Judged:
    """Judge `event` by the features before it, and observe it. Raises TooManyGapsError."""
    moved = movements(event)
    before = {each.account: features.get(each.account, _NEW) for each in moved}
    known = any(before[each.account].has_seen(each.version) for each in moved)
    after = dict(before)
    for each in moved:
        after[each.account] = observed(after[each.account], each)
    screening = None if known else _screening(event, moved, before, scorer)
    return Judged(after, screening, known)


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
