"""What a run came to, for people and for programs."""

from __future__ import annotations

import json

import pytest

from ledger.contracts.commands import decode_command
from simulation.asks import Ask, HttpAnswer
from simulation.auditor.findings import Finding
from simulation.faults.kinds import Fault
from simulation.faults.profiles import Profile, rates_of
from simulation.history import Line
from simulation.kernel.hub import Hub
from simulation.kernel.trace import Trace
from simulation.reports.campaign import Campaign, hunts_shown, hunts_value
from simulation.reports.recorder import Recorder
from simulation.reports.sentences import answer_in_words, command_in_words, event_in_words
from simulation.reports.single import shown, value_of
from simulation.reports.timeline import LINES_MAX, offset_text, relevant, timeline
from simulation.results import Hunt, Result
from simulation.settings import Settings, settings_of

FINDING = Finding("money_is_conserved", 9, "EUR lacks 5", ("p1",))


def result(*findings: Finding, history: tuple[Line, ...] = (), seed: int = 7) -> Result:
    """A run's result."""
    return Result(
        settings=Settings(seed=seed),
        findings=findings,
        planned=3,
        commands=2_000,
        sent=2_200,
        handled=3_000,
        asks=2_345,
        outcomes={"done": 1_900, "refused": 445},
        occurred={Fault.REPLY_LOST: 12},
        strikes=12,
        virtual_seconds=86_400 * 2.5,
        steps=99,
        entries=42,
        digest="ab" * 32,
        history=history,
    )


def test_settings_are_read_back() -> None:
    """The line that a report ends with makes the same run again, and nothing else is one."""
    settings = Settings(seed=1, faults=Profile.LIGHT, only=(3, 4), kinds=("REPLY_LOST",), luck=2)
    assert settings_of(settings.text()) == settings
    assert Settings(seed=5).text() == '{"seed":5}'
    with pytest.raises(ValueError, match="unknown field"):
        settings_of('{"seed":5,"only_this":[1]}')
    with pytest.raises(ValueError, match="no kind of fault is called 'NONE_SUCH'"):
        settings_of('{"seed":5,"kinds":["NONE_SUCH"]}')
    with pytest.raises(ValueError, match="commands"):
        settings_of('{"seed":5,"commands":0}')


def test_other_luck_is_another_world_of_the_same_seed() -> None:
    """The plan goes by the seed, all else by both."""
    assert Settings(seed=5).world_seed == 5
    assert len({Settings(seed=5, luck=luck).world_seed for luck in range(9)}) == 9


def test_every_kind_that_strikes_has_a_rate() -> None:
    """Those that have none come about by themselves, or are an operator's work."""
    rates = rates_of(Profile.HEAVY)
    assert set(Fault) - set(rates) == {
        Fault.STREAM_BATCH_BISECTED,
        Fault.DEPLOYMENT,
        Fault.ROLLED_BACK,
        Fault.UNKNOWN_VERSION,
        Fault.STATES_RESTORED,
        Fault.PROJECTION_REPLAYED,
    }
    assert rates_of(Profile.NONE) == {}
    light = rates_of(Profile.LIGHT)
    assert all(0 < light[fault] < rate < 1 for fault, rate in rates.items())
    assert set(rates_of(Profile.HEAVY, kinds=("REPLY_LOST",))) == {Fault.REPLY_LOST}
    often = rates_of(Profile.HEAVY, often=50)
    assert all(rate <= often[fault] <= max(rate, 0.5) for fault, rate in rates.items())


def test_the_report_names_what_never_struck() -> None:
    """Faults by kind, those that are missing too, for people and for programs."""
    lines = shown(result())
    assert "  12  a caller's reply was lost" in lines
    assert "  table throttled" in lines[lines.index("never struck") :]
    assert lines[-1] == "no finding: every promise was kept"
    value = value_of(result())
    assert value["ok"]
    assert value["faults"]["REPLY_LOST"] == 12
    assert "REPLY_LOST" not in value["faults_missed"]
    assert "TABLE_THROTTLED" in value["faults_missed"]
    assert settings_of(value["settings"]["again"]) == Settings(seed=7)
    assert json.loads(json.dumps(value)) == value


def test_the_report_has_the_findings() -> None:
    """The promise and what was found."""
    assert shown(result(FINDING))[-2:] == ["1 finding", "  money_is_conserved  EUR lacks 5"]
    many = shown(result(*[FINDING] * 30))
    assert many[-1] == "  and 10 more (--json)"
    assert len(value_of(result(*[FINDING] * 30))["findings"]) == 30


