"""From queue messages to verdicts, and from recorded verdicts to the list and the topic."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws
from typing_extensions import override

from consumers.fraud import alerting
from consumers.fraud import handler as module
from consumers.fraud import reviews as reviews_module
from consumers.fraud.alerting import Alerter, alert_of
from consumers.fraud.handler import make_handler
from consumers.fraud.memory import MemoryFraudStore
from consumers.fraud.rules import RulesScorer
from consumers.fraud.screening import Screening
from consumers.fraud.sending import FAILURES_IN_A_ROW_MAX, NO_RESULT, VerdictSender
from consumers.fraud.store import FraudStore, Review
from ledger.consuming.batches import NOT_TRIED
from ledger.contracts.commands import Command, ScreenPayment, decode_command, screening_id
from ledger.contracts.events import Event
from ledger.runtime.faults import BrokenItemError, StoreError
from ledger.runtime.settings import SettingsError
from tests.properties.projection_streams import message, raw_message
from tests.support.consuming import REJECTION, World, function_environment
from tests.support.fraud import Ledger, customer, recorded

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

OUTAGE = EndpointConnectionError(endpoint_url="https://sns")


class Topic:
    """A topic that keeps what is published, or fails with `fault`."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.messages: list[dict[str, Any]] = []

    def publish(self, **request: Any) -> dict[str, str]:
        """As the SNS client does."""
        if self.fault:
            raise self.fault
        self.messages.append(request)
        return {"MessageId": "1"}


class Queue:
    """The queue of system commands. `results` has, for each request, the ids it refuses or says
    nothing about, or the error it raises."""

    def __init__(self, *results: Any) -> None:
        self.results = list(results)
        self.bodies: list[str] = []
        self.requests = 0

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, str]]) -> Any:  # noqa: N803
        """As the SQS client does."""
        assert QueueUrl == "https://system"
        assert 1 <= len(Entries) <= 10
        self.requests += 1
        result = self.results.pop(0) if self.results else {}
        if isinstance(result, Exception):
            raise result
        taken = [entry for entry in Entries if entry["Id"] not in result]
        self.bodies += [entry["MessageBody"] for entry in taken]
        refused = [
            {"Id": id_, "Code": code, "SenderFault": False} for id_, code in result.items() if code
        ]
        return {"Successful": [{"Id": entry["Id"]} for entry in taken], "Failed": refused}

    @property
    def commands(self) -> list[Command]:
        """All commands in all messages, each well-formed."""
        return [
            decode_command(json.dumps(each).encode(), ("payment.screen",))
            for body in self.bodies
            for each in json.loads(body)["commands"]
        ]


def verdicts(count: int) -> list[ScreenPayment]:
    """That many verdicts."""
    return [
        ScreenPayment(
            v=1,
            id=screening_id(f"p{place}", "rules-1"),
            payment=f"p{place}",
            model="rules-1",
            verdict="clear",
            score_permille=0,
            reasons=(),
        )
        for place in range(count)
    ]


def send(queue: Queue, commands: Sequence[ScreenPayment]) -> dict[int, str]:
    """Let the sender send."""
    return dict(VerdictSender(cast("SQSClient", queue), "https://system").send(commands))


def handle(
    world: World,
    store: FraudStore,
    topic: Topic,
    queue: Queue,
    *records: dict[str, Any],
    context: object = None,
) -> list[str]:
    """Let the handler have a batch; the ids of the messages that it fails."""
    handler = make_handler(
        store=store,
        scorer=RulesScorer(),
        send=VerdictSender(cast("SQSClient", queue), "https://system").send,
        sns=cast("SNSClient", topic),
        topic_arn="arn:topic",
        pause=lambda _: None,
        **world.collaborators,
    )
    answer = handler({"Records": [*records]}, context)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def messages(*events: Event) -> list[dict[str, Any]]:
    """The messages of these events, `m0` and so on."""
    return [message(event, f"m{place}") for place, event in enumerate(events)]


def test_posted_payments_become_commands_for_the_ledger() -> None:
    """Each payment of a customer is one system command, with verdict and reasons, well-formed."""
    ledger = Ledger()
    start = customer(ledger)
    ledger.pay(("ann", "eve", 70_000), hour=start)
    world, queue = World(), Queue()
    assert handle(world, MemoryFraudStore(), Topic(), queue, *messages(*ledger.events)) == []
    assert queue.requests == len(queue.bodies) == 1
    commands = queue.commands
    assert len(commands) == 11
    last = commands[-1]
    assert isinstance(last, ScreenPayment)
    assert (last.payment, last.verdict) == (ledger.events[-1].id, "review")
    (line,) = world.lines
    assert line.metrics["Verdicts"] == ("Count", 11)
    assert line.metrics["ScreenedReview"] == ("Count", 1)
    assert line.level == "info"


def test_a_message_that_is_no_event_fails_alone() -> None:
    """Poison comes back to be dead-lettered; its neighbours are screened."""
    ledger = Ledger()
    ledger.pay(("ann", "bob", 5), hour=500_000)
    world, queue = World(), Queue()
    records = [raw_message("{}", "bad"), *messages(*ledger.events)]
    assert handle(world, MemoryFraudStore(), Topic(), queue, *records) == ["bad"]
    assert len(queue.commands) == 1
    assert world.delayed == ["receipt-bad"]


