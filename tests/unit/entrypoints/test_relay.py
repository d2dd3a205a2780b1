"""The relay: exact bytes onto the bus, the first failure reported, tampering alarmed and passed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ledger.application.publication import Published
from ledger.entrypoints.relay import TAMPERED_NOTED_MAX, make_handler
from ledger.runtime.settings import SettingsError
from tests.support.records import Context, Lines, stream_record
from tests.support.stores import OpenStore
from tests.support.tampering import small_ledger
from tests.unit.entrypoints.conftest import FunctionModule


class FakePublisher:
    """Keeps what it is given; those whose place is in `failing` it cannot publish."""

    def __init__(self, *failing: int) -> None:
        self.failing = frozenset(failing)
        self.published: list[Published] = []

    def publish(self, events: Sequence[Published]) -> frozenset[int]:
        """See Publisher."""
        self.published += [one for at, one in enumerate(events) if at not in self.failing]
        return self.failing


class Function:
    """The handler and what it touches."""

    def __init__(self, *failing: int) -> None:
        self.publisher = FakePublisher(*failing)
        self.lines = Lines()
        self.handler = make_handler(publisher=self.publisher, telemetry=self.lines.telemetry)

    def __call__(self, *records: dict[str, Any]) -> list[str]:
        """Relays records; the sequence numbers that it reports."""
        answer = self.handler({"Records": list(records)}, Context())
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


STORE: OpenStore = small_ledger()
P1, P2, P3 = (STORE.stored(name) for name in ("p1", "p2", "p3"))
TYPES = {"open:a": "account.opened", "p1": "payment.posted", "no": "command.rejected"}


@pytest.mark.parametrize("event", TYPES)
def test_events_are_relayed_as_they_are_stored(event: str) -> None:
    """Every type, refusals included: the stored type, and the stored bytes to the last one."""
    function, stored = Function(), STORE.stored(event)
    assert function(stream_record(stored, event_type=TYPES[event])) == []
    assert function.publisher.published == [Published(TYPES[event], stored.data.decode())]
    assert function.lines.count("EventsPublished") == 1
    assert function.lines.count("SecurityAlarm") == 0
    assert function.lines.last.level == "info"


def test_bytes_are_not_written_anew() -> None:
    """Blanks, escapes and members that this release does not know stay as they are."""
    data = P1.data.decode().replace('"v":1', '"v": 1,"later":"\\u00fc"')
    function = Function()
    function(stream_record(P1, image={"data": {"S": data}}))
    assert function.publisher.published == [Published("payment.posted", data)]


@pytest.mark.parametrize(
    ("failing", "reported"), [([], []), ([0], ["10"]), ([1, 2], ["20"]), ([2], ["30"])]
)
def test_the_first_failure_is_reported(failing: list[int], reported: list[str]) -> None:
    """By its sequence number, one for all: the mapping comes back from there. What was published
    behind it will be published twice, which is harmless."""
    function = Function(*failing)
    records = [
        stream_record(event, sequence=str(number))
        for number, event in ((10, P1), (20, P2), (30, P3))
    ]
    assert function(*records) == reported
    assert function.lines.count("EventsPublished") == 3 - len(failing)
    assert function.lines.count("EventsNotPublished") == (len(failing) or None)
    assert function.lines.last.level == ("warning" if failing else "info")


def test_a_failure_behind_tampered_records_is_reported_as_itself() -> None:
    """Records that are not published do not shift what is reported."""
    function = Function(1)
    records = [
        stream_record(P1, name="MODIFY", sequence="10"),
        stream_record(P1, sequence="20"),
        stream_record(P2, name="REMOVE", sequence="30"),
        stream_record(P2, sequence="40"),
    ]
    assert function(*records) == ["40"]
    assert function.lines.count("SecurityAlarm") == 2


NEWER = '{"type":"payment.disputed","v":1,"id":"p1","amount_minor":5}'
TAMPERED: dict[str, dict[str, Any]] = {
    "modified": stream_record(P1, name="MODIFY"),
    "removed": stream_record(P1, name="REMOVE"),
    "no record we know": stream_record(P1, name="TRUNCATE"),
    "no data": stream_record(P1, image={"data": None}),
    "empty data": stream_record(P1, image={"data": {"S": ""}}),
    "data as binary": stream_record(P1, image={"data": {"B": "e30="}}),
    "no type": stream_record(P1, image={"type": None}),
    "no key": stream_record(P1, image={"pk": None}),
    "no image": stream_record(None),
    "no JSON": stream_record(P1, image={"data": {"S": "hello"}}),
    "no event": stream_record(P1, image={"data": {"S": '{"a":1}'}}),
    "half an event": stream_record(P1, image={"data": {"S": P1.data.decode()[:-2]}}),
    "too few fields": stream_record(P1, image={"data": {"S": '{"type":"payment.posted","v":1}'}}),
    "another id": stream_record(P1, image={"pk": {"S": "p2"}}),
    "another type": stream_record(P1, image={"type": {"S": "account.opened"}}),
    "an unknown type": stream_record(P1, image={"type": {"S": "payment.posted.v1"}}),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_tampering_raises_the_alarm_and_blocks_nothing(how: str) -> None:
    """Whatever is no event that was inserted is counted, named by its key, and passed over: never
    published, never reported as a failure, its neighbours relayed."""
    function = Function()
    assert function(stream_record(P2), TAMPERED[how], stream_record(P3)) == []
    assert [one.data for one in function.publisher.published] == [
        P2.data.decode(),
        P3.data.decode(),
    ]
    assert function.lines.count("SecurityAlarm") == 1
    assert function.lines.count("EventsPublished") == 2
    notes = function.lines.last.notes["tampered"]
    assert isinstance(notes, list)
    assert [note.split()[0] for note in notes] == [TAMPERED[how]["eventName"]]
    assert function.lines.last.level == "warning"


@pytest.mark.parametrize("head", [NEWER, P1.data.decode().replace('"v":1', '"v":2')])
def test_a_newer_releases_events_are_relayed(head: str) -> None:
    """While two releases run side by side, the older relay holds none of the newer's back."""
    function = Function()
    record = stream_record(P1, image={"data": {"S": head}, "type": {"S": "payment.disputed"}})
    assert function(record) == []
    assert function.publisher.published == [Published("payment.disputed", head)]
    assert function.lines.count("SecurityAlarm") == 0


