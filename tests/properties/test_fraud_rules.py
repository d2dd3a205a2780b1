"""The rules: bounded, monotone where suspicion grows, silent where nothing is known."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from consumers.fraud.features import PAYEES_MAX
from consumers.fraud.measures import Measures
from consumers.fraud.rules import (
    BLOCK_FROM_PERMILLE,
    HISTORY_MIN,
    REVIEW_FROM_PERMILLE,
    SCORE_MAX_PERMILLE,
    RulesScorer,
    verdict_of,
)
from consumers.fraud.scorer import Assessment, Scorer
from ledger.contracts.commands import ScreenPayment, checked, decode_command, encode_command
from ledger.contracts.fraud import SCREENING_MODELS
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from tests.support.fraud import usual

AMOUNTS = st.integers(0, 10**6) | st.integers(0, AMOUNT_MINOR_MAX)
COUNTS = st.integers(0, 50)


@st.composite
def measures(draw: st.DrawFn) -> Measures:
    """Any measures that a payment can have."""
    amount = 1 + draw(AMOUNTS)
    return Measures(
        account=draw(st.sampled_from("abc")),
        amount_minor=amount,
        history=draw(COUNTS),
        mean_minor=draw(AMOUNTS),
        deviation_minor=draw(AMOUNTS),
        payments_day=1 + draw(COUNTS),
        usual_payments_day=draw(COUNTS),
        payees_new=draw(COUNTS),
        payees_known=draw(st.integers(0, PAYEES_MAX)),
        payee_times_day=1 + draw(COUNTS),
        usual_payee_times=1 + draw(COUNTS),
        sent_day_minor=amount + draw(AMOUNTS),
        received_day_minor=draw(AMOUNTS),
    )


def assessed(*payers: Measures) -> Assessment:
    """What the rules say."""
    scorer: Scorer = RulesScorer()
    return scorer.assess(payers)


def score(payer: Measures) -> int:
    """The rules' score of one payer."""
    return assessed(payer).score_permille


@given(st.lists(measures(), min_size=1, max_size=4))
def test_every_assessment_is_a_command_that_the_ledger_takes(payers: list[Measures]) -> None:
    """Scores lie between 0 and 1000, and verdict, reasons and model are of the contract's form."""
    found = assessed(*payers)
    assert 0 <= found.score_permille <= SCORE_MAX_PERMILLE
    assert found.verdict == verdict_of(found.score_permille)
    model = RulesScorer.model
    command = ScreenPayment(
        v=1,
        id=f"screening:p:{model}",
        payment="p",
        model=model,
        verdict=found.verdict,
        score_permille=found.score_permille,
        reasons=found.reasons,
    )
    assert decode_command(encode_command(command), ("payment.screen",)) == checked(command)


@given(st.lists(measures(), min_size=1, max_size=4))
def test_the_payer_that_stands_out_most_decides(payers: list[Measures]) -> None:
    """A payment is as suspicious as its most suspicious payer, whose reasons are the reasons."""
    found = assessed(*payers)
    assert found.score_permille == max(map(score, payers))
    assert found in [assessed(payer) for payer in payers]


@given(measures(), AMOUNTS)
def test_the_score_grows_with_the_amount_above_the_mean(payer: Measures, more: int) -> None:
    """A larger payment never looks less suspicious, from the customer's mean upwards."""
    amount = max(payer.amount_minor, payer.mean_minor)
    low = structs.replace(payer, amount_minor=amount)
    high = structs.replace(
        low, amount_minor=amount + more, sent_day_minor=low.sent_day_minor + more
    )
    assert score(low) <= score(high)


@given(measures(), COUNTS, st.sampled_from(["payments_day", "payee_times_day"]))
def test_the_score_grows_with_every_repetition(payer: Measures, more: int, name: str) -> None:
    """More payments on a day, or more to one payee, never look less suspicious."""
    many = structs.replace(payer, **{name: getattr(payer, name) + more})
    assert score(payer) <= score(many)


@given(measures(), AMOUNTS)
def test_the_score_falls_with_a_wider_habit(payer: Measures, more: int) -> None:
    """The same payment is no more suspicious of a customer whose payments differ more."""
    wider = structs.replace(payer, deviation_minor=payer.deviation_minor + more)
    assert score(wider) <= score(payer)


@given(measures())
def test_too_short_a_history_is_no_suspicion(payer: Measures) -> None:
    """Without a norm nothing is flagged, and the reason says that there is none."""
    short = structs.replace(payer, history=payer.history % HISTORY_MIN)
    found = assessed(short)
    assert (found.verdict, found.score_permille) == ("clear", 0)
    [reason] = found.reasons
    assert (reason.code, reason.value, reason.norm) == ("short_history", short.history, HISTORY_MIN)


