"""`ledger verify` of holds, payments, books, templates, metadata and rules: each corrupted in turn,
and found by the check that is for it."""

from __future__ import annotations

import msgspec
import pytest

from ledger.application.verification import CHECKS, Check, Report
from ledger.application.verify import verify_store
from ledger.application.verify_projections import verify_payments
from ledger.contracts.subjects import (
    Key,
    book_key,
    metadata_key,
    payment_key,
    template_key,
)
from ledger.domain.states import BookState, MetadataState, PaymentState, TemplateState
from tests.support.stores import OpenStore
from tests.support.subjects import book, hold, metadata, template
from tests.support.tampering import (
    FIRST_OF_MONTH,
    MID_MONTH,
    Body,
    edit_event,
    entry_of,
    forge_event,
    payment_rows,
    rich_ledger,
)

Found = set[tuple[Check, str]]
HOLD, POSTED = payment_key("h"), payment_key("p")
MAIN, SALE, TIER = book_key("main"), template_key("sale"), metadata_key("account", "a")
ONE_EACH = pytest.mark.parametrize("key", [HOLD, POSTED, MAIN, SALE, TIER])


@pytest.fixture
def store() -> OpenStore:
    """A ledger with one of everything, that verifies."""
    return rich_ledger()


def reported(store: OpenStore) -> Report:
    """The report on a store."""
    report = Report()
    verify_store(store, report)
    return report


def found(store: OpenStore) -> Found:
    """What verification finds: checks and their subjects."""
    return {(finding.check, finding.subject) for finding in reported(store).findings}


def detail(store: OpenStore, check: Check, subject: str) -> str:
    """What the only finding of a check on a subject says."""
    (finding,) = [
        one for one in reported(store).findings if (one.check, one.subject) == (check, subject)
    ]
    return finding.detail


def of(check: Check, *subjects: str) -> Found:
    """Findings of one check."""
    return {(check, subject) for subject in subjects}


def named(key: Key) -> str:
    """How findings name a subject that is no account."""
    return f"{key.kind} {key.id}"


def test_a_ledger_with_one_of_everything_verifies(store: OpenStore) -> None:
    """Nothing is found, and every check but those of other projections has looked at something."""
    report = Report()
    captured = verify_store(store, report)
    verify_payments(payment_rows(store), captured, report)
    assert (report.ok, report.findings) == (True, [])
    others = {"balances_equal", "history_equal", "leases_add_up"}
    assert set(CHECKS) - report.examined.keys() == others
    # h 3, v 2, e 2, p 2 (its first is no state's), side 1, main 2, sale 2, metadata of a 3, of p 1.
    assert report.examined["subjects_follow"] == 18


# --- what is stored of a subject


@pytest.mark.parametrize(
    ("event", "accounts", "key"),
    [
        ("h", ["a", "b"], HOLD),
        ("capture:h", ["a", "b"], HOLD),
        ("void:v", ["a", "b"], payment_key("v")),
        ("expire:e:1", ["a", "b"], payment_key("e")),
        ("reverse:p", ["a", "b"], POSTED),
        ("close:2026-11-10", [], MAIN),
        ("define:sale", [], SALE),
        ("metadata:a:2", [], TIER),
        ("open:a", ["a"], TIER),
    ],
)
def test_altered_bytes_break_every_chain(
    store: OpenStore, event: str, accounts: list[str], key: Key
) -> None:
    """Of the accounts and of the other subject that the event made a version of."""
    stored = store.stored(event)
    store.put_event(msgspec.structs.replace(stored, data=stored.data.replace(b'":', b'" :', 1)))
    assert found(store) == of("chain_links", *accounts, named(key))


@pytest.mark.parametrize(
    ("event", "key"),
    [
        ("close:2026-11-10", MAIN),
        ("reopen:2026-11-05", MAIN),
        ("define:sale", SALE),
        ("metadata:a", TIER),
        ("metadata:p", metadata_key("payment", "p")),
    ],
)
def test_a_deleted_event_is_missed(store: OpenStore, event: str, key: Key) -> None:
    """Its version is missing, and the state that rests on it has nothing to be compared with."""
    store.drop_event(event)
    expected = of("versions_dense", named(key)) | of("states_equal", named(key))
    if event == "close:2026-11-10":
        expected |= of("periods_respected", "late")  # it names that version of the book
    assert found(store) == expected


