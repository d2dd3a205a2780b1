"""What follows from events and commands has come about when all is at rest."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from consumers.fraud.codec import decoded
from consumers.fraud.store import features_item
from consumers.webhooks.signatures import signed_headers
from ledger.consuming.notifications import Notification, notifications_of
from ledger.contracts.commands import Command, encode_command
from ledger.contracts.events import decode_event
from simulation.asks import AskRoute
from tests.support.builders import alerting, batching, opening, paying, screening
from tests.unit.simulation.auditor.resting import (
    SUBSCRIBER,
    alarm,
    attributes,
    envelope,
    finished,
    ledger,
    letter,
    record,
    rests,
    subscribed,
)
from tests.unit.simulation.auditor.witness import (
    SECOND,
    SECRET,
    TOPIC,
    Change,
    Lying,
    Story,
)


def test_a_world_in_which_all_has_arrived_breaks_no_promise() -> None:
    """Everything everywhere."""
    story = ledger()
    rests(story)
    story.auditor.finish(story.world)
    assert story.auditor.findings == []


@pytest.mark.parametrize(
    ("consumer", "id", "broken"),
    [
        ("balances", "salary", {"events_reach_consumers"}),
        ("fraud", "lunch", {"events_reach_consumers"}),
        ("payments", "too-much", {"events_reach_consumers"}),
        ("balances-table", "hotel", {"projections_are_the_fold"}),
        ("history-table", "salary", {"projections_are_the_fold"}),
        ("payments-table", "too-much", {"projections_are_the_fold"}),
        ("payments-table", "hotel", {"projections_are_the_fold"}),
        ("topic", "hotel", {"notifications_are_sent"}),
        ("webhook", "lunch", {"webhooks_are_delivered"}),
        ("fraud-table", "lunch", {"payments_are_screened", "notifications_are_sent"}),
        ("scorer", "lunch", {"scorer_remembers"}),
        ("webhooks", "hotel", {"events_reach_consumers", "webhooks_are_delivered"}),
        ("alarm", "hotel", {"notifications_are_sent"}),
    ],
)
def test_what_did_not_arrive_is_found(consumer: str, id: str, broken: set[str]) -> None:
    """Wherever it should have."""
    story = ledger()
    rests(story, lambda name, event: (name, event) != (consumer, id))
    assert finished(story) == broken


@pytest.mark.parametrize(
    ("consumer", "id", "queue"),
    [
        ("balances", "salary", "the-balances-dlq"),
        ("history", "salary", "the-history-dlq"),
        ("payments", "hotel", "the-payments-dlq"),
        ("notifications", "salary", "the-notifications-dlq"),
    ],
)
def test_a_dead_letter_says_where_it_is(consumer: str, id: str, queue: str) -> None:
    """Then it is not lost, and what follows from it is not to be expected."""
    story = ledger()
    rests(
        story,
        lambda name, event: (
            event != id or not (name.startswith(consumer) or name in ("topic", "webhook"))
        ),
    )
    world = story.world
    world.letters[queue] = [letter(story.record(id))]
    broken = finished(story)
    assert broken == (set() if consumer == "notifications" else {"notifications_are_sent"})


def test_what_the_relay_gave_up_lies_in_the_bucket() -> None:
    """With all its payload, as Lambda writes it."""
    story = ledger()
    rests(story, lambda _, event: event != "salary")
    payload = {"Records": [{"dynamodb": {"Keys": {"pk": {"S": "salary"}}}}]}
    text = msgspec.json.encode({"payload": msgspec.json.encode(payload).decode()})
    story.world.objects["2026/a"] = text
    assert finished(story) == set()


def test_an_event_that_dies_again_when_nothing_fails_is_found() -> None:
    """It was sent back, and somebody still cannot take it."""
    story = ledger()
    rests(story)
    story.auditor.sent_back(story.world)
    assert story.broken == set()
    story.world.letters["the-fraud-dlq"] = [letter(story.record("lunch"))]
    story.auditor.sent_back(story.world)
    assert story.broken == {"events_reach_consumers"}


def test_a_batch_that_failed_as_a_whole_did_not_arrive() -> None:
    """Nor did what is named as failed."""
    for failed in (None, frozenset({0})):
        story = ledger()
        rests(story, lambda name, event: (name, event) != ("fraud", "lunch"))
        batch = [record("the-fraud", story.record("lunch"))]
        story.auditor.handed_over("Fraud", batch, failed)
        assert finished(story) == {"events_reach_consumers"}


def test_an_event_that_arrives_otherwise_is_found() -> None:
    """Than it was recorded."""
    story = ledger()
    data = story.record("lunch").replace(b'"amount_minor":10', b'"amount_minor":11')
    story.auditor.handed_over("Balances", [record("the-balances", data)], frozenset())
    assert story.broken == {"events_reach_consumers"}


def test_what_was_handed_over_too_often_is_found() -> None:
    """Of a queue that has an end to it."""
    story = ledger()
    batch = [record("the-balances", story.record("lunch"), 6)]
    story.auditor.handed_over("Balances", batch, frozenset())
    assert story.broken == {"retries_end"}


def test_a_text_that_comes_back_as_a_new_message_for_ever_is_found() -> None:
    """Each time it is received for the first time."""
    story = ledger()
    batch = [record("commands", story.record("lunch"))]
    for _ in range(99):
        story.auditor.handed_over("Commands", batch, frozenset())
    assert story.broken == set()
    story.auditor.handed_over("Commands", batch, frozenset())
    assert story.broken == {"retries_end"}


def test_stream_records_are_no_messages() -> None:
    """The relay's batches say nothing here."""
    story = ledger()
    story.auditor.handed_over("Relay", [{"dynamodb": {}}], frozenset())
    story.auditor.published("bus", "{}")
    assert story.auditor.findings == []


