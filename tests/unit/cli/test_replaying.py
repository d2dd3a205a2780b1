"""`ledger replay`, on stores in memory: what it prints, and with which exit code it ends."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ledger.cli.connection import Connection
from ledger.cli.replaying import ProjectionName
from ledger.contracts.events import CorruptEventError
from ledger.contracts.subjects import account_key, payment_key
from ledger.upkeep.replays import PROJECTIONS, Projection, StoredEvents
from projections.balances.memory import MemoryBalancesStore
from projections.balances.replay import REPLAYABLE as BALANCES
from projections.generations.memory import MemoryGenerations
from projections.history.memory import MemoryHistoryStore
from projections.history.replay import REPLAYABLE as HISTORY
from projections.payments.memory import MemoryPaymentsStore
from projections.payments.replay import REPLAYABLE as PAYMENTS
from tests.support.tampering import edit_event, small_ledger
from tests.unit.cli.conftest import Run
from tests.unit.cli.local_ledger import LocalLedger

SHOP = "customers:0001:wallet"


@pytest.fixture(autouse=True)
def generations(
    local: LocalLedger, run: Run, monkeypatch: pytest.MonkeyPatch
) -> dict[str, MemoryGenerations[Any]]:
    """What the command would read from DynamoDB; a hundred payments, projected; no waits."""
    made: dict[str, MemoryGenerations[Any]] = {
        "balances": MemoryGenerations(MemoryBalancesStore),
        "history": MemoryGenerations(MemoryHistoryStore),
        "payments": MemoryGenerations(MemoryPaymentsStore),
    }
    made["balances"].stores[1] = local.balances
    made["history"].stores[1] = local.history
    made["payments"].stores[1] = local.payments
    replayable: dict[str, Any] = {
        "balances": BALANCES,
        "history": HISTORY,
        "payments": PAYMENTS,
    }

    def projection_of(_: Connection, name: str) -> Projection:
        return Projection(replayable[name], made[name], made[name].store_of)

    monkeypatch.setattr("ledger.cli.replaying.projection_of", projection_of)
    monkeypatch.setattr(Connection, "events", lambda _: local.store)
    monkeypatch.setattr("projections.replay.replaying.SETTLED_SECONDS", 0.001)
    assert run("load", "-n", 100).code == 0
    return made


def corrupt(local: LocalLedger) -> None:
    """One balance is changed by hand."""
    account = local.balances.account(SHOP)
    assert account is not None
    wrong = msgspec.structs.replace(account.totals, credits_posted_minor=10**9)
    local.balances._totals[SHOP] = wrong  # noqa: SLF001 - no port lets anyone do this


@pytest.mark.parametrize("projection", list(ProjectionName))
def test_a_sound_projection_is_swapped_without_a_difference(run: Run, projection: str) -> None:
    """Exit code 0; what was projected, compared and deleted is said."""
    value = run("replay", projection, "--json").value
    assert value["events"] > 100
    assert value["subjects"] > 0
    assert {name: value[name] for name in ("projection", "generation", "swapped", "compared")} == {
        "projection": projection,
        "generation": 2,
        "swapped": True,
        "compared": True,
    }
    assert (value["differences"], value["differing"]) == (0, [])
    assert value["deleted"] > 0


def test_what_differs_is_named_and_mended(run: Run, local: LocalLedger) -> None:
    """Account, version, field and both values; with --dry-run exit code 1 and nothing is mended."""
    corrupt(local)
    account = local.balances.account(SHOP)
    assert account is not None
    for arguments, code in ((("--dry-run", "--json"), 1), (("--json",), 0)):
        ran = run("replay", "balances", *arguments)
        assert ran.code == code
        (difference,) = ran.value["differing"]
        assert difference.pop("rebuilt") < 10**9
        assert difference == {
            "subject": SHOP,
            "version": account.totals.version,
            "kind": "differs",
            "field": "credits_posted_minor",
            "live": 10**9,
        }
        assert ran.value["swapped"] is (code == 0)
    assert run("replay", "balances", "--dry-run").code == 0


def test_people_see_the_differences_in_a_table(run: Run, local: LocalLedger) -> None:
    """And what goes on meanwhile on standard error."""
    corrupt(local)
    ran = run("replay", "balances")
    assert ran.code == 0
    for text in (SHOP, "credits_posted_minor", "1000000000", "2 (new)", "items deleted"):
        assert text in ran.out
    for text in ("every worker writes", "events projected", "every reader looks", "nobody uses"):
        assert text in ran.err


def test_what_is_under_way_is_resumed_or_aborted_by_name(run: Run) -> None:
    """Exit code 1 and what to say instead; a resumed run says that it did not compare."""
    nothing = run("replay", "history", "--resume", "--json")
    assert (nothing.code, nothing.value["reason"]) == (1, "replay")
    assert run("replay", "history", "--keep-old", "--json").value["deleted"] == 0
    refused = run("replay", "history", "--json")
    assert refused.code == 1
    assert "--resume" in refused.value["title"]
    resumed = run("replay", "history", "--resume", "--json").value
    assert (resumed["compared"], resumed["deleted"] > 0) == (False, True)
    assert run("replay", "history", "--abort", "--json").code == 1


@pytest.mark.parametrize(
    "options",
    [("--resume", "--abort"), ("--abort", "--dry-run"), ("--dry-run", "--keep-old")],
    ids=" ".join,
)
def test_options_that_exclude_each_other_are_refused(run: Run, options: tuple[str, ...]) -> None:
    """As wrong usage, before anything is begun."""
    refused = run("replay", "balances", *options, "--json")
    assert (refused.code, refused.value["reason"]) == (2, "usage")
    assert run("replay", "balances", "--abort", "--json").code == 1


def test_an_event_that_cannot_be_read_ends_a_replay_before_the_swap(
    run: Run, local: LocalLedger, generations: dict[str, MemoryGenerations[Any]]
) -> None:
    """Exit code 1 and where to look; the live generation stays, and an abort leaves it alone."""
    event = next(iter(local.store.events()))
    broken = msgspec.structs.replace(event, data=b"{}")
    local.store._events[event.id] = broken  # noqa: SLF001 - no port lets anyone do this
    failed = run("replay", "balances", "--json")
    assert (failed.code, failed.value["reason"]) == (1, "broken")
    assert "ledger verify" in failed.value["title"]
    assert generations["balances"].pointer().live == 1
    assert run("replay", "balances", "--abort", "--json").value["generation"] == 1
    assert list(generations["balances"].stores) == [1]


def test_events_are_taken_from_the_store_as_they_are_there() -> None:
    """All of them, checked; versions from the states; another id's bytes refused."""
    store = small_ledger()
    source = StoredEvents(store)
    assert sorted(event.id for event in source.events()) == sorted(
        stored.id for stored in store.events()
    )
    assert dict(source.versions()) == {state.key: state.version for state in store.states()}
    bank = store.load([account_key("bank")]).accounts["bank"]
    assert source.version(account_key("bank")) == bank.version
    assert source.version(account_key("nobody")) == 0
    # A payment that was posted and left alone since has no state: it is version 1.
    assert (source.version(payment_key("p1")), source.version(payment_key("none"))) == (1, 0)
    edit_event(store, "p1", lambda body: body.update(id="p9"))
    with pytest.raises(CorruptEventError, match="p1"):
        list(source.events())


def test_every_projection_that_can_be_replayed_can_be_asked_for() -> None:
    """The command line and the registry name the same ones, each by its own name."""
    assert {str(name) for name in ProjectionName} == set(PROJECTIONS)
