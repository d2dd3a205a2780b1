"""What the fraud scorer and those who read its verdicts agree on."""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import Struct

from ledger.contracts.commands import ScreeningReason

#: The models whose verdicts are looked up when a payment's are asked for, the present one first.
#: A model that was ever in use stays here: its verdicts are recorded for ever.
SCREENING_MODELS: Final = ("rules-1",)


class FraudAlert(
    Struct,
    frozen=True,
    kw_only=True,
    tag_field="type",
    tag="fraud.alert",  # what subscribers of the topic read
):
    """The ledger recorded a verdict that is not clear. `id` is that of the event, for ever.

    `account` is the payer that stands out most; null if it is not known.
    """

    v: Literal[1]
    id: str
    recorded_at: str
    payment: str
    account: str | None
    model: str
    verdict: Literal["review", "block"]
    score_permille: int
    reasons: tuple[ScreeningReason, ...]


_ENCODE: Final = msgspec.json.Encoder().encode


def encode_fraud_alert(alert: FraudAlert) -> str:
    """The body of a message of the topic of fraud alerts."""
    return _ENCODE(alert).decode()