def test_a_version_made_twice_is_found(store: OpenStore) -> None:
    """By both events."""
    again = msgspec.json.decode(store.stored("metadata:a").data) | {"id": "other"}
    stored = store.stored("metadata:a")
    store.put_event(msgspec.structs.replace(stored, id="other", data=msgspec.json.encode(again)))
    assert ("versions_dense", "metadata account/a") in found(store)
    assert "metadata:a, other" in detail(store, "versions_dense", "metadata account/a")


STATES: dict[Key, dict[str, object]] = {
    HOLD: {
        "postings": (),
        "authorized_minor": (999,),
        "captured_minor": (31,),
        "reversed_minor": (1,),
        "over_capture_bps": 10_000,
        "expires_at": "2027-01-01T00:00:00.000000Z",
        "ended": "void",
        "made_at": FIRST_OF_MONTH,
        "stripes": {"a": 1},
    },
    MAIN: {"closed_through": None},
    SALE: {"parameters": (), "postings": (), "events": ("define:sale:2", "define:sale")},
    TIER: {"metadata": {"tier": "platinum"}},
}
COMMON: dict[str, object] = {"recorded_at": MID_MONTH, "last_event": "fund", "hash": bytes(32)}
FIELDS = [
    (key, name)
    for key, changes in STATES.items()
    for name in (changes | COMMON)
    if not (key == SALE and name == "last_event")  # the last of its events
]


def test_every_field_of_every_state_is_altered_below(store: OpenStore) -> None:
    """A field added to a state needs a case here; id and version have cases of their own."""
    states = store.snapshot().states
    kinds = {PaymentState, BookState, TemplateState, MetadataState}
    assert {type(states[key]) for key in STATES} == kinds
    for key in STATES:
        altered = {name for one, name in FIELDS if one == key}
        assert altered == set(states[key].__struct_fields__) - {"id", "version"}


@pytest.mark.parametrize(("key", "name"), FIELDS)
def test_an_altered_state_is_named(store: OpenStore, key: Key, name: str) -> None:
    """Each field of each kind, by its name."""
    altered = {name: (STATES[key] | COMMON)[name]}
    store.put_state(msgspec.structs.replace(store.snapshot().states[key], **altered))
    assert found(store) == of("states_equal", named(key))
    assert detail(store, "states_equal", named(key)) == f"differs in {name}"


@ONE_EACH
def test_a_lost_state_is_named(store: OpenStore, key: Key) -> None:
    """Its events are verified all the same."""
    version = store.snapshot().states[key].version
    store.drop_state(key)
    assert found(store) == of("states_equal", named(key))
    said = f"at version 0, its events at {version}"
    assert detail(store, "states_equal", named(key)) == said


@pytest.mark.parametrize("key", [HOLD, POSTED, MAIN, SALE, TIER])
@pytest.mark.parametrize("ahead", [1, 10**18])
def test_a_state_ahead_of_its_events_is_named(store: OpenStore, key: Key, ahead: int) -> None:
    """However far ahead: verification does not count up to it."""
    state = store.snapshot().states[key]
    store.put_state(msgspec.structs.replace(state, version=state.version + ahead))
    assert found(store) == of("states_equal", named(key)) | of("versions_dense", named(key))


@pytest.mark.parametrize("state", [hold("z"), book("z"), template("z"), metadata("z", {})])
def test_an_invented_state_is_named(
    store: OpenStore, state: PaymentState | BookState | TemplateState | MetadataState
) -> None:
    """No event made it."""
    store.put_state(state)
    expected = of("states_equal", named(state.key)) | of("versions_dense", named(state.key))
    assert found(store) == expected


# --- what an event says of a subject, though every hash and state was made to fit