def test_a_usual_payment_has_no_reasons() -> None:
    """What a customer always does is clear, without a word."""
    found = assessed(usual())
    assert (found.verdict, found.score_permille, found.reasons) == ("clear", 0, ())


# Fields that differ from the usual payment; points; value and norm of the reason.
ALONE: dict[str, tuple[dict[str, int], int, int, int, str]] = {
    "amount_above_norm": ({"amount_minor": 5_500}, 400, 5_500, 2_000, "minor"),
    "amount_below_norm": (
        {"amount_minor": 100, "deviation_minor": 0},
        240,
        100,
        2_000,
        "minor",
    ),
    "payments_in_a_day": ({"payments_day": 5}, 200, 5, 1, "payments"),
    "counterparty_repeated": ({"payee_times_day": 2}, 300, 2, 1, "payments"),
    "new_counterparty": ({"payees_new": 1}, 150, 1, 4, "accounts"),
    "passed_through": (
        {"sent_day_minor": 8_000, "received_day_minor": 10_000},
        50,
        8_000,
        2_000,
        "minor",
    ),
}


@pytest.mark.parametrize("code", ALONE)
def test_each_rule_names_the_figure_and_the_norm(code: str) -> None:
    """One thing that is unusual gives its own points and one reason with both figures."""
    fields, points, value, norm, unit = ALONE[code]
    found = assessed(usual(**fields))
    assert found.score_permille == points
    [reason] = found.reasons
    assert (reason.code, reason.value, reason.norm, reason.unit) == (code, value, norm, unit)


# One step before each rule speaks.
QUIET: tuple[dict[str, int], ...] = (
    {"amount_minor": 3_500},  # three deviations
    {"amount_minor": 500, "deviation_minor": 0},  # a quarter of the mean for a deviation
    {"payments_day": 3},
    {"payments_day": 9, "usual_payments_day": 3},
    {"payee_times_day": 2, "usual_payee_times": 2},
    {"payees_new": 1, "payees_known": PAYEES_MAX},  # who pays so many people is not judged by it
    {"sent_day_minor": 7_999, "received_day_minor": 10_000},
    {"sent_day_minor": 6_000, "received_day_minor": 6_000},  # three usual payments
    {"sent_day_minor": 10**9, "received_day_minor": 0},
)


@pytest.mark.parametrize("fields", QUIET, ids=str)
def test_no_rule_speaks_before_its_bound(fields: dict[str, int]) -> None:
    """At the bound of a rule nothing is said yet."""
    assert assessed(usual(**fields)).reasons == ()


def test_points_add_up_to_a_thousand_at_most_the_weightiest_reason_first() -> None:
    """Several things at once are worse than each; reasons come by weight."""
    two = assessed(usual(payees_new=1, amount_minor=10**6))
    assert two.score_permille == 750
    assert [reason.code for reason in two.reasons] == ["amount_above_norm", "new_counterparty"]
    everything = assessed(
        usual(
            amount_minor=10**6,
            payments_day=20,
            payee_times_day=20,
            payees_new=1,
            sent_day_minor=10**7,
            received_day_minor=10**7,
        )
    )
    assert everything.score_permille == SCORE_MAX_PERMILLE
    assert len(everything.reasons) == 5


@pytest.mark.parametrize(
    ("permille", "verdict"),
    [
        (0, "clear"),
        (REVIEW_FROM_PERMILLE - 1, "clear"),
        (REVIEW_FROM_PERMILLE, "review"),
        (BLOCK_FROM_PERMILLE - 1, "review"),
        (BLOCK_FROM_PERMILLE, "block"),
        (SCORE_MAX_PERMILLE, "block"),
    ],
)
def test_verdicts_begin_at_their_thresholds(permille: int, verdict: str) -> None:
    """Each verdict holds from its threshold on."""
    assert verdict_of(permille) == verdict


def test_every_reason_is_explained() -> None:
    """Whoever reads a verdict finds its model, and what each reason means, in docs/fraud.md."""
    page = (Path(__file__).parents[2] / "docs" / "fraud.md").read_text(encoding="utf-8")
    assert f"## Rules: `{RulesScorer.model}`" in page
    for code in (*ALONE, "short_history"):
        assert f"| `{code}` |" in page


def test_the_model_in_use_is_among_those_that_are_looked_up() -> None:
    """A verdict that is recorded can be asked for."""
    assert SCREENING_MODELS[0] == RulesScorer.model