def test_duplicates_are_relayed_again() -> None:
    """The relay remembers nothing; consumers are harmless under duplicates."""
    function = Function()
    function(stream_record(P1), stream_record(P1))
    function(stream_record(P1))
    assert len(function.publisher.published) == 3


def test_an_alarm_of_many_is_bounded() -> None:
    """All are counted, the first are named."""
    function = Function()
    function(*[stream_record(P1, name="REMOVE")] * (TAMPERED_NOTED_MAX + 5))
    assert function.lines.count("SecurityAlarm") == TAMPERED_NOTED_MAX + 5
    assert function.lines.last.notes["tampered"] == ["REMOVE p1"] * TAMPERED_NOTED_MAX


def test_the_log_holds_no_bodies() -> None:
    """Keys and counts only, of events and of what tampering left."""
    function = Function(0)
    function(stream_record(P1), TAMPERED["no JSON"], TAMPERED["half an event"])
    line = repr(function.lines.last)
    assert not any(word in line for word in ("postings", "hello", "amount_minor", "EUR"))


def test_an_empty_batch_is_answered() -> None:
    """As after a filter."""
    assert Function()() == []


def test_nothing_is_built_before_the_first_call(function_module: FunctionModule) -> None:
    """Importing the module made nothing; the first call reads the settings."""
    handler, set_environment = function_module("relay")
    with pytest.raises(SettingsError, match="LEDGER_BUS"):
        handler({"Records": []}, Context())
    set_environment("LEDGER_BUS")
    assert handler({"Records": []}, Context()) == {"batchItemFailures": []}
