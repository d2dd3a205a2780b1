"""`dead-letters` and `redrive`, on queues in memory: what they show, send, refuse and exit with."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from ledger.adapters.dynamodb.event_store import Meter
from ledger.application.publication import Published
from ledger.cli.connection import Connection
from ledger.cli.dead_letters import LISTED_MAX
from ledger.client.config import ENVIRONMENT_VARIABLE, save
from ledger.entrypoints.commands import QueueSettings, make_handler
from ledger.runtime.clock import wall_clock
from ledger.runtime.telemetry import Telemetry
from ledger.upkeep.dead_letters.queues import HOLD_SECONDS
from tests.support.queues import MemorySqs
from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import LocalLedger

PAYMENT = '{"type":"payment.posted","v":1,"id":"payment-1","postings":[]}'
OTHER = '{"type":"payment.posted", "v":1,"id":"payment-2"}'
HEAD = '{"id":"e","source":"ledger","account":"0","detail-type":"payment.posted","detail":'
ENVELOPE = f'{HEAD}{{"events":[{PAYMENT}]}}}}'
PACK = f'{HEAD}{{"events":[{PAYMENT},{OTHER}]}}}}'


def url(name: str) -> str:
    """The URL of a queue of the stage."""
    return f"https://sqs.example/000000000000/ledger-test-{name}"


class Bus:
    """A Publisher that notes what it got, and takes nothing while it is `closed`."""

    def __init__(self) -> None:
        self.published: list[Published] = []
        self.closed = False

    def publish(self, events: list[Published]) -> frozenset[int]:
        """See Publisher."""
        if self.closed:
            return frozenset(range(len(events)))
        self.published += events
        return frozenset()


@pytest.fixture
def sqs() -> MemorySqs:
    """The queues of the stack; their time is now."""
    made = MemorySqs(now=wall_clock() / 1_000_000)
    for name in ("commands", "commands.fifo", "balances"):
        made.policies[url(name)] = '{"maxReceiveCount":5,"deadLetterTargetArn":"arn"}'
    return made


@pytest.fixture
def bus() -> Bus:
    """The ledger bus."""
    return Bus()


@pytest.fixture
def run(
    run: Run, local: LocalLedger, sqs: MemorySqs, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs the command against a stack with queues of each kind; not with a bucket."""
    outputs = {
        "CommandsQueueUrl": url("commands"),
        "CommandsDlqUrl": url("commands-dlq"),
        "CommandsFifoQueueUrl": url("commands.fifo"),
        "CommandsFifoDlqUrl": url("commands-dlq.fifo"),
        "BalancesQueueUrl": url("balances"),
        "BalancesDlqUrl": url("balances-dlq"),
        "BusDlqUrl": url("bus-dlq"),
        "OrphanDlqUrl": url("orphan-dlq"),
    }
    path = Path(os.environ[ENVIRONMENT_VARIABLE])
    save(msgspec.structs.replace(local.config, outputs=outputs), path)
    monkeypatch.setattr(Connection, "sqs", sqs)
    monkeypatch.setattr(Connection, "publisher", lambda _: bus)
    return run


