"""The whole life of accounts and payments, by every way in, and what the projections make of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from ledger.client.answers import Accepted
from ledger.client.bus import BusSender
from ledger.client.config import Config
from ledger.client.fifo import FifoSender
from ledger.client.messages import Message
from ledger.client.rest import LedgerApi
from ledger.contracts.commands import decode_command
from ledger.contracts.notifications import NOTIFICATION_TYPES
from tests.end_to_end.driving import (
    client,
    eventually,
    heard,
    ledger,
    listening,
    opening,
    paying,
    posted,
    projected,
    unique,
)

NOW = datetime.now(UTC)
OPENED = (NOW - timedelta(days=30)).isoformat()
IN_THE_PERIOD = (NOW - timedelta(days=3)).isoformat()
# The end of its day lies more than the closing margin back, whatever the hour.
CLOSED_THROUGH = (NOW - timedelta(days=2)).date().isoformat()

Send = Callable[[dict[str, Any]], object]


class World(Struct, frozen=True):
    """Accounts of a test's own under one path, in a book of their own, and the way to them."""

    api: LedgerApi
    send: Send
    dynamodb: Any
    events_table: str
    path: str

    @property
    def bank(self) -> str:
        return f"{self.path}:bank"

    @property
    def payer(self) -> str:
        return f"{self.path}:payer"

    @property
    def payee(self) -> str:
        return f"{self.path}:payee"

    @property
    def book(self) -> str:
        return self.path.replace(":", "-")

    def decided(self, type: str, **fields: object) -> dict[str, Any]:
        """What the ledger recorded of a command that was sent to it on this way."""
        command = {"type": type, "v": 1, "id": unique(type), **fields}
        assert self.recorded(command["id"]) is None
        self.send(command)
        assert eventually(lambda: self.recorded(command["id"]) is not None), command
        event = self.recorded(command["id"])
        assert event is not None
        return event

    def recorded(self, command_id: object) -> dict[str, Any] | None:
        """The event that lies in the event store under a command's id, if it was decided."""
        answer = self.dynamodb.get_item(
            TableName=self.events_table, Key={"pk": {"S": command_id}}, ConsistentRead=True
        )
        return json.loads(answer["Item"]["data"]["S"]) if "Item" in answer else None

    def paid(self, source: str, destination: str, amount_minor: int, **fields: object) -> Any:
        """What was recorded of a payment."""
        command = paying(unique("payment"), source, destination, amount_minor, **fields)
        return self.decided(**command)

    def held(self, amount_minor: int, **fields: object) -> Any:
        """What was recorded of a hold from payer to payee."""
        command = paying(unique("hold"), self.payer, self.payee, amount_minor, **fields)
        return self.decided(**command | {"type": "payment.authorize"})


def message(command: dict[str, Any]) -> Message:
    """A command as the asynchronous ways take it."""
    return Message(command["type"], json.dumps(command).encode(), "life")


def ways(api: LedgerApi, config: Config) -> dict[str, Send]:
    """How commands reach the ledger."""
    bus = BusSender(client(config, "events"), config.outputs["IngressBusName"])
    fifo = FifoSender(client(config, "sqs"), config.outputs["CommandsFifoQueueUrl"])
    return {
        "rest": lambda command: posted(api, command),
        "bus": lambda command: bus.send([message(command)]),
        "fifo": lambda command: fifo.send([message(command)]),
    }


def made(api: LedgerApi, config: Config, way: str) -> World:
    """A new world, in which the payer has 10,000 that the bank gave."""
    world = World(
        api=api,
        send=ways(api, config)[way],
        dynamodb=client(config, "dynamodb"),
        events_table=config.outputs["EventsTableName"],
        path=f"life:{unique(way)}",
    )
    commands = (
        {"type": "book.open", "v": 1, "id": unique("book"), "book": world.book},
        opening(
            world.bank,
            account_type="asset",
            min_balance_minor=None,
            effective_at=OPENED,
            book=world.book,
        ),
        opening(world.payer, effective_at=OPENED, book=world.book, metadata={"tier": "gold"}),
        opening(world.payee, effective_at=OPENED, book=world.book),
        paying(unique("topup"), world.bank, world.payer, 10_000),
    )
    batch = {"type": "batch.atomic", "v": 1, "id": unique("made"), "commands": commands}
    answer = posted(api, batch)
    assert isinstance(answer, Accepted), answer
    return world


