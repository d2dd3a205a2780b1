"""`ledger verify`: each thing that can be corrupted, corrupted in turn, and named; nothing else."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from ledger.application.verification import CHECKS, FINDINGS_KEPT, Check, Report
from ledger.application.verify import verify_store
from ledger.application.verify_projections import verify_projection
from ledger.contracts.commands import Alert
from ledger.contracts.events import UnknownEventError
from ledger.contracts.primitives import AMOUNT_MINOR_MAX
from ledger.domain.chain import StoredEvent
from tests.support.builders import limit, paying, state
from tests.support.stores import OpenStore
from tests.support.tampering import (
    Body,
    balance_rows,
    edit_event,
    entry_of,
    forge_event,
    history_rows,
    small_ledger,
)
from tests.support.worlds import accepted_by, commands_on

Found = set[tuple[Check, str]]


@pytest.fixture
def store() -> OpenStore:
    """A small ledger that verifies."""
    return small_ledger()


def found(store: OpenStore) -> Found:
    """What verification finds: checks and their subjects."""
    report = Report()
    verify_store(store, report)
    return named(report)


def named(report: Report) -> Found:
    """The checks that failed, and of what."""
    assert report.ok == (not report.findings)
    return {(finding.check, finding.subject) for finding in report.findings}


def detail(store: OpenStore, subject: str) -> str:
    """What is said of the only finding on a subject."""
    report = Report()
    verify_store(store, report)
    (finding,) = [one for one in report.findings if one.subject == subject]
    return finding.detail


def of(check: Check, *subjects: str) -> Found:
    """Findings of one check."""
    return {(check, subject) for subject in subjects}


def test_a_clean_ledger_verifies(store: OpenStore) -> None:
    """Nothing is found, and every check has looked at something."""
    report = Report()
    captured = verify_store(store, report)
    verify_projection("balances_equal", balance_rows(store), captured, report)
    verify_projection("history_equal", history_rows(store), captured, report)
    assert (report.ok, report.findings) == (True, [])
    assert report.examined == {
        "events_readable": 9,
        "versions_dense": 13,
        "prev_leads_back": 13,
        "chain_links": 13,
        "time_monotonic": 13,
        "totals_follow": 13,
        "alerts_follow": 13,
        "constraints_hold": 9,
        "periods_respected": 8,
        "states_equal": 4,
        "zero_sum": 1,
        "balances_equal": 4,
        "history_equal": 13,
    }
    # The others look at what this ledger has none of: see test_verify_subjects.
    assert (
        set(CHECKS) - {"subjects_follow", "payments_equal", "batches_whole", "leases_add_up"}
        == report.examined.keys()
    )
    assert (captured.history.events, captured.history.rejections) == (9, 1)


def test_an_empty_ledger_verifies() -> None:
    """There is nothing to find."""
    assert found(OpenStore()) == set()


@pytest.mark.parametrize(
    ("event", "dense", "lastless"),
    [
        ("fund", ["bank", "a"], []),
        ("p1", ["a", "b"], []),
        ("p2", ["a", "b", "c"], ["a", "b"]),
        ("p3", ["bank", "c"], ["bank", "c"]),
        ("open:c", ["c"], []),
        ("no", [], []),
    ],
)
def test_a_deleted_event_is_missed(
    store: OpenStore, event: str, dense: list[str], lastless: list[str]
) -> None:
    """The versions it made are missing; where it was the last, the state has no event. The sums are
    of what can still be judged: they find nothing of their own. (A deleted refusal leaves no gap:
    nothing rests on it.)"""
    store.drop_event(event)
    assert found(store) == of("versions_dense", *dense) | of("states_equal", *lastless)
    if event == "p1":
        assert detail(store, "a") == "version 3 is missing"


def test_a_run_of_deleted_events_is_one_finding(store: OpenStore) -> None:
    """Versions that are missing together are named together."""
    store.drop_event("fund")
    store.drop_event("p1")
    assert detail(store, "a") == "versions 2-3 are missing"


@pytest.mark.parametrize(
    ("event", "accounts"), [("open:a", ["a"]), ("p1", ["a", "b"]), ("p3", ["bank", "c"])]
)
def test_altered_bytes_break_the_chain(store: OpenStore, event: str, accounts: list[str]) -> None:
    """Any change of a stored body, though it means the same, at every account it touches."""
    stored = store.stored(event)
    store.put_event(msgspec.structs.replace(stored, data=stored.data.replace(b'":', b'" :', 1)))
    assert found(store) == of("chain_links", *accounts)


def test_an_altered_amount_is_found_twice(store: OpenStore) -> None:
    """By the chain, and by the totals that do not follow."""
    edit_event(store, "p1", lambda body: body["postings"][0].update(amount_minor=31))
    assert found(store) == of("chain_links", "a", "b") | of("totals_follow", "a", "b")


@pytest.mark.parametrize(
    ("event", "place", "expected"),
    [
        ("p1", 0, of("chain_links", "a")),
        ("p1", 1, of("chain_links", "b")),
        ("p3", 0, of("chain_links", "c") | of("states_equal", "c")),
        ("open:b", 0, of("chain_links", "b")),
    ],
)
def test_an_altered_hash_breaks_the_chain(
    store: OpenStore, event: str, place: int, expected: Found
) -> None:
    """At its own account only, and at the state if it was the last."""
    stored = store.stored(event)
    hashes = list(stored.hashes)
    hashes[place] = bytes([hashes[place][0] ^ 1]) + hashes[place][1:]
    store.put_event(msgspec.structs.replace(stored, hashes=tuple(hashes)))
    assert found(store) == expected


def set_entry(account: str, **values: object) -> Callable[[Body], object]:
    """An edit of one account's entry."""
    return lambda body: entry_of(body, account).update(values)


