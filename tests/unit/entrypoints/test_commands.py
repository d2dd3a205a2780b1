"""The queue of commands: what becomes of each message, and of its neighbours."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.adapters.dynamodb.event_store import Meter
from ledger.application.commit import DECIDING_MILLISECONDS_MAX
from ledger.application.group_commit import Asked
from ledger.application.outages import ClockSkewError, ContentionError
from ledger.application.state_cache import StateCache
from ledger.contracts.primitives import COMMAND_BYTES_MAX
from ledger.entrypoints.commands import Handler, make_handler
from ledger.runtime.settings import SettingsError
from ledger.runtime.sqs import BatchAnswer
from ledger.runtime.telemetry import Telemetry, powertools_telemetry
from tests.support.builders import opening, paying, screening
from tests.support.grouping import OneByOne, failing, group_on
from tests.support.records import (
    QUEUES,
    Context,
    FakeSqs,
    Lines,
    bus_message,
    fifo_message,
    standard_message,
    system_message,
    text_of,
)
from tests.support.stores import FaultyStore, OpenStore
from tests.support.worlds import accepted_by, balances_of, commands_on
from tests.unit.entrypoints.conftest import FunctionModule

CARD = "4111 1111 1111 1111"
PAYMENT = paying("p1", ("bank", "a", 30))


class Function:
    """The handler on a memory store, with everything it touches in view."""

    def __init__(
        self, errors: dict[str, Exception] | None = None, store: OpenStore | None = None
    ) -> None:
        self.store = store or OpenStore()
        for account in ("bank", "a", "b") if store is None else ():
            accepted_by(commands_on(self.store), opening(account, min_balance_minor=None))
        self.sqs = FakeSqs()
        self.lines = Lines()
        self.group = group_on(self.store) if errors is None else failing(self.store, errors)
        self.handler = self.made()

    def made(
        self,
        meter: Meter | None = None,
        telemetry: Telemetry | None = None,
        cache: StateCache | None = None,
    ) -> Handler:
        """The handler, with that meter, those lines and that memory instead of its own."""
        return make_handler(
            group=self.group,
            cache=StateCache(0) if cache is None else cache,
            meter=meter or Meter(),
            sqs=self.sqs,  # type: ignore[arg-type]
            queues=QUEUES,
            chance=lambda: 0.5,
            telemetry=telemetry or self.lines.telemetry,
        )

    @property
    def asked(self) -> list[Asked]:
        """Every command that was begun, of a function in which some fail."""
        assert isinstance(self.group, OneByOne)
        return self.group.begun

    def __call__(self, *records: dict[str, Any], context: object = None) -> list[str]:
        """Handles a batch; the ids of the messages that failed."""
        answer: BatchAnswer = self.handler({"Records": list(records)}, context or Context())
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    @property
    def outcomes(self) -> object:
        """What the last line says became of the batch."""
        return self.lines.last.notes["outcomes"]


def attributes_of(message: dict[str, Any]) -> dict[str, str]:
    """What a dead letter says of itself."""
    return {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}


def test_a_command_from_the_bus_is_decided() -> None:
    """In its envelope; whoever put it on the bus is the actor."""
    function = Function()
    assert function(bus_message(PAYMENT, source="core-banking")) == []
    stored = function.store.stored("p1")
    assert json.loads(stored.data)["actor"] == "events:123456789012:core-banking"
    assert (function.outcomes, function.sqs.sent) == ({"accepted": 1}, [])


def test_a_command_from_the_fifo_queue_is_decided() -> None:
    """Bare; the sender is the actor."""
    function = Function()
    assert function(fifo_message(PAYMENT)) == []
    assert json.loads(function.store.stored("p1").data)["actor"] == "sqs:AROAEXAMPLE:sender"
    assert function.outcomes == {"accepted": 1}


def test_a_system_command_is_taken_from_its_queue_only() -> None:
    """There it is decided, its sender the actor; a client's command is refused there, and it is
    refused wherever clients send: for its type, to the dead letters of the queue it came by."""
    function = Function()
    function(fifo_message(PAYMENT))
    verdict = screening("p1")
    for message, detail in (
        (fifo_message(verdict), "type"),
        (bus_message(verdict), "detail-type"),
        (bus_message(verdict, detail_type="payment.post"), "type"),
        (system_message(PAYMENT), "type"),
    ):
        assert function(message) == []
        assert attributes_of(function.sqs.sent[-1])["reason"] == "unsupported_type"
        assert attributes_of(function.sqs.sent[-1])["field"] == detail
    assert [sent["QueueUrl"] for sent in function.sqs.sent] == [
        QUEUES.commands_fifo_dlq_url,
        QUEUES.commands_dlq_url,
        QUEUES.commands_dlq_url,
        QUEUES.system_commands_dlq_url,
    ]
    assert function(system_message(verdict)) == []
    assert function.outcomes == {"accepted": 1}
    event = json.loads(function.store.stored(verdict.id).data)
    assert (event["type"], event["actor"]) == ("payment.screened", "sqs:AIDAEXAMPLE")


@pytest.mark.parametrize("payment", ["nobodys", "refused", "open:a"])
def test_a_verdict_on_no_posted_payment_is_buried(payment: str) -> None:
    """Nothing is recorded; should the payment come yet, the verdict can be sent back."""
    function = Function()
    function(fifo_message(paying("refused", ("b", "nowhere", 1))))
    assert function(system_message(screening(payment))) == []
    letter = attributes_of(function.sqs.sent[-1])
    assert (letter["reason"], letter["field"]) == ("screened_payment_unknown", "payment")
    assert function.store.event(screening(payment).id) is None


def test_a_verdict_stands() -> None:
    """Repeated it changes nothing, nor does another one of the same model on the payment: a scorer
    may judge twice, and that is no letter for a person. Another model's is another verdict."""
    function = Function()
    function(fifo_message(PAYMENT))
    assert function(system_message(screening("p1"))) == []
    assert function(system_message(screening("p1"))) == []
    assert function.outcomes == {"repeat": 1}
    before = function.store.snapshot()
    assert function(system_message(screening("p1", score_permille=1))) == []
    assert (function.outcomes, function.sqs.sent) == ({"screened_before": 1}, [])
    assert function.store.snapshot() == before
    assert function(system_message(screening("p1", model="trained-2", score_permille=1))) == []
    assert function.outcomes == {"accepted": 1}


