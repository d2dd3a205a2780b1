"""Recording a fraud model's verdict on a payment: a fact about it that moves nothing."""

from __future__ import annotations

from ledger.contracts.commands import ScreenPayment
from ledger.contracts.events import PaymentScreened
from ledger.domain.stamp import Stamp, head
from ledger.domain.states import States


def decide_screening(_states: States, command: ScreenPayment, stamp: Stamp) -> PaymentScreened:
    """The verdict, recorded. That the payment is there was seen to; a fact cannot be undone."""
    return PaymentScreened(
        **head(command, stamp),
        payment=command.payment,
        model=command.model,
        verdict=command.verdict,
        score_permille=command.score_permille,
        reasons=command.reasons,
    )