def test_a_campaign_is_the_sum_of_its_runs() -> None:
    """In whatever order they end, the failed ones are shown by seed."""
    campaign = Campaign(Profile.HEAVY)
    for run in (result(FINDING, seed=9), result(seed=4), result(FINDING, FINDING, seed=2)):
        campaign.add(run)
    value = campaign.value()
    assert (value["seeds"], value["commands"], value["asks"]) == (3, 6_000, 7_035)
    assert value["faults"]["REPLY_LOST"] == 36
    assert [one["seed"] for one in value["failed"]] == [2, 9]
    lines = campaign.shown(10.0)
    assert "6,000, sent 6,600 times" in lines[1]
    assert "9,000, 900 a second" in lines[2]
    assert "2 of 3 seeds found something" in lines
    assert Campaign(Profile.HEAVY).ok


def test_a_hunt_says_with_how_many_seeds() -> None:
    """And which bug was not found."""
    hunts = [
        Hunt("forgets", "forgets a repeat", 3, 12, FINDING),
        Hunt("hides", "hides", 20, None, None),
    ]
    lines = hunts_shown(hunts)
    assert lines[1].split() == ["forgets", "3", "money_is_conserved", "forgets", "a", "repeat"]
    assert "not in 20" in lines[2]
    assert not hunts_value(hunts)["ok"]
    assert hunts_value(hunts[:1])["bugs"][0]["finding"]["message"] == "EUR lacks 5"


def line(at: int, mark: str, says: str, *about: str) -> Line:
    """A line by somebody."""
    return Line(at, mark, "somebody", says, about)  # type: ignore[arg-type]


def test_a_timeline_leaves_out_what_has_no_part_in_it() -> None:
    """What names the ids of the finding, or what was asked with them, stays; so do faults."""
    history = (
        line(1, "ask", "opens a", "o1", "a"),
        line(2, "ask", "opens z", "o2", "z"),
        line(3, "ask", "pays from a", "p1", "a"),
        line(3, "ask", "pays y from a", "p2", "a", "y"),
        line(3, "does", "writes y", "y"),
        line(4, "fault", "crashes", "dynamodb.transact_write_items"),
        line(4, "fault", "throttles z", "z"),
        line(5, "does", "writes a", "a"),
        line(6, "does", "writes z", "z"),
        line(7, "does", "rebuilds"),
    )
    kept = [one.says for one in relevant(history, FINDING)]
    paid = ["pays from a", "pays y from a"]
    assert kept == ["opens a", *paid, "crashes", "writes a", "rebuilds"]


def test_what_nobody_asked_for_leads_to_what_was_asked() -> None:
    """By the accounts of the event that was written without having been asked for."""
    history = (
        line(1, "ask", "opens a", "o1", "a"),
        line(2, "ask", "opens z", "o2", "z"),
        line(3, "does", "records o1-again", "o1-again", "a"),
    )
    found = Finding("events_were_asked_for", 9, "nobody asked for it", ("o1-again",))
    assert [one.says for one in relevant(history, found)] == ["opens a", "records o1-again"]


def test_a_timeline_ends_with_the_finding() -> None:
    """What follows from events has no part in promises about deciding; what comes later in none."""
    written = Line(1, "does", "DynamoDB", "records p1", ("p1",))
    published = Line(2, "does", "EventBridge", "takes p1", ("p1",), follows=True)
    found = Line(3, "finding", "the auditor", "money_is_conserved: EUR lacks 5", ("p1",))
    other = Line(3, "finding", "the auditor", "chains_link: broken", ("p1",))
    later = Line(4, "does", "DynamoDB", "records p2", ("p1",))
    history = (written, published, other, found, later)
    assert relevant(history, FINDING) == [written, found]
    delivery = Finding("webhooks_are_delivered", 9, "none", ("p1",))
    assert relevant(history, delivery) == [written, published, later]


