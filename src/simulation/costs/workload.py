"""Payments at a steady rate, sent as one would who uses the ledger: by REST or by the queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import partial
from typing import Any, Final

from msgspec import Struct

from ledger.contracts.commands import (
    Command,
    OpenAccount,
    Posting,
    PostPayment,
    bulk_of,
    encode_command,
)
from ledger.contracts.routes import COMMAND_PATHS, INDEPENDENT_PATH
from simulation.costs.meter import Meter
from simulation.kernel.hub import SECOND
from simulation.world import World

#: Of the accounts that pay and are paid.
CUSTOMERS: Final = 1_000
MERCHANTS: Final = 8
#: Of one bulk request; well inside what one may have.
_OPENED_AT_ONCE: Final = 100
_OPENING_MINOR: Final = 10**9
_CURRENCY: Final = "EUR"
_CLOCK_ROOM: Final = 2 * SECOND
#: Entries of one SendMessageBatch.
_AT_ONCE: Final = 10
_ID_LENGTH: Final = 36  # of the ids that most systems make
_CALLER: Final = "arn:aws:sts::000000000000:assumed-role/payments/cost"


class Way(StrEnum):
    """How commands come in."""

    REST = "rest"
    QUEUE = "queue"


class Pattern(StrEnum):
    """Who pays whom."""

    TRANSFERS = "transfers"
    """A customer pays another, any of many."""
    PAYOUTS = "payouts"
    """All payments of one request are of one payer, each to another payee."""
    PURCHASES = "purchases"
    """Customers pay one of a few merchants."""


class Workload(Struct, frozen=True, kw_only=True):
    """`payments` in all, `tps` of them a second, `batch` in each request or message."""

    tps: float
    batch: int
    way: Way = Way.REST
    pattern: Pattern = Pattern.TRANSFERS
    payments: int = 2_000


class WorkloadError(Exception):
    """The stack did not do what it was asked: what was counted says nothing."""


def play(world: World, meter: Meter, workload: Workload) -> int:
    """Opens accounts, lets all come to rest, then makes the payments while `meter` counts, until
    nothing is left to do. Answers how many were made. Raises WorkloadError."""
    opened = world.hub.spawn("cost/open", partial(_open, world))
    _rest(world)
    opened.done.result()
    meter.begin()
    sent = world.hub.spawn("cost/pay", partial(_pay, world, meter, workload))
    _rest(world)
    made = sent.done.result()
    recorded = _posted(world)
    if recorded != made:
        raise WorkloadError(f"{made} payments were sent, and {recorded} posted")
    return made


def _rest(world: World) -> None:
    while world.hub.waited_for:
        world.hub.run(until=world.hub.now + SECOND)
    world.hub.run(until=world.hub.now + 60 * SECOND)


def _posted(world: World) -> int:
    """Payments among the events, but the customers' opening balances."""
    items = world.dynamodb.peek(world.wiring.variable("EVENTS_TABLE")).values()
    return sum(
        item["type"]["S"] == "payment.posted" and item["pk"]["S"].startswith("payment-")
        for item in items
    )


def _open(world: World) -> None:
    accounts: list[Command] = [_opening("clearing", "asset", None)]
    accounts += [_opening(_customer(one), "liability", 0) for one in range(CUSTOMERS)]
    accounts += [_opening(_merchant(one), "liability", 0) for one in range(MERCHANTS)]
    deposits: list[Command] = [
        _payment(f"deposit-{one}", "clearing", _customer(one), _OPENING_MINOR)
        for one in range(CUSTOMERS)
    ]
    for commands in (accounts, deposits):
        for some in _slices(commands, _OPENED_AT_ONCE):
            answer = world.hub.wait(_posted_request(world, some))
            if answer.status != 200 or b'"status":5' in answer.body:
                raise WorkloadError(f"accounts could not be opened: {answer.status}")