@pytest.fixture(params=["rest", "bus", "fifo"])
def world(request: pytest.FixtureRequest, api: LedgerApi, config: Config) -> World:
    """A world that is reached by REST, by the bus and by the queue, in turn."""
    return made(api, config, request.param)


def refusal(event: dict[str, Any]) -> tuple[str, str, str]:
    """The type of an event, the reason and the field that it refuses a command for."""
    return event["type"], event.get("reason", ""), event.get("field", "")


def body_of(reply: object) -> dict[str, Any]:
    """What an accepted request was answered."""
    assert isinstance(reply, Accepted), reply
    return reply.body


def listed(api: LedgerApi, status: str) -> set[str]:
    """The newest payments of a status, as projected, that were made since these tests began."""
    found = body_of(api.payments({"status": status, "from": NOW.isoformat(), "limit": "100"}))
    assert {payment["status"] for payment in found["payments"]} <= {status}
    return {payment["id"] for payment in found["payments"]}


def test_a_hold_is_captured_in_part_its_rest_voided_and_the_part_given_back(world: World) -> None:
    """Every step moves what it says and no more, and the payment is listed where it ends."""
    hold = world.held(6_000)["id"]
    captured = world.decided("payment.capture", payment=hold, amount_minor=2_500)
    assert captured["entry"]["status"] == "partially_captured"
    voided = world.decided("payment.void", payment=hold, reason="Sold out")
    assert (voided["type"], voided["postings"][0]["amount_minor"]) == ("payment.voided", 3_500)
    assert voided["entry"]["status"] == "captured"
    for amount_minor, status in ((1_000, "partially_reversed"), (1_500, "reversed")):
        event = world.decided("payment.reverse", payment=hold, amount_minor=amount_minor)
        assert event["entry"]["status"] == status
    late = world.decided("payment.capture", payment=hold)
    more = world.decided("payment.reverse", payment=hold, amount_minor=1)
    assert refusal(late) == ("command.rejected", "hold_not_open", "payment")
    assert refusal(more)[:2] == ("command.rejected", "reversal_exceeds_payment")

    payer, payee = projected(world.api, world.payer, 7), projected(world.api, world.payee, 6)
    assert (payer["balance_minor"], payer["available_minor"]) == (10_000, 10_000)
    assert (payee["balance_minor"], payee["credits_pending_minor"]) == (0, 0)
    assert [entry["type"] for entry in reversed(payee["entries"])] == [
        "account.opened",
        "payment.authorized",
        "payment.captured",
        "payment.voided",
        "payment.reversed",
        "payment.reversed",
    ]
    life = body_of(world.api.payment(hold))
    assert (life["captured_minor"], life["reversed_minor"]) == ([2_500], [2_500])
    assert eventually(lambda: hold in listed(world.api, "reversed"))


def test_a_freeze_and_a_velocity_limit_refuse_until_they_are_lifted(world: World) -> None:
    """What they allow passes, and what they refused stays refused."""
    world.decided("account.freeze", account=world.payer, sides="debits", reason="Card stolen")
    frozen = world.paid(world.payer, world.payee, 1)
    assert refusal(frozen)[:2] == ("command.rejected", "account_frozen")
    assert world.paid(world.bank, world.payer, 1)["type"] == "payment.posted"
    assert body_of(world.api.limits(world.payer))["frozen"] == "debits"
    world.decided("account.unfreeze", account=world.payer, sides="both", reason="Found again")
    assert world.paid(world.payer, world.payee, 1)["type"] == "payment.posted"

    velocity = {"name": "spending", "window": "rolling", "hours": 24, "direction": "debits"}
    world.decided(
        "account.set_limits",
        account=world.payer,
        velocity=[{**velocity, "currency": "EUR", "max_amount_minor": 1_000, "max_count": 9}],
    )
    assert world.paid(world.payer, world.payee, 700)["type"] == "payment.posted"
    held = world.held(301)
    assert refusal(held)[:2] == ("command.rejected", "velocity_limit_exceeded")
    assert held["causes"][0]["values"]["limit"] == "spending"
    assert world.held(300)["type"] == "payment.authorized"
    [spending] = body_of(world.api.limits(world.payer))["velocity"]
    assert (spending["used_amount_minor"], spending["used_count"]) == (1_000, 2)

    refused = {frozen["id"], held["id"]}
    assert eventually(lambda: refused <= listed(world.api, "rejected"))