def bury(local: LocalLedger, sqs: MemorySqs, body: str, group: str = "") -> None:
    """What the handler of commands does with a message that it can never decide."""

    def send_message_batch(*, QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803
        for entry in Entries:
            sqs.put(
                QueueUrl,
                entry["MessageBody"],
                attributes=entry["MessageAttributes"],
                group=entry.get("MessageGroupId", ""),
                moved=False,
            )
        return {}

    handler = make_handler(
        group=local.group,
        cache=local.cache,
        meter=Meter(),
        sqs=SimpleNamespace(send_message_batch=send_message_batch),  # type: ignore[arg-type]
        queues=QueueSettings(
            commands_queue_url=url("commands"),
            commands_fifo_queue_url=url("commands.fifo"),
            commands_dlq_url=url("commands-dlq"),
            commands_fifo_dlq_url=url("commands-dlq.fifo"),
            system_commands_queue_url=url("system-commands"),
            system_commands_dlq_url=url("system-commands-dlq"),
        ),
        chance=lambda: 0.0,
        telemetry=Telemetry(lambda _: None),
    )
    record = {
        "messageId": "message-of-the-sender",
        "receiptHandle": "r",
        "body": body,
        "attributes": {"MessageGroupId": group, "SenderId": "me"} if group else {},
        "eventSourceARN": "arn:aws:sqs:::ledger-test-commands" + (".fifo" if group else ""),
    }
    assert handler({"Records": [record]}, SimpleNamespace()) == {"batchItemFailures": []}


def attribute(value: str) -> dict[str, str]:
    """A message attribute as SQS shows it."""
    return {"DataType": "String", "StringValue": value}


def malformed(id_: str = "payment-7") -> str:
    """A command that can never be decided."""
    return json.dumps({"type": "payment.post", "v": 1, "id": id_, "postings": []})


def test_every_queue_of_the_stack_is_listed_also_when_empty(run: Run) -> None:
    """Found by the names of the outputs; each says where its letters go back to."""
    found = run("dead-letters", "--json")
    assert found.code == 0
    assert found.value == {
        "queues": [
            {"queue": name, "letters": 0, "unseen": 0, "back_to": back_to}
            for name, back_to in (
                ("balances", "queue balances"),
                ("bus", "the ledger bus"),
                ("commands", "queue commands"),
                ("commands.fifo", "queue commands.fifo"),
                ("orphan", None),
            )
        ],
        "letters": [],
    }
    shown = run("dead-letters")
    assert "commands.fifo" in shown.out
    assert "nowhere" in shown.out


def test_a_letter_is_listed_with_what_it_is_and_why(
    run: Run, local: LocalLedger, sqs: MemorySqs
) -> None:
    """Given up by SQS: the queue's own limit, not the count that looking raises. Buried by the
    handler: its reason. Undelivered by EventBridge: its error. Anything else: nobody said."""
    now = sqs.now
    given_up = sqs.put(url("balances-dlq"), ENVELOPE, sent_at=now - 7_200)
    bury(local, sqs, malformed(), group="customers:1")
    undelivered = sqs.put(
        url("balances-dlq"),
        ENVELOPE,
        attributes={
            "ERROR_CODE": attribute("NO_PERMISSIONS"),
            "ERROR_MESSAGE": attribute("not allowed"),
            "RULE_ARN": attribute("arn:aws:events:::rule/balances"),
        },
        moved=False,
    )
    strange = sqs.put(url("orphan-dlq"), "no JSON", moved=False)
    run("dead-letters")
    found = {letter["id"]: letter for letter in run("dead-letters", "--json").value["letters"]}
    first = found.pop(given_up)
    assert 7_199 <= first.pop("age_seconds") <= 7_260
    assert first == {
        "queue": "balances",
        "id": given_up,
        "kind": "event",
        "type": "payment.posted",
        "of": "payment-1",
        "count": 1,
        "bytes": len(ENVELOPE),
        "reason": "given_up",
        "receives": 5,
        "retry": "same_request",
    }
    assert found[undelivered]["reason"] == "NO_PERMISSIONS"
    assert found[undelivered]["detail"] == "not allowed"
    assert (found[strange]["reason"], found[strange]["retry"]) == ("not_said", None)
    assert (found[strange]["kind"], found[strange]["of"]) == ("message", None)
    [buried] = [letter for letter in found.values() if letter["queue"] == "commands.fifo"]
    assert buried["kind"] == "command"
    assert buried["of"] == "payment-7"
    assert (buried["reason"], buried["field"]) == ("invalid_postings", "postings")
    assert (buried["retry"], buried["group"]) == ("never", "customers:1")
    assert buried["source_message_id"] == "message-of-the-sender"
    shown = run("dead-letters").out
    for text in ("2 h 0 min", "gave up after receive 5", "NO_PERMISSIONS: not allowed",
                 "invalid_postings at postings", "event payment.posted payment-1",
                 "nothing of the ledger's", "no: it can never succeed"):  # fmt: skip
        assert text in shown


def test_listing_shows_no_body_unless_asked(run: Run, sqs: MemorySqs) -> None:
    """Bodies hold customers' data: without the option nothing of them is printed but type and id,
    and what stands in their place but has not their form is not printed either."""
    secret = "my secret text"
    sqs.put(url("balances-dlq"), json.dumps({"type": secret, "id": secret, "more": secret}))
    for arguments in (["--json"], []):
        assert secret not in run("dead-letters", *arguments).out
    assert run("dead-letters", "--show-body").out.count(secret) == 3
    shown = run("dead-letters", "--show-body", "--json").value["letters"]
    assert json.loads(shown[0]["body"])["more"] == secret


@pytest.mark.parametrize("count", [1, 9, 10, 11, 95])
def test_listing_pages_through_everything_and_leaves_it_there(
    run: Run, sqs: MemorySqs, count: int
) -> None:
    """All letters are listed once, and are visible again at once, as often as one looks."""
    ids = [sqs.put(url("balances-dlq"), ENVELOPE) for _ in range(count)]
    for _ in range(2):
        found = run("dead-letters", "balances", "--json").value
        assert sorted(letter["id"] for letter in found["letters"]) == sorted(ids)
        assert [queue["queue"] for queue in found["queues"]] == ["balances"]
        assert len(sqs.visible(url("balances-dlq"))) == count
    assert "send_message_batch" not in sqs.calls
    assert "delete_message_batch" not in sqs.calls


def test_a_listing_that_cannot_be_complete_says_so(run: Run, sqs: MemorySqs) -> None:
    """Of a group of a FIFO queue ten show; what another reader holds does not show at all; and one
    listing has its bound."""
    for number in range(14):
        sqs.put(url("commands-dlq.fifo"), str(number), group="one")
    sqs.put(url("commands-dlq.fifo"), "other", group="two")
    found = run("dead-letters", "commands.fifo", "--json")
    assert found.value["queues"][0]["letters"] == 11
    assert found.value["queues"][0]["unseen"] == 4
    assert "4 more" in found.err
    sqs.put(url("balances-dlq"), ENVELOPE)
    sqs.queues[url("balances-dlq")][0].visible_at = sqs.now + 60
    assert run("dead-letters", "balances", "--json").value["queues"][0]["unseen"] == 1
    for _ in range(LISTED_MAX + 15):
        sqs.put(url("commands-dlq"), "{}")
    listed = run("dead-letters", "commands", "--json").value["queues"][0]
    assert listed["letters"] == LISTED_MAX
    assert listed["unseen"] == 15
    assert len(sqs.visible(url("commands-dlq"))) == LISTED_MAX + 15


def test_a_listing_that_fails_gives_back_what_it_held(run: Run, sqs: MemorySqs) -> None:
    """Exit code 3 and the error; no letter stays hidden."""
    for _ in range(15):
        sqs.put(url("balances-dlq"), ENVELOPE)
    looks = iter(("", "before"))
    sqs.fault = lambda name: next(looks, "") if name == "receive_message" else ""
    found = run("dead-letters", "balances", "--json")
    assert (found.code, found.value["reason"]) == (3, "ServiceUnavailable")
    assert len(sqs.visible(url("balances-dlq"))) == 15


def test_letters_that_could_not_be_given_back_are_told(run: Run, sqs: MemorySqs) -> None:
    """They show again by themselves when their time is over: the listing says when."""
    sqs.put(url("balances-dlq"), ENVELOPE)
    sqs.fault = lambda name: "before" if name.startswith("change") else ""
    found = run("dead-letters", "balances")
    assert found.code == 0
    assert f"1 show again in {HOLD_SECONDS} s only" in found.err
    assert sqs.visible(url("balances-dlq")) == []
    sqs.now += HOLD_SECONDS
    assert len(sqs.visible(url("balances-dlq"))) == 1


def test_a_queue_goes_back_whole_as_it_was(run: Run, sqs: MemorySqs) -> None:
    """Bodies, attributes and fair-sharing groups are kept, what EventBridge added is not; the
    letters are gone, and a second run finds nothing to do."""
    mine = {"mark": {"DataType": "Number", "StringValue": "7"},
            "raw": {"DataType": "Binary", "BinaryValue": b"\0"}}  # fmt: skip
    sqs.put(url("balances-dlq"), ENVELOPE, attributes=mine, group="tenant")
    added = {name: attribute("x") for name in ("ERROR_CODE", "RULE_ARN", "RETRY_ATTEMPTS")}
    sqs.put(url("balances-dlq"), "second", attributes={**mine, **added}, moved=False)
    for _ in range(13):
        sqs.put(url("balances-dlq"), "more")
    done = run("redrive", "balances", "--json")
    assert done.code == 0
    assert done.value["queue"] == "balances"
    assert len(done.value["sent"]) == 15
    arrived = sqs.queues[url("balances")]
    assert [message.body for message in arrived] == [ENVELOPE, "second"] + ["more"] * 13
    assert [message.attributes for message in arrived[:2]] == [mine, mine]
    assert arrived[0].group == "tenant"
    assert sqs.bodies(url("balances-dlq")) == []
    again = run("redrive", "balances", "--json")
    assert (again.code, again.value["sent"]) == (0, [])
    assert "0 to queue balances" in run("redrive", "balances").out


def test_an_attribute_named_like_one_of_a_burial_is_kept(run: Run, sqs: MemorySqs) -> None:
    """`reason` is a word that senders use too: only what a handler has buried loses its."""
    sqs.put(url("balances-dlq"), "x", attributes={"reason": attribute("mine")})
    assert run("redrive", "balances").code == 0
    assert sqs.queues[url("balances")][0].attributes == {"reason": attribute("mine")}


def test_what_a_handler_says_of_a_letter_is_shown_and_not_sent(run: Run, sqs: MemorySqs) -> None:
    """A delivery to a subscriber of webhooks: named by its notification, also by an alert's long
    id; without a word on retries it may go back, and then without a word of its burial."""
    alert = f"{'e' * 64}:{'a' * 64}:below:-9223372036854775807"
    notification = {"type": "balance.alert", "v": 1, "id": alert, "balance_minor": 5}
    delivery = {"v": 1, "subscriber": "shop", "message": "msg_1", "notification": notification}
    said = {"reason": "failed", "status": "503", "receives": "8", "source_message_id": "m"}
    sqs.put(
        url("balances-dlq"),
        json.dumps(delivery),
        attributes={name: attribute(value) for name, value in said.items()},
        moved=False,
    )
    [letter] = run("dead-letters", "balances", "--json").value["letters"]
    assert (letter["kind"], letter["type"], letter["of"]) == ("delivery", "balance.alert", alert)
    assert (letter["reason"], letter["detail"]) == ("failed", "receives 8, status 503")
    assert letter["retry"] == "same_request"
    assert run("redrive", "balances").code == 0
    assert sqs.queues[url("balances")][0].attributes == {}


def test_ordered_letters_keep_their_group_and_are_not_swallowed(run: Run, sqs: MemorySqs) -> None:
    """More of a group than a FIFO queue shows at a time go back in order; a letter that has died
    twice goes back twice within the five minutes in which SQS swallows what it knows."""
    for number in range(23):
        sqs.put(url("commands-dlq.fifo"), str(number), group="one")
    assert run("redrive", "commands.fifo").code == 0
    arrived = sqs.queues[url("commands.fifo")]
    assert [message.body for message in arrived] == [str(number) for number in range(23)]
    assert {message.group for message in arrived} == {"one"}
    died = arrived.pop(0)
    died.system["DeadLetterQueueSourceArn"] = "arn"
    sqs.queues[url("commands-dlq.fifo")].append(died)
    assert run("redrive", "commands.fifo").code == 0
    assert sqs.bodies(url("commands.fifo")).count("0") == 1


def test_only_the_letters_asked_for_go_back(run: Run, sqs: MemorySqs) -> None:
    """Among many; what is not found is said, exit code 1; the others stay visible."""
    ids = [sqs.put(url("balances-dlq"), str(number)) for number in range(60)]
    done = run("redrive", "balances", "--only", ids[3], "--only", ids[33], "--json")
    assert done.code == 0
    assert done.value["sent"] == [ids[3], ids[33]]
    assert sqs.bodies(url("balances")) == ["3", "33"]
    assert len(sqs.visible(url("balances-dlq"))) == 58
    missed = run("redrive", "balances", "--only", "nothing", "--only", ids[5], "--json")
    assert missed.code == 1
    assert (missed.value["sent"], missed.value["missing"]) == ([ids[5]], ["nothing"])
    assert "nothing" in run("redrive", "balances", "--only", "nothing").out


def test_what_can_never_succeed_stays_unless_forced(
    run: Run, local: LocalLedger, sqs: MemorySqs
) -> None:
    """A malformed command is refused with its reason, exit code 1, and its neighbour goes; with
    --force it goes too, without the attributes that its burial added."""
    bury(local, sqs, malformed(), group="g")
    sqs.put(url("commands-dlq.fifo"), "neighbour", group="g")
    done = run("redrive", "commands.fifo", "--json")
    assert done.code == 1
    assert list(done.value["refused"].values()) == ["invalid_postings"]
    assert sqs.bodies(url("commands.fifo")) == ["neighbour"]
    assert sqs.visible(url("commands-dlq.fifo")) == [malformed()]
    shown = run("redrive", "commands.fifo")
    assert "invalid_postings" in shown.out
    assert "--force" in shown.out
    assert run("redrive", "commands.fifo", "--force").code == 0
    assert sqs.queues[url("commands.fifo")][1].body == malformed()
    assert sqs.queues[url("commands.fifo")][1].attributes == {}


def test_letters_that_show_again_before_the_end_are_looked_at_once(
    run: Run, local: LocalLedger, sqs: MemorySqs
) -> None:
    """A run that takes longer than it may hold a letter: what it had refused shows again, is held
    again, and keeps nobody from going."""
    for _ in range(12):
        bury(local, sqs, malformed())
    for number in range(30):
        sqs.put(url("commands-dlq"), str(number))
    looks: list[str] = []

    def slow(name: str) -> None:
        looks.extend([name] if name == "receive_message" else [])
        sqs.now += HOLD_SECONDS + 1 if looks == ["receive_message"] * 2 else 0

    sqs.on_call = slow
    done = run("redrive", "commands", "--json")
    assert (len(done.value["sent"]), len(done.value["refused"])) == (30, 12)
    assert sqs.bodies(url("commands")) == [str(number) for number in range(30)]
    assert len(sqs.visible(url("commands-dlq"))) == 12


def test_a_dry_run_does_nothing_but_say(run: Run, local: LocalLedger, sqs: MemorySqs) -> None:
    """It names what would go and what would be refused; all stays, visible."""
    sqs.put(url("commands-dlq.fifo"), "a", group="g")
    bury(local, sqs, malformed(), group="h")
    looked = run("redrive", "commands.fifo", "--dry-run", "--json")
    assert looked.code == 1
    assert looked.value["dry_run"] is True
    assert len(looked.value["sent"]) == len(looked.value["refused"]) == 1
    assert len(sqs.visible(url("commands-dlq.fifo"))) == 2
    assert sqs.bodies(url("commands.fifo")) == []
    assert "would go back" in run("redrive", "commands.fifo", "--dry-run").out


@pytest.mark.parametrize("buried", [True, False], ids=["by the handler", "by SQS"])
def test_a_letter_that_dies_again_at_once_does_not_go_round(
    run: Run, sqs: MemorySqs, buried: bool
) -> None:
    """The consumer is not mended: what comes back while the redrive runs is sent once, not for
    ever, and is reported."""
    for number in range(12):
        sqs.put(url("balances-dlq"), str(number))

    def dies(name: str) -> None:
        for message in sqs.queues.pop(url("balances"), []) if name == "receive_message" else []:
            if buried:
                said = {"reason": "unknown", "source_message_id": message.id}
                attributes = {name: attribute(value) for name, value in said.items()}
                sqs.put(url("balances-dlq"), message.body, attributes=attributes, moved=False)
            else:
                message.system["DeadLetterQueueSourceArn"] = "arn"
                sqs.queues[url("balances-dlq")].append(message)

    sqs.on_call = dies
    done = run("redrive", "balances", "--json")
    assert done.code == 1
    assert len(done.value["sent"]) == len(done.value["came_back"]) == 12
    assert sqs.calls.count("send_message_batch") == 2
    assert len(sqs.visible(url("balances-dlq"))) == 12


def test_an_outage_stops_it_and_says_how_far_it_came(run: Run, sqs: MemorySqs) -> None:
    """Exit code 3, the error, what went and what went but could not be removed; nothing stays
    hidden, and the next run ends it."""
    for number in range(30):
        sqs.put(url("balances-dlq"), str(number))
    removals = iter(("", "before"))
    sqs.fault = lambda name: next(removals, "") if name == "delete_message_batch" else ""
    stopped = run("redrive", "balances", "--json")
    assert stopped.code == 3
    assert stopped.value["reason"] == "ServiceUnavailable"
    assert (stopped.value["sent"], len(stopped.value["kept"])) == (10, 10)
    assert len(sqs.visible(url("balances-dlq"))) == 20
    assert run("redrive", "balances").code == 0
    assert set(sqs.bodies(url("balances"))) == set(map(str, range(30)))
    assert sqs.bodies(url("balances-dlq")) == []


def test_an_entry_that_is_not_taken_is_sent_again_then_given_up(run: Run, sqs: MemorySqs) -> None:
    """A request that is half done is completed; one that never is ends with exit code 3."""
    for number in range(10):
        sqs.put(url("balances-dlq"), str(number))
    sends = iter(("some", "some"))
    sqs.fault = lambda name: next(sends, "") if name == "send_message_batch" else ""
    assert run("redrive", "balances").code == 0
    assert sorted(sqs.bodies(url("balances"))) == sorted(map(str, range(10)))
    sqs.put(url("balances-dlq"), "stays")
    sqs.fault = lambda name: "some" if name == "send_message_batch" else ""
    given_up = run("redrive", "balances", "--json")
    assert (given_up.code, given_up.value["reason"]) == (3, "not_sent")
    assert sqs.visible(url("balances-dlq")) == ["stays"]


def test_a_letter_that_its_queue_refuses_does_not_stop_the_others(
    run: Run, sqs: MemorySqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQS says that it will never take an entry: it stays, with SQS's code, and the rest goes."""
    first = sqs.put(url("balances-dlq"), "never")
    sqs.put(url("balances-dlq"), "fine")
    genuine = sqs.send_message_batch

    def choosy(**request: Any) -> dict[str, Any]:
        wrong = [e for e in request["Entries"] if e["MessageBody"] == "never"]
        request["Entries"] = [e for e in request["Entries"] if e not in wrong]
        answer = genuine(**request) if request["Entries"] else {}
        failed = [{"Id": e["Id"], "Code": "TooMuch", "SenderFault": True} for e in wrong]
        return {**answer, "Failed": failed}

    monkeypatch.setattr(sqs, "send_message_batch", choosy)
    done = run("redrive", "balances", "--json")
    assert done.code == 1
    assert (done.value["refused"], done.value["not_taken"]) == ({}, {first: "TooMuch"})
    assert "TooMuch" in run("redrive", "balances").out
    assert sqs.bodies(url("balances")) == ["fine"]
    assert sqs.visible(url("balances-dlq")) == ["never"]


def test_letters_of_the_bus_are_published_again(run: Run, sqs: MemorySqs, bus: Bus) -> None:
    """All events of a pack, with their exact bytes. What another sender put on the bus is not: it
    would get the ledger's name; nor what is no pack; nor does anything go while the bus takes
    nothing."""
    sqs.put(url("bus-dlq"), PACK, attributes={"ERROR_CODE": attribute("KMS")}, moved=False)
    bus.closed = True
    stopped = run("redrive", "bus", "--json")
    assert (stopped.code, stopped.value["reason"]) == (3, "not_sent")
    assert sqs.visible(url("bus-dlq")) == [PACK]
    bus.closed = False
    empty = f'{HEAD}{{"events":[]}}}}'
    for wrong in ("no envelope", ENVELOPE.replace('"ledger"', '"somebody"'), empty):
        sqs.put(url("bus-dlq"), wrong)
    done = run("redrive", "bus", "--json")
    assert done.code == 1
    assert bus.published == [Published("payment.posted", text) for text in (PAYMENT, OTHER)]
    assert set(done.value["not_taken"].values()) == {"no_event_of_the_ledger"}
    assert len(sqs.visible(url("bus-dlq"))) == 3


def test_a_letter_of_a_release_before_is_published_in_a_pack(
    run: Run, sqs: MemorySqs, bus: Bus
) -> None:
    """It had its one event as the detail."""
    sqs.put(url("bus-dlq"), f"{HEAD}{PAYMENT}}}")
    assert run("redrive", "bus", "--json").code == 0
    assert bus.published == [Published("payment.posted", PAYMENT)]
    assert sqs.visible(url("bus-dlq")) == []


def test_a_letter_of_the_bus_stays_until_all_of_its_events_are_published(
    run: Run, sqs: MemorySqs, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that the bus did not take is in the letter still; the others are published twice."""
    sqs.put(url("bus-dlq"), PACK, attributes={"ERROR_CODE": attribute("KMS")}, moved=False)
    monkeypatch.setattr(bus, "publish", lambda events: frozenset({len(events) - 1}))
    stopped = run("redrive", "bus", "--json")
    assert (stopped.code, stopped.value["reason"]) == (3, "not_sent")
    assert sqs.visible(url("bus-dlq")) == [PACK]


def test_a_pack_is_shown_by_its_first_event_and_how_many_there_are(
    run: Run, sqs: MemorySqs
) -> None:
    """As are commands that were sent together; an atomic batch is one command."""
    sqs.put(url("balances-dlq"), PACK)
    bulk = '{"commands":[{"type":"payment.post","id":"a"},{},{}]}'
    sqs.put(url("commands-dlq"), bulk)
    atomic = '{"type":"batch.atomic","v":1,"id":"both","commands":[{"id":"a"},{"id":"b"}]}'
    sqs.put(url("commands-dlq"), atomic)
    letters = run("dead-letters", "--json").value["letters"]
    assert {letter["of"]: (letter["kind"], letter["count"]) for letter in letters} == {
        "payment-1": ("event", 2),
        "a": ("command", 3),
        "both": ("command", 1),
    }
    assert "payment-1 and 1 more" in run("dead-letters").out


@pytest.mark.parametrize(
    "name",
    ["commands.fifo", "ledger-test-commands.fifo", "ledger-prod-commands-dlq.fifo",
     url("commands-dlq.fifo")],
)  # fmt: skip
def test_a_queue_may_be_named_as_an_alarm_names_it(run: Run, sqs: MemorySqs, name: str) -> None:
    """By its name, by its physical name or URL, or by those of its dead-letter queue."""
    sqs.put(url("commands-dlq.fifo"), "x", group="g")
    assert run("redrive", name, "--json").value["queue"] == "commands.fifo"


@pytest.mark.parametrize("verb", ["dead-letters", "redrive"])
def test_an_unknown_queue_is_refused_with_the_names(run: Run, verb: str) -> None:
    """A wrong command line, exit code 2; the message lists what there is."""
    refused = run(verb, "balance", "--json")
    assert refused.code == 2
    assert "balances, bus, commands, commands.fifo, orphan" in refused.value["title"]


def test_letters_without_a_way_back_are_listed_but_not_sent(run: Run, sqs: MemorySqs) -> None:
    """A dead-letter queue without a queue: exit code 2, and nothing is touched."""
    sqs.put(url("orphan-dlq"), "x")
    assert run("redrive", "orphan").code == 2
    assert "receive_message" not in sqs.calls
    assert run("dead-letters", "orphan", "--json").value["queues"][0]["letters"] == 1


def test_a_letter_is_discarded_by_its_id_and_printed_for_the_last_time(
    run: Run, local: LocalLedger, sqs: MemorySqs
) -> None:
    """That one only, from any page; the others stay, visible. Without an id it is a wrong command
    line; an id that is not there fails."""
    ids = [sqs.put(url("balances-dlq"), f'{{"number":{number}}}') for number in range(25)]
    gone = run("discard", "balances", "--only", ids[17], "--json")
    assert gone.code == 0
    [letter] = gone.value["discarded"]
    assert (letter["id"], letter["body"]) == (ids[17], '{"number":17}')
    assert len(sqs.visible(url("balances-dlq"))) == 24
    assert '{"number":17}' not in sqs.bodies(url("balances-dlq"))
    assert sqs.bodies(url("balances")) == []
    assert '{"number":3}' in run("discard", "balances", "--only", ids[3]).out
    again = run("discard", "balances", "--only", ids[17], "--json")
    assert (again.code, again.value["missing"]) == (1, [ids[17]])
    assert run("discard", "balances").code == 2
    assert len(sqs.visible(url("balances-dlq"))) == 23
    bury(local, sqs, malformed(), group="g")
    [hopeless] = run("dead-letters", "commands.fifo", "--json").value["letters"]
    assert run("discard", "commands.fifo", "--only", hopeless["id"]).code == 0
    assert sqs.bodies(url("commands-dlq.fifo")) == []


def test_a_letter_that_could_not_be_discarded_is_told(run: Run, sqs: MemorySqs) -> None:
    """A removal that half failed, exit code 1; one that failed whole, exit code 3; it stays."""
    ids = [sqs.put(url("balances-dlq"), str(number)) for number in range(2)]
    both = ("--only", ids[0], "--only", ids[1])
    sqs.fault = lambda name: "some" if name == "delete_message_batch" else ""
    half = run("discard", "balances", *both, "--json")
    assert (half.code, half.value["kept"]) == (1, [ids[0]])
    assert [letter["id"] for letter in half.value["discarded"]] == [ids[1]]
    sqs.fault = lambda name: "before" if name == "delete_message_batch" else ""
    assert run("discard", "balances", "--only", ids[0], "--json").code == 3
    assert sqs.visible(url("balances-dlq")) == ["0"]


@pytest.mark.parametrize("as_json", [False, True])
def test_no_letter_is_discarded_unseen(run: Run, sqs: MemorySqs, as_json: bool) -> None:
    """One is removed and its answer is lost, and SQS is gone: its last copy was printed before."""
    first, *_, last = [sqs.put(url("balances-dlq"), f'{{"number":{n}}}') for n in range(25)]
    removed: list[str] = []

    def fault(name: str) -> str:
        removed.extend([name] if name == "delete_message_batch" else [])
        return "after" if removed else ""

    sqs.fault = fault
    options = ("--only", first, "--only", last, *(("--json",) if as_json else ()))
    ended = run("discard", "balances", *options)
    assert ended.code == 3
    assert '{"number":0}' not in sqs.bodies(url("balances-dlq"))
    shown = ended.err if as_json else ended.out
    assert '"number' in shown
    assert first in shown
