"""The rules: each gives points and says why, with the payment's figure and the customer's norm.

A payment's score is the sum of the points of its rules, 1000 at most; of several payers the one
that stands out most counts. No rule speaks while a customer has too short a history to have a norm:
what is not known is no suspicion.

Amounts are compared in deviations from the mean. A deviation counts as at least a quarter of the
mean: somebody who always pays the same is allowed to vary a little.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from consumers.fraud.features import PAYEES_MAX
from consumers.fraud.measures import Measures
from consumers.fraud.scorer import Assessment, Verdict
from ledger.contracts.commands import ScreeningReason

REVIEW_FROM_PERMILLE: Final = 500
BLOCK_FROM_PERMILLE: Final = 800
SCORE_MAX_PERMILLE: Final = 1_000

#: Payments before the last 24 hours without which there is no norm.
HISTORY_MIN: Final = 3
#: Deviations from the mean from which on an amount is unusual; chance alone exceeds three in one of
#: nine payments at the worst (Chebyshev), and hardly ever in what people really pay.
UNUSUAL_DEVIATIONS: Final = 3
_DEVIATION_OF_MEAN: Final = 4  # the quarter of the mean that a deviation is at least
_ABOVE_POINTS_EACH: Final = 100  # for each deviation more
_ABOVE_POINTS_MAX: Final = 600  # alone enough for a review, not for a block
_BELOW_POINTS_EACH: Final = 300  # less than zero cannot be paid: four deviations at most
_BELOW_POINTS_MAX: Final = 300
#: Payments within 24 hours that nobody need explain; and how many times the usual number more is.
_PAYMENTS_FREE: Final = 3
_PAYMENTS_TIMES_USUAL: Final = 3
_VELOCITY_POINTS_EACH: Final = 100
_VELOCITY_POINTS_MAX: Final = 400
#: Splitting an amount is paying somebody again and again on one day.
_REPEATED_POINTS_EACH: Final = 300
_REPEATED_POINTS_MAX: Final = 500
_NEW_PAYEE_POINTS: Final = 150  # people pay somebody new all the time: it counts beside something
#: Of what came in within 24 hours, the part that has to leave again in the same time.
_PASSED_PERMILLE: Final = 800
_PASSED_TIMES_MEAN: Final = 3  # a customer who moves such sums anyhow does not stand out by it
_PASSED_POINTS_EACH: Final = 50  # for each mean more
_PASSED_POINTS_MAX: Final = 400

Finding = tuple[int, ScreeningReason]
"""Points, and the reason they are given for."""


class RulesScorer:
    """The rules of this release. Whoever changes what they answer changes the model's name."""

    model: Final = "rules-1"  # stored, and part of the ids of verdicts

    def assess(self, payers: Sequence[Measures]) -> Assessment:
        """See Scorer."""
        return max(map(_assessed, payers), key=lambda assessment: assessment.score_permille)


def verdict_of(score_permille: int) -> Verdict:
    """What a score comes to."""
    if score_permille >= BLOCK_FROM_PERMILLE:
        return "block"
    return "review" if score_permille >= REVIEW_FROM_PERMILLE else "clear"


def findings(measures: Measures) -> tuple[Finding, ...]:
    """What the rules find, the weightiest first; nothing for want of a history."""
    if measures.history < HISTORY_MIN:
        return ()
    found = (rule(measures) for rule in _RULES)
    return tuple(sorted((each for each in found if each), key=lambda finding: -finding[0]))


def _assessed(measures: Measures) -> Assessment:
    found = findings(measures)
    score = min(SCORE_MAX_PERMILLE, sum(points for points, _ in found))
    reasons = tuple(reason for _, reason in found)
    if measures.history < HISTORY_MIN:
        reasons = (_reason("short_history", measures.history, HISTORY_MIN, "payments"),)
    return Assessment(
        account=measures.account,
        verdict=verdict_of(score),
        score_permille=score,
        reasons=reasons,
    )


def _amount_above(measures: Measures) -> Finding | None:
    """The amount lies far above what the customer usually pays."""
    points = _points_of_distance(
        measures.amount_minor - measures.mean_minor, measures, _ABOVE_POINTS_EACH
    )
    return _finding(
        min(points, _ABOVE_POINTS_MAX),
        _reason("amount_above_norm", measures.amount_minor, measures.mean_minor, "minor"),
    )


def _amount_below(measures: Measures) -> Finding | None:
    """The amount lies far below: an account that is being tried out, or a sum in small change."""
    points = _points_of_distance(
        measures.mean_minor - measures.amount_minor, measures, _BELOW_POINTS_EACH
    )
    return _finding(
        min(points, _BELOW_POINTS_MAX),
        _reason("amount_below_norm", measures.amount_minor, measures.mean_minor, "minor"),
    )


def _velocity(measures: Measures) -> Finding | None:
    """Many more payments within 24 hours than usual."""
    allowed = max(_PAYMENTS_FREE, _PAYMENTS_TIMES_USUAL * measures.usual_payments_day)
    points = _VELOCITY_POINTS_EACH * (measures.payments_day - allowed)
    return _finding(
        min(points, _VELOCITY_POINTS_MAX),
        _reason(
            "payments_in_a_day", measures.payments_day, measures.usual_payments_day, "payments"
        ),
    )


def _repeated_payee(measures: Measures) -> Finding | None:
    """One payee is paid more often on one day than any was before."""
    points = _REPEATED_POINTS_EACH * (measures.payee_times_day - measures.usual_payee_times)
    return _finding(
        min(points, _REPEATED_POINTS_MAX),
        _reason(
            "counterparty_repeated",
            measures.payee_times_day,
            measures.usual_payee_times,
            "payments",
        ),
    )


def _new_payee(measures: Measures) -> Finding | None:
    """Somebody is paid for the first time; unknown of customers who pay very many."""
    tells = measures.payees_new > 0 and measures.payees_known < PAYEES_MAX
    return _finding(
        _NEW_PAYEE_POINTS if tells else 0,
        _reason("new_counterparty", measures.payees_new, measures.payees_known, "accounts"),
    )


def _passed_through(measures: Measures) -> Finding | None:
    """What came in leaves again within 24 hours, and it is more than the customer usually moves."""
    received, mean = measures.received_day_minor, max(measures.mean_minor, 1)
    if measures.sent_day_minor * 1_000 < received * _PASSED_PERMILLE:
        return None
    passed = min(measures.sent_day_minor, received)
    points = _PASSED_POINTS_EACH * (passed - _PASSED_TIMES_MEAN * mean) // mean
    return _finding(
        min(points, _PASSED_POINTS_MAX),
        _reason("passed_through", passed, measures.mean_minor, "minor"),
    )


_RULES: Final[tuple[Callable[[Measures], Finding | None], ...]] = (
    _amount_above,
    _amount_below,
    _velocity,
    _repeated_payee,
    _new_payee,
    _passed_through,
)


def _points_of_distance(distance_minor: int, measures: Measures, each: int) -> int:
    """Points for a distance from the mean beyond the unusual, `each` for a deviation more."""
    deviation = max(measures.deviation_minor, measures.mean_minor // _DEVIATION_OF_MEAN, 1)
    return each * (distance_minor - UNUSUAL_DEVIATIONS * deviation) // deviation


def _finding(points: int, reason: ScreeningReason) -> Finding | None:
    return (points, reason) if points > 0 else None


def _reason(code: str, value: int, norm: int, unit: str) -> ScreeningReason:
    return ScreeningReason(code=code, value=value, norm=norm, unit=unit)  # type: ignore[arg-type]
