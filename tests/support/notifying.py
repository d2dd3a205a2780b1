"""Events to tell of, and a topic that remembers what it was told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st
from msgspec import structs

from ledger.contracts import examples
from ledger.contracts.commands import ACTIONS_MAX, Alert, DeclaredRate
from ledger.contracts.events import AccountEntry, BookCheck, Event, PaymentPosted, decode_event
from ledger.contracts.primitives import (
    ACTOR_LENGTH_MAX,
    ALERTS_MAX,
    AMOUNT_MINOR_MAX,
    DESCRIPTION_LENGTH_MAX,
    ID_LENGTH_MAX,
    METADATA_ENTRIES_MAX,
    METADATA_VALUE_LENGTH_MAX,
    POSTINGS_MAX,
    REFERENCE_LENGTH_MAX,
)
from ledger.contracts.rates import RATES_MAX
from tests.support.builders import NOON, posting
from tests.support.lives import lives

BELOW = Alert(direction="below", threshold_minor=0)

Result = dict[str, str] | None
"""What SNS says of one entry: None takes it, else the members of its error."""


class FakeTopic:
    """PublishBatch of a topic. `judge` says of each body what becomes of it, `outages` has errors
    by the number of the request that meets them, and `silent` says nothing of a request's last."""

    def __init__(
        self,
        judge: Callable[[str], Result] = lambda _body: None,
        *,
        outages: Mapping[int, Exception] | None = None,
        silent: bool = False,
    ) -> None:
        self._judge = judge
        self._outages = outages or {}
        self._silent = silent
        self.requests: list[list[dict[str, Any]]] = []

    def publish_batch(
        self,
        TopicArn: str,  # noqa: N803 - boto3's name
        PublishBatchRequestEntries: Sequence[dict[str, Any]],  # noqa: N803 - boto3's name
    ) -> dict[str, Any]:
        """As the SNS client does."""
        assert TopicArn == "arn:topic"
        number = len(self.requests)
        self.requests.append(list(PublishBatchRequestEntries))
        if number in self._outages:
            raise self._outages[number]
        taken: list[dict[str, str]] = []
        failed: list[dict[str, str]] = []
        for entry in PublishBatchRequestEntries:
            error = self._judge(entry["Message"])
            (taken if error is None else failed).append({"Id": entry["Id"], **(error or {})})
        return {"Successful": taken[:-1] if self._silent else taken, "Failed": failed}

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of all messages, parsed."""
        return [json.loads(entry["Message"]) for entry in self.entries()]

    def entries(self) -> Iterator[dict[str, Any]]:
        """All entries of all requests."""
        for request in self.requests:
            yield from request


def decided() -> st.SearchStrategy[Event]:
    """What a ledger records of any command: payments and holds with crossings and without, and what
    becomes of them; accounts, books, templates and batches; refusals."""
    shown = [decode_event(json.dumps(example)) for example in examples.EVENTS.values()]
    return st.one_of(st.sampled_from(shown), lives().flatmap(st.sampled_from))


def crossing(event_id: str, *accounts: str, alerts: Sequence[Alert] = (BELOW,)) -> PaymentPosted:
    """A payment that made every one of `accounts` (two or more) cross all of `alerts`."""
    entries = tuple(
        AccountEntry(
            id=account,
            type="liability",
            version=2,
            prev="earlier",
            debits_posted_minor=10,
            credits_posted_minor=0,
            crossed=tuple(alerts),
        )
        for account in accounts
    )
    return PaymentPosted(
        v=1,
        id=event_id,
        recorded_at=NOON,
        effective_at=NOON,
        actor="tests",
        postings=tuple(posting(accounts[0], other, 10) for other in accounts[1:]),
        accounts=entries,
    )


def largest_payment() -> PaymentPosted:
    """The largest event there is: ids, totals and texts as long as may be, all alerts crossed."""
    names = [f"{number:0>{ID_LENGTH_MAX}}" for number in range(2 * POSTINGS_MAX)]
    alerts = [
        Alert(direction="below", threshold_minor=-AMOUNT_MINOR_MAX + number)
        for number in range(ALERTS_MAX)
    ]
    event = crossing("e" * ID_LENGTH_MAX, *names, alerts=alerts)
    return structs.replace(
        event,
        actor="a" * ACTOR_LENGTH_MAX,
        postings=tuple(
            posting(source, destination, AMOUNT_MINOR_MAX)
            for source, destination in zip(names[::2], names[1::2], strict=True)
        ),
        accounts=tuple(
            structs.replace(
                entry,
                version=2**63 - 1,
                prev="p" * ID_LENGTH_MAX,
                debits_posted_minor=AMOUNT_MINOR_MAX,
                credits_posted_minor=AMOUNT_MINOR_MAX,
                debits_pending_minor=AMOUNT_MINOR_MAX,
                credits_pending_minor=AMOUNT_MINOR_MAX,
            )
            for entry in event.accounts
        ),
        reference="\U0001f4b6" * REFERENCE_LENGTH_MAX,
        description="\U0001f4b6" * DESCRIPTION_LENGTH_MAX,
        rates=tuple(
            DeclaredRate(
                from_posting=POSTINGS_MAX - 1,
                to_posting=number,
                rate=f"{'9' * 12}.{'9' * 12}",
                rounding="half_even",
            )
            for number in range(RATES_MAX)
        ),
        metadata={
            f"{number:k>40}": "\U0001f4b6" * METADATA_VALUE_LENGTH_MAX
            for number in range(METADATA_ENTRIES_MAX)
        },
        books=tuple(
            BookCheck(book=f"{number:b>40}", version=2**63 - 1, closed_through="2026-11-20")
            # Of a transaction: one action for the event, and one for each account.
            for number in range(ACTIONS_MAX - 1 - len(names))
        ),
    )