def test_an_actor_is_bounded() -> None:
    """A source as long as EventBridge takes leaves the event its size."""
    function = Function()
    function(bus_message(PAYMENT, source="s" * 256))
    assert len(json.loads(function.store.stored("p1").data)["actor"]) == 256


def test_a_batch_is_counted_by_outcome() -> None:
    """Accepted, refused by reason, repeated: one line for all of them, information only."""
    function = Function()
    bad = paying("p2", ("bank", "nobody", 1))
    assert (
        function(*[bus_message(c, id=f"m{n}") for n, c in enumerate((PAYMENT, bad, PAYMENT))]) == []
    )
    assert function.outcomes == {"accepted": 1, "rejected": 1, "repeat": 1}
    assert function.lines.last.notes["rejections"] == {"account_not_found": 1}
    assert function.lines.last.notes["queue"] == "ledger-dev-commands"
    assert function.lines.count("CommandsDecided") == 2
    assert function.lines.count("CommandsRejected") == 1
    assert (function.lines.last.level, len(function.lines.lines)) == ("info", 1)


MALFORMED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no envelope": (standard_message(text_of(PAYMENT)), "malformed_json", ""),
    "no JSON": (standard_message("hello"), "malformed_json", ""),
    "truncated": (standard_message(bus_message(PAYMENT)["body"][:-4]), "malformed_json", ""),
    "detail of another kind": (
        bus_message("[1]", detail_type="payment.post"),
        "malformed_json",
        "",
    ),
    "unknown type": (
        bus_message('{"type":"money.print"}', detail_type="money.print"),
        "unsupported_type",
        "detail-type",
    ),
    "two types": (bus_message(PAYMENT, detail_type="account.open"), "unsupported_type", "type"),
    "unknown version": (
        bus_message(text_of(PAYMENT).replace('"v":1', '"v":2')),
        "unsupported_version",
        "v",
    ),
    "amount as text": (
        bus_message(text_of(PAYMENT).replace(":30", ':"30"')),
        "invalid_amount",
        "postings[0].amount_minor",
    ),
    "unknown field": (
        bus_message(text_of(PAYMENT).replace('"v":1', '"v":1,"note":"x"')),
        "unknown_field",
        "note",
    ),
    "too large": (
        bus_message("{" + " " * COMMAND_BYTES_MAX + text_of(PAYMENT)[1:]),
        "payload_too_large",
        "",
    ),
    "card number": (
        bus_message(text_of(PAYMENT).replace('"v":1', f'"v":1,"description":"pan {CARD}"')),
        "card_number",
        "description",
    ),
    "card number as source": (bus_message(PAYMENT, source=CARD), "card_number", "source"),
    "control characters as source": (
        bus_message(PAYMENT, source="a\u0007b"),
        "invalid_text",
        "source",
    ),
    "envelope in the FIFO queue": (
        fifo_message(bus_message(PAYMENT)["body"]),
        "missing_field",
        "type",
    ),
    "bare and truncated": (fifo_message('{"type":'), "malformed_json", ""),
}