def test_verdicts_that_are_not_sent_fail_their_messages() -> None:
    """What shares a message with them comes back with them; next time all are sent."""
    ledger = Ledger()
    for place in range(3):
        ledger.pay((f"from-{place}", "bob", 5), hour=500_000 + place)
    world, queue, store = World(), Queue({"0": "InternalError"}), MemoryFraudStore()
    records = messages(*ledger.events)
    assert handle(world, store, Topic(), queue, *records) == ["m0", "m1", "m2"]
    assert world.lines[-1].notes["failures"] == {"InternalError": 3}
    assert handle(world, store, Topic(), queue, *records) == []
    payments = [command.payment for command in queue.commands if isinstance(command, ScreenPayment)]
    assert sorted(payments) == sorted(event.id for event in ledger.events)


def test_events_of_no_concern_are_taken_without_a_word() -> None:
    """A refusal and a verdict that is clear change nothing and tell nobody."""
    store, topic, queue = MemoryFraudStore(), Topic(), Queue()
    records = messages(REJECTION, recorded(verdict="clear"))
    assert handle(World(), store, topic, queue, *records) == []
    assert (topic.messages, queue.bodies) == ([], [])
    assert store.reviews(None, 9).reviews == ()


@pytest.mark.parametrize("verdict", ["review", "block"])
def test_a_recorded_verdict_that_is_not_clear_is_listed_and_announced(verdict: str) -> None:
    """The alert says what the ledger recorded, under the event's id, with the payer found for it;
    its attributes are what subscribers filter by."""
    ledger = Ledger()
    start = customer(ledger)
    payment = ledger.pay(("ann", "eve", 70_000), hour=start)
    world, store, topic = World(), MemoryFraudStore(), Topic()
    handle(world, store, topic, Queue(), *messages(*ledger.events))
    given = store.screening(payment.id)
    assert given
    event = recorded(payment.id, verdict, id=given.command.id, reasons=given.command.reasons)
    assert handle(world, store, topic, Queue(), *messages(event, event)) == []
    assert store.reviews(None, 9).reviews == (Review(event, "ann"),)
    once, twice = topic.messages
    assert once == twice
    assert once["TopicArn"] == "arn:topic"
    body = json.loads(once["Message"])
    assert body == {
        "type": "fraud.alert",
        "v": 1,
        "id": event.id,
        "recorded_at": event.recorded_at,
        "payment": payment.id,
        "account": "ann",
        "model": "rules-1",
        "verdict": verdict,
        "score_permille": 900,
        "reasons": [
            {"code": "amount_above_norm", "value": 70_000, "norm": body["reasons"][0]["norm"],
             "unit": "minor"},
            {"code": "new_counterparty", "value": 1, "norm": 1, "unit": "accounts"},
        ],
    }  # fmt: skip
    values = {name: each["StringValue"] for name, each in once["MessageAttributes"].items()}
    assert values == {"verdict": verdict, "model": "rules-1", "account": "ann"}
    assert world.lines[-1].metrics["FraudAlerts"] == ("Count", 2)


def test_a_verdict_of_another_scorer_is_announced_without_a_payer() -> None:
    """Who stands out is known of our own verdicts only; no empty attribute is sent."""
    store, topic = MemoryFraudStore(), Topic()
    [ours] = verdicts(1)
    store.keep(Screening("ann", ours))
    event = recorded("p0", model="other.9", id="screening:p0:other.9")
    assert handle(World(), store, topic, Queue(), *messages(event)) == []
    assert store.reviews(None, 9).reviews == (Review(event, None),)
    [published] = topic.messages
    assert "account" not in published["MessageAttributes"]
    assert json.loads(published["Message"])["account"] is None


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (OUTAGE, "EndpointConnectionError"),
        (ClientError({"Error": {"Code": "KMSDisabled"}}, "Publish"), "KMSDisabled"),
    ],
)
def test_an_alert_that_fails_comes_again(fault: Exception, code: str) -> None:
    """Nobody is told by a topic that is out: the message fails, and its neighbours do not."""
    ledger = Ledger()
    ledger.pay(("ann", "bob", 5), hour=500_000)
    world, store, queue = World(), MemoryFraudStore(), Queue()
    records = messages(recorded(), *ledger.events)
    assert handle(world, store, Topic(fault), queue, *records) == ["m0"]
    assert len(queue.commands) == 1
    assert world.lines[-1].notes["failures"] == {code: 1}
    topic = Topic()
    assert handle(world, store, topic, queue, records[0]) == []
    assert len(topic.messages) == 1
    assert len(store.reviews(None, 9).reviews) == 1