@pytest.mark.parametrize(
    ("table", "key", "attribute", "value"),
    [
        ("balances", ("shop",), "credits_posted_minor", {"N": "11"}),
        ("balances", ("shop",), "status", {"S": "closed"}),
        ("balances", ("shop",), "book", {"S": "side"}),
        ("balances", ("shop",), "velocity", {"L": [{"S": "x"}]}),
        ("balances", ("cust:a#metadata",), "metadata", {"M": {}}),
        ("history", ("shop", "2"), "prev", {"S": "x"}),
        ("history", ("shop", "2"), "credited_minor", {"N": "11"}),
        ("payments", ("hotel",), "status", {"S": "captured"}),
        ("payments", ("too-much",), "reason", {"S": "account_closed"}),
    ],
)
def test_a_projection_that_says_something_else_is_found(
    table: str, key: tuple[str, ...], attribute: str, value: Any
) -> None:
    """Of any of its parts."""
    story = ledger()
    world = rests(story)
    world.tables[table][key] = dict(world.tables[table][key]) | {attribute: value}
    assert finished(story) == {"projections_are_the_fold"}


def test_an_item_that_no_event_made_is_found() -> None:
    """And a marker beyond what there is; what another generation has is nobody's business."""
    story = ledger()
    world = rests(story)
    item = next(iter(world.tables["balances"].values()))
    for table in ("balances", "payments"):
        world.tables[table]["7/z",] = dict(item) | {"pk": {"S": "7/z"}}
    assert finished(story) == set()
    world.tables["balances"]["z",] = dict(item) | {"pk": {"S": "z"}}
    assert finished(story) == {"projections_are_the_fold"}
    other = ledger()
    marker = {"pk": {"S": "shop"}, "sk": {"N": "0"}, "complete_to": {"N": "64"}}
    rests(other).tables["history"]["shop", "0"] = marker
    assert finished(other) == {"projections_are_the_fold"}


def test_the_generation_that_is_live_is_looked_at() -> None:
    """After a replay."""
    story = ledger()
    world = rests(story)
    for table in ("balances", "payments"):
        items = world.tables[table]
        for key in list(items):
            item = dict(items.pop(key))
            item["pk"] = {"S": f"2/{key[0]}"}
            items[f"2/{key[0]}",] = item
        items["#generations",] = {"pk": {"S": "#generations"}, "live": {"N": "2"}}
    assert finished(story) == set()


def test_an_alert_that_nobody_was_told_of_is_found() -> None:
    """A crossing has a notification of its own."""
    story = Story()
    story.does(
        opening("bank", account_type="asset", min_balance_minor=None),
        opening("cust:a", account_type="liability"),
        alerting("cust:a", ("above", 50)),
        paying("salary", ("bank", "cust:a", 100)),
    )
    rests(story)
    assert finished(story) == set()
    other = Story()
    other.does(
        opening("bank", account_type="asset", min_balance_minor=None),
        opening("cust:a", account_type="liability"),
        alerting("cust:a", ("above", 50)),
        paying("salary", ("bank", "cust:a", 100)),
    )
    rests(other, lambda name, id: (name, id) != ("topic", "salary"))
    other.auditor.notified(
        "arn:aws:sns:eu-central-1:000000000000:notifications",
        other.record("salary").decode(),
        {"type": {"DataType": "String", "StringValue": "payment.posted"}},
    )
    assert "notifications_are_sent" in finished(other)