@pytest.mark.parametrize(
    ("event", "edit", "expected"),
    [
        ("p1", set_entry("b", prev="fund"), of("prev_leads_back", "b")),
        ("p2", set_entry("a", prev="p2"), of("prev_leads_back", "a")),
        ("open:b", set_entry("b", prev="x"), of("prev_leads_back", "b")),
        ("p1", lambda body: entry_of(body, "b").pop("prev"), of("prev_leads_back", "b")),
        ("p1", set_entry("a", type="asset"), of("prev_leads_back", "a")),
        (
            "p1",
            lambda body: body.update(recorded_at="2026-11-21T11:00:00.000000Z"),
            of("time_monotonic", "a", "b"),
        ),
        ("p1", set_entry("b", credits_posted_minor=31), of("totals_follow", "b")),
        ("p1", set_entry("b", debits_pending_minor=1), of("totals_follow", "b")),
        (
            "p3",
            set_entry("c", debits_posted_minor=3),
            of("totals_follow", "c") | of("zero_sum", "EUR"),
        ),
        ("open:c", set_entry("c", credits_posted_minor=1), of("totals_follow", "c")),
    ],
)
def test_a_forged_event_is_found_by_what_it_says(
    store: OpenStore, event: str, edit: Callable[[Body], object], expected: Found
) -> None:
    """Though every hash and state was made to fit it: its predecessor, its account's type, its
    time, its totals must follow too, and balances must sum to zero."""
    forge_event(store, event, edit)
    assert found(store) == expected


def test_a_total_beyond_its_maximum_is_found(store: OpenStore) -> None:
    """Though it follows from the postings: a's debits, of 30 before and now 2^63-1 more."""

    def overflow(body: Body) -> None:
        body["postings"][1]["amount_minor"] = AMOUNT_MINOR_MAX
        entry_of(body, "a")["debits_posted_minor"] = 30 + AMOUNT_MINOR_MAX
        entry_of(body, "c")["credits_posted_minor"] = 10 + AMOUNT_MINOR_MAX

    forge_event(store, "p2", overflow)
    assert found(store) == (
        of("totals_follow", "a", "c") | of("zero_sum", "EUR") | of("constraints_hold", "a", "c")
    )