def _pay(world: World, meter: Meter, workload: Workload) -> int:
    """One request after the other, on time, whatever became of those before."""
    payments = [_drawn(workload, number) for number in range(workload.payments)]
    begun, rate = world.hub.now + _CLOCK_ROOM, workload.tps
    made = 0
    if workload.way is Way.QUEUE:
        for place, some in enumerate(_slices(payments, workload.batch * _AT_ONCE)):
            _wait_until(world, begun + int(place * workload.batch * _AT_ONCE / rate * SECOND))
            world.hub.spawn("cost/client", partial(_send, world, some, workload.batch))
            made += len(some)
        return made
    for place, some in enumerate(_slices(payments, workload.batch)):
        _wait_until(world, begun + int(place * workload.batch / rate * SECOND))
        meter.requested()
        _posted_request(world, some)
        made += len(some)
    return made


def _wait_until(world: World, when: int) -> None:
    if when > world.hub.now:
        world.hub.sleep(when - world.hub.now)


def _posted_request(world: World, commands: Sequence[Command]) -> Any:
    if len(commands) == 1:
        path, body = COMMAND_PATHS["payment.post"], encode_command(commands[0])
    else:
        path, body = INDEPENDENT_PATH, _together(commands)
    return world.gateway.request("POST", path, caller=_CALLER, body=body)


def _send(world: World, commands: Sequence[Command], batch: int) -> None:
    """Messages of `batch` commands, ten in a request; a group for each payer."""
    client: Any = world.client(world.sqs)
    entries = []
    for number, some in enumerate(_slices(commands, batch)):
        body = encode_command(some[0]) if len(some) == 1 else _together(some)
        assert isinstance(some[0], PostPayment)
        entries.append(
            {
                "Id": str(number),
                "MessageBody": body.decode(),
                "MessageGroupId": some[0].postings[0].source,
                "MessageDeduplicationId": some[0].id,
            }
        )
    url = world.wiring.variable("COMMANDS_FIFO_QUEUE_URL")
    answer = client.send_message_batch(QueueUrl=url, Entries=entries)
    if answer.get("Failed"):
        raise WorkloadError("the queue did not take a message")


def _drawn(workload: Workload, number: int) -> Command:
    """The payment of that number. No chance in it: every account is as good as any other."""
    payer = number * 7
    payee = number * 13 + 1
    if workload.pattern is Pattern.PAYOUTS:
        payer = number // workload.batch * 7
        payee = payer + 1 + number % workload.batch
    source, destination = _customer(payer % CUSTOMERS), _customer(payee % CUSTOMERS)
    if workload.pattern is Pattern.PURCHASES:
        destination = _merchant(number % MERCHANTS)
    if source == destination:
        destination = _customer((payee + 1) % CUSTOMERS)
    return _payment(f"payment-{number}", source, destination, 100 + number % 900)


def _payment(name: str, source: str, destination: str, amount_minor: int) -> PostPayment:
    posting = Posting(
        source=source, destination=destination, amount_minor=amount_minor, currency=_CURRENCY
    )
    return PostPayment(v=1, id=_id(name), postings=(posting,))


def _opening(account: str, type_: Any, lowest: int | None) -> OpenAccount:
    return OpenAccount(
        v=1,
        id=_id(f"open-{account}"),
        account=account,
        currency=_CURRENCY,
        account_type=type_,
        min_balance_minor=lowest,
    )


def _customer(number: int) -> str:
    return _id(f"customer:{number}-")


def _merchant(number: int) -> str:
    return _id(f"merchant:{number}-")


def _id(name: str) -> str:
    """An id of the usual length that begins so."""
    return f"{name}-".ljust(_ID_LENGTH, "0")


def _together(commands: Sequence[Command]) -> bytes:
    return bulk_of(map(encode_command, commands))


def _slices(commands: Sequence[Command], length: int) -> Iterator[Sequence[Command]]:
    for start in range(0, len(commands), length):
        yield commands[start : start + length]