def test_a_timeline_begins_with_the_promise() -> None:
    """What was promised and found, then aligned lines; what repeats itself is said once."""
    history = (
        Line(1_500_000, "ask", "alice", "asks", ("p1",)),
        *[Line(2_000_000, "fault", "Api#1", "call refused", ("p1",))] * 3,
        Line(3_000_000, "fault", "Api#1", "clock was off", ("p1",)),
        Line(4_000_000, "fault", "Api#2", "clock was off", ("p1",)),
        Line(90_000_000, "finding", "the auditor", "money_is_conserved: EUR lacks 5", ("p1",)),
    )
    lines = timeline(result(FINDING, history=history), 0)
    assert lines[0].startswith("promised  Of each currency")
    assert lines[1:3] == ["found     EUR lacks 5", "about     p1"]
    assert lines[-4:] == [
        "00:00:01.500  > alice        asks",
        "00:00:02.000  ! Api#1        call refused  (3 times)",
        "00:00:03.000  ! Api#1        clock was off  (2 times, at others too)",
        "00:01:30.000  * the auditor  money_is_conserved: EUR lacks 5",
    ]


def test_a_long_timeline_shows_its_end() -> None:
    """And says how much it leaves out."""
    history = tuple(line(at, "does", f"writes {at}") for at in range(LINES_MAX + 7))
    lines = timeline(result(FINDING, history=history), 0)
    assert "(7 earlier lines are left out)" in lines
    assert lines[-1].endswith(f"writes {LINES_MAX + 6}")


def test_time_is_told_since_the_beginning() -> None:
    """With days if there are any."""
    assert offset_text(3_661_234_567, days=False) == "01:01:01.234"
    assert offset_text(2 * 86_400_000_000 + 1_000, days=True) == "  2d 00:00:00.001"


def test_commands_and_answers_are_told_in_words() -> None:
    """As one would say them."""
    pay = decode_command(
        b'{"type":"payment.post","v":1,"id":"p1","postings":[{"source":"a","destination":"b",'
        b'"amount_minor":420,"currency":"EUR"}]}'
    )
    assert command_in_words(pay) == "pay 4.20 EUR from a to b"
    limits = decode_command(
        b'{"type":"account.set_limits","v":1,"id":"l1","account":"a","min_balance_minor":null,'
        b'"velocity":[{"name":"often","window":"rolling","hours":6,"direction":"debits",'
        b'"currency":"EUR","max_count":3,"max_amount_minor":500}]}'
    )
    assert command_in_words(limits) == (
        "set the limits of a: no lowest balance, debits at most 3 times and 5.00 EUR in 6 h"
    )
    assert answer_in_words(201, b"{}") == "done (201)"
    assert answer_in_words(422, b'{"reason":"insufficient_funds"}') == (
        "refused, insufficient_funds (422)"
    )
    assert answer_in_words(503, b"") == "not now, without a reason (503)"


def test_a_refusal_names_what_caused_it() -> None:
    """So that it leads to what was asked about the same things."""
    refused = (
        '{"type":"command.rejected","v":1,"id":"o2","reason":"account_exists",'
        '"causes":[{"kind":"account","id":"a","version":1}]}'
    )
    assert event_in_words(refused) == (
        "command.rejected under id o2, account_exists",
        ("o2", "a"),
    )


def test_a_history_is_written_in_the_order_of_what_happened() -> None:
    """Asks, faults out of the trace, writes and answers, each with the ids that it concerns."""
    hub = Hub(0)
    trace = Trace(hub, kept=True)
    recorder = Recorder(trace, lambda: hub.now, "ledger-prod-")
    pay = decode_command(
        b'{"type":"payment.post","v":1,"id":"p1","postings":[{"source":"a","destination":"b",'
        b'"amount_minor":420,"currency":"EUR"}]}'
    )
    ask = Ask("ask-1", 0, "rest", (pay,), path="/payments", actor="arn:aws:iam::0:user/alice")
    recorder.asked(ask)
    trace.add("Api#1", f"! {Fault.CALL_REFUSED}", "dynamodb.get_item")
    trace.add("Api#1", "is invoked", "Api-1")
    recorder.answered(ask, HttpAnswer(201, {}, b"{}"))
    recorder.unanswered(ask)
    assert [(one.mark, one.who, one.says) for one in recorder.lines] == [
        ("ask", "alice", "asks by REST to pay 4.20 EUR from a to b, as p1"),
        ("fault", "Api#1", f"{Fault.CALL_REFUSED} (dynamodb.get_item)"),
        ("answer", "the API", "answers p1: done (201)"),
        ("answer", "alice", "never hears about p1"),
    ]
    assert recorder.lines[0].about == ("p1", "a", "b")