def test_a_notification_that_says_something_else_is_found() -> None:
    """Than the event; also of another type."""
    topic = "arn:aws:sns:eu-central-1:000000000000:notifications"
    for body, kind in (
        (b'"amount_minor":11', "payment.posted"),
        (b'"amount_minor":10', "payment.held"),
    ):
        story = ledger()
        text = story.record("lunch").replace(b'"amount_minor":10', body).decode()
        told = {"type": {"DataType": "String", "StringValue": kind}}
        story.auditor.notified(topic, text, told)
        assert story.broken == {"notifications_are_sent"}


def test_a_notification_that_lacks_an_account_is_found() -> None:
    """Who filters by that account would never be told."""
    topic = "arn:aws:sns:eu-central-1:000000000000:notifications"
    for left_out in (0, 1):
        story = ledger()
        body = story.record("salary")
        accounts = tuple(one["id"] for one in msgspec.json.decode(body)["accounts"])
        told = Notification(
            body.decode(),
            {"type": "payment.posted", "account": accounts[left_out:], "payment": ("salary",)},
            "salary",
        )
        story.auditor.notified(topic, told.body, attributes(told))
        assert story.broken == ({"notifications_are_sent"} if left_out else set())


def test_a_projection_that_goes_back_for_a_moment_is_found() -> None:
    """Though it is right again in the end; what is removed or made anew does not go back."""
    story = ledger()
    versions = [{"pk": {"S": "a"}, "version": {"N": number}} for number in ("1", "10", "9")]
    older, newer, back = versions
    for old, new in ((None, older), (older, newer), (newer, newer), (newer, None)):
        story.auditor.changed([Change("balances", ("a",), old, new)])
    assert story.auditor.findings == []
    story.auditor.changed([Change("balances", ("a",), newer, back)])
    assert story.broken == {"versions_never_go_back"}


def test_a_webhook_that_no_notification_was_is_found() -> None:
    """But a trial is none."""
    for type_, broken in (("webhook.test", set()), ("book.opened", {"webhooks_are_delivered"})):
        story = ledger()
        rests(story)
        body = msgspec.json.encode({"type": type_, "id": "1"})
        headers = signed_headers("msg_1", body.decode(), [SECRET], story.now)
        story.auditor.webhook(str(SUBSCRIBER["url"]), body, headers)
        assert finished(story) == broken


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-signature": "v1,c2ln"},
        {"webhook-signature": ""},
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "1"},
    ],
)
def test_a_webhook_that_is_not_signed_is_found(changed: dict[str, str]) -> None:
    """With a secret of its subscriber, by what it says of itself."""
    story = ledger()
    rests(story)
    body = story.record("lunch")
    headers = signed_headers("msg_1", body.decode(), ["whsec_bmV3", SECRET], story.now)
    story.auditor.webhook(str(SUBSCRIBER["url"]), body, headers)
    story.auditor.webhook("https://was.example", body, {})
    assert finished(story) == set()
    story.auditor.webhook(str(SUBSCRIBER["url"]), body, dict(headers) | changed)
    assert finished(story) == {"webhooks_are_delivered"}


@pytest.mark.parametrize("why", ["disabled", "new", "dead", "undelivered"])
def test_a_webhook_that_could_not_be_brought_is_none_to_find(why: str) -> None:
    """The subscriber was disabled or came later, or it lies among the dead letters."""
    story = ledger()
    if why == "disabled":
        subscribed(story, SUBSCRIBER | {"disabled_by": "gone"})
    elif why == "new":
        subscribed(story, SUBSCRIBER | {"url": "https://crm.example/new"})
    missing = {("webhook", "lunch"), ("webhook", "salary")}
    if why == "dead":
        missing = {("webhook", "lunch"), ("webhooks", "lunch")}
    world = rests(story, lambda name, event: (name, event) not in missing)
    text = story.record("lunch").decode()
    if why == "dead":
        world.letters["the-webhooks-dlq"] = [letter(text.encode())]
    elif why == "undelivered":
        world.letters["deliveries-dlq"] = [delivery(story, "lunch"), delivery(story, "salary")]
    assert finished(story) == set()