@pytest.mark.parametrize("how", MALFORMED)
def test_a_malformed_message_is_buried_with_its_reason(how: str) -> None:
    """Sent to its queue's dead letters as it came, with reason, field and retry advice; not failed,
    not retried; nothing is recorded, and its id stays free."""
    message, reason, field = MALFORMED[how]
    function = Function()
    before = function.store.snapshot()
    assert function(message) == []
    (letter,) = function.sqs.sent
    assert letter["MessageBody"] == message["body"]
    expected = {"reason": reason, "retry": "never", "source_message_id": "m1"}
    assert attributes_of(letter) == expected | ({"field": field} if field else {})
    assert function.store.snapshot() == before
    assert function.outcomes == {}
    assert function.lines.last.notes["dead_letters"] == {reason: 1}
    assert function.lines.count("CommandsBuried") == 1
    assert function.sqs.delayed == {}


def test_dead_letters_keep_their_queue_and_group() -> None:
    """A FIFO queue's dead letters are a FIFO queue: same group, a deduplication id of their own, so
    that order can be told and a second burial of one message is one."""
    function = Function()
    function(fifo_message("{", group="g7", id="m7"), standard_message("{", id="m8"))
    ordered, other = function.sqs.sent
    assert ordered["QueueUrl"] == QUEUES.commands_fifo_dlq_url
    assert (ordered["MessageGroupId"], ordered["MessageDeduplicationId"]) == ("g7", "m7")
    assert other["QueueUrl"] == QUEUES.commands_dlq_url
    assert other.keys() & {"MessageGroupId", "MessageDeduplicationId"} == set()


def test_a_group_on_the_standard_queue_is_only_a_hint() -> None:
    """There it shares the queue fairly; it promises no order and makes no bare command."""
    function = Function({"p1": ContentionError("busy")})
    messages = [
        {**bus_message(PAYMENT, id="m1")},
        {**bus_message(paying("p2", ("bank", "a", 1)), id="m2")},
    ]
    for message in messages:
        message["attributes"] |= {"MessageGroupId": "tenant-1"}
    assert function(*messages) == ["m1"]
    assert [one.command.id for one in function.asked] == ["p1", "p2"]
    assert list(function.sqs.delayed) == [QUEUES.commands_queue_url]


def test_a_mismatch_is_buried() -> None:
    """An id that was decided for another request can never be decided for this one."""
    function = Function()
    function(fifo_message(PAYMENT))
    assert function(fifo_message(paying("p1", ("bank", "a", 31)), id="m2")) == []
    (letter,) = function.sqs.sent
    assert attributes_of(letter) == {
        "reason": "idempotency_mismatch",
        "field": "postings[0].amount_minor",
        "retry": "never",
        "source_message_id": "m2",
    }
    assert balances_of(function.store)["a"] == 30


@pytest.mark.parametrize("message", [fifo_message, bus_message])
def test_a_message_that_cannot_be_buried_comes_back(message: Callable[..., dict[str, Any]]) -> None:
    """If the dead letters do not take it, it fails like any other: in the end SQS moves it there
    itself. It has no effect, so nothing behind it in its group waits for it."""
    function = Function()
    function.sqs.down = True
    bad = text_of(PAYMENT).replace(":30", ":-30")
    after = paying("p2", ("bank", "a", 1))
    assert function(message(bad), message(after, id="m2")) == ["m1"]
    assert "p2" in function.store.snapshot().events
    assert function.outcomes == {"not_buried": 1, "accepted": 1}
    assert function.lines.last.level == "warning"
    assert function.lines.count("CommandsBuried") is None