def test_an_opening_in_the_middle_is_found(store: OpenStore) -> None:
    """An account is opened by its first event and by no other."""

    def reopen(body: Body) -> None:
        entry = {**entry_of(body, "a")}
        opened = msgspec.json.decode(store.stored("open:a").data)
        body.clear()
        body.update(opened, id="p1", accounts=[entry], recorded_at="2026-11-21T12:00:00.500000Z")

    forge_event(store, "p1", reopen)
    assert ("prev_leads_back", "a") in found(store)
    assert ("versions_dense", "b") in found(store)


def test_a_version_made_twice_is_found(store: OpenStore) -> None:
    """Whichever of the two a scan meets first, and nothing is found but that."""
    genuine = store.stored("p1")
    forged = msgspec.json.decode(genuine.data) | {"id": "p1-again"}
    again = StoredEvent("p1-again", msgspec.json.encode(forged), genuine.hashes)
    for order in ([genuine, again], [again, genuine]):
        store = small_ledger()
        store.drop_event("p1")
        for event in order:
            store.put_event(event)
        assert found(store) == of("versions_dense", "a", "b")
        assert detail(store, "a") == "version 3 made by p1, p1-again"


def test_a_version_made_twice_is_not_summed() -> None:
    """Which of the two moved the money is not for the sums to say."""
    store = small_ledger()
    genuine = store.stored("p3")
    forged = msgspec.json.decode(genuine.data) | {"id": "p3-again"}
    entry_of(forged, "c")["debits_posted_minor"] = 9
    store.drop_event("p3")
    store.put_event(StoredEvent("p3-again", msgspec.json.encode(forged), genuine.hashes))
    store.put_event(genuine)
    assert found(store) == of("versions_dense", "c", "bank")


UNREADABLE: dict[str, tuple[Callable[[bytes], bytes], slice, str]] = {
    "truncated": (lambda data: data[:-9], slice(None), "not an event"),
    "not text": (lambda _: b"\xff\xfe", slice(None), "not an event"),
    "too little": (lambda data: data[:29] + b"}", slice(None), "not an event"),
    "another id": (
        lambda data: data.replace(b'"id":"p1"', b'"id":"p9"'),
        slice(None),
        "those of another id",
    ),
    "a hash too few": (bytes, slice(1), "one chain hash for each"),
    "no hashes": (bytes, slice(0), "one chain hash for each"),
    "another account": (
        lambda data: data.replace(b'{"id":"b"', b'{"id":"z"'),
        slice(None),
        "not those of the accounts",
    ),
    "an account too few": (
        lambda data: data[: data.index(b',{"id":"b"')] + b"]}",
        slice(1),
        "not those of the accounts",
    ),
}


@pytest.mark.parametrize("how", UNREADABLE)
def test_an_event_that_cannot_be_read_is_named(store: OpenStore, how: str) -> None:
    """With why; the versions it made are missing then. Verification goes on."""
    broken, kept, problem = UNREADABLE[how]
    event = store.stored("p1")
    store.put_event(StoredEvent("p1", broken(event.data), event.hashes[kept]))
    assert found(store) == of("events_readable", "p1") | of("versions_dense", "a", "b")
    assert problem in detail(store, "p1")


@pytest.mark.parametrize("head", ['"payment.posted","v":2', '"payment.settled","v":1'])
def test_a_newer_releases_event_is_not_judged(store: OpenStore, head: str) -> None:
    """This release cannot verify a ledger that a newer one writes, and does not pretend to."""
    store.put_event(StoredEvent("new", f'{{"type":{head}}}'.encode(), ()))
    with pytest.raises(UnknownEventError):
        found(store)