def delivery(story: Story, id: str) -> Lying:
    """A notification on its way to the subscriber."""
    text = story.record(id).decode()
    return Lying('{"v":1,"subscriber":"crm","message":"msg_1","notification":' + text + "}")


def test_what_a_subscriber_wanted_before_it_changed_is_brought_to_it_all_the_same() -> None:
    """Or lies among the dead letters: that it was changed later, or removed, takes nothing away."""
    for later in ((), (SUBSCRIBER | {"url": "https://crm.example/new"},)):
        story = ledger()
        rests(story, lambda name, event: (name, event) != ("webhook", "lunch"))
        subscribed(story, *later)
        assert finished(story) == {"webhooks_are_delivered"}


def test_a_subscriber_whose_secret_was_changed_wants_what_it_wanted() -> None:
    """Only where to, and what, makes it another."""
    story = ledger()
    subscribed(story, SUBSCRIBER | {"updated_at": "2026-12-01T00:00:00.000000Z", "keys": []})
    rests(story, lambda name, event: (name, event) != ("webhook", "lunch"))
    assert finished(story) == {"webhooks_are_delivered"}


def test_a_pack_is_as_good_as_its_events() -> None:
    """Handed over in one message, and dead in one."""
    story = ledger()
    ids = ("salary", "lunch")
    rests(story, lambda name, event: name != "fraud" or event not in ids)
    pack = b'{"events":[' + b",".join(map(story.record, ids)) + b"]}"
    story.auditor.handed_over("Fraud", [record("the-fraud", pack)], frozenset())
    assert finished(story) == set()
    other = ledger()
    rests(other, lambda name, event: name != "fraud" or event not in ids)
    other.world.letters["the-fraud-dlq"] = [letter(pack)]
    assert finished(other) == set()


@pytest.mark.parametrize("part", ["balance_minor", "account_version", "recorded_at", "threshold"])
def test_an_alert_that_says_something_else_is_found(part: str) -> None:
    """Than the crossing; each time that it is told."""
    for changed in (False, True):
        story = ledger()
        story.does(alerting("cust:a", ("above", 200)), paying("bonus", ("bank", "cust:a", 500)))
        story.now += SECOND
        rests(story)
        assert story.auditor.findings == []
        made = decode_event(story.record("bonus"))
        told = notifications_of(made, story.record("bonus").decode())[1]
        body = msgspec.json.decode(told.body)
        if changed:
            body |= {part: "2026-01-01T00:00:00.000000Z" if part == "recorded_at" else 7}
        text = msgspec.json.encode(body).decode()
        story.auditor.notified(TOPIC, text, attributes(told))
        assert finished(story) == ({"notifications_are_sent"} if changed else set())


@pytest.mark.parametrize("part", ["account", "score_permille", "verdict", "payment", "reasons"])
def test_a_fraud_alert_that_says_something_else_is_found(part: str) -> None:
    """Than its verdict, or whom that is about; each time that it is told."""
    story = ledger()
    rests(story)
    alarm(story, "screening:lunch:rules-1")
    story.auditor.finish(story.world)
    assert story.auditor.findings == []
    alarm(story, "screening:lunch:rules-1", **{part: "shop"})
    assert finished(story) == {"notifications_are_sent"}


def test_what_the_ledger_made_of_events_is_known_among_the_dead_letters() -> None:
    """An alert, a verdict; as it was, and not otherwise."""
    for changed in (False, True):
        story = ledger()
        story.does(alerting("cust:a", ("above", 200)), paying("bonus", ("bank", "cust:a", 500)))
        world = rests(story)
        made = decode_event(story.record("bonus"))
        alert = notifications_of(made, story.record("bonus").decode())[1].body
        verdict = encode_command(screening("lunch")).decode()
        if changed:
            alert = alert.replace('"threshold_minor":200', '"threshold_minor":300')
            verdict = verdict.replace('"payment":"lunch"', '"payment":"hotel"')
        sent = '{"v":1,"subscriber":"crm","message":"msg_1","notification":' + alert + "}"
        world.letters["deliveries-dlq"] = [Lying(sent)]
        world.letters["system-commands-dlq"] = [Lying(verdict)]
        story.auditor.finish(story.world)
        found = [one.property for one in story.auditor.findings]
        assert found == ["dead_letters_keep_payload"] * (2 * changed)