def test_one_bad_message_fails_alone() -> None:
    """Its neighbours in the batch are decided, before and after it."""
    function = Function()
    messages = [
        bus_message(PAYMENT, id="m1"),
        standard_message("nonsense", id="m2"),
        bus_message(paying("p3", ("bank", "b", 5)), id="m3"),
    ]
    assert function(*messages) == []
    assert balances_of(function.store) == {"bank": -35, "a": 30, "b": 5}
    assert len(function.sqs.sent) == 1


OUTAGES: dict[str, Exception] = {
    "contention": ContentionError("12 attempts", {"stale": 7, "conflict": 5}),
    "clock_skew": ClockSkewError("account a is ahead", {"skewed": 1}),
    "exception:ValueError": ValueError(f"card {CARD}"),
}


@pytest.mark.parametrize("outcome", OUTAGES)
def test_what_could_not_be_decided_comes_back(outcome: str) -> None:
    """An outage or a bug fails its message alone; it comes back after a back-off by how often it
    was received; the line says why by code or type, never by text."""
    function = Function({"p1": OUTAGES[outcome]})
    other = paying("p2", ("bank", "a", 1))
    assert function(bus_message(PAYMENT, received=4), bus_message(other, id="m2")) == ["m1"]
    assert function.outcomes == {outcome: 1, "accepted": 1}
    assert function.sqs.delayed == {QUEUES.commands_queue_url: {"receipt-m1": 8}}
    assert (function.lines.last.level, function.sqs.sent) == ("warning", [])
    assert CARD not in repr(function.lines.last)


def test_causes_are_counted() -> None:
    """What the attempts met, of decided and of undecided commands, as metrics to alarm on."""
    function = Function({"p1": OUTAGES["contention"], "p2": OUTAGES["clock_skew"]})
    function(*[bus_message(paying(f"p{n}", ("bank", "a", 1)), id=f"m{n}") for n in (1, 2, 3)])
    assert function.lines.count("CommitConflicts") == 12
    assert function.lines.count("ClockSkewRefused") == 1
    assert function.lines.last.notes["causes"] == {"stale": 7, "conflict": 5, "skewed": 1}
    function(bus_message(paying("p4", ("bank", "a", 1))))
    assert function.lines.last.metrics.keys() == {"CommandsDecided"}


def test_order_holds_in_a_group_after_a_failure() -> None:
    """What follows a failed message in its group fails too, unasked, or it would overtake it; other
    groups go on. All that failed are brought back."""
    function = Function({"p1": OUTAGES["contention"]})
    messages = [
        fifo_message(paying("p0", ("bank", "a", 1)), id="m0", group="g1"),
        fifo_message(PAYMENT, id="m1", group="g1"),
        fifo_message(paying("p2", ("bank", "a", 1)), id="m2", group="g2"),
        fifo_message(paying("p3", ("bank", "a", 1)), id="m3", group="g1", received=2),
        fifo_message("nonsense", id="m4", group="g1"),
        fifo_message(paying("p5", ("bank", "a", 1)), id="m5", group="g2"),
    ]
    assert function(*messages) == ["m1", "m3", "m4"]
    assert [one.command.id for one in function.asked] == ["p0", "p1", "p2", "p5"]
    assert function.sqs.sent == []
    assert function.outcomes == {"accepted": 3, "contention": 1, "deferred": 2}
    assert function.sqs.delayed == {
        QUEUES.commands_fifo_queue_url: {"receipt-m1": 1, "receipt-m3": 2, "receipt-m4": 1}
    }


def test_a_bug_in_reading_a_message_holds_up_its_group_only() -> None:
    """What cannot even be read comes back, and in its group what is behind it, unasked; others are
    decided."""
    function = Function({})
    messages = [
        fifo_message("\ud800", id="m1", group="g1"),
        fifo_message(PAYMENT, id="m2", group="g1"),
        fifo_message(paying("p3", ("bank", "a", 1)), id="m3", group="g2"),
    ]
    assert function(*messages) == ["m1", "m2"]
    assert [one.command.id for one in function.asked] == ["p3"]
    assert function.outcomes == {"exception:UnicodeEncodeError": 1, "deferred": 1, "accepted": 1}
    assert function.sqs.sent == []