def test_a_template_is_posted_and_a_closed_book_takes_no_more(world: World) -> None:
    """Back-dated payments count in their period until its book is closed, and no longer."""
    template = unique("sale").replace("-", "_")
    share = {"of": "amount", "bps": 175, "rounding": "half_up"}
    rest = {"of": "amount", "remainder": True}
    account = f"{world.path}:{{seller}}"
    defined = world.decided(
        "template.define",
        template=template,
        parameters=[{"name": "amount", "kind": "amount"}, {"name": "seller", "kind": "account"}],
        postings=[
            {"source": world.payer, "destination": account, "currency": "EUR", "amount": rest},
            {"source": world.payer, "destination": world.bank, "currency": "EUR", "amount": share},
        ],
    )
    assert (defined["type"], defined["entry"]["version"]) == ("template.defined", 1)

    def sold(**fields: object) -> dict[str, Any]:
        parameters = {"amount": 4_999, "seller": "payee"}
        return world.decided(
            "payment.post_template", template=template, parameters=parameters, **fields
        )

    sale = sold(effective_at=IN_THE_PERIOD)
    assert [posting["amount_minor"] for posting in sale["postings"]] == [4_912, 87]
    closed = world.decided("book.close", book=world.book, through=CLOSED_THROUGH)
    assert closed["type"] == "book.closed"
    late = sold(effective_at=IN_THE_PERIOD)
    assert refusal(late) == ("command.rejected", "period_closed", "effective_at")
    assert sold()["type"] == "payment.posted"
    payee = projected(world.api, world.payee, 3)
    assert payee["balance_minor"] == 2 * 4_912
    assert [entry["effective_at"][:10] for entry in payee["entries"]][1] == IN_THE_PERIOD[:10]
    assert body_of(world.api.book(world.book))["closed_through"] == CLOSED_THROUGH


def test_metadata_are_replaced_and_shown_everywhere(world: World) -> None:
    """Of an account and of a payment: in the event store at once, in the projections soon."""
    payment = world.paid(world.payer, world.payee, 5, metadata={"order": "1"})["id"]
    metadata = {"order": "2", "seen": "by hand"}
    for subject, subject_id in (("account", world.payer), ("payment", payment)):
        fields = {"subject": subject, "subject_id": subject_id, "metadata": metadata}
        assert world.decided("metadata.set", **fields)["type"] == "metadata.set"
    assert body_of(world.api.metadata("account", world.payer))["version"] == 2
    assert body_of(world.api.metadata("payment", payment))["version"] == 1

    def shown() -> bool:
        account = body_of(world.api.account(world.payer))
        query = {"status": "posted", "from": NOW.isoformat()}
        posted_now = body_of(world.api.payments(query))["payments"]
        of_payment = [each["metadata"] for each in posted_now if each["id"] == payment]
        return [account["metadata"], *of_payment] == [metadata] * 2

    assert eventually(shown)


