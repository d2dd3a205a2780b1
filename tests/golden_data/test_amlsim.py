"""The measurement of the fraud rules: what it takes for laundering, and how it counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.fraud_amlsim import Transfer, figures, read, replayed
from consumers.fraud.rules import RulesScorer

BURST = 5


@pytest.fixture(scope="module")
def transfers(shared_data: Path) -> list[Transfer]:
    """The whole sample."""
    return read(shared_data / "amlsim")


@pytest.mark.data
def test_the_label_is_the_one_that_the_page_describes(transfers: list[Transfer]) -> None:
    """120,558 transfers in 149 steps, 3,540 positive by the accounts' own steps."""
    assert len(transfers) == 120_558
    assert sum(transfer.positive for transfer in transfers) == 3_540
    assert [transfer.step for transfer in transfers] == sorted(each.step for each in transfers)
    assert {transfer.step for transfer in transfers} == set(range(1, 150))


def story() -> list[Transfer]:
    """A customer who pays 20.00 every other day, and then five times 1.00 in a day."""
    usual = [Transfer("ann", f"shop-{day % 3}", 2_000, 2 * day, positive=False) for day in range(9)]
    return [*usual, *(Transfer("ann", "eve", 100, 20, positive=True) for _ in range(BURST))]


def test_transfers_are_judged_by_what_came_before() -> None:
    """The verdicts of a beginning are the same, whatever follows: no hindsight."""
    every = list(replayed(story()))
    for length in range(len(every)):
        assert list(replayed(story()[:length])) == every[:length]
    verdicts = [command.verdict for _, command in every]
    assert verdicts[:10] == ["clear"] * 10
    assert "clear" not in verdicts[-3:]
    assert {command.model for _, command in every} == {RulesScorer.model}


def test_figures_count_transfers_bursts_and_accounts() -> None:
    """Precision and recall of a choice that is right about two of five and wrong about one."""
    judgements = list(replayed(story()))
    chosen = {id(judgements[place]) for place in (0, -1, -2)}
    found = figures(judgements, lambda judgement: id(judgement) in chosen)
    assert (found.alerts, found.right, found.positives) == (3, 2, BURST)
    assert found.bursts == (1, 1)
    assert found.accounts == (2, 2)
    assert found.accounts_alerted == (2, 3)
    line = found.line("name").split()
    assert line == ["name", "3", "0.667", "0.400", "1.000", "0.667", "1.000"]
    nothing = figures(judgements, lambda _: False)
    assert nothing.line("none").split() == ["none", "0", "-", "0.000", "0.000", "-", "0.000"]