STATE_CHANGES: dict[str, object] = {
    "currency": "USD",
    "type": "asset",
    "status": "frozen",
    "debits_posted_minor": 36,
    "credits_posted_minor": 101,
    "debits_pending_minor": 1,
    "credits_pending_minor": 1,
    "min_balance_minor": -1_000_000,
    "max_balance_minor": 5,
    "opened_at": "2026-11-20T12:00:00.000000Z",
    "recorded_at": "2026-11-21T12:00:09.000000Z",
    "last_event": "p1",
    "hash": bytes(32),
    "alerts": (Alert(direction="below", threshold_minor=5),),
    "frozen": "debits",
    "book": "side",
    "min_balance_basis": "posted",
    "max_balance_basis": "posted",
    "velocity": (limit(max_amount_minor=5),),
    "counters": (None,),
    "stripes": 2,
    "stripes_made": 2,
    "floor_minor": 3,
    "ceiling_minor": 3,
}


def test_every_field_of_a_state_is_altered_below() -> None:
    """A field added to the state needs a case here; the version and what is in the key have cases
    of their own."""
    assert STATE_CHANGES.keys() == set(state("a").__struct_fields__) - {"id", "stripe", "version"}


@pytest.mark.parametrize("name", STATE_CHANGES)
def test_an_altered_state_is_named(store: OpenStore, name: str) -> None:
    """Each field: what moves money as well as what permits it."""
    store.put_state(msgspec.structs.replace(store.state("a"), **{name: STATE_CHANGES[name]}))
    assert found(store) == of("states_equal", "a")
    assert detail(store, "a") == f"differs in {name}"


def test_a_lost_state_is_named(store: OpenStore) -> None:
    """Its events are verified all the same."""
    store.drop_state("b")
    assert found(store) == of("states_equal", "b")
    assert detail(store, "b") == "at version 0, its events at 3"
    edit_event(store, "p1", lambda body: body.update(description="x"))
    assert found(store) == of("states_equal", "b") | of("chain_links", "a", "b")


def test_all_states_lost_leaves_the_events_verified(store: OpenStore) -> None:
    """As before a rebuild."""
    for account in ("bank", "a", "b", "c"):
        store.drop_state(account)
    assert found(store) == of("states_equal", "bank", "a", "b", "c")
    store.drop_event("p1")
    assert found(store) >= of("versions_dense", "a", "b")


def test_a_state_from_the_past_is_named(store: OpenStore) -> None:
    """One that was restored from an older copy: its events are ahead of it."""
    past = small_ledger().state("a")
    accepted_by(commands_on(store), paying("p4", ("a", "b", 1)))
    store.put_state(past)
    assert found(store) == of("states_equal", "a")
    assert detail(store, "a") == "at version 4, its events at 5"


@pytest.mark.parametrize(("version", "what"), [(5, "version 5 is"), (10**18, "versions 5-1")])
def test_a_state_ahead_of_its_events_is_named(store: OpenStore, version: int, what: str) -> None:
    """However far ahead: verification does not count up to it."""
    store.put_state(msgspec.structs.replace(store.state("a"), version=version))
    report = Report()
    verify_store(store, report)
    assert named(report) == of("states_equal", "a") | of("versions_dense", "a")
    assert any(finding.detail.startswith(what) for finding in report.findings)


def test_an_invented_account_is_named(store: OpenStore) -> None:
    """A state that no event made."""
    store.put_state(state("z", version=2))
    assert found(store) == of("states_equal", "z") | of("versions_dense", "z")


def test_reports_are_bounded() -> None:
    """A hundred findings of a check are kept, all are counted."""
    report = Report()
    for number in range(FINDINGS_KEPT + 20):
        report.found("chain_links", f"a{number}", "x")
    report.found("zero_sum", "EUR", "y")
    assert len(report.findings) == FINDINGS_KEPT + 1
    assert report.failures == {"chain_links": FINDINGS_KEPT + 20, "zero_sum": 1}
    assert not report.ok
