"""`ledger watch`: what the ledger tells its subscribers, as it tells them."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from secrets import token_hex
from typing import Annotated, Final

import typer

from ledger.cli.connection import connection
from ledger.cli.failures import reporting
from ledger.cli.interrupts import terminated_like_interrupted
from ledger.cli.options import ConfigOption
from ledger.cli.watching.filters import Strings, Wanted, wanted
from ledger.cli.watching.lines import line_of
from ledger.cli.watching.subscription import Subscription, subscribed

_WAIT_SECONDS_MAX: Final = 20  # the most that SQS waits for messages
_KNOWN_MAX: Final = 10_000  # messages; what is delivered twice is so within minutes


def watch(
    *,
    types: Annotated[
        Strings,
        typer.Option(
            "--type", help="payment.posted, command.rejected, balance.alert, … Repeatable."
        ),
    ] = None,
    accounts: Annotated[
        Strings, typer.Option("--account", help="An account that it touches. Repeatable.")
    ] = None,
    currencies: Annotated[
        Strings, typer.Option("--currency", help="ISO 4217, such as EUR. Repeatable.")
    ] = None,
    bands: Annotated[
        Strings,
        typer.Option("--amount-band", help="A band of docs/notifications.md: 10-100. Repeatable."),
    ] = None,
    reasons: Annotated[
        Strings, typer.Option("--reason", help="Why a command was rejected. Repeatable.")
    ] = None,
    payments: Annotated[
        Strings, typer.Option("--payment", help="A payment that it is about. Repeatable.")
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", "-n", min=1, help="End after so many.")
    ] = None,
    seconds: Annotated[
        int | None, typer.Option("--for", min=1, help="End after so many seconds.")
    ] = None,
    config: ConfigOption = None,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Each as one line of JSON, just as subscribers get it."),
    ] = False,
) -> None:
    """Show notifications as they come, until Ctrl-C.

    `ledger watch --type balance.alert --account customers:42:wallet`

    Options of one kind widen what is shown, those of different kinds narrow it. A queue subscribed
    to the topic is made for this and removed at the end; on AWS that takes the permissions in
    docs/notifications.md.
    """
    with reporting(as_json) as output, terminated_like_interrupted():
        filters = wanted(
            types=types,
            accounts=accounts,
            currencies=currencies,
            bands=bands,
            reasons=reasons,
            payments=payments,
        )
        ledger = connection(config)
        topic_arn = ledger.config.output("NotificationsTopicArn")
        name = topic_arn.rpartition(":")[2].removesuffix("notifications")
        with subscribed(
            ledger.sns,
            ledger.sqs,
            topic_arn=topic_arn,
            queue_name=f"{name}watch-{token_hex(4)}",
            policy=filters.policy(),
            note=output.note,
        ) as subscription:
            output.note("watching until Ctrl-C")
            with suppress(KeyboardInterrupt):  # the usual end
                for body in arrivals(
                    subscription, filters, count=count, seconds=seconds, clock=time.monotonic
                ):
                    # As it came it is one line: JSON strings have no line breaks.
                    output.line(body if as_json else line_of(body))


def arrivals(
    subscription: Subscription,
    filters: Wanted,
    *,
    count: int | None,
    seconds: float | None,
    clock: Callable[[], float],
) -> Iterator[str]:
    """The bodies of notifications that are wanted, each once, until there were `count` or `seconds`
    have passed."""
    known: OrderedDict[str, None] = OrderedDict()
    end = None if seconds is None else clock() + seconds
    while True:  # ends as said above, or by an interrupt
        left = _WAIT_SECONDS_MAX if end is None else end - clock()
        if left <= 0:
            return
        for body, attributes in subscription.receive(min(_WAIT_SECONDS_MAX, int(left) or 1)):
            if body in known or not filters.takes(attributes):
                continue
            known[body] = None
            if len(known) > _KNOWN_MAX:
                known.popitem(last=False)
            yield body
            if count is not None:
                count -= 1
                if not count:
                    return