def test_a_buried_message_does_not_hold_up_its_group() -> None:
    """It will never be decided, so nothing waits for it."""
    function = Function()
    messages = [fifo_message("nonsense", id="m1"), fifo_message(PAYMENT, id="m2")]
    assert function(*messages) == []
    assert balances_of(function.store)["a"] == 30


def test_no_command_is_begun_out_of_time() -> None:
    """A worker that may be ended before the attempts are leaves the rest of the batch, in both
    queues, to the next."""
    function = Function({})
    context = Context(DECIDING_MILLISECONDS_MAX, DECIDING_MILLISECONDS_MAX - 1)
    messages = [
        bus_message(PAYMENT, id="m1"),
        bus_message(paying("p2", ("bank", "a", 1)), id="m2"),
        fifo_message(paying("p3", ("bank", "a", 1)), id="m3"),
    ]
    assert function(*messages, context=context) == ["m2", "m3"]
    assert [one.command.id for one in function.asked] == ["p1"]
    assert function.outcomes == {"accepted": 1, "deferred": 2}
    assert {url: list(each) for url, each in function.sqs.delayed.items()} == {
        QUEUES.commands_queue_url: ["receipt-m2"],
        QUEUES.commands_fifo_queue_url: ["receipt-m3"],
    }


def test_a_context_without_a_clock_is_enough() -> None:
    """As a simulation's may be."""
    assert Function()(bus_message(PAYMENT), context=object()) == []


def test_time_is_kept_for_all_attempts() -> None:
    """What a command may take at the most: its last attempt begins after 9 s and a pause, and makes
    two calls that connect within 1 s and answer within 3 s."""
    assert DECIDING_MILLISECONDS_MAX >= 9_000 + 400 + 2 * (1_000 + 3_000)


def test_the_line_says_what_the_store_was_asked() -> None:
    """Requests, write units and cancelled transactions of this invocation."""
    function = Function()
    meter = Meter(requests=4, write_units=6.0, cancelled=1)
    function.handler = function.made(meter=meter)
    function(bus_message(PAYMENT))
    notes = function.lines.last.notes
    assert (notes["requests"], notes["write_units"], notes["cancelled"]) == (4, 6, 1)
    assert meter == Meter()


def test_the_line_says_how_many_commands_share_a_transaction() -> None:
    """Of three that fit one: one transaction, at the first attempt. What was remembered is told
    where something was; a worker that remembers nothing says nothing of it."""
    function = Function()
    cache = StateCache(100)
    function.group = group_on(function.store, cache=cache)
    function.handler = function.made(cache=cache)
    for first in (1, 4):
        messages = [
            bus_message(paying(f"p{n}", ("bank", "a", 1)), id=f"m{n}")
            for n in range(first, first + 3)
        ]
        assert function(*messages) == []
        notes = function.lines.last.notes
        assert (notes["commands"], notes["transactions"], notes["group_size_max"]) == (3, 1, 3)
        assert notes["transaction_attempts"] == 1
        assert function.lines.count("TransactionsCommitted") == 1
        assert function.lines.count("CommandsGrouped") == 3
        assert function.lines.count("CommandsDecided") == 3
        hits = function.lines.count("CacheHits")
        assert hits is None if first == 1 else hits == 2
        assert function.lines.count("CacheStale") is None
    assert balances_of(function.store)["a"] == 6


