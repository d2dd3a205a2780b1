"""Payments: what is written for which event, how large it is, and what becomes of failed writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws
from msgspec import UNSET, structs
from typing_extensions import override

from ledger.consuming.writing import FAILURES_IN_A_ROW_MAX
from ledger.contracts.commands import PostTemplate
from ledger.contracts.events import CommandRejected, Event, TemplateUse
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.contracts.rates import DeclaredRate
from ledger.runtime.faults import BrokenItemError, StoreError
from ledger.runtime.items import attributes_of
from projections.generations.memory import single
from projections.payments import handler as module
from projections.payments.apply import (
    Metadata,
    Origin,
    Payment,
    Progress,
    Template,
    coalesce,
    created_text,
    payment_in,
)
from projections.payments.handler import make_handler
from projections.payments.memory import MemoryPaymentsStore
from projections.payments.project import listed_together, project
from projections.payments.store import SHARDS, DynamoPaymentsStore, shard_of
from tests.properties.projection_streams import Book, four_events, message
from tests.support.consuming import REJECTION, World, function_environment
from tests.unit.projections.fakes import create_tables
from tests.unit.projections.sizes import item_bytes

BOOK = four_events()


def two_accounts() -> Book:
    """A book with the accounts a and b."""
    book = Book()
    book.open("a")
    book.open("b")
    return book


def test_a_payment_posted_at_once_is_its_first_version() -> None:
    """What it is, and that it is posted; its amounts are those of its postings."""
    book = two_accounts()
    event = structs.replace(
        book.pay(("a", "b", 7), effective_at="2025-01-02T00:00:00.000000Z", reference="r"),
        rates=(DeclaredRate(from_posting=0, to_posting=1, rate="2", rounding="half_up"),),
        metadata={"room": "7"},
        template=TemplateUse(name="sale", version=3, pinned=True, parameters={"amount": 7}),
    )
    assert payment_in(event) == Payment(
        event.id,
        origin=Origin(
            payment=event.id,
            created=f"{event.recorded_at}#{event.id}",
            type="payment.posted",
            effective_at="2025-01-02T00:00:00.000000Z",
            postings=event.postings,
            rates=event.rates,
            reference="r",
            first_metadata={"room": "7"},
            template=Template(name="sale", version=3, arguments='{"amount":7}'),
        ),
        progress=Progress(
            payment=event.id,
            version=1,
            status="posted",
            event=event.id,
            changed_at=event.recorded_at,
        ),
    )
    payment = payment_in(event)
    assert payment is not None
    assert payment.origin is not None
    assert payment.origin.recorded_at == event.recorded_at


def test_a_hold_and_what_becomes_of_it() -> None:
    """Its origin comes with the event that made it, and the whole of its progress with each."""
    book = two_accounts()
    held = structs.replace(book.hold(("a", "b", 7)), over_capture_bps=500)
    captured = book.capture(held.id, (3,))
    first, later = payment_in(held), payment_in(captured)
    assert first is not None
    assert first.origin is not None
    assert (first.origin.type, first.origin.over_capture_bps) == ("payment.authorized", 500)
    assert first.progress == Progress(
        payment=held.id,
        version=1,
        status="held",
        event=held.id,
        changed_at=held.recorded_at,
        authorized_minor=(7,),
        expires_at=held.entry.expires_at,
    )
    progress = Progress(
        payment=held.id,
        version=2,
        status="partially_captured",
        event=captured.id,
        changed_at=captured.recorded_at,
        authorized_minor=(7,),
        captured_minor=(3,),
        expires_at=held.entry.expires_at,
    )
    assert later == Payment(held.id, progress=progress)
    both: list[Event] = [held, captured]
    for events in (both, both[::-1]):
        assert coalesce(events) == {held.id: structs.replace(first, progress=progress)}


@pytest.mark.parametrize(
    ("what", "origin"),
    [
        ("post", {"effective_at": "2025-01-01T00:00:00.000000Z"}),
        ("authorize", {"over_capture_bps": 5, "reference": "r"}),
        ("template", {"template": Template(name="sale", arguments='{"amount":5}')}),
    ],
)
def test_a_payment_that_was_refused_is_one_with_its_reason(
    what: str, origin: dict[str, Any]
) -> None:
    """As it was asked for, whichever command asked."""
    event = Book().refuse(what)
    request: Any = event.request
    postings = () if isinstance(request, PostTemplate) else request.postings
    assert payment_in(event) == Payment(
        event.id,
        origin=Origin(
            payment=event.id,
            created=f"{event.recorded_at}#{event.id}",
            type="command.rejected",
            postings=postings,
            reason="account_not_found",
            retry="new_id",
            field="postings[0].source",
            **origin,
        ),
        progress=Progress(
            payment=event.id,
            version=1,
            status="rejected",
            event=event.id,
            changed_at=event.recorded_at,
        ),
    )


def test_a_refused_template_may_have_been_given_anything() -> None:
    """Numbers beyond what a table takes, and texts of any length, show as they were given."""
    refused = Book().refuse("template")
    given = {"amount": 10**60, "fee": -(10**60), "to": "x" * 1_000}
    request = structs.replace(refused.request, parameters=given)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        create_tables(client)
        store = DynamoPaymentsStore(client, "payments")
        assert project(store, [structs.replace(refused, request=request)]).failed == {}
        origin = store.some([refused.id])[refused.id].origin
    assert origin is not None
    assert origin.template
    assert origin.template.parameters == given


def test_what_is_about_no_payment_is_no_write() -> None:
    """Openings, freezes, metadata of accounts, refusals of anything else."""
    book = Book()
    book.open("a", metadata={"name": "x"})
    book.freeze("a", "both")
    book.alert("a")
    book.describe("account", "a", {})
    book.refuse("account")
    book.refuse("capture")
    store = MemoryPaymentsStore()
    outcome = project(store, [*book.recorded, REJECTION])
    assert (outcome.failed, store.writes) == ({}, 0)
    assert list(store.payments()) == []


def test_metadata_of_a_payment_are_a_part_of_it() -> None:
    """The newest of a batch."""
    book = two_accounts()
    paid = book.pay(("a", "b", 1))
    older = book.describe("payment", paid.id, {"room": "7"})
    newer = book.describe("payment", paid.id, {})
    for events in ([older, newer], [newer, older]):
        assert coalesce(events) == {
            paid.id: Payment(
                paid.id, metadata=Metadata(payment=paid.id, metadata_version=2, metadata={})
            )
        }


def test_a_usual_payment_is_one_write_unit_all_its_life() -> None:
    """Two legs, 36-character ids, a reference and a long description; held, increased, captured and
    given back: at most 1 KiB."""
    payer, payee = "a" * 36, "b" * 36
    book = Book()
    for name in (payer, payee):
        book.open(name)
    held = book.hold((payer, payee, 10**9))
    held = structs.replace(
        held, reference="r" * 36, description="d" * 140, metadata={"order": "1" * 36}
    )
    events: list[Event] = [
        held,
        book.increase(held.id, (10**6,)),
        book.capture(held.id, (10**8,), final=True),
        book.reverse(held.id, (10**7,)),
    ]
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        create_tables(client)
        store = DynamoPaymentsStore(client, "payments", 9_999)
        for event in events:
            project(store, [event])
            (item,) = client.scan(TableName="payments")["Items"]
            assert item_bytes(item) + 2 * 36 <= 1_024  # ids of payments and events here are shorter


def test_payments_are_spread_over_the_shards() -> None:
    """Of ids of any kind about as many lie in each, so that no partition takes most writes."""
    for shape in ("{}", "order-{:08}", "payment:{}:eur"):
        counts = [0] * SHARDS
        for number in range(8_000):
            counts[shard_of(shape.format(number))] += 1
        assert min(counts) > 800
        assert max(counts) < 1_200


class Broken(MemoryPaymentsStore):
    """Fails every write to some payments."""

    def __init__(self, *payments: str) -> None:
        super().__init__()
        self.payments_out = payments
        self.tried: list[str] = []

    @override
    def write(self, payment: Payment, *, listed: bool = True) -> int:
        self.tried.append(payment.id)
        if payment.id in self.payments_out:
            raise StoreError("ThrottlingException")
        return super().write(payment, listed=listed)


def test_a_failed_payment_fails_its_messages_and_no_other() -> None:
    """Every event of it that the batch has."""
    book = two_accounts()
    held, paid = book.hold(("a", "b", 7)), book.pay(("a", "b", 7))
    captured = book.capture(held.id, (3,))
    described = book.describe("payment", held.id, {})
    outcome = project(Broken(held.id), [paid, held, captured, REJECTION, described])
    assert outcome.failed == dict.fromkeys((1, 2, 4), "ThrottlingException")
    assert outcome.counts == {"Writes": 2, "WritesOutdated": 0, "Lists": 0}


class Unlisted(MemoryPaymentsStore):
    """Lists nothing."""

    @override
    def list_together(self, created: Sequence[str]) -> None:
        raise StoreError("ThrottlingException")


def test_a_payment_that_is_not_listed_comes_back() -> None:
    """All that were to be listed together, and no other; the next time they are."""
    book = two_accounts()
    paid = [book.pay(("a", "b", 1)) for _ in range(4)]
    held = book.hold(("a", "b", 7))
    outcome = project(Unlisted(), [paid[0], held, *paid[1:]])
    assert outcome.failed == dict.fromkeys((0, 2, 3, 4), "ThrottlingException")
    store = MemoryPaymentsStore()
    assert project(store, paid).failed == {}
    assert len(store.listed("posted", "0", "~", 10)) == 4


class Dying(MemoryPaymentsStore):
    """Its worker dies at the call of that number."""

    def __init__(self, dies_at: int) -> None:
        super().__init__()
        self.calls_left = dies_at

    def _call(self) -> None:
        self.calls_left -= 1
        if self.calls_left == 0:
            raise KeyboardInterrupt

    @override
    def write(self, payment: Payment, *, listed: bool = True) -> int:
        self._call()
        return super().write(payment, listed=listed)

    @override
    def list_together(self, created: Sequence[str]) -> None:
        self._call()
        super().list_together(created)


@pytest.mark.parametrize("dies_at", range(1, 6))
def test_what_comes_again_alone_is_listed_all_the_same(dies_at: int) -> None:
    """Wherever the worker died that was to list it with others: each is in the list, once."""
    book = two_accounts()
    paid = [book.pay(("a", "b", 1)) for _ in range(4)]
    store = Dying(dies_at)
    with pytest.raises(KeyboardInterrupt):
        project(store, paid)
    for event in paid:
        assert project(store, [event]).failed == {}
    assert len(store.listed("posted", "0", "~", 10)) == 4


def test_what_is_posted_at_once_is_listed_together() -> None:
    """By the minute, a hundred at the most, three at the least; nothing else is."""

    def payments(minute: int, count: int) -> list[Payment]:
        at = f"2026-11-22T08:{minute:02}:30.000000Z"
        return [
            Payment(
                f"p{minute}-{n}",
                origin=Origin(
                    payment=f"p{minute}-{n}",
                    created=created_text(at, f"p{minute}-{n}"),
                    type="payment.posted",
                ),
                progress=Progress(
                    payment=f"p{minute}-{n}", version=1, status="posted", event="e", changed_at=at
                ),
            )
            for n in range(count)
        ]

    def of(made: list[Payment]) -> list[str]:
        return [one.origin.created for one in made if one.origin]

    first, second, few = payments(1, 202), payments(2, 3), payments(3, 2)
    held = [payment_in(BOOK.events[0]) or Payment("h", progress=first[0].progress)]
    lists = list(listed_together([*first, *held, *second, *few]))
    assert lists == [of(first)[:100], of(first)[100:200], of(second)]


def test_a_table_out_of_reach_is_not_asked_for_ever() -> None:
    """After a few failures in a row the rest of the batch fails untried; else all are tried."""
    book = two_accounts()
    paid = [book.pay(("a", "b", 1)) for _ in range(10)]
    store = Broken(*(event.id for event in paid))
    outcome = project(store, paid)
    assert len(store.tried) == FAILURES_IN_A_ROW_MAX
    assert set(outcome.failed) == set(range(10))
    assert list(outcome.failed.values()).count("not_tried") == 10 - FAILURES_IN_A_ROW_MAX
    store = Broken(*(event.id for event in paid[::2]))
    assert set(project(store, paid).failed) == {0, 2, 4, 6, 8}


def test_the_handler_projects_a_batch_and_says_so() -> None:
    """From queue messages to payments, with counts in the line; a repetition is outdated."""
    world, store = World(), MemoryPaymentsStore()
    handler = make_handler(stores=single(store), **world.collaborators)
    records = [message(event, event.id) for event in BOOK.events]
    for _ in range(2):
        assert handler({"Records": records}, None) == {"batchItemFailures": []}
    assert {payment.status for payment in store.payments()} == {"posted"}
    assert [line.metrics["Writes"] for line in world.lines] == [("Count", 4), ("Count", 0)]
    assert world.lines[1].metrics["WritesOutdated"] == ("Count", 4)


def test_the_function_is_built_from_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployed entry point, with a table: importing it created nothing, calling it projects."""
    for name, value in function_environment(
        "Payments", PAYMENTS_TABLE="payments", QUEUE_URL="https://queue"
    ).items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("dynamodb")
        create_tables(client)
        records = [message(event, event.id) for event in BOOK.events]
        assert module.handler({"Records": records}, None) == {"batchItemFailures": []}
        found = DynamoPaymentsStore(client, "payments").some([BOOK.events[2].id])
    assert found[BOOK.events[2].id].status == "posted"