def test_a_batch_by_the_bus_takes_effect_as_a_whole_is_told_and_is_right(
    api: LedgerApi, config: Config, config_file: Path
) -> None:
    """One with something of everything: each command's event is told, the projections show what
    they come to, and nothing differs from the events, of these tests' payments and of all others.
    With one more command that is refused, nothing of it takes effect."""
    world = made(api, config, "bus")
    hold, sale, open_hold = unique("hold"), unique("sale"), unique("open")
    child = f"{world.path}:payee:savings"
    commands = [
        opening(child),
        paying(sale, world.payer, child, 1_200),
        {**paying(hold, world.payer, world.payee, 900), "type": "payment.authorize"},
        {**paying(open_hold, world.payer, child, 50), "type": "payment.authorize"},
        *(
            {"type": type, "v": 1, "id": unique(type), **fields}
            for type, fields in (
                ("payment.capture", {"payment": hold, "amount_minor": 400}),
                ("payment.reverse", {"payment": sale, "amount_minor": 200}),
                (
                    "metadata.set",
                    {"subject": "payment", "subject_id": hold, "metadata": {"k": "v"}},
                ),
                ("account.freeze", {"account": world.bank, "sides": "both", "reason": "Audit"}),
                ("book.close", {"book": world.book, "through": CLOSED_THROUGH}),
            )
        ),
    ]
    ids = [str(command["id"]) for command in commands]
    with listening(config, {"type": list(NOTIFICATION_TYPES)}) as subscription:
        too_much = paying(unique("more"), world.payer, child, 10_000)
        refused = world.decided("batch.atomic", commands=[*commands, too_much])
        assert refusal(refused)[1:] == (
            "insufficient_funds",
            "commands[9].postings[0].source",
        )
        assert not any(world.recorded(each) for each in ids)
        committed = world.decided("batch.atomic", commands=commands)
        assert (committed["type"], committed["commands"]) == ("batch.committed", ids)
        told = {
            body["id"]: body["type"]
            for body in heard(subscription, *ids, refused["id"], committed["id"])
        }
    assert [told[each] for each in ids] == [
        "account.opened",
        "payment.posted",
        "payment.authorized",
        "payment.authorized",
        "payment.captured",
        "payment.reversed",
        "metadata.set",
        "account.frozen",
        "book.closed",
    ]

    for payment, status in (
        (hold, "partially_captured"),
        (sale, "partially_reversed"),
        (open_hold, "held"),
    ):
        assert eventually(lambda p=payment, s=status: p in listed(api, s))  # type: ignore[misc]
    projected(api, world.payer, 7)
    projected(api, child, 4)
    sums = {
        one["account_type"]: one
        for one in body_of(api.accounts({"under": world.path}))["sums"]["by_currency_and_type"]
    }
    assert (sums["asset"]["balance_minor"], sums["asset"]["accounts"]) == (10_000, 1)
    assert (sums["liability"]["balance_minor"], sums["liability"]["accounts"]) == (10_000, 3)
    assert sums["liability"]["debits_pending_minor"] == 550
    under = body_of(api.accounts({"under": world.payee}))
    assert [account["id"] for account in under["accounts"]] == [world.payee, child]
    assert under["sums"]["by_currency_and_type"][0]["balance_minor"] == 1_400
    code, report = ledger(config_file, "verify")
    assert (code, report["findings"]) == (0, [])


def test_independent_commands_are_decided_each_by_itself(api: LedgerApi, config: Config) -> None:
    """One request by REST: what is refused is nothing to those around it."""
    world = made(api, config, "rest")
    commands = [
        {**paying(unique("hold"), world.payer, world.payee, 9_000), "type": "payment.authorize"},
        paying(unique("too-much"), world.payer, world.payee, 1_001),
        {"type": "book.close", "v": 1, "id": unique("close"), "through": CLOSED_THROUGH},
        paying(unique("rest"), world.payer, world.payee, 1_000),
    ]
    commands[2]["book"] = world.book
    replies = api.submit_each([decode_command(json.dumps(each).encode()) for each in commands])
    assert [isinstance(reply, Accepted) for reply in replies] == [True, False, True, True]
    events = [world.recorded(command["id"]) for command in commands]
    assert [event and event["type"] for event in events] == [
        "payment.authorized",
        "command.rejected",
        "book.closed",
        "payment.posted",
    ]


def test_a_dry_run_says_what_would_be_and_writes_nothing(api: LedgerApi, config: Config) -> None:
    """Accepted or refused, alone or as a batch: no event, no state; and done afterwards it is as it
    was said."""
    world = made(api, config, "rest")
    before = body_of(api.limits(world.payer))["version"]
    hold = paying(unique("hold"), world.payer, world.payee, 9_000) | {"type": "payment.authorize"}
    late = paying(unique("late"), world.payer, world.payee, 1, effective_at=IN_THE_PERIOD)
    close = {"type": "book.close", "v": 1, "id": unique("close"), "book": world.book}
    batch: dict[str, Any] = {
        "type": "batch.atomic",
        "v": 1,
        "id": unique("batch"),
        "commands": [close | {"through": CLOSED_THROUGH}, late],
    }
    for command, reason in ((hold, ""), (batch, "period_closed")):
        reply = api.send(command["type"], json.dumps(command).encode(), dry_run=True)
        body = reply.body
        assert (body["dry_run"], body.get("reason", "")) == (True, reason)
        assert world.recorded(command["id"]) is None
    assert body_of(api.limits(world.payer))["version"] == before
    assert body_of(api.book(world.book))["closed_through"] is None
    done = body_of(posted(api, hold))
    assert (done["repeat"], done["payment"]["held_minor"]) == (False, [9_000])