def test_logs_hold_codes_and_counts_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever becomes of a batch, the line that is printed has no body, no account, no text of the
    client's, no card number and no exception's text."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "Commands")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Ledger")
    function = Function({"p-bug": ValueError(f"bug near {CARD}")})
    function.handler = function.made(telemetry=powertools_telemetry())
    secret = "rent for Ms Sherlock"
    leg = ("bank", "a", 77_001)
    failed = function(
        bus_message(paying("p1", leg, description=secret, reference="ref-9917"), id="m1"),
        bus_message(paying("p1", leg, description="another " + secret), id="m2"),
        bus_message(paying("p2", ("bank", "nobody-1", 77_001), description=secret), id="m3"),
        bus_message(text_of(PAYMENT).replace('"v":1', f'"v":1,"{CARD}":"{secret}"'), id="m4"),
        bus_message(text_of(PAYMENT).replace('"v":1', f'"v":1,"reference":"{CARD}"'), id="m5"),
        standard_message(f'{{"{secret}":', id="m6"),
        bus_message(paying("p-bug", leg, description=secret), id="m7"),
        bus_message(PAYMENT, source=CARD, id="m8"),
    )
    assert failed == ["m7"]
    printed = capsys.readouterr()
    (line,) = printed.out.splitlines()
    assert printed.err == ""
    assert json.loads(line)["outcomes"] == {
        "accepted": 1,
        "rejected": 1,
        "exception:ValueError": 1,
    }
    for private in (secret, "Sherlock", "ref-9917", CARD, "4111", "nobody-1", "77001", "bug near"):
        assert private not in line
    letters = " ".join(str(attributes_of(letter)) for letter in function.sqs.sent)
    assert CARD not in letters
    assert secret not in letters


@given(st.text(max_size=60), st.booleans())
@settings(max_examples=60)
def test_any_text_is_dealt_with(body: str, ordered: bool) -> None:
    """No message, whatever it holds, raises, is retried for its content, or leaves anything in the
    store: it is buried."""
    function = Function()
    before = function.store.snapshot()
    message = fifo_message(body) if ordered else standard_message(body)
    assert function(message) == []
    assert [letter["MessageBody"] for letter in function.sqs.sent] == [body]
    assert function.store.snapshot() == before


@given(
    st.sampled_from(
        ["4111111111111111", "5555555555554444", "378282246310005", "6011000990139424"]
    ),
    st.sampled_from(["", " ", "-", "."]),
    st.sampled_from(["{}", "card {} please", "{},"]),
    st.sampled_from(["reference", "description"]),
)
@settings(max_examples=40)
def test_card_numbers_never_reach_an_event(
    digits: str, separator: str, around: str, field: str
) -> None:
    """However it is grouped and surrounded, in either free text: buried, nothing recorded."""
    grouped = separator.join(digits[at : at + 4] for at in range(0, len(digits), 4))
    function = Function()
    text = around.format(grouped)
    body = text_of(PAYMENT).replace('"v":1', f'"v":1,"{field}":"{text}"')
    assert function(fifo_message(body), bus_message(body, id="m2")) == []
    assert [attributes_of(letter)["reason"] for letter in function.sqs.sent] == ["card_number"] * 2
    assert "p1" not in function.store.snapshot().events


def test_lost_answers_are_decided_once() -> None:
    """A batch whose first answers are lost moves its money once and fails no message. What an
    attempt met is told once, however many commands were in it."""
    function = Function()
    faulty = FaultyStore(function.store, appending=["lost_after", None] * 3)
    function.group = group_on(faulty)
    function.handler = function.made()
    messages = [bus_message(paying(f"p{n}", ("bank", "a", 1)), id=f"m{n}") for n in range(3)]
    assert function(*messages) == []
    assert (function.outcomes, balances_of(function.store)["a"]) == ({"accepted": 3}, 3)
    assert function.lines.last.notes["causes"] == {"lost_answer": 1}


def test_nothing_is_built_before_the_first_call(function_module: FunctionModule) -> None:
    """Importing the module made nothing; the first call reads the settings and names what is
    missing; with all of them there, it answers."""
    names = (
        "EVENTS_TABLE",
        "STATES_TABLE",
        "COMMANDS_QUEUE_URL",
        "COMMANDS_FIFO_QUEUE_URL",
        "SYSTEM_COMMANDS_QUEUE_URL",
        "SYSTEM_COMMANDS_DLQ_URL",
        "COMMANDS_DLQ_URL",
        "COMMANDS_FIFO_DLQ_URL",
    )
    handler, set_environment = function_module("commands")
    with pytest.raises(SettingsError) as raised:
        handler({"Records": []}, Context())
    assert set(raised.value.names) <= set(names)
    set_environment(*names)
    assert handler({"Records": []}, Context()) == {"batchItemFailures": []}
