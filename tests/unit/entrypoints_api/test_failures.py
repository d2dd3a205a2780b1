"""The REST edge when things fail, and the line that each request leaves in the log."""

from __future__ import annotations

import json

import pytest

from ledger.application.commit import Decided, Outcome
from ledger.application.outages import (
    ClockSkewError,
    ContentionError,
    OutageError,
    StoreUnavailableError,
    UnknownStoredVersionError,
)
from ledger.contracts import examples
from ledger.contracts.events import decode_event
from tests.unit.entrypoints_api.driving import PAYMENT, Api, assert_problem


@pytest.mark.parametrize(
    ("error", "reason", "seconds"),
    [
        (ContentionError("", {"stale": 2, "conflict": 1}), "contention", "1"),
        (ClockSkewError("", {"skewed": 1}), "clock_skew", "5"),
        (StoreUnavailableError(""), "store_unavailable", "2"),
        (UnknownStoredVersionError(""), "unknown_stored_version", "5"),
    ],
)
def test_an_outage_says_when_to_ask_again(error: OutageError, reason: str, seconds: str) -> None:
    """503 with Retry-After; the same request may be sent again."""

    def fail(*_: object) -> Outcome:
        raise error

    api = Api(fail)
    answer = api.send("POST", "/payments", PAYMENT)
    body = assert_problem(answer, 503, reason)
    assert body["retry"] == "same_request"
    assert answer[1]["Retry-After"] == seconds
    assert api.line.level == "warning"
    assert api.line.notes["outcomes"] == {reason: 1}


def test_an_unforeseen_failure_is_answered_without_a_word_of_it() -> None:
    """500, no text of the exception; the line has its type and where it was raised."""

    def fail(*_: object) -> Outcome:
        raise ZeroDivisionError("secret 4111111111111111")

    api = Api(fail)
    answer = api.send("POST", "/payments", PAYMENT)
    assert_problem(answer, 500, "internal_error")
    assert "secret" not in json.dumps(answer[2])
    assert api.line.level == "error"
    assert api.line.notes["exception"] == "ZeroDivisionError"
    places = api.line.notes["raised_at"]
    assert isinstance(places, list)
    assert "test_failures.py" in places[-1]
    assert "secret" not in str(api.line)
    assert api.line.metrics["UnforeseenErrors"] == ("Count", 1)


def test_one_line_per_request_says_what_became_of_it(api: Api) -> None:
    """Ids, codes and counts, in the words of the queue's handler."""
    api.lines.clear()
    api.send("POST", "/payments", PAYMENT)
    api.send("POST", "/payments", PAYMENT)
    api.send("POST", "/payments", examples.REFUSED_COMMAND)
    api.send("POST", "/payments", PAYMENT | {"reference": "other"})
    api.send("POST", "/payments", PAYMENT | {"v": 3})
    assert [line.notes["outcomes"] for line in api.lines] == [
        {"accepted": 1},
        {"repeat": 1},
        {"rejected": 1},
        {"mismatch": 1},
        {"malformed": 1},
    ]
    assert [set(line.metrics) for line in api.lines] == [
        {"CommandsDecided"},
        set(),
        {"CommandsDecided", "CommandsRejected"},
        {"CommandsMismatched"},
        {"CommandsMalformed"},
    ]
    assert api.lines[2].notes["rejections"] == {"insufficient_funds": 1}
    first = api.lines[0].notes
    assert (first["route"], first["status"], first["command_id"]) == (
        "POST /payments",
        201,
        PAYMENT["id"],
    )
    for line in api.lines:
        for secret in ("order-1001", "other", "wallet"):
            assert secret not in str(line)


def test_what_stood_in_the_way_is_counted() -> None:
    """Conflicts and skewed clocks are metrics, whether or not the command was decided at last."""
    event = decode_event(json.dumps(examples.EVENTS["payment.posted", 1]).encode())
    causes = {"stale": 2, "conflict": 1, "throttled": 4}
    api = Api(lambda *_: Decided(event, repeat=False, attempts=8, causes=causes))
    assert api.send("POST", "/payments", PAYMENT)[0] == 201
    assert api.line.metrics["CommitConflicts"] == ("Count", 3)
    assert api.line.notes["causes"] == causes
    assert api.line.notes["attempts"] == 8

    def skewed(*_: object) -> Outcome:
        raise ClockSkewError("", {"skewed": 1})

    api = Api(skewed)
    api.send("POST", "/payments", PAYMENT)
    assert api.line.metrics["ClockSkewRefused"] == ("Count", 1)


def test_what_was_used_is_on_the_line(api: Api) -> None:
    """Requests and write units since the line before."""
    api.meter.requests, api.meter.write_units, api.meter.cancelled = 2, 6.0, 1
    api.send("POST", "/payments", PAYMENT)
    notes = api.line.notes
    assert (notes["requests"], notes["write_units"], notes["cancelled"]) == (2, 6, 1)
    api.send("POST", "/payments", PAYMENT)
    assert "cancelled" not in api.line.notes
    assert api.line.notes["requests"] == 0