@pytest.mark.parametrize("event", ["salary", "lunch"])
def test_a_scorer_that_counts_an_event_twice_is_found(event: str) -> None:
    """As if it had been another; but not where what is dead may be missing."""
    story = ledger()
    world = rests(story)
    for name in ("cust:a", "shop"):
        item = world.tables["fraud"].get((f"account#{name}",))
        if item is not None:
            features = decoded(bytes(item["features"]["B"]))
            more = msgspec.structs.replace(
                features, received={hour: 2 * sum_ for hour, sum_ in features.received.items()}
            )
            changed: Any = features_item(name, more, 2)
            world.tables["fraud"][f"account#{name}",] = changed
    assert finished(story) == {"scorer_remembers"}
    other = ledger()
    rests(other, lambda name, id: (name, id) not in {("scorer", event), ("fraud", event)})
    other.world.letters["the-fraud-dlq"] = [letter(other.record(event))]
    assert finished(other) == set()


def test_a_verdict_that_is_not_the_one_given_is_found() -> None:
    """Or that is not recorded, or twice."""
    story = ledger()
    world = rests(story)
    item = dict(world.tables["fraud"]["screening#lunch",])
    command = encode_command(screening("lunch", score_permille=0)).decode()
    command = command.replace('"verdict":"review"', '"verdict":"clear"')
    world.tables["fraud"]["screening#lunch",] = item | {"command": {"S": command}}
    assert finished(story) == {"payments_are_screened"}
    other = ledger()
    other.decides(screening("lunch", model="rules-2"))
    rests(other)
    assert "payments_are_screened" in finished(other)
    third = ledger()
    third.does(paying("coffee", ("cust:a", "shop", 1)))
    rests(third)
    assert finished(third) == {"payments_are_screened"}


def test_a_verdict_on_its_way_among_the_dead_letters_is_not_lost() -> None:
    """It is given, and not recorded yet."""
    story = ledger()
    story.does(paying("coffee", ("cust:a", "shop", 1)))
    world = rests(story)
    item = dict(world.tables["fraud"]["screening#lunch",])
    command = screening("coffee")
    text = encode_command(command).decode()
    world.tables["fraud"]["screening#coffee",] = item | {"command": {"S": text}}
    world.letters["system-commands-dlq"] = [Lying(text)]
    assert finished(story) == set()


def test_what_the_bus_took_is_decided_or_says_why_not() -> None:
    """A command, one that is none, one whose id is taken."""
    story = ledger()
    good = paying("bus-1", ("bank", "shop", 1))
    other = paying("lunch", ("bank", "shop", 7))
    asks = [
        story.ask(good, route="bus"),
        story.ask(other, route="bus"),
        story.ask(None, route="bus", body=b'{"type":"payment.post"}'),
    ]
    for ask in asks:
        story.auditor.taken(ask)
    story.decides(good)
    world = rests(story)
    world.letters["commands-dlq"] = [
        letter(asks[1].body, reason="idempotency_mismatch"),
        letter(asks[2].body, reason="missing_field"),
    ]
    assert finished(story) == set()
    world.letters["commands-dlq"].pop()
    assert finished(story) == {"messages_are_decided"}


def test_a_letter_that_does_not_say_why_is_found() -> None:
    """Unless SQS itself put it there."""
    for moved_from, broken in (("", {"messages_are_decided"}), ("arn", set())):
        story = ledger()
        ask = story.ask(paying("bus-1", ("bank", "shop", 1)), route="bus")
        story.auditor.taken(ask)
        rests(story).letters["commands-dlq"] = [Lying(envelope(ask.body), {}, moved_from)]
        assert finished(story) == broken


@pytest.mark.parametrize("reason", ["malformed_json", "idempotency_mismatch"])
def test_a_letter_that_says_what_does_not_hold_is_found(reason: str) -> None:
    """A command that could be decided was given up for good."""
    story = ledger()
    ask = story.ask(paying("bus-1", ("bank", "shop", 1)), route="bus")
    story.auditor.taken(ask)
    rests(story).letters["commands-dlq"] = [letter(ask.body, reason=reason)]
    assert finished(story) == {"messages_are_decided"}


def groups(*order: str, taken: bool = True) -> Story:
    """Commands that were sent as 1, 2, 3 and decided in that order."""
    story = ledger()
    commands = {id: paying(id, ("bank", "shop", 1)) for id in ("1", "2", "3")}
    for command in commands.values():
        ask = story.ask(command, route="fifo", group="g")
        story.now += SECOND
        if taken:
            story.auditor.taken(ask)
    for id in order:
        story.decides(commands[id])
    return story