@pytest.mark.parametrize(
    ("fault", "code"), [(StoreError("outage"), "outage"), (BrokenItemError("x"), "broken_item")]
)
def test_an_alert_is_not_published_before_it_is_listed(fault: Exception, code: str) -> None:
    """If the table fails nothing is announced: the message comes again whole."""

    class Failing(MemoryFraudStore):
        @override
        def add_review(self, review: Review) -> None:
            raise fault

    topic = Topic()
    alerter = Alerter(Failing(), cast("SNSClient", topic), "arn:topic")
    assert alerter.tell(recorded()) == code
    assert topic.messages == []


def test_a_topic_out_of_reach_is_not_tried_for_ever() -> None:
    """After a few alerts that failed in a row the rest waits; broken items are no sign of it."""

    class Counted(Topic):
        tried = 0

        @override
        def publish(self, **request: Any) -> dict[str, str]:
            self.tried += 1
            return super().publish(**request)

    topic = Counted(OUTAGE)
    world = World()
    records = messages(*(recorded(f"p{place}") for place in range(5)))
    assert len(handle(world, MemoryFraudStore(), topic, Queue(), *records)) == 5
    assert topic.tried == alerting.FAILURES_IN_A_ROW_MAX
    assert world.lines[-1].notes["failures"] == {"EndpointConnectionError": 2, NOT_TRIED: 3}
    assert world.lines[-1].metrics["FraudAlertsFailed"] == ("Count", 5)

    class Broken(MemoryFraudStore):
        @override
        def screening(self, payment: str) -> Screening | None:
            if payment != "p4":
                raise BrokenItemError("no verdict")
            return None

    assert handle(world, Broken(), Topic(), Queue(), *records) == ["m0", "m1", "m2", "m3"]


def test_no_alert_is_begun_that_may_not_end() -> None:
    """With the time running out the rest comes again, and the batch is answered."""

    class Context:
        def __init__(self) -> None:
            enough = alerting.RESERVED_MILLISECONDS
            self.left = [30_000, enough, enough - 1]

        def get_remaining_time_in_millis(self) -> int:
            """As Lambda's context does."""
            return self.left.pop(0)

    topic = Topic()
    records = messages(*(recorded(f"p{place}") for place in range(2)))
    failed = handle(World(), MemoryFraudStore(), topic, Queue(), *records, context=Context())
    assert failed == ["m1"]
    assert len(topic.messages) == 1


def test_an_alert_has_every_field_of_its_event() -> None:
    """What subscribers get is what the ledger recorded."""
    event = recorded(score_permille=512, verdict="review")
    alert = alert_of(event, "ann")
    for name in ("id", "recorded_at", "payment", "model", "verdict", "score_permille", "reasons"):
        assert getattr(alert, name) == getattr(event, name)


def test_verdicts_are_sent_a_hundred_a_message() -> None:
    """Ten messages a request, in their order; a single one is sent in the same way."""
    queue = Queue()
    commands = verdicts(1_050)
    assert send(queue, commands) == {}
    assert queue.requests == 2
    assert [len(json.loads(body)["commands"]) for body in queue.bodies] == [100] * 10 + [50]
    assert queue.commands == commands
    alone = Queue()
    assert send(alone, commands[:1]) == {}
    assert alone.commands == commands[:1]


def test_only_what_sqs_says_it_took_is_sent() -> None:
    """A message that is refused, and one of which nothing is said, are both not sent."""
    queue = Queue({"3": "InternalError", "4": ""}, {"0": "InternalError"})
    failed = send(queue, verdicts(1_010))
    assert failed == dict.fromkeys(range(300, 400), "InternalError") | dict.fromkeys(
        range(400, 500), NO_RESULT
    ) | dict.fromkeys(range(1_000, 1_010), "InternalError")


def test_a_queue_out_of_reach_is_not_tried_for_ever() -> None:
    """After a few requests that failed in a row the rest is left for another time."""
    queue = Queue(*[OUTAGE] * 9)
    failed = send(queue, verdicts(4_000))
    assert queue.requests == FAILURES_IN_A_ROW_MAX
    assert list(failed.values()).count("EndpointConnectionError") == 1_000 * FAILURES_IN_A_ROW_MAX
    assert list(failed.values()).count(NOT_TRIED) == 4_000 - 1_000 * FAILURES_IN_A_ROW_MAX


def test_the_deployed_handlers_read_their_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry points name every setting that they miss, and work once they have them."""
    for name in ("FRAUD_TABLE", "FRAUD_ALERTS_TOPIC_ARN", "SYSTEM_COMMANDS_QUEUE_URL", "QUEUE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError) as raised:
        module.handler({"Records": []}, None)
    assert len(raised.value.names) == 4
    with pytest.raises(SettingsError):
        reviews_module.handler({"resource": "/reviews"}, None)
    environment = function_environment(
        "Fraud",
        FRAUD_TABLE="fraud",
        FRAUD_ALERTS_TOPIC_ARN="arn:topic",
        SYSTEM_COMMANDS_QUEUE_URL="https://system",
        QUEUE_URL="https://queue",
    )
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        assert module.handler({"Records": []}, None) == {"batchItemFailures": []}
        answer = reviews_module.handler({"resource": "/reviews"}, None)
    assert answer["statusCode"] == 503  # there is no such table
