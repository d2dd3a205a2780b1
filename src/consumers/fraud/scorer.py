"""What a scorer is: measures of a payment in, one assessment with its reasons out.

Rules are one, a trained model can be another. A scorer is pure and deterministic, and has a name,
which is part of the id of its verdicts: one that judges differently has another name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from msgspec import Struct

from consumers.fraud.measures import Measures
from ledger.contracts.commands import ScreeningReason

Verdict = Literal["clear", "review", "block"]


class Assessment(Struct, frozen=True, kw_only=True):
    """A scorer's opinion of a payment: the score, from 0 to 1000, and what it is made of.

    `account` is the payer that stands out most.
    """

    account: str
    verdict: Verdict
    score_permille: int
    reasons: tuple[ScreeningReason, ...] = ()


class Scorer(Protocol):
    """Judges payments. Every method is pure."""

    @property
    def model(self) -> str:
        """The name, as contracts.commands.ScreenPayment takes it."""

    def assess(self, payers: Sequence[Measures]) -> Assessment:
        """Judge a payment by the measures of the customers, one or more, that pay it."""