def test_a_group_in_order_breaks_no_promise() -> None:
    """And one of which nobody knows when its commands were in the queue."""
    for story in (groups("1", "2", "3"), groups("3", "1", "2", taken=False)):
        rests(story)
        assert finished(story) == set()


def test_a_group_out_of_order_is_found() -> None:
    """One was decided before another that was in the queue before it was sent."""
    story = groups("2", "1", "3")
    rests(story)
    assert finished(story) == {"groups_keep_order"}


def test_an_earlier_one_of_a_group_may_be_asked_for_elsewhere_too() -> None:
    """That can only have decided it earlier."""
    story = groups("2")
    story.does(paying("1", ("bank", "shop", 1)))
    story.decides(paying("3", ("bank", "shop", 1)))
    rests(story)
    assert finished(story) == {"groups_keep_order"}


def test_a_later_one_of_a_group_may_be_decided_elsewhere() -> None:
    """It was asked for by REST, or in a batch, before that; what comes after only repeats it."""
    later = paying("2", ("bank", "shop", 1))
    ways: tuple[tuple[AskRoute, Command], ...] = (
        ("rest", later),
        ("rest", batching("b", later)),
        ("fifo", later),
    )
    for route, asked in ways:
        story = groups()
        story.ask(asked, route=route, group="another")
        for id in ("2", "1", "3"):
            story.decides(paying(id, ("bank", "shop", 1)))
        rests(story)
        assert finished(story) == set()
    story = groups("2", "1", "3")
    story.does(later)
    rests(story)
    assert finished(story) == {"groups_keep_order"}


def test_a_command_may_repeat_what_a_batch_of_its_group_had() -> None:
    """It was asked for when the batch was, before all that came between."""
    story = ledger()
    member, between = paying("2", ("bank", "shop", 1)), paying("1", ("bank", "shop", 1))
    for command in (batching("b", member), between, member):
        story.auditor.taken(story.ask(command, route="fifo", group="g"))
        story.now += SECOND
        if command is not member:
            story.decides(command)
    rests(story)
    assert finished(story) == set()


def test_a_message_that_was_not_decided_holds_nobody_up() -> None:
    """It was another request of the id that was decided in the end."""
    story = ledger()
    hopeless = story.ask(paying("1", ("bank", "nobody", 2)), route="fifo", group="g")
    story.now += SECOND
    story.auditor.taken(hopeless)
    ask = story.ask(paying("2", ("bank", "shop", 1)), route="fifo", group="g")
    story.auditor.taken(ask)
    story.decides(paying("2", ("bank", "shop", 1)))
    story.does(paying("1", ("bank", "shop", 1)))
    rests(story)
    assert "groups_keep_order" not in finished(story)


def test_what_died_is_overtaken() -> None:
    """SQS moved it away, and it was sent back later. Before that it blocks its group."""
    command = encode_command(paying("1", ("bank", "shop", 1))).decode()
    for before, after in (((), ("2", "3", "1")), (("2",), ("3", "1"))):
        story = groups(*before)
        story.now += SECOND
        story.auditor.buried("commands.fifo", command, "m")
        for id in after:
            story.decides(paying(id, ("bank", "shop", 1)))
        rests(story)
        assert finished(story) == ({"groups_keep_order"} if before else set())


def test_what_waits_still_is_found() -> None:
    """In any queue but those of dead letters."""
    story = ledger()
    rests(story).waiting = {"the-fraud": 1, "the-fraud-dlq": 3}
    assert finished(story) == {"retries_end"}


def test_a_dead_letter_that_is_not_what_was_sent_is_found() -> None:
    """Something of it is missing."""
    story = ledger()
    data = story.record("lunch").replace(b'"amount_minor":10', b'"amount_minor":11')
    rests(story).letters["the-balances-dlq"] = [letter(data)]
    assert finished(story) == {"dead_letters_keep_payload"}


def test_a_hold_that_never_ends_is_found() -> None:
    """Long after it was due."""
    story = ledger()
    rests(story)
    story.now += 8 * 86_400 * SECOND
    assert finished(story) == {"holds_end"}


def test_a_batch_is_one_message_of_many_events() -> None:
    """All of them arrive."""
    story = ledger()
    story.does(batching("both", opening("b", account_type="asset"), paying("p", ("bank", "b", 5))))
    rests(story)
    assert finished(story) == set()
