"""Precision and recall of the fraud rules on the labelled AMLSim transfers, without AWS.

    python bench/fraud_amlsim.py [--data DIRECTORY]

Replays the transfers in their order through the very features and rules that the function `fraud`
runs, each payment judged by what came before it, and prints the figures of docs/fraud.md, which
also says how the data are read and what they cannot show. Exit code 2 if the data are not there.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from consumers.fraud.features import HOUR_MICROSECONDS, Features
from consumers.fraud.rules import RulesScorer
from consumers.fraud.screening import judged
from ledger.contracts.commands import Posting, ScreenPayment
from ledger.contracts.events import AccountEntry, PaymentPosted
from ledger.contracts.primitives import instant_of_microseconds

DATA: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "amlsim"
_NAME: Final = "20K_fanin200cycle200"
#: The first part is steps 1 to 70, some two fifths of the laundering; the second is what is behind.
SPLIT_STEP: Final = 70
_START: Final = 490_056 * HOUR_MICROSECONDS  # 2025-12-01T00:00Z, a Monday
_DAY: Final = 24 * HOUR_MICROSECONDS
_SEED: Final = 1


@dataclass(frozen=True, slots=True)
class Account:
    """A row of the nodes: whether the account is flagged, and the step of its laundering, or -1."""

    flagged: bool
    step: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """A row of the transfers, and whether it is laundering by the label."""

    source: str
    destination: str
    amount_minor: int
    step: int
    positive: bool


Judgement = tuple[Transfer, ScreenPayment]
Choice = Callable[[Judgement], bool]


def read(data: Path) -> list[Transfer]:
    """The transfers in the order of the file, each with its label."""
    accounts = {
        row["nodeid"]: Account(row["isFraud"] == "1", int(row["fraudStep"]))
        for row in _rows(data / f"{_NAME}_nodes.csv.gz")
    }
    return [
        Transfer(
            source=row["sourceNodeId"],
            destination=row["targetNodeId"],
            amount_minor=_minor(row["value"]),
            step=int(row["time"]),
            positive=(
                accounts[row["sourceNodeId"]].flagged
                and accounts[row["targetNodeId"]].flagged
                and accounts[row["sourceNodeId"]].step == int(row["time"])
            ),
        )
        for row in _rows(data / f"{_NAME}_transactions.csv.gz")
    ]


def replayed(transfers: Sequence[Transfer]) -> Iterator[Judgement]:
    """The verdict on each transfer, by the features of what came before it."""
    scorer = RulesScorer()
    features: dict[str, Features] = {}
    for event, transfer in _events(transfers):
        result = judged(event, features, scorer)
        features.update(result.features)
        assert result.screening
        yield transfer, result.screening.command


def _events(transfers: Sequence[Transfer]) -> Iterator[tuple[PaymentPosted, Transfer]]:
    """Each transfer as the ledger would publish it: those of a day spread evenly over it."""
    of_day = Counter(transfer.step for transfer in transfers)
    done: Counter[int] = Counter()
    versions: Counter[str] = Counter()
    for place, transfer in enumerate(transfers):
        day = transfer.step
        at = instant_of_microseconds(_START + day * _DAY + done[day] * _DAY // of_day[day])
        done[day] += 1
        sides = (transfer.source, transfer.destination)
        versions.update(sides)
        event = PaymentPosted(
            v=1,
            id=f"transfer-{place}",
            recorded_at=at,
            effective_at=at,
            actor="bench",
            postings=(
                Posting(
                    source=transfer.source,
                    destination=transfer.destination,
                    amount_minor=transfer.amount_minor,
                    currency="USD",
                ),
            ),
            accounts=tuple(
                AccountEntry(
                    id=side,
                    type="liability",
                    version=versions[side],
                    debits_posted_minor=0,
                    credits_posted_minor=0,
                )
                for side in sides
            ),
        )
        yield event, transfer


@dataclass(frozen=True, slots=True)
class Figures:
    """How well a choice of transfers meets the label; each pair is found and all."""

    alerts: int
    right: int
    positives: int
    bursts: tuple[int, int]
    accounts: tuple[int, int]
    accounts_alerted: tuple[int, int]

    def line(self, name: str) -> str:
        """One line of the report."""
        return (
            f"{name:<34}{self.alerts:>8,}{_share(self.right, self.alerts):>10}"
            f"{_share(self.right, self.positives):>9}{_share(*self.bursts):>9}"
            f"{_share(*self.accounts_alerted):>12}{_share(*self.accounts):>9}"
        )


HEADER: Final = (
    f"{'':<34}{'alerts':>8}{'precision':>10}{'recall':>9}{'bursts':>9}"
    f"{'acc. prec.':>12}{'recall':>9}"
)


def figures(part: Sequence[Judgement], chosen: Choice) -> Figures:
    """What becomes of a part if those transfers are alerted that `chosen` says."""
    alerted = [judgement for judgement in part if chosen(judgement)]
    positives = [transfer for transfer, _ in part if transfer.positive]
    right = [transfer for transfer, _ in alerted if transfer.positive]
    laundering = _sides(positives)
    touched = _sides(transfer for transfer, _ in alerted)
    return Figures(
        alerts=len(alerted),
        right=len(right),
        positives=len(positives),
        bursts=(len(_bursts(right)), len(_bursts(positives))),
        accounts=(len(laundering & touched), len(laundering)),
        accounts_alerted=(len(laundering & touched), len(touched)),
    )


def report(judgements: Sequence[Judgement], seconds: float) -> Iterator[str]:
    """The figures of docs/fraud.md."""
    yield f"{len(judgements):,} transfers judged in {seconds:.1f} s"
    for name, part in (
        (f"first part, steps 1 to {SPLIT_STEP}", [j for j in judgements if _is_first(j[0])]),
        (
            f"second part, from step {SPLIT_STEP + 1}",
            [j for j in judgements if not _is_first(j[0])],
        ),
    ):
        positives = sum(transfer.positive for transfer, _ in part)
        yield ""
        yield f"{name}: {len(part):,} transfers, {positives:,} of them laundering"
        yield HEADER
        rules = figures(part, _is_not_clear)
        yield rules.line("rules: review or block")
        yield figures(part, lambda judgement: judgement[1].verdict == "block").line("rules: block")
        for baseline, chosen in _baselines(part, rules.alerts):
            yield figures(part, chosen).line(baseline)
        known = figures(_with_history(part), _is_not_clear)
        yield (
            f"of the {known.positives:,} by payers whose norm is known: "
            f"recall {_share(known.right, known.positives)}, bursts {_share(*known.bursts)}"
        )
        yield _reasons(part)


def _baselines(part: Sequence[Judgement], alerts: int) -> Iterator[tuple[str, Choice]]:
    """As many alerts by other means, that know nothing of a customer."""
    drawn = set(random.Random(_SEED).sample(range(len(part)), alerts))  # noqa: S311 - not for secrets
    by_chance = {id(part[place]) for place in drawn}
    yield "as many, by chance", lambda judgement: id(judgement) in by_chance
    by_amount = sorted(part, key=lambda judgement: judgement[0].amount_minor)
    largest = {id(judgement) for judgement in by_amount[len(by_amount) - alerts :]}
    yield "as many, the largest amounts", lambda judgement: id(judgement) in largest
    smallest = {id(judgement) for judgement in by_amount[:alerts]}
    yield "as many, the smallest amounts", lambda judgement: id(judgement) in smallest


def _reasons(part: Sequence[Judgement]) -> str:
    """How often each reason was given in alerts, rightly and wrongly."""
    counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for transfer, command in part:
        if command.verdict != "clear":
            counts[transfer.positive].update(reason.code for reason in command.reasons)
    codes = sorted(counts[True] | counts[False])
    return "reasons in alerts (right/wrong): " + ", ".join(
        f"{code} {counts[True][code]}/{counts[False][code]}" for code in codes
    )


def _is_first(transfer: Transfer) -> bool:
    return transfer.step <= SPLIT_STEP


def _is_not_clear(judgement: Judgement) -> bool:
    return judgement[1].verdict != "clear"


def _with_history(part: Sequence[Judgement]) -> list[Judgement]:
    """Those of payers whose norm is known."""
    return [
        judgement
        for judgement in part
        if all(reason.code != "short_history" for reason in judgement[1].reasons)
    ]


def _bursts(transfers: Iterable[Transfer]) -> set[tuple[str, int]]:
    return {(transfer.source, transfer.step) for transfer in transfers}


def _sides(transfers: Iterable[Transfer]) -> set[str]:
    return {side for transfer in transfers for side in (transfer.source, transfer.destination)}


def _share(some: int, of: int) -> str:
    return f"{some / of:.3f}" if of else "-"


def _minor(value: str) -> int:
    """A decimal amount in hundredths; the file has at most two digits."""
    whole, _, fraction = value.partition(".")
    assert len(fraction) <= 2
    return int(whole) * 100 + int(fraction.ljust(2, "0"))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="Precision and recall of the fraud rules")
    parser.add_argument("--data", type=Path, default=DATA, help="where the AMLSim sample is")
    data: Path = parser.parse_args().data
    if not (data / f"{_NAME}_transactions.csv.gz").is_file():
        sys.stderr.write(f"nothing was measured: no AMLSim sample in {data}\n")
        return 2
    transfers = read(data)
    start = time.process_time()
    judgements = list(replayed(transfers))
    for line in report(judgements, time.process_time() - start):
        sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