@pytest.mark.parametrize(
    ("event", "said", "key"),
    [
        ("capture:h", {"captured_minor": [31]}, HOLD),
        ("capture:h", {"status": "captured"}, HOLD),
        ("capture:h", {"version": 4}, HOLD),
        ("capture:h", {"prev": "h"}, HOLD),
        ("increase:h", {"authorized_minor": [120]}, HOLD),
        ("h", {"authorized_minor": [99]}, HOLD),
        ("h", {"expires_at": None}, HOLD),
        ("void:v", {"status": "expired"}, payment_key("v")),
        ("expire:e:1", {"status": "voided"}, payment_key("e")),
        ("reverse:p", {"reversed_minor": [19]}, POSTED),
        ("reverse:p:2", {"reversed_minor": [60]}, POSTED),
        ("reopen:2026-11-05", {"prev": "open-book:side"}, MAIN),
        ("define:sale:2", {"prev": "define:sale:2"}, SALE),
        ("metadata:a:2", {"prev": None}, TIER),
    ],
)
def test_a_forged_event_does_not_follow(
    store: OpenStore, event: str, said: dict[str, object], key: Key
) -> None:
    """Its version, what went before it, and what it makes of its payment must follow."""

    def edit(body: Body) -> None:
        entry = body["entry"] | said
        body["entry"] = {name: value for name, value in entry.items() if value is not None}

    forge_event(store, event, edit)
    checks = {check for check, subject in found(store) if subject == named(key)}
    assert checks & {"subjects_follow", "versions_dense"}
    assert ("chain_links", named(key)) not in found(store)


@pytest.mark.parametrize(
    ("event", "account", "total", "value"),
    [
        ("h", "a", "debits_pending_minor", 99),
        ("increase:h", "b", "credits_pending_minor", 100),
        ("capture:h", "a", "debits_pending_minor", 110),
        ("capture:h", "a", "debits_posted_minor", 0),
        ("void:v", "b", "credits_pending_minor", 120),
        ("expire:e:1", "a", "debits_pending_minor", 85),
        ("reverse:p", "b", "debits_posted_minor", 0),
        ("freeze:a", "a", "credits_pending_minor", 1),
    ],
)
def test_totals_follow_from_what_was_posted_held_and_released(
    store: OpenStore, event: str, account: str, total: str, value: int
) -> None:
    """Pending ones as well as posted ones, at every step in the life of a payment."""
    forge_event(store, event, lambda body: entry_of(body, account).update({total: value}))
    assert any(check == "totals_follow" for check, _ in found(store))


@pytest.mark.parametrize(
    ("forged", "said", "found_at"),
    [
        (
            "h",
            {"entry": {"expires_at": "2026-11-21T12:00:00.000000Z"}},
            ("payment h", "increase:h"),
        ),
        (
            "e",
            {"entry": {"expires_at": "2026-11-21T14:00:00.000000Z"}},
            ("payment e", "expire:e:1"),
        ),
        (
            "close:2026-11-10",
            {"through": "2026-11-21"},
            ("book main", "close:2026-11-10"),
        ),
    ],
)
def test_nothing_is_done_before_or_after_its_time(
    store: OpenStore, forged: str, said: Body, found_at: tuple[str, str]
) -> None:
    """A hold that is increased after its expiry, or expires before it; a day that is closed before
    it is over."""

    def edit(body: Body) -> None:
        entry = body["entry"] | said.get("entry", {})
        body.update(said | {"entry": entry})

    forge_event(store, forged, edit)
    subject, event = found_at
    details = [one.detail for one in reported(store).findings if one.subject == subject]
    assert any(f"({event}): not at this time" in one for one in details)


def test_time_does_not_run_backwards(store: OpenStore) -> None:
    """For what is no account either."""
    forge_event(store, "reopen:2026-11-05", lambda body: body.update(recorded_at=MID_MONTH))
    assert ("time_monotonic", "book main") in found(store)


def test_a_body_altered_is_found_by_its_chains(store: OpenStore) -> None:
    """An amount of a capture: by the chains, the totals, and what it makes of its payment."""
    edit_event(store, "capture:h", lambda body: body["postings"][0].update(amount_minor=31))
    expected = of("chain_links", "a", "b", "payment h") | of("totals_follow", "a", "b")
    assert found(store) >= expected | of("subjects_follow", "payment h")