@pytest.fixture
def stubbed() -> Any:
    """A store whose client answers what it is told to, and the stub."""
    client = boto3.client(
        "dynamodb", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    return DynamoPaymentsStore(client, "payments"), Stubber(client)


def test_errors_of_aws_come_with_their_code(stubbed: Any) -> None:
    """Writes and reads alike."""
    store, stub = stubbed
    payment = payment_in(BOOK.events[2])
    calls: list[tuple[str, Callable[[], object]]] = [
        ("update_item", lambda: store.write(payment)),
        ("batch_get_item", lambda: store.some(["a"])),
        ("query", lambda: store.listed("held", "0", "~", 5)),
        ("scan", lambda: list(store.payments())),
    ]
    for operation, _ in calls:
        stub.add_client_error(operation, "ThrottlingException")
    with stub:
        for _, call in calls:
            with pytest.raises(StoreError, match="ThrottlingException"):
                call()


def test_a_list_goes_on_to_the_last_page_of_each_shard(stubbed: Any) -> None:
    """A page ends at 1 MB wherever that is, also before the first entry."""
    store, stub = stubbed
    for shard in range(SHARDS):
        place = {"pk": {"S": "p"}, "listed": {"S": f"held#{shard}"}, "created": {"S": "1"}}
        asked = {
            "TableName": "payments",
            "IndexName": "by_status",
            "KeyConditionExpression": "#listed = :listed AND #created BETWEEN :low AND :high",
            "ExpressionAttributeNames": {"#listed": "listed", "#created": "created"},
            "ExpressionAttributeValues": {
                ":listed": {"S": f"held#{shard}"},
                ":low": {"S": "0"},
                ":high": {"S": "~"},
            },
            "ScanIndexForward": False,
            "Limit": 2,
        }
        one = [{"pk": {"S": f"p{shard}"}, "created": {"S": f"{9 - shard}"}}]
        stub.add_response("query", {"Items": [], "LastEvaluatedKey": place}, asked)
        stub.add_response("query", {"Items": one}, asked | {"ExclusiveStartKey": place})
    with stub:
        assert store.listed("held", "0", "~", 2) == ("9", "8")
        stub.assert_no_pending_responses()


@pytest.mark.parametrize(
    "change",
    [
        {"version": {"N": "1.5"}},
        {"status": {"S": "lost"}},
        {"postings": {"L": [{"S": "a"}]}},
        {"metadata_version": {"N": "1"}},
    ],
    ids=str,
)
def test_an_item_that_nobody_wrote_is_refused(stubbed: Any, change: dict[str, Any]) -> None:
    """What is read back is checked, and never shown if it is not a payment."""
    store, stub = stubbed
    values = {
        "pk": "p",
        "listed": "posted#1",
        "created": "2025-11-24T16:00:02.000000Z#p",
        "type": "payment.posted",
        "version": 1,
        "status": "posted",
        "event": "p",
        "changed_at": "2025-11-24T16:00:02.000000Z",
        "captured_minor": [AMOUNT_MINOR_MAX],
    }
    answer = {"Responses": {"payments": [attributes_of(values)]}}
    stub.add_response("batch_get_item", answer)
    stub.add_response(
        "batch_get_item", {"Responses": {"payments": [attributes_of(values) | change]}}
    )
    with stub:
        assert store.some(["p"])["p"].status == "posted"
        with pytest.raises(BrokenItemError):
            store.some(["p"])


def test_a_refusal_says_whether_a_new_id_may_do() -> None:
    """As the ledger answered."""
    event = Book().refuse("post")
    assert isinstance(event, CommandRejected)
    payment = payment_in(structs.replace(event, retry="never", field=UNSET))
    assert payment is not None
    assert payment.origin is not None
    assert (payment.origin.retry, payment.origin.field) == ("never", UNSET)
