"""The Lambda function behind the queue `fraud`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from consumers.fraud.alerting import Alerter
from consumers.fraud.batch import Screener, Send
from consumers.fraud.rules import RulesScorer
from consumers.fraud.scorer import Scorer
from consumers.fraud.sending import VerdictSender
from consumers.fraud.store import DynamoFraudStore, FraudStore
from ledger.consuming.batches import Consumer, Handled, World, make_consumer
from ledger.consuming.deployed import deployed_world
from ledger.consuming.writing import AT_ONCE, one_by_one
from ledger.contracts.events import AccountEvent, Event, PaymentScreened
from ledger.runtime.host import Host, SideBySide
from ledger.runtime.lazy import on_first_call
from ledger.runtime.settings import read_settings
from ledger.runtime.sqs import BatchAnswer, remaining_milliseconds

if TYPE_CHECKING:
    from typing import Unpack

    from mypy_boto3_sns import SNSClient


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of the function."""

    fraud_table: str
    fraud_alerts_topic_arn: str
    system_commands_queue_url: str
    queue_url: str


def make_handler(
    *,
    store: FraudStore,
    scorer: Scorer,
    send: Send,
    sns: SNSClient,
    topic_arn: str,
    pause: Callable[[float], object],
    side_by_side: SideBySide = one_by_one,
    **world: Unpack[World],
) -> Consumer:
    """A handler of batches of queue messages; see `make_consumer`."""
    screener = Screener(
        store, scorer, send, random=world["random"], pause=pause, side_by_side=side_by_side
    )
    alerter = Alerter(store, sns, topic_arn)

    def handle(remaining_ms: Callable[[], float], events: Sequence[Event]) -> Handled:
        failed, counts = screener.screen(
            [
                (place, event)
                for place, event in enumerate(events)
                if isinstance(event, AccountEvent)
            ]
        )
        verdicts = [
            (place, event)
            for place, event in enumerate(events)
            if isinstance(event, PaymentScreened) and event.verdict != "clear"
        ]
        untold = alerter.tell_all(verdicts, remaining_ms)
        alerts = Counter(
            {"FraudAlerts": len(verdicts) - len(untold), "FraudAlertsFailed": len(untold)}
        )
        return Handled(failed=failed | untold, counts=counts + alerts)

    def handler(event: dict[str, Any], context: object) -> BatchAnswer:
        remaining = partial(remaining_milliseconds, context)
        return make_consumer(partial(handle, remaining), **world)(event, context)

    return handler


def build(host: Host) -> Consumer:
    """The function. Raises SettingsError."""
    settings = read_settings(Settings, host.environment)
    world = deployed_world(host, settings.queue_url)
    return make_handler(
        store=DynamoFraudStore(host.dynamodb(attempts=2), settings.fraud_table),
        scorer=RulesScorer(),
        send=VerdictSender(world["sqs"], settings.system_commands_queue_url).send,
        sns=host.sns(attempts=2),
        topic_arn=settings.fraud_alerts_topic_arn,
        pause=host.pause,
        side_by_side=host.side_by_side(AT_ONCE),
        **world,
    )


handler = on_first_call(build)
