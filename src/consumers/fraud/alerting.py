"""What follows from a recorded verdict that is not clear: a place in the list, and an alert.

It follows from the recorded event and not from the verdict that was sent, so that nobody is alarmed
by what the ledger does not say. An alert is published at least once; its `id`, the event's, tells
subscribers which they know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from consumers.fraud.store import FraudStore, Review
from ledger.consuming.batches import NOT_TRIED
from ledger.contracts.events import PaymentScreened
from ledger.contracts.fraud import FraudAlert, encode_fraud_alert
from ledger.runtime.faults import AWS_ERRORS, BrokenItemError, StoreError, code_of

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

BROKEN_ITEM: Final = "broken_item"
#: Alerts that failed one behind the other: the topic is out, and took the SDK's two tries of 4 s.
FAILURES_IN_A_ROW_MAX: Final = 2
#: No alert is begun with less time left: 8 s for a topic that is out, and some for the rest.
RESERVED_MILLISECONDS: Final = 12_000


class Alerter:
    """Lists and announces recorded verdicts."""

    def __init__(self, store: FraudStore, sns: SNSClient, topic_arn: str) -> None:
        self._store = store
        self._sns = sns
        self._topic_arn = topic_arn

    def tell_all(
        self, events: Sequence[tuple[int, PaymentScreened]], remaining_ms: Callable[[], float]
    ) -> dict[int, str]:
        """Tell of verdicts that are not clear, each with its place in the batch; error codes by the
        places of those that must come again. `remaining_ms` is the time left for it."""
        failed: dict[int, str] = {}
        in_a_row = 0
        for place, event in events:
            if in_a_row >= FAILURES_IN_A_ROW_MAX or remaining_ms() < RESERVED_MILLISECONDS:
                failed[place] = NOT_TRIED
                continue
            code = self.tell(event)
            if code is None:
                in_a_row = 0
                continue
            failed[place] = code
            in_a_row += code != BROKEN_ITEM  # which says nothing about the next one
        return failed

    def tell(self, event: PaymentScreened) -> str | None:
        """List and announce one verdict that is not clear; an error code if it must come again."""
        try:
            given = self._store.screening(event.payment)
            account = given.account if given and given.command.id == event.id else None
            alert = alert_of(event, account)
            self._store.add_review(Review(event, account))
            self._sns.publish(
                TopicArn=self._topic_arn,
                Message=encode_fraud_alert(alert),
                MessageAttributes=_attributes(alert),
            )
        except BrokenItemError:
            return BROKEN_ITEM
        except StoreError as error:
            return error.code
        except AWS_ERRORS as error:
            return code_of(error)
        return None


def alert_of(event: PaymentScreened, account: str | None) -> FraudAlert:
    """The alert that a verdict which is not clear gives."""
    assert event.verdict != "clear"
    return FraudAlert(
        v=1,
        id=event.id,
        recorded_at=event.recorded_at,
        payment=event.payment,
        account=account,
        model=event.model,
        verdict=event.verdict,
        score_permille=event.score_permille,
        reasons=event.reasons,
    )


def _attributes(alert: FraudAlert) -> dict[str, MessageAttributeValueTypeDef]:
    """What subscribers filter by. SNS takes no empty values: what is unknown is left out."""
    values = {"verdict": alert.verdict, "model": alert.model, "account": alert.account}
    return {
        name: {"DataType": "String", "StringValue": value}
        for name, value in values.items()
        if value is not None
    }
