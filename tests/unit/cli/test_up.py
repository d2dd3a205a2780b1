"""The main job, in memory: everything it sums up and every check that it can fail."""

from __future__ import annotations

import dataclasses
import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from ledger.application.verification import Report
from ledger.cli.feeding.emptying import STALLED_SECONDS, StalledError
from ledger.cli.feeding.routes import Entry
from ledger.cli.output import Output
from ledger.cli.up import wait
from ledger.cli.up.golden import differing_totals
from ledger.cli.up.recorded import results
from ledger.cli.up.summary import Summary
from ledger.cli.up.usage import Usage, log_groups, usage_since
from ledger.cli.up.work import Input, work
from ledger.cli.verification import verified
from ledger.importers import berka
from ledger.importers.generated import generate
from ledger.importers.generated.lives import FORGOTTEN, lives
from ledger.importers.instructions import POSTED, Fault, Source
from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import LocalLedger
from tests.unit.cli.memory_system import MemorySystem

ROWS = (
    "1,11,5,1993-01-01,0,PRIJEM,VKLAD,700.00,700.00,,,,0.00",
    "2,12,6,1993-01-01,0,PRIJEM,VKLAD,50.00,50.00,,,,0.00",
    "3,13,5,1993-01-02,0,VYDAJ,VYBER,100.00,599.90,,,,-0.10",
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No real waiting: nothing here is on its way for long."""
    monkeypatch.setattr("ledger.cli.feeding.emptying.LOOK_SECONDS", 0.0)
    monkeypatch.setattr("ledger.cli.up.wait.LOOK_SECONDS", 0.0)


@pytest.fixture
def system(local: LocalLedger) -> MemorySystem:
    """All of it in memory, where a tenth of a second passes at every look at the clock."""
    local.tick = 100_000
    local.sweeping = True
    return MemorySystem(local)


def worked(
    system: MemorySystem, source: Source, statement: berka.Statement | None = None
) -> Summary:
    """The work of `up` on the system, in the system's own time."""
    given = Input(source, statement)
    return work(system, given, Output(as_json=True), clock=lambda: system.local.now)


#: What comes of the stories, whatever else is fed.
TOLD = lives("2027-01-01T00:00:00.000000Z")


@pytest.fixture
def statement(tmp_path: Path) -> berka.Statement:
    """Three rows of two customers."""
    with gzip.open(tmp_path / berka.FILE_NAMES[0], "wt", encoding="utf-8") as file:
        file.write("\n".join([",".join(berka.COLUMNS), *ROWS, ""]))
    return berka.read(tmp_path)


def wrong(summary: Summary) -> dict[str, list[str]]:
    """The summary's own checks that failed, with what they say."""
    return {name: every for name, every in summary.checks if every}


def test_everything_is_fed_verified_and_summed_up(system: MemorySystem) -> None:
    """Over three entry points at once, every outcome is counted once, and is as foreseen."""
    source = generate(400)
    summary = worked(system, source)
    assert summary.ok, (wrong(summary), summary.report.findings)
    assert summary.results.found == source.expected() + TOLD.expected()
    assert sum(summary.outcomes.sent.values()) == len(source) + len(TOLD)
    assert set(summary.outcomes.sent) == set(Entry)
    value = summary.as_value()
    json.dumps(value)
    assert value["ok"] is True
    assert {check["check"] for check in value["checks"]} == {
        "outcomes_foreseen",
        "lives_end_as_told",
        "consumers_done",
        "every_payment_screened",
        "no_event_buried",
    }
    assert 0 < value["verdicts"]["review"] <= summary.results.found[POSTED]
    shown = printed(summary)
    for text in (
        *("payments posted", "rejected: insufficient_funds", "malformed:", "zero_sum"),
        *("payments held", "captures", "holds that expired by themselves", "reversals"),
        *("rejected: velocity_limit_exceeded", "rejected: account_frozen", "atomic batches"),
    ):
        assert text in shown
    assert "FAILED" not in shown


def printed(summary: Summary) -> str:
    """What people see of a summary."""
    console = Console(width=200, record=True, file=StringIO())
    for each in summary.as_shown():
        console.print(each)
    return console.export_text()


def test_commands_that_are_lost_on_the_way_fail_the_run(system: MemorySystem) -> None:
    """Three messages that the bus lost are missed in the count."""
    source = generate(300)
    system.lose = 3
    summary = worked(system, source)
    assert not summary.ok
    assert "instead of" in wrong(summary)["outcomes_foreseen"][0]
    assert "FAILED" in printed(summary)


def test_a_payment_without_a_verdict_fails_the_run(
    system: MemorySystem, local: LocalLedger
) -> None:
    """The scorer lost one: the count of verdicts says so."""
    local.unscreened = 1
    summary = worked(system, generate(60))
    assert not summary.ok
    screened = summary.results.screened
    assert set(wrong(summary)["every_payment_screened"]) == screened.asked - screened.done
    assert len(screened.asked - screened.done) == 1


def test_a_consumer_that_is_stuck_fails_the_run(
    system: MemorySystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its queue is called: what waits there is named, and what was buried too."""
    monkeypatch.setattr("ledger.cli.feeding.emptying.STALLED_SECONDS", 0.0)
    system.config.outputs.update(FraudQueueUrl="Stuck", FraudDlqUrl="Stuck-dlq")
    system.stuck = 2
    summary = worked(system, generate(60))
    assert "2 in Stuck" in wrong(summary)["consumers_done"][0]
    assert wrong(summary)["no_event_buried"] == ["Fraud: 2 messages"]


def test_projections_that_stay_behind_fail_the_run(
    system: MemorySystem, local: LocalLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait is bounded, says what is behind, and verification names the accounts."""
    monkeypatch.setattr("ledger.cli.up.wait.STALLED_SECONDS", 0.0)
    local.project = False
    summary = worked(system, generate(60))
    assert not summary.ok
    assert "balances at 0" in wrong(summary)["consumers_done"][0]
    assert {"balances_equal", "history_equal"} <= set(summary.report.failures)


def test_a_hold_that_never_expires_fails_the_run(
    system: MemorySystem, local: LocalLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No sweeper came: the wait is bounded, and says which hold it is."""
    monkeypatch.setattr("ledger.cli.up.wait.EXPIRY_SECONDS_MAX", 0.0)
    local.sweeping = False
    summary = worked(system, generate(60))
    assert not summary.ok
    assert FORGOTTEN in wrong(summary)["lives_end_as_told"][0]
    assert wrong(summary)["outcomes_foreseen"] == ["expired: 0 instead of 1"]


def test_a_story_that_ends_with_another_balance_fails_the_run(
    system: MemorySystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each account of the stories is compared with what its story says."""

    def told(expires_at: str) -> Source:
        source = lives(expires_at)
        [(account, minor), *_] = source.balances_minor.items()
        changed = dict(source.balances_minor) | {account: minor + 1}
        return dataclasses.replace(source, balances_minor=changed)

    monkeypatch.setattr("ledger.cli.up.work.lives", told)
    summary = worked(system, generate(60))
    [difference] = wrong(summary)["lives_end_as_told"]
    assert "instead of" in difference


def test_the_wait_ends_when_both_projections_are_complete(system: MemorySystem) -> None:
    """History too: its rows are counted once the balances are there and the queues are empty."""
    worked(system, generate(60))
    seen: list[wait.Progress] = []
    wait.wait_until_projected(system, on_look=seen.append)
    assert [now.done == now.total for now in seen] == [True]
    versions = system.local.history._versions  # noqa: SLF001 - a row is taken away
    account, numbers = next(iter(versions.items()))
    del system.local.history._rows[account][numbers[-1]]  # noqa: SLF001
    now = iter(range(10_000))
    with pytest.raises(StalledError, match="history at"):
        wait.wait_until_projected(
            system, on_look=seen.append, pause=lambda _: None, clock=lambda: next(now) * 10.0
        )
    assert not any(progress.done == progress.total for progress in seen[1:])
    assert STALLED_SECONDS > 0


def test_the_banks_balances_are_read_back(system: MemorySystem, statement: berka.Statement) -> None:
    """Each row's running balance from the history, each last one from the balances."""
    summary = worked(system, statement.source(), statement)
    assert summary.ok, wrong(summary)
    assert summary.golden is not None
    assert (summary.golden.rows, summary.golden.customers) == (3, 2)
    assert "bank_running_balances" in printed(summary)


@pytest.mark.parametrize(
    ("place", "failing"),
    [(0, {"bank_running_balances"}), (2, {"bank_running_balances", "bank_final_balances"})],
)
def test_a_balance_that_is_not_the_banks_fails_the_run(
    system: MemorySystem, statement: berka.Statement, place: int, failing: set[str]
) -> None:
    """One heller off in one row is named with its line; in a customer's last row, twice."""
    rows = list(statement.rows)
    row = rows[place]
    rows[place] = berka.Row(
        **{name: getattr(row, name) for name in berka.Row.__slots__}
        | {"balance_minor": row.balance_minor + 1}
    )
    changed = dataclasses.replace(statement, rows=tuple(rows))
    summary = worked(system, statement.source(), changed)
    assert set(wrong(summary)) == failing
    assert f"row {row.line}" in wrong(summary)["bank_running_balances"][0]
    assert not summary.ok


def test_a_row_that_is_not_in_the_history_fails_the_run(
    system: MemorySystem, statement: berka.Statement
) -> None:
    """The bank has one payment more than the ledger: counted, before balances are compared."""
    fewer = dataclasses.replace(statement, rows=statement.rows[:2])
    summary = worked(system, fewer.source(), statement)
    assert wrong(summary)["bank_running_balances"] == ["berka:account:5: 1 payments instead of 2"]
    assert not summary.ok


def test_what_a_source_comes_to_is_compared_and_its_refused_rows_told(
    system: MemorySystem, statement: berka.Statement
) -> None:
    """Every account's balance with the source's own sum; one that is off, or not there, fails."""
    fault = Fault("row 9", "amount", "invalid_amount", "zero")
    source = dataclasses.replace(
        statement.source(),
        faults=(fault,),
        balances_minor={"berka:account:5": 59_990, "berka:account:6": 5_000},
    )
    summary = worked(system, source)
    assert summary.ok, wrong(summary)
    assert summary.as_value()["refused_rows"] == [dataclasses.asdict(fault)]
    assert "source_totals" in printed(summary)
    assert "row 9" in printed(summary)
    expected = {"berka:account:5": 59_991, "berka:account:7": 1}
    assert differing_totals(system.balances().accounts(), expected) == [
        "berka:account:5: 59990 instead of 59991",
        "berka:account:7: None instead of 1",
    ]


def test_a_corruption_alone_fails_the_run(
    system: MemorySystem, local: LocalLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that was sent came to what is foreseen, and yet a state is not what its events say."""

    def corrupted(*arguments: Any, **options: Any) -> Report:
        state = next(local.store.states())
        wrong_hash = msgspec.structs.replace(state, hash=bytes(32))
        local.store._states[state.key] = wrong_hash  # noqa: SLF001 - no port lets anyone do this
        return verified(*arguments, **options)

    monkeypatch.setattr("ledger.cli.up.work.verified", corrupted)
    summary = worked(system, generate(60))
    assert wrong(summary) == {}
    assert summary.report.failures.keys() == {"states_equal"}
    assert not summary.ok


def line(number: int, **notes: Any) -> dict[str, Any]:
    """A log event of one invocation."""
    return {"timestamp": number, "message": json.dumps({"request_id": f"r{number}", **notes})}


class Logs:
    """FilterLogEvents over a list: pages by token as AWS does, or as the emulator does not."""

    def __init__(self, events: list[dict[str, Any]], *, tokens: bool) -> None:
        self.events = events
        self.tokens = tokens
        self.requests = 0

    def filter_log_events(self, **arguments: Any) -> Any:
        self.requests += 1
        limit = arguments["limit"]
        events = [e for e in self.events if e["timestamp"] >= arguments["startTime"]]
        start = int(arguments.get("nextToken", 0))
        page: dict[str, Any] = {"events": events[start : start + limit]}
        if self.tokens and start + limit < len(events):
            page["nextToken"] = str(start + limit)
        return page


@pytest.mark.parametrize("tokens", [True, False])
def test_usage_is_summed_over_all_pages_and_each_invocation_once(
    tokens: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By token, or where the service gives none, from the last line's time on."""
    monkeypatch.setattr("ledger.cli.up.usage._LINES_A_PAGE", 10)
    events = [line(n // 3, requests=2, write_units=6, outcomes={"accepted": 1}) for n in range(70)]
    for number, event in enumerate(events):
        body = json.loads(event["message"]) | {"request_id": f"r{number}"}
        event["message"] = json.dumps(body)
    events.insert(33, {"timestamp": 11, "message": 'not "write_units" JSON'})
    logs = Logs(events, tokens=tokens)
    usage = usage_since(logs, ("group",), 0)
    assert (usage.invocations, usage.requests, usage.write_units) == (70, 140, 420)
    assert usage.decided == 70
    assert logs.requests > 7


def test_usage_counts_what_every_kind_of_line_says() -> None:
    """Outcomes, dead letters and causes of retries; lines without them count as invocations. Those
    of the ledger's own commands are about no payment, and are left out."""
    logs = Logs(
        [
            line(1, requests=3, write_units=8, outcomes={"accepted": 1}, causes={"stale": 1}),
            line(2, outcomes={"rejected": 2, "repeat": 1}, dead_letters={"invalid_id": 4}),
            line(3),
            line(4, queue="ledger-dev-commands", requests=2),
            line(5, queue="ledger-dev-system-commands", requests=9, outcomes={"accepted": 9}),
        ],
        tokens=True,
    )
    usage = usage_since(logs, ("group",), 0)
    assert usage == Usage(
        invocations=4,
        requests=5,
        write_units=8,
        outcomes=Counter(accepted=1, rejected=2, repeat=1),
        dead_letters=Counter(invalid_id=4),
        causes=Counter(stale=1),
    )
    assert log_groups("ledger-prod-events") == (
        "/aws/lambda/ledger-prod-api",
        "/aws/lambda/ledger-prod-commands",
    )


def test_more_repeats_than_foreseen_are_no_fault(system: MemorySystem) -> None:
    """SQS may deliver twice; fewer, or any other difference, are."""
    source = generate(100)
    summary = worked(system, source)
    for repeats, differing in ((+1, 0), (-1, 1)):
        usage = Usage(
            outcomes=summary.usage.outcomes + Counter(), dead_letters=summary.usage.dead_letters
        )
        usage.outcomes["repeat"] += repeats
        foreseen = source.expected() + TOLD.expected()
        found = results(foreseen, system.events(), summary.outcomes, usage)
        assert len(found.differing) == differing


class FakeDeployment:
    """What running_stack yields, as far as `up` looks at it."""

    def __init__(self, local: LocalLedger) -> None:
        config = local.config
        self.region = config.region
        self.endpoint_url = config.endpoint_url
        self.api_url = config.api_url
        self.access_key_id = self.secret_access_key = "x"
        self.outputs = {"IngressBusName": "bus", "CommandsFifoQueueUrl": "queue"}
        self.log_file = Path("engine.log")
        self.healthy = iter([True, False])

    def is_healthy(self) -> bool:
        return next(self.healthy)


@pytest.fixture
def project(
    tmp_path: Path, system: MemorySystem, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A project's directory, where the sandbox yields the system in memory."""

    @contextmanager
    def running_stack(root: Path, report: Callable[[str], None], **_: Any) -> Iterator[Any]:
        assert root == tmp_path
        report("synthesising")
        yield FakeDeployment(system.local)

    (tmp_path / "cdk.json").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sandbox.stack.running_stack", running_stack)
    monkeypatch.setattr("ledger.cli.up.command.Connection", lambda _: system)
    monkeypatch.setattr("ledger.cli.up.command.wall_clock", lambda: system.local.now)
    yield tmp_path
    assert not (tmp_path / ".ledger/local.json").exists(), "it names a stack that is gone"


@pytest.mark.usefixtures("project")
def test_up_once_ends_with_the_verdict(run: Run, system: MemorySystem) -> None:
    """Exit code 0 and the summary on standard output; 1 if a check fails."""
    done = run("up", "--once", "--count", 60, "--json")
    assert done.code == 0, done.value
    assert done.value["found"] == dict(generate(60).expected() + TOLD.expected())
    assert "synthesising" in done.err
    system.lose = 1
    failed = run("up", "--once", "--count", 60, "--seed", 2, "--json")
    assert failed.code == 1
    assert failed.value["ok"] is False


@pytest.mark.usefixtures("project")
def test_up_stays_until_interrupted_and_shows_what_to_try(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Endpoints and three commands that name accounts which are there; then it waits."""
    monkeypatch.setattr("ledger.cli.up.command.time.sleep", _interrupted)
    stayed = run("up", "--count", 60)
    assert stayed.code == 0
    assert "stays up until Ctrl-C" in stayed.err
    for text in ("REST API", "FIFO queue", " balance customers:", " pay customers:", " history "):
        assert text in stayed.out
    account = stayed.out.split(" balance ")[1].split()[0]
    assert run("balance", account).code == 0


def _interrupted(_: float) -> None:
    raise KeyboardInterrupt


@pytest.mark.usefixtures("project")
def test_up_notices_that_the_emulator_is_gone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not stay for a stack that is no more: exit code 3, and where its log is."""
    monkeypatch.setattr("ledger.cli.up.command.LOOK_SECONDS", 0.0)
    gone = run("up", "--count", 60)
    assert gone.code == 3
    assert "engine.log" in gone.err


@pytest.mark.usefixtures("project")
def test_up_with_the_banks_data(run: Run, statement: berka.Statement) -> None:
    """The directory is an option; a broken one is a usage error before anything starts."""
    done = run("up", "--once", "--data", "berka", "--directory", statement.path.parent, "--json")
    assert done.code == 0, done.value
    assert "bank_running_balances" in {check["check"] for check in done.value["checks"]}
    broken = run("up", "--once", "--data", "berka", "--directory", "nowhere", "--json")
    assert broken.code == 2
    assert broken.err == ""


def test_up_runs_in_the_projects_directory_only(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It synthesises the app that is there: elsewhere there is none."""
    monkeypatch.chdir(tmp_path)
    refused = run("up", "--once", "--json")
    assert refused.code == 2
    assert "cdk.json" in refused.value["title"]
